/* SPDX-License-Identifier: Apache-2.0 */
#include "config/safety.h"

#include "config/reference.h"

#include <cowgate/sdk/address.h>
#include <cowgate/sdk/program.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define K CONFIG_PREFIX
#define TOKEN_SHORT 16 /* bytes; one that is shorter could be guessed */

struct safety {
	const struct config *config;
	const struct value *values;
	const struct safety_facts *facts;
	struct config_report *report;
};

/* Did a source give it?  What it gave may have been refused already. */
static bool is_given(const struct safety *safety, enum config_option option)
{
	const char *source = safety->values[option].source;

	return source != NULL && strcmp(source, VALUE_DEFAULT) != 0;
}

/* Where a setting's value came from; its variable when nothing gave it. */
static const char *place(const struct safety *safety, enum config_option option)
{
	return is_given(safety, option) ? safety->values[option].source
					: option_rows[option].variable;
}

static bool is_public_bind(const struct config *config)
{
	return !cg_host_is_loopback(config->host);
}

/* ---- the Cloud ---- */

static void cloud_is_named(const struct safety *safety)
{
	const struct config *config = safety->config;

	if (config->product_mode != CONFIG_CLOUD_CHANNEL)
		return;
	if (!is_given(safety, CONFIG_CLOUD_BASE_URL))
		config_report_error(safety->report, place(safety, CONFIG_CLOUD_BASE_URL),
			"set it to the URL of your Cloud", "cloud_channel needs it");
	if (!is_given(safety, CONFIG_SERVICE_TOKEN))
		config_report_error(safety->report, place(safety, CONFIG_SERVICE_TOKEN),
			"set it to the gateway's token at the Cloud",
			"cloud_channel needs it");
}

/* A token means that a Cloud was meant: running alone instead would go unnoticed. */
static void token_has_its_cloud(const struct safety *safety)
{
	const struct config *config = safety->config;

	if (config->product_mode != CONFIG_STANDALONE ||
		!cg_secret_is_set(&config->service_token))
		return;
	if (safety->facts->mode_was_named)
		config_report_warning(safety->report, place(safety, CONFIG_SERVICE_TOKEN),
			NULL, "has no effect in standalone");
	else
		config_report_error(safety->report, place(safety, CONFIG_SERVICE_TOKEN),
			"set OPEN_COWORK_CLOUD_BASE_URL, or " K "PRODUCT_MODE=standalone",
			"there is a service token, but no Cloud URL");
}

static void cloud_is_private(const struct safety *safety)
{
	const struct config *config = safety->config;
	struct cg_url url;

	if (config->product_mode != CONFIG_CLOUD_CHANNEL ||
		config->cloud_base_url == NULL ||
		cg_url_parse(config->cloud_base_url, &url, NULL) != CG_OK)
		return;
	if (!url.https && !cg_host_is_loopback(url.host) && !config->allow_insecure_http)
		config_report_error(safety->report, place(safety, CONFIG_CLOUD_BASE_URL),
			"write https, or accept the risk with " K
			"ALLOW_INSECURE_HTTP=true",
			"plain http would show the service token to the network");
}

/* ---- the way in ---- */

static void check_public_url(
	const struct safety *safety, const char *where, const char *text)
{
	struct cg_url url;

	if (text == NULL || cg_url_parse(text, &url, NULL) != CG_OK)
		return;
	if (!url.https)
		config_report_error(safety->report, where, "write https",
			"a public URL must be https");
	else if (cg_host_is_loopback(url.host))
		config_report_error(safety->report, where,
			"write the name that platforms use",
			"a public URL cannot be on loopback");
}

static void public_url_is_public(const struct safety *safety)
{
	check_public_url(
		safety, place(safety, CONFIG_PUBLIC_URL), safety->config->public_url);
}

static void bypass_is_local(const struct safety *safety)
{
	if (safety->config->allow_loopback_operator_bypass &&
		!safety->config->operator_bypass)
		config_report_error(safety->report,
			place(safety, CONFIG_ALLOW_LOOPBACK_OPERATOR_BYPASS),
			"set an admin token instead",
			"only for mode self-host, listening on loopback, without a "
			"public URL");
}

static void operator_is_known(const struct safety *safety)
{
	const struct config *config = safety->config;
	const bool shows = config->metrics_enabled || config->diagnostics_enabled;
	const char *reason = "";

	if (is_given(safety, CONFIG_ADMIN_TOKEN) || config->make_admin_token ||
		config->operator_bypass)
		return;
	if (is_public_bind(config) && shows)
		reason = ", and metrics or diagnostics are served on a public address";
	else if (config->public_exposure)
		reason = ", and the gateway is reachable from outside";
	config_report_error(safety->report, place(safety, CONFIG_ADMIN_TOKEN),
		"set it to a long random text, such as from: openssl rand -hex 32",
		"there is no admin token%s", reason);
}

static void operator_token_is_long(const struct safety *safety)
{
	const struct cg_secret *token = &safety->config->admin_token;

	if (cg_secret_is_set(token) && token->length < TOKEN_SHORT)
		config_report_warning(safety->report, place(safety, CONFIG_ADMIN_TOKEN),
			"make one with: openssl rand -hex 32",
			"so short a token can be guessed");
}

/* One without the other would leave the port in clear text unseen. */
static void certificate_has_its_key(const struct safety *safety)
{
	const struct config *config = safety->config;

	if (config->tls_certificate_file != NULL && config->tls_key_file == NULL)
		config_report_error(safety->report,
			place(safety, CONFIG_TLS_CERTIFICATE_FILE),
			"set " K "TLS_KEY_FILE", "a certificate needs its key");
	if (config->tls_certificate_file == NULL && config->tls_key_file != NULL)
		config_report_error(safety->report, place(safety, CONFIG_TLS_KEY_FILE),
			"set " K "TLS_CERTIFICATE_FILE", "a key needs its certificate");
}

static void proxies_are_named(const struct safety *safety)
{
	if (safety->config->trust_proxy_headers &&
		safety->config->trusted_proxies.count == 0)
		config_report_warning(safety->report,
			place(safety, CONFIG_TRUST_PROXY_HEADERS),
			"set " K "TRUSTED_PROXY_CIDRS",
			"has no effect: no proxy is trusted");
}

/* ---- secrets ---- */

static void refuse_placeholder(
	const struct safety *safety, const char *where, const struct cg_secret *secret)
{
	if (reference_is_placeholder(secret))
		config_report_error(safety->report, where,
			"put the real secret in its place", "it is still a placeholder");
}

static void core_secrets_are_real(const struct safety *safety)
{
	for (enum config_option i = 0; i < CONFIG_OPTIONS; i++) {
		if (option_rows[i].rule.kind == OPTION_SECRET)
			refuse_placeholder(
				safety, place(safety, i), &safety->values[i].secret);
	}
}

/* Disabled ones as well: they are one word away from running. */
static void provider_secrets_are_real(const struct safety *safety)
{
	for (size_t i = 0; i < safety->config->provider_count; i++) {
		const struct provider_values *values =
			provider_values(&safety->config->providers[i]);

		for (size_t j = 0; j < values->descriptor->option_count; j++) {
			const struct cg_option *option =
				option_of_provider(values->descriptor, j);

			if (option->kind == CG_OPTION_SECRET &&
				values->values[j].source != NULL)
				refuse_placeholder(safety, values->values[j].source,
					&values->values[j].secret);
		}
	}
}

/* ---- providers ---- */

static void some_provider_is_enabled(const struct safety *safety)
{
	for (size_t i = 0; i < safety->config->provider_count; i++) {
		if (safety->config->providers[i].enabled)
			return;
	}
	config_report_error(safety->report, "providers",
		"switch one on, for instance with " K "TELEGRAM_BOT_TOKEN",
		"no provider is enabled");
}

static void provider_ids_differ(const struct safety *safety)
{
	const struct config *config = safety->config;

	for (size_t i = 1; i < config->provider_count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(config->providers[i].id, config->providers[j].id) != 0)
				continue;
			config_report_error(safety->report, "providers",
				"give each its own \"id\"",
				"two providers have the id \"%s\"",
				config->providers[i].id);
			break;
		}
	}
}

/* Deliveries name a binding only: of two enabled providers behind one, the wrong may be asked. */
static void provider_bindings_differ(const struct safety *safety)
{
	const struct config *config = safety->config;

	for (size_t i = 1; i < config->provider_count; i++) {
		const struct config_provider *one = &config->providers[i];

		for (size_t j = 0; j < i; j++) {
			const struct config_provider *two = &config->providers[j];

			if (!one->enabled || !two->enabled ||
				one->channel_binding_id == NULL ||
				two->channel_binding_id == NULL ||
				strcmp(one->channel_binding_id,
					two->channel_binding_id) != 0)
				continue;
			config_report_warning(safety->report, one->id, NULL,
				"shares the channel binding \"%s\" with %s",
				one->channel_binding_id, two->id);
		}
	}
}

/* A chat that cannot be would only be missed when something is wrong. */
static void operator_chats_are_known(const struct safety *safety)
{
	const struct config *config = safety->config;

	for (size_t i = 0; i < config->operator_chat.count; i++) {
		const char *chat = config->operator_chat.items[i];
		size_t length = strcspn(chat, ":");
		char id[65] = "";

		if (length < sizeof(id))
			memcpy(id, chat, length);
		if (length >= sizeof(id) || chat[length] == '\0' ||
			chat[length + 1] == '\0')
			config_report_error(safety->report,
				place(safety, CONFIG_OPERATOR_CHAT),
				"write the provider's id, a colon, and the chat's id",
				"\"%s\" is no chat", chat);
		else if (config_provider_find(config, id) == NULL)
			config_report_error(safety->report,
				place(safety, CONFIG_OPERATOR_CHAT),
				"name a configured provider",
				"there is no provider \"%s\"", id);
	}
}

/* A pattern that nothing has would only be missed with the first file. */
static void attachment_types_are_types(const struct safety *safety)
{
	const struct config_list *types = &safety->config->attachment_types;

	for (size_t i = 0; i < types->count; i++) {
		const char *slash = strchr(types->items[i], '/');
		bool pattern = slash != NULL && slash != types->items[i] &&
			       slash[1] != '\0' && strchr(slash + 1, '/') == NULL &&
			       strpbrk(types->items[i], "; ") == NULL;

		if (!pattern && strcasecmp(types->items[i], "programs") != 0)
			config_report_error(safety->report,
				place(safety, CONFIG_ATTACHMENT_TYPES),
				"write type/subtype, type/* or programs",
				"\"%s\" is no type of files", types->items[i]);
	}
}

static void demo_is_not_public(const struct safety *safety)
{
	const struct config *config = safety->config;

	if (!config->public_exposure ||
		(config->allow_public_fake_provider && config->mode == CONFIG_SELF_HOST))
		return;
	for (size_t i = 0; i < config->provider_count; i++) {
		const struct config_provider *provider = &config->providers[i];

		if (provider->enabled &&
			(provider->descriptor->flags & CG_PROVIDER_DEMO) != 0)
			config_report_error(safety->report, provider->id,
				"disable it, or in mode self-host set " K
				"ALLOW_PUBLIC_FAKE_PROVIDER=true",
				"%s has no authentication, and the gateway is reachable "
				"from outside",
				provider->kind);
	}
}

static void local_is_not_public(const struct safety *safety)
{
	const struct config *config = safety->config;

	for (size_t i = 0; config->public_exposure && i < config->provider_count; i++) {
		const struct config_provider *provider = &config->providers[i];

		if (provider->enabled &&
			(provider->descriptor->flags & CG_PROVIDER_LOCAL_ONLY) != 0)
			config_report_error(safety->report, provider->id,
				"disable it, or listen on loopback without a public URL",
				"%s is for this host only, and the gateway is reachable "
				"from outside",
				provider->kind);
	}
}

/* The value of a provider's option, NULL if it has none of that name and kind. */
static const struct value *provider_value(const struct config_provider *provider,
	const char *name, enum cg_option_kind kind)
{
	size_t index;
	const struct cg_option *option = option_find(provider->descriptor, name, &index);

	if (option == NULL || option->kind != kind)
		return NULL;
	return &provider_values(provider)->values[index];
}

static void attachments_fit_bodies(const struct safety *safety)
{
	const struct config *config = safety->config;

	for (size_t i = 0; i < config->provider_count; i++) {
		const struct value *value = provider_value(
			&config->providers[i], "maxAttachmentBytes", CG_OPTION_INTEGER);

		if (value != NULL && value->source != NULL &&
			value->number > config->max_request_body_bytes)
			config_report_error(safety->report, value->source,
				"raise " K "MAX_REQUEST_BODY_BYTES or lower this",
				"%" PRId64
				" is more than a request body may have (%" PRId64 ")",
				value->number, config->max_request_body_bytes);
	}
}

static void provider_urls_are_public(const struct safety *safety)
{
	for (size_t i = 0; i < safety->config->provider_count; i++) {
		const struct value *value = provider_value(
			&safety->config->providers[i], "publicBaseUrl", CG_OPTION_URL);

		if (value != NULL && value->source != NULL)
			check_public_url(safety, value->source, value->text);
	}
}

/* A provider that can be fed by a webhook must be able to tell who feeds it. */
static void webhooks_are_signed(const struct safety *safety)
{
	for (size_t i = 0; i < safety->config->provider_count; i++) {
		const struct config_provider *provider = &safety->config->providers[i];
		const struct value *mode =
			provider_value(provider, "mode", CG_OPTION_CHOICE);
		const struct value *secret =
			provider_value(provider, "webhookSecret", CG_OPTION_SECRET);
		const struct value *url =
			provider_value(provider, "publicBaseUrl", CG_OPTION_URL);

		if (mode == NULL || mode->text == NULL ||
			strcmp(mode->text, "webhook") != 0)
			continue;
		if (secret != NULL && !cg_secret_is_set(&secret->secret))
			config_report_error(safety->report, provider->id,
				"set webhookSecret",
				"mode webhook needs a webhook secret");
		if (url != NULL && url->text == NULL)
			config_report_error(safety->report, provider->id,
				"set publicBaseUrl, or " K "PUBLIC_URL",
				"mode webhook needs a public URL");
	}
}

static void lists_are_for_standalone(const struct safety *safety)
{
	const struct config *config = safety->config;

	for (size_t i = 0; i < config->provider_count; i++) {
		if (config->product_mode == CONFIG_CLOUD_CHANNEL &&
			config->providers[i].allow_from.count > 0)
			config_report_warning(safety->report, config->providers[i].id,
				NULL,
				"its list of members has no effect: the Cloud decides "
				"who is one");
	}
}

/* ---- the agent ---- */

/* What an agent that is a program of its own needs, and where each was said. */
struct program {
	const char *name, *name_place;
	const char *directory, *directory_place;
	const char *user, *user_place;
};

static void program_can_start(const struct safety *safety, const struct program *program)
{
	struct stat info;

	if (!cg_program_find(program->name, NULL, 0))
		config_report_error(safety->report, program->name_place,
			"install it, or name it by its whole path",
			"the agent's program \"%s\" cannot be run", program->name);
	if (program->directory != NULL &&
		(stat(program->directory, &info) != 0 || !S_ISDIR(info.st_mode)))
		config_report_error(safety->report, program->directory_place, "make it",
			"the agent's directory \"%s\" is not there", program->directory);
	if (program->user == NULL)
		return;
	if (getpwnam(program->user) == NULL)
		config_report_error(safety->report, program->user_place, "make it",
			"there is no user \"%s\"", program->user);
	if (program->directory == NULL)
		config_report_error(safety->report, program->user_place,
			"give the agent a directory of that user",
			"the data directory is not open to another user");
}

static void agent_can_start(const struct safety *safety, const char *name)
{
	const struct config *config = safety->config;
	const struct program program = {
		.name = name,
		.name_place = place(safety, CONFIG_AGENT_COMMAND),
		.directory = config->agent_directory,
		.directory_place = place(safety, CONFIG_AGENT_DIRECTORY),
		.user = config->agent_user,
		.user_place = place(safety, CONFIG_AGENT_USER),
	};

	program_can_start(safety, &program);
}

/* An agent of the files. */
static void named_agent_can_start(
	const struct safety *safety, const struct config_agent *agent)
{
	bool named = agent->command.count > 0 && agent->command.items[0][0] != '\0';
	char where[96];
	const struct program program = {
		.name = named ? agent->command.items[0] : "opencode",
		.name_place = where,
		.directory = agent->directory,
		.directory_place = where,
		.user = agent->user,
		.user_place = where,
	};

	snprintf(where, sizeof(where), "agents, %s", agent->name);
	if (agent->backend == CONFIG_AGENT_ACP && !named)
		config_report_error(safety->report, where,
			"give it a command, [\"program\", \"argument\"]",
			"the agent acp needs a program to start");
	else if (agent->backend == CONFIG_AGENT_ACP ||
		 (agent->backend == CONFIG_AGENT_OPENCODE && agent->url == NULL))
		program_can_start(safety, &program);
	else if (agent->backend == CONFIG_AGENT_OPENAI &&
		 (agent->url == NULL || agent->model == NULL))
		config_report_error(safety->report, where, "give it url and model",
			"the agent openai needs both");
}

static void named_agents_are_complete(const struct safety *safety)
{
	const struct config *config = safety->config;

	for (size_t i = 0;
		config->product_mode == CONFIG_STANDALONE && i < config->agent_count; i++)
		named_agent_can_start(safety, &config->agents[i]);
}

static void agent_is_complete(const struct safety *safety)
{
	const struct config *config = safety->config;

	if (config->product_mode != CONFIG_STANDALONE)
		return;
	switch (config->agent_backend) {
	case CONFIG_AGENT_ECHO:
		if (!is_given(safety, CONFIG_AGENT_BACKEND))
			config_report_warning(safety->report, K "AGENT_BACKEND",
				"set it to openai, opencode or acp",
				"no agent is set: what people say is repeated to them");
		break;
	case CONFIG_AGENT_OPENAI:
		if (!is_given(safety, CONFIG_AGENT_URL))
			config_report_error(safety->report,
				place(safety, CONFIG_AGENT_URL),
				"set it to a base URL that ends in /v1",
				"the agent openai needs it");
		if (!is_given(safety, CONFIG_AGENT_MODEL))
			config_report_error(safety->report,
				place(safety, CONFIG_AGENT_MODEL),
				"set it to the name of a model",
				"the agent openai needs it");
		break;
	case CONFIG_AGENT_OPENCODE:
		if (!is_given(safety, CONFIG_AGENT_URL))
			agent_can_start(safety, config->agent_command.count > 0
							? config->agent_command.items[0]
							: "opencode");
		break;
	case CONFIG_AGENT_ACP:
		if (config->agent_command.count == 0 ||
			config->agent_command.items[0][0] == '\0')
			config_report_error(safety->report,
				place(safety, CONFIG_AGENT_COMMAND),
				"set it to [\"program\", \"argument\"]",
				"the agent acp needs a program to start");
		else
			agent_can_start(safety, config->agent_command.items[0]);
		break;
	}
}

static void agent_key_is_private(const struct safety *safety)
{
	const struct config *config = safety->config;
	struct cg_url url;

	if (config->product_mode != CONFIG_STANDALONE || config->agent_url == NULL ||
		!cg_secret_is_set(&config->agent_api_key) ||
		cg_url_parse(config->agent_url, &url, NULL) != CG_OK)
		return;
	if (!url.https && !cg_host_is_loopback(url.host))
		config_report_warning(safety->report, place(safety, CONFIG_AGENT_URL),
			"write https", "plain http shows the agent's key to the network");
}

static void (*const rules[])(const struct safety *safety) = {
	cloud_is_named,
	token_has_its_cloud,
	cloud_is_private,
	public_url_is_public,
	bypass_is_local,
	operator_is_known,
	operator_token_is_long,
	operator_chats_are_known,
	attachment_types_are_types,
	certificate_has_its_key,
	proxies_are_named,
	core_secrets_are_real,
	provider_secrets_are_real,
	some_provider_is_enabled,
	provider_ids_differ,
	provider_bindings_differ,
	demo_is_not_public,
	local_is_not_public,
	attachments_fit_bodies,
	provider_urls_are_public,
	webhooks_are_signed,
	lists_are_for_standalone,
	agent_is_complete,
	named_agents_are_complete,
	agent_key_is_private,
};

void safety_check(const struct config_loaded *loaded, const struct safety_facts *facts,
	struct config_report *report)
{
	const struct safety safety = {
		.config = &loaded->config,
		.values = loaded->values,
		.facts = facts,
		.report = report,
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		rules[i](&safety);
}
