/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/sse.h>
#include <stdio.h>
#include <string.h>

/* Events as "type|id|data;" in one string. */
struct log {
	char text[512];
	size_t stop_after; /* events; 0: never */
	size_t count;
};

static bool keep(void *arg, const struct cg_sse_event *event)
{
	struct log *log = arg;
	size_t at = strlen(log->text);

	CU_ASSERT_EQUAL(strlen(event->data), event->length);
	snprintf(log->text + at, sizeof(log->text) - at, "%s|%s|%s;", event->type,
		event->id, event->data);
	return ++log->count != log->stop_after;
}

static void check_chunked(
	const char *stream, size_t length, size_t chunk, const char *expected)
{
	struct log log = {0};
	struct cg_sse sse;

	cg_sse_init(&sse, 4096, keep, &log);
	for (size_t at = 0; at < length; at += chunk) {
		size_t step = length - at < chunk ? length - at : chunk;

		CU_ASSERT_EQUAL(cg_sse_feed(&sse, stream + at, step), CG_OK);
	}
	CU_ASSERT_STRING_EQUAL(log.text, expected);
	cg_sse_finish(&sse);
}

/* The same whatever the chunks and the line ends. */
static void check(const char *stream, const char *expected)
{
	char crlf[1024];
	char cr[512];
	size_t length = strlen(stream);
	size_t wide = 0;

	for (size_t i = 0; i < length; i++) {
		if (stream[i] == '\n')
			crlf[wide++] = '\r';
		crlf[wide++] = stream[i];
		cr[i] = stream[i] == '\n' ? '\r' : stream[i];
	}
	for (size_t chunk = 1; chunk <= length + 1; chunk++) {
		check_chunked(stream, length, chunk, expected);
		check_chunked(cr, length, chunk, expected);
		check_chunked(crlf, wide, chunk, expected);
	}
}

static void sse_reads_events(void)
{
	check("data: one\n\n", "||one;");
	check("data:one\n\ndata:  two\n\n", "||one;|| two;");
	check("event: message.part\nid: 7\ndata: {\"a\":1}\n\ndata: x\n\n",
		"message.part|7|{\"a\":1};|7|x;");
	check("data: a\ndata\ndata: b\n\n", "||a\n\nb;");
	check("data\n\n", "||;");
	check("data:\n\n", "||;");
	check(": comment\n\n: more\nretry: 10\nunknown: 1\nDATA: no\ndata: x\n\n",
		"||x;");
	check("\xEF\xBB\xBF"
	      "data: bom\n\n\xEF\xBB\xBF"
	      "data: no\n\n",
		"||bom;");
}

static void sse_ends_events_by_the_book(void)
{
	check("data: unfinished\n", "");
	check("data: unfinished", "");
	check("event: lonely\n\ndata: x\n\n", "||x;");
	check("id: 1\n\ndata: x\n\n", "|1|x;");
	check("id: 1\ndata: x\n\nid\ndata: y\n\n", "|1|x;||y;");
	check("event: a\nevent: b\ndata: x\n\n", "b||x;");
	check_chunked("id: a\0b\ndata: x\n\n", 17, 3, "||x;");
	check_chunked("\n\n\r\n\r\r\ndata: x\r\n\r", 18, 1, "||x;");
}

static void sse_keeps_the_id_of_whole_events_only(void)
{
	const char *torn = "id: 1\ndata: x\n\nid: 2\nevent: e\ndata: y\nda";
	struct log log = {0};
	struct cg_sse sse;

	cg_sse_init(&sse, 4096, keep, &log);
	CU_ASSERT_EQUAL(cg_sse_feed(&sse, torn, strlen(torn)), CG_OK);
	CU_ASSERT_STRING_EQUAL(sse.id, "1");
	cg_sse_reset(&sse);
	CU_ASSERT_EQUAL(cg_sse_feed(&sse, "data: z\n\n", 9), CG_OK);
	CU_ASSERT_STRING_EQUAL(log.text, "|1|x;|1|z;");
	cg_sse_finish(&sse);
	cg_sse_finish(NULL);
}

static void sse_obeys_the_handler(void)
{
	struct log log = {.stop_after = 1};
	struct cg_sse sse;

	cg_sse_init(&sse, 4096, keep, &log);
	CU_ASSERT_EQUAL(cg_sse_feed(&sse, "data: 1\n\ndata: 2\n\n", 18), CG_CANCELLED);
	CU_ASSERT_EQUAL(log.count, 1);
	cg_sse_finish(&sse);
}

/* A line of @length bytes, whole or in two chunks. */
static enum cg_status feed_line(size_t limit, size_t length, bool torn)
{
	static char bytes[2048];
	struct log log = {0};
	struct cg_sse sse;
	enum cg_status status;
	size_t first = torn ? length / 2 : 0;

	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, "data:", 5);
	bytes[length] = '\n';
	cg_sse_init(&sse, limit, keep, &log);
	status = cg_sse_feed(&sse, bytes, first);
	if (status == CG_OK)
		status = cg_sse_feed(&sse, bytes + first, length + 1 - first);
	cg_sse_finish(&sse);
	return status;
}

static void sse_caps_lines_events_and_fields(void)
{
	struct log log = {0};
	struct cg_sse sse;
	char id[4 + CG_SSE_FIELD + 1];

	for (int torn = 0; torn < 2; torn++) {
		CU_ASSERT_EQUAL(feed_line(100, 100, torn), CG_OK);
		CU_ASSERT_EQUAL(feed_line(100, 101, torn), CG_LIMIT);
	}
	/* An endless line fails before it ends. */
	cg_sse_init(&sse, 100, keep, &log);
	memset(id, 'x', sizeof(id));
	CU_ASSERT_EQUAL(cg_sse_feed(&sse, id, 101), CG_LIMIT);
	cg_sse_reset(&sse);
	/* So does an event of many lines. */
	for (int i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(cg_sse_feed(&sse, "data:123456789\n", 15), CG_OK);
	CU_ASSERT_EQUAL(cg_sse_feed(&sse, "data:12\n", 8), CG_LIMIT);
	cg_sse_finish(&sse);

	cg_sse_init(&sse, 1000, keep, &log);
	memcpy(id, "id: ", 4);
	id[sizeof(id) - 1] = '\n';
	CU_ASSERT_EQUAL(cg_sse_feed(&sse, id, sizeof(id)), CG_OK);
	CU_ASSERT_EQUAL(cg_sse_feed(&sse, "\n", 1), CG_OK);
	CU_ASSERT_EQUAL(strlen(sse.id), 0); /* a part would be another's */
	id[sizeof(id) - 2] = '\n';
	CU_ASSERT_EQUAL(cg_sse_feed(&sse, id, sizeof(id)), CG_OK);
	CU_ASSERT_EQUAL(strlen(sse.id), CG_SSE_FIELD - 1);
	CU_ASSERT_EQUAL(log.count, 0);
	cg_sse_finish(&sse);
	/* A name that is too long costs its end, not the stream. */
	cg_sse_init(&sse, 1000, keep, &log);
	CU_ASSERT_EQUAL(cg_sse_feed(&sse, "event:", 6), CG_OK);
	CU_ASSERT_EQUAL(cg_sse_feed(&sse, id, CG_SSE_FIELD), CG_OK);
	CU_ASSERT_EQUAL(cg_sse_feed(&sse, "\n", 1), CG_OK);
	CU_ASSERT_EQUAL(strlen(sse.type), CG_SSE_FIELD - 1);
	CU_ASSERT_EQUAL(cg_sse_feed(&sse, "data: x\n\n", 9), CG_OK);
	CU_ASSERT_EQUAL(log.count, 1);
	cg_sse_finish(&sse);
}

UNIT_SUITE(sse, UNIT_TEST(sse_reads_events), UNIT_TEST(sse_ends_events_by_the_book),
	UNIT_TEST(sse_keeps_the_id_of_whole_events_only),
	UNIT_TEST(sse_obeys_the_handler), UNIT_TEST(sse_caps_lines_events_and_fields));
