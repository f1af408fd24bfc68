/* SPDX-License-Identifier: Apache-2.0 */
/* Who may speak to the agent. */
#include "control-plane/identity.h"

#include "control-plane/routes/call.h"
#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define RESOLVE "/api/channels/identities/resolve"

static void resolve(struct fixture *f, const char *provider, const char *user)
{
	char body[256];

	snprintf(body, sizeof(body),
		"{\"provider\":\"%s\",\"channelBindingId\":\"%s-binding\","
		"\"externalWorkspaceId\":null,\"externalUserId\":\"%s\","
		"\"metadata\":{\"displayName\":\"Somebody\"}}",
		provider, provider, user);
	fixture_call(f, "POST", RESOLVE, body);
}

static void is(struct fixture *f, const char *role, const char *status)
{
	CU_ASSERT_EQUAL(f->status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_text(f, "identity.role"), role);
	CU_ASSERT_STRING_EQUAL(fixture_text(f, "identity.status"), status);
}

static void identity_has_the_shape_of_the_cloud(void)
{
	struct fixture f;

	fixture_start(&f);
	resolve(&f, "telegram", "1");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, ""), "identity");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, "identity"),
		"identityId orgId provider externalWorkspaceId externalUserId accountId "
		"role "
		"status metadata createdAt updatedAt");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "identity.accountId"), "local-user");
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "identity.metadata.displayName"), "Somebody");
	resolve(&f, "telegram", "99");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, ""), "identity pairing");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "identity.accountId"), "null");
	fixture_finish(&f);
}

static void identity_follows_the_configuration(void)
{
	static const char *const others[] = {"2", "3"};
	struct fixture f;

	fixture_start(&f);
	resolve(&f, "telegram", "1");
	is(&f, "owner", "active");
	resolve(&f, "telegram", "2");
	is(&f, "member", "active");
	resolve(&f, "telegram", "3");
	is(&f, "viewer", "pending");
	resolve(&f, "webhook", "anybody");
	is(&f, "member", "active");
	resolve(&f, "cli", "me");
	is(&f, "owner", "active");
	/* Nobody but who is named now. */
	f.channels[0].allow_from = others;
	f.channels[1].allow_count = 0;
	fixture_restart(&f);
	resolve(&f, "telegram", "1");
	is(&f, "viewer", "pending");
	resolve(&f, "telegram", "2");
	is(&f, "owner", "active");
	resolve(&f, "telegram", "3");
	is(&f, "member", "active");
	resolve(&f, "webhook", "anybody");
	is(&f, "viewer", "pending");
	fixture_finish(&f);
}

static void identity_needs_a_live_channel(void)
{
	struct fixture f;

	fixture_start(&f);
	f.channel_count = 1;
	fixture_restart(&f);
	resolve(&f, "webhook", "x");
	CU_ASSERT_EQUAL(f.status, 403);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "verdict.policyCode"),
		"channels.binding_scope_required");
	fixture_call(&f, "POST", RESOLVE,
		"{\"provider\":\"slack\",\"channelBindingId\":\"telegram-binding\","
		"\"externalUserId\":\"1\"}");
	CU_ASSERT_EQUAL(f.status, 400);
	fixture_finish(&f);
}

static void identity_judged_by_the_operator_stays(void)
{
	struct fixture f;
	char path[128];

	fixture_start(&f);
	resolve(&f, "telegram", "2");
	snprintf(path, sizeof(path), "/api/channels/people/%s",
		fixture_text(&f, "identity.identityId"));
	fixture_call_as(&f, PLANE_OPERATOR, "POST", path, "{\"status\":\"disabled\"}");
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "person.accountId"), "null");
	fixture_restart(&f);
	resolve(&f, "telegram", "2");
	is(&f, "member", "disabled");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, ""), "identity"); /* no code either */
	fixture_call_as(&f, PLANE_OPERATOR, "DELETE", path, NULL);
	CU_ASSERT_EQUAL(f.status, 200);
	fixture_call_as(&f, PLANE_OPERATOR, "DELETE", path, NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	fixture_finish(&f);
}

/* The status of a call as person 2; @rest is the body behind who it is. */
static int as_second(struct fixture *f, const char *path, const char *rest)
{
	char body[640];

	snprintf(body, sizeof(body),
		"{\"provider\":\"telegram\",\"externalUserId\":\"2\",%s}", rest);
	fixture_call(f, "POST", path, body);
	return f->status;
}

/* A permission that the agent asks for in @binding, and the answer of person 2. */
static int answer(struct fixture *f, const char *binding, const char *session)
{
	char body[512];

	snprintf(body, sizeof(body),
		"{\"agentId\":\"cowgate\",\"sessionBindingId\":\"%s\",\"sessionId\":"
		"\"%s\",\"provider\":\"telegram\",\"kind\":\"permission\","
		"\"targetId\":\"p\"}",
		binding, session);
	fixture_call(f, "POST", "/api/channels/interactions", body);
	CU_ASSERT_EQUAL(f->status, 201);
	snprintf(body, sizeof(body),
		"\"token\":\"%s\",\"externalChatId\":\"c1\",\"response\":\"allow\"",
		fixture_text(f, "plaintextToken"));
	return as_second(f, "/api/channels/interactions/resolve", body);
}

static void rights_follow_role_and_state(void)
{
	static const struct {
		const char *role;
		bool prompts, answers, manages;
	} roles[] = {
		{"owner", true, true, true},
		{"admin", true, true, true},
		{"member", true, true, false},
		{"approver", false, true, false},
		{"viewer", false, false, false},
	};
	static const char *const states[] = {"active", "disabled", "pending"};
	struct fixture f;
	char path[128], session[96], prompt[160], set[96];
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	snprintf(session, sizeof(session), "%s", fixture_text(&f, "binding.sessionId"));
	resolve(&f, "telegram", "2");
	snprintf(path, sizeof(path), "/api/channels/people/%s",
		fixture_text(&f, "identity.identityId"));
	snprintf(prompt, sizeof(prompt), "\"bindingId\":\"%s\",\"text\":\"go\"", binding);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		for (size_t j = 0; j < 3; j++) {
			bool active = j == 0;

			snprintf(set, sizeof(set), "{\"role\":\"%s\",\"status\":\"%s\"}",
				roles[i].role, states[j]);
			fixture_call_as(&f, PLANE_OPERATOR, "POST", path, set);
			CU_ASSERT_EQUAL_FATAL(f.status, 200);
			CU_ASSERT_EQUAL(
				as_second(&f, "/api/channels/sessions/prompt", prompt),
				active && roles[i].prompts ? 202 : 403);
			CU_ASSERT_EQUAL(answer(&f, binding, session),
				active && roles[i].answers ? 202 : 403);
			CU_ASSERT_EQUAL(as_second(&f, "/api/channels/people/approve",
						"\"code\":\"AAAAAAAA\""),
				active && roles[i].manages ? 404 : 403);
		}
	}
	/* An identity of another workspace is another person. */
	fixture_call_as(&f, PLANE_OPERATOR, "POST", path,
		"{\"role\":\"owner\",\"status\":\"active\"}");
	CU_ASSERT_EQUAL(as_second(&f, "/api/channels/people/approve",
				"\"externalWorkspaceId\":\"elsewhere\","
				"\"code\":\"AAAAAAAA\""),
		403);
	fixture_finish(&f);
}

static void identity_keeps_an_owner(void)
{
	struct fixture f;
	char path[128];

	fixture_start(&f);
	resolve(&f, "telegram", "1");
	snprintf(path, sizeof(path), "/api/channels/people/%s",
		fixture_text(&f, "identity.identityId"));
	fixture_call_as(&f, PLANE_OPERATOR, "POST", path, "{\"role\":\"member\"}");
	CU_ASSERT_EQUAL(f.status, 409);
	fixture_call_as(&f, PLANE_OPERATOR, "DELETE", path, NULL);
	CU_ASSERT_EQUAL(f.status, 409);
	resolve(&f, "cli", "me"); /* another owner */
	fixture_call_as(&f, PLANE_OPERATOR, "POST", path, "{\"role\":\"member\"}");
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "person.role"), "member");
	fixture_finish(&f);
}

static void strangers_are_bounded(void)
{
	struct fixture f;
	char user[24];

	fixture_start(&f);
	for (int i = 0; i < IDENTITY_PENDING + 20; i++) {
		snprintf(user, sizeof(user), "s%d", i);
		resolve(&f, "telegram", user);
		CU_ASSERT_EQUAL(f.status, 200);
	}
	fixture_call_as(&f, PLANE_OPERATOR, "GET",
		"/api/channels/people?status=pending&limit=500", NULL);
	snprintf(user, sizeof(user), "people.%d", IDENTITY_PENDING - 1);
	CU_ASSERT_STRING_NOT_EQUAL(fixture_text(&f, user), "");
	snprintf(user, sizeof(user), "people.%d", IDENTITY_PENDING);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, user), "");
	/* The newest is there, the oldest is not, and members never go. */
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "people.0.externalUserId"), "s275");
	resolve(&f, "telegram", "1");
	is(&f, "owner", "active");
	fixture_finish(&f);
}

static void judgements_are_recorded(void)
{
	struct fixture f;
	char path[128];

	fixture_start(&f);
	resolve(&f, "telegram", "2");
	snprintf(path, sizeof(path), "/api/channels/people/%s",
		fixture_text(&f, "identity.identityId"));
	fixture_call_as(&f, PLANE_OPERATOR, "POST", path, "{\"role\":\"admin\"}");
	CU_ASSERT_EQUAL(
		fixture_sql(&f, "SELECT count(*) FROM audit WHERE actor = 'operator'"
				" AND event = 'person.update'"),
		1);
	/* The newest are kept. */
	fixture_sql(&f, "UPDATE audit SET id = 1");
	fixture_sql(&f, "INSERT INTO audit VALUES (100000, 'x', 'y', 'z', 0)");
	fixture_call_as(&f, PLANE_OPERATOR, "POST", path, "{\"role\":\"member\"}");
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM audit"), 2);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT min(id) FROM audit"), CALL_AUDIT);
	fixture_finish(&f);
}

UNIT_SUITE(identity, UNIT_TEST(judgements_are_recorded),
	UNIT_TEST(identity_has_the_shape_of_the_cloud),
	UNIT_TEST(identity_follows_the_configuration),
	UNIT_TEST(identity_needs_a_live_channel),
	UNIT_TEST(identity_judged_by_the_operator_stays),
	UNIT_TEST(rights_follow_role_and_state), UNIT_TEST(identity_keeps_an_owner),
	UNIT_TEST(strangers_are_bounded));
