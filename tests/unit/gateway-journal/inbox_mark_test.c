/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-journal/journal_rig.h"

/* What was listed, one line a message. */
struct listed {
	struct rig *rig; /* waits */
	char text[2048];
	size_t count;
};

static const char *shown(const char *text)
{
	return text == NULL ? "-" : text;
}

static void on_listed(void *arg, enum cg_status status,
	const struct inbox_marked *const *marked, size_t count)
{
	struct listed *listed = arg;
	size_t at = 0;

	CU_ASSERT_EQUAL(status, CG_OK);
	listed->count = count;
	listed->text[0] = '\0';
	for (size_t i = 0; i < count && i < 8; i++)
		at += (size_t)snprintf(listed->text + at, sizeof(listed->text) - at,
			"%d %d %s %s %s%s%s%s%s\n", (int)marked[i]->id,
			(int)marked[i]->mark.state, shown(marked[i]->mark.binding_id),
			shown(marked[i]->mark.command_id),
			shown(marked[i]->mark.answer_id),
			marked[i]->closed ? " closed" : "",
			marked[i]->dead ? " dead" : "",
			marked[i]->decided ? " decided" : "",
			marked[i]->open ? " open" : "");
	if (count > 0) {
		CU_ASSERT_STRING_EQUAL(marked[0]->instance, "telegram");
		CU_ASSERT_STRING_EQUAL(marked[0]->chat_id, "chat");
		CU_ASSERT_STRING_EQUAL(marked[0]->user_id, "user");
		CU_ASSERT_STRING_EQUAL(marked[0]->message_id, "70");
		CU_ASSERT(marked[0]->is_direct);
	}
	rig_answer(listed->rig);
}

static void expect(struct rig *rig, const char *lines)
{
	struct listed listed = {.rig = rig};

	inbox_list_marked(rig->journal, on_listed, &listed);
	rig_await(rig);
	CU_ASSERT_STRING_EQUAL(listed.text, lines);
}

static void hear(struct rig *rig, const char *event_id)
{
	struct cg_inbound inbound = rig_message(event_id, "text");

	inbound.message_id = "70";
	inbound.target.chat_id = "chat";
	inbound.target.is_direct = true;
	CU_ASSERT_EQUAL(rig_submit(rig, "telegram", &inbound), CG_VERDICT_COMMITTED);
}

static void close_with(struct rig *rig, const struct inbox_closing *closing)
{
	inbox_finish(rig->journal, closing, rig_done, rig);
	rig_await(rig);
	CU_ASSERT_EQUAL(rig->status, CG_OK);
}

static void move(struct rig *rig, const int64_t *ids, size_t count,
	enum inbox_mark_state state, const char *answer_id)
{
	const struct outbox_cursor cursor = {.binding_id = "bind",
		.epoch = "e",
		.sequence = 1,
		.marks = {ids, count, state, answer_id}};

	outbox_store(rig->journal, NULL, 0, &cursor, rig_done, rig);
	rig_await(rig);
	CU_ASSERT_EQUAL(rig->status, CG_OK);
}

static void marks_outlive_the_process(void)
{
	static const int64_t both[] = {1, 2};
	const struct cursor cursor = {.binding_id = "bind",
		.session_id = "sess",
		.instance = "telegram",
		.chat_id = "chat",
		.epoch = "e",
		.open = true};
	struct rig rig;

	rig_start(&rig);
	hear(&rig, "e1");
	hear(&rig, "e2");
	hear(&rig, "e3");
	cursor_store(rig.journal, &cursor, rig_done, &rig);
	rig_await(&rig);
	expect(&rig, "");
	close_with(&rig, &(struct inbox_closing){.id = 1,
				 .mark = {INBOX_MARK_PROMPTED, "bind", "c-1", NULL}});
	close_with(&rig, &(struct inbox_closing){.id = 3,
				 .end = INBOX_DEAD,
				 .reason = "interaction",
				 .mark = {INBOX_MARK_SEEN, NULL, NULL, NULL}});
	expect(&rig, "1 2 bind c-1 - closed open\n3 1 - - - closed dead decided\n");
	/* A turn may begin before its message is closed. */
	move(&rig, both, 2, INBOX_MARK_RUNNING, NULL);
	rig_reopen(&rig);
	expect(&rig, "1 3 bind c-1 - closed open\n2 3 - - -\n"
		     "3 1 - - - closed dead decided\n");
	CU_ASSERT_EQUAL_FATAL(rig_read(&rig, 0), 1);
	CU_ASSERT_EQUAL(rig.messages[0]->mark, INBOX_MARK_RUNNING);
	rig_free_messages(&rig);
	move(&rig, both, 2, INBOX_MARK_FAILED, "answer");
	/* Closing it takes nothing back. */
	close_with(&rig, &(struct inbox_closing){.id = 2,
				 .mark = {INBOX_MARK_SEEN, "bind", "c-2", NULL}});
	expect(&rig, "1 5 bind c-1 answer closed open\n2 5 bind c-2 answer closed open\n"
		     "3 1 - - - closed dead decided\n");
	inbox_unmark(rig.journal, both, 2);
	expect(&rig, "3 1 - - - closed dead decided\n");
	rig_finish(&rig);
}

/* The newest are read back, oldest first. */
static void so_many_marks_are_read_back(void)
{
	struct listed listed;
	struct rig rig;
	char id[16];

	rig_start(&rig);
	for (int i = 1; i <= INBOX_MARKED + 2; i++) {
		struct inbox_closing closing = {
			.id = i, .mark = {INBOX_MARK_SEEN, NULL, NULL, NULL}};
		struct cg_inbound inbound = rig_message(id, "text");

		snprintf(id, sizeof(id), "%d", i);
		inbound.message_id = "70";
		inbound.target.chat_id = "chat";
		inbound.target.is_direct = true;
		inbox_store(rig.journal, "telegram", &inbound, rig.now_ms, NULL, NULL);
		inbox_finish(rig.journal, &closing, NULL, NULL);
	}
	listed.rig = &rig;
	inbox_list_marked(rig.journal, on_listed, &listed);
	rig_await(&rig);
	CU_ASSERT_EQUAL(listed.count, INBOX_MARKED);
	CU_ASSERT_NSTRING_EQUAL(listed.text, "3 1 - - - closed\n4 1 - - - closed\n", 34);
	rig_finish(&rig);
}

UNIT_SUITE(inbox_mark, UNIT_TEST(marks_outlive_the_process),
	UNIT_TEST(so_many_marks_are_read_back));
