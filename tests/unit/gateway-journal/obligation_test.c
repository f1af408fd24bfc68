/* SPDX-License-Identifier: Apache-2.0 */
/* What may be stored in the outbox, and that it comes back as it was. */
#include "tests/unit/gateway-journal/journal_rig.h"

/* A file that lies in the row needs its content and its name. */
static void a_file_is_somewhere(void)
{
	const struct cg_file files[] = {{"a.c", "text/plain", NULL, 3},
		{NULL, "text/plain", NULL, 3}, {NULL, NULL, "/data/a", 3}};
	static const char *const sources[] = {"abc", NULL};
	static const bool good[][2] = {{true, false}, {false, false}, {true, true}};
	struct rig rig;

	rig_start(&rig);
	for (size_t i = 0; i < 3; i++) {
		for (size_t k = 0; k < 2; k++) {
			struct obligation o = rig_obligation("a", "chat");

			o.kind = CG_OUTBOUND_FILE;
			o.file = &files[i];
			o.source = sources[k];
			CU_ASSERT_EQUAL(
				rig_oblige(&rig, &o, 1), good[i][k] ? CG_OK : CG_INVALID);
		}
	}
	rig_finish(&rig);
}

static void every_field_comes_back(void)
{
	const struct cg_button buttons[] = {
		{"Allow \"it\"", "apv:1", CG_BUTTON_GOOD, true},
		{"Deny", "den:1", CG_BUTTON_DANGER, false},
	};
	const struct cg_file file = {"a.pdf", "application/pdf", "/data/a.pdf", 77};
	struct obligation o = {
		.delivery_id = "delivery",
		.instance = "slack",
		.target = {.chat_id = "chat",
			.thread_id = "thread",
			.user_id = "user",
			.message_id = "message",
			.is_direct = true},
		.purpose = OUTBOX_APPROVAL,
		.kind = CG_OUTBOUND_BUTTONS,
		.source = "**source** \xe2\x82\xac",
		.slot_id = "slot",
		.buttons = buttons,
		.button_count = 2,
		.file = &file,
		.session_id = "session",
		.binding_id = "binding",
		.claim = "{\"a\":1}",
		.part = 2,
		.parts = 3,
		.deadline_ms = RIG_NOW + 5,
		.silent = true,
	};
	struct outbox_row *row;
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(rig_oblige(&rig, &o, 1), CG_OK);
	CU_ASSERT_EQUAL_FATAL(rig_due(&rig), 1);
	row = rig.rows[0];
	CU_ASSERT_EQUAL(row->id, 1);
	CU_ASSERT_EQUAL(row->lane, outbox_lane("slack", "chat", "thread"));
	CU_ASSERT_STRING_EQUAL(row->delivery_id, "delivery");
	CU_ASSERT_STRING_EQUAL(row->instance, "slack");
	CU_ASSERT_STRING_EQUAL(row->chat_id, "chat");
	CU_ASSERT_STRING_EQUAL(row->thread_id, "thread");
	CU_ASSERT_STRING_EQUAL(row->user_id, "user");
	CU_ASSERT_STRING_EQUAL(row->message_id, "message");
	CU_ASSERT_TRUE(row->is_direct);
	CU_ASSERT_EQUAL(row->state, OUTBOX_PENDING);
	CU_ASSERT_EQUAL(row->purpose, OUTBOX_APPROVAL);
	CU_ASSERT_EQUAL(row->kind, CG_OUTBOUND_BUTTONS);
	CU_ASSERT_STRING_EQUAL(row->source, o.source);
	CU_ASSERT_STRING_EQUAL(row->slot_id, "slot");
	CU_ASSERT_PTR_NULL(row->slot_receipt);
	CU_ASSERT_STRING_EQUAL(cg_json_text(row->buttons, NULL),
		"[{\"label\":\"Allow "
		"\\\"it\\\"\",\"token\":\"apv:1\",\"style\":1,\"row\":true},"
		"{\"label\":\"Deny\",\"token\":\"den:1\",\"style\":2,\"row\":false}]");
	CU_ASSERT_STRING_EQUAL(row->file_name, "a.pdf");
	CU_ASSERT_STRING_EQUAL(row->file_mime, "application/pdf");
	CU_ASSERT_STRING_EQUAL(row->file_path, "/data/a.pdf");
	CU_ASSERT_EQUAL(row->file_bytes, 77);
	CU_ASSERT_STRING_EQUAL(row->claim, "{\"a\":1}");
	CU_ASSERT_EQUAL(row->part, 2);
	CU_ASSERT_EQUAL(row->parts, 3);
	CU_ASSERT_EQUAL(row->attempts, 0);
	CU_ASSERT_EQUAL(row->failures, 0);
	CU_ASSERT_FALSE(row->maybe_duplicate);
	CU_ASSERT_TRUE(row->silent);
	CU_ASSERT_EQUAL(row->created_ms, RIG_NOW);
	CU_ASSERT_EQUAL(row->deadline_ms, RIG_NOW + 5);
	rig_free_rows(&rig);
	outbox_row_destroy(NULL);
	rig_finish(&rig);
}

static char text[OUTBOX_TEXT_MAX + 2];

static const char *text_of(size_t length)
{
	memset(text, 'x', length);
	text[length] = '\0';
	return text;
}

static void what_breaks_a_limit_is_refused(void)
{
	static struct cg_button buttons[65];
	struct obligation o;
	struct rig rig;

	rig_start(&rig);
#define REFUSED(change) \
	o = rig_obligation("1", "chat"); \
	change; \
	CU_ASSERT_EQUAL(rig_oblige(&rig, &o, 1), CG_INVALID)
	REFUSED(o.delivery_id = NULL);
	REFUSED(o.delivery_id = "");
	REFUSED(o.delivery_id = text_of(513));
	REFUSED(o.instance = "");
	REFUSED(o.target.chat_id = NULL);
	REFUSED(o.target.message_id = text_of(513));
	REFUSED(o.source = NULL);
	REFUSED(o.source = "\xc3");
	REFUSED(o.source = text_of(OUTBOX_TEXT_MAX + 1));
	REFUSED(o.part = 0);
	REFUSED(o.part = 2);
	REFUSED(o.parts = OUTBOX_PARTS + 1);
	REFUSED(o.kind = CG_OUTBOUND_TYPING);
	REFUSED(o.kind = CG_OUTBOUND_ANSWER);
	REFUSED(o.button_count = 1);
	REFUSED(o.buttons = buttons; o.button_count = 65);
#undef REFUSED
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM outbox"), 0);
	o = rig_obligation("1", "chat");
	o.source = text_of(OUTBOX_TEXT_MAX);
	o.buttons = buttons;
	o.button_count = 64;
	o.part = o.parts = OUTBOX_PARTS;
	CU_ASSERT_EQUAL(rig_oblige(&rig, &o, 1), CG_OK);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

static void a_store_is_bounded_in_rows_and_bytes(void)
{
	static struct obligation many[OUTBOX_STORE + 1];
	static char ids[OUTBOX_STORE + 1][8];
	const size_t fit = OUTBOX_STORE_BYTES / OUTBOX_TEXT_MAX;
	struct rig rig;

	rig_start(&rig);
	for (size_t i = 0; i <= OUTBOX_STORE; i++) {
		snprintf(ids[i], sizeof(ids[i]), "%zu", i);
		many[i] = rig_obligation(ids[i], "chat");
	}
	CU_ASSERT_EQUAL(rig_oblige(&rig, many, OUTBOX_STORE + 1), CG_INVALID);
	CU_ASSERT_EQUAL(rig_oblige(&rig, many, OUTBOX_STORE), CG_OK);
	for (size_t i = 0; i < fit; i++) {
		snprintf(ids[i], sizeof(ids[i]), "big%zu", i);
		many[i].source = text_of(OUTBOX_TEXT_MAX);
	}
	CU_ASSERT_EQUAL(rig_oblige(&rig, many, fit), CG_INVALID);
	CU_ASSERT_EQUAL(rig_oblige(&rig, many, fit - 1), CG_OK);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

static int64_t lifetime_ms(void *arg, const char *instance)
{
	(void)arg;
	return strcmp(instance, "patient") == 0 ? 28 * 3600000 : 3600000;
}

static void a_deadline_is_given_where_none_is(void)
{
	struct obligation o = rig_obligation("1", "chat");
	const struct journal_hooks hooks = {.lifetime_ms = lifetime_ms};
	struct rig rig;

	rig_start(&rig);
	rig_oblige(&rig, &o, 1);
	journal_set_hooks(rig.journal, &hooks);
	o = rig_obligation("2", "other");
	o.instance = "patient";
	rig_oblige(&rig, &o, 1);
	CU_ASSERT_EQUAL_FATAL(rig_due(&rig), 2);
	CU_ASSERT_EQUAL(rig.rows[0]->deadline_ms, RIG_NOW + 24 * 3600000);
	CU_ASSERT_EQUAL(rig.rows[1]->deadline_ms, RIG_NOW + 28 * 3600000);
	rig_free_rows(&rig);
	rig_finish(&rig);
}

UNIT_SUITE(obligation, UNIT_TEST(a_file_is_somewhere), UNIT_TEST(every_field_comes_back),
	UNIT_TEST(what_breaks_a_limit_is_refused),
	UNIT_TEST(a_store_is_bounded_in_rows_and_bytes),
	UNIT_TEST(a_deadline_is_given_where_none_is));
