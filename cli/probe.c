/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/probe.h"

#include "cli/probe_inside.h"
#include "cli/probe_mail.h"
#include "cli/program.h"
#include "gateway/daemon/agents.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/program.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define START_MS 30000 /* for an agent's program to come up */

void question_init(struct question *question, const char *method)
{
	*question = (struct question){.method = method};
	cg_buffer_init(&question->authorization, 4 * CG_SECRET_MAX);
	cg_buffer_init(&question->proxy, CG_SECRET_MAX + 1);
}

static void wipe(struct cg_buffer *buffer)
{
	if (buffer->bytes != NULL)
		cg_wipe(buffer->bytes, buffer->length);
	cg_buffer_finish(buffer);
}

void question_finish(struct question *question)
{
	cg_wipe(question->url, sizeof(question->url));
	wipe(&question->authorization);
	wipe(&question->proxy);
}

enum cg_status question_ask(const struct question *question, struct http_answer *ret,
	struct json_object **ret_json, struct cg_error *err)
{
	struct cg_http_header header = {
		"Authorization", cg_buffer_string(&question->authorization)};
	struct cg_http_request request = {
		.flags = question->secret_url ? CG_HTTP_SECRET_URL : 0,
		.method = question->method,
		.url = question->url,
		.headers = &header,
		.header_count = question->authorization.length > 0,
		.timeout_ms = PROBE_MS,
		.response_limit = PROBE_RESPONSE,
		.ca_file = question->ca_file,
		.proxy = question->proxy.length > 0 ? cg_buffer_string(&question->proxy)
						    : NULL,
	};
	enum cg_status status = http_once(&request, ret, err);

	*ret_json = NULL;
	if (status != CG_OK)
		return status;
	if (ret->result != CG_HTTP_DONE) {
		cg_error_set(err, CG_IO, "%s", ret->error);
		http_answer_finish(ret);
		return CG_IO;
	}
	(void)cg_json_parse(ret->body, ret->length, ret_json, NULL);
	return CG_OK;
}

/* Channels. */

static void add_secret(
	struct cg_buffer *buffer, const struct cg_settings *settings, const char *name)
{
	size_t length = 0;
	const char *secret = settings->secret(settings, name, &length);

	if (secret != NULL)
		cg_buffer_add(buffer, secret, length);
}

static const char *text_or_null(const struct cg_settings *settings, const char *name)
{
	const char *text = settings->string(settings, name);

	return text == NULL || text[0] == '\0' ? NULL : text;
}

static void unreachable(struct findings *findings, const char *what, const char *whom,
	const struct cg_error *err)
{
	findings_add(findings, FINDING_FAULT, what,
		"see that this host reaches it: network, DNS, firewall, or a proxy in "
		"the channel's settings",
		"%s cannot be asked: %s", whom, err->text);
}

static void probe_telegram(
	const struct cg_settings *settings, const char *what, struct findings *findings)
{
	const char *base = settings->string(settings, "apiBaseUrl");
	struct json_object *json, *bot;
	struct http_answer answer;
	struct cg_error err = {.text = ""};
	struct question question;
	struct cg_buffer url;

	question_init(&question, "GET");
	question.secret_url = true;
	question.ca_file = text_or_null(settings, "caFile");
	add_secret(&question.proxy, settings, "proxy");
	cg_buffer_init(&url, PROBE_URL - 1);
	cg_buffer_format(&url, "%s/bot", base == NULL ? "" : base);
	add_secret(&url, settings, "botToken");
	cg_buffer_text(&url, "/getMe");
	snprintf(question.url, sizeof(question.url), "%s", cg_buffer_string(&url));
	wipe(&url);
	if (question_ask(&question, &answer, &json, &err) != CG_OK) {
		unreachable(findings, what, "Telegram", &err);
		question_finish(&question);
		return;
	}
	bot = cg_json_object(json, "result");
	if (cg_json_bool(json, "ok", false))
		findings_add(findings, FINDING_OK, what, NULL,
			"Telegram knows the bot as @%s",
			cg_json_string_or(bot, "username", "?"));
	else
		findings_add(findings, FINDING_FAULT, what,
			"ask @BotFather for the token of your bot, and set "
			"OPEN_COWORK_GATEWAY_TELEGRAM_BOT_TOKEN",
			"Telegram refuses the token: %d %s", answer.status,
			cg_json_string_or(json, "description", ""));
	cg_json_free(json);
	http_answer_finish(&answer);
	question_finish(&question);
}

static void probe_slack(
	const struct cg_settings *settings, const char *what, struct findings *findings)
{
	const char *base = settings->string(settings, "apiBaseUrl");
	struct json_object *json;
	struct http_answer answer;
	struct cg_error err = {.text = ""};
	struct question question;

	question_init(&question, "POST");
	question.ca_file = text_or_null(settings, "caFile");
	add_secret(&question.proxy, settings, "proxy");
	cg_buffer_text(&question.authorization, "Bearer ");
	add_secret(&question.authorization, settings, "botToken");
	snprintf(question.url, sizeof(question.url), "%s/auth.test",
		base == NULL ? "" : base);
	if (question_ask(&question, &answer, &json, &err) != CG_OK) {
		unreachable(findings, what, "Slack", &err);
		question_finish(&question);
		return;
	}
	if (cg_json_bool(json, "ok", false))
		findings_add(findings, FINDING_OK, what, NULL,
			"Slack knows the app as %s in %s",
			cg_json_string_or(json, "user", "?"),
			cg_json_string_or(json, "team", "?"));
	else
		findings_add(findings, FINDING_FAULT, what,
			"install the app to the workspace and set "
			"OPEN_COWORK_GATEWAY_SLACK_BOT_TOKEN to its Bot User OAuth Token",
			"Slack refuses the token: %d %s", answer.status,
			cg_json_string_or(json, "error", ""));
	cg_json_free(json);
	http_answer_finish(&answer);
	question_finish(&question);
}

void probe_channel(const struct config_provider *provider, struct findings *findings)
{
	char what[64];

	snprintf(what, sizeof(what), "channel %.48s", provider->id);
	if (strcmp(provider->kind, "telegram") == 0)
		probe_telegram(provider->settings, what, findings);
	else if (strcmp(provider->kind, "slack") == 0)
		probe_slack(provider->settings, what, findings);
	else if (strcmp(provider->kind, "email") == 0)
		probe_mail(provider->settings, what, findings);
}

/* Agents. */

static bool lists_model(struct json_object *json, const char *model)
{
	struct json_object *list = cg_json_array(json, "data");

	for (size_t i = 0; i < cg_json_count(list); i++) {
		if (strcmp(cg_json_string_or(cg_json_at(list, i), "id", ""), model) == 0)
			return true;
	}
	return false;
}

/* An agent that is asked. */
struct examinee {
	const struct config *config;
	const struct config_agent *agent;
	const struct config_agent *named; /* the same; NULL: the default */
	bool start;
	char what[64]; /* how findings name it */
	struct findings *findings;
};

static void judge_models(const struct examinee *examinee, const char *url,
	const struct http_answer *answer, struct json_object *json)
{
	const char *model = examinee->agent->model;
	size_t count = cg_json_count(cg_json_array(json, "data"));

	if (answer->status == 401 || answer->status == 403)
		findings_add(examinee->findings, FINDING_FAULT, examinee->what,
			"set the agent's key (OPEN_COWORK_GATEWAY_AGENT_API_KEY, or "
			"apiKey of its entry) to one that is valid there",
			"%s refuses the key: %d", url, answer->status);
	else if (answer->status < 200 || answer->status > 299 || count == 0)
		findings_add(examinee->findings, FINDING_WARNING, examinee->what,
			"see that the agent's URL (OPEN_COWORK_GATEWAY_AGENT_URL, or url "
			"of its entry) ends where /models and /chat/completions begin, "
			"mostly in /v1",
			"%s answers, but has no list of models (%d)", url,
			answer->status);
	else if (model != NULL && !lists_model(json, model))
		findings_add(examinee->findings, FINDING_WARNING, examinee->what,
			"set the agent's model (OPEN_COWORK_GATEWAY_AGENT_MODEL, or "
			"model of its entry) to one of its list",
			"%s has %zu models, but does not list %s", url, count, model);
	else
		findings_add(examinee->findings, FINDING_OK, examinee->what, NULL,
			"%s answers and has %s", url, model == NULL ? "models" : model);
}

static void probe_openai(const struct examinee *examinee, const char *url)
{
	const struct cg_secret *key = &examinee->agent->api_key;
	struct json_object *json;
	struct http_answer answer;
	struct cg_error err = {.text = ""};
	struct question question;

	question_init(&question, "GET");
	snprintf(question.url, sizeof(question.url), "%s/models", url);
	if (cg_secret_is_set(key)) {
		cg_buffer_text(&question.authorization, "Bearer ");
		cg_buffer_add(&question.authorization, key->bytes, key->length);
	}
	if (question_ask(&question, &answer, &json, &err) != CG_OK) {
		findings_add(examinee->findings, FINDING_FAULT, examinee->what,
			"see that the model's server runs and that the agent's URL "
			"(OPEN_COWORK_GATEWAY_AGENT_URL, or url of its entry) names it",
			"%s cannot be asked: %s", url, err.text);
	} else {
		judge_models(examinee, url, &answer, json);
		cg_json_free(json);
		http_answer_finish(&answer);
	}
	question_finish(&question);
}

/* A path of OpenCode's server; its parsed answer (owned, may be NULL). */
static enum cg_status ask_opencode(const struct examinee *examinee, const char *path,
	struct http_answer *ret, struct json_object **ret_json, struct cg_error *err)
{
	char plain[CG_SECRET_MAX + 16], encoded[2 * sizeof(plain)];
	const struct cg_secret *password = &examinee->agent->api_key;
	struct question question;
	enum cg_status status;
	int length;

	question_init(&question, "GET");
	snprintf(question.url, sizeof(question.url), "%s%s", examinee->agent->url, path);
	if (cg_secret_is_set(password)) {
		length = snprintf(plain, sizeof(plain), "opencode:%s", password->bytes);
		cg_base64(plain, (size_t)length, encoded);
		cg_buffer_format(&question.authorization, "Basic %s", encoded);
		cg_wipe(plain, sizeof(plain));
		cg_wipe(encoded, sizeof(encoded));
	}
	status = question_ask(&question, ret, ret_json, err);
	question_finish(&question);
	return status;
}

/* "provider/model", as OpenCode spells it. */
static bool provides_model(struct json_object *json, const char *model)
{
	struct json_object *providers = cg_json_array(json, "providers");
	size_t provider = strcspn(model, "/");

	for (size_t i = 0; i < cg_json_count(providers); i++) {
		struct json_object *one = cg_json_at(providers, i);
		const char *id = cg_json_string_or(one, "id", "");

		if (strlen(id) == provider && strncmp(id, model, provider) == 0 &&
			model[provider] == '/')
			return cg_json_has(
				cg_json_object(one, "models"), model + provider + 1);
	}
	return false;
}

static void probe_opencode_model(const struct examinee *examinee)
{
	const char *model = examinee->agent->model;
	struct json_object *json;
	struct http_answer answer;

	if (model == NULL || ask_opencode(examinee, "/config/providers", &answer, &json,
				     NULL) != CG_OK)
		return;
	if (cg_json_array(json, "providers") != NULL && !provides_model(json, model))
		findings_add(examinee->findings, FINDING_WARNING, examinee->what,
			"`opencode models` lists what it has: set the agent's model "
			"(OPEN_COWORK_GATEWAY_AGENT_MODEL, or model of its entry) to "
			"one of them",
			"%s does not know the model %s", examinee->agent->url, model);
	cg_json_free(json);
	http_answer_finish(&answer);
}

static void probe_opencode_server(const struct examinee *examinee)
{
	const char *url = examinee->agent->url;
	struct json_object *json;
	struct http_answer answer;
	struct cg_error err = {.text = ""};

	if (ask_opencode(examinee, "/session", &answer, &json, &err) != CG_OK) {
		findings_add(examinee->findings, FINDING_FAULT, examinee->what,
			"start `opencode serve`, or leave the agent's URL away and "
			"Cowgate starts it",
			"%s cannot be asked: %s", url, err.text);
		return;
	}
	if (answer.status >= 200 && answer.status <= 299) {
		findings_add(examinee->findings, FINDING_OK, examinee->what, NULL,
			"%s answers", url);
		probe_opencode_model(examinee);
	} else {
		findings_add(examinee->findings, FINDING_FAULT, examinee->what,
			"set the agent's key (OPEN_COWORK_GATEWAY_AGENT_API_KEY, or "
			"apiKey of its entry) to the password of its server",
			"%s refuses us: %d", url, answer.status);
	}
	cg_json_free(json);
	http_answer_finish(&answer);
}

static void try_program(const struct examinee *examinee, const char *name)
{
	struct cg_error err = {.text = ""};
	enum cg_status status;

	signal(SIGPIPE, SIG_IGN); /* a program may end while it is spoken to */
	status = agents_try(
		examinee->config, examinee->named, program_keeper(), START_MS, &err);

	if (status == CG_OK)
		findings_add(examinee->findings, FINDING_OK, examinee->what, NULL,
			"the program %s starts and answers", name);
	else
		findings_add(examinee->findings, FINDING_FAULT, examinee->what,
			"start it in a terminal as the user that it runs as, and see "
			"what it says; log in with it once",
			"the program %s does not come up: %s", name, err.text);
}

static void probe_program(const struct examinee *examinee, const char *fallback)
{
	const struct config_list *command = &examinee->agent->command;
	const char *name = command->count > 0 ? command->items[0] : fallback;

	bool there = cg_program_find(name, NULL, 0);

	if (there && examinee->start)
		try_program(examinee, name);
	else if (there)
		findings_add(examinee->findings, FINDING_OK, examinee->what, NULL,
			"the program %s is there", name);
	else
		findings_add(examinee->findings, FINDING_FAULT, examinee->what,
			"install it, or say where it is: "
			"OPEN_COWORK_GATEWAY_AGENT_COMMAND, or command of its entry",
			"the program %s is not found", name);
}

static void examine(const struct examinee *examinee)
{
	const struct config_agent *agent = examinee->agent;

	switch (agent->backend) {
	case CONFIG_AGENT_ECHO:
		findings_add(examinee->findings, FINDING_WARNING, examinee->what,
			"set OPEN_COWORK_GATEWAY_AGENT_BACKEND to openai, opencode or "
			"acp",
			"echo repeats what was said; nobody thinks about it");
		break;
	case CONFIG_AGENT_OPENAI:
		probe_openai(examinee, agent->url);
		for (size_t i = 0; i < agent->fallback_urls.count; i++)
			probe_openai(examinee, agent->fallback_urls.items[i]);
		break;
	case CONFIG_AGENT_OPENCODE:
		if (agent->url != NULL)
			probe_opencode_server(examinee);
		else
			probe_program(examinee, "opencode");
		break;
	case CONFIG_AGENT_ACP:
		probe_program(examinee, "");
		break;
	}
}

void probe_agents(const struct config *config, bool start, struct findings *findings)
{
	const struct config_agent first = {
		.backend = config->agent_backend,
		.url = config->agent_url,
		.api_key = config->agent_api_key,
		.model = config->agent_model,
		.command = config->agent_command,
		.fallback_urls = config->agent_fallback_urls,
	};
	struct examinee examinee = {.config = config,
		.agent = &first,
		.start = start,
		.what = "agent",
		.findings = findings};

	examine(&examinee);
	for (size_t i = 0; i < config->agent_count; i++) {
		examinee.agent = examinee.named = &config->agents[i];
		snprintf(examinee.what, sizeof(examinee.what), "agent %.48s",
			config->agents[i].name);
		examine(&examinee);
	}
}
