/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text with spans as one block of rich text, whose letters mean nothing but themselves: what an
 * agent says can neither mention a channel nor break the markup.  Buttons follow, a block a row.
 */
#include "wire.h"

#include <cowgate/sdk/json.h>
#include <string.h>

#define DEPTH 16 /* spans around one letter; deeper ones are not shown */

static const char *const styles[] = {
	[CG_SPAN_BOLD] = "bold",
	[CG_SPAN_ITALIC] = "italic",
	[CG_SPAN_STRIKE] = "strike",
	[CG_SPAN_CODE] = "code",
	[CG_SPAN_PRE] = NULL,
	[CG_SPAN_LINK] = NULL,
	[CG_SPAN_QUOTE] = NULL,
};

enum box {
	BOX_NONE,
	BOX_SECTION,
	BOX_QUOTE,
	BOX_PRE,
};

struct walk {
	const struct cg_outbound *outbound;
	struct cg_buffer *json;
	const struct cg_span *open[DEPTH]; /* spans around the letter at hand */
	size_t depth;
	size_t next; /* span that opens next */
	enum box box; /* what is being written */
	bool begun; /* it has an element */
	size_t boxes;
};

/* ---- Elements ---- */

static void write_text(struct cg_buffer *json, const char *text, size_t length)
{
	struct cg_buffer clean;

	/* Nothing is escaped here but by JSON; only control characters are left out. */
	cg_buffer_init(&clean, length);
	for (size_t at = 0; at < length;) {
		size_t step = cg_text_step(text + at, length - at);
		uint32_t point = 0;

		cg_utf8_decode(text + at, length - at, &point);
		if (!cg_text_is_control(point) || point == '\n' || point == '\t')
			cg_buffer_add(&clean, text + at, step);
		at += step;
	}
	cg_json_write_string(json, cg_buffer_string(&clean), clean.length);
	cg_buffer_finish(&clean);
}

static bool is_link(const char *url)
{
	return strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0 ||
	       strncmp(url, "mailto:", 7) == 0;
}

static const char *open_link(const struct walk *walk)
{
	for (size_t i = walk->depth; i > 0; i--) {
		const struct cg_span *span = walk->open[i - 1];

		if (span->kind == CG_SPAN_LINK && span->detail != NULL &&
			is_link(span->detail))
			return span->detail;
	}
	return NULL;
}

static void write_style(const struct walk *walk)
{
	struct cg_buffer *json = walk->json;
	unsigned seen = 0;

	for (size_t i = 0; i < walk->depth; i++) {
		enum cg_span_kind kind = walk->open[i]->kind;

		if (styles[kind] == NULL || (seen & 1u << kind) != 0)
			continue;
		cg_buffer_text(json, seen == 0 ? ",\"style\":{" : ",");
		cg_buffer_format(json, "\"%s\":true", styles[kind]);
		seen |= 1u << kind;
	}
	if (seen != 0)
		cg_buffer_char(json, '}');
}

static void write_element(struct walk *walk, const char *text, size_t length)
{
	const char *url = open_link(walk);
	struct cg_buffer *json = walk->json;

	if (walk->begun)
		cg_buffer_char(json, ',');
	walk->begun = true;
	if (url == NULL) {
		cg_buffer_text(json, "{\"type\":\"text\",\"text\":");
	} else {
		cg_buffer_text(json, "{\"type\":\"link\",\"url\":");
		cg_json_write_string(json, url, strlen(url));
		cg_buffer_text(json, ",\"text\":");
	}
	write_text(json, text, length);
	if (walk->box != BOX_PRE)
		write_style(walk);
	cg_buffer_char(json, '}');
}

/* ---- Boxes ---- */

static void close_box(struct walk *walk)
{
	if (walk->box != BOX_NONE)
		cg_buffer_text(walk->json, "]}");
	walk->box = BOX_NONE;
}

static void open_box(struct walk *walk, enum box box)
{
	static const char *const types[] = {
		[BOX_NONE] = "",
		[BOX_SECTION] = "rich_text_section",
		[BOX_QUOTE] = "rich_text_quote",
		[BOX_PRE] = "rich_text_preformatted",
	};

	close_box(walk);
	cg_buffer_format(walk->json, "%s{\"type\":\"%s\",\"elements\":[",
		walk->boxes++ == 0 ? "" : ",", types[box]);
	walk->box = box;
	walk->begun = false;
}

static enum box wanted_box(const struct walk *walk)
{
	enum box box = BOX_SECTION;

	for (size_t i = 0; i < walk->depth; i++) {
		if (walk->open[i]->kind == CG_SPAN_PRE)
			return BOX_PRE;
		if (walk->open[i]->kind == CG_SPAN_QUOTE)
			box = BOX_QUOTE;
	}
	return box;
}

/* ---- The walk ---- */

static size_t span_end(const struct cg_span *span)
{
	return (size_t)span->offset + span->length;
}

/* Close and open what ends and begins at @at; returns where the next change is. */
static size_t turn(struct walk *walk, size_t at, bool spans)
{
	const struct cg_outbound *outbound = walk->outbound;
	size_t until = outbound->text_length;

	while (walk->depth > 0 && span_end(walk->open[walk->depth - 1]) <= at)
		walk->depth--;
	for (; spans && walk->next < outbound->span_count; walk->next++) {
		const struct cg_span *span = &outbound->spans[walk->next];

		if (span->offset > at) {
			if (span->offset < until)
				until = span->offset;
			break;
		}
		if (span->offset == at && span->length > 0 && walk->depth < DEPTH &&
			span_end(span) <= outbound->text_length)
			walk->open[walk->depth++] = span;
	}
	if (walk->depth > 0 && span_end(walk->open[walk->depth - 1]) < until)
		until = span_end(walk->open[walk->depth - 1]);
	return until;
}

/* A box stands on lines of its own: the line ends around it are not shown again. */
static void write_stretch(struct walk *walk, const char *text, size_t length)
{
	enum box box = wanted_box(walk);

	if (box != walk->box) {
		bool lines = walk->box != BOX_NONE;

		while (lines && length > 0 && *text == '\n')
			text++, length--;
		if (length == 0)
			return;
		open_box(walk, box);
	}
	write_element(walk, text, length);
}

/* Line ends before a box that stands apart, as many as there are at the end of a section. */
static size_t without_lines(const struct walk *walk, const char *text, size_t length,
	const struct cg_span *next)
{
	if (next == NULL || wanted_box(walk) != BOX_SECTION ||
		(next->kind != CG_SPAN_PRE && next->kind != CG_SPAN_QUOTE))
		return length;
	while (length > 0 && text[length - 1] == '\n')
		length--;
	return length;
}

static void write_rich_text(
	const struct cg_outbound *outbound, bool spans, struct cg_buffer *json)
{
	struct walk walk = {.outbound = outbound, .json = json};
	const char *text = outbound->text;

	cg_buffer_text(json, "{\"type\":\"rich_text\",\"elements\":[");
	for (size_t at = 0; at < outbound->text_length;) {
		size_t until = turn(&walk, at, spans);
		const struct cg_span *next =
			walk.next < outbound->span_count &&
					outbound->spans[walk.next].offset == until
				? &outbound->spans[walk.next]
				: NULL;
		size_t length =
			without_lines(&walk, text + at, until - at, spans ? next : NULL);

		if (length > 0)
			write_stretch(&walk, text + at, length);
		at = until;
	}
	close_box(&walk);
	cg_buffer_text(json, "]}");
}

/* ---- Buttons ---- */

static void write_button(
	struct cg_buffer *json, const struct cg_button *button, size_t number)
{
	size_t length = cg_text_prefix(button->label, strlen(button->label),
		CG_UNIT_UTF16, slack_capabilities.max_button_label);

	cg_buffer_format(json,
		"{\"type\":\"button\",\"action_id\":\"cowgate-%zu\",\"text\":{\"type\":"
		"\"plain_text\",\"emoji\":true,\"text\":",
		number);
	write_text(json, button->label, length);
	cg_buffer_text(json, "},\"value\":");
	cg_json_write_string(json, button->token, strlen(button->token));
	if (button->style == CG_BUTTON_GOOD)
		cg_buffer_text(json, ",\"style\":\"primary\"");
	if (button->style == CG_BUTTON_DANGER)
		cg_buffer_text(json, ",\"style\":\"danger\"");
	cg_buffer_char(json, '}');
}

static void write_buttons(struct cg_buffer *json, const struct cg_outbound *outbound)
{
	for (size_t i = 0; i < outbound->button_count; i++) {
		const struct cg_button *button = &outbound->buttons[i];
		bool first = i == 0 || button->starts_row;

		if (first)
			cg_buffer_format(json, "%s,{\"type\":\"actions\",\"elements\":[",
				i == 0 ? "" : "]}");
		else
			cg_buffer_char(json, ',');
		write_button(json, button, i + 1);
	}
	if (outbound->button_count > 0)
		cg_buffer_text(json, "]}");
}

void slack_blocks_write(
	const struct cg_outbound *outbound, bool spans, struct cg_buffer *ret)
{
	cg_buffer_char(ret, '[');
	write_rich_text(outbound, spans, ret);
	write_buttons(ret, outbound);
	cg_buffer_char(ret, ']');
}
