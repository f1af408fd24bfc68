/* SPDX-License-Identifier: Apache-2.0 */
/* Files that pending messages need. */
#include "tests/unit/gateway-journal/journal_rig.h"

struct listed {
	struct rig *rig;
	enum cg_status status;
	size_t count;
	char first[32], last[32];
};

static void on_paths(
	void *arg, enum cg_status status, const char *const *paths, size_t count)
{
	struct listed *listed = arg;

	listed->status = status;
	listed->count = count;
	if (count > 0) {
		snprintf(listed->first, sizeof(listed->first), "%s", paths[0]);
		snprintf(listed->last, sizeof(listed->last), "%s", paths[count - 1]);
	}
	rig_answer(listed->rig);
}

static struct listed list(struct rig *rig)
{
	struct listed listed = {.rig = rig};

	inbox_list_spooled(rig->journal, on_paths, &listed);
	rig_await(rig);
	return listed;
}

static void files_of_pending_messages_are_listed(void)
{
	const struct cg_attachment files[] = {
		{sizeof(files[0]), NULL, NULL, NULL, "/spool/1", 1},
		{sizeof(files[0]), "remote", NULL, NULL, NULL, 1},
		{sizeof(files[0]), NULL, NULL, NULL, "/spool/2", 1},
	};
	struct cg_inbound in = rig_message("1", "a");
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(list(&rig).count, 0);
	in.attachments = files;
	in.attachment_count = 3;
	rig_submit(&rig, "telegram", &in);
	rig_store_message(&rig, "2", "no file");
	CU_ASSERT_EQUAL(list(&rig).count, 2);
	CU_ASSERT_STRING_EQUAL(list(&rig).first, "/spool/1");
	CU_ASSERT_STRING_EQUAL(list(&rig).last, "/spool/2");
	rig_finish_message(&rig, 1, INBOX_HANDED, NULL, 0);
	CU_ASSERT_EQUAL(list(&rig).count, 0);
	CU_ASSERT_EQUAL(list(&rig).status, CG_OK);
	rig_finish(&rig);
}

static void store_file(struct rig *rig, const char *id, const char *path)
{
	const struct cg_file file = {.filename = "f", .path = path, .bytes = 1};
	const struct obligation obligation = {.delivery_id = id,
		.instance = "telegram",
		.target = {.chat_id = "chat"},
		.purpose = OUTBOX_FILE,
		.kind = CG_OUTBOUND_FILE,
		.file = &file,
		.part = 1,
		.parts = 1};

	outbox_store(rig->journal, &obligation, 1, NULL, rig_done, rig);
	rig_await(rig);
	CU_ASSERT_EQUAL(rig->status, CG_OK);
}

static void end_row(struct rig *rig, int64_t id, enum outbox_state state)
{
	const struct outbox_result result = {.state = state, .now_ms = rig->now_ms};

	outbox_sending(rig->journal, id, rig_done, rig);
	rig_await(rig);
	outbox_settle(rig->journal, id, &result, rig_done, rig);
	rig_await(rig);
	CU_ASSERT_EQUAL(rig->status, CG_OK);
}

/* What is dead may be tried again; what was sent is not needed. */
static void files_on_their_way_out_are_listed(void)
{
	struct rig rig;

	rig_start(&rig);
	store_file(&rig, "one", "/spool/1");
	store_file(&rig, "two", "/spool/2");
	CU_ASSERT_EQUAL(list(&rig).count, 2);
	end_row(&rig, 1, OUTBOX_DEAD);
	CU_ASSERT_EQUAL(list(&rig).count, 2);
	end_row(&rig, 2, OUTBOX_SENT);
	CU_ASSERT_EQUAL(list(&rig).count, 1);
	CU_ASSERT_STRING_EQUAL(list(&rig).first, "/spool/1");
	rig_finish(&rig);
}

/* Better no file is removed than one that is needed. */
static void a_list_that_is_too_long_is_refused(void)
{
	static struct cg_attachment files[64];
	struct cg_inbound in;
	struct rig rig;
	char id[16];

	rig_start(&rig);
	for (size_t i = 0; i < 64; i++)
		files[i] = (struct cg_attachment){
			sizeof(files[0]), NULL, NULL, NULL, "/spool/file", 1};
	for (int i = 0; i <= INBOX_SPOOLED / 64; i++) {
		if (i == INBOX_SPOOLED / 64)
			CU_ASSERT_EQUAL(list(&rig).count, INBOX_SPOOLED);
		snprintf(id, sizeof(id), "%d", i);
		in = rig_message(id, "a");
		in.attachments = files;
		in.attachment_count = 64;
		inbox_store(rig.journal, "telegram", &in, rig.now_ms, NULL, NULL);
	}
	CU_ASSERT_EQUAL(list(&rig).status, CG_LIMIT);
	CU_ASSERT_EQUAL(list(&rig).count, 0);
	rig_finish(&rig);
}

UNIT_SUITE(inbox_spool, UNIT_TEST(files_of_pending_messages_are_listed),
	UNIT_TEST(files_on_their_way_out_are_listed),
	UNIT_TEST(a_list_that_is_too_long_is_refused));
