/* SPDX-License-Identifier: Apache-2.0 */
/* What a session looks like after its events. */
#include "control-plane/projection.h"

#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void snapshot(struct fixture *f, const char *binding)
{
	char path[160];

	fixture_settle(f);
	snprintf(path, sizeof(path), "/api/channels/sessions/%s/snapshot", binding);
	fixture_call(f, "GET", path, NULL);
	CU_ASSERT_EQUAL(f->status, 200);
}

static const char *view(struct fixture *f, const char *path)
{
	char full[160];

	snprintf(full, sizeof(full), "projection.view.%s", path);
	return fixture_text(f, full);
}

static void begin(struct fixture *f, const char **ret_binding)
{
	fixture_start(f);
	*ret_binding = fixture_bind(f, "c1");
	fixture_prompt(f, *ret_binding, "hello", "k1");
}

static void messages_are_put_together_byte_for_byte(void)
{
	struct fixture f;
	const char *binding;
	static const char *const pieces[] = {
		"Hello", ",", " world", "\n\n", "all", " all", "l"};

	begin(&f, &binding);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		f.turns[0].sink.append(
			f.turns[0].arg, "m1", pieces[i], strlen(pieces[i]));
		agent_tell(&f.turns[0], "session.status", "{\"statusType\":\"busy\"}");
		fixture_settle(&f);
	}
	snapshot(&f, binding);
	CU_ASSERT_STRING_EQUAL(
		view(&f, "messages.1.content"), "Hello, world\n\nall alll");
	/* An aborted turn leaves what it said. */
	f.turns[0].sink.ended(f.turns[0].arg, AGENT_CANCELLED, NULL);
	fixture_settle(&f);
	snapshot(&f, binding);
	CU_ASSERT_STRING_EQUAL(
		view(&f, "messages.1.content"), "Hello, world\n\nall alll");
	CU_ASSERT_STRING_EQUAL(view(&f, "status"), "idle");
	/* And the agent remembers it. */
	fixture_prompt(&f, binding, "go on", "k2");
	CU_ASSERT_STRING_EQUAL(f.turns[1].history, "u:hello|a:Hello, world\n\nall al|");
	f.turns[1].sink.append(f.turns[1].arg, "m2", "x", 1);
	f.turns[1].sink.replace(f.turns[1].arg, "m2", "the whole", 9);
	snapshot(&f, binding);
	CU_ASSERT_STRING_EQUAL(view(&f, "messages.3.content"), "the whole");
	CU_ASSERT_STRING_EQUAL(view(&f, "messages.4"), "");
	fixture_finish(&f);
}

static void tool_calls_keep_their_place_and_name(void)
{
	struct fixture f;
	const char *binding;

	begin(&f, &binding);
	agent_tell(&f.turns[0], "tool.call",
		"{\"id\":\"c1\",\"name\":\"bash\",\"input\":{\"command\":\"ls\"},"
		"\"status\":\"running\"}");
	agent_tell(&f.turns[0], "tool.call",
		"{\"id\":\"c2\",\"name\":\"read\",\"input\":{},\"status\":\"running\"}");
	agent_tell(&f.turns[0], "tool.call",
		"{\"id\":\"c1\",\"input\":{},\"status\":\"complete\",\"output\":\"a\"}");
	snapshot(&f, binding);
	CU_ASSERT_STRING_EQUAL(view(&f, "toolCalls.0.id"), "c1");
	CU_ASSERT_STRING_EQUAL(view(&f, "toolCalls.0.name"), "bash");
	CU_ASSERT_STRING_EQUAL(view(&f, "toolCalls.0.input.command"), "ls");
	CU_ASSERT_STRING_EQUAL(view(&f, "toolCalls.0.status"), "complete");
	CU_ASSERT_STRING_EQUAL(view(&f, "toolCalls.0.output"), "a");
	CU_ASSERT_STRING_EQUAL(view(&f, "toolCalls.0.order"), "4");
	CU_ASSERT_STRING_EQUAL(view(&f, "toolCalls.1.id"), "c2");
	CU_ASSERT_STRING_EQUAL(view(&f, "toolCalls.2"), "");
	fixture_finish(&f);
}

static void cost_counts_once(void)
{
	static const char step[] = "{\"id\":\"step-1\",\"cost\":0.25,\"tokens\":{"
				   "\"input\":900,\"output\":40,"
				   "\"reasoning\":3,\"cache\":{\"read\":7,\"write\":2}}}";
	struct fixture f;
	const char *binding;

	begin(&f, &binding);
	agent_tell(&f.turns[0], "cost.updated", step);
	agent_tell(&f.turns[0], "cost.updated", step);
	agent_tell(&f.turns[0], "cost.updated",
		"{\"id\":\"step-2\",\"cost\":0.5,\"tokens\":{\"input\":100}}");
	agent_tell(&f.turns[0], "cost.updated", "{\"id\":\"step-3\",\"cost\":1e300}");
	snapshot(&f, binding);
	CU_ASSERT_STRING_EQUAL(view(&f, "sessionCost"), "0.75");
	CU_ASSERT_STRING_EQUAL(view(&f, "sessionTokens.input"), "1000");
	CU_ASSERT_STRING_EQUAL(view(&f, "sessionTokens.cacheRead"), "7");
	fixture_finish(&f);
}

static void questions_are_answered_or_refused(void)
{
	struct fixture f;
	const char *binding;

	begin(&f, &binding);
	agent_tell(&f.turns[0], "permission.requested",
		"{\"permissionId\":\"p1\",\"id\":\"p1\",\"tool\":\"bash\",\"input\":{"
		"\"a\":1},"
		"\"description\":\"rm\"}");
	agent_tell(&f.turns[0], "permission.requested",
		"{\"permissionId\":\"p2\",\"id\":\"p2\"}");
	agent_tell(&f.turns[0], "question.asked",
		"{\"requestId\":\"q1\",\"id\":\"q1\",\"questions\":[{\"question\":"
		"\"Which?\"}]}");
	snapshot(&f, binding);
	CU_ASSERT_STRING_EQUAL(view(&f, "pendingApprovals.0.id"), "p1");
	CU_ASSERT_STRING_EQUAL(view(&f, "pendingApprovals.1.id"), "p2");
	CU_ASSERT_STRING_EQUAL(
		view(&f, "pendingQuestions.0.questions.0.question"), "Which?");
	CU_ASSERT_STRING_EQUAL(view(&f, "isGenerating"), "false");
	agent_tell(&f.turns[0], "permission.resolved",
		"{\"permissionId\":\"p1\",\"reply\":\"once\"}");
	agent_tell(&f.turns[0], "permission.resolved",
		"{\"permissionId\":\"p1\",\"reply\":\"reject\"}");
	snapshot(&f, binding);
	CU_ASSERT_STRING_EQUAL(view(&f, "pendingApprovals.0.id"), "p2");
	CU_ASSERT_STRING_EQUAL(view(&f, "resolvedApprovals.0.id"), "p1");
	CU_ASSERT_STRING_EQUAL(view(&f, "resolvedApprovals.0.allowed"), "true");
	/* What is open when the turn ends is refused, so that no button stays alive. */
	f.turns[0].sink.ended(f.turns[0].arg, AGENT_COMPLETED, NULL);
	snapshot(&f, binding);
	CU_ASSERT_STRING_EQUAL(view(&f, "pendingApprovals.0"), "");
	CU_ASSERT_STRING_EQUAL(view(&f, "pendingQuestions.0"), "");
	CU_ASSERT_STRING_EQUAL(view(&f, "resolvedApprovals.1.allowed"), "false");
	CU_ASSERT_STRING_EQUAL(view(&f, "resolvedQuestions.0.rejected"), "true");
	CU_ASSERT_STRING_EQUAL(view(&f, "status"), "idle");
	fixture_finish(&f);
}

static void the_rest_is_kept_too(void)
{
	struct fixture f;
	const char *binding;

	begin(&f, &binding);
	agent_tell(&f.turns[0], "todos.updated", "{\"todos\":[{\"content\":\"a\"}]}");
	agent_tell(&f.turns[0], "todos.updated", "{\"todos\":[{\"content\":\"b\"}]}");
	agent_tell(&f.turns[0], "artifact.created",
		"{\"artifactId\":\"a1\",\"filename\":\"x.txt\"}");
	agent_tell(&f.turns[0], "artifact.updated", "{\"artifactId\":\"a1\",\"size\":3}");
	agent_tell(&f.turns[0], "task.run",
		"{\"id\":\"t1\",\"title\":\"sub\",\"status\":\"running\"}");
	agent_tell(&f.turns[0], "something.new", "{\"ignored\":true}");
	snapshot(&f, binding);
	CU_ASSERT_STRING_EQUAL(view(&f, "todos.0.content"), "b");
	CU_ASSERT_STRING_EQUAL(view(&f, "artifacts.0.filename"), "x.txt");
	CU_ASSERT_STRING_EQUAL(view(&f, "artifacts.0.size"), "3");
	CU_ASSERT_STRING_EQUAL(view(&f, "taskRuns.0.title"), "sub");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "projection.sequence"), "9");
	fixture_finish(&f);
}

UNIT_SUITE(projection, UNIT_TEST(messages_are_put_together_byte_for_byte),
	UNIT_TEST(tool_calls_keep_their_place_and_name), UNIT_TEST(cost_counts_once),
	UNIT_TEST(questions_are_answered_or_refused), UNIT_TEST(the_rest_is_kept_too));
