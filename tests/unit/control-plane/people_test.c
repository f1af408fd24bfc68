/* SPDX-License-Identifier: Apache-2.0 */
/* Letting people in and out, as the operator asks for it. */
#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

#define PEOPLE "/api/channels/people"

/* The path of a person of Telegram who has written. */
static const char *person(struct fixture *f, const char *user)
{
	static char path[160];
	char body[160];

	snprintf(body, sizeof(body),
		"{\"provider\":\"telegram\",\"channelBindingId\":\"telegram-binding\","
		"\"externalUserId\":\"%s\"}",
		user);
	fixture_call(f, "POST", "/api/channels/identities/resolve", body);
	CU_ASSERT_EQUAL_FATAL(f->status, 200);
	snprintf(
		path, sizeof(path), PEOPLE "/%s", fixture_text(f, "identity.identityId"));
	return path;
}

static void ask(struct fixture *f, const char *method, const char *path, const char *body)
{
	fixture_call_as(f, PLANE_OPERATOR, method, path, body);
}

static void people_are_listed_by_state(void)
{
	struct fixture f;

	fixture_start(&f);
	person(&f, "1");
	person(&f, "77");
	ask(&f, "GET", PEOPLE, NULL);
	CU_ASSERT_EQUAL(f.status, 200);
	/* Two are named in the settings, and so are there from the start. */
	CU_ASSERT_STRING_NOT_EQUAL(fixture_text(&f, "people.2.identityId"), "");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "people.3"), "");
	ask(&f, "GET", PEOPLE "?status=pending", NULL);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "people.0.externalUserId"), "77");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "people.1"), "");
	ask(&f, "GET", PEOPLE "?limit=1", NULL);
	CU_ASSERT_STRING_NOT_EQUAL(fixture_text(&f, "people.0"), "");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "people.1"), "");
	ask(&f, "GET", PEOPLE "?limit=0", NULL); /* it is never nobody */
	CU_ASSERT_STRING_NOT_EQUAL(fixture_text(&f, "people.0"), "");
	fixture_finish(&f);
}

static void what_is_asked_in_vain_is_said(void)
{
	struct fixture f;
	const char *path;

	fixture_start(&f);
	path = person(&f, "77");
	ask(&f, "POST", path, "{}");
	CU_ASSERT_EQUAL(f.status, 400);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "error"), "role or status is required.");
	ask(&f, "POST", path, "{\"role\":\"king\"}");
	CU_ASSERT_EQUAL(f.status, 400);
	ask(&f, "POST", PEOPLE "/nobody", "{\"role\":\"member\"}");
	CU_ASSERT_EQUAL(f.status, 404);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "people.not_found");
	ask(&f, "DELETE", PEOPLE "/nobody", NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	fixture_finish(&f);
}

static void the_last_owner_stays(void)
{
	struct fixture f;
	char path[160];

	fixture_start(&f);
	snprintf(path, sizeof(path), "%s", person(&f, "1"));
	ask(&f, "POST", path, "{\"role\":\"member\"}");
	CU_ASSERT_EQUAL(f.status, 409);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "people.last_owner");
	ask(&f, "DELETE", path, NULL);
	CU_ASSERT_EQUAL(f.status, 409);
	/* With another one it may go. */
	ask(&f, "POST", person(&f, "2"), "{\"role\":\"owner\"}");
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "person.role"), "owner");
	ask(&f, "DELETE", path, NULL);
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "deleted"), "true");
	/* Who did it is on record. */
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM audit WHERE event = "
					"'person.delete'"),
		1);
	fixture_finish(&f);
}

static void what_this_plane_can_do_beyond_is_said(void)
{
	struct fixture f;

	fixture_start(&f);
	fixture_call(&f, "GET", "/api/channels/extensions", NULL);
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "extensions.0"), "session.abort");
	CU_ASSERT_EQUAL(strlen(fixture_text(&f, "epoch")), 32);
	fixture_finish(&f);
}

UNIT_SUITE(people, UNIT_TEST(people_are_listed_by_state),
	UNIT_TEST(what_is_asked_in_vain_is_said), UNIT_TEST(the_last_owner_stays),
	UNIT_TEST(what_this_plane_can_do_beyond_is_said));
