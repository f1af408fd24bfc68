/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/form.h>
#include <string.h>

static void check(const char *body, enum cg_status status, const char *expected)
{
	struct cg_buffer value;

	cg_buffer_init(&value, 8);
	CU_ASSERT_EQUAL(cg_form_value(body, strlen(body), "payload", &value), status);
	if (status == CG_OK)
		CU_ASSERT_STRING_EQUAL(cg_buffer_string(&value), expected);
	cg_buffer_finish(&value);
}

static void values_are_decoded(void)
{
	check("payload=a+b%2Bc", CG_OK, "a b+c");
	check("x=1&payload=2&payload=3", CG_OK, "2");
	check("payload=", CG_OK, "");
	check("payloads=1&payload=2", CG_OK, "2");
	check("x=payload=1", CG_NOT_FOUND, NULL);
	check("", CG_NOT_FOUND, NULL);
	check("payload", CG_NOT_FOUND, NULL);
	check("payload=%2", CG_INVALID, NULL);
	check("payload=%zz", CG_INVALID, NULL);
	check("payload=12345678", CG_OK, "12345678");
	check("payload=123456789", CG_LIMIT, NULL);
}

static void types_are_told_apart(void)
{
	CU_ASSERT_TRUE(cg_form_is("application/x-www-form-urlencoded"));
	CU_ASSERT_TRUE(cg_form_is("Application/X-WWW-Form-Urlencoded; charset=utf-8"));
	CU_ASSERT_FALSE(cg_form_is("application/x-www-form-urlencoded2"));
	CU_ASSERT_FALSE(cg_form_is("application/json"));
	CU_ASSERT_FALSE(cg_form_is(""));
	CU_ASSERT_FALSE(cg_form_is(NULL));
}

UNIT_SUITE(form, UNIT_TEST(values_are_decoded), UNIT_TEST(types_are_told_apart));
