/* SPDX-License-Identifier: Apache-2.0 */
/* Storing messages: verdicts, keys, caps. */
#include "gateway/journal/operation.h"
#include "tests/unit/gateway-journal/journal_rig.h"

static void a_message_is_stored_before_it_is_accepted(void)
{
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "1", "hello"), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM inbox"), 1);
	rig_check_figures(&rig);
	rig_turn(&rig);
	CU_ASSERT_EQUAL(rig.inbox_hooks, 1);
	CU_ASSERT_EQUAL(rig_figures(&rig).newest_ms, RIG_NOW);
	rig_finish(&rig);
}

static void a_repeat_is_a_duplicate_and_a_twin_a_conflict(void)
{
	struct cg_inbound bare = rig_message("1", "other");
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "1", "hello"), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "1", "hello"), CG_VERDICT_DUPLICATE);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "1", "forged"), CG_VERDICT_CONFLICT);
	bare.raw = NULL;
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &bare), CG_VERDICT_DUPLICATE);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM inbox"), 1);
	rig_turn(&rig);
	CU_ASSERT_EQUAL(rig.inbox_hooks, 1);
	rig_reopen(&rig);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "1", "hello"), CG_VERDICT_DUPLICATE);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "1", "forged"), CG_VERDICT_CONFLICT);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

static void a_row_without_raw_bytes_is_believed(void)
{
	struct cg_inbound bare = rig_message("1", "hello");
	struct rig rig;

	rig_start(&rig);
	bare.raw = NULL;
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &bare), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "1", "anything"), CG_VERDICT_DUPLICATE);
	rig_finish(&rig);
}

/* The same number at the end, but another instance, type, or rest of the id. */
static void keys_differ_by_every_part(void)
{
	struct cg_interaction press = {.token = "apv:1"};
	struct cg_inbound in = rig_message("event-7", "a");
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_submit(&rig, "slack", &in), CG_VERDICT_COMMITTED);
	in.type = CG_EVENT_COMMAND;
	in.command = "new";
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_COMMITTED);
	in.type = CG_EVENT_INTERACTION;
	in.interaction = &press;
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_COMMITTED);
	in = rig_message("other-7", "a");
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_COMMITTED);
	in.event_id = "4294967303"; /* 2^32 + 7 */
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_COMMITTED);
	in.event_id = "7";
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_COMMITTED);
	in.event_id = NULL;
	in.fallback_key = "7";
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_DUPLICATE);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM inbox"), 8);
	rig_finish(&rig);
}

static char long_text[INBOX_MESSAGE_MAX + 2];

static const char *text_of(size_t length)
{
	memset(long_text, 'x', length);
	long_text[length] = '\0';
	return long_text;
}

static void limits_are_those_of_the_header(void)
{
	struct cg_interaction press = {.token = "t"};
	struct cg_inbound in;
	struct rig rig;

	rig_start(&rig);
#define REFUSED(change) \
	in = rig_message("1", "text"); \
	change; \
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_INVALID)
	REFUSED(in.event_id = NULL);
	REFUSED(in.event_id = "");
	REFUSED(in.event_id = text_of(257));
	REFUSED(in.target.chat_id = NULL);
	REFUSED(in.target.chat_id = text_of(513));
	REFUSED(in.target.thread_id = text_of(513));
	REFUSED(in.target.context = text_of(JOURNAL_CONTEXT_MAX + 1));
	REFUSED(in.sender.user_id = "");
	REFUSED(in.message_id = text_of(513));
	REFUSED(in.text = "\xff");
	REFUSED(in.text = text_of(INBOX_MESSAGE_MAX + 1));
	REFUSED(in.text = text_of(INBOX_MESSAGE_MAX)); /* with its ids it is too long */
	REFUSED(in.type = CG_EVENT_COMMAND);
	REFUSED(in.type = CG_EVENT_INTERACTION);
	REFUSED(in.type = CG_EVENT_INTERACTION; in.interaction = &press;
		press.token = text_of(65));
	REFUSED(in.attachment_count = 1);
#undef REFUSED
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM inbox"), 0);
	in = rig_message(text_of(256), NULL);
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_COMMITTED);
	in = rig_message("2", NULL);
	in.target.chat_id = text_of(512);
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_COMMITTED);
	in = rig_message("4", NULL);
	in.target.context = text_of(JOURNAL_CONTEXT_MAX);
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_COMMITTED);
	in = rig_message("3", NULL);
	in.text = text_of(INBOX_MESSAGE_MAX - 64);
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_COMMITTED);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

static void the_inbox_has_a_cap_in_rows(void)
{
	struct rig rig;

	rig_init(&rig);
	rig.options.inbox_rows = 2;
	rig_open(&rig);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "1", "a"), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "2", "b"), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "3", "c"), CG_VERDICT_UNAVAILABLE);
	rig_reopen(&rig);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "3", "c"), CG_VERDICT_UNAVAILABLE);
	CU_ASSERT_EQUAL(rig_finish_message(&rig, 1, INBOX_HANDED, NULL, 0), CG_OK);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "3", "c"), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "4", "d"), CG_VERDICT_UNAVAILABLE);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

/* What is on its way to the disk takes room as well. */
static void the_cap_holds_for_what_is_not_committed_yet(void)
{
	struct cg_inbound in = rig_message("1", "a");
	struct rig rig;

	rig_init(&rig);
	rig.options.inbox_rows = 1;
	rig_open(&rig);
	inbox_store(rig.journal, "telegram", &in, rig.now_ms, NULL, NULL);
	in.event_id = "2";
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_UNAVAILABLE);
	rig_reopen(&rig);
	CU_ASSERT_EQUAL(rig_figures(&rig).inbox_pending, 1);
	rig_finish(&rig);
}

static void the_inbox_has_a_cap_in_bytes(void)
{
	struct rig rig;

	rig_init(&rig);
	rig.options.inbox_bytes = 2000;
	rig_open(&rig);
	CU_ASSERT_EQUAL(
		rig_store_message(&rig, "1", text_of(1900)), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(
		rig_store_message(&rig, "2", text_of(100)), CG_VERDICT_UNAVAILABLE);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "3", text_of(10)), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_finish_message(&rig, 1, INBOX_HANDED, NULL, 0), CG_OK);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "2", text_of(100)), CG_VERDICT_COMMITTED);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

static void intake_pauses_at_high_water(void)
{
	struct cg_inbound in;
	struct rig rig;
	unsigned stored = 0;
	char id[16];

	rig_start(&rig);
	while (journal_pending(rig.journal) > 0)
		loop_turn(rig.loop); /* the job with which a journal opens */
	/* From here the loop does not turn, so nothing completes. */
	while (journal_pending(rig.journal) < JOURNAL_HIGH) {
		snprintf(id, sizeof(id), "%u", stored++);
		in = rig_message(id, NULL);
		inbox_store(rig.journal, "webhook", &in, rig.now_ms, NULL, NULL);
	}
	CU_ASSERT_EQUAL(stored, JOURNAL_HIGH);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "late", "a"), CG_VERDICT_UNAVAILABLE);
	while (journal_pending(rig.journal) > JOURNAL_LOW)
		loop_turn(rig.loop);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "late", "a"), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_figures(&rig).inbox_pending, JOURNAL_HIGH + 1);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

static void intake_pauses_at_high_water_in_bytes(void)
{
	const unsigned fit = JOURNAL_HIGH_BYTES / INBOX_MESSAGE_MAX;
	struct cg_inbound in;
	struct rig rig;
	char id[16];

	rig_start(&rig);
	for (unsigned i = 0; i < fit; i++) {
		snprintf(id, sizeof(id), "%u", i);
		in = rig_message(id, text_of(INBOX_MESSAGE_MAX - 32));
		inbox_store(rig.journal, "webhook", &in, rig.now_ms, NULL, NULL);
	}
	in = rig_message("more", text_of(INBOX_MESSAGE_MAX - 32));
	CU_ASSERT_EQUAL(rig_submit(&rig, "webhook", &in), CG_VERDICT_UNAVAILABLE);
	while (journal_pending(rig.journal) > 0)
		loop_turn(rig.loop);
	CU_ASSERT_EQUAL(rig_submit(&rig, "webhook", &in), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_figures(&rig).inbox_pending, fit + 1);
	rig_finish(&rig);
}

static void nothing_is_received_later_than_now(void)
{
	struct cg_inbound in = rig_message("1", "a");
	struct rig rig;

	rig_start(&rig);
	in.received_at_ms = RIG_NOW + 1;
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_COMMITTED);
	in = rig_message("2", "a");
	in.received_at_ms = RIG_NOW - 5;
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_read(&rig, 0), 2);
	CU_ASSERT_EQUAL(rig.messages[0]->received_ms, RIG_NOW);
	CU_ASSERT_EQUAL(rig.messages[1]->received_ms, RIG_NOW - 5);
	rig_free_messages(&rig);
	rig_finish(&rig);
}

UNIT_SUITE(inbox, UNIT_TEST(a_message_is_stored_before_it_is_accepted),
	UNIT_TEST(a_repeat_is_a_duplicate_and_a_twin_a_conflict),
	UNIT_TEST(a_row_without_raw_bytes_is_believed),
	UNIT_TEST(keys_differ_by_every_part), UNIT_TEST(limits_are_those_of_the_header),
	UNIT_TEST(the_inbox_has_a_cap_in_rows),
	UNIT_TEST(the_cap_holds_for_what_is_not_committed_yet),
	UNIT_TEST(the_inbox_has_a_cap_in_bytes), UNIT_TEST(intake_pauses_at_high_water),
	UNIT_TEST(intake_pauses_at_high_water_in_bytes),
	UNIT_TEST(nothing_is_received_later_than_now));
