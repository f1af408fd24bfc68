/* SPDX-License-Identifier: Apache-2.0 */
/* What is read back is what was stored. */
#include "tests/unit/gateway-journal/journal_rig.h"

static void every_field_comes_back(void)
{
	const struct cg_interaction press = {"press-1", "apv:1", true};
	const struct cg_attachment files[] = {
		{sizeof(files[0]), "file-1", "a \"b\".txt", "text/plain", "/spool/1", 12},
		{sizeof(files[0]), NULL, NULL, NULL, NULL, -1},
	};
	const struct cg_inbound in = {
		.size = sizeof(in),
		.type = CG_EVENT_INTERACTION,
		.event_id = "event",
		.message_id = "message",
		.target = {"chat", "thread", "target-user", NULL, true, "subject"},
		.sender = {"sender", "name", "Display Náme", true},
		.text = "line\nline \xf0\x9f\x90\x84",
		.command = "approve",
		.command_args = "",
		.interaction = &press,
		.attachments = files,
		.attachment_count = 2,
	};
	struct inbox_message *m;
	struct json_object *file;
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(rig_submit(&rig, "slack", &in), CG_VERDICT_COMMITTED);
	rig_reopen(&rig);
	CU_ASSERT_EQUAL_FATAL(rig_read(&rig, 0), 1);
	m = rig.messages[0];
	CU_ASSERT_EQUAL(m->id, 1);
	CU_ASSERT_EQUAL(m->received_ms, RIG_NOW);
	CU_ASSERT_EQUAL(m->type, CG_EVENT_INTERACTION);
	CU_ASSERT_STRING_EQUAL(m->instance, "slack");
	CU_ASSERT_STRING_EQUAL(m->event_id, "event");
	CU_ASSERT_STRING_EQUAL(m->message_id, "message");
	CU_ASSERT_STRING_EQUAL(m->chat_id, "chat");
	CU_ASSERT_STRING_EQUAL(m->thread_id, "thread");
	CU_ASSERT_STRING_EQUAL(m->user_id, "target-user");
	CU_ASSERT_STRING_EQUAL(m->context, "subject");
	CU_ASSERT_TRUE(m->is_direct);
	CU_ASSERT_STRING_EQUAL(m->sender_id, "sender");
	CU_ASSERT_STRING_EQUAL(m->sender_username, "name");
	CU_ASSERT_STRING_EQUAL(m->sender_name, "Display Náme");
	CU_ASSERT_TRUE(m->sender_is_bot);
	CU_ASSERT_STRING_EQUAL(m->text, in.text);
	CU_ASSERT_STRING_EQUAL(m->command, "approve");
	CU_ASSERT_STRING_EQUAL(m->command_args, "");
	CU_ASSERT_STRING_EQUAL(m->interaction_id, "press-1");
	CU_ASSERT_STRING_EQUAL(m->interaction_token, "apv:1");
	CU_ASSERT_TRUE(m->interaction_is_command);
	CU_ASSERT_EQUAL_FATAL(m->attachment_count, 2);
	file = cg_json_at(m->attachments, 0);
	CU_ASSERT_STRING_EQUAL(cg_json_string(file, "fileId"), "file-1");
	CU_ASSERT_STRING_EQUAL(cg_json_string(file, "filename"), "a \"b\".txt");
	CU_ASSERT_STRING_EQUAL(cg_json_string(file, "mimeType"), "text/plain");
	CU_ASSERT_STRING_EQUAL(cg_json_string(file, "spoolPath"), "/spool/1");
	CU_ASSERT_EQUAL(cg_json_int(file, "bytes", 0), 12);
	file = cg_json_at(m->attachments, 1);
	CU_ASSERT_PTR_NULL(cg_json_string(file, "fileId"));
	CU_ASSERT_EQUAL(cg_json_int(file, "bytes", 0), -1);
	rig_free_messages(&rig);
	rig_finish(&rig);
}

static void absent_fields_stay_absent(void)
{
	struct rig rig;

	rig_start(&rig);
	rig_store_message(&rig, "1", NULL);
	CU_ASSERT_EQUAL_FATAL(rig_read(&rig, 0), 1);
	CU_ASSERT_PTR_NULL(rig.messages[0]->text);
	CU_ASSERT_PTR_NULL(rig.messages[0]->thread_id);
	CU_ASSERT_PTR_NULL(rig.messages[0]->context);
	CU_ASSERT_PTR_NULL(rig.messages[0]->message_id);
	CU_ASSERT_PTR_NULL(rig.messages[0]->command);
	CU_ASSERT_PTR_NULL(rig.messages[0]->attachments);
	CU_ASSERT_FALSE(rig.messages[0]->is_direct);
	rig_free_messages(&rig);
	inbox_message_destroy(NULL);
	rig_finish(&rig);
}

/* A plugin that was built against a later header has longer attachments. */
static void longer_attachments_of_a_later_header_are_read(void)
{
	struct later {
		struct cg_attachment attachment;
		int64_t unknown;
	};
	const struct later files[] = {
		{{sizeof(files[0]), "one", NULL, NULL, NULL, 1}, -1},
		{{sizeof(files[0]), "two", NULL, NULL, NULL, 2}, -1},
	};
	struct cg_inbound in = rig_message("1", "a");
	struct rig rig;

	rig_start(&rig);
	in.attachments = &files[0].attachment;
	in.attachment_count = 2;
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL_FATAL(rig_read(&rig, 0), 1);
	CU_ASSERT_STRING_EQUAL(
		cg_json_string(cg_json_at(rig.messages[0]->attachments, 1), "fileId"),
		"two");
	rig_free_messages(&rig);
	rig_finish(&rig);
}

static void pages_follow_each_other_in_order(void)
{
	struct rig rig;
	char id[16];

	rig_start(&rig);
	for (int i = 1; i <= INBOX_PAGE + 2; i++) {
		struct cg_inbound in = rig_message(id, NULL);

		snprintf(id, sizeof(id), "%d", i);
		inbox_store(rig.journal, "telegram", &in, rig.now_ms, NULL, NULL);
	}
	CU_ASSERT_EQUAL_FATAL(rig_read(&rig, 0), INBOX_PAGE);
	for (int i = 0; i < INBOX_PAGE; i++)
		CU_ASSERT_EQUAL(rig.messages[i]->id, i + 1);
	rig_free_messages(&rig);
	CU_ASSERT_EQUAL(
		rig_finish_message(&rig, INBOX_PAGE + 1, INBOX_HANDED, NULL, 0), CG_OK);
	CU_ASSERT_EQUAL_FATAL(rig_read(&rig, INBOX_PAGE), 1);
	CU_ASSERT_EQUAL(rig.messages[0]->id, INBOX_PAGE + 2);
	rig_free_messages(&rig);
	CU_ASSERT_EQUAL(rig_read(&rig, INBOX_PAGE + 2), 0);
	rig_finish(&rig);
}

/* What did not fit into a page of bytes is announced again. */
static void a_page_is_bounded_in_bytes(void)
{
	static char text[(1u << 20) + 1];
	unsigned hooks;
	struct rig rig;
	char id[16];

	rig_start(&rig);
	memset(text, 'x', sizeof(text) - 1);
	for (int i = 1; i <= 6; i++) {
		snprintf(id, sizeof(id), "%d", i);
		CU_ASSERT_EQUAL(rig_store_message(&rig, id, text), CG_VERDICT_COMMITTED);
	}
	rig_turn(&rig);
	hooks = rig.inbox_hooks;
	CU_ASSERT_EQUAL(rig_read(&rig, 0), 4);
	rig_free_messages(&rig);
	rig_turn(&rig);
	CU_ASSERT_EQUAL(rig.inbox_hooks, hooks + 1);
	CU_ASSERT_EQUAL(rig_read(&rig, 4), 2);
	rig_free_messages(&rig);
	rig_turn(&rig);
	CU_ASSERT_EQUAL(rig.inbox_hooks, hooks + 1);
	rig_finish(&rig);
}

UNIT_SUITE(inbox_message, UNIT_TEST(every_field_comes_back),
	UNIT_TEST(absent_fields_stay_absent),
	UNIT_TEST(longer_attachments_of_a_later_header_are_read),
	UNIT_TEST(pages_follow_each_other_in_order),
	UNIT_TEST(a_page_is_bounded_in_bytes));
