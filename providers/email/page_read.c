/* SPDX-License-Identifier: Apache-2.0 */
/* A reader of HTML as mail has it: tags are hints, nothing is trusted to be balanced. */
#include "page.h"

#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TAG_MAX 16 /* bytes of a tag's name that is looked at */
#define QUOTE_MAX 8 /* depth of quotation that is shown */
#define HREF_MAX 1024

struct reader {
	struct cg_buffer *text;
	unsigned quote; /* depth of blockquotes */
	unsigned preformatted;
	/* owed before the next letter: 1 ends a line, 2 leave one blank */
	unsigned blank_lines;
	bool space; /* owed before the next letter */
	bool begun; /* the line has its mark of quotation */
	bool fresh; /* nothing was written yet */
	char skip[TAG_MAX]; /* inside this element nothing is shown; "" none */
	unsigned skip_depth;
	char href[HREF_MAX];
	size_t link_start; /* where the link's text begins */
};

struct tag {
	char name[TAG_MAX];
	bool closing;
	const char *attributes;
	size_t length; /* of the attributes */
};

/* ---- What is written ---- */

static void begin_line(struct reader *reader)
{
	for (unsigned i = 0; i < reader->quote && i < QUOTE_MAX; i++)
		cg_buffer_text(reader->text, "> ");
	reader->begun = true;
}

static void owe_lines(struct reader *reader, unsigned lines)
{
	if (reader->blank_lines < lines)
		reader->blank_lines = lines;
	reader->space = false;
}

static void settle(struct reader *reader)
{
	for (unsigned i = 0; i < reader->blank_lines && !reader->fresh; i++) {
		cg_buffer_char(reader->text, '\n');
		reader->begun = false;
	}
	reader->blank_lines = 0;
	if (!reader->begun)
		begin_line(reader);
	else if (reader->space)
		cg_buffer_char(reader->text, ' ');
	reader->space = false;
	reader->fresh = false;
}

static void put(struct reader *reader, const char *bytes, size_t length)
{
	if (reader->skip[0] != '\0')
		return;
	if (length == 1 && strchr(" \t\r\n", bytes[0]) != NULL) {
		if (!reader->preformatted) {
			reader->space = reader->blank_lines == 0 && !reader->fresh;
			return;
		}
		if (bytes[0] == '\r')
			return;
		if (bytes[0] == '\n') {
			owe_lines(reader, reader->blank_lines + 1);
			return;
		}
	}
	settle(reader);
	cg_buffer_add(reader->text, bytes, length);
}

/* ---- Entities ---- */

static const struct {
	const char *name;
	uint32_t point;
} entities[] = {
	{"amp", '&'},
	{"lt", '<'},
	{"gt", '>'},
	{"quot", '"'},
	{"apos", '\''},
	{"nbsp", ' '},
	{"copy", 0xA9},
	{"reg", 0xAE},
	{"trade", 0x2122},
	{"hellip", 0x2026},
	{"mdash", 0x2014},
	{"ndash", 0x2013},
	{"lsquo", 0x2018},
	{"rsquo", 0x2019},
	{"ldquo", 0x201C},
	{"rdquo", 0x201D},
	{"laquo", 0xAB},
	{"raquo", 0xBB},
	{"bull", 0x2022},
	{"middot", 0xB7},
	{"euro", 0x20AC},
	{"pound", 0xA3},
	{"sect", 0xA7},
	{"deg", 0xB0},
	{"auml", 0xE4},
	{"ouml", 0xF6},
	{"uuml", 0xFC},
	{"Auml", 0xC4},
	{"Ouml", 0xD6},
	{"Uuml", 0xDC},
	{"szlig", 0xDF},
	{"agrave", 0xE0},
	{"eacute", 0xE9},
	{"egrave", 0xE8},
	{"ecirc", 0xEA},
	{"ccedil", 0xE7},
	{"ntilde", 0xF1},
	{"zwnj", 0},
	{"zwj", 0},
	{"shy", 0},
};

/* The code point of "#65", "#x41" or a name; false: unknown. */
static bool entity_point(const char *name, size_t length, uint32_t *ret)
{
	char digits[12];
	unsigned long number;
	char *end;

	if (length > 1 && name[0] == '#' && length < sizeof(digits)) {
		memcpy(digits, name + 1, length - 1);
		digits[length - 1] = '\0';
		number = digits[0] == 'x' || digits[0] == 'X'
				 ? strtoul(digits + 1, &end, 16)
				 : strtoul(digits, &end, 10);
		if (*end != '\0' || number > 0x10FFFF)
			return false;
		*ret = (uint32_t)number;
		return true;
	}
	for (size_t i = 0; i < sizeof(entities) / sizeof(*entities); i++) {
		if (strlen(entities[i].name) == length &&
			strncmp(entities[i].name, name, length) == 0) {
			*ret = entities[i].point;
			return true;
		}
	}
	return false;
}

/* At '&'; returns the bytes that were used. */
static size_t read_entity(struct reader *reader, const char *html, size_t length)
{
	size_t name = 1;
	uint32_t point;
	char bytes[4];

	while (name < length && name < 12 && html[name] != ';' && html[name] != '<' &&
		html[name] != ' ')
		name++;
	if (name >= length || html[name] != ';' ||
		!entity_point(html + 1, name - 1, &point)) {
		put(reader, "&", 1);
		return 1;
	}
	if (point == 0xA0)
		point = ' ';
	/* Nothing invisible: control characters, joiners, marks of order, tags. */
	if (point >= ' ' && !cg_text_is_control(point) &&
		!(point >= 0x200B && point <= 0x200F) && point != 0xFEFF &&
		!(point >= 0xE0000 && point <= 0xE007F))
		put(reader, bytes, cg_utf8_encode(point, bytes));
	else if (point == '\n' || point == '\t')
		put(reader, " ", 1);
	return name + 1;
}

/* ---- Tags ---- */

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names != NULL; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

/* Is @word within the @length bytes, in any case and with blanks left out of them? */
static bool holds(const char *text, size_t length, const char *word)
{
	for (size_t i = 0; i < length; i++) {
		size_t at = i, letter = 0;

		while (at < length && word[letter] != '\0') {
			if (text[at] == ' ' || text[at] == '\t') {
				if (letter == 0)
					break;
				at++;
			} else if (strncasecmp(text + at, word + letter, 1) == 0) {
				at++, letter++;
			} else {
				break;
			}
		}
		if (word[letter] == '\0')
			return true;
	}
	return false;
}

static void read_href(const struct tag *tag, char ret[HREF_MAX])
{
	const char *end = tag->attributes + tag->length;
	const char *at = tag->attributes;
	char quote;
	size_t length;

	ret[0] = '\0';
	while (at + 5 < end && strncasecmp(at, "href=", 5) != 0)
		at++;
	if (at + 5 >= end)
		return;
	at += 5;
	quote = *at == '"' || *at == '\'' ? *at++ : ' ';
	for (length = 0; at + length < end && at[length] != quote; length++)
		;
	if (length == 0 || length >= HREF_MAX ||
		(strncasecmp(at, "http", 4) != 0 && strncasecmp(at, "mailto:", 7) != 0))
		return;
	memcpy(ret, at, length);
	ret[length] = '\0';
	if (!cg_text_clean(ret, length, HREF_MAX) || strchr(ret, ' ') != NULL)
		ret[0] = '\0';
}

/* The address behind the text of a link, unless that says it already. */
static void end_link(struct reader *reader)
{
	const char *shown, *address = reader->href;

	if (address[0] == '\0')
		return;
	if (strncasecmp(address, "mailto:", 7) == 0)
		address += 7;
	shown = reader->link_start < reader->text->length
			? cg_buffer_string(reader->text) + reader->link_start
			: "";
	if (shown[0] != '\0' && strstr(shown, address) == NULL &&
		cg_buffer_status(reader->text) == CG_OK) {
		reader->space = false;
		cg_buffer_format(reader->text, " (%s)", address);
	}
	reader->href[0] = '\0';
}

static void show_tag(struct reader *reader, const struct tag *tag)
{
	static const char *const lines[] = {"div", "tr", "li", "dt", "dd", "section",
		"article", "header", "footer", "address", "center", "table", NULL};
	static const char *const blocks[] = {"p", "ul", "ol", "dl", "h1", "h2", "h3",
		"h4", "h5", "h6", "pre", "blockquote", "hr", NULL};

	if (strcmp(tag->name, "br") == 0)
		owe_lines(reader,
			reader->blank_lines + 1 > 2 ? 2 : reader->blank_lines + 1);
	else if (is_one_of(tag->name, lines))
		owe_lines(reader, 1);
	else if (is_one_of(tag->name, blocks))
		owe_lines(reader, 2);
	if (strcmp(tag->name, "td") == 0 || strcmp(tag->name, "th") == 0)
		reader->space = reader->begun && reader->blank_lines == 0;
	if (strcmp(tag->name, "li") == 0 && !tag->closing)
		put(reader, "- ", 2);
	if (strcmp(tag->name, "pre") == 0 && (!tag->closing || reader->preformatted > 0))
		reader->preformatted += tag->closing ? -1u : 1u;
	if (strcmp(tag->name, "blockquote") == 0 && (!tag->closing || reader->quote > 0))
		reader->quote += tag->closing ? -1u : 1u;
	if (strcmp(tag->name, "a") == 0) {
		end_link(reader);
		if (!tag->closing) {
			read_href(tag, reader->href);
			reader->link_start = reader->text->length;
		}
	}
}

/* Elements that have no end. */
static bool is_void(const struct tag *tag)
{
	static const char *const names[] = {"br", "hr", "img", "input", "meta", "link",
		"col", "area", "base", "wbr", NULL};

	return is_one_of(tag->name, names) ||
	       (tag->length > 0 && tag->attributes[tag->length - 1] == '/');
}

static void take_tag(struct reader *reader, const struct tag *tag)
{
	static const char *const silent[] = {
		"script", "style", "head", "title", "template", "noscript", NULL};

	if (reader->skip[0] != '\0') {
		if (strcmp(tag->name, reader->skip) != 0 || is_void(tag))
			return;
		if (!tag->closing)
			reader->skip_depth++;
		else if (--reader->skip_depth == 0)
			reader->skip[0] = '\0';
		return;
	}
	/* What the person does not see, the agent does not read. */
	if (!tag->closing && !is_void(tag) && tag->name[0] != '\0' &&
		(is_one_of(tag->name, silent) ||
			holds(tag->attributes, tag->length, "display:none") ||
			holds(tag->attributes, tag->length, "visibility:hidden") ||
			holds(tag->attributes, tag->length, "font-size:0px"))) {
		memcpy(reader->skip, tag->name, TAG_MAX);
		reader->skip_depth = 1;
		return;
	}
	show_tag(reader, tag);
}

/* At '<'; returns the bytes that were used. */
static size_t read_tag(struct reader *reader, const char *html, size_t length)
{
	struct tag tag = {.closing = length > 1 && html[1] == '/'};
	size_t at = tag.closing ? 2 : 1, name = 0;
	char quote = '\0';

	if (length >= 4 && strncmp(html, "<!--", 4) == 0) {
		for (at = 4; at + 3 <= length; at++) {
			if (strncmp(html + at, "-->", 3) == 0)
				return at + 3;
		}
		return length;
	}
	if (at >= length ||
		(strchr("!?", html[at]) == NULL &&
			!((html[at] | 32) >= 'a' && (html[at] | 32) <= 'z'))) {
		put(reader, "<", 1);
		return 1;
	}
	while (at < length && strchr(" \t\r\n>/", html[at]) == NULL) {
		if (name < TAG_MAX - 1)
			tag.name[name++] = html[at] >= 'A' && html[at] <= 'Z'
						   ? (char)(html[at] | 32)
						   : html[at];
		at++;
	}
	tag.attributes = html + at;
	for (; at < length && (quote != '\0' || html[at] != '>'); at++) {
		if (quote != '\0')
			quote = html[at] == quote ? '\0' : quote;
		else if (html[at] == '"' || html[at] == '\'')
			quote = html[at];
	}
	tag.length = (size_t)(html + at - tag.attributes);
	take_tag(reader, &tag);
	return at < length ? at + 1 : length;
}

enum cg_status page_read(struct cg_buffer *text, const char *html, size_t length)
{
	struct reader reader = {.text = text, .fresh = true};

	for (size_t at = 0; at < length && cg_buffer_status(text) == CG_OK;) {
		size_t step;

		if (html[at] == '<') {
			at += read_tag(&reader, html + at, length - at);
			continue;
		}
		if (html[at] == '&') {
			at += read_entity(&reader, html + at, length - at);
			continue;
		}
		step = cg_text_step(html + at, length - at);
		put(&reader, html + at, step);
		at += step;
	}
	end_link(&reader);
	return cg_buffer_status(text);
}
