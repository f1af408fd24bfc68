/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/operator_call.h"

#include "tests/unit/cli/rig.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

/* word, method, path, and a body where there is one: what came is printed. */
static int call_once(int argc, char **argv)
{
	struct json_object *body = NULL, *reply = NULL;
	int code;

	if (argc > 3)
		cg_json_parse(argv[3], strlen(argv[3]), &body, NULL);
	code = operator_call(argv[0], argv[1], argv[2], body, &reply);
	printf("%s", reply == NULL ? "nothing" : cg_json_text(reply, NULL));
	cg_json_free(body);
	cg_json_free(reply);
	return code;
}

static void a_body_is_sent_and_the_answer_given(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("POST /here", 201, "{\"a\":1}"),
		RIG_ANSWER("GET /empty", 204, NULL), RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(
		rig_run(&rig, call_once, "word", "POST", "/here", "{\"b\":\"ü\"}", NULL),
		CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.out, "{\"a\":1}"));
	CU_ASSERT_TRUE(rig_same(rig.requests, "POST /here {\"b\":\"ü\"}\n"));
	CU_ASSERT_TRUE(rig_has(rig.heads, "Content-Type: application/json\r\n"));
	CU_ASSERT_EQUAL(rig_run(&rig, call_once, "word", "GET", "/empty", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.out, "nothing"));
	CU_ASSERT_TRUE(rig_same(rig.requests, "GET /empty\n"));
	rig_end(&rig);
}

/* Whatever is not a 2xx that can be read has one sentence, and gives nothing. */
static void every_other_answer_has_its_sentence(void)
{
	static const struct {
		struct rig_answer answer;
		const char *says;
	} rows[] = {
		{RIG_ANSWER("GET /x", 404, "{\"error\":\"There is none.\"}"),
			"cowgate word: There is none.\n"},
		{RIG_ANSWER("GET /x", 409, "{\"error\":\"It is busy.\"}"),
			"cowgate word: It is busy.\n"},
		{RIG_ANSWER("GET /x", 429, "{\"error\":\"Later.\"}"),
			"cowgate word: Later.\n"},
		{RIG_ANSWER("GET /x", 503, "{}"), "cowgate word: the gateway refused\n"},
		{RIG_ANSWER("GET /x", 500, NULL), "cowgate word: the gateway refused\n"},
		{RIG_ANSWER("GET /x", 302, "{}"), "cowgate word: the gateway refused\n"},
		{RIG_ANSWER("GET /x", 200, "<html>"),
			"cowgate word: the gateway's answer is not understood: "},
		{RIG_ANSWER("GET /x", 503, "{\"error\":"),
			"cowgate word: the gateway's answer is not understood: "},
		{RIG_ANSWER("GET /x", RIG_HANG_UP, NULL),
			"cowgate word: the gateway does not answer: "},
		{RIG_ANSWER("GET /x", RIG_RAW, "no HTTP at all\r\n\r\n"),
			"cowgate word: the gateway does not answer: "},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct rig_answer answers[] = {rows[i].answer, RIG_ANSWERS_END};
		struct rig rig;

		rig_begin(&rig);
		rig.answers = answers;
		CU_ASSERT_EQUAL(
			rig_run(&rig, call_once, "word", "GET", "/x", NULL), CLI_FAILED);
		CU_ASSERT_TRUE(rig_same(rig.out, "nothing"));
		CU_ASSERT_TRUE(rig_has(rig.err, rows[i].says));
		CU_ASSERT_EQUAL(strchr(rig.err, '\n'), rig.err + strlen(rig.err) - 1);
		CU_ASSERT_TRUE(rig_same(rig.requests, "GET /x\n")); /* asked once */
		rig_end(&rig);
	}
}

static void nobody_is_told_from_one_who_has_ended(void)
{
	struct rig rig;
	char expected[512];

	rig_begin(&rig);
	rig.gateway = RIG_ABSENT;
	CU_ASSERT_EQUAL(rig_run(&rig, call_once, "word", "GET", "/x", NULL), CLI_FAILED);
	snprintf(expected, sizeof(expected),
		"cowgate word: no gateway runs here (%s is not there); start one with "
		"`cowgate run`, or set OPEN_COWORK_GATEWAY_DATA_DIR to its data "
		"directory\n",
		rig_path(&rig, "operator.sock"));
	CU_ASSERT_TRUE(rig_same(rig.err, expected));
	rig.gateway = RIG_ENDED;
	CU_ASSERT_EQUAL(rig_run(&rig, call_once, "word", "GET", "/x", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.err,
		"cowgate word: no gateway runs here any more: nobody answers on the "
		"socket that one has left; start it: `cowgate run`, or the service\n"));
	rig_end(&rig);
}

/* At the most what an address of 4095 bytes may hold. */
static void a_path_has_a_cap(void)
{
	char path[4200] = "/";
	size_t length = 4095 - strlen("http://localhost");
	struct rig rig;

	memset(path + 1, 'a', length - 1);
	rig_begin(&rig);
	rig_run(&rig, call_once, "status", "GET", path, NULL);
	CU_ASSERT_EQUAL(strlen(rig.requests), strlen("GET ") + strlen(path) + 1);
	path[length] = 'a';
	CU_ASSERT_EQUAL(rig_run(&rig, call_once, "status", "GET", path, NULL), CLI_USAGE);
	CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	CU_ASSERT_TRUE(rig_has(rig.err, "cowgate status: an argument is too long\n"));
	rig_end(&rig);
}

static int insist_once(int argc, char **argv)
{
	struct json_object *reply = NULL;
	int code;

	(void)argc;
	code = operator_insist(argv[0], "DELETE", "/x", NULL, &reply);
	printf("%s", reply == NULL ? "nothing" : cg_json_text(reply, NULL));
	cg_json_free(reply);
	return code;
}

/* Only "busy" is asked again; anything else ends it. */
static void insisting_asks_again_while_it_is_busy(void)
{
	static const struct rig_answer busy[] = {
		RIG_ANSWER("DELETE /x", 429, "{\"error\":\"Later.\"}"),
		RIG_ANSWER("DELETE /x", 200, "{}"), RIG_ANSWERS_END};
	static const struct rig_answer refused[] = {
		RIG_ANSWER("DELETE /x", 503, "{\"error\":\"No.\"}"), RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = busy;
	CU_ASSERT_EQUAL(rig_run(&rig, insist_once, "word", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.out, "{}"));
	CU_ASSERT_TRUE(rig_same(rig.requests, "DELETE /x\nDELETE /x\n"));
	rig.answers = refused;
	CU_ASSERT_EQUAL(rig_run(&rig, insist_once, "word", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.requests, "DELETE /x\n"));
	rig_end(&rig);
}

static int ask_once(int argc, char **argv)
{
	struct json_object *reply = NULL;
	char why[200] = "-";
	int status;

	(void)argc;
	status = operator_ask(argv[1], &reply, why, sizeof(why));
	printf("%d %s %s", status, why,
		reply == NULL ? "nothing" : cg_json_text(reply, NULL));
	cg_json_free(reply);
	return 0;
}

static void asking_says_nothing_by_itself(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("GET /good", 200, "{\"a\":1}"),
		RIG_ANSWER("GET /bad", 403, "<html>"), RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	rig_run(&rig, ask_once, "word", "/good", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "200 - {\"a\":1}"));
	rig_run(&rig, ask_once, "word", "/bad", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "403 - nothing"));
	rig.gateway = RIG_ENDED;
	rig_run(&rig, ask_once, "word", "/good", NULL);
	CU_ASSERT_TRUE(rig_has(rig.out, "0 no gateway runs here any more: "));
	rig.gateway = RIG_ABSENT;
	rig_run(&rig, ask_once, "word", "/good", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "0 no gateway runs here nothing"));
	CU_ASSERT_TRUE(rig_same(rig.err, ""));
	rig_end(&rig);
}

static void a_segment_is_encoded_and_has_a_cap(void)
{
	char path[32] = "/", small[5] = "/";

	CU_ASSERT_TRUE(operator_path_add(path, sizeof(path), "a/b?\xc3\xbc~-._"));
	CU_ASSERT_STRING_EQUAL(path, "/a%2Fb%3F%C3%BC~-._");
	/* Every byte must fit as if it were encoded; what did is still a text. */
	CU_ASSERT_TRUE(operator_path_add(small, sizeof(small), "a"));
	CU_ASSERT_FALSE(operator_path_add(small, sizeof(small), "b"));
	CU_ASSERT_STRING_EQUAL(small, "/a");
}

UNIT_SUITE(operator_call, UNIT_TEST(a_body_is_sent_and_the_answer_given),
	UNIT_TEST(every_other_answer_has_its_sentence),
	UNIT_TEST(nobody_is_told_from_one_who_has_ended), UNIT_TEST(a_path_has_a_cap),
	UNIT_TEST(insisting_asks_again_while_it_is_busy),
	UNIT_TEST(asking_says_nothing_by_itself),
	UNIT_TEST(a_segment_is_encoded_and_has_a_cap));
