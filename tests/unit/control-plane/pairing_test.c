/* SPDX-License-Identifier: Apache-2.0 */
/* A stranger's code: told once, short-lived, guessed in vain. */
#include "control-plane/identity.h"
#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APPROVE "/api/channels/people/approve"

static void resolve(struct fixture *f, const char *user)
{
	char body[256];

	snprintf(body, sizeof(body),
		"{\"provider\":\"telegram\",\"channelBindingId\":\"telegram-binding\","
		"\"externalUserId\":\"%s\"}",
		user);
	fixture_call(f, "POST", "/api/channels/identities/resolve", body);
}

static void approve(struct fixture *f, const char *code)
{
	char body[128];

	snprintf(body, sizeof(body), "{\"code\":\"%s\"}", code);
	fixture_call_as(f, PLANE_OPERATOR, "POST", APPROVE, body);
}

static void code_of(struct fixture *f, const char *user, char ret[16])
{
	resolve(f, user);
	snprintf(ret, 16, "%s", fixture_text(f, "pairing.code"));
}

static void pairing_tells_once_and_repeats_the_code(void)
{
	struct fixture f;
	char code[16], again[16];

	fixture_start(&f);
	code_of(&f, "9", code);
	CU_ASSERT_EQUAL(strlen(code), 8);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "pairing.notify"), "true");
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "pairing.expiresAt"), "2027-01-15T08:10:00.000Z");
	CU_ASSERT_PTR_NOT_NULL(strstr(f.notices, "people.pending"));
	code_of(&f, "9", again);
	CU_ASSERT_STRING_EQUAL(again, code);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "pairing.notify"), "false");
	/* After its life there is no code, and no second notice within a day. */
	f.now += PAIRING_LIFE_MS;
	resolve(&f, "9");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "pairing.code"), "null");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "pairing.notify"), "false");
	f.now += PAIRING_NOTICE_MS;
	code_of(&f, "9", again);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "pairing.notify"), "true");
	CU_ASSERT_STRING_NOT_EQUAL(again, code);
	fixture_finish(&f);
}

static void pairing_lets_a_person_in(void)
{
	struct fixture f;
	char code[16], typed[24];

	fixture_start(&f);
	code_of(&f, "9", code);
	snprintf(typed, sizeof(typed), "%.4s-%s", code, code + 4);
	for (char *c = typed; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	approve(&f, typed);
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "person.role"), "member");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "person.status"), "active");
	approve(&f, code); /* once */
	CU_ASSERT_EQUAL(f.status, 404);
	/* Who was paired stays, though the configuration does not name them. */
	fixture_restart(&f);
	resolve(&f, "9");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "identity.status"), "active");
	fixture_finish(&f);
}

static void pairing_can_be_refused(void)
{
	struct fixture f;
	char code[16], body[64];

	fixture_start(&f);
	code_of(&f, "9", code);
	snprintf(body, sizeof(body), "{\"code\":\"%s\"}", code);
	fixture_call_as(&f, PLANE_OPERATOR, "POST", "/api/channels/people/deny", body);
	CU_ASSERT_EQUAL(f.status, 200);
	resolve(&f, "9");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "identity.status"), "disabled");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, ""), "identity");
	fixture_finish(&f);
}

static void pairing_counts_wrong_codes(void)
{
	struct fixture f;
	char code[16];

	fixture_start(&f);
	code_of(&f, "9", code);
	for (int i = 0; i < PAIRING_FAILURES; i++) {
		approve(&f, "AAAAAAAA");
		CU_ASSERT_EQUAL(f.status, 404);
	}
	approve(&f, code); /* even the right one has to wait */
	CU_ASSERT_EQUAL(f.status, 429);
	CU_ASSERT_EQUAL(f.retry_after_ms, PAIRING_LIFE_MS);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "pairing.too_many_attempts");
	fixture_restart(&f); /* a restart does not help */
	approve(&f, code);
	CU_ASSERT_EQUAL(f.status, 429);
	f.now += PAIRING_LIFE_MS;
	approve(&f, code);
	CU_ASSERT_EQUAL(f.status, 404); /* it has expired meanwhile */
	fixture_finish(&f);
}

static void pairing_from_a_chat_needs_a_manager(void)
{
	struct fixture f;
	char code[16], body[160];

	fixture_start(&f);
	code_of(&f, "9", code);
	snprintf(body, sizeof(body), "{\"code\":\"%s\"}", code);
	fixture_call(&f, "POST", APPROVE, body); /* a gateway without an actor */
	CU_ASSERT_EQUAL(f.status, 400);
	snprintf(body, sizeof(body),
		"{\"code\":\"%s\",\"provider\":\"telegram\",\"externalUserId\":\"2\"}",
		code);
	fixture_call(&f, "POST", APPROVE, body); /* a member */
	CU_ASSERT_EQUAL(f.status, 403);
	snprintf(body, sizeof(body),
		"{\"code\":\"%s\",\"provider\":\"telegram\",\"externalUserId\":\"9\"}",
		code);
	fixture_call(&f, "POST", APPROVE, body); /* oneself */
	CU_ASSERT_EQUAL(f.status, 403);
	snprintf(body, sizeof(body),
		"{\"code\":\"%s\",\"provider\":\"telegram\",\"externalUserId\":\"1\"}",
		code);
	fixture_call(&f, "POST", APPROVE, body); /* the owner */
	CU_ASSERT_EQUAL(f.status, 200);
	fixture_finish(&f);
}

static void pairing_codes_are_bounded_and_not_stored(void)
{
	struct fixture f;
	char user[16], code[16] = "", last[16] = "";

	fixture_start(&f);
	for (int i = 0; i <= PAIRING_OPEN; i++) {
		snprintf(user, sizeof(user), "s%d", i);
		snprintf(last, sizeof(last), "%s", code);
		code_of(&f, user, code);
	}
	CU_ASSERT_STRING_EQUAL(code, "null");
	CU_ASSERT_EQUAL(strlen(last), 8);
	/* The file does not know it. */
	CU_ASSERT_FALSE(fixture_stored(&f, last));
	CU_ASSERT_TRUE(fixture_stored(&f, "code_hash")); /* the search works */
	fixture_finish(&f);
}

UNIT_SUITE(pairing, UNIT_TEST(pairing_tells_once_and_repeats_the_code),
	UNIT_TEST(pairing_lets_a_person_in), UNIT_TEST(pairing_can_be_refused),
	UNIT_TEST(pairing_counts_wrong_codes),
	UNIT_TEST(pairing_from_a_chat_needs_a_manager),
	UNIT_TEST(pairing_codes_are_bounded_and_not_stored));
