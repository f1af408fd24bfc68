/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies are as a Cloud gave them, cut to what matters. */
#include "cloud-client/channel.h"

#include "tests/support/cloud_fake.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <string.h>

static struct cloud_fake fake;
static struct cloud_client *client;
static int answered; /* records that came */
static enum cloud_error refused;

static const struct cloud_actor actor = {
	.identity_id = "i1",
	.provider = "telegram",
	.external_user_id = "4242",
};

static void setup(void)
{
	answered = 0;
	refused = CLOUD_OK;
	cloud_fake_init(&fake);
	CU_ASSERT_EQUAL_FATAL(
		cloud_client_create(
			&(struct cloud_client_options){.transport = &fake.transport,
				.host = &fake.host,
				.claimed_by = "gateway:g1"},
			&client, NULL),
		CG_OK);
}

static void teardown(void)
{
	cloud_client_destroy(client);
	cloud_fake_finish(&fake);
}

/* The call that was just made is @method of @path with exactly @body; it gets @reply. */
static void exchange(const char *method, const char *path, const char *body,
	int http_status, const char *reply)
{
	struct cloud_exchange *call = cloud_fake_take(&fake);

	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	CU_ASSERT_STRING_EQUAL(call->method, method);
	CU_ASSERT_STRING_EQUAL(call->path, path);
	if (body == NULL)
		CU_ASSERT_PTR_NULL(call->body);
	if (body != NULL)
		CU_ASSERT_STRING_EQUAL(cg_json_text(call->body, NULL), body);
	cloud_fake_answer(call, http_status, reply);
}

static bool note(const struct cloud_result *result, const void *record)
{
	CU_ASSERT_EQUAL(record != NULL, result->error == CLOUD_OK);
	refused = result->error;
	answered += record != NULL;
	return record != NULL;
}

static void on_claim(void *arg, const struct cloud_result *result,
	const struct cloud_provider_event *event)
{
	(void)arg;
	if (!note(result, event))
		return;
	CU_ASSERT_STRING_EQUAL(event->event_id, "channel_provider_event_d34e");
	CU_ASSERT_STRING_EQUAL(event->status, "processing");
	CU_ASSERT_STRING_EQUAL(event->claimed_by, "gateway:curl");
	CU_ASSERT_EQUAL(event->claim_expires_ms, 1795308070279);
	CU_ASSERT_EQUAL(event->attempt_count, 1);
	CU_ASSERT_TRUE(event->retryable);
	CU_ASSERT_PTR_NULL(event->last_error);
	CU_ASSERT_FALSE(event->claimed);
	CU_ASSERT_TRUE(event->duplicate);
}

static void claims(void)
{
	struct json_object *metadata = cg_json_new_object();
	struct cloud_claim_params params = {
		.provider = "telegram",
		.provider_instance_id = "tg",
		.provider_event_id = "upd-991",
		.event_type = "message",
		.channel_binding_id = "b",
		.metadata = metadata,
	};

	setup();
	CU_ASSERT_EQUAL(cloud_claim(client, &params, on_claim, NULL, NULL), CG_OK);
	exchange("POST", "/api/channels/provider-events/claim",
		"{\"provider\":\"telegram\",\"providerInstanceId\":\"tg\","
		"\"providerEventId\":\"upd-991\",\"eventType\":\"message\","
		"\"claimedBy\":\"gateway:g1\",\"channelBindingId\":\"b\",\"ttlMs\":"
		"300000,"
		"\"metadata\":{}}",
		200,
		"{\"event\":{\"eventId\":\"channel_provider_event_d34e\","
		"\"status\":\"processing\",\"claimedBy\":\"gateway:curl\","
		"\"claimExpiresAt\":\"2026-11-22T00:41:10.279Z\",\"attemptCount\":1,"
		"\"retryable\":true,\"lastError\":null},\"claimed\":false,\"duplicate\":"
		"true}");
	CU_ASSERT_EQUAL(answered, 1);
	params.provider_event_id = NULL;
	CU_ASSERT_EQUAL(cloud_claim(client, &params, on_claim, NULL, NULL), CG_INVALID);
	cg_json_free(metadata);
	teardown();
}

static void on_completed(void *arg, const struct cloud_result *result,
	const struct cloud_provider_event *event)
{
	(void)arg;
	note(result, event);
}

static void completes(void)
{
	struct cloud_complete_params params = {
		.event_id = "e/1", .channel_binding_id = "b", .processed = true};

	setup();
	CU_ASSERT_EQUAL(cloud_complete(client, &params, on_completed, NULL, NULL), CG_OK);
	exchange("POST", "/api/channels/provider-events/e%2F1/complete",
		"{\"channelBindingId\":\"b\",\"claimedBy\":\"gateway:g1\","
		"\"status\":\"processed\"}",
		200, "{\"event\":{\"eventId\":\"e/1\"}}");
	CU_ASSERT_EQUAL(answered, 1);
	params.processed = false;
	params.retryable = true;
	params.last_error = "no luck";
	CU_ASSERT_EQUAL(cloud_complete(client, &params, on_completed, NULL, NULL), CG_OK);
	exchange("POST", "/api/channels/provider-events/e%2F1/complete",
		"{\"channelBindingId\":\"b\",\"claimedBy\":\"gateway:g1\",\"status\":"
		"\"failed\","
		"\"retryable\":true,\"lastError\":\"no luck\"}",
		404, "{\"error\":\"Not found.\"}");
	CU_ASSERT_EQUAL(refused, CLOUD_NOT_FOUND);
	teardown();
}

static void on_stranger(void *arg, const struct cloud_result *result,
	const struct cloud_identity *identity)
{
	(void)arg;
	if (!note(result, identity))
		return;
	CU_ASSERT_STRING_EQUAL(identity->identity_id, "9fb9");
	CU_ASSERT_STRING_EQUAL(identity->role, "viewer");
	CU_ASSERT_STRING_EQUAL(identity->status, "pending");
	CU_ASSERT_PTR_NULL(identity->account_id);
	CU_ASSERT_STRING_EQUAL(identity->display_name, "Ref");
	CU_ASSERT_STRING_EQUAL(identity->pairing_code, "KX42-7QPM");
	CU_ASSERT_EQUAL(identity->pairing_expires_ms, 1795305600000);
	CU_ASSERT_TRUE(identity->pairing_notify);
}

static void on_member(void *arg, const struct cloud_result *result,
	const struct cloud_identity *identity)
{
	(void)arg;
	if (!note(result, identity))
		return;
	CU_ASSERT_STRING_EQUAL(identity->role, "member");
	CU_ASSERT_PTR_NULL(identity->pairing_code);
	CU_ASSERT_EQUAL(identity->pairing_expires_ms, -1);
}

static void resolves_people(void)
{
	struct cloud_identity_params params = {
		.actor = actor, .channel_binding_id = "b", .display_name = "Ref"};

	setup();
	CU_ASSERT_EQUAL(
		cloud_resolve_identity(client, &params, on_stranger, NULL, NULL), CG_OK);
	exchange("POST", "/api/channels/identities/resolve",
		"{\"provider\":\"telegram\",\"externalUserId\":\"4242\","
		"\"channelBindingId\":\"b\",\"metadata\":{\"username\":null,"
		"\"displayName\":\"Ref\"}}",
		200,
		"{\"identity\":{\"identityId\":\"9fb9\",\"accountId\":null,\"role\":"
		"\"viewer\","
		"\"status\":\"pending\",\"metadata\":{\"displayName\":\"Ref\"}},"
		"\"pairing\":"
		"{\"code\":\"KX42-7QPM\",\"expiresAt\":\"2026-11-22T00:00:00.000Z\","
		"\"notify\":true}}");
	params.actor.external_workspace_id = "T1";
	CU_ASSERT_EQUAL(
		cloud_resolve_identity(client, &params, on_member, NULL, NULL), CG_OK);
	exchange("POST", "/api/channels/identities/resolve",
		"{\"provider\":\"telegram\",\"externalWorkspaceId\":\"T1\","
		"\"externalUserId\":\"4242\",\"channelBindingId\":\"b\",\"metadata\":"
		"{\"username\":null,\"displayName\":\"Ref\"}}",
		200, "{\"identity\":{\"identityId\":\"i1\",\"role\":\"member\"}}");
	CU_ASSERT_EQUAL(answered, 2);
	teardown();
}

static void on_bound(
	void *arg, const struct cloud_result *result, const struct cloud_bound *bound)
{
	(void)arg;
	if (!note(result, bound))
		return;
	CU_ASSERT_STRING_EQUAL(bound->binding.binding_id, "a1ab");
	CU_ASSERT_STRING_EQUAL(bound->binding.agent_id, "ref-agent");
	CU_ASSERT_STRING_EQUAL(bound->binding.session_id, "channel_session_c1be");
	CU_ASSERT_EQUAL(bound->binding.last_event_sequence, 7);
	CU_ASSERT_PTR_NULL(bound->binding.last_chat_message_id);
	CU_ASSERT_STRING_EQUAL(bound->session.status, "idle");
	CU_ASSERT_EQUAL(bound->session.sequence, 8);
	CU_ASSERT_PTR_NOT_NULL(bound->session.view);
}

static const char bound_reply[] =
	"{\"binding\":{\"bindingId\":\"a1ab\",\"agentId\":\"ref-agent\","
	"\"sessionId\":\"channel_session_c1be\",\"lastEventSequence\":7,"
	"\"lastChatMessageId\":null},\"session\":{\"session\":{\"sessionId\":"
	"\"channel_session_c1be\",\"status\":\"idle\",\"title\":\"curl\"},\"projection\":"
	"{\"sequence\":8,\"view\":{}}}}";

static void binds_threads(void)
{
	struct cloud_bind_params params = {.actor = actor,
		.channel_binding_id = "b",
		.external_chat_id = "-100",
		.title = "hi"};

	setup();
	CU_ASSERT_EQUAL(cloud_bind(client, &params, on_bound, NULL, NULL), CG_OK);
	/* Without a thread, the chat stands for it. */
	exchange("POST", "/api/channels/sessions/bind",
		"{\"identityId\":\"i1\",\"provider\":\"telegram\",\"externalUserId\":"
		"\"4242\","
		"\"channelBindingId\":\"b\",\"externalChatId\":\"-100\","
		"\"externalThreadId\":\"-100\",\"title\":\"hi\"}",
		200, bound_reply);
	params.external_thread_id = "9";
	params.title = NULL;
	CU_ASSERT_EQUAL(cloud_bind(client, &params, on_bound, NULL, NULL), CG_OK);
	exchange("POST", "/api/channels/sessions/bind",
		"{\"identityId\":\"i1\",\"provider\":\"telegram\",\"externalUserId\":"
		"\"4242\","
		"\"channelBindingId\":\"b\",\"externalChatId\":\"-100\","
		"\"externalThreadId\":\"9\"}",
		409, "{\"error\":\"Bound elsewhere.\"}");
	CU_ASSERT_EQUAL(answered, 1);
	CU_ASSERT_EQUAL(refused, CLOUD_CONFLICT);
	teardown();
}

static void finds_threads(void)
{
	struct cloud_thread_params params = {.provider = "telegram",
		.external_chat_id = "-1 0",
		.external_thread_id = "9"};
	struct cloud_exchange *call;

	setup();
	CU_ASSERT_EQUAL(cloud_by_thread(client, &params, on_bound, NULL, NULL), CG_OK);
	call = cloud_fake_take(&fake);
	CU_ASSERT_STRING_EQUAL(call->path, "/api/channels/sessions/by-thread");
	CU_ASSERT_STRING_EQUAL(call->query,
		"provider=telegram&externalChatId=-1%200&externalThreadId=9");
	cloud_fake_answer(call, 200, bound_reply);
	CU_ASSERT_EQUAL(answered, 1);
	params.external_chat_id = NULL;
	CU_ASSERT_EQUAL(
		cloud_by_thread(client, &params, on_bound, NULL, NULL), CG_INVALID);
	teardown();
}

static void on_command(
	void *arg, const struct cloud_result *result, const struct cloud_command *command)
{
	(void)arg;
	if (!note(result, command)) {
		CU_ASSERT_STRING_EQUAL(
			result->policy_code, "quota.gateway_prompts_per_hour_exceeded");
		CU_ASSERT_EQUAL(result->retry_after_ms, 42000);
		CU_ASSERT_TRUE(result->retryable);
		return;
	}
	CU_ASSERT_STRING_EQUAL(command->command_id, "channel_command_d6d5");
	CU_ASSERT_STRING_EQUAL(command->kind, "prompt");
	CU_ASSERT_STRING_EQUAL(command->status, "pending");
	CU_ASSERT_PTR_NULL(command->error);
}

static void prompts(void)
{
	struct json_object *files = cg_json_new_array();
	struct cloud_prompt_params params = {.actor = actor,
		.binding_id = "a1ab",
		.text = "hello\nthere",
		.idempotency_key = "evt-1"};
	struct cloud_exchange *call;

	setup();
	CU_ASSERT_EQUAL(cloud_prompt(client, &params, on_command, NULL, NULL), CG_OK);
	exchange("POST", "/api/channels/sessions/prompt",
		"{\"identityId\":\"i1\",\"provider\":\"telegram\",\"externalUserId\":"
		"\"4242\","
		"\"bindingId\":\"a1ab\",\"text\":\"hello\\nthere\",\"idempotencyKey\":"
		"\"evt-1\"}",
		202,
		"{\"binding\":{},\"command\":{\"commandId\":\"channel_command_d6d5\","
		"\"kind\":\"prompt\",\"status\":\"pending\",\"error\":null},"
		"\"processed\":1}");
	CU_ASSERT_EQUAL(answered, 1);
	params.agent = "plan";
	params.attachments = files;
	params.idempotency_key = NULL;
	CU_ASSERT_EQUAL(cloud_prompt(client, &params, on_command, NULL, NULL), CG_OK);
	call = cloud_fake_take(&fake);
	CU_ASSERT_FALSE(call->idempotent);
	CU_ASSERT_STRING_EQUAL(cg_json_string(call->body, "agent"), "plan");
	CU_ASSERT_PTR_NOT_NULL(cg_json_array(call->body, "attachments"));
	cloud_fake_answer(call, 429,
		"{\"error\":\"Quota.\",\"retryAfterMs\":42000,\"verdict\":{"
		"\"policyCode\":"
		"\"quota.gateway_prompts_per_hour_exceeded\"}}");
	CU_ASSERT_EQUAL(refused, CLOUD_RATE_LIMITED);
	params.text = NULL;
	CU_ASSERT_EQUAL(
		cloud_prompt(client, &params, on_command, NULL, NULL), CG_INVALID);
	cg_json_free(files);
	teardown();
}

static void on_cursor(
	void *arg, const struct cloud_result *result, const struct cloud_cursor *cursor)
{
	bool *applied = arg;

	if (!note(result, cursor))
		return;
	*applied = cursor->applied;
	CU_ASSERT_EQUAL(cursor->binding.last_event_sequence, 9);
}

static void mirrors_cursors(void)
{
	struct cloud_cursor_params params = {.binding_id = "a1ab",
		.last_event_sequence = 9,
		.last_chat_message_id = "m1"};
	bool applied = false;

	setup();
	CU_ASSERT_EQUAL(
		cloud_set_cursor(client, &params, on_cursor, &applied, NULL), CG_OK);
	exchange("POST", "/api/channels/cursor",
		"{\"bindingId\":\"a1ab\",\"lastEventSequence\":9,"
		"\"lastWorkspaceSequence\":0,"
		"\"lastChatMessageId\":\"m1\"}",
		200,
		"{\"binding\":{\"bindingId\":\"a1ab\",\"sessionId\":\"s\","
		"\"lastEventSequence\":9},"
		"\"result\":{\"ok\":true}}");
	CU_ASSERT_TRUE(applied);
	CU_ASSERT_EQUAL(
		cloud_set_cursor(client, &params, on_cursor, &applied, NULL), CG_OK);
	cloud_fake_answer(cloud_fake_take(&fake), 200,
		"{\"binding\":{},\"result\":{\"ok\":false,\"reason\":\"stale\","
		"\"binding\":"
		"{\"bindingId\":\"a1ab\",\"sessionId\":\"s\",\"lastEventSequence\":9}}}");
	CU_ASSERT_FALSE(applied);
	CU_ASSERT_EQUAL(answered, 2);
	teardown();
}

static void on_interaction(void *arg, const struct cloud_result *result,
	const struct cloud_interaction *interaction)
{
	(void)arg;
	if (!note(result, interaction))
		return;
	CU_ASSERT_STRING_EQUAL(interaction->interaction_id, "channel_interaction_0d2e");
	CU_ASSERT_STRING_EQUAL(interaction->token, "occi_channel_interaction_0d2e_Qm9v");
	CU_ASSERT_EQUAL(interaction->expires_ms, 1795305600000);
}

static void creates_interactions(void)
{
	struct cloud_interaction_params params = {
		.interaction_id = "x",
		.agent_id = "a",
		.session_binding_id = "b",
		.session_id = "s",
		.provider = "telegram",
		.kind = "permission",
		.target_id = "per_9",
	};

	setup();
	CU_ASSERT_EQUAL(
		cloud_create_interaction(client, &params, on_interaction, NULL, NULL),
		CG_OK);
	exchange("POST", "/api/channels/interactions",
		"{\"interactionId\":\"x\",\"agentId\":\"a\",\"sessionBindingId\":\"b\","
		"\"sessionId\":\"s\",\"provider\":\"telegram\",\"kind\":\"permission\","
		"\"targetId\":\"per_9\"}",
		201,
		"{\"interaction\":{\"interactionId\":\"channel_interaction_0d2e\","
		"\"expiresAt\":\"2026-11-22T00:00:00.000Z\"},"
		"\"plaintextToken\":\"occi_channel_interaction_0d2e_Qm9v\"}");
	CU_ASSERT_EQUAL(answered, 1);
	teardown();
}

static void on_resolution(void *arg, const struct cloud_result *result,
	const struct cloud_resolution *resolution)
{
	(void)arg;
	if (!note(result, resolution))
		return;
	CU_ASSERT_STRING_EQUAL(resolution->interaction.kind, "permission");
	CU_ASSERT_STRING_EQUAL(resolution->command.command_id, "c");
	CU_ASSERT_PTR_NULL(resolution->processing_error);
}

static void resolves_interactions(void)
{
	static const struct {
		enum cloud_answer answer;
		const char *tail;
	} rows[] = {
		{CLOUD_ANSWER_DENY, "\"response\":{\"allowed\":false}}"},
		{CLOUD_ANSWER_ALLOW, "\"response\":{\"allowed\":true}}"},
		{CLOUD_ANSWER_ALLOW_ALWAYS, "\"response\":\"always\"}"},
		{CLOUD_ANSWER_TEXTS, "\"answers\":[\"pg\"]}"},
		{CLOUD_ANSWER_REJECT, "\"reject\":true}"},
	};
	struct cloud_resolve_params params = {
		.actor = actor, .external_chat_id = "-100", .token = "occi_x"};

	setup();
	params.answers = cg_json_new_array();
	cg_json_append(params.answers, cg_json_new_string("pg"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cloud_exchange *call;
		const char *body;

		params.answer = rows[i].answer;
		CU_ASSERT_EQUAL(cloud_resolve_interaction(
					client, &params, on_resolution, NULL, NULL),
			CG_OK);
		call = cloud_fake_take(&fake);
		CU_ASSERT_STRING_EQUAL(call->path, "/api/channels/interactions/resolve");
		CU_ASSERT_FALSE(call->idempotent);
		CU_ASSERT_STRING_EQUAL(
			cg_json_string(call->body, "externalChatId"), "-100");
		body = cg_json_text(call->body, NULL);
		CU_ASSERT_STRING_EQUAL(
			body + strlen(body) - strlen(rows[i].tail), rows[i].tail);
		cloud_fake_answer(call, 202,
			"{\"interaction\":{\"interactionId\":\"i\",\"kind\":"
			"\"permission\"},"
			"\"command\":{\"commandId\":\"c\"}}");
	}
	CU_ASSERT_EQUAL(answered, 5);
	cg_json_free(params.answers);
	params.answers = NULL;
	params.answer = CLOUD_ANSWER_TEXTS;
	CU_ASSERT_EQUAL(
		cloud_resolve_interaction(client, &params, on_resolution, NULL, NULL),
		CG_INVALID);
	params.answer = CLOUD_ANSWER_ALLOW;
	params.token = NULL;
	CU_ASSERT_EQUAL(
		cloud_resolve_interaction(client, &params, on_resolution, NULL, NULL),
		CG_INVALID);
	teardown();
}

UNIT_SUITE(channel, UNIT_TEST(claims), UNIT_TEST(completes), UNIT_TEST(resolves_people),
	UNIT_TEST(binds_threads), UNIT_TEST(finds_threads), UNIT_TEST(prompts),
	UNIT_TEST(mirrors_cursors), UNIT_TEST(creates_interactions),
	UNIT_TEST(resolves_interactions));
