/* SPDX-License-Identifier: Apache-2.0 */
#include "mrkdwn.h"

#include <cowgate/sdk/text.h>
#include <string.h>

#define ID_MAX 64 /* bytes of an id in a mention; a longer one is shown as it is */

/* What a character is written as; NULL: as itself. */
static const char *escape_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	default:
		return NULL;
	}
}

/* Control characters are left out, but for line ends and tabs. */
static bool is_left_out(const char *text, size_t length)
{
	uint32_t point;

	return cg_utf8_decode(text, length, &point) > 0 && cg_text_is_control(point) &&
	       point != '\n' && point != '\t';
}

void slack_escape(struct cg_buffer *ret, const char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		size_t step = cg_text_step(text + at, length - at);
		const char *escape = escape_of(text[at]);

		if (escape != NULL)
			cg_buffer_text(ret, escape);
		else if (!is_left_out(text + at, length - at))
			cg_buffer_add(ret, text + at, step);
		at += step;
	}
}

uint32_t slack_escaped_units(const char *text, size_t length)
{
	size_t units = cg_text_measure(text, length, CG_UNIT_UTF16);

	for (size_t i = 0; i < length; i++) {
		const char *escape = escape_of(text[i]);

		units += escape == NULL ? 0 : strlen(escape) - 1;
	}
	return (uint32_t)units;
}

size_t slack_escaped_prefix(const char *text, size_t length, size_t limit)
{
	size_t at = 0;

	while (at < length) {
		size_t step = cg_text_step(text + at, length - at);
		const char *escape = escape_of(text[at]);
		size_t bytes = escape == NULL ? step : strlen(escape);

		if (bytes > limit)
			break;
		limit -= bytes;
		at += step;
	}
	return at;
}

/* ---- In ---- */

/* Bytes of the escape at the start of @text and what it stands for; 0: there is none. */
static size_t read_escape(const char *text, size_t length, char *ret)
{
	static const char marks[] = {'&', '<', '>'};

	for (size_t i = 0; i < sizeof(marks); i++) {
		const char *escape = escape_of(marks[i]);
		size_t size = strlen(escape);

		if (length >= size && memcmp(text, escape, size) == 0) {
			*ret = marks[i];
			return size;
		}
	}
	return 0;
}

static void add_unescaped(struct cg_buffer *ret, const char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		char c = text[at];
		size_t step = read_escape(text + at, length - at, &c);

		cg_buffer_char(ret, c);
		at += step == 0 ? 1 : step;
	}
}

/* The inside of <...>: what is marked, and its label. */
struct mark {
	const char *body;
	size_t body_length;
	const char *label; /* NULL: none */
	size_t label_length;
};

static struct mark read_mark(const char *text, size_t length)
{
	const char *bar = memchr(text, '|', length);
	struct mark mark = {.body = text, .body_length = length};

	if (bar == NULL)
		return mark;
	mark.body_length = (size_t)(bar - text);
	if (mark.body_length + 1 < length) {
		mark.label = bar + 1;
		mark.label_length = length - mark.body_length - 1;
	}
	return mark;
}

static void add_person(
	struct cg_buffer *ret, const struct mark *mark, slack_name name, const void *arg)
{
	char id[ID_MAX];
	const char *known = NULL;

	cg_buffer_char(ret, '@');
	if (name != NULL && mark->body_length - 1 < sizeof(id)) {
		memcpy(id, mark->body + 1, mark->body_length - 1);
		id[mark->body_length - 1] = '\0';
		known = name(arg, id);
	}
	if (known != NULL)
		cg_buffer_text(ret, known);
	else if (mark->label != NULL)
		add_unescaped(ret, mark->label, mark->label_length);
	else
		add_unescaped(ret, mark->body + 1, mark->body_length - 1);
}

/* <!here>, <!subteam^S1|@team>, <!date^...|yesterday> */
static void add_special(struct cg_buffer *ret, const struct mark *mark)
{
	if (mark->label != NULL) {
		add_unescaped(ret, mark->label, mark->label_length);
		return;
	}
	cg_buffer_char(ret, '@');
	add_unescaped(ret, mark->body + 1, mark->body_length - 1);
}

/* A label that is the address itself, with or without its scheme, adds nothing. */
static bool repeats(const struct mark *mark)
{
	return mark->label == NULL ||
	       (mark->label_length <= mark->body_length &&
		       memcmp(mark->body + mark->body_length - mark->label_length,
			       mark->label, mark->label_length) == 0);
}

static void add_link(struct cg_buffer *ret, const struct mark *mark)
{
	if (!repeats(mark)) {
		add_unescaped(ret, mark->label, mark->label_length);
		cg_buffer_text(ret, " (");
	}
	if (mark->label != NULL && mark->body_length > 7 &&
		memcmp(mark->body, "mailto:", 7) == 0 && repeats(mark))
		add_unescaped(ret, mark->label, mark->label_length);
	else
		add_unescaped(ret, mark->body, mark->body_length);
	if (!repeats(mark))
		cg_buffer_char(ret, ')');
}

static void add_mark(struct cg_buffer *ret, const char *text, size_t length,
	slack_name name, const void *arg)
{
	struct mark mark = read_mark(text, length);

	if (mark.body_length == 0) {
		add_unescaped(ret, text, length);
	} else if (mark.body[0] == '@') {
		add_person(ret, &mark, name, arg);
	} else if (mark.body[0] == '!') {
		add_special(ret, &mark);
	} else if (mark.body[0] == '#') {
		cg_buffer_char(ret, '#');
		if (mark.label != NULL)
			add_unescaped(ret, mark.label, mark.label_length);
		else
			add_unescaped(ret, mark.body + 1, mark.body_length - 1);
	} else {
		add_link(ret, &mark);
	}
}

void slack_unescape(
	struct cg_buffer *ret, const char *text, slack_name name, const void *arg)
{
	while (*text != '\0') {
		size_t plain = strcspn(text, "<");
		const char *end;

		add_unescaped(ret, text, plain);
		text += plain;
		if (*text == '\0')
			break;
		end = text + strcspn(text, ">\n");
		if (*end != '>') { /* not one of Slack's own */
			cg_buffer_char(ret, *text++);
			continue;
		}
		add_mark(ret, text + 1, (size_t)(end - text) - 1, name, arg);
		text = end + 1;
	}
}

/* Bytes of a mention of @user_id at the start of @text, 0: there is none. */
static size_t mention_length(const char *text, const char *user_id)
{
	size_t length = strlen(user_id);
	size_t end;

	if (length == 0 || strncmp(text, "<@", 2) != 0 ||
		strncmp(text + 2, user_id, length) != 0)
		return 0;
	end = 2 + length;
	if (text[end] == '|')
		end += strcspn(text + end, ">\n");
	return text[end] == '>' ? end + 1 : 0;
}

bool slack_mentions(const char *text, const char *user_id)
{
	while ((text = strstr(text, "<@")) != NULL) {
		if (mention_length(text, user_id) > 0)
			return true;
		text += 2;
	}
	return false;
}

bool slack_mentions_anyone(const char *text)
{
	return strstr(text, "<@") != NULL;
}

const char *slack_after_mention(const char *text, const char *user_id)
{
	const char *begin = text + strspn(text, " \t\n");
	size_t length = mention_length(begin, user_id);

	if (length == 0)
		return text;
	begin += length;
	begin += strspn(begin, ":,");
	return begin + strspn(begin, " \t\n");
}
