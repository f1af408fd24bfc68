/* SPDX-License-Identifier: Apache-2.0 */
/* Chat threads and their sessions. */
#include "control-plane/session.h"

#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define BIND_PATH "/api/channels/sessions/bind"

static void bind_as(struct fixture *f, const char *user, const char *chat)
{
	char body[384];

	snprintf(body, sizeof(body),
		"{\"channelBindingId\":\"telegram-binding\",\"provider\":\"telegram\","
		"\"externalChatId\":\"%s\",\"externalThreadId\":\"%s\","
		"\"externalUserId\":\"%s\","
		"\"externalWorkspaceId\":null,\"title\":\"first words\"}",
		chat, chat, user);
	fixture_call(f, "POST", BIND_PATH, body);
}

static void binding_has_the_shape_of_the_cloud(void)
{
	struct fixture f;

	fixture_start(&f);
	fixture_call(&f, "POST", "/api/channels/identities/resolve",
		"{\"provider\":\"webhook\",\"externalUserId\":\"ref\"}");
	fixture_call(&f, "POST", BIND_PATH,
		"{\"channelBindingId\":\"webhook-binding\",\"provider\":\"webhook\","
		"\"externalChatId\":\"curl-chat\",\"externalThreadId\":\"curl-chat\","
		"\"externalUserId\":\"ref\",\"title\":\"curl\"}");
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, ""), "binding session");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, "binding"),
		"bindingId orgId agentId channelBindingId provider externalWorkspaceId "
		"externalThreadId externalChatId sessionId lastEventSequence "
		"lastWorkspaceSequence lastChatMessageId status createdAt updatedAt");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "binding.sessionId"),
		"channel_session_c1befa62eb4cb956549a0cae4026bfb2");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, "session.session"),
		"tenantId userId sessionId opencodeSessionId profileName status title "
		"createdAt "
		"updatedAt projectSource");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "session.session.title"), "curl");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, "session.projection"),
		"tenantId sessionId sequence updatedAt view");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "session.projection.sequence"), "1");
	fixture_finish(&f);
}

static void binding_is_found_again(void)
{
	struct fixture f;
	char first[64];

	fixture_start(&f);
	bind_as(&f, "1", "c1");
	snprintf(first, sizeof(first), "%s", fixture_text(&f, "binding.bindingId"));
	bind_as(&f, "2", "c1");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "binding.bindingId"), first);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "session.projection"), "null");
	bind_as(&f, "1", "c2");
	CU_ASSERT_STRING_NOT_EQUAL(fixture_text(&f, "binding.bindingId"), first);
	fixture_restart(&f);
	fixture_call(&f, "GET",
		"/api/channels/sessions/by-thread?provider=telegram&externalChatId=c1"
		"&externalThreadId=c1",
		NULL);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "binding.bindingId"), first);
	fixture_call(&f, "GET",
		"/api/channels/sessions/by-thread?provider=telegram&externalChatId=c%31"
		"&externalThreadId=nope",
		NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	fixture_call(
		&f, "GET", "/api/channels/sessions/by-thread?provider=telegram", NULL);
	CU_ASSERT_EQUAL(f.status, 400);
	fixture_finish(&f);
}

static void binding_needs_a_member(void)
{
	struct fixture f;

	fixture_start(&f);
	bind_as(&f, "99", "c1"); /* nobody knows them */
	CU_ASSERT_EQUAL(f.status, 403);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "gateway-actor-rbac-required");
	fixture_call(&f, "POST", "/api/channels/identities/resolve",
		"{\"provider\":\"telegram\",\"channelBindingId\":\"telegram-binding\","
		"\"externalUserId\":\"99\"}");
	bind_as(&f, "99", "c1"); /* pending */
	CU_ASSERT_EQUAL(f.status, 403);
	/* A person of one provider is nobody at another. */
	fixture_call(&f, "POST", BIND_PATH,
		"{\"channelBindingId\":\"webhook-binding\",\"provider\":\"webhook\","
		"\"externalChatId\":\"c\",\"externalThreadId\":\"c\",\"externalUserId\":"
		"\"1\"}");
	CU_ASSERT_EQUAL(f.status, 403);
	fixture_finish(&f);
}

static void binding_belongs_to_one_channel(void)
{
	static const char *const owner[] = {"1"};
	struct fixture f;

	fixture_start(&f);
	f.channels[2] = (struct plane_channel){.binding_id = "telegram-two",
		.provider = "telegram",
		.display_name = "Another bot",
		.allow_from = owner,
		.allow_count = 1};
	fixture_restart(&f);
	bind_as(&f, "1", "c1");
	CU_ASSERT_EQUAL(f.status, 200);
	fixture_call(&f, "POST", BIND_PATH,
		"{\"channelBindingId\":\"telegram-two\",\"provider\":\"telegram\","
		"\"externalChatId\":\"c1\",\"externalThreadId\":\"c1\","
		"\"externalUserId\":\"1\"}");
	CU_ASSERT_EQUAL(f.status, 409);
	/* Two channels of the provider: a claim has to say which. */
	fixture_call(&f, "POST", "/api/channels/provider-events/claim",
		"{\"provider\":\"telegram\",\"providerInstanceId\":\"t\","
		"\"providerEventId\":\"1\","
		"\"eventType\":\"message\",\"claimedBy\":\"g\"}");
	CU_ASSERT_EQUAL(f.status, 400);
	fixture_finish(&f);
}

static void cursor_only_moves_forward(void)
{
	struct fixture f;
	char body[256];
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	snprintf(body, sizeof(body),
		"{\"bindingId\":\"%s\",\"lastEventSequence\":5,\"lastWorkspaceSequence\":"
		"0,"
		"\"lastChatMessageId\":\"m1\"}",
		binding);
	fixture_call(&f, "POST", "/api/channels/cursor", body);
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, ""), "binding result");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, "result"), "ok binding");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "binding.lastEventSequence"), "5");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "binding.lastChatMessageId"), "m1");
	snprintf(body, sizeof(body), "{\"bindingId\":\"%s\",\"lastEventSequence\":4}",
		binding);
	fixture_call(&f, "POST", "/api/channels/cursor", body);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "result.ok"), "false");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "result.reason"), "stale");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "result.binding.lastEventSequence"), "5");
	snprintf(body, sizeof(body), "{\"bindingId\":\"%s\",\"lastEventSequence\":6}",
		binding);
	fixture_call(&f, "POST", "/api/channels/cursor", body); /* omitted: kept */
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "binding.lastChatMessageId"), "m1");
	snprintf(body, sizeof(body),
		"{\"bindingId\":\"%s\",\"lastEventSequence\":6,\"lastChatMessageId\":"
		"null}",
		binding);
	fixture_call(&f, "POST", "/api/channels/cursor", body); /* null: cleared */
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "binding.lastChatMessageId"), "null");
	fixture_call(&f, "POST", "/api/channels/cursor",
		"{\"bindingId\":\"nope\",\"lastEventSequence\":6}");
	CU_ASSERT_EQUAL(f.status, 404);
	fixture_call(&f, "POST", "/api/channels/cursor",
		"{\"bindingId\":\"nope\",\"lastEventSequence\":\"6\"}");
	CU_ASSERT_EQUAL(f.status, 400);
	fixture_finish(&f);
}

static void session_tells_its_state(void)
{
	struct fixture f;
	char path[128];
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "one", "k1");
	fixture_prompt(&f, binding, "two", "k2");
	snprintf(path, sizeof(path), "/api/channels/sessions/%s", binding);
	fixture_call(&f, "GET", path, NULL);
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "busy"), "true");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "queued"), "1");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "agent"), "default");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "backend"), "script");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "model"), "script-1");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "epoch"), plane_epoch(f.plane));
	snprintf(path, sizeof(path), "/api/channels/sessions/%s/artifacts/a1", binding);
	fixture_call(&f, "GET", path, NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	fixture_finish(&f);
}

UNIT_SUITE(session, UNIT_TEST(binding_has_the_shape_of_the_cloud),
	UNIT_TEST(binding_is_found_again), UNIT_TEST(binding_needs_a_member),
	UNIT_TEST(binding_belongs_to_one_channel), UNIT_TEST(cursor_only_moves_forward),
	UNIT_TEST(session_tells_its_state));
