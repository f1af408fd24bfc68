/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/http_server.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

/* @expected NULL: the parameter is absent or bad. */
static void query(const char *text, const char *name, size_t index, const char *expected)
{
	char *value = http_query_get_at(text, name, index);

	if (expected == NULL) {
		CU_ASSERT_PTR_NULL(value);
	} else {
		CU_ASSERT(value != NULL && strcmp(value, expected) == 0);
	}
	free(value);
}

static void query_finds_parameters(void)
{
	query("a=1&b=2", "a", 0, "1");
	query("a=1&b=2", "b", 0, "2");
	query("a=1&b=2", "c", 0, NULL);
	query("", "a", 0, NULL);
	query("aa=1&a=2", "a", 0, "2");
	query("a", "a", 0, "");
	query("a=", "a", 0, "");
	query("&&a=1&", "a", 0, "1");
	query("a=b=c", "a", 0, "b=c");
}

static void query_decodes(void)
{
	query("a=x+y%20z%2B", "a", 0, "x y z+");
	query("a%5Bb%5D=1", "a[b]", 0, "1");
	query("a=%C3%A9", "a", 0, "\xc3\xa9");
}

static void query_refuses_bad_escapes(void)
{
	query("a=%00", "a", 0, NULL);
	query("a=%", "a", 0, NULL);
	query("a=%4", "a", 0, NULL);
	query("a=%4&b=1", "a", 0, NULL);
	query("a=%zz", "a", 0, NULL);
	query("%zz=1&a=2", "a", 0, "2");
}

static void query_counts_repeats(void)
{
	query("t=1&x=9&t=2&t=3", "t", 0, "1");
	query("t=1&x=9&t=2&t=3", "t", 2, "3");
	query("t=1&x=9&t=2&t=3", "t", 3, NULL);
}

static void path_decodes_a_segment(void)
{
	char *value = http_path_decode("a%2Fb+c/rest", 7);

	CU_ASSERT(value != NULL && strcmp(value, "a/b+c") == 0);
	free(value);
	CU_ASSERT_PTR_NULL(http_path_decode("a%00b", 5));
	CU_ASSERT_PTR_NULL(http_path_decode("a%2", 3));
	/* The escape must lie inside the segment. */
	CU_ASSERT_PTR_NULL(http_path_decode("a%2F", 3));
}

UNIT_SUITE(http_query, UNIT_TEST(query_finds_parameters), UNIT_TEST(query_decodes),
	UNIT_TEST(query_refuses_bad_escapes), UNIT_TEST(query_counts_repeats),
	UNIT_TEST(path_decodes_a_segment));
