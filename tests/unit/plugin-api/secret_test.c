/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/secret.h>
#include <string.h>

static void secret_holds_and_compares(void)
{
	struct cg_secret secret = {0};

	CU_ASSERT_FALSE(cg_secret_is_set(&secret));
	CU_ASSERT_FALSE(cg_secret_equals(&secret, "", 0));
	CU_ASSERT_FALSE(cg_secret_equals(&secret, NULL, 0));
	CU_ASSERT_EQUAL(cg_secret_set(&secret, "hush\0x", 6), CG_OK);
	CU_ASSERT_TRUE(cg_secret_equals(&secret, "hush\0x", 6));
	CU_ASSERT_FALSE(cg_secret_equals(&secret, "hush\0y", 6));
	CU_ASSERT_FALSE(cg_secret_equals(&secret, "hush", 4));
	CU_ASSERT_FALSE(cg_secret_equals(&secret, NULL, 6));
	CU_ASSERT_EQUAL(secret.bytes[6], '\0');
	/* From its own bytes, too. */
	CU_ASSERT_EQUAL(cg_secret_set(&secret, secret.bytes, 4), CG_OK);
	CU_ASSERT_TRUE(cg_secret_equals(&secret, "hush", 4));
	CU_ASSERT_EQUAL(cg_secret_set(&secret, NULL, 0), CG_OK);
	CU_ASSERT_FALSE(cg_secret_is_set(&secret));
	cg_secret_wipe(&secret);
	cg_secret_wipe(NULL);
}

static void secret_has_a_cap(void)
{
	static char large[CG_SECRET_MAX + 1];
	struct cg_secret secret = {0};

	CU_ASSERT_EQUAL(cg_secret_set(&secret, large, CG_SECRET_MAX), CG_OK);
	CU_ASSERT_EQUAL(cg_secret_set(&secret, large, sizeof(large)), CG_LIMIT);
	CU_ASSERT_EQUAL(secret.length, CG_SECRET_MAX);
	cg_secret_wipe(&secret);
}

static void secret_moves(void)
{
	struct cg_secret from = {0};
	struct cg_secret to = {0};

	cg_secret_set(&from, "new", 3);
	cg_secret_set(&to, "old", 3);
	cg_secret_take(&to, &from);
	CU_ASSERT_FALSE(cg_secret_is_set(&from));
	CU_ASSERT_TRUE(cg_secret_equals(&to, "new", 3));
	cg_secret_take(&to, &to);
	CU_ASSERT_TRUE(cg_secret_equals(&to, "new", 3));
	cg_secret_wipe(&to);
	CU_ASSERT_PTR_NULL(to.bytes);
}

static void secret_wipes_memory(void)
{
	char bytes[] = "secret";

	cg_wipe(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		CU_ASSERT_EQUAL(bytes[i], 0);
	cg_wipe(NULL, 0);
}

UNIT_SUITE(secret, UNIT_TEST(secret_holds_and_compares), UNIT_TEST(secret_has_a_cap),
	UNIT_TEST(secret_moves), UNIT_TEST(secret_wipes_memory));
