/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/plugins/host.h"

#include "tests/unit/gateway-plugins/provider_rig.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>

static void count(void *arg)
{
	++*(unsigned *)arg;
}

/* An instance, its actor and its host. */
static struct instance *begin(struct stage *stage, const struct cg_host **ret_host)
{
	struct instance *instance;

	stage_init(stage);
	instance = stage_instance(stage);
	CU_ASSERT_EQUAL(instance_start(instance, NULL), CG_OK);
	*ret_host = stage->actors[0].host;
	return instance;
}

/* After it is destroyed nothing of it may fire: turn until all that was due has been. */
static void expect_silence(struct stage *stage)
{
	CU_ASSERT_EQUAL(rig_say(&stage->rig, "a", "chat"), CG_OK);
	rig_turn(&stage->rig);
}

static void host_tells_the_time(void)
{
	struct instance *instance;
	const struct cg_host *host;
	struct stage stage;

	instance = begin(&stage, &host);
	CU_ASSERT_STRING_EQUAL(host->instance_id, "one");
	CU_ASSERT_EQUAL(host->abi, 1);
	CU_ASSERT_EQUAL(host->wall_ms(host), RIG_NOW);
	stage.rig.now_ms += 5;
	CU_ASSERT_EQUAL(host->mono_ms(host), RIG_NOW + 5);
	CU_ASSERT(host->clock_sane(host));
	stage.rig.sane = false;
	CU_ASSERT_FALSE(host->clock_sane(host));
	host->log(host, CG_LOG_WARN, "a word");
	CU_ASSERT_EQUAL(stage.logs, 1);
	host->quit(host);
	CU_ASSERT_EQUAL(stage.quits, 1);
	instance_destroy(instance);
	stage_finish(&stage);
}

/* Timers. */

static void host_timer_fires_once(void)
{
	struct cg_timer *timer;
	struct instance *instance;
	const struct cg_host *host;
	unsigned fired = 0;
	struct stage stage;

	instance = begin(&stage, &host);
	timer = host->timer_start(host, 0, count, &fired);
	CU_ASSERT_PTR_NOT_NULL(timer);
	CU_ASSERT_EQUAL(fired, 0);
	STAGE_UNTIL(&stage, fired == 1);
	rig_turn(&stage.rig);
	host->timer_cancel(host, timer); /* it is gone: nothing happens */
	timer = host->timer_start(host, 0, count, &fired);
	host->timer_cancel(host, timer);
	host->timer_cancel(host, timer);
	host->timer_cancel(host, NULL);
	rig_turn(&stage.rig);
	CU_ASSERT_EQUAL(fired, 1);
	for (int i = 0; i < INSTANCE_TIMERS; i++)
		CU_ASSERT_PTR_NOT_NULL(host->timer_start(host, 3600000, count, &fired));
	CU_ASSERT_PTR_NULL(host->timer_start(host, 0, count, &fired));
	instance_destroy(instance);
	rig_turn(&stage.rig);
	CU_ASSERT_EQUAL(fired, 1);
	stage_finish(&stage);
}

static unsigned destroyed_fired;
static struct cg_timer *held_timer;
static struct cg_http_call *held_call;
static int held_fd;

/* A provider that takes back by itself what it began, as many do. */
static void tidy_up(struct actor *actor)
{
	const struct cg_host *host = actor->host;
	const struct cg_inbound late = rig_message("late", "text");

	host->timer_cancel(host, held_timer);
	if (held_call != NULL)
		host->http_cancel(host, held_call);
	CU_ASSERT_EQUAL(host->watch(host, held_fd, NULL, NULL), CG_OK);
	/* And one that begins something all the same. */
	CU_ASSERT_PTR_NULL(host->timer_start(host, 0, count, &destroyed_fired));
	CU_ASSERT_NOT_EQUAL(host->offload(host, count, count, &destroyed_fired), CG_OK);
	CU_ASSERT_NOT_EQUAL(host->watch(host, held_fd, count, &destroyed_fired), CG_OK);
	host->submit(host, &late, NULL, NULL);
}

static void host_lets_a_provider_tidy_up(void)
{
	const struct cg_host *host;
	struct instance *instance;
	struct stage stage;
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
	instance = begin(&stage, &host);
	destroyed_fired = 0;
	held_call = NULL;
	held_fd = ends[0];
	held_timer = host->timer_start(host, 0, count, &destroyed_fired);
	CU_ASSERT_EQUAL(host->watch(host, ends[0], count, &destroyed_fired), CG_OK);
	CU_ASSERT_EQUAL(write(ends[1], "x", 1), 1);
	stage.actors[0].on_destroy = tidy_up;
	instance_destroy(instance);
	CU_ASSERT_EQUAL(stage.actors[0].destroyed, 1);
	expect_silence(&stage);
	CU_ASSERT_EQUAL(destroyed_fired, 0);
	close(ends[0]);
	close(ends[1]);
	stage_finish(&stage);
}

/* Work on the pool. */

struct work {
	pthread_mutex_t lock;
	unsigned done;
	const unsigned *destroyed; /* of the provider */
	unsigned seen; /* destroyed, as the work ended */
};

static void work_run(void *arg)
{
	struct work *work = arg;

	pthread_mutex_lock(&work->lock);
	work->seen = *work->destroyed;
	pthread_mutex_unlock(&work->lock);
}

static void work_done(void *arg)
{
	((struct work *)arg)->done++;
}

static void host_outlives_work_that_runs(void)
{
	struct work work = {.lock = PTHREAD_MUTEX_INITIALIZER, .seen = 99};
	const struct cg_host *host;
	struct instance *instance;
	unsigned fired = 0;
	struct stage stage;

	instance = begin(&stage, &host);
	work.destroyed = &stage.actors[0].destroyed;
	CU_ASSERT_EQUAL(host->offload(host, work_run, work_done, &work), CG_OK);
	STAGE_UNTIL(&stage, work.done == 1);
	pthread_mutex_lock(&work.lock);
	CU_ASSERT_EQUAL(host->offload(host, work_run, work_done, &work), CG_OK);
	CU_ASSERT_EQUAL(host->offload(host, work_run, work_done, &work), CG_OK);
	host->timer_start(host, 0, count, &fired);
	instance_destroy(instance);
	CU_ASSERT_EQUAL(stage.actors[0].destroyed, 0); /* the work uses it */
	expect_silence(&stage);
	pthread_mutex_unlock(&work.lock);
	STAGE_UNTIL(&stage, stage.actors[0].destroyed == 1);
	CU_ASSERT_EQUAL(work.seen, 0);
	CU_ASSERT_EQUAL(work.done, 1); /* nobody is told */
	CU_ASSERT_EQUAL(fired, 0);
	stage_finish(&stage);
}

/* Exchanges. */

static unsigned answered;

static void on_answer(void *arg, const struct cg_http_response *response)
{
	(void)arg;
	(void)response;
	answered++;
}

/* A listener that accepts and says nothing. */
static int silent_listener(char *url, size_t size)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, length), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 8), 0);
	getsockname(fd, (struct sockaddr *)&address, &length);
	snprintf(url, size, "http://127.0.0.1:%d/", ntohs(address.sin_port));
	return fd;
}

static struct cg_http_request get(const char *url)
{
	return (struct cg_http_request){.size = sizeof(struct cg_http_request),
		.method = "GET",
		.url = url,
		.timeout_ms = 30000,
		.on_done = on_answer};
}

static void host_takes_exchanges_back(void)
{
	struct cg_http_request request;
	const struct cg_host *host;
	struct cg_http_call *call;
	struct instance *instance;
	char url[64];
	struct stage stage;
	int fd = silent_listener(url, sizeof(url));

	answered = 0;
	instance = begin(&stage, &host);
	request = get(url);
	CU_ASSERT_EQUAL(host->http_start(host, &request, &call, NULL), CG_OK);
	host->http_cancel(host, call);
	host->http_cancel(host, call); /* it is gone */
	CU_ASSERT_EQUAL(http_client_active(stage.http), 0);
	for (int i = 0; i < INSTANCE_CALLS; i++)
		CU_ASSERT_EQUAL(host->http_start(host, &request, &call, NULL), CG_OK);
	CU_ASSERT_EQUAL(host->http_start(host, &request, &call, NULL), CG_LIMIT);
	request.size = sizeof(request) + 1; /* of a newer contract */
	CU_ASSERT_EQUAL(host->http_start(host, &request, &call, NULL), CG_UNSUPPORTED);
	rig_turn(&stage.rig);
	instance_destroy(instance);
	CU_ASSERT_EQUAL(http_client_active(stage.http), 0);
	expect_silence(&stage);
	CU_ASSERT_EQUAL(answered, 0);
	close(fd);
	stage_finish(&stage);
}

static void host_tells_of_an_exchange_once(void)
{
	struct cg_http_request request;
	const struct cg_host *host;
	struct cg_http_call *call;
	struct instance *instance;
	char url[64];
	struct stage stage;
	int fd = silent_listener(url, sizeof(url));

	close(fd); /* nobody listens */
	answered = 0;
	instance = begin(&stage, &host);
	request = get(url);
	CU_ASSERT_EQUAL(host->http_start(host, &request, &call, NULL), CG_OK);
	STAGE_UNTIL(&stage, answered == 1);
	host->http_cancel(host, call);
	instance_destroy(instance);
	CU_ASSERT_EQUAL(answered, 1);
	stage_finish(&stage);
}

/* Messages. */

struct heard {
	unsigned count;
	enum cg_verdict verdict;
};

static void on_verdict(void *arg, enum cg_verdict verdict)
{
	struct heard *heard = arg;

	heard->count++;
	heard->verdict = verdict;
}

static void host_stores_messages(void)
{
	const struct cg_inbound inbound = rig_message("e1", "text");
	struct heard heard = {0};
	const struct cg_host *host;
	struct instance *instance;
	struct stage stage;

	instance = begin(&stage, &host);
	CU_ASSERT_EQUAL(instance_last_inbound(instance), 0);
	host->submit(host, &inbound, on_verdict, &heard);
	CU_ASSERT_EQUAL(heard.count, 0);
	STAGE_UNTIL(&stage, heard.count == 1);
	CU_ASSERT_EQUAL(heard.verdict, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(instance_last_inbound(instance), RIG_NOW);
	CU_ASSERT_EQUAL(stage.submitted[CG_VERDICT_COMMITTED], 1);
	host->submit(host, &inbound, NULL, NULL);
	STAGE_UNTIL(&stage, stage.submitted[CG_VERDICT_DUPLICATE] == 1);
	CU_ASSERT_EQUAL(rig_number(&stage.rig,
				"SELECT count(*) FROM inbox WHERE instance = 'one'"),
		1);
	instance_destroy(instance);
	stage_finish(&stage);
}

static void host_keeps_checkpoints(void)
{
	const struct cg_checkpoint checkpoint = {.key = "offset", .value = "42"};
	struct heard heard = {0};
	const struct cg_host *host;
	struct instance *instance;
	struct stage stage;
	char value[16];

	instance = begin(&stage, &host);
	CU_ASSERT_FALSE(host->checkpoint_load(host, "offset", value, sizeof(value)));
	host->checkpoint(host, &checkpoint, on_verdict, &heard);
	STAGE_UNTIL(&stage, heard.count == 1);
	CU_ASSERT(host->checkpoint_load(host, "offset", value, sizeof(value)));
	CU_ASSERT_STRING_EQUAL(value, "42");
	CU_ASSERT_EQUAL(stage.submitted[CG_VERDICT_COMMITTED], 0); /* no message */
	instance_destroy(instance);
	stage_finish(&stage);
}

static void host_stores_what_was_submitted_before_the_end(void)
{
	const struct cg_inbound inbound = rig_message("e1", "text");
	struct heard heard = {0};
	const struct cg_host *host;
	struct instance *instance;
	struct stage stage;

	instance = begin(&stage, &host);
	host->submit(host, &inbound, on_verdict, &heard);
	instance_destroy(instance);
	expect_silence(&stage);
	CU_ASSERT_EQUAL(heard.count, 0);
	CU_ASSERT_EQUAL(stage.submitted[CG_VERDICT_COMMITTED], 0);
	CU_ASSERT_EQUAL(rig_number(&stage.rig, "SELECT count(*) FROM inbox"), 1);
	stage_finish(&stage);
}

static void host_refuses_more_than_it_can_hold(void)
{
	static struct heard heard;
	const struct cg_host *host;
	struct instance *instance;
	struct stage stage;

	heard = (struct heard){0};
	instance = begin(&stage, &host);
	for (int i = 0; i < INSTANCE_SUBMISSIONS + 10; i++) {
		char id[16];
		struct cg_inbound inbound = rig_message(id, "text");

		snprintf(id, sizeof(id), "e%d", i);
		host->submit(host, &inbound, on_verdict, &heard);
	}
	CU_ASSERT_EQUAL(heard.count, 0);
	STAGE_UNTIL(&stage, heard.count == INSTANCE_SUBMISSIONS + 10);
	CU_ASSERT(stage.submitted[CG_VERDICT_UNAVAILABLE] >= 10);
	CU_ASSERT_EQUAL(stage.submitted[CG_VERDICT_UNAVAILABLE] +
				stage.submitted[CG_VERDICT_COMMITTED],
		INSTANCE_SUBMISSIONS + 10);
	instance_destroy(instance);
	stage_finish(&stage);
}

static void host_of_a_trial_stores_nothing(void)
{
	const struct cg_inbound inbound = rig_message("e1", "text");
	const struct cg_checkpoint checkpoint = {.key = "offset", .value = "42"};
	struct heard heard = {0};
	struct instance *instance;
	const struct cg_host *host;
	struct stage stage;
	char value[16];

	stage_init(&stage);
	stage.services.journal = NULL;
	instance = stage_instance(&stage);
	host = stage.actors[0].host;
	host->submit(host, &inbound, on_verdict, &heard);
	host->checkpoint(host, &checkpoint, on_verdict, &heard);
	CU_ASSERT_EQUAL(heard.count, 0);
	STAGE_UNTIL(&stage, heard.count == 2);
	CU_ASSERT_EQUAL(heard.verdict, CG_VERDICT_UNAVAILABLE);
	CU_ASSERT_FALSE(host->checkpoint_load(host, "offset", value, sizeof(value)));
	host->submit(host, &inbound, on_verdict, &heard);
	instance_destroy(instance);
	rig_turn(&stage.rig);
	CU_ASSERT_EQUAL(heard.count, 2);
	stage_finish(&stage);
}

/* Descriptors and files. */

static void host_watches_descriptors(void)
{
	int ends[INSTANCE_WATCHES + 1][2];
	unsigned first = 0, second = 0;
	const struct cg_host *host;
	struct instance *instance;
	struct stage stage;

	instance = begin(&stage, &host);
	for (int i = 0; i <= INSTANCE_WATCHES; i++)
		CU_ASSERT_EQUAL_FATAL(pipe(ends[i]), 0);
	CU_ASSERT_EQUAL(host->watch(host, ends[0][0], count, &first), CG_OK);
	CU_ASSERT_EQUAL(write(ends[0][1], "x", 1), 1);
	STAGE_UNTIL(&stage, first > 0);
	CU_ASSERT_EQUAL(host->watch(host, ends[0][0], count, &second), CG_OK);
	first = 0;
	STAGE_UNTIL(&stage, second > 0);
	CU_ASSERT_EQUAL(first, 0); /* one a descriptor */
	CU_ASSERT_EQUAL(host->watch(host, ends[0][0], NULL, NULL), CG_OK);
	second = 0;
	rig_turn(&stage.rig);
	CU_ASSERT_EQUAL(second, 0);
	for (int i = 0; i < INSTANCE_WATCHES; i++)
		CU_ASSERT_EQUAL(host->watch(host, ends[i][0], count, &first), CG_OK);
	CU_ASSERT_EQUAL(
		host->watch(host, ends[INSTANCE_WATCHES][0], count, &first), CG_LIMIT);
	instance_destroy(instance);
	rig_turn(&stage.rig);
	CU_ASSERT_EQUAL(first, 0);
	for (int i = 0; i <= INSTANCE_WATCHES; i++) {
		close(ends[i][0]);
		close(ends[i][1]);
	}
	stage_finish(&stage);
}

static void host_spools_attachments(void)
{
	char path[256], other[256], tiny[8];
	const struct cg_host *host;
	struct instance *instance;
	struct stage stage;
	struct stat info;
	int fd = -1;

	instance = begin(&stage, &host);
	CU_ASSERT_EQUAL_FATAL(
		host->spool_create(host, 10, &fd, path, sizeof(path), NULL), CG_OK);
	CU_ASSERT_EQUAL(fstat(fd, &info), 0);
	CU_ASSERT_EQUAL(info.st_mode & 0777, 0600);
	CU_ASSERT(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CU_ASSERT_EQUAL(
		strncmp(path, stage.rig.directory, strlen(stage.rig.directory)), 0);
	close(fd);
	CU_ASSERT_EQUAL(
		host->spool_create(host, 10, &fd, other, sizeof(other), NULL), CG_OK);
	CU_ASSERT_STRING_NOT_EQUAL(path, other);
	close(fd);
	unlink(path);
	unlink(other);
	CU_ASSERT_EQUAL(
		host->spool_create(host, 10, &fd, tiny, sizeof(tiny), NULL), CG_LIMIT);
	stage.services.spool_dir = "/nonexistent";
	CU_ASSERT_EQUAL(
		host->spool_create(host, 10, &fd, path, sizeof(path), NULL), CG_IO);
	instance_destroy(instance);
	stage_finish(&stage);
}

UNIT_SUITE(host, UNIT_TEST(host_tells_the_time), UNIT_TEST(host_timer_fires_once),
	UNIT_TEST(host_lets_a_provider_tidy_up), UNIT_TEST(host_outlives_work_that_runs),
	UNIT_TEST(host_takes_exchanges_back), UNIT_TEST(host_tells_of_an_exchange_once),
	UNIT_TEST(host_stores_messages), UNIT_TEST(host_keeps_checkpoints),
	UNIT_TEST(host_stores_what_was_submitted_before_the_end),
	UNIT_TEST(host_refuses_more_than_it_can_hold),
	UNIT_TEST(host_of_a_trial_stores_nothing), UNIT_TEST(host_watches_descriptors),
	UNIT_TEST(host_spools_attachments));
