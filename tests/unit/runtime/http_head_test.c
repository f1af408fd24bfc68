/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/http_head.h"

#include "tests/unit/unit.h"

#include <string.h>

static int64_t wall(const struct clock *clock)
{
	(void)clock;
	return INT64_C(1795316645678); /* 2026-11-22T03:04:05.678Z */
}

static bool sane(const struct clock *clock)
{
	return clock->floor_ms == 0;
}

static struct clock a_clock = {.wall_ms = wall, .sane = sane};

static void add(struct http_head *head, const char *line)
{
	http_head_add(head, &a_clock, line, strlen(line));
}

static void headers_are_taken_apart(void)
{
	struct cg_http_header headers[HTTP_CLIENT_HEADERS];
	struct http_head head;

	http_head_init(&head);
	add(&head, "X-Name: \t v: w");
	add(&head, "Empty:");
	add(&head, ": no name");
	add(&head, "no colon");
	add(&head, "");
	CU_ASSERT_EQUAL_FATAL(head.count, 2);
	http_head_list(&head, headers);
	CU_ASSERT_STRING_EQUAL(headers[0].name, "x-name");
	CU_ASSERT_STRING_EQUAL(headers[0].value, "v: w");
	CU_ASSERT_STRING_EQUAL(headers[1].name, "empty");
	CU_ASSERT_STRING_EQUAL(headers[1].value, "");
	http_head_clear(&head);
	CU_ASSERT_EQUAL(head.count, 0);
	http_head_finish(&head);
}

static void dates_are_read(void)
{
	CU_ASSERT_EQUAL(http_client_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777000);
	CU_ASSERT_EQUAL(http_client_date("soon"), -1);
	CU_ASSERT_EQUAL(http_client_date(""), -1);
}

static void retry_after_is_a_span_or_a_date(void)
{
	static const struct {
		const char *line;
		int64_t ms;
	} rows[] = {{"Retry-After: 7", 7000}, {"Retry-After: 0", 0},
		{"Retry-After: -1", -1}, {"Retry-After: soon", -1},
		{"Retry-After: 99999999999999", INT64_C(86400000) * 365},
		{"Retry-After: Sun, 22 Nov 2026 03:04:15 GMT", 9322},
		{"Retry-After: Sun, 22 Nov 2015 03:04:15 GMT", 0}};
	struct http_head head;

	http_head_init(&head);
	CU_ASSERT_EQUAL(head.retry_after_ms, -1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		http_head_clear(&head);
		add(&head, rows[i].line);
		CU_ASSERT_EQUAL(head.retry_after_ms, rows[i].ms);
	}
	/* A clock that cannot be believed has no opinion on dates. */
	a_clock.floor_ms = 1;
	http_head_clear(&head);
	add(&head, rows[5].line);
	CU_ASSERT_EQUAL(head.retry_after_ms, -1);
	a_clock.floor_ms = 0;
	http_head_finish(&head);
}

static void both_caps_hold(void)
{
	char wide[HTTP_CLIENT_HEAD + 1];
	struct http_head head;

	http_head_init(&head);
	for (int i = 0; i < HTTP_CLIENT_HEADERS + 1; i++)
		add(&head, "a: b");
	CU_ASSERT_EQUAL(head.count, HTTP_CLIENT_HEADERS);
	http_head_clear(&head);
	memset(wide, 'w', sizeof(wide));
	wide[1] = ':';
	/* Name and value with a NUL each: "w", and all but three of the bytes. */
	http_head_add(&head, &a_clock, wide, HTTP_CLIENT_HEAD);
	CU_ASSERT_EQUAL(head.count, 0);
	http_head_add(&head, &a_clock, wide, HTTP_CLIENT_HEAD - 1);
	CU_ASSERT_EQUAL(head.count, 1);
	add(&head, "a: b");
	CU_ASSERT_EQUAL(head.count, 1);
	http_head_finish(&head);
}

UNIT_SUITE(http_head, UNIT_TEST(headers_are_taken_apart), UNIT_TEST(dates_are_read),
	UNIT_TEST(retry_after_is_a_span_or_a_date), UNIT_TEST(both_caps_hold));
