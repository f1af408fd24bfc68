/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/host_fake_private.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/text.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct host_fake *host_fake_of(const struct cg_host *host)
{
	union {
		const struct cg_host *host;
		struct host_fake *fake;
	} pun = {.host = host};

	return pun.fake;
}

void *host_fake_must(void *pointer)
{
	if (pointer == NULL)
		abort();
	return pointer;
}

void host_fake_copy(char *ret, size_t size, const char *text)
{
	cg_text_copy(ret, size, text == NULL ? "" : text);
}

static int64_t host_wall(const struct cg_host *host)
{
	return host_fake_of(host)->wall_ms;
}

static int64_t host_mono(const struct cg_host *host)
{
	return host_fake_of(host)->mono_ms;
}

static bool host_sane(const struct cg_host *host)
{
	return !host_fake_of(host)->clock_unset;
}

static struct cg_timer *host_timer_start(
	const struct cg_host *host, int64_t delay_ms, cg_callback fire, void *arg)
{
	struct host_fake *fake = host_fake_of(host);
	struct cg_timer *timer = &fake->timers[fake->timer_count++ % HOST_FAKE_SLOTS];

	CU_ASSERT_FALSE(timer->open);
	CU_ASSERT_TRUE(delay_ms >= 0);
	*timer = (struct cg_timer){.open = true,
		.at_ms = fake->mono_ms + delay_ms,
		.fire = fire,
		.arg = arg};
	return timer;
}

static void host_timer_cancel(const struct cg_host *host, struct cg_timer *timer)
{
	(void)host;
	if (timer == NULL)
		return;
	CU_ASSERT_TRUE(timer->open); /* a fired timer is gone */
	timer->open = false;
}

static enum cg_status host_offload(
	const struct cg_host *host, cg_callback work, cg_callback done, void *arg)
{
	work(arg);
	return host_timer_start(host, 0, done, arg) == NULL ? CG_NOMEM : CG_OK;
}

static void host_log(
	const struct cg_host *host, enum cg_log_level level, const char *text)
{
	(void)level;
	host_fake_of(host)->log_count++;
	CU_ASSERT_FALSE(settings_fake_leaks(&host_fake_of(host)->settings, text));
}

static void host_health(const struct cg_host *host, const struct cg_health *health)
{
	struct host_fake *fake = host_fake_of(host);

	fake->health = *health;
	fake->health_count++;
	COPY(fake->health_detail, health->detail);
	CU_ASSERT_FALSE(settings_fake_leaks(&fake->settings, health->detail));
}

static void host_random(const struct cg_host *host, void *bytes, size_t length)
{
	(void)host;
	memset(bytes, 7, length);
}

static enum cg_status host_spool(const struct cg_host *host, uint64_t limit, int *ret_fd,
	char *ret_path, size_t path_size, struct cg_error *err)
{
	struct host_fake *fake = host_fake_of(host);
	char path[128];

	(void)limit, (void)err;
	if (fake->refuse_spool)
		return CG_FULL;
	if (fake->spool[0] == '\0') {
		COPY(fake->spool, "/tmp/cowgate-host-XXXXXX");
		host_fake_must(mkdtemp(fake->spool));
	}
	snprintf(path, sizeof(path), "%s/file-XXXXXX", fake->spool);
	*ret_fd = mkstemp(path);
	host_fake_copy(ret_path, path_size, path);
	return *ret_fd < 0 ? CG_IO : CG_OK;
}

static enum cg_status host_watch(
	const struct cg_host *host, int fd, cg_callback ready, void *arg)
{
	struct host_fake *fake = host_fake_of(host);

	fake->watched_fd = ready == NULL ? -1 : fd;
	fake->watched = ready;
	fake->watched_arg = arg;
	return CG_OK;
}

static void host_quit(const struct cg_host *host)
{
	host_fake_of(host)->quit_count++;
}

struct host_fake *host_fake_create(const char *kind, const struct cg_option *options,
	size_t option_count, const struct settings_pair *pairs)
{
	struct host_fake *fake = host_fake_must(calloc(1, sizeof(*fake)));

	settings_fake_init(&fake->settings, kind, options, option_count, pairs);
	fake->mono_ms = 1000;
	fake->wall_ms = INT64_C(1700000000000);
	fake->watched_fd = -1;
	fake->host = (struct cg_host){.size = sizeof(struct cg_host),
		.abi = CG_PLUGIN_ABI,
		.instance_id = kind,
		.wall_ms = host_wall,
		.mono_ms = host_mono,
		.clock_sane = host_sane,
		.timer_start = host_timer_start,
		.timer_cancel = host_timer_cancel,
		.offload = host_offload,
		.http_start = host_fake_http_start,
		.http_cancel = host_fake_http_cancel,
		.log = host_log,
		.submit = host_fake_submit,
		.checkpoint = host_fake_checkpoint,
		.checkpoint_load = host_fake_checkpoint_load,
		.health = host_health,
		.random = host_random,
		.spool_create = host_spool,
		.watch = host_watch,
		.quit = host_quit};
	return fake;
}

static void remove_spool(struct host_fake *fake)
{
	struct dirent *entry;
	DIR *directory;

	if (fake->spool[0] == '\0')
		return;
	directory = host_fake_must(opendir(fake->spool));
	while ((entry = readdir(directory)) != NULL)
		unlinkat(dirfd(directory), entry->d_name, 0);
	closedir(directory);
	rmdir(fake->spool);
}

void host_fake_take_back(struct host_fake *fake)
{
	for (size_t i = 0; i < HOST_FAKE_SLOTS; i++) {
		fake->timers[i].open = false;
		fake->calls[i].open = false;
	}
}

void host_fake_destroy(struct host_fake *fake)
{
	if (fake == NULL)
		return;
	for (size_t i = 0; i < HOST_FAKE_SLOTS; i++)
		free(fake->calls[i].body);
	remove_spool(fake);
	free(fake);
}

static struct cg_timer *first_due(struct host_fake *fake, int64_t until_ms)
{
	struct cg_timer *first = NULL;

	for (size_t i = 0; i < HOST_FAKE_SLOTS; i++) {
		struct cg_timer *timer = &fake->timers[i];

		if (timer->open && timer->at_ms <= until_ms &&
			(first == NULL || timer->at_ms < first->at_ms))
			first = timer;
	}
	return first;
}

void host_fake_pass(struct host_fake *fake, int64_t ms)
{
	int64_t until_ms = fake->mono_ms + ms;
	struct cg_timer *timer;

	while ((timer = first_due(fake, until_ms)) != NULL) {
		fake->wall_ms += timer->at_ms - fake->mono_ms;
		fake->mono_ms = timer->at_ms;
		timer->open = false;
		timer->fire(timer->arg);
	}
	fake->wall_ms += until_ms - fake->mono_ms;
	fake->mono_ms = until_ms;
}

void host_fake_sent_done(void *arg, const struct cg_outcome *outcome)
{
	struct host_fake_sent *sent = arg;

	sent->count++;
	sent->inside = sent->host->sending;
	sent->outcome = *outcome;
	CU_ASSERT_EQUAL(outcome->size, sizeof(*outcome));
	CU_ASSERT_FALSE(settings_fake_leaks(&sent->host->settings, outcome->detail));
	COPY(sent->message_id, outcome->message_id);
	COPY(sent->detail, outcome->detail);
	CU_ASSERT_TRUE(outcome->detail == NULL || strlen(outcome->detail) <= 4096);
}

struct cg_outbound host_fake_text(const char *text)
{
	return (struct cg_outbound){.size = sizeof(struct cg_outbound),
		.kind = CG_OUTBOUND_TEXT,
		.delivery_id = "delivery-1",
		.target = {.chat_id = "1", .user_id = "2", .is_direct = true},
		.source = text,
		.source_length = strlen(text),
		.text = text,
		.text_length = strlen(text),
		.attempt = 1,
		.timeout_ms = 20000};
}
