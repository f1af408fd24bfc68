/* SPDX-License-Identifier: Apache-2.0 */
/* Chat threads and how far their sessions have been rendered. */
#include "tests/unit/gateway-journal/journal_rig.h"

struct found {
	struct rig *rig;
	enum cg_status status;
	size_t count;
	char ids[128]; /* binding ids, joined */
	char epoch[16], session[16], thread[16], user[16], context[16];
	int64_t sequence, active_ms;
	unsigned generation;
	bool open, is_direct;
};

static void on_list(
	void *arg, enum cg_status status, const struct cursor *cursors, size_t count)
{
	struct found *found = arg;
	size_t length = 0;

	found->status = status;
	found->count = count;
	found->ids[0] = '\0';
	for (size_t i = 0; i < count; i++)
		length +=
			(size_t)snprintf(found->ids + length, sizeof(found->ids) - length,
				"%s%s", i > 0 ? " " : "", cursors[i].binding_id);
	if (found->rig != NULL)
		rig_answer(found->rig);
}

static void copy(char *ret, size_t size, const char *text)
{
	snprintf(ret, size, "%s", text != NULL ? text : "-");
}

static void on_cursor(void *arg, enum cg_status status, const struct cursor *cursor)
{
	struct found *found = arg;
	struct rig *rig = found->rig;

	*found = (struct found){.rig = rig, .status = status, .count = cursor != NULL};
	if (cursor != NULL) {
		copy(found->ids, sizeof(found->ids), cursor->binding_id);
		copy(found->epoch, sizeof(found->epoch), cursor->epoch);
		copy(found->session, sizeof(found->session), cursor->session_id);
		copy(found->thread, sizeof(found->thread), cursor->thread_id);
		copy(found->user, sizeof(found->user), cursor->user_id);
		copy(found->context, sizeof(found->context), cursor->context);
		found->sequence = cursor->sequence;
		found->active_ms = cursor->active_ms;
		found->generation = cursor->generation;
		found->open = cursor->open;
		found->is_direct = cursor->is_direct;
	}
	rig_answer(rig);
}

static struct found find(struct rig *rig, const char *chat_id, const char *thread_id)
{
	struct found found = {.rig = rig};

	cursor_find(rig->journal, "telegram", chat_id, thread_id, on_cursor, &found);
	rig_await(rig);
	CU_ASSERT_EQUAL(found.status, CG_OK);
	return found;
}

static struct found list(struct rig *rig, size_t limit)
{
	struct found found = {.rig = rig};

	cursor_list_open(rig->journal, limit, on_list, &found);
	rig_await(rig);
	CU_ASSERT_EQUAL(found.status, CG_OK);
	return found;
}

static struct cursor cursor_of(const char *binding_id, unsigned generation)
{
	return (struct cursor){
		.binding_id = binding_id,
		.session_id = "session",
		.instance = "telegram",
		.chat_id = "chat",
		.user_id = "user",
		.context = "subject",
		.is_direct = true,
		.generation = generation,
		.epoch = "e1",
		.sequence = 5,
		.open = true,
		.active_ms = RIG_NOW,
	};
}

static enum cg_status store(struct rig *rig, const struct cursor *cursor)
{
	cursor_store(rig->journal, cursor, rig_done, rig);
	rig_await(rig);
	return rig->status;
}

/* As a stream does it, with a final text if there is one. */
static enum cg_status move(
	struct rig *rig, const char *epoch, int64_t sequence, const char *text)
{
	const struct outbox_cursor cursor = {
		.binding_id = "b1", .epoch = epoch, .sequence = sequence};
	const struct obligation o = rig_obligation(text, "chat");

	outbox_store(rig->journal, &o, text != NULL, &cursor, rig_done, rig);
	rig_await(rig);
	return rig->status;
}

static void a_cursor_comes_back_as_it_was_stored(void)
{
	struct cursor cursor = cursor_of("b1", 0);
	struct found found;
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(find(&rig, "chat", NULL).count, 0);
	CU_ASSERT_EQUAL(store(&rig, &cursor), CG_OK);
	rig_reopen(&rig);
	found = find(&rig, "chat", NULL);
	CU_ASSERT_EQUAL(found.count, 1);
	CU_ASSERT_STRING_EQUAL(found.ids, "b1");
	CU_ASSERT_STRING_EQUAL(found.session, "session");
	CU_ASSERT_STRING_EQUAL(found.thread, "-");
	CU_ASSERT_STRING_EQUAL(found.user, "user");
	CU_ASSERT_STRING_EQUAL(found.context, "subject");
	CU_ASSERT_STRING_EQUAL(found.epoch, "e1");
	CU_ASSERT_EQUAL(found.sequence, 5);
	CU_ASSERT_EQUAL(found.active_ms, RIG_NOW);
	CU_ASSERT_TRUE(found.open);
	CU_ASSERT_TRUE(found.is_direct);
	cursor.session_id = NULL;
	CU_ASSERT_EQUAL(store(&rig, &cursor), CG_INVALID);
	rig_finish(&rig);
}

static void the_sequence_only_grows_within_an_epoch(void)
{
	struct cursor cursor = cursor_of("b1", 0);
	struct rig rig;

	rig_start(&rig);
	store(&rig, &cursor);
	CU_ASSERT_EQUAL(move(&rig, "e1", 9, NULL), CG_OK);
	CU_ASSERT_EQUAL(find(&rig, "chat", NULL).sequence, 9);
	CU_ASSERT_EQUAL(move(&rig, "e1", 7, NULL), CG_OK);
	CU_ASSERT_EQUAL(find(&rig, "chat", NULL).sequence, 9);
	/* Storing the cursor again changes all but the sequence. */
	cursor.sequence = 20;
	cursor.user_id = "other";
	cursor.context = "later";
	cursor.open = false;
	store(&rig, &cursor);
	CU_ASSERT_EQUAL(find(&rig, "chat", NULL).sequence, 9);
	CU_ASSERT_STRING_EQUAL(find(&rig, "chat", NULL).user, "other");
	CU_ASSERT_STRING_EQUAL(find(&rig, "chat", NULL).context, "later");
	CU_ASSERT_FALSE(find(&rig, "chat", NULL).open);
	rig_finish(&rig);
}

static void another_epoch_starts_again(void)
{
	struct cursor cursor = cursor_of("b1", 0);
	struct rig rig;

	rig_start(&rig);
	store(&rig, &cursor);
	CU_ASSERT_EQUAL(move(&rig, "e2", 2, NULL), CG_OK);
	CU_ASSERT_EQUAL(find(&rig, "chat", NULL).sequence, 2);
	CU_ASSERT_STRING_EQUAL(find(&rig, "chat", NULL).epoch, "e2");
	cursor.epoch = "e3";
	cursor.sequence = 1;
	store(&rig, &cursor);
	CU_ASSERT_EQUAL(find(&rig, "chat", NULL).sequence, 1);
	CU_ASSERT_STRING_EQUAL(find(&rig, "chat", NULL).epoch, "e3");
	/* An unknown epoch is one of its own. */
	cursor.epoch = NULL;
	cursor.sequence = 4;
	store(&rig, &cursor);
	CU_ASSERT_EQUAL(find(&rig, "chat", NULL).sequence, 4);
	CU_ASSERT_EQUAL(move(&rig, NULL, 3, NULL), CG_OK);
	CU_ASSERT_EQUAL(find(&rig, "chat", NULL).sequence, 4);
	rig_finish(&rig);
}

static void obligations_and_cursor_are_one_transaction(void)
{
	struct cursor cursor = cursor_of("b1", 0);
	struct rig rig;

	rig_start(&rig);
	store(&rig, &cursor);
	CU_ASSERT_EQUAL(move(&rig, "e1", 6, "final"), CG_OK);
	CU_ASSERT_EQUAL(find(&rig, "chat", NULL).sequence, 6);
	CU_ASSERT_EQUAL(rig_figures(&rig).outbox_pending, 1);
	CU_ASSERT_EQUAL(move(&rig, "e1", 7, "\xff"), CG_INVALID);
	CU_ASSERT_EQUAL(find(&rig, "chat", NULL).sequence, 6);
	/* A repeat after a crash stores nothing and does no harm. */
	CU_ASSERT_EQUAL(move(&rig, "e1", 6, "final"), CG_OK);
	CU_ASSERT_EQUAL(rig_figures(&rig).outbox_pending, 1);
	rig_finish(&rig);
}

static void a_cursor_that_is_not_stored_holds_nothing_up(void)
{
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(move(&rig, "e1", 6, "final"), CG_OK);
	CU_ASSERT_EQUAL(rig_figures(&rig).outbox_pending, 1);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM cursor"), 0);
	cursor_set_open(rig.journal, "b1", true, RIG_NOW, rig_done, &rig);
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig.status, CG_NOT_FOUND);
	rig_finish(&rig);
}

static void the_newest_generation_of_a_thread_is_found(void)
{
	struct cursor cursor = cursor_of("b1", 0);
	struct rig rig;

	rig_start(&rig);
	store(&rig, &cursor);
	cursor = cursor_of("b3", 2);
	store(&rig, &cursor);
	cursor = cursor_of("b2", 1);
	store(&rig, &cursor);
	cursor = cursor_of("b9", 9);
	cursor.thread_id = "thread";
	store(&rig, &cursor);
	CU_ASSERT_STRING_EQUAL(find(&rig, "chat", NULL).ids, "b3");
	CU_ASSERT_EQUAL(find(&rig, "chat", NULL).generation, 2);
	CU_ASSERT_STRING_EQUAL(find(&rig, "chat", "thread").ids, "b9");
	CU_ASSERT_EQUAL(find(&rig, "other", NULL).count, 0);
	rig_finish(&rig);
}

static void open_cursors_are_listed_latest_first(void)
{
	struct cursor cursor;
	struct rig rig;
	char id[8];

	rig_start(&rig);
	CU_ASSERT_EQUAL(list(&rig, 10).count, 0);
	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "b%d", i);
		cursor = cursor_of(id, 0);
		cursor.active_ms = RIG_NOW + i;
		cursor.open = i < 18;
		store(&rig, &cursor);
	}
	CU_ASSERT_EQUAL(list(&rig, 100).count, 18);
	CU_ASSERT_STRING_EQUAL(list(&rig, 3).ids, "b17 b16 b15");
	cursor_set_open(rig.journal, "b16", false, RIG_NOW + 50, rig_done, &rig);
	rig_await(&rig);
	cursor_set_open(rig.journal, "b19", true, RIG_NOW + 60, rig_done, &rig);
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig.status, CG_OK);
	CU_ASSERT_STRING_EQUAL(list(&rig, 3).ids, "b19 b17 b15");
	rig_finish(&rig);
}

static void a_context_has_its_limit(void)
{
	static char context[JOURNAL_CONTEXT_MAX + 2];
	struct cursor cursor = cursor_of("b1", 0);
	struct rig rig;

	rig_start(&rig);
	memset(context, 'x', JOURNAL_CONTEXT_MAX + 1);
	cursor.context = context;
	CU_ASSERT_EQUAL(store(&rig, &cursor), CG_INVALID);
	context[JOURNAL_CONTEXT_MAX] = '\0';
	CU_ASSERT_EQUAL(store(&rig, &cursor), CG_OK);
	rig_finish(&rig);
}

UNIT_SUITE(cursor, UNIT_TEST(a_context_has_its_limit),
	UNIT_TEST(a_cursor_comes_back_as_it_was_stored),
	UNIT_TEST(the_sequence_only_grows_within_an_epoch),
	UNIT_TEST(another_epoch_starts_again),
	UNIT_TEST(obligations_and_cursor_are_one_transaction),
	UNIT_TEST(a_cursor_that_is_not_stored_holds_nothing_up),
	UNIT_TEST(the_newest_generation_of_a_thread_is_found),
	UNIT_TEST(open_cursors_are_listed_latest_first));
