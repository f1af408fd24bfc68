/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <string.h>

static void error_names_every_status(void)
{
	CU_ASSERT_STRING_EQUAL(cg_status_name(CG_OK), "ok");
	CU_ASSERT_STRING_EQUAL(cg_status_name(CG_NOT_FOUND), "not_found");
	CU_ASSERT_STRING_EQUAL(cg_status_name(CG_INTERNAL), "internal");
	CU_ASSERT_STRING_EQUAL(cg_status_text(CG_TIMEOUT), "timed out");
	CU_ASSERT_STRING_EQUAL(cg_status_name((enum cg_status)99), "unknown");
	CU_ASSERT_STRING_EQUAL(cg_status_text((enum cg_status)99), "unknown status");
}

static void error_says_one_clean_line(void)
{
	struct cg_error err;

	CU_ASSERT_EQUAL(cg_error_set(NULL, CG_IO, "nobody"), CG_IO);
	CU_ASSERT_EQUAL(cg_error_set(&err, CG_IO, "a\nb\x1b[0m \xC2\x9B %d", 7), CG_IO);
	CU_ASSERT_EQUAL(err.status, CG_IO);
	CU_ASSERT_STRING_EQUAL(err.text, "a b [0m    7");
	cg_error_set(&err, CG_IO, "bad \xFF\xC0\x80 \xC3\xA4");
	CU_ASSERT_STRING_EQUAL(err.text, "bad ??? \xC3\xA4");
}

static void error_cuts_between_characters(void)
{
	char text[400];
	struct cg_error err;

	for (size_t lead = 0; lead < 4; lead++) {
		memset(text, 'x', lead);
		for (size_t i = lead; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "\xE2\x82\xAC", 4);
		cg_error_set(&err, CG_INVALID, "%s", text);
		CU_ASSERT_TRUE(cg_utf8_valid(err.text, strlen(err.text)));
		CU_ASSERT_TRUE(strlen(err.text) > CG_ERROR_TEXT - 5);
		CU_ASSERT_PTR_NULL(strchr(err.text, '?'));
	}
}

static void error_takes_prefixes(void)
{
	struct cg_error err;

	cg_error_set(&err, CG_DENIED, "token refused");
	CU_ASSERT_EQUAL(cg_error_prefix(&err, "instance \"%s\"", "main"), CG_DENIED);
	CU_ASSERT_STRING_EQUAL(err.text, "instance \"main\": token refused");
	CU_ASSERT_EQUAL(err.status, CG_DENIED);
	/* The old sentence may be an argument of the new one. */
	CU_ASSERT_EQUAL(cg_error_set(&err, CG_IO, "then %s", err.text), CG_IO);
	CU_ASSERT_STRING_EQUAL(err.text, "then instance \"main\": token refused");
	CU_ASSERT_EQUAL(cg_error_nomem(&err), CG_NOMEM);
	CU_ASSERT_STRING_EQUAL(err.text, "out of memory");
	CU_ASSERT_EQUAL(cg_error_prefix(NULL, "x"), CG_INTERNAL);
}

UNIT_SUITE(error, UNIT_TEST(error_names_every_status),
	UNIT_TEST(error_says_one_clean_line), UNIT_TEST(error_cuts_between_characters),
	UNIT_TEST(error_takes_prefixes));
