/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal tells of one message. */
#include "gateway/journal/story.h"

#include "gateway/journal/cursor.h"
#include "tests/unit/gateway-journal/journal_rig.h"

static struct json_object *tell(struct rig *rig, const char *id, const char *way)
{
	journal_story(rig->journal, id, rig_on_json, rig);
	rig_await(rig);
	CU_ASSERT_EQUAL(rig->status, CG_OK);
	return cg_json_at(cg_json_array(rig->json, way), 0);
}

static bool says(struct json_object *entry, const char *key, const char *words)
{
	return strstr(cg_json_string_or(entry, key, ""), words) != NULL;
}

static void what_goes_out_says_where_it_is_and_what_is_next(void)
{
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_PTR_NULL(tell(&rig, "1", "outbound"));
	CU_ASSERT_EQUAL(rig_say(&rig, "1", "a"), CG_OK);
	CU_ASSERT_EQUAL(rig_say(&rig, "2", "a"), CG_OK);
	CU_ASSERT(says(tell(&rig, "1", "outbound"), "now", "not tried yet"));
	CU_ASSERT(says(tell(&rig, "2", "outbound"), "now", "behind 1 in its chat"));
	rig_sending(&rig, 1);
	CU_ASSERT(says(tell(&rig, "1", "outbound"), "now", "attempt 1 is under way"));
	rig_settle_as(&rig, 1, OUTBOX_UNKNOWN, RIG_NOW);
	CU_ASSERT(says(tell(&rig, "1", "outbound"), "now", "nobody knows"));
	rig_settle_as(&rig, 1, OUTBOX_DEAD, 0);
	CU_ASSERT(says(tell(&rig, "1", "outbound"), "now", "given up"));
	CU_ASSERT(says(tell(&rig, "1", "outbound"), "next", "deliveries retry"));
	CU_ASSERT(says(tell(&rig, "2", "outbound"), "now", "not tried yet"));
	rig_finish(&rig);
}

static void a_receipt_is_a_name_too(void)
{
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	rig_sending(&rig, 1);
	rig_settle_as(&rig, 1, OUTBOX_SENT, 0);
	CU_ASSERT(says(tell(&rig, "receipt", "outbound"), "now", "it has arrived"));
	CU_ASSERT(says(tell(&rig, "receipt", "outbound"), "next", "nothing"));
	CU_ASSERT_PTR_NULL(tell(&rig, "other", "outbound"));
	CU_ASSERT_EQUAL(cg_json_count(cg_json_array(rig.json, "outbound")), 0);
	CU_ASSERT_EQUAL(cg_json_count(cg_json_array(rig.json, "inbound")), 0);
	rig_finish(&rig);
}

/* Each of a chat waits for the one before it; what was said after it are its answers. */
static void what_came_in_names_its_answers(void)
{
	struct json_object *entry;
	struct rig rig;

	rig_start(&rig);
	rig_store_message(&rig, "one", "first text");
	rig_store_message(&rig, "two", "second text");
	CU_ASSERT(says(tell(&rig, "one", "inbound"), "now", "the next of its chat"));
	CU_ASSERT(says(tell(&rig, "two", "inbound"), "now", "waits behind 1"));
	CU_ASSERT_EQUAL(rig_finish_message(&rig, 1, INBOX_HANDED, NULL, 0), CG_OK);
	rig.now_ms += 10;
	rig_say(&rig, "answer", "chat");
	rig_say(&rig, "elsewhere", "other");
	entry = tell(&rig, "one", "inbound");
	CU_ASSERT(says(entry, "now", "has been dealt with"));
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(entry, "text", ""), "first text");
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(entry, "state", ""), "handed");
	CU_ASSERT_EQUAL(cg_json_count(cg_json_array(entry, "steps")), 3);
	/* The second came before the answer: it is that one's. */
	CU_ASSERT_EQUAL(cg_json_count(cg_json_array(entry, "answers")), 0);
	entry = tell(&rig, "two", "inbound");
	CU_ASSERT_STRING_EQUAL(cg_json_text(cg_json_array(entry, "answers"), NULL),
		"[{\"deliveryId\":\"answer\",\"state\":\"pending\"}]");
	CU_ASSERT_EQUAL(rig_finish_message(&rig, 2, INBOX_DEAD, NULL, 0), CG_OK);
	CU_ASSERT(says(tell(&rig, "two", "inbound"), "now", "given up: deadline"));
	rig_finish(&rig);
}

static void what_came_in_names_the_session_of_its_thread(void)
{
	struct cursor cursor = {.binding_id = "b1",
		.session_id = "s1",
		.instance = "telegram",
		.chat_id = "chat",
		.generation = 1,
		.agent_id = "coder",
		.active_ms = RIG_NOW};
	struct json_object *steps;
	struct rig rig;

	rig_start(&rig);
	rig_store_message(&rig, "one", "first text");
	cursor_store(rig.journal, &cursor, rig_done, &rig);
	rig_await(&rig);
	steps = cg_json_array(tell(&rig, "one", "inbound"), "steps");
	CU_ASSERT_EQUAL(cg_json_count(steps), 3);
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(cg_json_at(steps, 2), "text", ""),
		"its chat thread is bound to session s1, the conversation number 2 "
		"there, of agent coder");
	rig_finish(&rig);
}

static void a_story_is_bounded(void)
{
	struct cg_inbound in = rig_message("same", "text");
	struct rig rig;
	char instance[16];

	rig_start(&rig);
	for (int i = 0; i < STORY_MATCHES + 1; i++) {
		snprintf(instance, sizeof(instance), "channel-%d", i);
		CU_ASSERT_EQUAL(rig_submit(&rig, instance, &in), CG_VERDICT_COMMITTED);
	}
	tell(&rig, "same", "inbound");
	CU_ASSERT_EQUAL(cg_json_count(cg_json_array(rig.json, "inbound")), STORY_MATCHES);
	rig.now_ms += 1;
	for (int i = 0; i < STORY_ANSWERS + 1; i++) {
		struct obligation answer;
		char id[16];

		snprintf(id, sizeof(id), "answer-%d", i);
		answer = rig_obligation(id, "chat");
		answer.instance = "channel-0";
		CU_ASSERT_EQUAL(rig_oblige(&rig, &answer, 1), CG_OK);
	}
	CU_ASSERT_EQUAL(
		cg_json_count(cg_json_array(tell(&rig, "same", "inbound"), "answers")),
		STORY_ANSWERS);
	rig_finish(&rig);
}

UNIT_SUITE(story, UNIT_TEST(what_goes_out_says_where_it_is_and_what_is_next),
	UNIT_TEST(a_receipt_is_a_name_too), UNIT_TEST(what_came_in_names_its_answers),
	UNIT_TEST(what_came_in_names_the_session_of_its_thread),
	UNIT_TEST(a_story_is_bounded));
