/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as Markdown: the text is clean, and its spans nest, are sorted and tear nothing. */
#include <cowgate/sdk/markdown.h>
#include <cowgate/sdk/text.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool between_characters(const struct cg_markdown *markdown, size_t at)
{
	return at <= markdown->length && ((uint8_t)markdown->text[at] & 0xC0) != 0x80;
}

static void check_text(const struct cg_markdown *markdown)
{
	require(markdown->length <= CG_MARKDOWN_MAX);
	require(markdown->text[markdown->length] == '\0');
	require(cg_utf8_valid(markdown->text, markdown->length));
	for (size_t at = 0; at < markdown->length;) {
		uint32_t point = 0;

		at += cg_utf8_decode(markdown->text + at, markdown->length - at, &point);
		require(!cg_text_is_control(point) || point == '\n' || point == '\t');
	}
}

static void check_spans(const struct cg_markdown *markdown)
{
	size_t ends[CG_SPAN_QUOTE + 1]; /* of the spans around the current one */
	size_t depth = 0;
	size_t before = 0;

	require(markdown->span_count <= CG_MARKDOWN_SPANS);
	for (size_t i = 0; i < markdown->span_count; i++) {
		const struct cg_span *span = &markdown->spans[i];
		size_t end = (size_t)span->offset + span->length;

		require(span->kind <= CG_SPAN_QUOTE && span->length > 0);
		require(span->offset >= before);
		require(between_characters(markdown, span->offset));
		require(between_characters(markdown, end));
		require((span->detail != NULL) || span->kind != CG_SPAN_LINK);
		require(span->detail == NULL ||
			cg_text_clean(span->detail, strlen(span->detail), 2048));
		while (depth > 0 && ends[depth - 1] <= span->offset)
			depth--;
		require(depth == 0 || end <= ends[depth - 1]);
		require(depth < sizeof(ends) / sizeof(ends[0]));
		ends[depth++] = end;
		before = span->offset;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct cg_markdown markdown = {0};

	for (int spans = 0; spans < 2; spans++) {
		enum cg_status status = cg_markdown_render(
			(const char *)bytes, length, spans != 0, &markdown);

		require(status == CG_OK || status == CG_LIMIT);
		if (status != CG_OK)
			continue;
		check_text(&markdown);
		check_spans(&markdown);
		require(spans != 0 || markdown.span_count == 0);
		cg_markdown_finish(&markdown);
	}
	return 0;
}
