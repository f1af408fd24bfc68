/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A day of a gateway in minutes: journal, delivery, conversation and plane as they are, over
 * platforms, a disk and a clock that are simulated.
 *
 *	soak-day MESSAGES SEED
 *
 * Four channels of different kinds take MESSAGES messages over 24 hours of the clock.  The
 * process is killed, the disk fills and fails, platforms answer late, wrongly or not at all.  In
 * the end each message must have been answered, or be a dead letter since both the answer and its
 * repeat ended without anyone knowing how; and no answer may stand twice in a chat without saying
 * that it may be a repeat.  The seed decides all of it: the same one gives the same day, and the
 * same fingerprint of what stood in the chats and when.
 */
#include "cloud-client/client.h"
#include "control-plane/interior.h"
#include "gateway/conversation/conversation.h"
#include "gateway/daemon/house.h"
#include "gateway/journal/inbox.h"
#include "tests/faults/fault_vfs.h"
#include "tests/support/virtual_loop.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <openssl/rand.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_MS INT64_C(86400000)
#define START_MS INT64_C(1700000000000)
#define GRACE_MS (2 * DAY_MS) /* after which nothing is waited for any longer */
#define CHANNELS 4
#define CHATS 7 /* of each channel */
#define MESSAGES_MAX 1000000
#define KILLS 60
#define FAULTS 40
#define FAULT_MS 60000
#define REPEAT_MS 5000 /* before a platform repeats what was not taken */

struct message {
	int64_t at_ms; /* when it is written, or repeated */
	unsigned arrived, labelled; /* answers to it */
	bool asked, stored;
	bool given_up; /* as a dead letter, which the operator is told of */
};

/* What lies at a simulated provider. */
struct send {
	LIST_ENTRY(send) link;
	struct loop_timer timer;
	struct loop_task burial;
	struct cg_outcome outcome;
	char receipt[32];
	cg_send_done done;
	cg_query_done answered; /* it is a question */
	bool arrived;
	void *arg;
};

static struct world {
	struct virtual_clock clock;
	uint64_t seed;
	uint64_t secrets; /* of the ids that are made, a chance of their own */
	uint64_t fingerprint;
	struct message *messages;
	size_t count, next, open; /* next to be written, written and not stored */
	int64_t repeat_ms; /* when the platforms try again what was not taken; 0: never */
	unsigned kills, faults, ambiguous, receipts;
	bool faulty;
	char directory[64], journal_path[96], plane_path[96];
	/* What dies with a kill. */
	struct loop *loop;
	struct offload *offload;
	struct journal *journal;
	struct plane *plane;
	struct cloud_transport transport;
	struct cloud_host host;
	struct cloud_client *client;
	struct outlet outlet;
	struct delivery *delivery;
	struct conversation *conversation;
	struct loop_timer event; /* stops the clock at what happens next out there */
	LIST_HEAD(, send) sends;
} world;

static const struct conversation_channel channels[CHANNELS] = {
	{.instance = "none", .kind = "telegram", .binding_id = "none"},
	{.instance = "key", .kind = "webhook", .binding_id = "key"},
	{.instance = "query", .kind = "slack", .binding_id = "query"},
	{.instance = "slow", .kind = "telegram", .binding_id = "slow"},
};

static void fail(const char *what)
{
	fprintf(stderr, "FAILED at %lld ms: %s\n",
		(long long)(world.clock.now_ms - START_MS), what);
	exit(1);
}

static void must(enum cg_status status, const struct cg_error *err)
{
	if (status != CG_OK)
		fail(err->text);
}

/* Chance and time. */

static uint64_t next_of(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static uint64_t draw(void)
{
	return next_of(&world.seed);
}

/* In place of OpenSSL's: ids decide the order of rows, so they are of the seed, too. */
int RAND_bytes(unsigned char *ret, int length)
{
	for (int i = 0; i < length; i++)
		ret[i] = (unsigned char)next_of(&world.secrets);
	return 1;
}

static uint64_t draw_below(uint64_t limit)
{
	return draw() % limit;
}

static uint64_t draw_for(void *arg)
{
	(void)arg;
	return draw();
}

/* The platforms, as delivery sees them. */

static enum cg_reconcile reconcile_of(const char *instance)
{
	return strcmp(instance, "key") == 0     ? CG_RECONCILE_IDEMPOTENCY_KEY
	       : strcmp(instance, "query") == 0 ? CG_RECONCILE_QUERY
						: CG_RECONCILE_NONE;
}

static enum cg_status outlet_capabilities(
	void *self, const char *instance, struct cg_capabilities *ret)
{
	(void)self;
	if (ret != NULL)
		*ret = (struct cg_capabilities){.size = sizeof(*ret),
			.text_unit = CG_UNIT_UTF16,
			.text_form = CG_FORM_PLAIN,
			.reconcile = reconcile_of(instance),
			.max_text = 4096,
			.inbound = true};
	return CG_OK;
}

static uint32_t outlet_measure(
	void *self, const char *instance, const char *text, size_t length)
{
	(void)self;
	(void)instance;
	return (uint32_t)cg_text_measure(text, length, CG_UNIT_UTF16);
}

static const struct cg_retry_schedule *outlet_schedule(
	void *self, const char *instance, int64_t *ret_lifetime_ms)
{
	(void)self;
	(void)instance;
	*ret_lifetime_ms = DAY_MS;
	return &cg_retry_chat;
}

/* The number of the message that a text answers, -1: it is the gateway's own words. */
static long answered_by(const char *text, bool *ret_labelled)
{
	const char *mark = text == NULL ? NULL : strstr(text, "m-");

	*ret_labelled = mark != text;
	return mark == NULL ? -1 : strtol(mark + 2, NULL, 10);
}

/* It stands in the chat; a receiver with keys drops twins. */
static void arrive(const char *instance, const char *text)
{
	bool labelled;
	long number = answered_by(text, &labelled);

	if (number < 0)
		return;
	if ((size_t)number >= world.count)
		fail("an answer to nothing");
	if (reconcile_of(instance) == CG_RECONCILE_IDEMPOTENCY_KEY &&
		world.messages[number].arrived > 0)
		return;
	world.fingerprint ^= (uint64_t)world.clock.now_ms << 20 ^ (uint64_t)number;
	next_of(&world.fingerprint);
	world.messages[number].arrived++;
	world.messages[number].labelled += labelled;
}

static void send_free(void *arg)
{
	struct send *send = arg;

	loop_timer_finish(&send->timer);
	free(send);
}

static void send_end(struct send *send)
{
	LIST_REMOVE(send, link);
	loop_timer_clear(&send->timer);
	loop_defer(world.loop, &send->burial);
	if (send->done != NULL)
		send->done(send->arg, &send->outcome);
	else
		send->answered(send->arg,
			send->arrived ? CG_QUERY_ARRIVED : CG_QUERY_ABSENT,
			send->arrived ? "found" : NULL);
}

static void send_due(void *arg)
{
	send_end(arg);
}

static struct send *send_new(void *arg, int64_t takes_ms)
{
	struct send *send = calloc(1, sizeof(*send));

	if (send == NULL ||
		loop_timer_init(&send->timer, world.loop, send_due, send) != CG_OK)
		fail("no memory");
	send->arg = arg;
	loop_task_init(&send->burial, send_free, send);
	LIST_INSERT_HEAD(&world.sends, send, link);
	loop_timer_set(&send->timer, takes_ms);
	return send;
}

static enum cg_status outlet_send(void *self, const char *instance,
	const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	uint64_t dice = draw_below(100);
	bool slow = strcmp(instance, "slow") == 0;
	struct send *send =
		send_new(arg, 20 + (int64_t)draw_below(slow && dice == 99 ? 60000 : 300));
	struct cg_outcome *outcome = &send->outcome;

	(void)self;
	send->done = done;
	*outcome = (struct cg_outcome){.size = sizeof(*outcome),
		.scope = CG_SCOPE_MESSAGE,
		.retry_after_ms = -1};
	if (outbound->kind != CG_OUTBOUND_TEXT) {
		outcome->class = CG_OUTCOME_REFUSED;
	} else if (dice < 4) {
		outcome->class = CG_OUTCOME_NOT_DISPATCHED;
	} else if (dice < 7) {
		outcome->class = CG_OUTCOME_RATE_LIMITED;
		outcome->retry_after_ms = 1000 + (int64_t)draw_below(30000);
		outcome->scope = CG_SCOPE_CHAT;
	} else if (dice < 12) {
		outcome->class = CG_OUTCOME_AMBIGUOUS;
		world.ambiguous++;
		if (dice < 9)
			arrive(instance, outbound->text);
	} else {
		outcome->class = CG_OUTCOME_SENT;
		snprintf(send->receipt, sizeof(send->receipt), "r-%u", ++world.receipts);
		outcome->message_id = send->receipt;
		arrive(instance, outbound->text);
	}
	return CG_OK;
}

static void outlet_cancel(void *self, const char *instance, void *arg)
{
	struct send *send;

	(void)self;
	(void)instance;
	LIST_FOREACH (send, &world.sends, link) {
		if (send->arg == arg)
			break;
	}
	if (send == NULL)
		return;
	send->outcome.class = CG_OUTCOME_AMBIGUOUS;
	send_end(send);
}

static enum cg_status outlet_query(void *self, const char *instance,
	const struct cg_outbound *outbound, cg_query_done done, void *arg)
{
	struct send *send;
	bool labelled;
	long number = answered_by(outbound->text, &labelled);

	(void)self;
	if (reconcile_of(instance) != CG_RECONCILE_QUERY)
		return CG_UNSUPPORTED;
	send = send_new(arg, 50);
	send->answered = done;
	send->arrived = number >= 0 && world.messages[number].arrived > 0;
	return CG_OK;
}

/* What the parts tell each other, as the daemon passes it on. */

static void no_fact(
	void *arg, enum conversation_fact fact, const char *instance, const char *detail)
{
	(void)arg;
	(void)instance;
	if (fact == CONVERSATION_EXPIRED || fact == CONVERSATION_REFUSED)
		fail(detail == NULL ? "a message was given up" : detail);
}

/* Only a repeat whose end is unknown too may be given up: a third copy would help nobody. */
static void on_report(void *arg, const struct delivery_report *report)
{
	bool labelled;
	long number = answered_by(report->row->source, &labelled);

	(void)arg;
	if (report->state != OUTBOX_DEAD || number < 0)
		return;
	if (report->reason == NULL || strcmp(report->reason, "ambiguous") != 0 ||
		reconcile_of(report->row->instance) != CG_RECONCILE_NONE)
		fail("an answer was given up");
	world.messages[number].given_up = true;
}

static void on_refused(void *arg, const char *instance, const char *detail)
{
	(void)arg;
	(void)instance;
	(void)detail;
}

static void on_started(
	void *arg, enum cg_status status, const struct outbox_recovery *recovery)
{
	(void)arg;
	(void)status;
	(void)recovery;
}

static void inbox_ready(void *arg)
{
	(void)arg;
	conversation_inbox_ready(world.conversation);
}

static void outbox_ready(void *arg)
{
	(void)arg;
	delivery_wake(world.delivery);
	conversation_outbox_ready(world.conversation);
}

static void store_state(void *arg, enum cg_status status, const struct cg_error *err)
{
	(void)arg;
	(void)err;
	if (status == CG_OK) {
		delivery_wake(world.delivery);
		conversation_inbox_ready(world.conversation);
	}
}

static void on_notice(
	void *arg, int level, const char *event, const char *key, const char *value)
{
	(void)arg;
	(void)level;
	(void)event;
	(void)key;
	(void)value;
}

/* Starting, and being killed. */

static enum cg_status open_plane(struct cg_error *err)
{
	static const char *const everyone[] = {"*"};
	struct plane_channel known[CHANNELS];
	const struct plane_options options = {.path = world.plane_path,
		.vfs = FAULT_VFS,
		.channels = known,
		.channel_count = CHANNELS,
		.agent = agent_find("echo"),
		.on_notice = on_notice};

	for (size_t i = 0; i < CHANNELS; i++)
		known[i] = (struct plane_channel){.binding_id = channels[i].binding_id,
			.provider = channels[i].instance,
			.allow_from = everyone,
			.allow_count = 1};
	return plane_create(world.loop, world.offload, NULL, &options, &world.plane, err);
}

static void open_way(struct cg_error *err)
{
	const struct cloud_client_options calling = {.transport = &world.transport,
		.host = &world.host,
		.claimed_by = "gateway:soak"};
	const struct delivery_options delivering = {.concurrency = 8,
		.window = 256,
		.send_timeout_ms = 15000,
		.random = draw_for,
		.report = on_report,
		.account_refused = on_refused};
	const struct conversation_options talking = {.channels = channels,
		.channel_count = CHANNELS,
		.product = "Cowgate",
		.random = draw_for,
		.fact = no_fact};
	const struct journal_hooks hooks = {.inbox_ready = inbox_ready,
		.outbox_ready = outbox_ready,
		.state = store_state};
	struct conversation_parts parts = {
		.loop = world.loop, .journal = world.journal, .outlet = &world.outlet};

	plane_link(world.plane, &world.transport);
	cloud_clock(world.loop, &world.host);
	must(cloud_client_create(&calling, &world.client, err), err);
	must(delivery_create(world.loop, world.journal, &world.outlet, &delivering,
		     &world.delivery, err),
		err);
	parts.delivery = world.delivery;
	parts.client = world.client;
	must(conversation_create(&parts, &talking, &world.conversation, err), err);
	journal_set_hooks(world.journal, &hooks);
	delivery_start(world.delivery, on_started, NULL);
	conversation_start(world.conversation, NULL, NULL);
	journal_start_retention(world.journal);
}

static void no_event(void *arg)
{
	(void)arg; /* live() looks what it is */
}

static void start(void)
{
	const struct journal_options options = {
		.path = world.journal_path, .vfs = FAULT_VFS};
	struct cg_error err = {.text = ""};

	must(loop_create(&world.clock.clock, &world.loop, &err), &err);
	must(loop_timer_init(&world.event, world.loop, no_event, NULL), &err);
	must(offload_create(world.loop, &world.offload, &err), &err);
	must(journal_open(world.loop, world.offload, &options, &world.journal, &err),
		&err);
	must(open_plane(&err), &err);
	open_way(&err);
}

/* What is left of the process goes; nothing of it reaches the disk. */
static void end(void)
{
	struct send *send;

	offload_destroy(world.offload);
	journal_close(world.journal);
	conversation_destroy(world.conversation);
	delivery_destroy(world.delivery);
	while ((send = LIST_FIRST(&world.sends)) != NULL) {
		LIST_REMOVE(send, link);
		send_free(send);
	}
	cloud_client_destroy(world.client);
	plane_destroy(world.plane);
	loop_timer_finish(&world.event);
	loop_turn(world.loop);
	loop_destroy(world.loop);
}

static void kill_and_start(void)
{
	fault_vfs_power_off();
	end();
	if (fault_vfs_lose(draw_below(2) == 0 ? FAULT_LOSE : FAULT_TEAR, draw()) != 0)
		fail("the disk cannot be put back");
	world.faulty = false;
	/* Whom nobody answered, repeats. */
	for (size_t i = 0; i < world.next; i++)
		world.messages[i].asked = world.messages[i].stored;
	world.repeat_ms = world.open > 0 ? world.clock.now_ms + REPEAT_MS : 0;
	world.kills++;
	start();
}

/* The people. */

static void stored(void *arg, enum cg_verdict verdict)
{
	struct message *message = arg;

	if (verdict == CG_VERDICT_COMMITTED || verdict == CG_VERDICT_DUPLICATE) {
		message->stored = true;
		world.open--;
	} else {
		message->asked = false;
		world.repeat_ms = world.clock.now_ms + REPEAT_MS;
	}
}

static void submit(size_t number)
{
	char id[32], text[32], chat[16], user[24];
	const struct conversation_channel *channel = &channels[number % CHANNELS];
	const struct cg_inbound inbound = {.size = sizeof(inbound),
		.type = CG_EVENT_MESSAGE,
		.event_id = id,
		.target = {.chat_id = chat, .user_id = user, .is_direct = true},
		.sender = {.user_id = user},
		.text = text};

	snprintf(id, sizeof(id), "e-%zu", number);
	snprintf(text, sizeof(text), "m-%zu", number);
	snprintf(chat, sizeof(chat), "c-%zu", number / CHANNELS % CHATS);
	snprintf(user, sizeof(user), "u-%zu", number / CHANNELS % CHATS);
	world.messages[number].asked = true;
	inbox_store(world.journal, channel->instance, &inbound, world.clock.now_ms,
		stored, &world.messages[number]);
}

static void write_messages(void)
{
	while (world.next < world.count &&
		world.messages[world.next].at_ms <= world.clock.now_ms) {
		world.open++;
		submit(world.next++);
	}
	if (world.repeat_ms == 0 || world.repeat_ms > world.clock.now_ms)
		return;
	world.repeat_ms = 0;
	for (size_t i = 0; i < world.next && world.open > 0; i++) {
		if (!world.messages[i].asked)
			submit(i);
	}
}

/* Time. */

/* The writers of databases work on the loop, too. */
static bool is_busy(void *arg)
{
	(void)arg;
	return false;
}

static bool is_all_answered(void)
{
	struct journal_figures figures;

	journal_figures(world.journal, &figures);
	return world.next == world.count && world.open == 0 &&
	       figures.inbox_pending == 0 && figures.outbox_pending == 0 &&
	       plane_active_turns(world.plane) == 0;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return b > 0 && b < a ? b : a;
}

/* The disk fills or fails for a while, or is well again. */
static void turn_disk(void)
{
	world.faulty = !world.faulty;
	if (world.faulty)
		world.faults++;
	if (!world.faulty) {
		fault_vfs_fail_writes(SQLITE_OK, NULL, 0);
		fault_vfs_fail_syncs(SQLITE_OK, NULL);
	} else if (draw_below(2) == 0) {
		fault_vfs_fail_writes(SQLITE_FULL, NULL, (unsigned)draw_below(8));
	} else {
		fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	}
}

/* When the next thing happens out there. */
static int64_t next_event(int64_t kill_ms, int64_t disk_ms)
{
	int64_t next = earlier(earlier(INT64_MAX, kill_ms), disk_ms);

	next = earlier(next, world.repeat_ms);
	if (world.next < world.count)
		next = earlier(next, world.messages[world.next].at_ms);
	return next;
}

static void live(void)
{
	int64_t end_ms = START_MS + DAY_MS;
	int64_t kill_ms = START_MS + (int64_t)draw_below(2 * DAY_MS / KILLS);
	int64_t disk_ms = START_MS + (int64_t)draw_below(2 * DAY_MS / FAULTS);

	while (world.clock.now_ms < end_ms || world.faulty || !is_all_answered()) {
		int64_t now = world.clock.now_ms, next;

		if (now > end_ms + GRACE_MS)
			fail("messages are not answered, and nothing happens any more");
		write_messages();
		if (disk_ms > 0 && now >= disk_ms) {
			turn_disk();
			disk_ms = world.faulty ? now + FAULT_MS
					       : now + 1 +
							 (int64_t)draw_below(
								 2 * DAY_MS / FAULTS);
			if (!world.faulty && disk_ms >= end_ms)
				disk_ms = 0;
		}
		if (kill_ms > 0 && now >= kill_ms) {
			/* In the middle of something: a few turns, and no more. */
			for (uint64_t turns = draw_below(6); turns > 0; turns--)
				loop_turn(world.loop);
			kill_and_start();
			kill_ms = now + 1 + (int64_t)draw_below(2 * DAY_MS / KILLS);
			if (kill_ms >= end_ms)
				kill_ms = 0;
		}
		next = next_event(kill_ms, disk_ms);
		if (next < INT64_MAX)
			loop_timer_set(&world.event, next > now ? next - now : 0);
		if (!virtual_loop_step(world.loop, &world.clock, is_busy, NULL))
			fail("nothing will ever happen any more");
	}
}

static int judge(uint64_t seed)
{
	size_t lost = 0, doubled = 0, labelled = 0, given_up = 0;

	for (size_t i = 0; i < world.count; i++) {
		const struct message *message = &world.messages[i];

		labelled += message->labelled;
		given_up += message->given_up;
		if (message->arrived == 0 && !message->given_up) {
			lost++;
			fprintf(stderr, "lost: m-%zu on %s\n", i,
				channels[i % CHANNELS].instance);
		} else if (message->arrived - message->labelled > 1) {
			doubled++;
			fprintf(stderr, "twice, and it does not say so: m-%zu on %s\n", i,
				channels[i % CHANNELS].instance);
		}
	}
	printf("seed %llu: %zu messages in %.1f simulated hours, %u kills, %u faults of "
	       "the disk, %u sends of unknown end; %zu lost, %zu doubled, %zu labelled, "
	       "%zu given up and told; fingerprint %016llx\n",
		(unsigned long long)seed, world.count,
		(double)(world.clock.now_ms - START_MS) / 3600000, world.kills,
		world.faults, world.ambiguous, lost, doubled, labelled, given_up,
		(unsigned long long)world.fingerprint);
	return lost + doubled == 0 ? 0 : 1;
}

static void make_world(size_t count, uint64_t seed)
{
	const char *place = getenv("TMPDIR");

	virtual_clock_init(&world.clock, START_MS);
	world.seed = seed;
	world.secrets = ~seed;
	world.count = count;
	world.outlet = (struct outlet){.capabilities = outlet_capabilities,
		.measure = outlet_measure,
		.schedule = outlet_schedule,
		.send = outlet_send,
		.cancel = outlet_cancel,
		.query = outlet_query};
	LIST_INIT(&world.sends);
	snprintf(world.directory, sizeof(world.directory), "%.32s/cowgate-soak-XXXXXX",
		place == NULL ? "/tmp" : place);
	world.messages = calloc(count, sizeof(*world.messages));
	if (world.messages == NULL || mkdtemp(world.directory) == NULL)
		fail("there is no place to work in");
	snprintf(world.journal_path, sizeof(world.journal_path), "%s/journal.db",
		world.directory);
	snprintf(world.plane_path, sizeof(world.plane_path), "%s/plane.db",
		world.directory);
	for (size_t i = 0; i < count; i++)
		world.messages[i].at_ms =
			START_MS + (int64_t)((uint64_t)i * DAY_MS / count);
}

static void remove_world(void)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal", ".lock"};
	char path[128];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", world.journal_path, ends[i]);
		unlink(path);
		snprintf(path, sizeof(path), "%s%s", world.plane_path, ends[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s.files", world.plane_path);
	rmdir(path);
	rmdir(world.directory);
	free(world.messages);
}

int main(int argc, char **argv)
{
	int64_t count, seed;
	int code;

	if (argc != 3 || !cg_parse_int(argv[1], &count) ||
		!cg_parse_int(argv[2], &seed) || count < 1 || count > MESSAGES_MAX) {
		fprintf(stderr, "usage: soak-day MESSAGES SEED\n");
		return 2;
	}
	fault_vfs_install();
	make_world((size_t)count, (uint64_t)seed);
	start();
	live();
	code = judge((uint64_t)seed);
	end();
	remove_world();
	return code;
}
