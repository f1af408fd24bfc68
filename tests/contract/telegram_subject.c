/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/subject.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static const struct rig_pair settings[] = {
	{"botToken", TELEGRAM_TOKEN},
	{NULL, NULL},
};

static const struct subject_outcome outcomes[] = {
	{200, CG_OUTCOME_SENT, CG_SCOPE_MESSAGE},
	{301, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{400, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{401, CG_OUTCOME_REFUSED, CG_SCOPE_ACCOUNT},
	{403, CG_OUTCOME_REFUSED, CG_SCOPE_CHAT},
	{404, CG_OUTCOME_REFUSED, CG_SCOPE_ACCOUNT},
	{410, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{413, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{429, CG_OUTCOME_RATE_LIMITED, CG_SCOPE_CHAT},
	{500, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_DESTINATION},
	{502, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_DESTINATION},
	{503, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_DESTINATION},
	{0, CG_OUTCOME_SENT, CG_SCOPE_MESSAGE},
};

static const char *answer(int status)
{
	static char body[256];

	if (status == 200)
		return "{\"ok\":true,\"result\":{\"message_id\":77}}";
	snprintf(body, sizeof(body),
		"{\"ok\":false,\"error_code\":%d,\"description\":\"No: " TELEGRAM_TOKEN
		"\"}",
		status);
	return body;
}

static void settle(struct rig *rig)
{
	struct cg_http_call *call = rig_open_poll(rig);

	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	rig_answer(rig, call, 200,
		"{\"ok\":true,\"result\":{\"id\":42,\"is_bot\":true,\"username\":"
		"\"CowBot\"}}");
	call = rig_open_poll(rig);
	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	rig_answer(rig, call, 200, "{\"ok\":true,\"result\":true}");
	call = rig_open_poll(rig);
	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	rig_pass(rig, 30000); /* as long as there is nothing */
	rig_answer(rig, call, 200, "{\"ok\":true,\"result\":[]}");
	CU_ASSERT_PTR_NOT_NULL(rig_open_poll(rig));
}

const struct subject subject_telegram = {
	.kind = "telegram",
	.settings = settings,
	.http = true,
	.answer = answer,
	.outcomes = outcomes,
	.settle = settle,
};
