/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli/rig.h"

#include <string.h>

#define PEOPLE "/api/channels/people"
#define ADA \
	"{\"identityId\":\"i-1\",\"role\":\"member\",\"status\":\"active\"," \
	"\"provider\":\"telegram\",\"externalUserId\":\"42\",\"metadata\":{" \
	"\"displayName\":\"Ada\",\"username\":\"ada\"}}"
#define ADA_LINE \
	"i-1                                    member    active   telegram     42  " \
	"Ada\n"

static void people_are_listed(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("GET " PEOPLE, 200,
			"{\"people\":[" ADA ",{\"metadata\":{\"username\":\"bob\"}}]}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_people, "people", "list", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.out, ADA_LINE
		"?                                      ?         ?        ?            "
		"?  bob\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_people, "people", "list", "--json", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.out, "{\"people\":[" ADA));
	rig_end(&rig);
}

static void codes_and_roles_are_decided(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("POST " PEOPLE "/approve", 200, "{\"person\":" ADA "}"),
		RIG_ANSWER("POST " PEOPLE "/deny", 404, "{\"error\":\"No such code.\"}"),
		RIG_ANSWER("POST " PEOPLE "/i%2F1", 200, "{\"person\":" ADA "}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_people, "people", "approve", "AB12", NULL), CLI_OK);
	CU_ASSERT_TRUE(
		rig_same(rig.requests, "POST " PEOPLE "/approve {\"code\":\"AB12\"}\n"));
	CU_ASSERT_TRUE(rig_same(rig.out, ADA_LINE));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_people, "people", "deny", "AB12", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(
		rig_same(rig.requests, "POST " PEOPLE "/deny {\"code\":\"AB12\"}\n"));
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate people: No such code.\n"));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_people, "people", "role", "i/1", "admin", NULL),
		CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.requests, "POST " PEOPLE "/i%2F1 {\"role\":\"admin\","
					      "\"status\":\"active\"}\n"));
	rig_end(&rig);
}

#define REMOVING \
	RIG_ANSWER("GET " PEOPLE, 200, "{\"people\":[" ADA "]}"), \
		RIG_ANSWER("POST " PEOPLE "/i-1", 200, "{\"person\":" ADA "}"), \
		RIG_ANSWER("POST /people/forget", 200, "{}")

/* Nobody first, then the plane's record, then the gateway's: in that order. */
static void removing_goes_step_by_step(void)
{
	static const struct rig_answer answers[] = {REMOVING,
		RIG_ANSWER("DELETE " PEOPLE "/i-1", 200,
			"{\"deleted\":true,\"person\":" ADA "}"),
		RIG_ANSWERS_END};
	static const char steps[] =
		"POST " PEOPLE "/i-1 {\"status\":\"disabled\"}\n"
		"DELETE " PEOPLE "/i-1\n"
		"POST /people/forget {\"provider\":\"telegram\",\"userId\":\"42\"}\n";
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_people, "people", "remove", "i-1", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.requests, steps));
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	CU_ASSERT_TRUE(rig_same(rig.err, "i-1 is nobody here any more, and what was "
					 "stored of them is deleted\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_people, "people", "remove", "telegram:42", NULL),
		CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.requests, "GET " PEOPLE "\n"));
	CU_ASSERT_TRUE(rig_has(rig.requests, steps));
	rig_end(&rig);
}

static void an_agent_that_keeps_a_record_is_named(void)
{
	static const struct rig_answer answers[] = {REMOVING,
		RIG_ANSWER("DELETE " PEOPLE "/i-1", 200,
			"{\"deleted\":true,\"agentKeeps\":true}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_people, "people", "remove", "i-1", "--json", NULL),
		CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.err, "which may have kept what was said\n"));
	CU_ASSERT_TRUE(rig_same(rig.out, "{\"deleted\":true,\"agentKeeps\":true}\n"));
	rig_end(&rig);
}

/* Done half, it is said to have failed, and the gateway is not told yet. */
static void a_step_that_fails_ends_it(void)
{
	static const struct rig_answer answers[] = {REMOVING,
		RIG_ANSWER("DELETE " PEOPLE "/i-1", 503, "{\"error\":\"Disk full.\"}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_people, "people", "remove", "i-1", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate people: Disk full.\n"));
	CU_ASSERT_PTR_NULL(strstr(rig.requests, "/people/forget"));
	rig_end(&rig);
}

/* Whom the plane does not know (any more) may have left something with the gateway. */
static void a_stranger_is_forgotten_too(void)
{
	static const struct rig_answer answers[] = {REMOVING, RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	/* The same user elsewhere, and one whose id begins the same, are others. */
	CU_ASSERT_EQUAL(rig_run(&rig, cli_people, "people", "remove", "telegram:4", NULL),
		CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.requests,
		"GET " PEOPLE "\n"
		"POST /people/forget {\"provider\":\"telegram\",\"userId\":\"4\"}\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_people, "people", "remove", "tele:42", "--json", NULL),
		CLI_OK);
	CU_ASSERT_TRUE(rig_has(
		rig.requests, "forget {\"provider\":\"tele\",\"userId\":\"42\"}\n"));
	CU_ASSERT_TRUE(rig_same(rig.out, "{}\n"));
	rig_end(&rig);
}

static void what_is_not_understood_is_not_sent(void)
{
	static const char *const rows[][4] = {{"list", "x"}, {"approve"},
		{"deny", "a", "b"}, {"role", "i-1"}, {"remove"}, {"remove", "a", "b"},
		{"greet", "a"}, {"approve", "--json"}};
	char id[1100];
	struct rig rig;

	rig_begin(&rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CU_ASSERT_EQUAL(rig_run(&rig, cli_people, "people", rows[i][0],
					rows[i][1], rows[i][2], NULL),
			CLI_USAGE);
		CU_ASSERT_TRUE(
			rig_has(rig.err, "cowgate people: that is not understood\n"));
		CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	}
	CU_ASSERT_EQUAL(rig_run(&rig, cli_people, "people", NULL), CLI_USAGE);
	CU_ASSERT_EQUAL(strstr(rig.err, "usage: cowgate people "), rig.err);
	/* Nobody else is taken for one whose id is too long. */
	memset(id, 'i', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	CU_ASSERT_EQUAL(rig_run(&rig, cli_people, "people", "role", id, "admin", NULL),
		CLI_USAGE);
	CU_ASSERT_TRUE(rig_has(rig.err, "the id is too long\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_people, "people", "remove", id, NULL), CLI_USAGE);
	CU_ASSERT_TRUE(rig_has(rig.err, "the id is too long\n"));
	CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	rig_end(&rig);
}

UNIT_SUITE(people, UNIT_TEST(people_are_listed), UNIT_TEST(codes_and_roles_are_decided),
	UNIT_TEST(removing_goes_step_by_step),
	UNIT_TEST(an_agent_that_keeps_a_record_is_named),
	UNIT_TEST(a_step_that_fails_ends_it), UNIT_TEST(a_stranger_is_forgotten_too),
	UNIT_TEST(what_is_not_understood_is_not_sent));
