/* SPDX-License-Identifier: Apache-2.0 */
#include "config/agent.h"

#include "config/loaded.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <string.h>

#define NAME_BYTES 64

const struct agent_member_row agent_members[AGENT_MEMBERS] = {
	[AGENT_MEMBER_BACKEND] = {"backend",
		{.kind = OPTION_CHOICE,
			.flags = OPTION_REQUIRED,
			.choices = "echo,openai,opencode,acp"},
		"Who answers"},
	[AGENT_MEMBER_URL] = {"url", {.kind = OPTION_URL, .flags = OPTION_BASE},
		"Its base URL"},
	[AGENT_MEMBER_API_KEY] = {"apiKey", {.kind = OPTION_SECRET},
		"Key or password for it"},
	[AGENT_MEMBER_MODEL] = {"model", {.kind = OPTION_STRING}, "Name of the model"},
	[AGENT_MEMBER_SYSTEM_PROMPT] = {"systemPrompt", {.kind = OPTION_STRING},
		"What it is told before all else"},
	[AGENT_MEMBER_COMMAND] = {"command", {.kind = OPTION_ARGV},
		"acp: program and arguments; opencode without a URL: the program"},
	[AGENT_MEMBER_DIRECTORY] = {"directory", {.kind = OPTION_PATH},
		"acp, opencode: working directory; unset: workspace-NAME in the data "
		"directory"},
	[AGENT_MEMBER_ENVIRONMENT] = {"environment", {.kind = OPTION_LIST},
		"acp, opencode: variables of its program, as in "
		"OPEN_COWORK_GATEWAY_AGENT_ENVIRONMENT; those are not its own"},
	[AGENT_MEMBER_USER] = {"user", {.kind = OPTION_STRING, .max = 64},
		"acp, opencode: user that its program runs as, when Cowgate is root or "
		"may switch users"},
	[AGENT_MEMBER_LIMITS] = {"limits", {.kind = OPTION_LIST, .fallback = "core=0"},
		"acp, opencode: resource limits of its program, as in "
		"OPEN_COWORK_GATEWAY_AGENT_LIMITS"},
	[AGENT_MEMBER_FALLBACK_URLS] = {"fallbackUrls", {.kind = OPTION_LIST},
		"openai: other servers, with the same key and model"},
	[AGENT_MEMBER_DAILY_TOKENS_PER_CHAT] = {"dailyTokensPerChat",
		{.kind = OPTION_INTEGER, .fallback = "0", .max = 1000000000000},
		"Tokens that one chat may use of it in a day; 0: no limit"},
	[AGENT_MEMBER_DAILY_TOKENS] = {"dailyTokens",
		{.kind = OPTION_INTEGER, .fallback = "0", .max = 1000000000000},
		"Tokens that all its chats may use together in a day; 0: no limit"},
};

static bool name_is_fit(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

	return name != NULL && *name != '\0' && strlen(name) <= NAME_BYTES &&
	       name[strspn(name, letters)] == '\0';
}

/* A name of its own: not that of another, nor of the agent of the settings. */
static bool name_is_free(
	const struct config_agent *agents, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(agents[i].name, name) == 0)
			return false;
	}
	return strcmp(name, "default") != 0;
}

static void read_members(const struct source *source, struct json_object *object,
	const char *where, struct value values[AGENT_MEMBERS])
{
	for (size_t i = 0; i < AGENT_MEMBERS; i++) {
		const struct agent_member_row *row = &agent_members[i];
		struct json_object *member = cg_json_member(object, row->name);
		struct source_value found = {
			.where = arena_format(source->kept, "%s.%s", where, row->name),
			.json = member,
		};

		if (found.where == NULL)
			return;
		value_read(source, &row->rule, member == NULL ? NULL : &found,
			found.where, &values[i]);
	}
}

static void fill(struct config_agent *agent, const struct value *values)
{
	agent->backend = (enum config_agent_backend)values[AGENT_MEMBER_BACKEND].number;
	agent->url = values[AGENT_MEMBER_URL].text;
	agent->api_key = values[AGENT_MEMBER_API_KEY].secret;
	agent->model = values[AGENT_MEMBER_MODEL].text;
	agent->system_prompt = values[AGENT_MEMBER_SYSTEM_PROMPT].text;
	agent->command = values[AGENT_MEMBER_COMMAND].list;
	agent->directory = values[AGENT_MEMBER_DIRECTORY].text;
	agent->environment = values[AGENT_MEMBER_ENVIRONMENT].list;
	agent->user = values[AGENT_MEMBER_USER].text;
	agent->limits = values[AGENT_MEMBER_LIMITS].list;
	agent->fallback_urls = values[AGENT_MEMBER_FALLBACK_URLS].list;
	agent->daily_tokens_per_chat = values[AGENT_MEMBER_DAILY_TOKENS_PER_CHAT].number;
	agent->daily_tokens = values[AGENT_MEMBER_DAILY_TOKENS].number;
}

/* True when @object is an agent with a name of its own, which is then kept. */
static bool read_name(const struct source *source, struct json_object *object,
	const char *where, const struct config_agent *agents, size_t count,
	const char **ret)
{
	const char *name = cg_json_string(object, "name");

	if (!name_is_fit(name)) {
		config_report_error(source->report, where,
			"write {\"name\":\"…\",\"backend\":\"…\"}",
			"not an agent with a name of letters, digits, '_', '-' and '.', "
			"at most %d",
			NAME_BYTES);
		return false;
	}
	if (!name_is_free(agents, count, name)) {
		config_report_error(source->report, where, "choose another",
			"the name %s is taken", name);
		return false;
	}
	*ret = arena_trim(source->kept, name, strlen(name));
	return *ret != NULL;
}

static bool read_all(const struct source *source, const struct source_value *found,
	struct config_agent *agents, struct agent_values *values, size_t *ret_count)
{
	for (size_t i = 0; i < cg_json_count(found->json); i++) {
		struct json_object *object = cg_json_at(found->json, i);
		const char *where =
			arena_format(source->kept, "%s[%zu]", found->where, i);
		size_t count = *ret_count;

		if (where == NULL)
			return false;
		if (!read_name(source, object, where, agents, count, &agents[count].name))
			continue;
		read_members(source, object, where, values[count].values);
		fill(&agents[count], values[count].values);
		(*ret_count)++;
	}
	return true;
}

bool agents_read(const struct source *source, struct config_agent **ret,
	struct agent_values **ret_values, size_t *ret_count)
{
	struct source_value found;
	struct config_agent *agents;
	struct agent_values *values;
	size_t count;

	*ret_count = 0;
	if (!source_member(source, "agents", &found))
		return true;
	count = cg_json_count(found.json);
	if (!cg_json_is_array(found.json) || count > CONFIG_AGENTS) {
		config_report_error(source->report, found.where, NULL,
			"not an array of at most %d agents", CONFIG_AGENTS);
		return true;
	}
	agents = arena_alloc(source->kept, (count + 1) * sizeof(*agents));
	values = arena_alloc(source->kept, (count + 1) * sizeof(*values));
	if (agents == NULL || values == NULL)
		return false;
	*ret = agents;
	*ret_values = values;
	return read_all(source, &found, agents, values, ret_count);
}

void agents_finish(struct agent_values *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < AGENT_MEMBERS; j++)
			value_finish(&agent_members[j].rule, &values[i].values[j]);
	}
}

bool agents_equal(const struct config *a, const struct config *b)
{
	const struct agent_values *left = config_loaded(a)->agents;
	const struct agent_values *right = config_loaded(b)->agents;

	if (a->agent_count != b->agent_count)
		return false;
	for (size_t i = 0; i < a->agent_count; i++) {
		if (strcmp(a->agents[i].name, b->agents[i].name) != 0)
			return false;
		for (size_t j = 0; j < AGENT_MEMBERS; j++) {
			if (!value_equal(agent_members[j].rule.kind, &left[i].values[j],
				    &right[i].values[j]))
				return false;
		}
	}
	return true;
}
