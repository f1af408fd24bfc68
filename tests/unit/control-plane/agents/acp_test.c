/* SPDX-License-Identifier: Apache-2.0 */
/* What the program and we say to each other, on good and on bad days. */
#include "tests/unit/control-plane/agents/acp_rig.h"

static void a_command_is_needed(void)
{
	static const char *const none[] = {NULL};
	struct cg_error err;
	struct rig rig;

	rig_init(&rig, &agent_acp);
	CU_ASSERT_EQUAL(rig_create(&rig, &err), CG_INVALID);
	rig.options.command = none;
	CU_ASSERT_EQUAL(rig_create(&rig, &err), CG_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "OPEN_COWORK_GATEWAY_AGENT_COMMAND"));
	rig_finish(&rig);
}

static void it_introduces_itself(void)
{
	struct cg_error err;
	struct rig rig;

	acp_begin(&rig);
	CU_ASSERT_EQUAL(agent_acp.health(rig.agent, &err), CG_NETWORK);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "is starting"));
	child_fake_start();
	CU_ASSERT_TRUE(acp_heard("\"id\":1,\"method\":\"initialize\""));
	child_fake_say(ACP_HELLO);
	CU_ASSERT_EQUAL(agent_acp.health(rig.agent, NULL), CG_OK);
	CU_ASSERT_TRUE(child_fake.well);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.notices, "agent.ready"));
	CU_ASSERT_FALSE(agent_acp.repeatable(rig.agent, NULL));
	child_fake_die("it has gone");
	CU_ASSERT_EQUAL(agent_acp.health(rig.agent, &err), CG_NETWORK);
	CU_ASSERT_STRING_EQUAL(err.text, "it has gone");
	rig_finish(&rig);
}

static void expect_rejected(const char *hello, const char *why)
{
	struct cg_error err;
	struct rig rig;

	acp_begin_ready(&rig, hello);
	CU_ASSERT_EQUAL(child_fake.restarts, 1);
	child_fake_die("killed");
	CU_ASSERT_NOT_EQUAL(agent_acp.health(rig.agent, &err), CG_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, why)); /* and not that it was killed */
	rig_finish(&rig);
}

static void one_that_cannot_be_spoken_to_is_ended(void)
{
	struct cg_error err;
	struct rig rig;

	expect_rejected(ACP_RESULT(1, "{\"protocolVersion\":2}"), "another version");
	expect_rejected("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":"
			"\"no licence\"}}",
		"no licence");
	acp_begin(&rig);
	child_fake_start();
	rig_pass(&rig, ACP_OPEN_MS - 1);
	CU_ASSERT_EQUAL(child_fake.restarts, 0);
	rig_pass(&rig, 1);
	CU_ASSERT_EQUAL(child_fake.restarts, 1);
	CU_ASSERT_NOT_EQUAL(agent_acp.health(rig.agent, &err), CG_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "does not answer"));
	rig_finish(&rig);
}

static void what_is_not_offered_is_refused(void)
{
	struct rig rig;

	acp_begin_ready(&rig, ACP_HELLO);
	child_fake_say(
		"{\"jsonrpc\":\"2.0\",\"id\":\"x-1\",\"method\":\"fs/read_text_file\"}");
	CU_ASSERT_TRUE(acp_heard("\"id\":\"x-1\",\"error\":{\"code\":-32601"));
	/* Nobody's session: nobody is asked. */
	child_fake_say(ACP_WANTS("nobody", "x-2", "t1"));
	CU_ASSERT_TRUE(acp_heard("\"id\":\"x-2\",\"result\":{\"outcome\":{\"outcome\":"
				 "\"cancelled\"}}"));
	rig_finish(&rig);
}

static void nonsense_is_told_once_and_survived(void)
{
	struct rig rig;

	acp_begin_ready(&rig, ACP_HELLO);
	child_fake_say("");
	child_fake_say("Debugger listening on ws://");
	child_fake_say("[]");
	child_fake_say("{\"id\":1}"); /* an answer that nobody waits for */
	child_fake_say(ACP_RESULT(99, "{}"));
	child_fake_say(ACP_SAYS("nobody", "hi"));
	child_fake_say("{\"jsonrpc\":\"2.0\",\"method\":\"brand/new\"}");
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.notices, "agent.nonsense"));
	CU_ASSERT_PTR_NULL(strstr(strstr(rig.notices, "nonsense") + 1, "nonsense"));
	CU_ASSERT_EQUAL(child_fake.read.length, 0);
	CU_ASSERT_EQUAL(child_fake.restarts, 0);
	/* A line without end cannot be understood, and it may have been an answer. */
	child_fake.child->options.on_line(rig.agent, "{", 1, false);
	CU_ASSERT_EQUAL(child_fake.restarts, 1);
	rig_finish(&rig);
}

static void one_that_does_not_read_is_ended(void)
{
	struct acp_request *request;
	struct rig rig;

	acp_begin_ready(&rig, ACP_HELLO);
	child_fake.deaf = true;
	CU_ASSERT_EQUAL(acp_call(rig.agent, "x", NULL, NULL, NULL, &request), CG_LIMIT);
	CU_ASSERT_EQUAL(child_fake.restarts, 1);
	rig_finish(&rig);
}

static void on_nothing(void *arg, struct json_object *result, struct json_object *error)
{
	int *calls = arg;

	CU_ASSERT_PTR_NOT_NULL(result); /* also where the program gave none */
	CU_ASSERT_PTR_NULL(error);
	(*calls)++;
}

static void requests_are_bounded_and_answered_once(void)
{
	struct acp_request *request, *last = NULL;
	struct rig rig;
	int calls = 0;

	acp_begin_ready(&rig, ACP_HELLO);
	for (int i = 0; i < ACP_REQUESTS; i++)
		CU_ASSERT_EQUAL(
			acp_call(rig.agent, "x", NULL, on_nothing, &calls, &last), CG_OK);
	CU_ASSERT_EQUAL(
		acp_call(rig.agent, "x", NULL, on_nothing, &calls, &request), CG_LIMIT);
	child_fake_say("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":null}");
	child_fake_say(ACP_RESULT(2, "{}"));
	CU_ASSERT_EQUAL(calls, 1);
	CU_ASSERT_EQUAL(
		acp_call(rig.agent, "x", NULL, on_nothing, &calls, &request), CG_OK);
	acp_forget(rig.agent, request);
	acp_forget(rig.agent, NULL);
	child_fake_say(ACP_RESULT(258, "{}"));
	CU_ASSERT_EQUAL(calls, 1);
	rig_finish(&rig);
}

static void turns_are_bounded(void)
{
	struct rig_turn turns[ACP_TURNS + 1];
	const struct agent_prompt prompt = {.session_id = "s",
		.runtime_session_id = "",
		.command_id = "c",
		.text = ""};
	struct cg_error err;
	struct rig rig;

	acp_begin(&rig);
	for (size_t i = 0; i < ACP_TURNS; i++)
		rig_begin(&rig, &turns[i], "", "c", "hi");
	CU_ASSERT_EQUAL(agent_acp.start(rig.agent, &prompt, NULL, NULL,
				&turns[ACP_TURNS].turn, &err),
		CG_LIMIT);
	CU_ASSERT_STRING_EQUAL(err.text, "too many turns under way");
	rig_finish(&rig); /* they end without a call */
	for (size_t i = 0; i < ACP_TURNS; i++)
		CU_ASSERT_FALSE(turns[i].ended);
}

UNIT_SUITE(acp, UNIT_TEST(a_command_is_needed), UNIT_TEST(it_introduces_itself),
	UNIT_TEST(one_that_cannot_be_spoken_to_is_ended),
	UNIT_TEST(what_is_not_offered_is_refused),
	UNIT_TEST(nonsense_is_told_once_and_survived),
	UNIT_TEST(one_that_does_not_read_is_ended),
	UNIT_TEST(requests_are_bounded_and_answered_once), UNIT_TEST(turns_are_bounded));
