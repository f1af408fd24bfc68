/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/journal/outbox.h"
#include "tests/unit/cli/rig.h"

#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ONE \
	"{\"deliveryId\":\"d-1\",\"state\":\"dead\",\"provider\":\"telegram\"," \
	"\"attemptCount\":3,\"updatedAt\":\"2026-01-01T00:00:00.000Z\"," \
	"\"lastError\":\"no such chat\"}"
#define LINE "dead      telegram      3  2026-01-01T00:00:00.000Z  d-1  no such chat\n"

static void a_list_is_asked_for_and_shown(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("GET /deliveries?limit=50", 200,
			"{\"deliveries\":[" ONE ",{\"deliveryId\":\"d-2\"}]}"),
		RIG_ANSWER("GET /deliveries?limit=7&status=a%26b", 200,
			"{\"deliveries\":[]}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_deliveries, "deliveries", "list", NULL), 0);
	CU_ASSERT_TRUE(rig_same(rig.out, LINE "?         ?             0    d-2\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_deliveries, "deliveries", "list", "--json", NULL), 0);
	CU_ASSERT_TRUE(rig_same(
		rig.out, "{\"deliveries\":[" ONE ",{\"deliveryId\":\"d-2\"}]}\n"));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_deliveries, "deliveries", "list", "--limit",
				"7", "--status", "a&b", NULL),
		0);
	CU_ASSERT_TRUE(rig_same(rig.requests, "GET /deliveries?limit=7&status=a%26b\n"));
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	rig_end(&rig);
}

static void one_is_shown_whole(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("GET /deliveries?limit=50&deliveryId=d-1", 200,
			"{\"deliveries\":[{\"deliveryId\":\"d-1\",\"attemptCount\":2,"
			"\"target\":{\"chatId\":\"5\"},\"unknownKey\":1}]}"),
		RIG_ANSWER("GET /deliveries?limit=50&deliveryId=d-2", 200,
			"{\"deliveries\":[]}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_deliveries, "deliveries", "show", "d-1", NULL), 0);
	CU_ASSERT_TRUE(rig_same(rig.out, "deliveryId      d-1\n"
					 "attemptCount    2\n"
					 "target          {\"chatId\":\"5\"}\n"));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_deliveries, "deliveries", "show", "d-2", NULL),
		CLI_FAILED);
	CU_ASSERT_TRUE(
		rig_same(rig.err, "cowgate deliveries: there is no such delivery\n"));
	rig_end(&rig);
}

static void a_change_is_a_post_of_its_own(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("POST /deliveries/d%2F1/retry", 200,
			"{\"ok\":true,\"delivery\":{\"deliveryId\":\"d/1\"}}"),
		RIG_ANSWER("POST /deliveries/d-1/dead-letter", 409,
			"{\"error\":\"It is being sent.\"}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_deliveries, "deliveries", "retry", "d/1", NULL), 0);
	CU_ASSERT_TRUE(rig_same(rig.requests, "POST /deliveries/d%2F1/retry {}\n"));
	CU_ASSERT_TRUE(rig_same(rig.out, "deliveryId      d/1\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_deliveries, "deliveries", "dead-letter", "d-1", NULL),
		CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate deliveries: It is being sent.\n"));
	rig_end(&rig);
}

static void recovering_takes_a_time(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("POST /deliveries/recover", 200, "{\"deliveries\":[" ONE "]}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_deliveries, "deliveries", "recover", "--since",
				"2026-01-31T12:00:00Z", "--channel", "telegram", NULL),
		0);
	CU_ASSERT_TRUE(rig_same(rig.requests,
		"POST /deliveries/recover {\"since\":\"2026-01-31T12:00:00.000Z\","
		"\"provider\":\"telegram\",\"dryRun\":false}\n"));
	CU_ASSERT_TRUE(rig_same(rig.out, LINE "1 delivery will be tried again\n"));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_deliveries, "deliveries", "recover", "--since",
				"2026-01-31T12:00:00Z", "--dry-run", "--json", NULL),
		0);
	CU_ASSERT_TRUE(rig_has(rig.requests, "\"dryRun\":true"));
	CU_ASSERT_TRUE(rig_same(rig.out, "{\"deliveries\":[" ONE "]}\n"));
	rig_end(&rig);
}

static void an_age_counts_from_now(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("POST /deliveries/recover", 200, "{\"deliveries\":[]}"),
		RIG_ANSWERS_END};
	static const struct {
		const char *age;
		int64_t seconds;
	} rows[] = {{"30m", 1800}, {"12h", 43200}, {"7d", 604800}, {"0m", 0},
		{"100000d", INT64_C(8640000000)}};
	static const char *const wrong[] = {"", "m", "5", "5s", "-5m", "1.5h", "100001d",
		"99999999999999999d", "yesterday"};
	const char *at;
	struct rig rig;
	int64_t ms;

	rig_begin(&rig);
	rig.answers = answers;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t before = (int64_t)time(NULL) - rows[i].seconds, after;
		char text[CG_TIME_TEXT];

		CU_ASSERT_EQUAL(rig_run(&rig, cli_deliveries, "deliveries", "recover",
					"--since", rows[i].age, NULL),
			0);
		after = (int64_t)time(NULL) - rows[i].seconds;
		at = strstr(rig.requests, "\"since\":\"");
		CU_ASSERT_PTR_NOT_NULL_FATAL(at);
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(at + 9, "\""), at + 9);
		CU_ASSERT_TRUE(cg_time_parse(text, &ms));
		CU_ASSERT_TRUE(ms / 1000 >= before && ms / 1000 <= after);
		CU_ASSERT_TRUE(rig_same(rig.out, "0 deliveries will be tried again\n"));
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CU_ASSERT_EQUAL(rig_run(&rig, cli_deliveries, "deliveries", "recover",
					"--since", wrong[i], NULL),
			CLI_USAGE);
		CU_ASSERT_TRUE(rig_has(rig.err, "recover takes --since with a time"));
		CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	}
	rig_end(&rig);
}

static void a_full_page_may_not_be_all(void)
{
	struct rig_answer answers[] = {
		RIG_ANSWER("POST /deliveries/recover", 200, NULL), RIG_ANSWERS_END};
	struct cg_buffer body;
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	for (int more = 0; more < 2; more++) {
		cg_buffer_init(&body, 1u << 20);
		cg_buffer_text(&body, "{\"deliveries\":[{}");
		for (int i = 2; i < OUTBOX_REVIVE + more; i++)
			cg_buffer_text(&body, ",{}");
		cg_buffer_text(&body, "]}");
		answers[0].body = cg_buffer_string(&body);
		rig_run(&rig, cli_deliveries, "deliveries", "recover", "--since", "1h",
			"--dry-run", NULL);
		CU_ASSERT_EQUAL(
			strstr(rig.out, "There may be more: say it again.\n") != NULL,
			more == 1);
		CU_ASSERT_TRUE(rig_has(rig.out, "deliveries would be tried again\n"));
		cg_buffer_finish(&body);
	}
	rig_end(&rig);
}

static void what_is_not_understood_is_not_sent(void)
{
	static const struct {
		const char *arguments[4], *says;
	} rows[] = {
		{{NULL}, "usage: cowgate deliveries list|"},
		{{"bury", "d-1"}, "cowgate deliveries: that is not known\n"},
		{{"show"}, "cowgate deliveries: name a delivery\n"},
		{{"retry"}, "cowgate deliveries: name a delivery\n"},
		{{"retry", "d-1", "d-2"}, "usage: "},
		{{"list", "--limit"}, "usage: "},
		{{"list", "--what"}, "usage: "},
		{{"recover"}, "recover takes --since"},
		{{"recover", "d-1", "--since", "1h"}, "recover takes --since"},
		/* A try that were none, and filters that filter nothing. */
		{{"retry", "d-1", "--dry-run"}, "only recover takes --dry-run"},
		{{"list", "--channel", "telegram"}, "only recover takes --dry-run"},
		{{"list", "--since", "1h"}, "only recover takes --dry-run"},
	};
	struct rig rig;

	rig_begin(&rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const *arguments = rows[i].arguments;

		CU_ASSERT_EQUAL(rig_run(&rig, cli_deliveries, "deliveries", arguments[0],
					arguments[1], arguments[2], arguments[3], NULL),
			CLI_USAGE);
		CU_ASSERT_TRUE(rig_has(rig.err, rows[i].says));
		CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	}
	rig_end(&rig);
}

static void an_id_has_a_cap(void)
{
	char id[2048];
	struct rig rig;

	memset(id, 'i', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	rig_begin(&rig);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_deliveries, "deliveries", "retry", id, NULL),
		CLI_USAGE);
	CU_ASSERT_TRUE(rig_has(rig.err, "an argument is too long\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_deliveries, "deliveries", "show", id, NULL), CLI_USAGE);
	CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	rig_end(&rig);
}

UNIT_SUITE(deliveries, UNIT_TEST(a_list_is_asked_for_and_shown),
	UNIT_TEST(one_is_shown_whole), UNIT_TEST(a_change_is_a_post_of_its_own),
	UNIT_TEST(recovering_takes_a_time), UNIT_TEST(an_age_counts_from_now),
	UNIT_TEST(a_full_page_may_not_be_all),
	UNIT_TEST(what_is_not_understood_is_not_sent), UNIT_TEST(an_id_has_a_cap));
