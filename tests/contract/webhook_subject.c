/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/subject.h"

static const struct rig_pair settings[] = {
	{"deliveryUrl", "https://receiver.example.org/hook/path-key"},
	{"sharedSecret", WEBHOOK_SECRET},
	{NULL, NULL},
};

static const struct subject_outcome outcomes[] = {
	{200, CG_OUTCOME_SENT, CG_SCOPE_MESSAGE},
	{204, CG_OUTCOME_SENT, CG_SCOPE_MESSAGE},
	{301, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{400, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{401, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{403, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{404, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{410, CG_OUTCOME_REFUSED, CG_SCOPE_DESTINATION},
	{413, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{429, CG_OUTCOME_RATE_LIMITED, CG_SCOPE_DESTINATION},
	{500, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_DESTINATION},
	{502, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_DESTINATION},
	{503, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_DESTINATION},
	{0, CG_OUTCOME_SENT, CG_SCOPE_MESSAGE},
};

static const char *answer(int status)
{
	return status == 200 ? "{\"messageId\":\"77\"}"
			     : "{\"error\":\"no\",\"echo\":\"" WEBHOOK_SECRET "\"}";
}

const struct subject subject_webhook = {
	.kind = "webhook",
	.settings = settings,
	.http = true,
	.answer = answer,
	.outcomes = outcomes,
};
