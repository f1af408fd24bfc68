/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any Markdown as a message: a body that Slack takes.  JSON, escapes that are whole, blocks of the
 * shapes that it knows, no empty texts, no control characters, no link to an unknown scheme.
 */
#include "providers/slack/wire.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/markdown.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS_MAX 13000

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_clean(const char *text)
{
	size_t length = strlen(text);

	require(length > 0 && cg_utf8_valid(text, length));
	for (size_t at = 0; at < length;) {
		uint32_t point = 0;

		at += cg_utf8_decode(text + at, length - at, &point);
		require(!cg_text_is_control(point) || point == '\n' || point == '\t');
	}
}

/* No mark of Slack's is left, and every escape is one. */
static void check_escaped(const char *text)
{
	require(strpbrk(text, "<>") == NULL);
	for (; (text = strchr(text, '&')) != NULL; text++)
		require(strncmp(text, "&amp;", 5) == 0 || strncmp(text, "&lt;", 4) == 0 ||
			strncmp(text, "&gt;", 4) == 0);
}

static void check_element(struct json_object *element)
{
	const char *type = cg_json_string_or(element, "type", "");
	const char *url = cg_json_string(element, "url");

	check_clean(cg_json_string_or(element, "text", ""));
	if (strcmp(type, "link") == 0)
		require(url != NULL && (strncmp(url, "http://", 7) == 0 ||
					       strncmp(url, "https://", 8) == 0 ||
					       strncmp(url, "mailto:", 7) == 0));
	else
		require(strcmp(type, "text") == 0 && url == NULL);
}

static void check_blocks(struct json_object *blocks)
{
	struct json_object *rich = cg_json_at(blocks, 0);
	struct json_object *parts = cg_json_array(rich, "elements");
	size_t length;

	cg_json_text(blocks, &length);
	require(length <= BLOCKS_MAX && cg_json_count(blocks) == 1);
	require(strcmp(cg_json_string_or(rich, "type", ""), "rich_text") == 0);
	require(cg_json_count(parts) > 0);
	for (size_t i = 0; i < cg_json_count(parts); i++) {
		struct json_object *part = cg_json_at(parts, i);
		struct json_object *elements = cg_json_array(part, "elements");

		require(strncmp(cg_json_string_or(part, "type", ""), "rich_text_", 10) ==
			0);
		require(cg_json_count(elements) > 0);
		for (size_t k = 0; k < cg_json_count(elements); k++)
			check_element(cg_json_at(elements, k));
	}
}

static void check_body(const struct cg_buffer *body, enum slack_dress dress)
{
	struct json_object *document = NULL;
	const char *text;

	require(cg_json_parse(body->bytes, body->length, &document, NULL) == CG_OK);
	text = cg_json_string_or(document, "text", "");
	check_clean(text);
	check_escaped(text);
	if (dress == SLACK_BLOCKS) {
		require(strlen(text) <= 4000);
		check_blocks(cg_json_array(document, "blocks"));
	}
	cg_json_free(document);
}

static void check_read_back(const char *text)
{
	struct cg_buffer escaped, back;

	cg_buffer_init(&escaped, 1u << 20);
	cg_buffer_init(&back, 1u << 20);
	slack_escape(&escaped, text, strlen(text));
	slack_unescape(&back, cg_buffer_string(&escaped), NULL, NULL);
	require(strcmp(cg_buffer_string(&back), text) == 0);
	cg_buffer_finish(&escaped);
	cg_buffer_finish(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct cg_markdown markdown = {0};
	struct cg_outbound outbound = {.size = sizeof(outbound),
		.kind = CG_OUTBOUND_TEXT,
		.delivery_id = "d",
		.target = {.chat_id = "C1"}};

	if (cg_markdown_render((const char *)bytes, length, true, &markdown) != CG_OK)
		return 0;
	outbound.text = markdown.text;
	outbound.text_length = markdown.length;
	outbound.spans = markdown.spans;
	outbound.span_count = markdown.span_count;
	for (enum slack_dress dress = SLACK_BLOCKS; dress <= SLACK_PLAIN; dress++) {
		struct cg_buffer body;
		const char *method;

		cg_buffer_init(&body, 1u << 17);
		if (slack_wire_write(&outbound, dress, &method, &body, NULL) == CG_OK)
			check_body(&body, dress);
		cg_buffer_finish(&body);
	}
	if (markdown.length > 0)
		check_read_back(markdown.text);
	cg_markdown_finish(&markdown);
	return 0;
}
