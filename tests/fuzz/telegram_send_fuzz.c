/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any Markdown, sent: the call is JSON, and its entities keep the platform's rules: inside the
 * text, between characters in UTF-16, sorted, nested, code alone, nothing within itself.
 */
#include "providers/telegram/wire.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/markdown.h>
#include <cowgate/sdk/split.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* Bytes of @text that take @units; dies when that goes through a character. */
static size_t place(const char *text, int64_t units)
{
	size_t length = strlen(text);
	size_t at = cg_text_prefix(text, length, CG_UNIT_UTF16, (size_t)units);

	require(units >= 0 && cg_text_measure(text, at, CG_UNIT_UTF16) == (size_t)units);
	return at;
}

static bool is(struct json_object *entity, const char *type)
{
	return strcmp(cg_json_string_or(entity, "type", ""), type) == 0;
}

static bool is_code(struct json_object *entity)
{
	return is(entity, "code") || is(entity, "pre");
}

static void check_pair(struct json_object *one, struct json_object *other)
{
	int64_t begin = cg_json_int(one, "offset", -1),
		its = cg_json_int(other, "offset", -1);
	int64_t end = begin + cg_json_int(one, "length", -1);
	int64_t its_end = its + cg_json_int(other, "length", -1);

	require(its > begin || (its == begin && its_end <= end));
	if (its >= end)
		return;
	require(its_end <= end);
	require(!is(one, cg_json_string_or(other, "type", "")));
	require(!is_code(one));
	require(!is_code(other) || is(one, "blockquote"));
}

static void check_entities(struct json_object *entities, const char *text)
{
	size_t count = cg_json_count(entities);

	require(count <= TELEGRAM_ENTITIES);
	for (size_t i = 0; i < count; i++) {
		struct json_object *entity = cg_json_at(entities, i);
		int64_t offset = cg_json_int(entity, "offset", -1);
		int64_t units = cg_json_int(entity, "length", -1);

		require(units > 0);
		place(text, offset);
		place(text, offset + units);
		require(!is(entity, "text_link") ||
			cg_json_string(entity, "url") != NULL);
		for (size_t k = i + 1; k < count; k++)
			check_pair(entity, cg_json_at(entities, k));
	}
}

static void check_call(const struct cg_outbound *outbound)
{
	const struct telegram_form form = {.boundary = "b"};
	struct telegram_written written = {.method = NULL};
	struct json_object *call = NULL;
	const char *text;

	cg_buffer_init(&written.body, 1u << 18);
	cg_buffer_init(&written.tail, 1024);
	if (telegram_wire_write(outbound, &form, &written, NULL) == CG_OK) {
		require(cg_json_parse(written.body.bytes, written.body.length, &call,
				NULL) == CG_OK);
		text = cg_json_string(call, "text");
		require(text != NULL && strcmp(text, outbound->text) == 0);
		require(cg_text_measure(text, strlen(text), CG_UNIT_UTF16) <= 4096);
		check_entities(cg_json_array(call, "entities"), text);
		cg_json_free(call);
	}
	cg_buffer_finish(&written.body);
	cg_buffer_finish(&written.tail);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct cg_parts parts = {.items = NULL};
	struct cg_markdown markdown = {.text = NULL};

	if (cg_split((const char *)bytes, length, CG_UNIT_UTF16, 4096, 16, &parts) !=
		CG_OK)
		return 0;
	for (size_t i = 0; i < parts.count; i++) {
		if (cg_markdown_render(parts.items[i].text, parts.items[i].length, true,
			    &markdown) != CG_OK)
			continue;
		check_call(&(struct cg_outbound){.size = sizeof(struct cg_outbound),
			.kind = CG_OUTBOUND_TEXT,
			.target = {.chat_id = "9"},
			.text = markdown.text,
			.text_length = markdown.length,
			.spans = markdown.spans,
			.span_count = markdown.span_count});
		cg_markdown_finish(&markdown);
	}
	cg_parts_finish(&parts);
	return 0;
}
