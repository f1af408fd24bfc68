/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Set-up: what is needed is asked at a terminal or given by flags, held against all rules of the
 * settings, shown to the platforms that are named, and written into the file that the service
 * reads.  Which questions a channel has is told by its own rows.
 */
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/finding.h"
#include "cli/init_service.h"
#include "cli/probe.h"
#include "cli/settings.h"
#include "cli/settings_file.h"
#include "config/option.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/secret.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INIT_CHANNELS 16
#define INIT_ENVIRONMENT 4096 /* variables */

struct init {
	struct settings_file file;
	struct settings modules; /* only its loader is used */
	const struct cg_provider *channels[INIT_CHANNELS];
	size_t channel_count;
	const char *path; /* of the file */
	char path_room[CONFIG_PATH];
	bool force, yes, no_check, service, no_service, json;
	bool asking; /* somebody is there to be asked */
};

static int complain(const char *what, const struct cg_error *err)
{
	fprintf(stderr, "cowgate init: %s%s%s\n", what, what[0] == '\0' ? "" : ": ",
		err->text);
	return CLI_FAILED;
}

static bool set(struct init *init, const char *name, const char *value)
{
	struct cg_error err = {.text = ""};

	if (settings_file_set(&init->file, name, value, &err) == CG_OK)
		return true;
	complain("", &err);
	return false;
}

/* "-" is the next line of stdin, so that a secret need not be an argument that `ps` shows. */
static bool set_given(struct init *init, const char *name, const char *value)
{
	char line[ASK_LINE];
	bool well;

	if (strcmp(value, "-") != 0)
		return set(init, name, value);
	if (!ask_read(line, sizeof(line))) {
		fprintf(stderr,
			"cowgate init: stdin has no line for %s, or one that is too "
			"long\n",
			name);
		return false;
	}
	well = set(init, name, line);
	cg_wipe(line, sizeof(line));
	return well;
}

static const struct cg_provider *last_channel(const struct init *init)
{
	return init->channel_count == 0 ? NULL : init->channels[init->channel_count - 1];
}

static bool add_channel(struct init *init, const char *kind)
{
	const struct cg_provider *provider = loader_find(init->modules.loader, kind);
	size_t count;
	const struct cg_provider *const *all;

	if (provider == NULL) {
		all = loader_providers(init->modules.loader, &count);
		fprintf(stderr, "cowgate init: there is no channel \"%s\"; there are",
			kind);
		for (size_t i = 0; i < count; i++)
			fprintf(stderr, " %s", all[i]->kind);
		fprintf(stderr, "\n");
		return false;
	}
	if (init->channel_count == INIT_CHANNELS) {
		fprintf(stderr, "cowgate init: at most %d channels at a time\n",
			INIT_CHANNELS);
		return false;
	}
	init->channels[init->channel_count++] = provider;
	return true;
}

/* A channel that no value of its own switches on has a switch. */
static bool switch_on(struct init *init, const struct cg_provider *provider)
{
	const struct option_kind_facts *facts = option_kind_find(provider->kind);
	char variable[OPTION_VARIABLE];

	for (size_t i = 0; i < provider->option_count; i++) {
		if ((option_of_provider(provider, i)->flags & CG_OPTION_ACTIVATES) != 0)
			return true;
	}
	if (facts != NULL && !facts->is_switch && facts->activator != NULL)
		return true;
	if (facts != NULL && facts->activator != NULL)
		return set(init, facts->activator, "true");
	option_kind_variable(provider->kind, "_ENABLED", variable);
	return set(init, variable, "true");
}

/* The variable of the channel's first required secret: what --token means. */
static const char *token_variable(const struct cg_provider *provider)
{
	for (size_t i = 0; provider != NULL && i < provider->option_count; i++) {
		const struct cg_option *option = option_of_provider(provider, i);

		if (option->env != NULL && option->kind == CG_OPTION_SECRET &&
			(option->flags & CG_OPTION_REQUIRED) != 0)
			return option->env;
	}
	return NULL;
}

/* A channel without one may have secrets for all that. */
static void explain_token(const struct cg_provider *provider)
{
	const char *between = "; its secrets are set by --set NAME=VALUE: ";

	if (provider == NULL) {
		fprintf(stderr, "cowgate init: --token comes after a --channel\n");
		return;
	}
	fprintf(stderr, "cowgate init: the channel %s has no --token", provider->kind);
	for (size_t i = 0; i < provider->option_count; i++) {
		const struct cg_option *option = option_of_provider(provider, i);

		if (option->env == NULL || option->kind != CG_OPTION_SECRET)
			continue;
		fprintf(stderr, "%s%s", between, option->env);
		between = ", ";
	}
	fprintf(stderr, "\n");
}

static bool set_token(struct init *init, const char *value)
{
	const char *variable = token_variable(last_channel(init));

	if (variable != NULL)
		return set_given(init, variable, value);
	explain_token(last_channel(init));
	return false;
}

static bool set_allowed(struct init *init, const char *value)
{
	char variable[OPTION_VARIABLE];

	if (last_channel(init) == NULL) {
		fprintf(stderr, "cowgate init: --allow comes after a --channel\n");
		return false;
	}
	option_kind_variable(last_channel(init)->kind, "_ALLOW_FROM", variable);
	return set(init, variable, value);
}

static bool set_pair(struct init *init, char *pair)
{
	char *equals = strchr(pair, '=');

	if (equals == NULL) {
		fprintf(stderr, "cowgate init: --set takes NAME=VALUE\n");
		return false;
	}
	*equals = '\0';
	return set_given(init, pair, equals + 1);
}

/* A flag that stands for one setting. */
static const struct {
	const char *flag, *name;
} setting_flags[] = {
	{"--agent", "AGENT_BACKEND"},
	{"--url", "AGENT_URL"},
	{"--model", "AGENT_MODEL"},
	{"--key", "AGENT_API_KEY"},
	{"--command", "AGENT_COMMAND"},
	{"--cloud", "OPEN_COWORK_CLOUD_BASE_URL"},
	{"--service-token", "SERVICE_TOKEN"},
};

static bool take_value(struct init *init, const char *flag, char *value, bool *ret_known)
{
	*ret_known = true;
	if (strcmp(flag, "--channel") == 0)
		return add_channel(init, value);
	if (strcmp(flag, "--token") == 0)
		return set_token(init, value);
	if (strcmp(flag, "--allow") == 0)
		return set_allowed(init, value);
	if (strcmp(flag, "--set") == 0)
		return set_pair(init, value);
	if (strcmp(flag, "--file") == 0) {
		init->path = value;
		return true;
	}
	for (size_t i = 0; i < sizeof(setting_flags) / sizeof(setting_flags[0]); i++) {
		if (strcmp(flag, setting_flags[i].flag) != 0)
			continue;
		return set_given(init, setting_flags[i].name, value);
	}
	*ret_known = false;
	return false;
}

static bool take_switch(struct init *init, const char *flag)
{
	const struct {
		const char *flag;
		bool *place;
	} switches[] = {
		{"--force", &init->force},
		{"--yes", &init->yes},
		{"--no-check", &init->no_check},
		{"--service", &init->service},
		{"--no-service", &init->no_service},
		{"--json", &init->json},
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		if (strcmp(flag, switches[i].flag) == 0)
			return *switches[i].place = true;
	}
	return false;
}

static int take_flags(struct init *init, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		bool known;

		if (take_switch(init, argv[i]))
			continue;
		if (i + 1 == argc)
			return cli_usage(
				argv[0], "a flag is not known or lacks its value");
		if (!take_value(init, argv[i], argv[i + 1], &known))
			return known ? CLI_FAILED
				     : cli_usage(argv[0], "a flag is not known");
		i++;
	}
	return CLI_OK;
}

/* Questions. */

static bool ask_channel(struct init *init)
{
	char kind[64];

	do {
		if (!ask_line("Channel (telegram, slack, email, webhook, cli …)",
			    "telegram", kind, sizeof(kind)))
			return false;
	} while (!add_channel(init, kind));
	return true;
}

static bool ask_option(struct init *init, const struct cg_option *option)
{
	char answer[ASK_LINE];
	bool well;

	if (option->env == NULL || (option->flags & CG_OPTION_REQUIRED) == 0 ||
		settings_file_get(&init->file, option->env) != NULL)
		return true;
	well = option->kind == CG_OPTION_SECRET
		       ? ask_secret(option->help, answer, sizeof(answer))
		       : ask_line(option->help, option->fallback, answer, sizeof(answer));
	well = well && set(init, option->env, answer);
	cg_wipe(answer, sizeof(answer));
	return well;
}

static bool ask_people(struct init *init, const struct cg_provider *provider)
{
	char variable[OPTION_VARIABLE], answer[ASK_LINE];

	option_kind_variable(provider->kind, "_ALLOW_FROM", variable);
	if ((provider->flags & CG_PROVIDER_LOCAL_ONLY) != 0 ||
		settings_file_get(&init->file, variable) != NULL)
		return true;
	printf("Who may talk to the agent there from the start?  Their user ids, comma "
	       "separated; * is everyone.\nNobody listed gets a pairing code, which "
	       "`cowgate people approve` lets in.\n");
	if (!ask_line("Members", NULL, answer, sizeof(answer)))
		return false;
	return answer[0] == '\0' || set(init, variable, answer);
}

static bool ask_channels(struct init *init)
{
	if (init->channel_count == 0 && !ask_channel(init))
		return false;
	for (size_t i = 0; i < init->channel_count; i++) {
		const struct cg_provider *provider = init->channels[i];

		for (size_t j = 0; j < provider->option_count; j++) {
			if (!ask_option(init, option_of_provider(provider, j)))
				return false;
		}
		if (!ask_people(init, provider))
			return false;
	}
	return true;
}

static bool ask_setting(
	struct init *init, const char *name, const char *question, const char *fallback)
{
	char answer[ASK_LINE];

	if (settings_file_get(&init->file, name) != NULL)
		return true;
	if (!ask_line(question, fallback, answer, sizeof(answer)))
		return false;
	return answer[0] == '\0' || set(init, name, answer);
}

static bool ask_agent(struct init *init)
{
	char key[ASK_LINE];
	const char *backend;
	bool well;

	if (settings_file_get(&init->file, "OPEN_COWORK_CLOUD_BASE_URL") != NULL)
		return true;
	if (!ask_setting(init, "AGENT_BACKEND",
		    "Who answers (openai, opencode, acp, echo)", "openai"))
		return false;
	backend = settings_file_get(&init->file, "AGENT_BACKEND");
	if (strcmp(backend, "acp") == 0)
		return ask_setting(init, "AGENT_COMMAND",
			"Program of the agent, as a JSON array", "[\"claude-code-acp\"]");
	if (strcmp(backend, "openai") != 0)
		return true;
	if (!ask_setting(init, "AGENT_URL", "Base URL, which ends in /v1",
		    "https://api.openai.com/v1") ||
		!ask_setting(init, "AGENT_MODEL", "Model", NULL))
		return false;
	if (settings_file_get(&init->file, "AGENT_API_KEY") != NULL)
		return true;
	well = ask_secret("API key, empty for none", key, sizeof(key)) &&
	       (key[0] == '\0' || set(init, "AGENT_API_KEY", key));
	cg_wipe(key, sizeof(key));
	return well;
}

/* Judgement. */

/* Of this shell only what the service will have too: no other setting of ours. */
static bool is_foreign(const char *variable)
{
	static const char *const kept[] = {
		CONFIG_PREFIX "DATA_DIR=", CONFIG_PREFIX "PLUGIN_DIR="};

	if (strncmp(variable, "OPEN_COWORK_", 12) != 0)
		return true;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (strncmp(variable, kept[i], strlen(kept[i])) == 0)
			return true;
	}
	return false;
}

extern char **environ;

/* The environment that the service will have; its texts from @from on are owned. */
static char **service_environment(const struct settings_file *file, size_t *ret_from)
{
	char **variables =
		calloc(INIT_ENVIRONMENT + SETTINGS_FILE_NAMES + 1, sizeof(*variables));
	size_t count = 0;

	if (variables == NULL)
		return NULL;
	for (char **at = environ; *at != NULL && count < INIT_ENVIRONMENT; at++) {
		if (is_foreign(*at))
			variables[count++] = *at;
	}
	*ret_from = count;
	for (size_t i = 0; i < file->count; i++) {
		size_t size = strlen(file->entries[i].name) +
			      strlen(file->entries[i].value) + 2;
		char *variable = malloc(size);

		if (variable == NULL)
			break;
		snprintf(variable, size, "%s=%s", file->entries[i].name,
			file->entries[i].value);
		variables[count++] = variable;
	}
	return variables;
}

static void free_environment(char **variables, size_t from)
{
	for (size_t i = from; variables != NULL && variables[i] != NULL; i++) {
		cg_wipe(variables[i], strlen(variables[i]));
		free(variables[i]);
	}
	free(variables);
}

/* Every rule of the settings, then whoever they name. */
static bool judge(struct init *init, struct findings *findings)
{
	struct settings settings;
	size_t from = 0;
	char **variables = service_environment(&init->file, &from);
	bool sound;

	if (variables == NULL)
		return false;
	sound = settings_load_from(&settings, variables) == CG_OK &&
		settings_report(&settings);
	if (sound && !init->no_check) {
		const struct config *config = settings.config;

		for (size_t i = 0; i < config->provider_count; i++)
			probe_channel(&config->providers[i], findings);
		if (config->product_mode == CONFIG_STANDALONE)
			probe_agents(config, false, findings);
		else
			probe_cloud(config, findings);
	}
	settings_finish(&settings);
	free_environment(variables, from);
	return sound;
}

/* What is neither given nor asked for leaves a channel off; better said than written. */
static bool is_switched_on(const struct init *init, const struct cg_provider *provider)
{
	const char *between = " ";
	bool on = false, switchable = false;

	for (size_t i = 0; i < provider->option_count; i++) {
		const struct cg_option *option = option_of_provider(provider, i);

		if ((option->flags & CG_OPTION_ACTIVATES) == 0)
			continue;
		switchable = true;
		on = on || settings_file_get(&init->file, option->env) != NULL;
	}
	if (on || !switchable)
		return true;
	fprintf(stderr,
		"cowgate init: nothing switches the channel %s on; give by "
		"--set NAME=VALUE",
		provider->kind);
	for (size_t i = 0; i < provider->option_count; i++) {
		const struct cg_option *option = option_of_provider(provider, i);

		if ((option->flags & CG_OPTION_ACTIVATES) == 0)
			continue;
		fprintf(stderr, "%s%s", between, option->env);
		between = " or ";
	}
	fprintf(stderr, "\n");
	return false;
}

static bool are_switched_on(const struct init *init)
{
	for (size_t i = 0; i < init->channel_count; i++) {
		if (!is_switched_on(init, init->channels[i]))
			return false;
	}
	return true;
}

static bool gather(struct init *init)
{
	for (size_t i = 0; i < init->channel_count; i++) {
		if (!switch_on(init, init->channels[i]))
			return false;
	}
	if (init->asking) {
		if (!ask_channels(init) || !ask_agent(init)) {
			fprintf(stderr, "cowgate init: given up; nothing was written\n");
			return false;
		}
		/* What was asked for a moment ago may have a switch, too. */
		return switch_on(init, last_channel(init));
	}
	if (init->channel_count > 0 || init->file.count > 0)
		return true;
	fprintf(stderr, "cowgate init: nobody is at the terminal: say what is wanted by "
			"flags, such as --channel telegram --token - --agent openai "
			"--url URL --model NAME\n");
	return false;
}

static void tell(const struct init *init, const struct findings *findings, bool written)
{
	struct json_object *body;

	if (!init->json) {
		findings_print(findings);
		if (written)
			printf("The settings are in %s (mode 0600).\n", init->path);
		return;
	}
	body = cg_json_new_object();
	cg_json_put_bool(body, "ok", written);
	cg_json_put_string(body, "file", written ? init->path : NULL);
	cg_json_put(body, "findings", findings_json(findings));
	printf("%s\n", cg_json_text(body, NULL));
	cg_json_free(body);
}

static int write_file(struct init *init, const struct findings *findings)
{
	struct cg_error err = {.text = ""};
	const char *owner = geteuid() == 0 ? "cowgate" : NULL;
	enum cg_status status;

	if (findings_failed(findings)) {
		tell(init, findings, false);
		if (!init->asking || !ask_yes("Write the settings all the same?")) {
			fprintf(stderr, "cowgate init: nothing was written; mend what "
					"is above, or say --no-check\n");
			return CLI_FAILED;
		}
	}
	status = settings_file_save(&init->file, init->path, owner, init->force, &err);
	if (status == CG_EXISTS) {
		complain("", &err);
		fprintf(stderr, "cowgate init: --force replaces it; `cowgate check` "
				"judges it as it is\n");
		return CLI_FAILED;
	}
	if (status != CG_OK)
		return complain("", &err);
	tell(init, findings, true);
	return CLI_OK;
}

static int run(struct init *init, int argc, char **argv)
{
	struct findings findings = {.items = NULL};
	int code = take_flags(init, argc, argv);

	if (code != CLI_OK)
		return code;
	init->asking = !init->yes && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (init->path == NULL) {
		if (settings_file_path(init->path_room, sizeof(init->path_room)) !=
			CG_OK) {
			fprintf(stderr, "cowgate init: there is no home directory; name "
					"the file with --file PATH\n");
			return CLI_FAILED;
		}
		init->path = init->path_room;
	}
	if (!init->force && access(init->path, F_OK) == 0) {
		fprintf(stderr,
			"cowgate init: %s is there already; --force replaces "
			"it\n",
			init->path);
		return CLI_FAILED;
	}
	if (!gather(init) || !are_switched_on(init) || !judge(init, &findings))
		code = CLI_FAILED;
	else
		code = write_file(init, &findings);
	findings_finish(&findings);
	return code;
}

/* Begin it now?  Only where the file is the one that the service reads. */
static int offer_service(const struct init *init)
{
	if (init->no_service || init->path != init->path_room)
		return CLI_OK;
	if (init->service)
		return init_service_start();
	if (init->asking && init_service_known() &&
		ask_yes("Start Cowgate now, and whenever this host starts?"))
		return init_service_start();
	if (!init->json)
		printf("`cowgate run` starts it here; `cowgate init --service` says how "
		       "it stays.\n");
	return CLI_OK;
}

int cli_init(int argc, char **argv)
{
	struct init *init = calloc(1, sizeof(*init));
	int code = CLI_FAILED;

	if (init == NULL)
		return CLI_FAILED;
	if (settings_load(&init->modules) == CG_OK)
		code = run(init, argc, argv);
	if (code == CLI_OK)
		code = offer_service(init);
	settings_file_finish(&init->file);
	settings_finish(&init->modules);
	free(init);
	return code;
}
