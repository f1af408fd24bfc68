/* SPDX-License-Identifier: Apache-2.0 */
/* What people answer, and what they say while the agent works. */
#include "tests/unit/control-plane/agents/opencode_rig.h"

static void ask(const char *type, const char *id, const char *session)
{
	opencode_event_of(type,
		"{\"id\":\"%s\",\"sessionID\":\"%s\",\"permission\":\"bash\","
		"\"questions\":[],"
		"\"tool\":{\"callID\":\"call_1\"}}",
		id, session);
}

static void leave_is_given_and_refused(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin_running(&rig, &turn);
	opencode_tool_is("running", "call_1");
	ask("permission.asked", "per_1", "S");
	ask("permission.asked", "per_1", "S"); /* told twice, asked once */
	CU_ASSERT_FALSE(opencode_acted(turn.turn)); /* it waits */
	CU_ASSERT_EQUAL(turn.turn->ask_count, 1);
	CU_ASSERT_EQUAL(
		agent_opencode.permission(rig.agent, turn.turn, "per_9", "once", NULL),
		CG_NOT_FOUND);
	CU_ASSERT_EQUAL(agent_opencode.permission(
				rig.agent, turn.turn, "per_1", "reject", "too dangerous"),
		CG_OK);
	CU_ASSERT_TRUE(
		opencode_asked("POST /permission/per_1/reply {\"reply\":\"reject\","
			       "\"message\":\"too dangerous\"}"));
	CU_ASSERT_FALSE(opencode_acted(turn.turn));
	ask("permission.asked", "per_2", "S");
	CU_ASSERT_EQUAL(agent_opencode.permission(
				rig.agent, turn.turn, "per_2", "always", "unused"),
		CG_OK);
	CU_ASSERT_TRUE(opencode_asked("{\"reply\":\"always\"}"));
	CU_ASSERT_TRUE(opencode_acted(turn.turn)); /* it may have begun at once */
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

static void questions_are_answered_or_not(void)
{
	struct json_object *answers = NULL;
	struct rig_turn turn;
	struct rig rig;

	opencode_begin_running(&rig, &turn);
	ask("question.asked", "que_1", "S");
	ask("question.asked", "que_2", "S");
	cg_json_parse("[[\"Blue\"]]", 10, &answers, NULL);
	CU_ASSERT_EQUAL(
		agent_opencode.question(rig.agent, turn.turn, "que_1", answers), CG_OK);
	CU_ASSERT_TRUE(
		opencode_asked("/question/que_1/reply {\"answers\":[[\"Blue\"]]}"));
	CU_ASSERT_EQUAL(
		agent_opencode.question(rig.agent, turn.turn, "que_2", NULL), CG_OK);
	CU_ASSERT_TRUE(opencode_asked("/question/que_2/reject"));
	CU_ASSERT_EQUAL(agent_opencode.question(rig.agent, turn.turn, "que_2", NULL),
		CG_NOT_FOUND);
	cg_json_free(answers);
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

static void helpers_ask_too_and_others_answer_too(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin_running(&rig, &turn);
	opencode_event_of("session.created",
		"{\"info\":{\"id\":\"%s\",\"parentID\":\"%s\"}}", "helper", "S");
	ask("permission.asked", "per_1", "helper");
	ask("permission.asked", "per_2", "stranger");
	CU_ASSERT_TRUE(rig_told(&turn, "per_1"));
	CU_ASSERT_FALSE(rig_told(&turn, "per_2"));
	opencode_event_of("permission.replied",
		"{\"sessionID\":\"helper\",\"requestID\":\"%s\",\"reply\":\"%s\"}",
		"per_1", "reject");
	CU_ASSERT_TRUE(
		rig_told(&turn, "event permission.resolved {\"permissionId\":\"per_1\""));
	CU_ASSERT_EQUAL(turn.turn->ask_count, 0);
	for (int i = 0; i <= OPENCODE_ASKS; i++) {
		char id[16];

		snprintf(id, sizeof(id), "per_a%d", i);
		ask("permission.asked", id, "S");
	}
	CU_ASSERT_EQUAL(turn.turn->ask_count, OPENCODE_ASKS);
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

/* An answer that the server has not heard leaves it waiting: it is asked what is open. */
static void an_answer_that_is_lost_is_looked_for(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin_running(&rig, &turn);
	ask("permission.asked", "per_1", "S");
	agent_opencode.permission(rig.agent, turn.turn, "per_1", "once", NULL);
	CU_ASSERT_FALSE(opencode_asked("/message?"));
	opencode_server_fake_refuse("/permission/per_1", CG_INVALID);
	CU_ASSERT_TRUE(opencode_asked("/message?"));
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

static const struct agent_prompt more = {
	.session_id = "s1", .command_id = "c2", .agent = "build", .text = "and this"};

static void what_is_said_meanwhile_is_heeded(void)
{
	struct rig_turn turn;
	struct rig rig;
	char id[OPENCODE_ID];

	opencode_begin_running(&rig, &turn);
	CU_ASSERT_EQUAL(agent_opencode.steer(rig.agent, turn.turn, &more), CG_OK);
	/* Right behind the newest message of the model, whatever clock the server has. */
	CU_ASSERT_TRUE(opencode_asked("prompt_async {\"messageID\":\"msg_0123456789ac"));
	CU_ASSERT_EQUAL(agent_opencode.steer(rig.agent, turn.turn, &more), CG_BUSY);
	opencode_server_fake_answer("/prompt_async", NULL);
	snprintf(id, sizeof(id), "%s", turn.turn->steers[0]);
	CU_ASSERT_TRUE(opencode_is_prompt(turn.turn, id));
	/* It comes to rest without a word on it: the server is about to begin again. */
	opencode_session_is_idle();
	opencode_list(turn.turn->message_id, "stop");
	CU_ASSERT_FALSE(turn.ended);
	opencode_server_fake_answer("/session/status", "{\"S\":{\"type\":\"busy\"}}");
	opencode_model_begins("msg_0123456789adAAAAAAAAAAAAAA", id);
	CU_ASSERT_FALSE(turn.turn->unheard);
	opencode_session_is_idle();
	opencode_list(id, "stop");
	rig_settle(&rig);
	CU_ASSERT_FALSE(rig_told(&turn, "too late"));
	RIG_ENDED(&turn, AGENT_COMPLETED, "");
	rig_finish(&rig);
}

static void what_comes_too_late_is_told(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin_running(&rig, &turn);
	agent_opencode.steer(rig.agent, turn.turn, &more);
	opencode_session_is_idle(); /* the answer to the request is waited for */
	CU_ASSERT_FALSE(opencode_asked("/message?"));
	opencode_server_fake_answer("/prompt_async", NULL);
	for (int i = 0; i < OPENCODE_LOOKS; i++) {
		CU_ASSERT_FALSE(turn.ended);
		CU_ASSERT_TRUE(opencode_list(turn.turn->message_id, "stop"));
		CU_ASSERT_TRUE(opencode_server_fake_answer("/session/status", "{}"));
		rig_pass(&rig, OPENCODE_POLL_MS);
	}
	CU_ASSERT_TRUE(rig_told(&turn, "replace c1:unheard:1 (What you said meanwhile"));
	RIG_ENDED(&turn, AGENT_COMPLETED, "");
	rig_finish(&rig);

	opencode_begin_running(&rig, &turn);
	agent_opencode.steer(rig.agent, turn.turn, &more);
	opencode_server_fake_refuse("/prompt_async", CG_INVALID);
	CU_ASSERT_TRUE(rig_told(&turn, "too late for the agent"));
	opencode_session_is_idle();
	opencode_list(turn.turn->message_id, "stop");
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_COMPLETED, "");
	rig_finish(&rig);
}

static void what_cannot_be_heeded_waits(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin(&rig);
	opencode_server_fake_up();
	rig_begin(&rig, &turn, "", "c1", "hello");
	CU_ASSERT_EQUAL(agent_opencode.steer(rig.agent, turn.turn, &more), CG_BUSY);
	opencode_server_fake_answer("/session", "{\"id\":\"S\"}");
	opencode_server_fake_answer("/prompt_async", NULL);
	/* The model has no message yet. */
	CU_ASSERT_EQUAL(agent_opencode.steer(rig.agent, turn.turn, &more), CG_BUSY);
	opencode_model_begins("msg_of_another_kind", turn.turn->message_id);
	CU_ASSERT_EQUAL(agent_opencode.steer(rig.agent, turn.turn, &more), CG_BUSY);
	opencode_model_begins(NEWEST, turn.turn->message_id);
	for (int i = 0; i < OPENCODE_STEERS; i++) {
		CU_ASSERT_EQUAL(agent_opencode.steer(rig.agent, turn.turn, &more), CG_OK);
		opencode_server_fake_answer("/prompt_async", NULL);
	}
	CU_ASSERT_EQUAL(agent_opencode.steer(rig.agent, turn.turn, &more), CG_BUSY);
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

UNIT_SUITE(opencode_people, UNIT_TEST(leave_is_given_and_refused),
	UNIT_TEST(questions_are_answered_or_not),
	UNIT_TEST(helpers_ask_too_and_others_answer_too),
	UNIT_TEST(an_answer_that_is_lost_is_looked_for),
	UNIT_TEST(what_is_said_meanwhile_is_heeded),
	UNIT_TEST(what_comes_too_late_is_told), UNIT_TEST(what_cannot_be_heeded_waits));
