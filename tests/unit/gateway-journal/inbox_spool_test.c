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
	UNIT_TEST(a_list_that_is_too_long_is_refused));
