/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens answer once, in the right hands and the right chat, and tell nothing otherwise. */
#include "control-plane/interaction.h"

#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CREATE "/api/channels/interactions"
#define RESOLVE "/api/channels/interactions/resolve"

struct asked {
	char binding[64];
	char session[96];
	char token[INTERACTION_TOKEN];
};

static void ask(struct fixture *f, struct asked *asked, const char *kind,
	const char *target, const char *more)
{
	char body[640];

	snprintf(body, sizeof(body),
		"{\"agentId\":\"cowgate\",\"sessionBindingId\":\"%s\",\"sessionId\":\"%"
		"s\","
		"\"provider\":\"telegram\",\"kind\":\"%s\",\"targetId\":\"%s\"%s}",
		asked->binding, asked->session, kind, target, more);
	fixture_call(f, "POST", CREATE, body);
	snprintf(asked->token, sizeof(asked->token), "%s",
		fixture_text(f, "plaintextToken"));
}

/* A running turn that asks for the permission p1. */
static void begin(struct fixture *f, struct asked *asked)
{
	fixture_start(f);
	snprintf(asked->binding, sizeof(asked->binding), "%s", fixture_bind(f, "c1"));
	fixture_prompt(f, asked->binding, "hello", "k1");
	snprintf(asked->session, sizeof(asked->session), "%s",
		fixture_text(f, "binding.sessionId"));
	agent_tell(&f->turns[0], "permission.requested",
		"{\"permissionId\":\"p1\",\"id\":\"p1\",\"tool\":\"bash\"}");
	fixture_settle(f);
	ask(f, asked, "permission", "p1", "");
	CU_ASSERT_EQUAL(f->status, 201);
}

static void resolve(struct fixture *f, const char *token, const char *user,
	const char *chat, const char *answer)
{
	char body[640];

	snprintf(body, sizeof(body),
		"{\"token\":\"%s\",\"provider\":\"telegram\",\"externalUserId\":\"%s\","
		"\"externalChatId\":\"%s\",%s}",
		token, user, chat, answer);
	fixture_call(f, "POST", RESOLVE, body);
}

static void interaction_has_the_shape_of_the_cloud(void)
{
	struct fixture f;
	struct asked asked;

	begin(&f, &asked);
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, ""), "interaction plaintextToken");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, "interaction"),
		"interactionId orgId agentId channelBindingId sessionBindingId sessionId "
		"provider "
		"externalInteractionId kind targetId status createdByIdentityId "
		"expiresAt usedAt "
		"createdAt updatedAt");
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "interaction.expiresAt"), "2027-01-15T08:30:00.000Z");
	CU_ASSERT_TRUE(strlen(asked.token) <= 48); /* a button of 64 bytes takes it */
	CU_ASSERT_EQUAL(strncmp(asked.token, "occi_", 5), 0);
	resolve(&f, asked.token, "1", "c1", "\"response\":{\"allowed\":true}");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, ""),
		"command processed view projectionFence interaction");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "command.kind"), "permission.respond");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "command.payload.permissionId"), "p1");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "interaction.status"), "used");
	fixture_finish(&f);
}

static void answer_reaches_the_turn_once(void)
{
	struct fixture f;
	struct asked asked;
	char command[96];

	begin(&f, &asked);
	resolve(&f, asked.token, "1", "c1", "\"response\":\"allow\"");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_EQUAL(f.turns[0].permission, "p1=once");
	snprintf(command, sizeof(command), "%s", fixture_text(&f, "command.commandId"));
	f.turns[0].permission[0] = '\0';
	/* The same answer by the same person is a repeat and does nothing. */
	resolve(&f, asked.token, "1", "c1", "\"response\":\"allow\"");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "command.commandId"), command);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "command.status"), "acked");
	CU_ASSERT_STRING_EQUAL(f.turns[0].permission, "");
	/* Anything else finds the token spent. */
	resolve(&f, asked.token, "1", "c1", "\"response\":\"deny\"");
	CU_ASSERT_EQUAL(f.status, 409);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "interactions.answered");
	resolve(&f, asked.token, "2", "c1", "\"response\":\"allow\"");
	CU_ASSERT_EQUAL(f.status, 409);
	CU_ASSERT_STRING_EQUAL(f.turns[0].permission, "");
	fixture_finish(&f);
}

static void answers_are_understood(void)
{
	static const char *const table[][2] = {
		{"\"response\":true", "p1=once"},
		{"\"response\":\"once\"", "p1=once"},
		{"\"response\":\"always\"", "p1=always"},
		{"\"response\":{\"allowed\":false}", "p1=reject"},
		{"\"response\":false", "p1=reject"},
		{"\"response\":\"yes please\"", "p1=reject"},
		{"\"response\":7", "p1=reject"},
		{"\"nothing\":1", "p1=reject"},
	};
	struct fixture f;
	struct asked asked;

	begin(&f, &asked);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ask(&f, &asked, "permission", "p1", "");
		resolve(&f, asked.token, "1", "c1", table[i][0]);
		CU_ASSERT_EQUAL(f.status, 202);
		CU_ASSERT_STRING_EQUAL(f.turns[0].permission, table[i][1]);
	}
	ask(&f, &asked, "question", "q1", "");
	resolve(&f, asked.token, "2", "c1", "\"answers\":[[\"pg\"],\"sqlite\"]");
	CU_ASSERT_STRING_EQUAL(f.turns[0].question, "q1=[[\"pg\"],[\"sqlite\"]]");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "command.kind"), "question.reply");
	ask(&f, &asked, "question", "q2", "");
	resolve(&f, asked.token, "2", "c1", "\"reject\":true");
	CU_ASSERT_STRING_EQUAL(f.turns[0].question, "q2=rejected");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "command.kind"), "question.reject");
	fixture_finish(&f);
}

static void what_is_wrong_is_said_to_those_who_belong_here(void)
{
	static const char refused[] = "Channel interaction was not found.";
	struct fixture f;
	struct asked asked;
	char path[128];

	begin(&f, &asked);
	resolve(&f, "occi_ci_AAAAAAAAAAAAAAAA_AAAAAAAAAAAAAAAAAAAAAA", "1", "c1",
		"\"response\":\"allow\"");
	CU_ASSERT_EQUAL(f.status, 404);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "error"), refused);
	resolve(&f, asked.token, "1", "another-chat", "\"response\":\"allow\"");
	CU_ASSERT_EQUAL(f.status, 404);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "error"), refused);
	resolve(&f, asked.token, "99", "c1", "\"response\":\"allow\"");
	CU_ASSERT_EQUAL(f.status, 404);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "error"), refused);
	/* A viewer. */
	fixture_call_as(&f, PLANE_OPERATOR, "GET", "/api/channels/people", NULL);
	snprintf(path, sizeof(path), "/api/channels/people/%s",
		fixture_text(&f, "people.0.identityId"));
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "people.0.externalUserId"), "2");
	fixture_call_as(&f, PLANE_OPERATOR, "POST", path, "{\"role\":\"viewer\"}");
	resolve(&f, asked.token, "2", "c1", "\"response\":\"allow\"");
	CU_ASSERT_EQUAL(f.status, 403);
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "verdict.policyCode"), "gateway-actor-rbac-required");
	/* An approver may answer, though not prompt. */
	fixture_call_as(&f, PLANE_OPERATOR, "POST", path, "{\"role\":\"approver\"}");
	CU_ASSERT_STRING_EQUAL(f.turns[0].permission, "");
	resolve(&f, asked.token, "2", "c1", "\"response\":\"allow\"");
	CU_ASSERT_EQUAL(f.status, 202);
	/* Late. */
	ask(&f, &asked, "permission", "p1", "");
	f.now += INTERACTION_LIFE_MS;
	resolve(&f, asked.token, "1", "c1", "\"response\":\"allow\"");
	CU_ASSERT_EQUAL(f.status, 404);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "interactions.expired");
	/* Without the chat it is not even looked at. */
	fixture_call(&f, "POST", RESOLVE, "{\"token\":\"x\",\"provider\":\"telegram\"}");
	CU_ASSERT_EQUAL(f.status, 400);
	fixture_finish(&f);
}

static void token_dies_with_its_turn(void)
{
	struct fixture f;
	struct asked asked;

	begin(&f, &asked);
	f.turns[0].sink.ended(f.turns[0].arg, AGENT_COMPLETED, NULL);
	fixture_settle(&f);
	resolve(&f, asked.token, "1", "c1", "\"response\":\"allow\"");
	CU_ASSERT_EQUAL(f.status, 404);
	CU_ASSERT_STRING_EQUAL(f.turns[0].permission, "");
	fixture_finish(&f);
}

/* Several chats may show the same question: the first answer settles it for all. */
static void first_answer_wins(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	struct asked asked;
	char first[INTERACTION_TOKEN], path[160];

	begin(&f, &asked);
	snprintf(first, sizeof(first), "%s", asked.token);
	ask(&f, &asked, "permission", "p1", "");
	snprintf(path, sizeof(path), "/api/channels/sessions/%s/events", asked.binding);
	fixture_open(&f, &stream, path, "after=4");
	resolve(&f, first, "1", "c1",
		"\"response\":\"reject\",\"message\":\"not today\"");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_EQUAL(f.turns[0].permission, "p1=reject: not today");
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream), "permission.resolved");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.reply"), "reject");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.allowed"), "false");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.message"), "not today");
	resolve(&f, asked.token, "2", "c1", "\"response\":\"allow\"");
	CU_ASSERT_EQUAL(f.status, 404);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "interactions.expired");
	CU_ASSERT_STRING_EQUAL(f.turns[0].permission, "p1=reject: not today");
	fixture_close(&stream);
	fixture_finish(&f);
}

/* The clock of the test stands until it is moved, so only what is due is refused. */
static void until_refused(struct fixture *f, const char *answer)
{
	for (int i = 0; i < 5000 && answer[0] == '\0'; i++) {
		loop_turn(f->loop);
		poll(NULL, 0, 1);
	}
	fixture_settle(f);
}

static void nobody_answers_in_time(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	struct asked asked;
	char path[160];

	begin(&f, &asked);
	f.repeatable = true;
	f.ask_ms = 2;
	fixture_restart(&f); /* the turn begins anew, and asks */
	snprintf(path, sizeof(path), "/api/channels/sessions/%s/events", asked.binding);
	fixture_open(&f, &stream, path, "after=6");
	agent_tell(&f.turns[1], "permission.requested",
		"{\"permissionId\":\"p2\",\"id\":\"p2\"}");
	f.now += 1;
	agent_tell(&f.turns[1], "question.asked", "{\"requestId\":\"q1\",\"id\":\"q1\"}");
	f.now += 1;
	until_refused(&f, f.turns[1].permission);
	CU_ASSERT_STRING_EQUAL(f.turns[1].permission, "p2=reject");
	CU_ASSERT_STRING_EQUAL(f.turns[1].question, "");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.reason"), "expired");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.permissionId"), "p2");
	f.now += 1;
	until_refused(&f, f.turns[1].question);
	CU_ASSERT_STRING_EQUAL(f.turns[1].question, "q1=rejected");
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream),
		"permission.requested question.asked permission.resolved "
		"question.resolved");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.reason"), "expired");
	snprintf(path, sizeof(path), "/api/channels/sessions/%s/snapshot", asked.binding);
	fixture_call(&f, "GET", path, NULL);
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "projection.view.pendingApprovals"), "[]");
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "projection.view.pendingQuestions"), "[]");
	fixture_close(&stream);
	fixture_finish(&f);
}

/* The daemon stops while somebody is asked; the turn is gone, and everybody is told. */
static void what_was_asked_before_a_restart_is_expired(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	struct asked asked;
	char path[160];

	begin(&f, &asked);
	fixture_restart(&f);
	snprintf(path, sizeof(path), "/api/channels/sessions/%s/events", asked.binding);
	fixture_open(&f, &stream, path, "after=4");
	CU_ASSERT_STRING_EQUAL(
		fixture_types(&stream), "permission.resolved runtime.error");
	resolve(&f, asked.token, "1", "c1", "\"response\":\"allow\"");
	CU_ASSERT_EQUAL(f.status, 404);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "interactions.expired");
	snprintf(path, sizeof(path), "/api/channels/sessions/%s/snapshot", asked.binding);
	fixture_call(&f, "GET", path, NULL);
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "projection.view.resolvedApprovals.0.allowed"), "false");
	fixture_close(&stream);
	fixture_finish(&f);
}

/* The same, of a turn that begins anew: it asks again, and only that can be answered. */
static void what_a_repeated_turn_asks_again_is_answered_anew(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	struct asked asked;
	char path[160], old[INTERACTION_TOKEN];

	begin(&f, &asked);
	fixture_prompt(&f, asked.binding, "behind it", "k2");
	f.repeatable = true;
	fixture_restart(&f);
	memcpy(old, asked.token, sizeof(old));
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 2);
	CU_ASSERT_EQUAL(f.turns[1].attempt, 2);
	agent_tell(&f.turns[1], "permission.requested",
		"{\"permissionId\":\"p1\",\"id\":\"p1\",\"tool\":\"bash\"}");
	fixture_settle(&f);
	snprintf(path, sizeof(path), "/api/channels/sessions/%s/events", asked.binding);
	fixture_open(&f, &stream, path, "after=4");
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream),
		"permission.resolved session.status permission.requested");
	resolve(&f, old, "1", "c1", "\"response\":\"allow\"");
	CU_ASSERT_EQUAL(f.status, 404);
	ask(&f, &asked, "permission", "p1", "");
	resolve(&f, asked.token, "1", "c1", "\"response\":\"allow\"");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_EQUAL(f.turns[1].permission, "p1=once");
	f.turns[1].sink.ended(f.turns[1].arg, AGENT_COMPLETED, NULL);
	fixture_settle(&f);
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 3);
	CU_ASSERT_STRING_EQUAL(f.turns[2].text, "behind it");
	fixture_close(&stream);
	fixture_finish(&f);
}

/* The same, of a turn that its agent still has: the question stands, and so does the
 * token, until it is answered or nobody has in time. */
static void what_a_running_turn_asks_outlives_a_restart(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	struct asked asked;
	char path[160];

	begin(&f, &asked);
	agent_tell(&f.turns[0], "question.asked", "{\"requestId\":\"q1\",\"id\":\"q1\"}");
	fixture_settle(&f);
	fixture_prompt(&f, asked.binding, "behind it", "k2");
	f.settles = CG_OK;
	f.ask_ms = 2;
	fixture_restart(&f);
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 2);
	CU_ASSERT_TRUE(f.turns[1].settled);
	snprintf(path, sizeof(path), "/api/channels/sessions/%s/events", asked.binding);
	fixture_open(&f, &stream, path, "after=5");
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream), "");
	resolve(&f, asked.token, "1", "c1", "\"response\":\"allow\"");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_EQUAL(f.turns[1].permission, "p1=once");
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream), "permission.resolved");
	/* Nobody answers the question: the agent need not have told of it again. */
	f.now += 2;
	until_refused(&f, f.turns[1].question);
	CU_ASSERT_STRING_EQUAL(f.turns[1].question, "q1=rejected");
	f.turns[1].sink.ended(f.turns[1].arg, AGENT_COMPLETED, NULL);
	fixture_settle(&f);
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream),
		"permission.resolved question.resolved session.idle session.status "
		"prompt.submitted");
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 3);
	CU_ASSERT_STRING_EQUAL(f.turns[2].text, "behind it");
	fixture_close(&stream);
	fixture_finish(&f);
}

static void token_is_kept_as_a_hash(void)
{
	struct fixture f;
	struct asked asked;

	begin(&f, &asked);
	CU_ASSERT_FALSE(fixture_stored(&f, asked.token + 25));
	CU_ASSERT_TRUE(fixture_stored(&f, "interaction_id")); /* the search works */
	fixture_finish(&f);
}

static void interaction_can_be_named_by_the_caller(void)
{
	static const char named[] = ",\"interactionId\":\"mine-1\",\"tokenSecret\":"
				    "\"abcdefghijklmnopqrstuv\"";
	struct fixture f;
	struct asked asked;
	char first[INTERACTION_TOKEN];

	begin(&f, &asked);
	ask(&f, &asked, "permission", "p1", named);
	CU_ASSERT_EQUAL(f.status, 201);
	snprintf(first, sizeof(first), "%s", asked.token);
	ask(&f, &asked, "permission", "p1", named);
	CU_ASSERT_EQUAL(f.status, 201);
	CU_ASSERT_STRING_EQUAL(asked.token, first);
	ask(&f, &asked, "permission", "p2", named);
	CU_ASSERT_EQUAL(f.status, 409);
	ask(&f, &asked, "permission", "p1", ",\"tokenSecret\":\"too short\"");
	CU_ASSERT_EQUAL(f.status, 400);
	resolve(&f, first, "1", "c1", "\"response\":\"allow\"");
	CU_ASSERT_EQUAL(f.status, 202);
	fixture_finish(&f);
}

static void interaction_belongs_together(void)
{
	struct fixture f;
	struct asked asked, other;

	begin(&f, &asked);
	other = asked;
	snprintf(other.binding, sizeof(other.binding), "%s", fixture_bind(&f, "c2"));
	ask(&f, &other, "permission", "p1", "");
	CU_ASSERT_EQUAL(f.status, 403);
	snprintf(other.binding, sizeof(other.binding), "nope");
	ask(&f, &other, "permission", "p1", "");
	CU_ASSERT_EQUAL(f.status, 403);
	ask(&f, &asked, "dance", "p1", "");
	CU_ASSERT_EQUAL(f.status, 400);
	fixture_finish(&f);
}

static void interactions_are_bounded(void)
{
	struct fixture f;
	struct asked asked;

	begin(&f, &asked);
	for (int i = 1; i < INTERACTION_PENDING; i++) {
		ask(&f, &asked, "permission", "p1", "");
		CU_ASSERT_EQUAL(f.status, 201);
	}
	ask(&f, &asked, "permission", "p1", "");
	CU_ASSERT_EQUAL(f.status, 429);
	f.now += INTERACTION_LIFE_MS;
	ask(&f, &asked, "permission", "p1", "");
	CU_ASSERT_EQUAL(f.status, 201);
	fixture_finish(&f);
}

UNIT_SUITE(interaction, UNIT_TEST(interaction_has_the_shape_of_the_cloud),
	UNIT_TEST(answer_reaches_the_turn_once), UNIT_TEST(answers_are_understood),
	UNIT_TEST(what_is_wrong_is_said_to_those_who_belong_here),
	UNIT_TEST(token_dies_with_its_turn), UNIT_TEST(first_answer_wins),
	UNIT_TEST(nobody_answers_in_time),
	UNIT_TEST(what_was_asked_before_a_restart_is_expired),
	UNIT_TEST(what_a_repeated_turn_asks_again_is_answered_anew),
	UNIT_TEST(what_a_running_turn_asks_outlives_a_restart),
	UNIT_TEST(token_is_kept_as_a_hash),
	UNIT_TEST(interaction_can_be_named_by_the_caller),
	UNIT_TEST(interaction_belongs_together), UNIT_TEST(interactions_are_bounded));
