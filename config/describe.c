/* SPDX-License-Identifier: Apache-2.0 */
#include "config/describe.h"

#include "config/loaded.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

#define REDACTED "[redacted]"

/* A URL for showing: user and password, query and fragment are where secrets hide. */
static struct json_object *url_json(const char *text)
{
	struct cg_buffer shown;
	const char *start = strstr(text, "://");
	const char *authority = start != NULL ? start + 3 : text;
	const size_t host_end = strcspn(authority, "/?#");
	const char *at = NULL;
	const char *host = authority;
	struct json_object *json;

	for (size_t i = 0; i < host_end; i++) {
		if (authority[i] == '@')
			at = authority + i;
	}
	cg_buffer_init(&shown, CONFIG_TEXT + 64);
	cg_buffer_add(&shown, text, (size_t)(authority - text));
	if (at != NULL) {
		cg_buffer_text(&shown, REDACTED "@");
		host = at + 1;
	}
	cg_buffer_add(&shown, host, strcspn(host, "?#"));
	if (strpbrk(host, "?#") != NULL)
		cg_buffer_text(&shown, "?" REDACTED);
	json = cg_json_new_string(cg_buffer_string(&shown));
	cg_buffer_finish(&shown);
	return json;
}

static struct json_object *list_json(const struct config_list *list)
{
	struct json_object *array = cg_json_new_array();

	for (size_t i = 0; i < list->count; i++)
		cg_json_append(array, cg_json_new_string(list->items[i]));
	return array;
}

static struct json_object *cidrs_json(const struct config_cidrs *cidrs)
{
	struct json_object *array = cg_json_new_array();

	for (size_t i = 0; i < cidrs->count; i++) {
		const struct cg_cidr *cidr = &cidrs->items[i];
		char text[64];
		char address[46];
		int bits = cidr->bits;

		cg_address_format(&cidr->address, address);
		/* An IPv4 network is kept as the v4-mapped one. */
		if (strchr(address, ':') == NULL)
			bits -= 96;
		snprintf(text, sizeof(text), "%s/%d", address, bits);
		cg_json_append(array, cg_json_new_string(text));
	}
	return array;
}

/* What may stand in the arguments of a command is not known: only the program is shown. */
static struct json_object *argv_json(const struct config_list *list)
{
	struct json_object *array = cg_json_new_array();

	for (size_t i = 0; i < list->count; i++)
		cg_json_append(
			array, cg_json_new_string(i == 0 ? list->items[i] : REDACTED));
	return array;
}

/* The value for showing; NULL (JSON null) when it is unset. */
static struct json_object *value_json(enum option_kind kind, const struct value *value)
{
	struct json_object *holder, *json;

	if (value->source == NULL)
		return NULL;
	switch (kind) {
	case OPTION_SECRET:
		return cg_secret_is_set(&value->secret) ? cg_json_new_string(REDACTED)
							: NULL;
	case OPTION_LIST:
		return list_json(&value->list);
	case OPTION_ARGV:
		return argv_json(&value->list);
	case OPTION_CIDRS:
		return cidrs_json(&value->cidrs);
	case OPTION_URL:
		return value->text != NULL ? url_json(value->text) : NULL;
	case OPTION_INTEGER:
	case OPTION_PORT:
	case OPTION_BOOLEAN:
		break;
	default:
		return cg_json_new_string(value->text);
	}
	/* The builders make scalars as members only. */
	holder = cg_json_new_object();
	if (kind == OPTION_BOOLEAN)
		cg_json_put_bool(holder, "value", value->number != 0);
	else
		cg_json_put_int(holder, "value", value->number);
	json = cg_json_ref(cg_json_member(holder, "value"));
	cg_json_free(holder);
	return json;
}

static struct json_object *core_json(
	const struct option_row *row, const struct value *value)
{
	struct json_object *json = cg_json_new_object();

	cg_json_put_string(json, "name", row->name);
	cg_json_put_string(json, "variable", row->variable);
	cg_json_put_string(json, "path", row->path);
	cg_json_put(json, "value", value_json(row->rule.kind, value));
	cg_json_put_string(json, "source", value->source);
	return json;
}

/* A credential is not shown even where its row calls it a plain text. */
static struct json_object *option_json(
	const struct cg_option *option, const struct value *value)
{
	if (option->kind != CG_OPTION_SECRET &&
		(option->flags & CG_OPTION_CREDENTIAL) != 0)
		return value->source != NULL ? cg_json_new_string(REDACTED) : NULL;
	return value_json(option_rule_of(option).kind, value);
}

static struct json_object *options_json(const struct config_provider *provider)
{
	const struct provider_values *values = provider_values(provider);
	struct json_object *array = cg_json_new_array();

	for (size_t i = 0; i < values->descriptor->option_count; i++) {
		const struct cg_option *option =
			option_of_provider(values->descriptor, i);
		const struct value *value = &values->values[i];
		struct json_object *json = cg_json_new_object();

		cg_json_put_string(json, "name", option->name);
		cg_json_put(json, "value", option_json(option, value));
		cg_json_put_string(json, "source", value->source);
		cg_json_append(array, json);
	}
	return array;
}

static const char *const busy_modes[] = {"queue", "steer", "interrupt"};

static struct json_object *provider_json(const struct config_provider *provider)
{
	struct json_object *json = cg_json_new_object();

	cg_json_put_string(json, "id", provider->id);
	cg_json_put_string(json, "kind", provider->kind);
	cg_json_put_bool(json, "enabled", provider->enabled);
	cg_json_put_string(json, "channelBindingId", provider->channel_binding_id);
	cg_json_put_string(json, "externalWorkspaceId", provider->external_workspace_id);
	cg_json_put_string(json, "defaultAgent", provider->default_agent);
	cg_json_put_string(json, "busyMode", busy_modes[provider->busy_mode]);
	cg_json_put_bool(json, "allowEveryone", provider->allow_everyone);
	cg_json_put(json, "allowFrom", list_json(&provider->allow_from));
	cg_json_put(json, "settings", options_json(provider));
	return json;
}

struct json_object *config_describe_json(const struct config *config)
{
	const struct config_loaded *loaded = config_loaded(config);
	struct json_object *json = cg_json_new_object();
	struct json_object *settings = cg_json_new_array();
	struct json_object *providers = cg_json_new_array();
	struct json_object *branding = NULL;

	for (size_t i = 0; i < CONFIG_OPTIONS; i++)
		cg_json_append(settings, core_json(&option_rows[i], &loaded->values[i]));
	for (size_t i = 0; i < config->provider_count; i++)
		cg_json_append(providers, provider_json(&config->providers[i]));
	cg_json_parse(
		config->branding.json, strlen(config->branding.json), &branding, NULL);
	cg_json_put(json, "settings", settings);
	cg_json_put(json, "branding", branding);
	cg_json_put(json, "providers", providers);
	return json;
}
