/* SPDX-License-Identifier: Apache-2.0 */
#include "config/entry.h"

#include "config_rig.h"

struct row {
	const char *label;
	const char *variables[6]; /* beyond the Cloud's */
	const char *ids; /* "id:binding:workspace id:…" in order */
};

static void list_providers(const struct config *config, char *ret, size_t size)
{
	size_t length = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < config->provider_count && length < size; i++) {
		const struct config_provider *provider = &config->providers[i];

		length += (size_t)snprintf(ret + length, size - length, "%s%s:%s:%s",
			i > 0 ? " " : "", provider->id, provider->channel_binding_id,
			provider->external_workspace_id != NULL
				? provider->external_workspace_id
				: "-");
	}
}

static void begin(struct rig *rig, const char *const *variables)
{
	rig_begin(rig);
	rig_env(rig, "OPEN_COWORK_CLOUD_BASE_URL=https://cloud.test/");
	rig_env(rig, K "SERVICE_TOKEN=occ_service");
	rig_env(rig, K "ADMIN_TOKEN=admin-secret");
	for (size_t i = 0; variables[i] != NULL; i++)
		rig_env(rig, variables[i]);
}

#define TG K "TELEGRAM_BOT_TOKEN=1:a"
#define WH K "WEBHOOK_DELIVERY_URL=https://h/d"
#define WS K "WEBHOOK_SHARED_SECRET=s"
#define FILE_TG(members) \
	K "CONFIG_JSON={\"providers\":[{\"kind\":\"telegram\"," members \
	  "\"credentials\":{\"botToken\":\"2:file\"}}]}"

static void entries_come_from_everywhere(void)
{
	static const struct row rows[] = {
		{"one block", {TG}, "telegram:telegram:-"},
		{"a block with names",
			{TG, K "TELEGRAM_CHANNEL_BINDING_ID=b",
				K "TELEGRAM_WORKSPACE_ID=w"},
			"telegram:b:w"},
		{"two blocks in the order of kinds", {WH, WS, TG},
			"telegram:telegram:- webhook:webhook:-"},
		{"a switch", {K "CLI_ENABLED=yes", K "CLI_WORKSPACE_ID=w"}, "cli:cli:w"},
		{"a switch that is off", {K "CLI_ENABLED=false", TG},
			"telegram:telegram:-"},
		{"a kind of others", {K "IRC_ENABLED=true", K "IRC_SERVER=irc.test"},
			"irc:irc:-"},
		{"fake alone", {K "ENABLE_FAKE_PROVIDER=true"}, "fake:fake-binding:-"},
		{"fake with names",
			{K "ENABLE_FAKE_PROVIDER=1", K "FAKE_CHANNEL_BINDING_ID=b",
				K "FAKE_WORKSPACE_ID=w"},
			"fake:b:w"},
		{"fake gives way", {K "ENABLE_FAKE_PROVIDER=true", TG},
			"telegram:telegram:-"},
		{"a file",
			{FILE_TG("\"channelBindingId\":\"f\",\"externalWorkspaceId\":"
				 "\"w\",")},
			"telegram-1:f:w"},
		{"a file's own id",
			{FILE_TG("\"id\":\"telegram-x\",\"channelBindingId\":\"f\",")},
			"telegram-x:f:-"},
		{"a block over a file of its kind",
			{FILE_TG("\"id\":\"telegram-x\",\"channelBindingId\":\"f\","), TG,
				K "TELEGRAM_CHANNEL_BINDING_ID=b"},
			"telegram-x:f:-"},
		{"a block beside a file of another kind",
			{FILE_TG("\"channelBindingId\":\"f\","), WH, WS},
			"telegram-1:f:- webhook:webhook:-"},
		{"the JSON variable",
			{K "PROVIDERS=[{\"kind\":\"cli\",\"channelBindingId\":\"c\"},"
			   "{\"kind\":\"cli\",\"channelBindingId\":\"d\",\"id\":\"cli-"
			   "two\"}]"},
			"cli-1:c:- cli-two:d:-"},
		{"the JSON variable takes the place of blocks",
			{K "PROVIDERS=[{\"kind\":\"cli\",\"channelBindingId\":\"c\"}]",
				TG},
			"cli-1:c:-"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char ids[256] = "";
		struct rig rig;

		begin(&rig, rows[i].variables);
		RIG_CHECK(&rig, rig_load(&rig) == CG_OK, rows[i].label);
		if (rig.config != NULL)
			list_providers(rig.config, ids, sizeof(ids));
		RIG_CHECK(&rig, strcmp(ids, rows[i].ids) == 0, rows[i].label);
		rig_end(&rig);
	}
}

/* By id first, then by binding, then the first of the kind that nobody has taken. */
static void environment_entries_find_their_file_entry(void)
{
	static const char *const variables[] = {K
		"CONFIG_JSON={\"providers\":["
		"{\"kind\":\"cli\",\"id\":\"cli-a\",\"channelBindingId\":\"A\"},"
		"{\"kind\":\"cli\",\"id\":\"cli-b\",\"channelBindingId\":\"B\"},"
		"{\"kind\":\"cli\",\"id\":\"cli-c\",\"channelBindingId\":\"C\"}]}",
		K "PROVIDERS=["
		  "{\"kind\":\"cli\",\"id\":\"cli-c\",\"channelBindingId\":\"x\","
		  "\"defaultAgent\":\"1\"},"
		  "{\"kind\":\"cli\",\"id\":\"cli-q\",\"channelBindingId\":\"B\","
		  "\"defaultAgent\":\"2\"},"
		  "{\"kind\":\"cli\",\"id\":\"cli-r\",\"channelBindingId\":\"y\","
		  "\"defaultAgent\":\"3\"},"
		  "{\"kind\":\"cli\",\"id\":\"cli-s\",\"channelBindingId\":\"z\","
		  "\"defaultAgent\":\"4\"}]",
		NULL};
	static const char *const expected[][3] = {{"cli-a", "A", "3"},
		{"cli-b", "B", "2"}, {"cli-c", "C", "1"}, {"cli-s", "z", "4"}};
	struct rig rig;

	begin(&rig, variables);
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "matching");
	CU_ASSERT_EQUAL_FATAL(rig.config->provider_count, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct config_provider *provider = &rig.config->providers[i];

		CU_ASSERT_STRING_EQUAL(provider->id, expected[i][0]);
		CU_ASSERT_STRING_EQUAL(provider->channel_binding_id, expected[i][1]);
		CU_ASSERT_STRING_EQUAL(provider->default_agent, expected[i][2]);
	}
	rig_end(&rig);
}

static void mistakes_are_told(void)
{
	static const struct {
		const char *variable, *where, *what;
		enum config_severity severity;
	} rows[] = {
		{K "PROVIDERS=[{\"kind\":\"pigeon\"}]", "PROVIDERS[0]",
			"unknown kind \"pigeon\"; loaded kinds: telegram, webhook, cli, "
			"fake, irc",
			CONFIG_ERROR},
		{K "PROVIDERS=[{\"kind\":\"slack\"}]", "PROVIDERS[0]",
			"no provider module for kind \"slack\"", CONFIG_ERROR},
		{K "SLACK_BOT_TOKEN=x", "SLACK_BOT_TOKEN", "no provider module",
			CONFIG_ERROR},
		{K "EMAIL_INBOUND_SECRET=x", "EMAIL_INBOUND_SECRET", "no provider module",
			CONFIG_ERROR},
		{K "DISCORD_DELIVERY_URL=x", "DISCORD_DELIVERY_URL", "no provider module",
			CONFIG_ERROR},
		{K "WHATSAPP_DELIVERY_URL=x", "WHATSAPP_DELIVERY_URL",
			"no provider module", CONFIG_ERROR},
		{K "SIGNAL_DELIVERY_URL=x", "SIGNAL_DELIVERY_URL", "no provider module",
			CONFIG_ERROR},
		{K "PROVIDERS=[5]", "PROVIDERS[0]", "not an object with a kind",
			CONFIG_ERROR},
		{K "PROVIDERS=[{}]", "PROVIDERS[0]", "not an object with a kind",
			CONFIG_ERROR},
		{K "PROVIDERS={}", "PROVIDERS", "not a JSON array", CONFIG_ERROR},
		{K "PROVIDERS=[", "PROVIDERS", "JSON", CONFIG_ERROR},
		{K "CONFIG_JSON={\"providers\":{}}", "CONFIG_JSON: providers",
			"not an array", CONFIG_ERROR},
		{K "CLI_ENABLED=perhaps", "CLI_ENABLED", "not true or false",
			CONFIG_WARNING},
		{K "WEBHOOK_SHARED_SECRET=x", "WEBHOOK_SHARED_SECRET",
			"WEBHOOK_DELIVERY_URL does not switch", CONFIG_WARNING},
		{K "ENABLE_FAKE_PROVIDER=true", "ENABLE_FAKE_PROVIDER", "other providers",
			CONFIG_WARNING},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *variables[] = {TG, rows[i].variable, NULL};
		struct rig rig;

		begin(&rig, variables);
		rig_load(&rig);
		RIG_CHECK(&rig,
			rig_has(&rig, rows[i].severity, rows[i].where, rows[i].what),
			rows[i].variable);
		CU_ASSERT_EQUAL(rig.status == CG_OK, rows[i].severity == CONFIG_WARNING);
		rig_end(&rig);
	}
}

static void overruled_blocks_are_told(void)
{
	static const char *const variables[] = {
		K "PROVIDERS=[{\"kind\":\"cli\",\"channelBindingId\":\"c\"}]", TG, NULL};
	struct rig rig;

	begin(&rig, variables);
	rig_load(&rig);
	CU_ASSERT_TRUE(
		rig_has(&rig, CONFIG_WARNING, "TELEGRAM_BOT_TOKEN", "PROVIDERS is set"));
	rig_end(&rig);
}

static void entries_at_their_cap(void)
{
	for (size_t count = CONFIG_PROVIDERS; count <= CONFIG_PROVIDERS + 1; count++) {
		const char *const none[] = {NULL};
		struct cg_buffer text;
		struct rig rig;

		begin(&rig, none);
		cg_buffer_init(&text, 65536);
		cg_buffer_text(&text, K "PROVIDERS=[");
		for (size_t i = 0; i < count; i++)
			cg_buffer_format(&text,
				"%s{\"kind\":\"cli\",\"channelBindingId\":\"%zu\"}",
				i > 0 ? "," : "", i);
		cg_buffer_char(&text, ']');
		rig_env(&rig, cg_buffer_string(&text));
		cg_buffer_finish(&text);
		rig_load(&rig);
		CU_ASSERT_EQUAL(rig.status == CG_OK, count == CONFIG_PROVIDERS);
		if (rig.config != NULL)
			CU_ASSERT_EQUAL(rig.config->provider_count, CONFIG_PROVIDERS);
		rig_end(&rig);
	}
}

/* Loads what it is asked for, one kind a module, from the kinds of the rig. */
struct shelf {
	struct config_input *input;
	const struct cg_provider *kinds[RIG_KINDS];
	char asked[128]; /* "telegram webhook …" */
};

static void shelf_need(void *arg, const char *module)
{
	struct shelf *shelf = arg;
	const size_t length = strlen(shelf->asked);

	snprintf(shelf->asked + length, sizeof(shelf->asked) - length, "%s ",
		module != NULL ? module : "all");
	for (size_t i = 0; i < RIG_KINDS; i++) {
		bool there = module != NULL && strcmp(module, rig_kinds[i]->kind) != 0;

		for (size_t k = 0; k < shelf->input->kind_count; k++)
			there = there || shelf->kinds[k] == rig_kinds[i];
		if (!there)
			shelf->kinds[shelf->input->kind_count++] = rig_kinds[i];
	}
}

static void modules_are_asked_for_when_settings_speak_of_them(void)
{
	static const struct {
		const char *variables[3], *asked;
		size_t loaded;
	} rows[] = {
		{{NULL}, "", 1},
		{{TG}, "telegram ", 2},
		{{K "WEBHOOK_LABEL=idle"}, "webhook ", 2},
		{{K "ENABLE_FAKE_PROVIDER=true"}, "fake ", 2},
		{{K "PROVIDERS=[{\"kind\":\"cli\"}]"}, "cli ", 2},
		{{FILE_TG("")}, "telegram ", 2},
		{{K "SLACK_BOT_TOKEN=x"}, "slack all slack ", 5},
		{{TG, K "WEBOOK_LABEL=x"}, "telegram all ", 5},
		{{TG, K "PROVIDERS=[{\"kind\":\"pigeon\"}]"}, "all ", 5},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct shelf shelf = {.asked = ""};
		struct rig rig;

		begin(&rig, rows[i].variables);
		shelf.input = &rig.input;
		shelf.kinds[0] = &rig_irc; /* not listed: always there */
		rig.input.kinds = shelf.kinds;
		rig.input.kind_count = 1;
		rig.input.need = shelf_need;
		rig.input.arg = &shelf;
		rig_load(&rig);
		RIG_CHECK(&rig, strcmp(shelf.asked, rows[i].asked) == 0, shelf.asked);
		CU_ASSERT_EQUAL(rig.input.kind_count, rows[i].loaded);
		rig_end(&rig);
	}
}

static void every_listed_module_is_asked_for(void)
{
	CU_ASSERT_TRUE(config_asks_for("telegram"));
	CU_ASSERT_TRUE(config_asks_for("webhook"));
	CU_ASSERT_FALSE(config_asks_for("discord"));
	CU_ASSERT_FALSE(config_asks_for("irc"));
}

UNIT_SUITE(entry, UNIT_TEST(entries_come_from_everywhere),
	UNIT_TEST(modules_are_asked_for_when_settings_speak_of_them),
	UNIT_TEST(every_listed_module_is_asked_for),
	UNIT_TEST(environment_entries_find_their_file_entry),
	UNIT_TEST(mistakes_are_told), UNIT_TEST(overruled_blocks_are_told),
	UNIT_TEST(entries_at_their_cap));
