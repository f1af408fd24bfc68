/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/probe_cloud_judge.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <string.h>

static struct json_object *parse(const char *json)
{
	struct json_object *body = NULL;

	if (json != NULL)
		CU_ASSERT_EQUAL_FATAL(
			cg_json_parse(json, strlen(json), &body, NULL), CG_OK);
	return body;
}

#define CODE(code) "{\"error\":\"No.\",\"verdict\":{\"policyCode\":\"" code "\"}}"

static void every_refusal_names_its_mend(void)
{
	static const struct {
		int status;
		const char *json;
		enum finding_level level;
		const char *text, *mend;
	} rows[] = {
		{401, "{\"error\":\"No.\"}", FINDING_FAULT, "does not accept the token",
			"SERVICE_TOKEN"},
		{401, NULL, FINDING_FAULT, "no Open Cowork Cloud", "a page to sign in"},
		{402, CODE("billing.entitlement_denied"), FINDING_FAULT,
			"payment (402 billing.entitlement_denied)", "subscription"},
		{403, CODE("authorization.scope_required"), FINDING_FAULT,
			"not the scope `gateway`", "of that scope"},
		{403, CODE("authorization.principal_denied"), FINDING_FAULT,
			"no owner or admin", "owner or admin"},
		{403, CODE("authorization.action_unknown"), FINDING_FAULT,
			"knows no channels", "BASE_URL"},
		{403, "{\"code\":\"channels.binding_scope_required\"}", FINDING_FAULT,
			"no channel that is active", "reload"},
		{403, CODE("channels.disabled"), FINDING_FAULT, "switched off",
			"feature"},
		{403, "{}", FINDING_FAULT, "does not allow", "scope"},
		{404, "{}", FINDING_FAULT, "no channels at this address", "before /api"},
		{404, NULL, FINDING_FAULT, "no Open Cowork Cloud (404)", "a proxy"},
		{429, CODE("auth.backoff"), FINDING_WARNING, "too many refused tokens",
			"wait"},
		{429, "{}", FINDING_WARNING, "slow down", "quotas"},
		{302, NULL, FINDING_FAULT, "sends elsewhere (302)", "redirect"},
		{503, NULL, FINDING_FAULT, "it fails (503)", "kept here"},
		{200, NULL, FINDING_FAULT, "no Open Cowork Cloud (200)", "sign in"},
		{200, "{}", FINDING_FAULT, "no Open Cowork Cloud (200)", "sign in"},
		{418, "{}", FINDING_FAULT, "no Cloud does (418)", "before /api"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cloud_answer answer = {
			.status = rows[i].status, .body = parse(rows[i].json)};
		struct findings findings = {.items = NULL};

		CU_ASSERT_FALSE(cloud_judge_answer(&answer, &findings));
		CU_ASSERT_EQUAL_FATAL(findings.count, 1);
		CU_ASSERT_EQUAL(findings.items[0].level, rows[i].level);
		CU_ASSERT_PTR_NOT_NULL(strstr(findings.items[0].text, rows[i].text));
		CU_ASSERT_PTR_NOT_NULL(strstr(findings.items[0].mend, rows[i].mend));
		cg_json_free(answer.body);
		findings_finish(&findings);
	}
}

static void channels_are_judged_one_by_one(void)
{
	static const struct {
		int status;
		enum finding_level level;
		const char *text;
	} rows[] = {{200, FINDING_OK, "the binding b-1 is granted"},
		{403, FINDING_FAULT, "b-1 is not granted"},
		{503, FINDING_WARNING, "is not known (503)"}};
	struct cloud_answer answer = {
		.status = 200, .body = parse("{\"deliveries\":[]}")};
	struct findings findings = {.items = NULL};

	CU_ASSERT_TRUE(cloud_judge_answer(&answer, &findings));
	CU_ASSERT_EQUAL(findings.items[0].level, FINDING_OK);
	answer.channel = "telegram";
	answer.binding = "b-1";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		answer.status = rows[i].status;
		CU_ASSERT_TRUE(cloud_judge_answer(&answer, &findings));
		CU_ASSERT_STRING_EQUAL(findings.items[i + 1].what, "cloud telegram");
		CU_ASSERT_EQUAL(findings.items[i + 1].level, rows[i].level);
		CU_ASSERT_PTR_NOT_NULL(strstr(findings.items[i + 1].text, rows[i].text));
	}
	cg_json_free(answer.body);
	findings_finish(&findings);
}

static void silence_is_told_from_a_bad_certificate(void)
{
	static const struct {
		const char *why, *mend;
	} rows[] = {{"SSL certificate problem: certificate has expired", "renew"},
		{"SSL certificate problem: certificate is not yet valid", "clock"},
		{"SSL: no alternative certificate subject name matches target host name "
		 "'x'",
			"a name that the certificate has"},
		{"SSL certificate problem: unable to get local issuer certificate",
			"CLOUD_CA_FILE"},
		{"SSL certificate problem: self-signed certificate", "CLOUD_CA_FILE"},
		{"Failed to connect to x port 443", "firewall"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct findings findings = {.items = NULL};

		cloud_judge_silence("https://x", rows[i].why, &findings);
		CU_ASSERT_EQUAL_FATAL(findings.count, 1);
		CU_ASSERT_EQUAL(findings.items[0].level, FINDING_FAULT);
		CU_ASSERT_PTR_NOT_NULL(strstr(findings.items[0].text, rows[i].why));
		CU_ASSERT_PTR_NOT_NULL(strstr(findings.items[0].mend, rows[i].mend));
		findings_finish(&findings);
	}
}

static void clocks_may_differ_a_little(void)
{
	static const struct {
		int64_t ahead_ms;
		enum finding_level level;
		const char *text;
	} rows[] = {{29999, FINDING_OK, "agree"}, {-29999, FINDING_OK, "agree"},
		{30000, FINDING_WARNING, "30 seconds ahead of"},
		{-299999, FINDING_WARNING, "299 seconds behind"},
		{600000, FINDING_FAULT, "600 seconds ahead of"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct findings findings = {.items = NULL};

		cloud_judge_clock(
			1700000000000, 1700000000000 + rows[i].ahead_ms, &findings);
		CU_ASSERT_EQUAL(findings.items[0].level, rows[i].level);
		CU_ASSERT_PTR_NOT_NULL(strstr(findings.items[0].text, rows[i].text));
		findings_finish(&findings);
	}
}

UNIT_SUITE(probe_cloud_judge, UNIT_TEST(every_refusal_names_its_mend),
	UNIT_TEST(channels_are_judged_one_by_one),
	UNIT_TEST(silence_is_told_from_a_bad_certificate),
	UNIT_TEST(clocks_may_differ_a_little));
