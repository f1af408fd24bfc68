/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/operator/merge.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

static struct json_object *parse(const char *text)
{
	struct json_object *value = NULL;

	CU_ASSERT_EQUAL_FATAL(cg_json_parse(text, strlen(text), &value, NULL), CG_OK);
	return value;
}

/* "id@where:why …" of a merged list. */
static const char *merged(const char *local, const char *cloud, size_t limit)
{
	static char told[512];
	struct json_object *here = parse(local), *there = parse(cloud), *list;
	size_t used = 0;

	for (size_t i = 0; i < cg_json_count(here); i++)
		merge_place_local(cg_json_at(here, i));
	list = merge_lists(here, there, limit);
	told[0] = '\0';
	for (size_t i = 0; i < cg_json_count(list); i++) {
		struct json_object *record = cg_json_at(list, i);

		used += (size_t)snprintf(told + used, sizeof(told) - used, "%s%s@%s:%s",
			i > 0 ? " " : "", cg_json_string_or(record, "deliveryId", "?"),
			cg_json_string_or(record, "where", "?"),
			cg_json_string_or(record, "cloudStatus",
				cg_json_string_or(record, "why", "-")));
	}
	cg_json_free(list);
	cg_json_free(here);
	cg_json_free(there);
	return told;
}

#define REC(id, status, at) \
	"{\"deliveryId\":\"" id "\",\"channelBindingId\":\"b\",\"status\":\"" status \
	"\",\"updatedAt\":\"2026-01-01T00:00:0" at ".000Z\"}"

static void merge_shows_each_delivery_once(void)
{
	CU_ASSERT_STRING_EQUAL(
		merged("[" REC("a", "claimed", "3") "]",
			"[" REC("a", "claimed", "1") "," REC("c", "failed", "2") "]", 9),
		"a@here:claimed c@cloud:-");
	/* In parts, and under a second name. */
	CU_ASSERT_STRING_EQUAL(
		merged("[" REC("a:chunk:1", "sent", "3") "," REC("b@b", "sent", "2") "]",
			"[" REC("a", "claimed", "1") "," REC("b", "sent", "1") "]", 9),
		"a:chunk:1@platform:claimed b@b@platform:sent");
	/* Another delivery whose id begins alike. */
	CU_ASSERT_STRING_EQUAL(
		merged("[" REC("ab", "sent", "3") "]", "[" REC("a", "sent", "1") "]", 9),
		"ab@platform:- a@platform:-");
}

static void merge_says_where_and_why(void)
{
	CU_ASSERT_STRING_EQUAL(
		merged("[" REC("p", "pending", "4") "]",
			"[" REC("q", "pending", "3") "," REC("r", "claimed", "2") "]", 9),
		"p@here:waiting for its turn q@cloud:waiting to be claimed "
		"r@cloud:claimed by a gateway");
	CU_ASSERT_STRING_EQUAL(merged("[{\"deliveryId\":\"d\",\"status\":\"dead\","
				      "\"reason\":\"refused\"}]",
				       "null", 9),
		"d@here:refused");
}

static void merge_is_bounded_and_in_order(void)
{
	CU_ASSERT_STRING_EQUAL(
		merged("[" REC("a", "sent", "1") "," REC("b", "sent", "3") "]",
			"[" REC("c", "sent", "2") "]", 2),
		"b@platform:- c@platform:-");
	CU_ASSERT_STRING_EQUAL(merged("[]", "[7,null]", 2), "");
}

UNIT_SUITE(merge, UNIT_TEST(merge_shows_each_delivery_once),
	UNIT_TEST(merge_says_where_and_why), UNIT_TEST(merge_is_bounded_and_in_order));
