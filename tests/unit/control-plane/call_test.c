/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of a request are taken as they are, or refused with 400. */
#include "control-plane/routes/call.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void with(struct call *call, const char *body, const char *query)
{
	memset(call, 0, sizeof(*call));
	if (body != NULL)
		CU_ASSERT_EQUAL_FATAL(
			cg_json_parse(body, strlen(body), &call->body, NULL), CG_OK);
	call->query = query == NULL ? NULL : strdup(query);
}

static void call_reads_texts(void)
{
	struct call call;

	with(&call, "{\"a\":\" x \",\"b\":null,\"c\":\"  \",\"d\":7,\"e\":\"12345\"}",
		NULL);
	CU_ASSERT_STRING_EQUAL(call_field(&call, "a", CALL_REQUIRED), " x ");
	CU_ASSERT_PTR_NULL(call_field(&call, "b", CALL_OPTIONAL));
	CU_ASSERT_PTR_NULL(call_field(&call, "c", CALL_OPTIONAL));
	CU_ASSERT_PTR_NULL(call_field(&call, "missing", CALL_OPTIONAL));
	CU_ASSERT_STRING_EQUAL(call_text(&call, "e", CALL_REQUIRED, 5), "12345");
	CU_ASSERT_FALSE(call_refused(&call));
	CU_ASSERT_PTR_NULL(call_field(&call, "d", CALL_OPTIONAL));
	CU_ASSERT_EQUAL(call.status, 400);
	call_finish(&call);
	with(&call, "{\"e\":\"12345\",\"b\":null}", NULL);
	CU_ASSERT_PTR_NULL(call_text(&call, "e", CALL_OPTIONAL, 4));
	CU_ASSERT_EQUAL(call.status, 400);
	call_field(&call, "b", CALL_REQUIRED); /* the first refusal stands */
	CU_ASSERT_STRING_EQUAL(
		cg_json_string(call.reply, "error"), "e is too long or has a NUL.");
	call_finish(&call);
}

static void call_reads_numbers_and_times(void)
{
	static const char *const bad[] = {"-1", "\"5\"", "1.5", "true", "[]"};
	struct call call;
	char body[64];

	with(&call, "{\"n\":5,\"t\":\"2027-01-15T08:00:00.000Z\"}", NULL);
	CU_ASSERT_EQUAL(call_number(&call, "n", CALL_REQUIRED, 0), 5);
	CU_ASSERT_EQUAL(call_number(&call, "missing", CALL_OPTIONAL, 9), 9);
	CU_ASSERT_EQUAL(call_time(&call, "t"), 1800000000000);
	CU_ASSERT_EQUAL(call_time(&call, "missing"), 0);
	CU_ASSERT_FALSE(call_refused(&call));
	call_finish(&call);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(body, sizeof(body), "{\"n\":%s}", bad[i]);
		with(&call, body, NULL);
		call_number(&call, "n", CALL_OPTIONAL, 0);
		CU_ASSERT_EQUAL(call.status, 400);
		call_finish(&call);
	}
	with(&call, "{\"t\":\"yesterday\"}", NULL);
	call_time(&call, "t");
	CU_ASSERT_EQUAL(call.status, 400);
	call_finish(&call);
}

static void call_bounds_documents(void)
{
	char *big = malloc(CALL_DOCUMENT + 64);
	struct call call;

	CU_ASSERT_PTR_NOT_NULL_FATAL(big);
	memset(big, 'x', CALL_DOCUMENT + 64);
	memcpy(big, "{\"m\":{\"k\":\"", 11);
	memcpy(big + CALL_DOCUMENT + 4, "\"}}",
		4); /* the document is one byte too long */
	with(&call, big, NULL);
	CU_ASSERT_PTR_NULL(call_document(&call, "m", CALL_OPTIONAL));
	CU_ASSERT_EQUAL(call.status, 400);
	call_finish(&call);
	memcpy(big + CALL_DOCUMENT + 3, "\"}}", 4);
	with(&call, big, NULL);
	CU_ASSERT_PTR_NOT_NULL(call_document(&call, "m", CALL_REQUIRED));
	call_finish(&call);
	free(big);
}

static void call_reads_the_query(void)
{
	struct call call;
	char text[CALL_FIELD + 1];

	with(&call, NULL, "a=1&b=x%20y+z&a=2&c&limit=500&bad=%zz&empty=");
	CU_ASSERT_TRUE(call_query(&call, "a", 0, text));
	CU_ASSERT_STRING_EQUAL(text, "1");
	CU_ASSERT_TRUE(call_query(&call, "a", 1, text));
	CU_ASSERT_STRING_EQUAL(text, "2");
	CU_ASSERT_FALSE(call_query(&call, "a", 2, text));
	CU_ASSERT_TRUE(call_query(&call, "b", 0, text));
	CU_ASSERT_STRING_EQUAL(text, "x y z");
	CU_ASSERT_FALSE(call_query(&call, "c", 0, text));
	CU_ASSERT_FALSE(call_query(&call, "empty", 0, text));
	CU_ASSERT_EQUAL(call_query_number(&call, "limit", 50, 1, 200), 200);
	CU_ASSERT_EQUAL(call_query_number(&call, "missing", 50, 1, 200), 50);
	CU_ASSERT_EQUAL(call_query_number(&call, "b", 50, 1, 200), 50);
	CU_ASSERT_FALSE(call_refused(&call));
	CU_ASSERT_FALSE(call_query(&call, "bad", 0, text));
	CU_ASSERT_EQUAL(call.status, 400);
	call_finish(&call);
}

UNIT_SUITE(call, UNIT_TEST(call_reads_texts), UNIT_TEST(call_reads_numbers_and_times),
	UNIT_TEST(call_bounds_documents), UNIT_TEST(call_reads_the_query));
