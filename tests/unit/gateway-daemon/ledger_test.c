/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-daemon/house_rig.h"

#include <inttypes.h>

/* The second channel hears what the operator is to know of the first. */
#define SETTINGS HOUSE_TWO K "OPERATOR_CHAT=" TWO ":ops\n"
#define SECRET "what somebody said"

static int64_t of_channel(const struct house *house, const char *metric)
{
	struct cg_buffer text;
	char name[160];
	const char *line;
	int64_t value = -1;

	snprintf(name, sizeof(name), "\n%s{", metric);
	cg_buffer_init(&text, 4u << 20);
	CU_ASSERT_EQUAL_FATAL(meter_write(house->daemon->meter, &text), CG_OK);
	for (line = cg_buffer_string(&text); (line = strstr(line, name)) != NULL;) {
		const char *end = strchr(++line, '\n');
		const char *one = strstr(line, "\"" ONE "\"");

		if (one != NULL && one < end)
			value = strtoll(strstr(line, "} ") + 2, NULL, 10);
	}
	cg_buffer_finish(&text);
	CU_ASSERT_FATAL(value >= 0);
	return value;
}

static bool is_message(const struct house *house, const char *direction,
	const char *outcome, int64_t value)
{
	char line[256];

	snprintf(line, sizeof(line),
		"open_cowork_channel_messages_total{direction=\"%s\",outcome=\"%s\","
		"provider_kind=\"other\",schema_version=\"2\",stack=\"monorepo-"
		"provider\","
		"surface=\"cloud-channel-gateway\"} %" PRId64,
		direction, outcome, value);
	return house_metered(house, line);
}

static bool is_total(const struct house *house, const char *name, int64_t value)
{
	char line[128];

	snprintf(line, sizeof(line), "open_cowork_gateway_%s %" PRId64, name, value);
	return house_metered(house, line);
}

/* How many texts the operator was sent that hold this. */
static int64_t told(const struct house *house, const char *text)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM outbox WHERE delivery_id LIKE 'alert:%%' AND "
		"instance = '" TWO "' AND source LIKE '%%%s%%'",
		text);
	return house_number(house, sql);
}

static void run(void (*body)(struct house *house))
{
	struct house house;

	house_begin(&house, SETTINGS);
	house_run(&house, body);
	house_end(&house);
}

static void tell_facts(struct house *house)
{
	static const struct {
		enum conversation_fact fact;
		const char *outcome; /* NULL: no message came to its end */
		int64_t so_far;
		const char *line;
	} rows[] = {
		{CONVERSATION_PROMPTED, "success", 1, "message.prompted instance=" ONE},
		{CONVERSATION_COMMAND, "success", 2, "message.command instance=" ONE},
		{CONVERSATION_DUPLICATE, "ignored", 1, "message.ignored"},
		{CONVERSATION_STRANGER, "ignored", 2, "message.stranger"},
		{CONVERSATION_REFUSED, "error", 1, "message.refused"},
		{CONVERSATION_EXPIRED, "error", 2, "message.expired"},
		{CONVERSATION_LOOP, "ignored", 3, "message.loop"},
		{CONVERSATION_WAITING, NULL, 0, "message.waiting"},
		{CONVERSATION_STREAM_LOST, NULL, 0, "stream.reconnect"},
	};

	house_up(house, TWO);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CU_ASSERT_FALSE(house_logged(house, rows[i].line));
		ledger_fact(house->daemon, rows[i].fact, ONE, "a-word");
		CU_ASSERT_TRUE(house_logged(house, rows[i].line));
		if (rows[i].outcome != NULL)
			CU_ASSERT_TRUE(is_message(
				house, "inbound", rows[i].outcome, rows[i].so_far));
	}
	CU_ASSERT_EQUAL(
		of_channel(house, "open_cowork_gateway_provider_prompted_messages_total"),
		1);
	CU_ASSERT_TRUE(is_total(house, "stream_reconnects_total", 1));
	CU_ASSERT_TRUE(is_total(house, "errors_total", 2));
	/* What the operator should know is told, of a channel over the other one. */
	HOUSE_UNTIL(house, told(house, ONE) == 2);
	daemon_stop(house->daemon);
}

static void ledger_counts_what_became_of_messages(void)
{
	run(tell_facts);
}

static void refuse_the_token(struct house *house)
{
	house_up(house, TWO);
	ledger_fact(house->daemon, CONVERSATION_TOKEN_REFUSED, ONE, "token.expired");
	CU_ASSERT_TRUE(house->daemon->token_refused);
	CU_ASSERT_TRUE(house_logged(house, "code=token.expired"));
	HOUSE_UNTIL(house, told(house, "refuses the gateway''s token") == 1);
	/* A prompt that goes through is the proof that it is good again. */
	ledger_fact(house->daemon, CONVERSATION_PROMPTED, ONE, NULL);
	CU_ASSERT_FALSE(house->daemon->token_refused);
	HOUSE_UNTIL(house, told(house, "") == 2);
	daemon_stop(house->daemon);
}

static void ledger_tells_of_a_refused_token(void)
{
	run(refuse_the_token);
}

static char row_id[] = "d-1", row_alert[] = ALERT_LETTER "1", row_instance[] = ONE,
	    row_chat[] = "chat", row_text[] = SECRET;

static void report(struct house *house, char *id, enum outbox_state state,
	const struct cg_outcome *outcome)
{
	const struct outbox_row row = {.delivery_id = id,
		.instance = row_instance,
		.chat_id = row_chat,
		.source = row_text,
		.purpose = OUTBOX_NOTICE,
		.attempts = 3,
		.part = 1,
		.parts = 1};
	const struct delivery_report report = {.row = &row,
		.state = state,
		.outcome = outcome,
		.latency_ms = 70,
		.reason = state == OUTBOX_DEAD ? "refused" : NULL};

	ledger_report(house->daemon, &report);
}

static void tell_reports(struct house *house)
{
	const struct cg_outcome limited = {.size = sizeof(limited),
		.class = CG_OUTCOME_RATE_LIMITED,
		.platform_status = 429};

	house_up(house, TWO);
	report(house, row_id, OUTBOX_SENDING, NULL);
	CU_ASSERT_TRUE(is_message(house, "outbound", "attempt", 1));
	report(house, row_id, OUTBOX_PENDING, &limited);
	CU_ASSERT_TRUE(house_logged(house,
		"delivery.retry delivery=d-1 instance=" ONE
		" state=pending class=rate_limited platform=429 attempt=3"));
	CU_ASSERT_EQUAL(of_channel(house, "cowgate_channel_flood_waits_total"), 1);
	report(house, row_id, OUTBOX_UNKNOWN, NULL);
	CU_ASSERT_EQUAL(of_channel(house, "cowgate_channel_unknown_total"), 1);
	CU_ASSERT_EQUAL(of_channel(house, "cowgate_channel_flood_waits_total"), 1);
	CU_ASSERT_TRUE(is_message(house, "outbound", "retry", 2));
	CU_ASSERT_TRUE(is_total(house, "delivery_retries_total", 2));
	report(house, row_id, OUTBOX_SENT, NULL);
	CU_ASSERT_TRUE(is_message(house, "outbound", "success", 1));
	CU_ASSERT_TRUE(is_total(house, "deliveries_sent_total", 1));
	CU_ASSERT_TRUE(is_total(house, "delivery_latency_ms_sum", 70));
	report(house, row_id, OUTBOX_SUPERSEDED, NULL);
	CU_ASSERT_TRUE(is_message(house, "outbound", "success", 1));
	report(house, row_id, OUTBOX_DEAD, NULL);
	CU_ASSERT_TRUE(is_message(house, "outbound", "error", 1));
	CU_ASSERT_TRUE(is_total(house, "delivery_dead_letters_total", 1));
	CU_ASSERT_TRUE(house_logged(
		house, "delivery.dead delivery=d-1 instance=" ONE " reason=refused"));
	CU_ASSERT_FALSE(house_logged(house, SECRET)); /* ids, never texts */
	HOUSE_UNTIL(house, told(house, ONE " was given up. (refused)") == 1);
	daemon_stop(house->daemon);
}

static void ledger_counts_what_became_of_deliveries(void)
{
	run(tell_reports);
}

/* An alert that was given up does not make the next one. */
static void give_up_an_alert(struct house *house)
{
	house_up(house, TWO);
	report(house, row_alert, OUTBOX_DEAD, NULL);
	CU_ASSERT_TRUE(is_total(house, "delivery_dead_letters_total", 1));
	CU_ASSERT_EQUAL(alert_due(house->daemon->alert), -1);
	report(house, row_id, OUTBOX_DEAD, NULL);
	HOUSE_UNTIL(house, alert_due(house->daemon->alert) >= 0);
	daemon_stop(house->daemon);
}

static void ledger_raises_no_alert_about_alerts(void)
{
	run(give_up_an_alert);
}

static void submit(struct house *house)
{
	house_up(house, ONE);
	CU_ASSERT_EQUAL(house_hear(house, ONE, "e1", SECRET), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(house_hear(house, ONE, "e1", SECRET), CG_VERDICT_DUPLICATE);
	ledger_submitted(house->daemon, supervisor_find(house->daemon->supervisor, ONE),
		CG_VERDICT_UNAVAILABLE);
	CU_ASSERT_EQUAL(
		of_channel(house, "open_cowork_gateway_provider_incoming_messages_total"),
		1);
	CU_ASSERT_EQUAL(of_channel(house,
				"open_cowork_gateway_provider_inbound_duplicates_total"),
		1);
	CU_ASSERT_EQUAL(
		of_channel(house, "open_cowork_gateway_provider_inbound_failures_total"),
		1);
	CU_ASSERT_TRUE(is_message(house, "inbound", "attempt", 1));
	CU_ASSERT_TRUE(house_logged(house, "message.not_stored instance=" ONE));
	HOUSE_UNTIL(house, house_actor(house, ONE)->sends == 1); /* the whole way */
	CU_ASSERT_FALSE(house_logged(house, SECRET));
	daemon_stop(house->daemon);
}

static void ledger_counts_what_comes_in(void)
{
	run(submit);
}

static void close_messages(struct house *house)
{
	char event[] = "e-7";
	const struct inbox_message message = {.event_id = event,
		.instance = row_instance,
		.chat_id = row_chat,
		.text = row_text};

	ledger_closed(house->daemon, &message, INBOX_HANDED, NULL);
	CU_ASSERT_TRUE(house_logged(
		house, "message.handed event=e-7 instance=" ONE " as=prompt"));
	ledger_closed(house->daemon, &message, INBOX_HANDED, "command");
	CU_ASSERT_TRUE(house_logged(house, "instance=" ONE " as=command"));
	ledger_closed(house->daemon, &message, INBOX_DEAD, "deadline");
	CU_ASSERT_TRUE(house_logged(
		house, "message.dead event=e-7 instance=" ONE " as=deadline"));
	CU_ASSERT_FALSE(house_logged(house, SECRET));
	daemon_stop(house->daemon);
}

static void ledger_has_a_line_for_the_end_of_each_message(void)
{
	run(close_messages);
}

static void lose_a_channel(struct house *house)
{
	struct actor *one = house_actor(house, ONE);

	house_up(house, ONE);
	house_up(house, TWO);
	CU_ASSERT_TRUE(
		house_logged(house, "channel.state instance=" ONE " state=healthy"));
	stage_health(one, CG_HEALTH_REFUSED, CG_HEALTH_REFUSED);
	CU_ASSERT_TRUE(house_logged(house, "detail=\"so it is\""));
	HOUSE_UNTIL(house, told(house, "so it is") == 1);
	house_up(house, ONE);
	HOUSE_UNTIL(house, told(house, "") == 2);
	/* A short silence is no news. */
	stage_health(one, CG_HEALTH_DOWN, CG_HEALTH_UP);
	HOUSE_UNTIL(house, alert_due(house->daemon->alert) >= 0);
	HOUSE_UNTIL(house, one->starts == 2); /* its supervisor tries */
	house_up(house, ONE);
	HOUSE_UNTIL(house, alert_due(house->daemon->alert) == -1);
	daemon_stop(house->daemon);
}

static void ledger_tells_of_channels(void)
{
	run(lose_a_channel);
}

static void lose_the_disk(struct house *house)
{
	const struct cg_error err = {.text = "no space"};

	house_up(house, TWO);
	ledger_store(house->daemon, CG_FULL, &err);
	CU_ASSERT_TRUE(
		house_logged(house, "store.failing status=full detail=\"no space\""));
	CU_ASSERT_TRUE(is_total(house, "errors_total", 1));
	HOUSE_UNTIL(house, told(house, "") == 1);
	ledger_store(house->daemon, CG_OK, NULL);
	CU_ASSERT_TRUE(house_logged(house, "store.healthy"));
	HOUSE_UNTIL(house, told(house, "takes what is written again") == 1);
	daemon_stop(house->daemon);
}

static void ledger_tells_of_the_disk(void)
{
	run(lose_the_disk);
}

static void tell_claims(struct house *house)
{
	static const struct {
		enum claimed_fact fact;
		const char *line;
		int64_t errors;
	} rows[] = {
		{CLAIMED_CONNECTED, "info deliveries.connected", 0},
		{CLAIMED_LOST, "info deliveries.reconnect why=x", 0},
		{CLAIMED_REFUSED, "error deliveries.refused code=x", 0},
		{CLAIMED_TROUBLE, "warn deliveries.trouble why=x", 0},
		{CLAIMED_PAUSED, "warn deliveries.paused", 0},
		{CLAIMED_RETURNED, "info deliveries.returned delivery=x", 0},
		{CLAIMED_UNSENDABLE, "warn deliveries.unsendable why=x", 1},
		{CLAIMED_FOREIGN, "error deliveries.foreign delivery=x", 2},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ledger_claimed(house->daemon, rows[i].fact, "x");
		CU_ASSERT_TRUE(house_logged(house, rows[i].line));
		CU_ASSERT_TRUE(is_total(house, "errors_total", rows[i].errors));
	}
	CU_ASSERT_TRUE(is_total(house, "stream_reconnects_total", 1));
	daemon_stop(house->daemon);
}

static void ledger_tells_of_claims(void)
{
	run(tell_claims);
}

static void pass_words_on(struct house *house)
{
	const struct actor *one = house_actor(house, ONE);

	one->host->log(one->host, CG_LOG_WARN, "the roof leaks");
	CU_ASSERT_TRUE(house_logged(
		house, "warn provider instance=" ONE " text=\"the roof leaks\""));
	ledger_plane_notice(house->daemon, CG_LOG_ERROR, "plane.odd", "what", "door");
	CU_ASSERT_TRUE(house_logged(house, "error plane.odd what=door"));
	ledger_plane_notice(house->daemon, CG_LOG_INFO, "plane.even", NULL, "window");
	CU_ASSERT_TRUE(house_logged(house, "info plane.even detail=window"));
	daemon_stop(house->daemon);
}

static void ledger_passes_words_on(void)
{
	run(pass_words_on);
}

UNIT_SUITE(ledger, UNIT_TEST(ledger_counts_what_became_of_messages),
	UNIT_TEST(ledger_tells_of_a_refused_token),
	UNIT_TEST(ledger_counts_what_became_of_deliveries),
	UNIT_TEST(ledger_raises_no_alert_about_alerts),
	UNIT_TEST(ledger_counts_what_comes_in),
	UNIT_TEST(ledger_has_a_line_for_the_end_of_each_message),
	UNIT_TEST(ledger_tells_of_channels), UNIT_TEST(ledger_tells_of_the_disk),
	UNIT_TEST(ledger_tells_of_claims), UNIT_TEST(ledger_passes_words_on));
