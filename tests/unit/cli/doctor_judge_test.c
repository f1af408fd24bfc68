/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/doctor.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <string.h>

#define NOW INT64_C(1767225600000) /* 2026-01-01 */

static const struct finding *find(
	const struct findings *findings, const char *what, enum finding_level level)
{
	for (size_t i = 0; i < findings->count; i++) {
		if (strcmp(findings->items[i].what, what) == 0 &&
			findings->items[i].level == level)
			return &findings->items[i];
	}
	return NULL;
}

static void judge(const char *text, struct findings *ret)
{
	struct json_object *body = NULL;

	*ret = (struct findings){.items = NULL};
	CU_ASSERT_EQUAL_FATAL(cg_json_parse(text, strlen(text), &body, NULL), CG_OK);
	doctor_judge(body, NOW, ret);
	cg_json_free(body);
}

/* What it says, "" when there is none such. */
static const char *text_of(
	const struct findings *findings, const char *name, enum finding_level level)
{
	const struct finding *found = find(findings, name, level);

	return found == NULL ? "" : found->text;
}

static void a_deaf_channel_is_told_from_a_quiet_one(void)
{
	struct findings findings;

	judge("{\"version\":\"" COWGATE_VERSION
	      "\",\"ready\":{\"ok\":true},\"providers\":["
	      "{\"id\":\"a\",\"healthy\":true,\"lastInboundAt\":\"2025-12-31T23:58:00Z\"}"
	      ","
	      "{\"id\":\"b\",\"healthy\":true,\"lastInboundAt\":\"2025-12-29T00:00:00Z\"}"
	      ","
	      "{\"id\":\"c\",\"healthy\":true},"
	      "{\"id\":\"d\",\"healthy\":false,\"state\":\"failed\",\"error\":\"no "
	      "token\"},"
	      "{\"id\":\"e\",\"healthy\":false,\"state\":\"stopped\"}],"
	      "\"store\":{\"state\":\"ok\",\"outboxDead\":2}}",
		&findings);
	CU_ASSERT_PTR_NOT_NULL_FATAL(find(&findings, "channel a", FINDING_OK));
	CU_ASSERT_STRING_EQUAL(text_of(&findings, "channel a", FINDING_OK),
		"it is healthy; somebody wrote 2 minutes ago");
	CU_ASSERT_PTR_NOT_NULL_FATAL(find(&findings, "channel b", FINDING_WARNING));
	CU_ASSERT_STRING_EQUAL(text_of(&findings, "channel b", FINDING_WARNING),
		"it is healthy, but nobody has written for 3 days");
	CU_ASSERT_PTR_NOT_NULL(find(&findings, "channel c", FINDING_OK));
	CU_ASSERT_PTR_NOT_NULL_FATAL(find(&findings, "channel d", FINDING_FAULT));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text_of(&findings, "channel d", FINDING_FAULT), "no token"));
	CU_ASSERT_PTR_NOT_NULL(find(&findings, "channel e", FINDING_WARNING));
	CU_ASSERT_PTR_NOT_NULL(find(&findings, "deliveries", FINDING_WARNING));
	CU_ASSERT(findings_failed(&findings));
	findings_finish(&findings);
}

static void a_restart_that_is_due_and_what_is_away(void)
{
	struct findings findings;

	judge("{\"version\":\"0.0.1\",\"ready\":{\"ok\":true,\"degraded\":["
	      "{\"what\":\"agent\",\"detail\":\"no answer\"}]},"
	      "\"store\":{\"state\":\"full\"}}",
		&findings);
	CU_ASSERT_PTR_NOT_NULL(find(&findings, "gateway", FINDING_WARNING));
	CU_ASSERT_PTR_NOT_NULL(find(&findings, "agent", FINDING_FAULT));
	CU_ASSERT_PTR_NOT_NULL(find(&findings, "store", FINDING_FAULT));
	findings_finish(&findings);
	judge("[]", &findings); /* nothing known is said, nothing breaks */
	CU_ASSERT_PTR_NOT_NULL(find(&findings, "gateway", FINDING_WARNING));
	findings_finish(&findings);
}

/* Quiet at first, until its platform has answered: no fault, and it is not called one. */
static void a_channel_that_starts_is_no_fault(void)
{
	struct findings findings;

	judge("{\"version\":\"" COWGATE_VERSION
	      "\",\"ready\":{\"ok\":false,\"status\":\"starting\"},\"providers\":["
	      "{\"id\":\"a\",\"healthy\":false,\"state\":\"starting\"},"
	      "{\"id\":\"b\",\"healthy\":true}],"
	      "\"store\":{\"state\":\"ok\"}}",
		&findings);
	CU_ASSERT_STRING_EQUAL(
		text_of(&findings, "channel a", FINDING_WARNING), "it is starting");
	CU_ASSERT_PTR_NOT_NULL(find(&findings, "gateway", FINDING_WARNING));
	CU_ASSERT_FALSE(findings_failed(&findings));
	findings_finish(&findings);
	/* Beside one that has failed, the gateway itself is at fault. */
	judge("{\"version\":\"" COWGATE_VERSION
	      "\",\"ready\":{\"ok\":false},\"providers\":["
	      "{\"id\":\"a\",\"healthy\":false,\"state\":\"starting\"},"
	      "{\"id\":\"b\",\"healthy\":false,\"state\":\"failed\"}],"
	      "\"store\":{\"state\":\"ok\"}}",
		&findings);
	CU_ASSERT_PTR_NOT_NULL(find(&findings, "gateway", FINDING_FAULT));
	CU_ASSERT_TRUE(findings_failed(&findings));
	findings_finish(&findings);
}

UNIT_SUITE(doctor_judge, UNIT_TEST(a_channel_that_starts_is_no_fault),
	UNIT_TEST(a_deaf_channel_is_told_from_a_quiet_one),
	UNIT_TEST(a_restart_that_is_due_and_what_is_away));
