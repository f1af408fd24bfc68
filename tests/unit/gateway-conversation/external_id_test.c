/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud-client/client.h"
#include "gateway/conversation/external_id.h"
#include "tests/unit/unit.h"

#include <string.h>

static void external_id_keeps_what_the_cloud_takes(void)
{
	static const char *const ids[] = {"1", "-100200300", "C1:17.5", "é@example.org"};
	char ret[EXTERNAL_ID], longest[CLOUD_ID_MAX + 1];

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		external_id(ids[i], ret);
		CU_ASSERT_STRING_EQUAL(ret, ids[i]);
	}
	memset(longest, 'a', CLOUD_ID_MAX);
	longest[CLOUD_ID_MAX] = '\0';
	external_id(longest, ret);
	CU_ASSERT_STRING_EQUAL(ret, longest);
}

static void external_id_counts_as_the_cloud_does(void)
{
	char ret[EXTERNAL_ID], id[4 * CLOUD_ID_MAX + 1];

	/* Three bytes and one unit each; then four bytes and two units each. */
	for (size_t i = 0; i < CLOUD_ID_MAX; i++)
		memcpy(id + 3 * i, "\xE2\x82\xAC", 4);
	external_id(id, ret);
	CU_ASSERT_STRING_EQUAL(ret, id);
	for (size_t i = 0; i < CLOUD_ID_MAX / 2 + 1; i++)
		memcpy(id + 4 * i, "\xF0\x9F\x90\xAE", 5);
	external_id(id, ret);
	CU_ASSERT_EQUAL(strncmp(ret, "sha256-", 7), 0);
}

static void external_id_hashes_the_rest_always_the_same(void)
{
	char longer[CLOUD_ID_MAX + 2], first[EXTERNAL_ID], again[EXTERNAL_ID];

	memset(longer, 'a', CLOUD_ID_MAX + 1);
	longer[CLOUD_ID_MAX + 1] = '\0';
	external_id(longer, first);
	external_id(longer, again);
	CU_ASSERT_STRING_EQUAL(first, again);
	CU_ASSERT_EQUAL(strlen(first), 7 + 64);
	longer[0] = 'b';
	external_id(longer, again);
	CU_ASSERT_STRING_NOT_EQUAL(first, again);
	external_id("abc", first);
	CU_ASSERT_STRING_EQUAL(first, "abc");
	/* What is no id in a path of the Cloud. */
	external_id("..", first);
	CU_ASSERT_STRING_EQUAL(first,
		"sha256-"
		"5ec1f7e700f37c3d0b2981d04855fc34b94aaa15457b05ca571817442d228f81");
}

UNIT_SUITE(external_id, UNIT_TEST(external_id_keeps_what_the_cloud_takes),
	UNIT_TEST(external_id_counts_as_the_cloud_does),
	UNIT_TEST(external_id_hashes_the_rest_always_the_same));
