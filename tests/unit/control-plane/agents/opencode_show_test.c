/* SPDX-License-Identifier: Apache-2.0 */
/* What people see of a turn while it runs. */
#include "tests/unit/control-plane/agents/opencode_rig.h"

static void delta(const char *part, const char *text)
{
	opencode_event_of("message.part.delta",
		"{\"sessionID\":\"S\",\"messageID\":\"" NEWEST
		"\",\"field\":\"text\",\"partID\":\"%s\",\"delta\":\"%s\"}",
		part, text);
}

static void parts_grow(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin_running(&rig, &turn);
	delta("prt_1", "too early"); /* of a part that nobody knows */
	opencode_model_says("prt_1", "");
	delta("prt_1", "one ");
	delta("prt_1", "two");
	opencode_model_says("prt_1", "one two.");
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&turn.log),
		"append c1:answer:prt_1 one \nappend c1:answer:prt_1 two\n"
		"replace c1:answer:prt_1 one two.\n");
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

static void what_is_not_its_own_is_not_shown(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin_running(&rig, &turn);
	opencode_model_begins("msg_of_another", "msg_of_nobody");
	opencode_event_of("message.part.updated",
		"{\"sessionID\":\"S\",\"part\":{\"id\":\"p\",\"messageID\":\"%s\","
		"\"type\":"
		"\"text\",\"text\":\"%s\"}}",
		"msg_of_another", "no");
	opencode_event_of("message.part.updated",
		"{\"sessionID\":\"T\",\"part\":{\"id\":\"p\",\"messageID\":\"%s\","
		"\"type\":"
		"\"text\",\"text\":\"%s\"}}",
		NEWEST, "no");
	opencode_event_of("message.part.updated",
		"{\"sessionID\":\"S\",\"part\":{\"id\":\"p\",\"messageID\":\"%s\","
		"\"type\":"
		"\"text\",\"synthetic\":true,\"text\":\"%s\"}}",
		NEWEST, "no");
	CU_ASSERT_EQUAL(turn.log.length, 0);
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

static void tools_and_costs_are_told_once(void)
{
	static const char step[] =
		"{\"sessionID\":\"S\",\"part\":{\"id\":\"%s\",\"messageID\":\"%s\","
		"\"type\":"
		"\"step-finish\",\"cost\":0.5,\"tokens\":{\"input\":3,\"output\":2}}}";
	struct rig_turn turn;
	struct rig rig;

	opencode_begin_running(&rig, &turn);
	opencode_tool_is("pending", "call_1");
	CU_ASSERT_EQUAL(turn.log.length, 0); /* it has no input yet */
	opencode_tool_is("running", "call_1");
	CU_ASSERT_TRUE(rig_told(&turn, "\"status\":\"running\""));
	CU_ASSERT_TRUE(opencode_acted(turn.turn));
	opencode_tool_is("completed", "call_1");
	CU_ASSERT_TRUE(rig_told(&turn, "\"status\":\"complete\""));
	cg_buffer_clear(&turn.log);
	opencode_event_of("message.part.updated", step, "prt_c", NEWEST);
	CU_ASSERT_TRUE(
		rig_told(&turn, "event cost.updated {\"id\":\"prt_c\",\"cost\":0.5"));
	cg_buffer_clear(&turn.log);
	opencode_event_of("message.part.updated", step, "prt_c", NEWEST);
	CU_ASSERT_EQUAL(turn.log.length, 0);
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

static void files_become_artifacts(void)
{
	static const char file[] =
		"{\"sessionID\":\"S\",\"part\":{\"id\":\"%s\",\"messageID\":\"" NEWEST
		"\",\"type\":\"file\",\"filename\":\"a.txt\",\"url\":\"%s\"}}";
	struct rig_turn turn;
	struct rig rig;

	opencode_begin_running(&rig, &turn);
	opencode_event_of(
		"message.part.updated", file, "prt_f", "data:text/plain;base64,aGk=");
	opencode_event_of(
		"message.part.updated", file, "prt_f", "data:text/plain;base64,aGk=");
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&turn.log), "artifact prt_f a.txt 2\n");
	opencode_event_of("message.part.updated", file, "prt_g", "http://example.org/a");
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&turn.log), "artifact prt_f a.txt 2\n");
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

/* Rings of what is known: the oldest gives its place. */
static void what_is_known_is_bounded(void)
{
	struct rig_turn turn;
	struct rig rig;
	char id[32];

	opencode_begin_running(&rig, &turn);
	CU_ASSERT_STRING_EQUAL(opencode_newest_message(turn.turn), NEWEST);
	for (int i = 0; i < OPENCODE_MESSAGES_KNOWN; i++) {
		snprintf(id, sizeof(id), "msg_%d", i);
		opencode_know_message(turn.turn, id);
		opencode_know_message(turn.turn, id);
	}
	CU_ASSERT_STRING_EQUAL(opencode_newest_message(turn.turn), id);
	opencode_model_says("prt_1", "of the one that is forgotten");
	CU_ASSERT_EQUAL(turn.log.length, 0);
	for (int i = 0; i <= OPENCODE_CHILDREN; i++) {
		snprintf(id, sizeof(id), "ses_%d", i);
		opencode_know_child(turn.turn, id);
	}
	CU_ASSERT_FALSE(opencode_is_child(turn.turn, "ses_0"));
	CU_ASSERT_TRUE(opencode_is_child(turn.turn, "ses_1"));
	CU_ASSERT_FALSE(opencode_is_child(turn.turn, ""));
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

UNIT_SUITE(opencode_show, UNIT_TEST(parts_grow),
	UNIT_TEST(what_is_not_its_own_is_not_shown),
	UNIT_TEST(tools_and_costs_are_told_once), UNIT_TEST(files_become_artifacts),
	UNIT_TEST(what_is_known_is_bounded));
