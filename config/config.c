/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "config/branding.h"
#include "config/diff.h"
#include "config/directory.h"
#include "config/known.h"
#include "config/loaded.h"
#include "config/safety.h"

#include <cowgate/sdk/address.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INSTANCE_ID 96

/* ---- reading ---- */

static void read_row(
	const struct source *source, enum config_option option, struct value *values)
{
	const struct option_row *row = &option_rows[option];
	struct source_value found;
	const bool present = source_find(source, row->variable, row->path, &found);

	value_read(source, &row->rule, present ? &found : NULL, row->variable,
		&values[option]);
}

static bool is_id_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
	       c == ':';
}

/*
 * A name that is fit for claims and locks: lower case, any run of other characters one dash, none
 * at either end.  NULL: nothing is left.
 */
static const char *normal_instance_id(struct arena *arena, const char *name)
{
	char id[INSTANCE_ID + 1];
	size_t length = 0;

	for (; *name != '\0' && length < INSTANCE_ID; name++) {
		char c = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;

		if (is_id_character(c))
			id[length++] = c;
		else if (length > 0 && id[length - 1] != '-')
			id[length++] = '-';
	}
	while (length > 0 && id[length - 1] == '-')
		length--;
	return length > 0 ? arena_copy(arena, id, length) : NULL;
}

static void derive_instance_id(const struct source *source, struct value *value)
{
	const char *name = value->text;
	struct source_value found;

	if (name == NULL && source_variable(source, "HOSTNAME", &found)) {
		name = found.text;
		value->source = found.where;
	}
	value->text = name != NULL ? normal_instance_id(source->kept, name) : NULL;
	if (value->text != NULL)
		return;
	value->text = "local";
	value->source = VALUE_DEFAULT;
}

static void derive_data_dir(const struct source *source, struct value *value)
{
	const struct environment *environment = &source->environment;
	const struct directory_facts facts = {
		.platform = directory_platform,
		.root = geteuid() == 0,
		.state_directory = environment_get(environment, "STATE_DIRECTORY"),
		.xdg_state_home = environment_get(environment, "XDG_STATE_HOME"),
		.home = environment_get(environment, "HOME"),
	};
	const char *variable = option_rows[CONFIG_DATA_DIR].variable;
	char path[CONFIG_PATH];

	if (value->text != NULL)
		return;
	if (directory_data(&facts, path, sizeof(path)) == CG_OK)
		value_set_default(
			source, &option_rows[CONFIG_DATA_DIR].rule, path, value);
	else
		config_report_error(source->report, variable,
			"set it to a directory of its own",
			"no place for data: neither it nor $STATE_DIRECTORY nor $HOME is "
			"usable");
}

static void derive_plugin_dir(const struct source *source, struct value *value)
{
	if (value->text == NULL && source->input->plugin_dir != NULL)
		value_set_default(source, &option_rows[CONFIG_PLUGIN_DIR].rule,
			source->input->plugin_dir, value);
}

/* Values that depend on others.  @ret_named: the product mode was set, not worked out. */
static void derive(const struct source *source, struct value *values, bool *ret_named)
{
	struct value *depth = &values[CONFIG_MAX_DELIVERY_QUEUE_DEPTH];
	struct value *mode = &values[CONFIG_PRODUCT_MODE];

	*ret_named = mode->source != NULL;
	if (!*ret_named)
		value_set_default(source, &option_rows[CONFIG_PRODUCT_MODE].rule,
			values[CONFIG_CLOUD_BASE_URL].source != NULL ? "cloud_channel"
								     : "standalone",
			mode);
	if (values[CONFIG_DIAGNOSTICS_ENABLED].source == NULL)
		value_set_default(source, &option_rows[CONFIG_DIAGNOSTICS_ENABLED].rule,
			values[CONFIG_MODE].number == CONFIG_SELF_HOST ? "true" : "false",
			&values[CONFIG_DIAGNOSTICS_ENABLED]);
	if (depth->number < values[CONFIG_MAX_DELIVERY_CONCURRENCY].number)
		depth->number = values[CONFIG_MAX_DELIVERY_CONCURRENCY].number;
	derive_instance_id(source, &values[CONFIG_INSTANCE_ID]);
	derive_data_dir(source, &values[CONFIG_DATA_DIR]);
	derive_plugin_dir(source, &values[CONFIG_PLUGIN_DIR]);
}

/* ---- the typed result ---- */

#define GET_STRING(value) (value)->text
#define GET_URL(value) (value)->text
#define GET_PATH(value) (value)->text
#define GET_SECRET(value) (value)->secret
#define GET_INTEGER(value) (value)->number
#define GET_PORT(value) (value)->number
#define GET_BOOLEAN(value) ((value)->number != 0)
#define GET_LIST(value) (value)->list
#define GET_ARGV(value) (value)->list
#define GET_CIDRS(value) (value)->cidrs

static void fill(struct config_loaded *loaded)
{
	struct config *config = &loaded->config;
	const struct value *values = loaded->values;

#define CONFIG_OPTION(NAME, KIND, field, ...) \
	config->field = GET_##KIND(&values[CONFIG_##NAME]);
#define CONFIG_CHOICE(NAME, tag, choices, field, ...) \
	config->field = (enum tag)values[CONFIG_##NAME].number;
#include "config/options.def"

	config->public_exposure =
		!cg_host_is_loopback(config->host) || config->public_url != NULL;
	config->operator_bypass = config->allow_loopback_operator_bypass &&
				  config->mode == CONFIG_SELF_HOST &&
				  !config->public_exposure;
	config->make_admin_token = config->product_mode == CONFIG_STANDALONE &&
				   !cg_secret_is_set(&config->admin_token) &&
				   !config->operator_bypass;
}

/* ---- providers ---- */

/* Standalone without any provider is somebody trying it out: give them the terminal. */
static void add_terminal(const struct source *source, struct entries *entries)
{
	if (option_kind_load(source->input, "cli") == NULL)
		return;
	entries->items[0] = (struct entry){
		.kind = "cli", .id = "cli", .where = VALUE_DEFAULT, .block = true};
	entries->count = 1;
}

static bool read_providers(const struct source *source, struct config_loaded *loaded)
{
	struct entries *entries = arena_alloc(source->scratch, sizeof(*entries));
	bool fine = true;

	if (entries == NULL)
		return false;
	entries_read(source, entries);
	if (entries->count == 0 && loaded->config.product_mode == CONFIG_STANDALONE)
		add_terminal(source, entries);
	loaded->providers = arena_alloc(
		source->kept, (entries->count + 1) * sizeof(*loaded->providers));
	fine = loaded->providers != NULL;
	for (size_t i = 0; fine && i < entries->count; i++) {
		fine = provider_read(source, &entries->items[i], loaded->values,
			&loaded->providers[i]);
		loaded->config.provider_count += fine;
	}
	loaded->config.providers = loaded->providers;
	entries_finish(entries);
	return fine;
}

static bool read_agents(const struct source *source, struct config_loaded *loaded)
{
	struct config_agent *agents = NULL;
	bool fine = agents_read(
		source, &agents, &loaded->agents, &loaded->config.agent_count);

	loaded->config.agents = agents;
	loaded->own_agents = loaded->agents;
	loaded->own_agent_count = loaded->config.agent_count;
	return fine;
}

/* ---- what a reload cannot change ---- */

static bool takes_restart(const struct option_row *row)
{
	return (row->rule.flags & OPTION_RESTART) != 0;
}

/* In place of what was read: the values that are in force until a restart.  They are all of the
 * first configuration, so that holding that one is enough however often this is done. */
static void keep_base(struct config_loaded *loaded, struct config_loaded *was)
{
	struct config_loaded *base =
		was->base == NULL ? was : (struct config_loaded *)(void *)was->base;

	for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
		if (!takes_restart(&option_rows[i]))
			continue;
		value_finish(&option_rows[i].rule, &loaded->values[i]);
		loaded->values[i] = base->values[i];
	}
	loaded->base = config_ref(&base->config);
	loaded->agents = base->agents;
	loaded->config.agents = base->config.agents;
	loaded->config.agent_count = base->config.agent_count;
	fill(loaded);
}

/* ---- loading ---- */

static enum cg_status load_into(struct config_loaded *loaded, struct arena *scratch,
	const struct config_input *input, struct safety_facts *facts,
	struct config_report *report)
{
	struct source source = {.input = input,
		.report = report,
		.kept = &loaded->arena,
		.scratch = scratch};
	enum cg_status status = CG_NOMEM;

	source_load(&source);
	for (enum config_option i = 0; i < CONFIG_OPTIONS; i++)
		read_row(&source, i, loaded->values);
	derive(&source, loaded->values, &facts->mode_was_named);
	if (scratch->failed || loaded->arena.failed)
		goto out;
	fill(loaded);
	branding_read(&source, &loaded->config.branding);
	if (!read_providers(&source, loaded) || !read_agents(&source, loaded))
		goto out;
	known_check(&source);
	safety_check(loaded, facts, report);
	if (!scratch->failed && !loaded->arena.failed)
		status = config_report_failed(report) ? CG_INVALID : CG_OK;
out:
	source_finish(&source);
	return status;
}

enum cg_status config_load(const struct config_input *input, struct config **ret,
	struct config_report *report)
{
	struct config_loaded *loaded = calloc(1, sizeof(*loaded));
	struct safety_facts facts = {.mode_was_named = false};
	struct arena scratch = {0};
	enum cg_status status;

	if (loaded == NULL)
		return CG_NOMEM;
	loaded->owners = 1;
	status = load_into(loaded, &scratch, input, &facts, report);
	arena_finish(&scratch);
	if (status != CG_OK) {
		config_destroy(&loaded->config);
		return status;
	}
	*ret = &loaded->config;
	return CG_OK;
}

enum cg_status config_reload(const struct config_input *input, struct config *was,
	struct config **ret, struct config_diff *ret_diff, struct config_report *report)
{
	const struct safety_facts facts = {.mode_was_named = true};
	struct config *config;
	enum cg_status status = config_load(input, &config, report);

	if (status != CG_OK)
		return status;
	config_diff(was, config, ret_diff);
	keep_base((struct config_loaded *)(void *)config,
		(struct config_loaded *)(void *)was);
	/* New providers beside old exposure must be as safe as either with its own. */
	safety_check(config_loaded(config), &facts, report);
	if (config_report_failed(report)) {
		config_destroy(config);
		return CG_INVALID;
	}
	*ret = config;
	return CG_OK;
}

struct config *config_ref(struct config *config)
{
	struct config_loaded *loaded = (struct config_loaded *)(void *)config;

	loaded->owners++;
	return config;
}

void config_destroy(struct config *config)
{
	struct config_loaded *loaded = (struct config_loaded *)(void *)config;

	if (loaded == NULL || --loaded->owners > 0)
		return;
	for (size_t i = 0; i < config->provider_count; i++)
		provider_finish(&loaded->providers[i]);
	agents_finish(loaded->own_agents, loaded->own_agent_count);
	for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
		if (loaded->base == NULL || !takes_restart(&option_rows[i]))
			value_finish(&option_rows[i].rule, &loaded->values[i]);
	}
	arena_finish(&loaded->arena);
	config_destroy(loaded->base);
	free(loaded);
}

/* A directory of @value into @ret, "" when it is unset.  False when it does not fit. */
static bool copy_path(const struct value *value, char ret[CONFIG_PATH])
{
	const size_t length = value->text != NULL ? strlen(value->text) : 0;

	if (length >= CONFIG_PATH)
		return false;
	if (length > 0)
		memcpy(ret, value->text, length);
	ret[length] = '\0';
	return true;
}

enum cg_status config_places(const struct config_input *input, struct config_places *ret,
	struct config_report *report)
{
	struct arena scratch = {0};
	struct source source = {
		.input = input, .report = report, .kept = &scratch, .scratch = &scratch};
	struct value values[CONFIG_OPTIONS] = {{0}};
	struct config_places places;
	enum cg_status status = CG_NOMEM;

	source_load(&source);
	read_row(&source, CONFIG_DATA_DIR, values);
	read_row(&source, CONFIG_PLUGIN_DIR, values);
	derive_data_dir(&source, &values[CONFIG_DATA_DIR]);
	derive_plugin_dir(&source, &values[CONFIG_PLUGIN_DIR]);
	if (config_report_failed(report))
		status = CG_INVALID;
	else if (!scratch.failed &&
		 copy_path(&values[CONFIG_DATA_DIR], places.data_dir) &&
		 copy_path(&values[CONFIG_PLUGIN_DIR], places.plugin_dir)) {
		*ret = places;
		status = CG_OK;
	}
	source_finish(&source);
	arena_finish(&scratch);
	return status;
}

const struct config_provider *config_provider_find(
	const struct config *config, const char *id)
{
	for (size_t i = 0; i < config->provider_count; i++) {
		if (strcmp(config->providers[i].id, id) == 0)
			return &config->providers[i];
	}
	return NULL;
}
