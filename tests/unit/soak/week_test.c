/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A week of a gateway and its Cloud, by a virtual clock: conversation, journal, delivery and
 * client as the daemon has them, on a network that is not to be trusted.
 */
#include "control-plane/interior.h"
#include "gateway/conversation/claimed.h"
#include "gateway/daemon/house.h"
#include "gateway/journal/inbox.h"
#include "tests/support/virtual_loop.h"
#include "tests/unit/soak/sky.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define WEEK_MS (7 * DAY_MS)
#define WEEK_BEGIN INT64_C(1800000000000)
#define CHATS 8
#define STREAMS 6 /* fewer than chats: they take turns */
#define SILENCE_MS (96 * MINUTE_MS) /* at most, between two messages of a chat */
#define AWAY_FROM (3 * DAY_MS + 10 * HOUR_MS)
#define AWAY_MS (6 * HOUR_MS)
#define RESTART_AT (4 * HOUR_MS) /* of the day */
#define RESTART_MS (90 * 1000)
#define SHOWN 2048 /* texts of one chat */
#define SHOWN_TEXT 256

enum {
	NOTICES = CHATS,
	PLACES
}; /* where the Cloud's own deliveries go, after the chats */

struct place {
	struct week *week;
	char name[16];
	struct loop_timer speaks;
	unsigned said;
	struct {
		char id[16], text[SHOWN_TEXT];
	} * shown; /* what is to be read there, edits made */
	unsigned count;
};

struct sending {
	LIST_ENTRY(sending) link;
	struct loop_timer timer;
	cg_send_done done;
	void *arg;
	char id[16];
};

struct week {
	struct virtual_clock clock;
	struct loop *loop;
	struct sky sky;
	struct plane *plane;
	struct offload *offload;
	struct journal *journal;
	struct delivery *delivery;
	struct conversation *conversation;
	struct claimed *claimed;
	struct cloud_host host;
	struct cloud_client *client;
	struct cloud_transport transport;
	struct outlet outlet;
	struct conversation_channel channel;
	char directory[64];
	struct loop_timer news; /* what comes next in the day */
	struct place places[PLACES];
	LIST_HEAD(, sending) sendings;
	unsigned messages, waits, restarts, deaths;
	bool over;
};

static uint64_t chance(void *arg)
{
	return sky_chance(&((struct week *)arg)->sky, UINT64_C(1) << 31);
}

/* The client's, whose host knows only the loop. */
static struct sky chances;

static uint64_t client_chance(void *loop)
{
	(void)loop;
	return sky_chance(&chances, UINT64_C(1) << 31);
}

static int64_t elapsed(const struct week *week)
{
	return week->clock.now_ms - WEEK_BEGIN;
}

static const char *path_of(const struct week *week, const char *name)
{
	static char path[96];

	snprintf(path, sizeof(path), "%s/%s", week->directory, name);
	return path;
}

/* The platform. */

static enum cg_status can(void *self, const char *instance, struct cg_capabilities *ret)
{
	(void)self;
	(void)instance;
	if (ret != NULL)
		*ret = (struct cg_capabilities){.size = sizeof(*ret),
			.text_unit = CG_UNIT_UTF16,
			.max_text = 4096,
			.edit = true,
			.typing = true};
	return CG_OK;
}

static uint32_t measure(void *self, const char *instance, const char *text, size_t length)
{
	(void)self;
	(void)instance;
	return (uint32_t)cg_text_measure(text, length, CG_UNIT_UTF16);
}

static const struct cg_retry_schedule *schedule(
	void *self, const char *instance, int64_t *ret_lifetime_ms)
{
	(void)self;
	(void)instance;
	*ret_lifetime_ms = DAY_MS;
	return &cg_retry_chat;
}

static struct place *place_of(struct week *week, const char *name)
{
	for (size_t i = 0; i < PLACES; i++) {
		if (strcmp(week->places[i].name, name) == 0)
			return &week->places[i];
	}
	CU_FAIL_FATAL("a chat that nobody has");
	return NULL;
}

static void send_ended(void *arg)
{
	struct sending *sending = arg;
	const struct cg_outcome outcome = {.size = sizeof(outcome),
		.class = CG_OUTCOME_SENT,
		.message_id = sending->id,
		.retry_after_ms = -1};
	const cg_send_done done = sending->done;
	void *const whom = sending->arg;
	char id[16];

	cg_text_copy(id, sizeof(id), sending->id);
	LIST_REMOVE(sending, link);
	loop_timer_finish(&sending->timer);
	done(whom, &outcome);
	free(sending);
}

/* It is there at once, and said so a little later. */
static void show(struct place *place, const struct cg_outbound *outbound, char id[16])
{
	unsigned at = place->count;

	if (outbound->kind == CG_OUTBOUND_EDIT) {
		for (at = 0;
			at < place->count &&
			strcmp(place->shown[at].id, outbound->target.message_id) != 0;)
			at++;
		CU_ASSERT_FATAL(at < place->count);
	} else {
		CU_ASSERT_FATAL(place->count < SHOWN);
		snprintf(place->shown[at].id, sizeof(place->shown[at].id), "m%u", at);
		place->count++;
	}
	cg_text_copy(place->shown[at].text, SHOWN_TEXT, outbound->text);
	cg_text_copy(id, 16, place->shown[at].id);
}

static enum cg_status take(void *self, const char *instance,
	const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	struct week *week = self;
	struct sending *sending = calloc(1, sizeof(*sending));

	(void)instance;
	CU_ASSERT_PTR_NOT_NULL_FATAL(sending);
	if (outbound->kind == CG_OUTBOUND_TEXT || outbound->kind == CG_OUTBOUND_EDIT)
		show(place_of(week, outbound->target.chat_id), outbound, sending->id);
	sending->done = done;
	sending->arg = arg;
	CU_ASSERT_EQUAL_FATAL(
		loop_timer_init(&sending->timer, week->loop, send_ended, sending), CG_OK);
	loop_timer_set(&sending->timer, 20 + (int64_t)sky_chance(&week->sky, 400));
	LIST_INSERT_HEAD(&week->sendings, sending, link);
	return CG_OK;
}

static void take_back(void *self, const char *instance, void *arg)
{
	const struct cg_outcome outcome = {.size = sizeof(outcome),
		.class = CG_OUTCOME_AMBIGUOUS,
		.retry_after_ms = -1};
	struct week *week = self;
	struct sending *sending;

	(void)instance;
	LIST_FOREACH (sending, &week->sendings, link) {
		if (sending->arg == arg)
			break;
	}
	if (sending == NULL)
		return;
	LIST_REMOVE(sending, link);
	loop_timer_finish(&sending->timer);
	sending->done(sending->arg, &outcome);
	free(sending);
}

static enum cg_status query(void *self, const char *instance,
	const struct cg_outbound *outbound, cg_query_done done, void *arg)
{
	(void)self;
	(void)instance;
	(void)outbound;
	(void)done;
	(void)arg;
	return CG_UNSUPPORTED;
}

/* The gateway. */

static void on_fact(
	void *arg, enum conversation_fact fact, const char *instance, const char *detail)
{
	struct week *week = arg;

	(void)instance;
	week->deaths += fact == CONVERSATION_EXPIRED;
	if (fact == CONVERSATION_REFUSED || fact == CONVERSATION_STRANGER ||
		fact == CONVERSATION_TOKEN_REFUSED) {
		fprintf(stderr, "refused: %s\n", detail == NULL ? "" : detail);
		CU_FAIL("nobody is refused");
	}
}

static void on_claim(void *arg, enum claimed_fact fact, const char *detail)
{
	(void)arg;
	(void)detail;
	CU_ASSERT(fact != CLAIMED_FOREIGN && fact != CLAIMED_REFUSED &&
		  fact != CLAIMED_UNSENDABLE);
}

static void on_report(void *arg, const struct delivery_report *report)
{
	struct week *week = arg;

	week->deaths += report->state == OUTBOX_DEAD;
	if (report->row->claim != NULL && report->state != OUTBOX_SENDING)
		claimed_look(week->claimed);
}

static void account_refused(void *arg, const char *instance, const char *detail)
{
	(void)arg;
	(void)instance;
	(void)detail;
	CU_FAIL("no account is refused");
}

static void inbox_ready(void *arg)
{
	conversation_inbox_ready(((struct week *)arg)->conversation);
}

static void outbox_ready(void *arg)
{
	struct week *week = arg;

	delivery_wake(week->delivery);
	conversation_outbox_ready(week->conversation);
	claimed_room(week->claimed);
}

static void store_state(void *arg, enum cg_status status, const struct cg_error *err)
{
	(void)arg;
	(void)err;
	CU_ASSERT_EQUAL(status, CG_OK);
}

static void delivery_started(
	void *arg, enum cg_status status, const struct outbox_recovery *recovery)
{
	(void)arg;
	(void)recovery;
	CU_ASSERT_EQUAL(status, CG_OK);
}

static void open_way(struct week *week)
{
	const struct delivery_options delivering = {.concurrency = 8,
		.window = 64,
		.send_timeout_ms = 10000,
		.random = chance,
		.report = on_report,
		.account_refused = account_refused,
		.arg = week};
	const struct conversation_options talking = {.channels = &week->channel,
		.channel_count = 1,
		.mirror = true,
		.streams = STREAMS,
		.product = "Cowgate",
		.random = chance,
		.fact = on_fact,
		.arg = week};
	const struct claimed_options claiming = {.channels = &week->channel,
		.channel_count = 1,
		.send_ms = 17000,
		.random = chance,
		.fact = on_claim,
		.arg = week};
	struct conversation_parts parts = {.loop = week->loop,
		.journal = week->journal,
		.outlet = &week->outlet,
		.client = week->client};

	CU_ASSERT_EQUAL_FATAL(delivery_create(week->loop, week->journal, &week->outlet,
				      &delivering, &week->delivery, NULL),
		CG_OK);
	parts.delivery = week->delivery;
	CU_ASSERT_EQUAL_FATAL(
		conversation_create(&parts, &talking, &week->conversation, NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(
		claimed_create(&parts, &claiming, &week->claimed, NULL), CG_OK);
}

static void open_gateway(struct week *week)
{
	const struct journal_options keeping = {.path = path_of(week, "journal.db")};
	const struct journal_hooks hooks = {
		inbox_ready, outbox_ready, store_state, week, NULL};
	const struct cloud_client_options options = {.transport = &week->transport,
		.host = &week->host,
		.claimed_by = "gateway:week"};

	CU_ASSERT_EQUAL_FATAL(offload_create(week->loop, &week->offload, NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(
		journal_open(week->loop, week->offload, &keeping, &week->journal, NULL),
		CG_OK);
	CU_ASSERT_EQUAL_FATAL(cloud_client_create(&options, &week->client, NULL), CG_OK);
	open_way(week);
	journal_set_hooks(week->journal, &hooks);
	delivery_start(week->delivery, delivery_started, week);
	conversation_start(week->conversation, NULL, NULL);
	claimed_start(week->claimed);
	journal_start_retention(week->journal);
}

/* As the daemon does it. */
static void close_gateway(struct week *week)
{
	offload_destroy(week->offload);
	journal_close(week->journal);
	claimed_destroy(week->claimed);
	conversation_destroy(week->conversation);
	delivery_destroy(week->delivery);
	cloud_client_destroy(week->client);
	loop_turn(week->loop);
	week->journal = NULL;
}

/* The Cloud. */

static void noticed(
	void *arg, int level, const char *event, const char *key, const char *value)
{
	(void)arg;
	(void)level;
	(void)event;
	(void)key;
	(void)value;
}

static void open_cloud(struct week *week)
{
	static const char *const everyone[] = {"*"};
	const struct plane_channel channel = {.binding_id = "channel-1",
		.provider = "telegram",
		.display_name = "Telegram",
		.allow_from = everyone,
		.allow_count = 1};
	const struct plane_options options = {.path = path_of(week, "plane.db"),
		.channels = &channel,
		.channel_count = 1,
		.agent = &agent_echo,
		.on_notice = noticed,
		.arg = week};

	CU_ASSERT_EQUAL_FATAL(
		plane_create(week->loop, NULL, NULL, &options, &week->plane, NULL),
		CG_OK);
	plane_link(week->plane, &week->sky.inner);
}

static void close_cloud(struct week *week)
{
	sky_cut(&week->sky);
	week->sky.inner.self = NULL;
	plane_destroy(week->plane);
	week->plane = NULL;
}

static void posted(void *arg, const struct plane_reply *reply)
{
	(void)arg;
	CU_ASSERT(reply->status == 200 || reply->status == 201);
}

/* The Cloud has something to send of its own. */
static void post_notice(struct week *week)
{
	struct plane_request request = {.method = "POST",
		.path = "/api/channels/deliveries",
		.principal = {.kind = PLANE_OPERATOR, .name = "test"}};
	struct place *place = &week->places[NOTICES];
	struct plane_exchange *exchange;
	char body[512];

	snprintf(body, sizeof(body),
		"{\"channelBindingId\":\"channel-1\",\"agentId\":\"agent\",\"provider\":"
		"\"telegram\",\"target\":{\"externalChatId\":\"%s\"},\"eventType\":"
		"\"notice\",\"payload\":{\"text\":\"%s says "
		"%u\"},\"deliveryId\":\"n%u\"}",
		place->name, place->name, place->said, place->said);
	place->said++;
	CU_ASSERT_EQUAL_FATAL(
		cg_json_parse(body, strlen(body), &request.body, NULL), CG_OK);
	CU_ASSERT_EQUAL(
		plane_call(week->plane, &request, posted, week, &exchange, NULL), CG_OK);
	cg_json_free(request.body);
}

/* What happens on the hour, and when the Cloud comes back. */
static void on_news(void *arg)
{
	struct week *week = arg;
	int64_t now = elapsed(week), hour;

	if (week->plane == NULL) {
		open_cloud(week);
		week->restarts++;
	} else if (now % DAY_MS == RESTART_AT && !week->over) {
		close_cloud(week);
		loop_timer_set(&week->news, RESTART_MS);
		return;
	}
	if (now == AWAY_FROM || now == AWAY_FROM + AWAY_MS) {
		week->sky.away = now == AWAY_FROM;
		sky_cut(&week->sky);
	}
	if (now % DAY_MS == 5 * HOUR_MS && !week->over)
		post_notice(week);
	hour = now - now % HOUR_MS + HOUR_MS;
	loop_timer_set(&week->news, hour - now);
}

/* The people. */

static void accepted(void *arg, enum cg_verdict verdict)
{
	(void)arg;
	CU_ASSERT_EQUAL(verdict, CG_VERDICT_COMMITTED);
}

static void speak(void *arg)
{
	struct place *place = arg;
	struct week *week = place->week;
	char text[64], id[64];
	const struct cg_inbound inbound = {.size = sizeof(inbound),
		.type = CG_EVENT_MESSAGE,
		.event_id = id,
		.target = {.chat_id = place->name},
		.sender = {.user_id = place->name},
		.text = text,
		.raw = text,
		.raw_length = (size_t)snprintf(
			text, sizeof(text), "%s says %u", place->name, place->said)};

	if (week->over)
		return;
	snprintf(id, sizeof(id), "%s-%u", place->name, place->said++);
	inbox_store(
		week->journal, "telegram", &inbound, week->clock.now_ms, accepted, week);
	week->messages++;
	/* Now and then several in a row, else after a while. */
	loop_timer_set(
		&place->speaks, sky_chance(&week->sky, 4) == 0
					? 1000
					: (int64_t)sky_chance(&week->sky, SILENCE_MS));
}

/* The week. */

static bool busy(void *arg)
{
	const struct week *week = arg;

	return journal_pending(week->journal) > 0 ||
	       (week->plane != NULL && database_pending(week->plane->database) > 0);
}

static void begin(struct week *week)
{
	memset(week, 0, sizeof(*week));
	snprintf(week->directory, sizeof(week->directory), "/tmp/cowgate-week-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(week->directory));
	virtual_clock_init(&week->clock, WEEK_BEGIN);
	CU_ASSERT_EQUAL_FATAL(loop_create(&week->clock.clock, &week->loop, NULL), CG_OK);
	sky_init(&week->sky, week->loop, &week->transport);
	cloud_clock(week->loop, &week->host);
	week->host.random = client_chance;
	week->channel = (struct conversation_channel){
		.instance = "telegram", .kind = "telegram", .binding_id = "channel-1"};
	week->outlet = (struct outlet){.self = week,
		.capabilities = can,
		.measure = measure,
		.schedule = schedule,
		.send = take,
		.cancel = take_back,
		.query = query};
	LIST_INIT(&week->sendings);
	loop_timer_init(&week->news, week->loop, on_news, week);
	loop_timer_set(&week->news, HOUR_MS);
	for (unsigned i = 0; i < PLACES; i++) {
		struct place *place = &week->places[i];

		place->week = week;
		snprintf(place->name, sizeof(place->name), "chat %u", i);
		place->shown = calloc(SHOWN, sizeof(*place->shown));
		CU_ASSERT_PTR_NOT_NULL_FATAL(place->shown);
		loop_timer_init(&place->speaks, week->loop, speak, place);
		if (i < CHATS)
			loop_timer_set(&place->speaks,
				(int64_t)sky_chance(&week->sky, SILENCE_MS));
	}
	open_cloud(week);
	open_gateway(week);
}

static void remove_files(struct week *week)
{
	static const char *const names[] = {"journal.db", "journal.db-wal",
		"journal.db-shm", "journal.db.lock", "plane.db", "plane.db-wal",
		"plane.db-shm", "plane.db.lock"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(path_of(week, names[i]));
	rmdir(path_of(week, "plane.db.files"));
	CU_ASSERT_EQUAL(rmdir(week->directory), 0);
}

static void finish(struct week *week)
{
	close_gateway(week);
	close_cloud(week);
	CU_ASSERT(LIST_EMPTY(&week->sky.exchanges));
	loop_timer_finish(&week->news);
	for (size_t i = 0; i < PLACES; i++) {
		loop_timer_finish(&week->places[i].speaks);
		free(week->places[i].shown);
	}
	while (!LIST_EMPTY(&week->sendings)) {
		struct sending *sending = LIST_FIRST(&week->sendings);

		LIST_REMOVE(sending, link);
		loop_timer_finish(&sending->timer);
		free(sending);
	}
	loop_turn(week->loop);
	loop_destroy(week->loop);
	remove_files(week);
}

/* Once each, in order, and between them nothing but that some wait. */
static void check_place(struct week *week, const struct place *place)
{
	static const char wait[] = "Your message is safe.";
	char expected[64];
	unsigned next = 0;

	for (unsigned i = 0; i < place->count; i++) {
		if (strncmp(place->shown[i].text, wait, sizeof(wait) - 1) == 0) {
			week->waits++;
			continue;
		}
		snprintf(expected, sizeof(expected), "%s says %u", place->name, next++);
		if (strcmp(place->shown[i].text, expected) != 0)
			fprintf(stderr, "expected \"%s\", got \"%s\"\n", expected,
				place->shown[i].text);
		CU_ASSERT_STRING_EQUAL_FATAL(place->shown[i].text, expected);
	}
	CU_ASSERT_EQUAL(next, place->said);
}

static void pass(struct week *week, int64_t until_ms)
{
	while (elapsed(week) < until_ms)
		CU_ASSERT_FATAL(virtual_loop_step(week->loop, &week->clock, busy, week));
}

static void a_week_passes(void)
{
	struct week week;

	begin(&week);
	pass(&week, 5 * DAY_MS + 30 * MINUTE_MS);
	/* The gateway too is restarted once. */
	close_gateway(&week);
	open_gateway(&week);
	pass(&week, WEEK_MS);
	week.over = true;
	pass(&week, WEEK_MS + HOUR_MS);
	for (size_t i = 0; i < PLACES; i++)
		check_place(&week, &week.places[i]);
	printf("\n\t%u messages, %u told to wait; %u streams, %u of them ended; %u "
	       "broken off, "
	       "%u answers lost, %u attempts in vain\n",
		week.messages, week.waits, week.sky.streams, week.sky.ends, week.sky.cuts,
		week.sky.losses, week.sky.refusals);
	/* It was such a week. */
	CU_ASSERT_EQUAL(week.deaths, 0);
	CU_ASSERT_EQUAL(week.restarts, 7);
	CU_ASSERT_EQUAL(week.places[NOTICES].said, 7);
	CU_ASSERT(week.messages > 7 * 24 * CHATS);
	CU_ASSERT(week.waits > 0);
	CU_ASSERT(week.sky.ends > 7 * 24);
	CU_ASSERT(week.sky.losses > 0);
	finish(&week);
}

UNIT_SUITE(week, UNIT_TEST(a_week_passes));
