/* SPDX-License-Identifier: Apache-2.0 */
#include "config/provider.h"

#include "config_rig.h"

static void begin(struct rig *rig, const char *variable)
{
	rig_begin(rig);
	rig_env(rig, "OPEN_COWORK_CLOUD_BASE_URL=https://cloud.test/");
	rig_env(rig, K "SERVICE_TOKEN=occ_service");
	rig_env(rig, K "ADMIN_TOKEN=admin-secret");
	rig_env(rig, variable);
}

/* Settings of the only provider. */
static const struct cg_settings *load_one(struct rig *rig)
{
	RIG_CHECK(rig, rig_load(rig) == CG_OK, "one provider");
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig->config);
	CU_ASSERT_EQUAL_FATAL(rig->config->provider_count, 1);
	return rig->config->providers[0].settings;
}

static void variables_reach_the_instance(void)
{
	const struct cg_settings *settings;
	struct rig rig;
	size_t length = 9;

	begin(&rig, K "WEBHOOK_DELIVERY_URL=https://h.test/d");
	rig_env(&rig, "SHARED=deep");
	rig_env(&rig, K "WEBHOOK_SHARED_SECRET=env:SHARED");
	rig_env(&rig, K "WEBHOOK_DELIVERY_ALLOWED_HOSTS=a.test, *.b.test");
	rig_env(&rig, K "WEBHOOK_ALLOW_PRIVATE_DELIVERY=yes");
	rig_env(&rig, K "WEBHOOK_MAX_ATTACHMENT_BYTES=2048");
	settings = load_one(&rig);
	CU_ASSERT_STRING_EQUAL(settings->instance_id, "webhook");
	CU_ASSERT_STRING_EQUAL(settings->kind, "webhook");
	CU_ASSERT_STRING_EQUAL(
		settings->string(settings, "deliveryUrl"), "https://h.test/d");
	CU_ASSERT_STRING_EQUAL(
		settings->secret(settings, "sharedSecret", &length), "deep");
	CU_ASSERT_EQUAL(length, 4);
	CU_ASSERT_EQUAL(settings->count(settings, "deliveryUrlAllowedHosts"), 2);
	CU_ASSERT_STRING_EQUAL(
		settings->item(settings, "deliveryUrlAllowedHosts", 1), "*.b.test");
	CU_ASSERT_TRUE(settings->boolean(settings, "allowPrivateDelivery"));
	CU_ASSERT_EQUAL(settings->integer(settings, "maxAttachmentBytes"), 2048);
	rig_end(&rig);
}

/* A getter of the wrong kind or name gives the zero value, not somebody else's bytes. */
static void wrong_getters_give_nothing(void)
{
	const struct cg_settings *settings;
	struct rig rig;
	size_t length = 9;

	begin(&rig, K "WEBHOOK_DELIVERY_URL=https://h.test/d");
	rig_env(&rig, K "WEBHOOK_SHARED_SECRET=s");
	settings = load_one(&rig);
	CU_ASSERT_PTR_NULL(settings->string(settings, "sharedSecret"));
	CU_ASSERT_PTR_NULL(settings->string(settings, "nothing"));
	CU_ASSERT_EQUAL(settings->integer(settings, "deliveryUrl"), 0);
	CU_ASSERT_FALSE(settings->boolean(settings, "maxAttachmentBytes"));
	CU_ASSERT_EQUAL(settings->count(settings, "deliveryUrl"), 0);
	CU_ASSERT_PTR_NULL(settings->item(settings, "deliveryUrlAllowedHosts", 0));
	CU_ASSERT_PTR_NULL(settings->secret(settings, "deliveryUrl", &length));
	CU_ASSERT_EQUAL(length, 0);
	rig_end(&rig);
}

static void json_reaches_the_instance(void)
{
	const struct cg_settings *settings;
	const struct config_provider *provider;
	struct rig rig;

	begin(&rig, K "CONFIG_JSON={\"providers\":[{\"kind\":\"telegram\",\"id\":"
		      "\"telegram-a\","
		      "\"channelBindingId\":\" b "
		      "\",\"externalWorkspaceId\":\"w\",\"defaultAgent\":\"g\","
		      "\"allowFrom\":[\"1\",\"2\"],\"credentials\":{\"botToken\":\"t\","
		      "\"webhookSecret\":\"\"},"
		      "\"settings\":{\"observe\":true,\"mode\":null}}]}");
	settings = load_one(&rig);
	provider = config_provider_find(rig.config, "telegram-a");
	CU_ASSERT_PTR_NOT_NULL_FATAL(provider);
	CU_ASSERT_PTR_NULL(config_provider_find(rig.config, "telegram"));
	CU_ASSERT_STRING_EQUAL(provider->channel_binding_id, "b");
	CU_ASSERT_STRING_EQUAL(provider->external_workspace_id, "w");
	CU_ASSERT_STRING_EQUAL(provider->default_agent, "g");
	CU_ASSERT_TRUE(provider->enabled);
	CU_ASSERT_EQUAL(provider->allow_from.count, 2);
	CU_ASSERT_TRUE(settings->boolean(settings, "observe"));
	CU_ASSERT_STRING_EQUAL(settings->string(settings, "mode"), "polling");
	CU_ASSERT_PTR_NULL(settings->secret(settings, "webhookSecret", NULL));
	rig_end(&rig);
}

static void environment_wins_member_by_member(void)
{
	const struct cg_settings *settings;
	struct rig rig;

	begin(&rig, K "CONFIG_JSON={\"providers\":[{\"kind\":\"webhook\","
		      "\"channelBindingId\":\"b\","
		      "\"credentials\":{\"sharedSecret\":\"file\"},\"settings\":{"
		      "\"deliveryUrl\":"
		      "\"https://file.test\",\"allowPrivateDelivery\":true}}]}");
	rig_env(&rig, K "WEBHOOK_DELIVERY_URL=https://env.test");
	settings = load_one(&rig);
	CU_ASSERT_STRING_EQUAL(
		settings->string(settings, "deliveryUrl"), "https://env.test");
	CU_ASSERT_STRING_EQUAL(settings->secret(settings, "sharedSecret", NULL), "file");
	CU_ASSERT_TRUE(settings->boolean(settings, "allowPrivateDelivery"));
	rig_end(&rig);
}

static void missing_values_are_inherited(void)
{
	const struct cg_settings *settings;
	struct rig rig;

	begin(&rig, K "TELEGRAM_BOT_TOKEN=t");
	rig_env(&rig, K "PUBLIC_URL=https://gate.test/");
	settings = load_one(&rig);
	CU_ASSERT_STRING_EQUAL(
		settings->string(settings, "publicBaseUrl"), "https://gate.test");
	rig_end(&rig);

	begin(&rig, K "WEBHOOK_DELIVERY_URL=https://h.test/d");
	rig_env(&rig, K "WEBHOOK_SHARED_SECRET=s");
	rig_env(&rig, K "MAX_REQUEST_BODY_BYTES=4096");
	settings = load_one(&rig);
	CU_ASSERT_EQUAL(settings->integer(settings, "maxAttachmentBytes"), 4096);
	rig_end(&rig);
}

static void rows_of_a_newer_module_are_read(void)
{
	const struct cg_settings *settings;
	struct rig rig;

	begin(&rig, K "IRC_ENABLED=true");
	rig_env(&rig, K "IRC_SERVER=irc.test");
	settings = load_one(&rig);
	CU_ASSERT_STRING_EQUAL(settings->string(settings, "nick"), "cowgate");
	CU_ASSERT_STRING_EQUAL(settings->string(settings, "server"), "irc.test");
	rig_end(&rig);
}

static void lists_of_members(void)
{
	static const struct {
		const char *json, *variable;
		size_t count;
		bool everyone;
	} rows[] = {
		{"", NULL, 0, false},
		{"\"allowFrom\":\"1, 2\",", NULL, 2, false},
		{"\"allowFrom\":[\"*\"],", NULL, 1, true},
		{"\"allowFrom\":[\"1\"],", K "TELEGRAM_ALLOW_FROM=5,6,7", 3, false},
		{"", K "TELEGRAM_ALLOW_FROM=5,*", 2, true},
		{"\"allowFrom\":[\"*\"],", K "TELEGRAM_ALLOW_FROM=5", 1, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[256];
		struct rig rig;

		rig_begin(&rig);
		snprintf(text, sizeof(text),
			K "CONFIG_JSON={\"providers\":[{\"kind\":\"telegram\",%s"
			  "\"channelBindingId\":\"b\",\"credentials\":{\"botToken\":"
			  "\"t\"}}]}",
			rows[i].json);
		rig_env(&rig, text);
		if (rows[i].variable != NULL)
			rig_env(&rig, rows[i].variable);
		load_one(&rig);
		CU_ASSERT_EQUAL(rig.config->providers[0].allow_from.count, rows[i].count);
		CU_ASSERT_EQUAL(
			rig.config->providers[0].allow_everyone, rows[i].everyone);
		rig_end(&rig);
	}
}

static void entries_are_checked(void)
{
	static const struct {
		const char *entry; /* without kind */
		const char *what; /* NULL: it is fine */
	} rows[] = {
		{"\"kind\":\"cli\",\"channelBindingId\":\"b\",\"id\":\"cli\"", NULL},
		{"\"kind\":\"cli\",\"channelBindingId\":\"b\",\"id\":\"cli-a_b-1\"",
			NULL},
		{"\"kind\":\"cli\",\"channelBindingId\":\"b\",\"id\":\"cli-\"",
			"cannot be an id"},
		{"\"kind\":\"cli\",\"channelBindingId\":\"b\",\"id\":\"clix\"",
			"cannot be an id"},
		{"\"kind\":\"cli\",\"channelBindingId\":\"b\",\"id\":\"cli-A\"",
			"cannot be an id"},
		{"\"kind\":\"cli\",\"channelBindingId\":\"b\",\"id\":\"other\"",
			"cannot be an id"},
		{"\"kind\":\"cli\",\"channelBindingId\":\"b\",\"id\":\"cli-"
		 "0123456789012345678901234567"
		 "89012345678901234567890123456789\"",
			NULL},
		{"\"kind\":\"cli\",\"channelBindingId\":\"b\",\"id\":\"cli-"
		 "0123456789012345678901234567"
		 "890123456789012345678901234567890\"",
			"cannot be an id"},
		{"\"kind\":\"fake\",\"channelBindingId\":\"b\",\"id\":\"Any.Name\"",
			NULL},
		{"\"kind\":\"fake\",\"channelBindingId\":\"b\",\"id\":\"a/b\"",
			"cannot be an id"},
		{"\"kind\":\"fake\",\"channelBindingId\":\"b\",\"id\":\"..\"",
			"cannot be an id"},
		{"\"kind\":\"cli\"", "channelBindingId is required"},
		{"\"kind\":\"cli\",\"channelBindingId\":\" \"",
			"channelBindingId is required"},
		{"\"kind\":\"cli\",\"channelBindingId\":5", "not a text"},
		{"\"kind\":\"telegram\",\"channelBindingId\":\"b\"",
			"required, but not set"},
		{"\"kind\":\"telegram\",\"channelBindingId\":\"b\",\"enabled\":false",
			"required, but not set"},
		{"\"kind\":\"telegram\",\"channelBindingId\":\"b\",\"credentials\":{"
		 "\"botToken\":\"t\"},"
		 "\"settings\":{\"mode\":\"push\"}",
			"not one of polling,webhook"},
		{"\"kind\":\"telegram\",\"channelBindingId\":\"b\",\"credentials\":{"
		 "\"botToken\":\"t\","
		 "\"webhookSecret\":\"abc\"}",
			"shorter than 4"},
		{"\"kind\":\"irc\",\"channelBindingId\":\"b\",\"settings\":{\"server\":"
		 "\"ab\"}",
			"shorter than 3"},
		{"\"kind\":\"irc\",\"channelBindingId\":\"b\",\"settings\":{\"server\":"
		 "\"abc\"}",
			NULL},
		{"\"kind\":\"irc\",\"channelBindingId\":\"b\",\"settings\":{\"server\":"
		 "\"123456789012345678901\"}",
			"longer than 20"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[512];
		struct rig rig;

		rig_begin(&rig);
		snprintf(text, sizeof(text), K "PROVIDERS=[{%s}]", rows[i].entry);
		rig_env(&rig, text);
		rig_load(&rig);
		if (rows[i].what == NULL)
			RIG_CHECK(&rig, rig.status == CG_OK, rows[i].entry);
		else
			RIG_CHECK(&rig,
				rig_has(&rig, CONFIG_ERROR, "PROVIDERS[0]", rows[i].what),
				rows[i].entry);
		rig_end(&rig);
	}
}

static void lost_members_are_told(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig_env(&rig,
		K "PROVIDERS=[{\"kind\":\"webhook\",\"channelBindingId\":\"b\","
		  "\"credentials\":"
		  "{\"sharedSecret\":\"s\"},\"settings\":{\"deliveryUrl\":\"https://"
		  "h.test\","
		  "\"allowPrivateDelivry\":true,\"sharedSecret\":\"s\",\"zzz\":1}}]");
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "lost members");
	CU_ASSERT_TRUE(rig_has(&rig, CONFIG_WARNING, "PROVIDERS[0]",
		"\"settings.allowPrivateDelivry\" is not a setting of webhook; the "
		"nearest is "
		"allowPrivateDelivery"));
	CU_ASSERT_TRUE(rig_has(&rig, CONFIG_WARNING, "PROVIDERS[0]",
		"\"settings.sharedSecret\" has no effect: it belongs under "
		"\"credentials\""));
	CU_ASSERT_TRUE(rig_has(&rig, CONFIG_WARNING, "PROVIDERS[0]",
		"\"settings.zzz\" is not a setting of webhook"));
	rig_end(&rig);
}

UNIT_SUITE(provider, UNIT_TEST(variables_reach_the_instance),
	UNIT_TEST(wrong_getters_give_nothing), UNIT_TEST(json_reaches_the_instance),
	UNIT_TEST(environment_wins_member_by_member),
	UNIT_TEST(missing_values_are_inherited),
	UNIT_TEST(rows_of_a_newer_module_are_read), UNIT_TEST(lists_of_members),
	UNIT_TEST(entries_are_checked), UNIT_TEST(lost_members_are_told));
