/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/operator_call.h"
#include "cli/probe.h"
#include "cli/probe_cloud_judge.h"
#include "cli/probe_inside.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The list of deliveries changes nothing, and needs all that a gateway needs. */
static bool make_url(const struct config *config, const char *binding, char *ret)
{
	int length = snprintf(ret, PROBE_URL, "%s/api/channels/deliveries?limit=1%s",
		config->cloud_base_url, binding == NULL ? "" : "&channelBindingId=");

	return length < PROBE_URL &&
	       (binding == NULL || operator_path_add(ret, PROBE_URL, binding));
}

/* False: there is no point in asking further. */
static bool ask(const struct config *config, const struct config_provider *provider,
	struct findings *findings)
{
	struct cloud_answer answer = {.channel = provider == NULL ? NULL : provider->id,
		.binding = provider == NULL ? NULL : provider->channel_binding_id};
	struct http_answer heard;
	struct cg_error err = {.text = ""};
	struct question question;
	bool further = false;

	question_init(&question, "GET");
	question.ca_file = config->cloud_ca_file;
	cg_buffer_format(
		&question.authorization, "Bearer %s", config->service_token.bytes);
	if (!make_url(config, answer.binding, question.url)) {
		findings_add(findings, FINDING_FAULT, "cloud",
			"shorten OPEN_COWORK_CLOUD_BASE_URL",
			"its address is too long to be asked");
	} else if (question_ask(&question, &heard, &answer.body, &err) != CG_OK) {
		cloud_judge_silence(config->cloud_base_url, err.text, findings);
	} else {
		answer.status = heard.status;
		further = cloud_judge_answer(&answer, findings);
		if (provider == NULL && heard.date_ms >= 0)
			cloud_judge_clock(
				heard.date_ms, (int64_t)time(NULL) * 1000, findings);
		cg_json_free(answer.body);
		http_answer_finish(&heard);
	}
	question_finish(&question);
	return further;
}

void probe_cloud(const struct config *config, struct findings *findings)
{
	if (config->allow_insecure_http)
		findings_add(findings, FINDING_WARNING, "cloud",
			"give the Cloud a certificate, and unset "
			"OPEN_COWORK_GATEWAY_ALLOW_INSECURE_HTTP",
			"plain http is allowed: whoever is on the way reads the token");
	if (!ask(config, NULL, findings))
		return;
	for (size_t i = 0; i < config->provider_count; i++) {
		if (config->providers[i].enabled &&
			!ask(config, &config->providers[i], findings))
			return;
	}
}
