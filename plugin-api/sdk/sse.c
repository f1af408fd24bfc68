/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event stream parser.  A line that lies whole inside a chunk is read in place; only what
 * a chunk boundary cuts is copied.
 */
#include <cowgate/sdk/sse.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

void cg_sse_init(struct cg_sse *sse, size_t limit, cg_sse_handler handler, void *arg)
{
	*sse = (struct cg_sse){.handler = handler, .arg = arg};
	cg_buffer_init(&sse->line, limit);
	cg_buffer_init(&sse->data, limit);
}

void cg_sse_finish(struct cg_sse *sse)
{
	if (sse == NULL)
		return;
	cg_buffer_finish(&sse->line);
	cg_buffer_finish(&sse->data);
}

void cg_sse_reset(struct cg_sse *sse)
{
	cg_buffer_clear(&sse->line);
	cg_buffer_clear(&sse->data);
	sse->type[0] = '\0';
	/* An id counts once its event is complete: the rest of a torn one must come again. */
	memcpy(sse->next_id, sse->id, sizeof(sse->id));
	sse->has_data = false;
	sse->after_cr = false;
	sse->started = false;
}

/* A blank line: the event is complete. */
static enum cg_status dispatch(struct cg_sse *sse)
{
	bool has_data = sse->has_data;
	bool wanted = true;

	memcpy(sse->id, sse->next_id, sizeof(sse->id));
	sse->has_data = false;
	if (has_data) {
		struct cg_sse_event event = {
			.type = sse->type,
			.id = sse->id,
			.data = cg_buffer_string(&sse->data),
			.length = sse->data.length,
		};

		wanted = sse->handler(sse->arg, &event);
	}
	cg_buffer_clear(&sse->data);
	sse->type[0] = '\0';
	return wanted ? CG_OK : CG_CANCELLED;
}

/* One frame with a long name must not cost the stream, which would bring it again and again. */
static void keep_type(struct cg_sse *sse, const char *value, size_t length)
{
	if (length >= CG_SSE_FIELD)
		length = CG_SSE_FIELD - 1;
	memcpy(sse->type, value, length);
	sse->type[length] = '\0';
}

static void keep_id(struct cg_sse *sse, const char *value, size_t length)
{
	if (length >= CG_SSE_FIELD)
		length = 0; /* a part of it would name something else */
	memcpy(sse->next_id, value, length);
	sse->next_id[length] = '\0';
}

static bool is_name(const char *name, size_t length, const char *expected)
{
	return length == strlen(expected) && memcmp(name, expected, length) == 0;
}

/* One line without its end. */
static enum cg_status take_line(struct cg_sse *sse, const char *line, size_t length)
{
	const size_t mark = sizeof(BYTE_ORDER_MARK) - 1;
	const char *colon;
	const char *value;
	size_t name_length, value_length;

	if (!sse->started && length >= mark && memcmp(line, BYTE_ORDER_MARK, mark) == 0) {
		line += mark;
		length -= mark;
	}
	sse->started = true;
	if (length == 0)
		return dispatch(sse);
	colon = memchr(line, ':', length);
	name_length = colon != NULL ? (size_t)(colon - line) : length;
	value = colon != NULL ? colon + 1 : line + length;
	value_length = (size_t)(line + length - value);
	if (value_length > 0 && *value == ' ') {
		value++;
		value_length--;
	}
	if (is_name(line, name_length, "data")) {
		if (sse->has_data)
			cg_buffer_char(&sse->data, '\n');
		sse->has_data = true;
		return cg_buffer_add(&sse->data, value, value_length);
	}
	if (is_name(line, name_length, "event"))
		keep_type(sse, value, value_length);
	if (is_name(line, name_length, "id") && memchr(value, '\0', value_length) == NULL)
		keep_id(sse, value, value_length);
	return CG_OK; /* a comment, `retry`, or a field that nobody knows */
}

/* The rest of a line, begun perhaps by earlier chunks, is @bytes. */
static enum cg_status end_line(struct cg_sse *sse, const char *bytes, size_t length)
{
	enum cg_status status;

	if (sse->line.length == 0)
		return length <= sse->line.limit ? take_line(sse, bytes, length)
						 : CG_LIMIT;
	status = cg_buffer_add(&sse->line, bytes, length);
	if (status == CG_OK)
		status = take_line(sse, sse->line.bytes, sse->line.length);
	cg_buffer_clear(&sse->line);
	return status;
}

enum cg_status cg_sse_feed(struct cg_sse *sse, const char *bytes, size_t length)
{
	size_t start = 0;

	for (size_t at = 0; at < length; at++) {
		enum cg_status status;
		bool after_cr = sse->after_cr;
		char c = bytes[at];

		sse->after_cr = c == '\r';
		if (c != '\r' && c != '\n')
			continue;
		if (c == '\n' && after_cr) {
			start = at + 1; /* second half of a CRLF */
			continue;
		}
		status = end_line(sse, bytes + start, at - start);
		if (status != CG_OK)
			return status;
		start = at + 1;
	}
	return cg_buffer_add(&sse->line, bytes + start, length - start);
}
