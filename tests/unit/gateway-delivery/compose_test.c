/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/delivery/compose.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <string.h>

static char id[] = "s:m", chat[] = "chat", source[] = "a **b**", answered[] = "41",
	    subject[] = "subject";

static struct outbox_row plain_row(void)
{
	return (struct outbox_row){.delivery_id = id,
		.chat_id = chat,
		.message_id = answered,
		.context = subject,
		.kind = CG_OUTBOUND_TEXT,
		.source = source,
		.attempts = 2,
		.is_direct = true,
		.silent = true};
}

static void compose_gives_each_form_its_text(void)
{
	static const struct {
		enum cg_text_form form;
		const char *text;
		size_t spans;
	} forms[] = {
		{CG_FORM_SOURCE, "a **b**", 0},
		{CG_FORM_RENDERED, "a b", 1},
		{CG_FORM_PLAIN, "a b", 0},
	};
	struct outbox_row row = plain_row();

	for (size_t i = 0; i < 3; i++) {
		const struct cg_capabilities capabilities = {.text_form = forms[i].form};
		const struct compose_request request = {
			.row = &row, .capabilities = &capabilities, .timeout_ms = 7};
		struct composed composed;

		CU_ASSERT_EQUAL_FATAL(compose(&request, &composed), CG_OK);
		CU_ASSERT_STRING_EQUAL(composed.outbound.text, forms[i].text);
		CU_ASSERT_EQUAL(composed.outbound.text_length, strlen(forms[i].text));
		CU_ASSERT_EQUAL(composed.outbound.span_count, forms[i].spans);
		CU_ASSERT_STRING_EQUAL(composed.outbound.source, "a **b**");
		CU_ASSERT_EQUAL(composed.outbound.kind, CG_OUTBOUND_TEXT);
		CU_ASSERT_STRING_EQUAL(composed.outbound.delivery_id, "s:m");
		CU_ASSERT_STRING_EQUAL(composed.outbound.target.message_id, "41");
		CU_ASSERT_STRING_EQUAL(composed.outbound.target.context, "subject");
		CU_ASSERT(composed.outbound.target.is_direct && composed.outbound.silent);
		CU_ASSERT_EQUAL(composed.outbound.attempt, 2);
		CU_ASSERT_EQUAL(composed.outbound.timeout_ms, 7);
		composed_finish(&composed);
	}
}

static void compose_edits_only_texts(void)
{
	const struct cg_capabilities capabilities = {.text_form = CG_FORM_SOURCE};
	struct outbox_row row = plain_row();
	const struct compose_request request = {
		.row = &row, .capabilities = &capabilities, .edit_id = "99"};
	struct composed composed;

	CU_ASSERT_EQUAL_FATAL(compose(&request, &composed), CG_OK);
	CU_ASSERT_EQUAL(composed.outbound.kind, CG_OUTBOUND_EDIT);
	CU_ASSERT_STRING_EQUAL(composed.outbound.target.message_id, "99");
	composed_finish(&composed);
	row.kind = CG_OUTBOUND_BUTTONS;
	CU_ASSERT_EQUAL_FATAL(compose(&request, &composed), CG_OK);
	CU_ASSERT_EQUAL(composed.outbound.kind, CG_OUTBOUND_BUTTONS);
	composed_finish(&composed);
}

static void compose_labels_source_and_text(void)
{
	const struct cg_capabilities capabilities = {.text_form = CG_FORM_RENDERED};
	struct outbox_row row = plain_row();
	const struct compose_request request = {
		.row = &row, .capabilities = &capabilities, .label = COMPOSE_LABEL};
	struct composed composed;

	CU_ASSERT_EQUAL_FATAL(compose(&request, &composed), CG_OK);
	CU_ASSERT_STRING_EQUAL(composed.outbound.source, COMPOSE_LABEL "a **b**");
	CU_ASSERT_PTR_NOT_NULL(strstr(composed.outbound.text, "may be a repeat"));
	CU_ASSERT_PTR_NOT_NULL(strstr(composed.outbound.text, "a b"));
	composed_finish(&composed);
	/* Splitting leaves this much room for it, in every unit. */
	for (int unit = CG_UNIT_BYTES; unit <= CG_UNIT_CODE_POINTS; unit++)
		CU_ASSERT(
			cg_text_measure(COMPOSE_LABEL, strlen(COMPOSE_LABEL),
				(enum cg_text_unit)unit) <= COMPOSE_LABEL_UNITS &&
			cg_text_measure(COMPOSE_LABEL_WHOLE, strlen(COMPOSE_LABEL_WHOLE),
				(enum cg_text_unit)unit) <= COMPOSE_LABEL_UNITS);
}

static void compose_takes_what_cannot_be_rendered_as_it_is(void)
{
	static char rule[] = "---";
	const struct cg_capabilities capabilities = {.text_form = CG_FORM_PLAIN};
	struct outbox_row row = plain_row();
	const struct compose_request request = {
		.row = &row, .capabilities = &capabilities};
	struct composed composed;

	row.source = rule;
	CU_ASSERT_EQUAL_FATAL(compose(&request, &composed), CG_OK);
	CU_ASSERT(composed.outbound.text_length > 0);
	composed_finish(&composed);
	row.source = NULL;
	CU_ASSERT_EQUAL_FATAL(compose(&request, &composed), CG_OK);
	CU_ASSERT_STRING_EQUAL(composed.outbound.text, "");
	composed_finish(&composed);
}

static void compose_carries_buttons_and_file(void)
{
	static const char json[] = "[{\"label\":\"Yes\",\"token\":\"y\",\"style\":1,"
				   "\"row\":true},{\"label\":\"No\",\"token\":\"n\"}]";
	static char name[] = "a.txt", mime[] = "text/plain", path[] = "/tmp/a";
	const struct cg_capabilities capabilities = {.text_form = CG_FORM_SOURCE};
	struct outbox_row row = plain_row();
	const struct compose_request request = {
		.row = &row, .capabilities = &capabilities};
	struct composed composed;

	row.kind = CG_OUTBOUND_BUTTONS;
	row.file_name = name;
	row.file_mime = mime;
	row.file_path = path;
	row.file_bytes = 12;
	CU_ASSERT_EQUAL_FATAL(
		cg_json_parse(json, sizeof(json) - 1, &row.buttons, NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(compose(&request, &composed), CG_OK);
	CU_ASSERT_EQUAL_FATAL(composed.outbound.button_count, 2);
	CU_ASSERT_STRING_EQUAL(composed.outbound.buttons[0].label, "Yes");
	CU_ASSERT_EQUAL(composed.outbound.buttons[0].style, CG_BUTTON_GOOD);
	CU_ASSERT(composed.outbound.buttons[0].starts_row);
	CU_ASSERT_STRING_EQUAL(composed.outbound.buttons[1].token, "n");
	CU_ASSERT_EQUAL(composed.outbound.buttons[1].style, CG_BUTTON_PLAIN);
	CU_ASSERT_FALSE(composed.outbound.buttons[1].starts_row);
	CU_ASSERT_PTR_NOT_NULL_FATAL(composed.outbound.file);
	CU_ASSERT_STRING_EQUAL(composed.outbound.file->filename, "a.txt");
	CU_ASSERT_STRING_EQUAL(composed.outbound.file->path, "/tmp/a");
	CU_ASSERT_EQUAL(composed.outbound.file->bytes, 12);
	composed_finish(&composed);
	cg_json_free(row.buttons);
}

/* What lies in the row is no caption. */
static void compose_takes_a_file_out_of_its_row(void)
{
	static char name[] = "code.c", mime[] = "text/plain";
	const struct cg_capabilities capabilities = {.text_form = CG_FORM_RENDERED};
	struct outbox_row row = plain_row();
	struct compose_request request = {.row = &row,
		.capabilities = &capabilities,
		.content_path = "/tmp/spool/1"};
	struct composed composed;

	row.kind = CG_OUTBOUND_FILE;
	row.file_name = name;
	row.file_mime = mime;
	row.file_bytes = 7;
	CU_ASSERT_EQUAL_FATAL(compose(&request, &composed), CG_OK);
	CU_ASSERT_STRING_EQUAL(composed.outbound.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(composed.outbound.file);
	CU_ASSERT_STRING_EQUAL(composed.outbound.file->filename, "code.c");
	CU_ASSERT_STRING_EQUAL(composed.outbound.file->path, "/tmp/spool/1");
	CU_ASSERT_EQUAL(composed.outbound.file->bytes, 7);
	composed_finish(&composed);
	request.label = COMPOSE_LABEL;
	CU_ASSERT_EQUAL_FATAL(compose(&request, &composed), CG_OK);
	CU_ASSERT_STRING_EQUAL(composed.outbound.source, COMPOSE_LABEL);
	composed_finish(&composed);
}

UNIT_SUITE(compose, UNIT_TEST(compose_takes_a_file_out_of_its_row),
	UNIT_TEST(compose_gives_each_form_its_text), UNIT_TEST(compose_edits_only_texts),
	UNIT_TEST(compose_labels_source_and_text),
	UNIT_TEST(compose_takes_what_cannot_be_rendered_as_it_is),
	UNIT_TEST(compose_carries_buttons_and_file));
