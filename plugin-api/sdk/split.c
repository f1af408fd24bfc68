/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cutting a long text.
 *
 * One part is found by one scan from its start to the platform's limit.  On the way the scan
 * notes the last place of each quality where a cut would still fit, with the fence that is
 * open there; then the best place that does not leave the part too short wins.
 */
#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/split.h>
#include <cowgate/sdk/text.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_MIN 32
#define FENCE_MIN 3 /* marks that make a fence */
#define PARTS_FIRST 4

/* The fenced block that the text is inside of. */
struct fence {
	const char *line; /* its opening line, without blanks at its end; NULL: outside */
	size_t length;
	size_t indent;
	size_t marks; /* how many backticks or tildes */
	bool silent; /* its lines leave no room: parts neither close nor open it again */
};

/* How good a place for a cut is, best first. */
enum quality {
	CUT_BLANK_LINE,
	CUT_LINE,
	CUT_SPACE,
	CUT_TORN, /* a line or space inside a link, inline code or emphasis */
	CUT_HARD, /* between two characters */
	CUT_COUNT,
};

struct cut {
	size_t end; /* of the part's text */
	size_t next; /* where the text goes on; 0: there is no such cut */
	size_t units; /* of the part, without what closes the fence */
	struct fence fence; /* open at the cut */
	bool line_start; /* the text goes on with a new line */
};

struct splitter {
	const char *source;
	size_t length;
	enum cg_text_unit unit;
	size_t limit;
	/* Where the next part begins. */
	size_t at;
	struct fence fence;
	bool line_start;
	struct cg_parts parts;
	size_t capacity;
};

/* What one scan has seen so far. */
struct scan {
	size_t at;
	size_t units; /* of the part's text up to here, with what opens the fence */
	size_t ink_at; /* end of the last character that is no blank */
	size_t ink_units; /* up to there */
	struct fence fence;
	bool line_start;
	bool in_opener; /* inside the line that opens the fence */
	bool in_closer; /* inside the line that closes a fence */
	bool blank_before; /* nothing but blanks since the line began */
	bool code; /* inside inline code */
	bool strong;
	unsigned brackets; /* of a link that have not been closed */
	struct cut cuts[CUT_COUNT]; /* the last one of each quality */
};

static size_t measure(const struct splitter *splitter, const char *text, size_t length)
{
	return cg_text_measure(text, length, splitter->unit);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static size_t line_length(const char *text, size_t length)
{
	const char *end = memchr(text, '\n', length);

	return end != NULL ? (size_t)(end - text) : length;
}

/* Read @line as a fence: any indent, since models indent them freely inside lists. */
static bool read_fence(const char *line, size_t length, struct fence *ret)
{
	struct fence fence = {.line = line};
	char mark;

	while (length > 0 && is_blank(line[length - 1]))
		length--;
	while (fence.indent < length && is_blank(line[fence.indent]))
		fence.indent++;
	if (fence.indent == length)
		return false;
	mark = line[fence.indent];
	if (mark != '`' && mark != '~')
		return false;
	while (fence.indent + fence.marks < length &&
		line[fence.indent + fence.marks] == mark)
		fence.marks++;
	fence.length = length;
	*ret = fence;
	return fence.marks >= FENCE_MIN;
}

static bool opens_fence(const char *line, size_t length, struct fence *ret)
{
	size_t info;

	if (!read_fence(line, length, ret))
		return false;
	info = ret->indent + ret->marks;
	return line[ret->indent] == '~' ||
	       memchr(line + info, '`', ret->length - info) == NULL;
}

static bool closes_fence(const char *line, size_t length, const struct fence *open)
{
	struct fence fence;

	return read_fence(line, length, &fence) &&
	       line[fence.indent] == open->line[open->indent] &&
	       fence.marks >= open->marks && fence.length == fence.indent + fence.marks;
}

/* Text whose blanks have no meaning and in which parts need no lines of their own. */
static bool is_plain(const struct fence *fence)
{
	return fence->line == NULL || fence->silent;
}

/* Units of what a part needs at its end when it is cut inside @fence. */
static size_t closing_units(const struct fence *fence)
{
	if (is_plain(fence))
		return 0;
	return 1 + fence->indent + fence->marks; /* all ASCII */
}

/* Bytes of the line that opens the fence again: without the language where it is too long. */
static size_t opening_length(const struct splitter *splitter, const struct fence *fence)
{
	if (measure(splitter, fence->line, fence->length) <= splitter->limit / 4)
		return fence->length;
	return fence->indent + fence->marks;
}

/* A fence so long that it would crowd out the text is left torn. */
static bool crowds(const struct splitter *splitter, const struct fence *fence)
{
	return fence->indent + fence->marks > splitter->limit / 4;
}

/* Remember a cut if the part would still fit. */
static void note(const struct splitter *splitter, struct scan *scan, enum quality quality,
	const struct cut *cut)
{
	if (cut->end > splitter->at &&
		cut->units + closing_units(&cut->fence) <= splitter->limit)
		scan->cuts[quality] = *cut;
}

static void forget_inline(struct scan *scan)
{
	scan->code = scan->strong = false;
	scan->brackets = 0;
}

static bool inside_inline(const struct scan *scan)
{
	return scan->code || scan->strong || scan->brackets > 0;
}

/* Follow inline code, links and strong emphasis, roughly: it only ranks cuts. */
static void follow_inline(const struct splitter *splitter, struct scan *scan)
{
	const char *text = splitter->source + scan->at;
	char after = scan->at + 1 < splitter->length ? text[1] : '\0';
	char before = scan->at > splitter->at ? text[-1] : '\0';
	char c = *text;

	if (c == '`') {
		if (before != '`')
			scan->code = !scan->code;
	} else if (scan->code) {
		return;
	} else if ((c == '*' || c == '~') && after == c && before != c) {
		scan->strong = !scan->strong;
	} else if (c == '[' || (c == '(' && (before == ']' || scan->brackets > 0))) {
		scan->brackets++;
	} else if ((c == ']' || c == ')') && scan->brackets > 0) {
		scan->brackets--;
	}
}

/* The scan stands at the start of a line: it may open or close a fence. */
static void begin_line(const struct splitter *splitter, struct scan *scan)
{
	const char *line = splitter->source + scan->at;
	size_t length = line_length(line, splitter->length - scan->at);
	struct fence opened;

	scan->line_start = false;
	scan->blank_before = true;
	if (scan->fence.line != NULL) {
		scan->in_closer = closes_fence(line, length, &scan->fence);
		if (scan->in_closer)
			scan->fence = (struct fence){0};
	} else if (opens_fence(line, length, &opened)) {
		opened.silent = crowds(splitter, &opened);
		scan->fence = opened;
		scan->in_opener = true;
		forget_inline(scan);
	}
}

/* One line end.  False when the part is full. */
static bool take_line_end(const struct splitter *splitter, struct scan *scan)
{
	bool plain = is_plain(&scan->fence);
	struct cut cut = {
		/* Code keeps its blanks: only the line end itself goes. */
		.end = plain ? scan->ink_at : scan->at,
		.next = scan->at + 1,
		.units = plain ? scan->ink_units : scan->units,
		.fence = scan->fence,
		.line_start = true,
	};

	if (!plain && scan->units >= splitter->limit)
		return false;
	/* A cut behind the line that opens a fence would leave an empty block behind. */
	if (scan->in_opener)
		scan->in_opener = false;
	else if (!plain)
		note(splitter, scan, CUT_LINE, &cut);
	else if (scan->blank_before)
		note(splitter, scan, CUT_BLANK_LINE, &cut);
	else
		note(splitter, scan, inside_inline(scan) ? CUT_TORN : CUT_LINE, &cut);
	if (scan->blank_before)
		forget_inline(scan);
	scan->in_closer = false;
	scan->line_start = true;
	scan->units++;
	scan->at++;
	return true;
}

/* One character within a line.  False when the part is full. */
static bool take_character(const struct splitter *splitter, struct scan *scan)
{
	const char *text = splitter->source + scan->at;
	size_t step = cg_text_step(text, splitter->length - scan->at);
	size_t units = measure(splitter, text, step);
	bool plain = is_plain(&scan->fence);
	struct cut cut = {
		.end = scan->at + step,
		.next = scan->at + step,
		.units = scan->units + units,
		.fence = scan->fence,
	};

	if (scan->in_opener)
		cut.fence.silent = true; /* half an opening line opens nothing */
	if (plain && is_blank(*text)) {
		struct cut space = cut;

		space.end = scan->ink_at;
		space.units = scan->ink_units;
		if (!scan->blank_before)
			note(splitter, scan, inside_inline(scan) ? CUT_TORN : CUT_SPACE,
				&space);
	} else if (cut.units > splitter->limit) {
		return false;
	} else if (is_blank(*text) && !scan->blank_before) {
		note(splitter, scan, CUT_SPACE, &cut); /* code keeps its blanks */
	}
	if (!is_blank(*text)) {
		scan->blank_before = false;
		scan->ink_at = cut.end;
		scan->ink_units = cut.units;
		if (plain && !scan->in_opener && !scan->in_closer)
			follow_inline(splitter, scan);
	}
	note(splitter, scan, CUT_HARD, &cut);
	scan->units = cut.units;
	scan->at = cut.end;
	return true;
}

/* Scan one part.  True when the rest of the text fits into it. */
static bool scan_part(const struct splitter *splitter, struct scan *scan)
{
	bool room = true;

	while (room && scan->at < splitter->length) {
		if (scan->line_start)
			begin_line(splitter, scan);
		room = splitter->source[scan->at] == '\n'
			       ? take_line_end(splitter, scan)
			       : take_character(splitter, scan);
	}
	return room;
}

/* The best cut that leaves the part at least half or a quarter full; else the latest one. */
static const struct cut *choose(const struct splitter *splitter, const struct scan *scan)
{
	const struct cut *latest = &scan->cuts[CUT_HARD];

	for (size_t share = 2; share <= 4; share += 2) {
		for (int quality = CUT_BLANK_LINE; quality <= CUT_SPACE; quality++) {
			const struct cut *cut = &scan->cuts[quality];

			if (cut->next > 0 && cut->units >= splitter->limit / share)
				return cut;
		}
	}
	for (int quality = CUT_TORN; quality >= CUT_BLANK_LINE; quality--) {
		const struct cut *cut = &scan->cuts[quality];

		if (cut->next > 0 &&
			(latest == &scan->cuts[CUT_HARD] || cut->end >= latest->end))
			latest = cut;
	}
	return latest;
}

/* Between parts, blank lines and the blanks at a cut have no meaning outside of code. */
static void skip_blanks(struct splitter *splitter)
{
	while (is_plain(&splitter->fence) && splitter->at < splitter->length) {
		const char *text = splitter->source + splitter->at;
		size_t left = splitter->length - splitter->at;
		size_t blanks = 0;

		while (blanks < left && is_blank(text[blanks]))
			blanks++;
		if (blanks < left && text[blanks] != '\n') {
			/* An indent stays, unless it would fill the part. */
			if (!splitter->line_start || blanks > splitter->limit / 4)
				splitter->at += blanks;
			return;
		}
		splitter->line_start = true;
		splitter->at += blanks < left ? blanks + 1 : left;
	}
}

/* Append what lies up to @cut as one part, with the lines that make its fence whole. */
static enum cg_status add_part(
	struct splitter *splitter, const struct cut *cut, size_t max_parts)
{
	struct cg_parts *parts = &splitter->parts;
	struct cg_buffer text;
	struct cg_part part;

	if (parts->count == max_parts)
		return CG_LIMIT;
	if (parts->count == splitter->capacity) {
		size_t capacity =
			splitter->capacity > 0 ? splitter->capacity * 2 : PARTS_FIRST;
		struct cg_part *items = realloc(parts->items, capacity * sizeof(*items));

		if (items == NULL)
			return CG_NOMEM;
		parts->items = items;
		splitter->capacity = capacity;
	}
	cg_buffer_init(&text, SIZE_MAX);
	if (!is_plain(&splitter->fence)) {
		cg_buffer_add(&text, splitter->fence.line,
			opening_length(splitter, &splitter->fence));
		cg_buffer_char(&text, '\n');
	}
	cg_buffer_add(&text, splitter->source + splitter->at, cut->end - splitter->at);
	if (!is_plain(&cut->fence)) {
		cg_buffer_char(&text, '\n');
		cg_buffer_add(
			&text, cut->fence.line, cut->fence.indent + cut->fence.marks);
	}
	part.text = cg_buffer_take(&text, &part.length);
	if (part.text == NULL)
		return CG_NOMEM;
	parts->items[parts->count++] = part;
	return CG_OK;
}

/* Cut one part off the rest. */
static enum cg_status next_part(struct splitter *splitter, size_t max_parts)
{
	struct scan scan = {
		.at = splitter->at,
		.ink_at = splitter->at,
		.fence = splitter->fence,
		.line_start = splitter->line_start,
	};
	struct cut cut;
	enum cg_status status;

	if (!is_plain(&splitter->fence))
		scan.units = measure(splitter, splitter->fence.line,
				     opening_length(splitter, &splitter->fence)) +
			     1;
	scan.ink_units = scan.units;
	if (scan_part(splitter, &scan)) {
		/* The source may end inside a fence, and then so does the last part. */
		bool fits = scan.units <= splitter->limit;

		cut = (struct cut){
			.end = fits ? splitter->length : scan.ink_at,
			.next = splitter->length,
		};
	} else {
		cut = *choose(splitter, &scan);
	}
	status = add_part(splitter, &cut, max_parts);
	splitter->at = cut.next;
	splitter->fence = cut.fence;
	splitter->line_start = cut.line_start;
	return status;
}

enum cg_status cg_split(const char *source, size_t length, enum cg_text_unit unit,
	size_t limit, size_t max_parts, struct cg_parts *ret)
{
	struct splitter splitter = {
		.source = source,
		.length = length,
		.unit = unit,
		.limit = limit,
		.line_start = true,
	};
	enum cg_status status = CG_OK;

	if (limit < LIMIT_MIN)
		return CG_INVALID;
	if (cg_text_measure(source, length, unit) > limit)
		skip_blanks(&splitter);
	while (status == CG_OK && splitter.at < length) {
		status = next_part(&splitter, max_parts);
		skip_blanks(&splitter);
	}
	if (status != CG_OK) {
		cg_parts_finish(&splitter.parts);
		return status;
	}
	*ret = splitter.parts;
	return CG_OK;
}

void cg_parts_finish(struct cg_parts *parts)
{
	if (parts == NULL)
		return;
	for (size_t i = 0; i < parts->count; i++)
		free(parts->items[i].text);
	free(parts->items);
	*parts = (struct cg_parts){0};
}

bool cg_fenced_next(const char *source, size_t length, size_t from, struct cg_fenced *ret)
{
	struct fence open = {0}, fence;

	for (size_t at = from; at < length;) {
		const char *line = source + at;
		size_t size = line_length(line, length - at);
		size_t next = at + size < length ? at + size + 1 : length;

		if (open.line != NULL && closes_fence(line, size, &open)) {
			ret->code_end = at;
			ret->end = at + size;
			return true;
		}
		if (open.line == NULL && opens_fence(line, size, &fence)) {
			size_t info = fence.indent + fence.marks;

			open = fence;
			while (info < fence.length && is_blank(line[info]))
				info++;
			*ret = (struct cg_fenced){.at = at,
				.code = next,
				.indent = fence.indent,
				.info = at + info,
				.info_length = fence.length - info};
		}
		at = next;
	}
	return false;
}
