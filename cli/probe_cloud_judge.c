/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/probe_cloud_judge.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

#define CLOCK_WARNING_MS 30000
#define CLOCK_FAULT_MS 300000 /* signatures over a time are refused beyond it */

/* Refusals: the first row whose status and code fit. */
static const struct {
	int status;
	const char *code; /* how the policy code begins; NULL: any */
	const char *text, *mend;
} refusals[] = {
	{401, NULL, "it does not accept the token: unknown, expired or revoked",
		"make a token of the scope `gateway` there, set "
		"OPEN_COWORK_GATEWAY_SERVICE_TOKEN to it, and restart"},
	{402, NULL, "it asks for payment",
		"settle the organisation's subscription there; what waits goes on by "
		"itself then"},
	{403, "authorization.scope", "the token has not the scope `gateway`",
		"make a token of that scope there, set "
		"OPEN_COWORK_GATEWAY_SERVICE_TOKEN to it, and restart"},
	{403, "authorization.principal",
		"the token's owner is no owner or admin of the organisation",
		"let an owner or admin make the token, set "
		"OPEN_COWORK_GATEWAY_SERVICE_TOKEN to it, and restart"},
	{403, "authorization.action", "it knows no channels",
		"it is older than channels, or OPEN_COWORK_CLOUD_BASE_URL names another "
		"part of it"},
	{403, "channels.binding", "the token is good for no channel that is active",
		"grant it the gateway's channel bindings there, and see that they are "
		"active; then `cowgate reload`"},
	{403, "channels.disabled", "channels are switched off there",
		"switch the feature on in the Cloud's configuration"},
	{403, NULL, "it does not allow what a gateway does",
		"give the token the scope `gateway` and the bindings of its channels"},
	{404, NULL, "it has no channels at this address",
		"set OPEN_COWORK_CLOUD_BASE_URL to the address of the Cloud before /api"},
	{429, "auth.", "it has seen too many refused tokens from here",
		"wait for a minute, then mend the token"},
	{429, NULL, "it asks to slow down",
		"wait for a while; if that lasts, see the quotas of the organisation"},
};

static const char *policy_of(struct json_object *body)
{
	const char *code = cg_json_string(body, "code");

	if (code == NULL)
		code = cg_json_string(cg_json_object(body, "verdict"), "policyCode");
	return code == NULL ? "" : code;
}

static void add_refusal(const struct cloud_answer *answer, struct findings *findings)
{
	const char *code = policy_of(answer->body);
	size_t count = sizeof(refusals) / sizeof(refusals[0]);

	for (size_t i = 0; i < count; i++) {
		const char *begin = refusals[i].code;

		if (refusals[i].status != answer->status ||
			(begin != NULL && strncmp(code, begin, strlen(begin)) != 0))
			continue;
		findings_add(findings,
			answer->status == 429 ? FINDING_WARNING : FINDING_FAULT, "cloud",
			refusals[i].mend, "%s (%d%s%s)", refusals[i].text, answer->status,
			code[0] == '\0' ? "" : " ", code);
		return;
	}
	findings_add(findings, FINDING_FAULT, "cloud",
		"see that OPEN_COWORK_CLOUD_BASE_URL is the address of the Cloud before "
		"/api",
		"it answers in a way that no Cloud does (%d)", answer->status);
}

/* One channel: is its binding granted? */
static void judge_binding(const struct cloud_answer *answer, struct findings *findings)
{
	char what[64];

	snprintf(what, sizeof(what), "cloud %.48s", answer->channel);
	if (answer->status == 200)
		findings_add(findings, FINDING_OK, what, NULL,
			"the binding %s is granted", answer->binding);
	else if (answer->status == 403)
		findings_add(findings, FINDING_FAULT, what,
			"grant the binding to the token in the Cloud and see that it is "
			"active, or set the channel's CHANNEL_BINDING_ID to one that is; "
			"then `cowgate reload`",
			"the binding %s is not granted to the token, or not active "
			"there (403 %s)",
			answer->binding, policy_of(answer->body));
	else
		findings_add(findings, FINDING_WARNING, what, "ask again in a while",
			"whether the binding %s is granted is not known (%d)",
			answer->binding, answer->status);
}

bool cloud_judge_answer(const struct cloud_answer *answer, struct findings *findings)
{
	int status = answer->status;

	if (answer->channel != NULL) {
		judge_binding(answer, findings);
		return true;
	}
	if (status == 200 && cg_json_array(answer->body, "deliveries") != NULL) {
		findings_add(findings, FINDING_OK, "cloud", NULL,
			"it accepts the token, which has the scope of a gateway");
		return true;
	}
	if (status >= 300 && status < 400)
		findings_add(findings, FINDING_FAULT, "cloud",
			"set OPEN_COWORK_CLOUD_BASE_URL to where it sends: no redirect "
			"is "
			"followed, because the token would go along",
			"it sends elsewhere (%d)", status);
	else if (status >= 500)
		findings_add(findings, FINDING_FAULT, "cloud",
			"look at the Cloud itself; until then messages are kept here",
			"it fails (%d)", status);
	else if (answer->body == NULL || status == 200)
		findings_add(findings, FINDING_FAULT, "cloud",
			"see that OPEN_COWORK_CLOUD_BASE_URL is the address of the Cloud "
			"before /api, and what lies between: a proxy, a page to sign in",
			"what answers there is no Open Cowork Cloud (%d)", status);
	else
		add_refusal(answer, findings);
	return false;
}

void cloud_judge_silence(const char *url, const char *why, struct findings *findings)
{
	/* The words of the TLS libraries. */
	static const struct {
		const char *word, *mend;
	} rows[] = {
		{"expired",
			"renew the Cloud's certificate, or set this host's clock if that "
			"is wrong"},
		{"not yet valid", "set this host's clock"},
		{"subject name",
			"set OPEN_COWORK_CLOUD_BASE_URL to a name that the certificate "
			"has"},
		{"issuer", "let a public authority sign the Cloud's certificate, or set "
			   "OPEN_COWORK_GATEWAY_CLOUD_CA_FILE to its own"},
		{"self-signed",
			"let a public authority sign the Cloud's certificate, or set "
			"OPEN_COWORK_GATEWAY_CLOUD_CA_FILE to its own"},
	};
	const char *mend =
		"see that it runs and that this host reaches it: network, DNS, "
		"firewall; until then messages are kept here";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strstr(why, rows[i].word) != NULL) {
			mend = rows[i].mend;
			break;
		}
	}
	findings_add(findings, FINDING_FAULT, "cloud", mend, "%.200s cannot be asked: %s",
		url, why);
}

void cloud_judge_clock(int64_t theirs_ms, int64_t ours_ms, struct findings *findings)
{
	int64_t ahead_ms = ours_ms - theirs_ms;
	long long apart_s = (long long)((ahead_ms < 0 ? -ahead_ms : ahead_ms) / 1000);

	if (apart_s * 1000 < CLOCK_WARNING_MS)
		findings_add(findings, FINDING_OK, "cloud clock", NULL,
			"it and this host's agree within %d seconds",
			CLOCK_WARNING_MS / 1000);
	else
		findings_add(findings,
			apart_s * 1000 < CLOCK_FAULT_MS ? FINDING_WARNING : FINDING_FAULT,
			"cloud clock",
			"let a time service set both, systemd-timesyncd or chrony",
			"this host's is %lld seconds %s the Cloud's", apart_s,
			ahead_ms > 0 ? "ahead of" : "behind");
}
