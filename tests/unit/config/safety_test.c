/* SPDX-License-Identifier: Apache-2.0 */
#include "config/safety.h"

#include "config_rig.h"

enum base {
	CLOUD, /* a whole cloud_channel gateway with telegram */
	ALONE, /* standalone, nothing else said */
	NOTHING /* not even that: see rig_begin() */
};

struct row {
	enum base base;
	const char *variables[5];
	const char *where, *what; /* of the error; NULL: it starts */
};

#define PUBLIC K "PUBLIC_URL=https://gate.test"
#define BYPASS K "ALLOW_LOOPBACK_OPERATOR_BYPASS=true"
#define CLI K "CLI_ENABLED=true"
#define FAKE K "ENABLE_FAKE_PROVIDER=true"
#define CLOUD_URL "OPEN_COWORK_CLOUD_BASE_URL="
#define WEBHOOK K "WEBHOOK_DELIVERY_URL=https://h.test"
#define SECRET K "WEBHOOK_SHARED_SECRET=s"
#define UNSET(name) name "="

static const struct row rows[] = {
	{CLOUD, {NULL}, NULL, NULL},
	{ALONE, {NULL}, NULL, NULL},

	/* what people may send */
	{ALONE, {K "ATTACHMENT_TYPES=text/plain,image/*,programs"}, NULL, NULL},
	{ALONE, {K "ATTACHMENT_TYPES=pdf"}, "ATTACHMENT_TYPES", "no type of files"},
	{ALONE, {K "ATTACHMENT_TYPES=/pdf"}, "ATTACHMENT_TYPES", "no type of files"},
	{ALONE, {K "ATTACHMENT_TYPES=text/"}, "ATTACHMENT_TYPES", "no type of files"},
	{ALONE, {K "ATTACHMENT_TYPES=a/b/c"}, "ATTACHMENT_TYPES", "no type of files"},

	/* product mode */
	{CLOUD, {K "PRODUCT_MODE=hybrid"}, "PRODUCT_MODE", "not one of"},
	{CLOUD, {K "PRODUCT_MODE=other"}, "PRODUCT_MODE", "not one of"},
	{CLOUD, {K "PRODUCT_MODE=standalone"}, NULL, NULL},
	{NOTHING, {K "PRODUCT_MODE=cloud_channel"}, "OPEN_COWORK_CLOUD_BASE_URL",
		"needs it"},
	{NOTHING, {K "PRODUCT_MODE=cloud_channel"}, K "SERVICE_TOKEN", "needs it"},
	{NOTHING, {CLOUD_URL "https://c.test"}, K "SERVICE_TOKEN", "needs it"},
	{NOTHING, {K "SERVICE_TOKEN=t"}, K "SERVICE_TOKEN", "no Cloud URL"},
	{NOTHING, {K "SERVICE_TOKEN=t", K "PRODUCT_MODE=standalone"}, NULL, NULL},

	/* the Cloud's URL */
	{CLOUD, {CLOUD_URL "ftp://c.test"}, "CLOUD_BASE_URL", "http"},
	{CLOUD, {CLOUD_URL "c.test"}, "CLOUD_BASE_URL", ""},
	{CLOUD, {CLOUD_URL "http://c.test"}, "CLOUD_BASE_URL", "plain http"},
	{CLOUD, {CLOUD_URL "http://c.test", K "ALLOW_INSECURE_HTTP=true"}, NULL, NULL},
	{CLOUD, {CLOUD_URL "http://localhost:1"}, NULL, NULL},
	{CLOUD, {CLOUD_URL "http://127.0.0.9:1"}, NULL, NULL},
	{CLOUD, {CLOUD_URL "http://[::1]:1"}, NULL, NULL},

	/* the public URL */
	{CLOUD, {PUBLIC}, NULL, NULL},
	{CLOUD, {K "PUBLIC_URL=http://gate.test"}, "PUBLIC_URL", "https"},
	{CLOUD, {K "PUBLIC_URL=https://localhost"}, "PUBLIC_URL", "loopback"},
	{CLOUD, {K "PUBLIC_URL=https://[::1]/"}, "PUBLIC_URL", "loopback"},
	{CLOUD, {K "PUBLIC_URL=nonsense"}, "PUBLIC_URL", ""},

	/* the operator */
	{CLOUD, {UNSET(K "ADMIN_TOKEN")}, "ADMIN_TOKEN", "there is no admin token"},
	{CLOUD, {UNSET(K "ADMIN_TOKEN"), BYPASS}, NULL, NULL},
	{CLOUD, {BYPASS, PUBLIC}, "BYPASS", "only for mode self-host"},
	{CLOUD, {BYPASS, K "HOST=0.0.0.0"}, "BYPASS", "only for mode self-host"},
	{CLOUD, {BYPASS, K "MODE=managed"}, "BYPASS", "only for mode self-host"},
	{CLOUD, {UNSET(K "ADMIN_TOKEN"), PUBLIC}, "ADMIN_TOKEN",
		"reachable from outside"},
	{CLOUD, {UNSET(K "ADMIN_TOKEN"), K "HOST=::"}, "ADMIN_TOKEN",
		"on a public address"},
	{CLOUD,
		{UNSET(K "ADMIN_TOKEN"), K "HOST=::", K "METRICS_ENABLED=false",
			K "DIAGNOSTICS_ENABLED=false"},
		"ADMIN_TOKEN", "reachable from outside"},
	{ALONE, {K "HOST=0.0.0.0", WEBHOOK, SECRET}, NULL, NULL}, /* one is made */

	/* TLS */
	{CLOUD, {K "TLS_CERTIFICATE_FILE=/c"}, "TLS_CERTIFICATE_FILE", "needs its key"},
	{CLOUD, {K "TLS_KEY_FILE=/k"}, "TLS_KEY_FILE", "needs its certificate"},
	{CLOUD, {K "TLS_KEY_FILE=/k", K "TLS_CERTIFICATE_FILE=/c"}, NULL, NULL},

	/* placeholders */
	{CLOUD, {K "SERVICE_TOKEN=change-me"}, "SERVICE_TOKEN", "placeholder"},
	{CLOUD, {K "ADMIN_TOKEN=Replace-With-x"}, "ADMIN_TOKEN", "placeholder"},
	{CLOUD, {"X=demo-x", K "ADMIN_TOKEN=env:X"}, "ADMIN_TOKEN", "placeholder"},
	{CLOUD, {K "TELEGRAM_BOT_TOKEN=example-token"}, "TELEGRAM_BOT_TOKEN",
		"placeholder"},
	{ALONE, {K "AGENT_API_KEY=change-me"}, "AGENT_API_KEY", "placeholder"},
	{CLOUD,
		{K "CONFIG_JSON={\"providers\":[{\"kind\":\"webhook\",\"enabled\":false,"
		   "\"channelBindingId\":\"b\",\"credentials\":{\"sharedSecret\":\"demo-"
		   "s\"},"
		   "\"settings\":{\"deliveryUrl\":\"https://h.test\"}}]}"},
		"credentials.sharedSecret", "placeholder"},

	/* providers */
	{CLOUD, {UNSET(K "TELEGRAM_BOT_TOKEN")}, "providers", "no provider is enabled"},
	{ALONE,
		{K "PROVIDERS=[{\"kind\":\"cli\",\"channelBindingId\":\"b\",\"enabled\":"
		   "false}]"},
		"providers", "no provider is enabled"},
	{CLOUD,
		{K "PROVIDERS=[{\"kind\":\"cli\",\"channelBindingId\":\"a\",\"id\":"
		   "\"cli\"},"
		   "{\"kind\":\"cli\",\"channelBindingId\":\"b\",\"id\":\"cli\"}]"},
		"providers", "two providers have the id \"cli\""},
	{CLOUD, {FAKE, UNSET(K "TELEGRAM_BOT_TOKEN")}, NULL, NULL},
	{CLOUD, {FAKE, UNSET(K "TELEGRAM_BOT_TOKEN"), PUBLIC}, "fake",
		"no authentication"},
	{CLOUD, {FAKE, UNSET(K "TELEGRAM_BOT_TOKEN"), K "HOST=10.0.0.1"}, "fake",
		"no authentication"},
	{CLOUD,
		{FAKE, UNSET(K "TELEGRAM_BOT_TOKEN"), PUBLIC,
			K "ALLOW_PUBLIC_FAKE_PROVIDER=true"},
		NULL, NULL},
	{CLOUD,
		{FAKE, UNSET(K "TELEGRAM_BOT_TOKEN"), PUBLIC,
			K "ALLOW_PUBLIC_FAKE_PROVIDER=true", K "MODE=managed"},
		"fake", "no authentication"},
	{CLOUD, {CLI}, NULL, NULL},
	{CLOUD, {CLI, PUBLIC}, "cli", "this host only"},
	{CLOUD, {CLI, K "HOST=0.0.0.0"}, "cli", "this host only"},
	{ALONE, {K "HOST=0.0.0.0"}, "cli", "this host only"},
	{CLOUD, {WEBHOOK, SECRET, K "WEBHOOK_MAX_ATTACHMENT_BYTES=1048576"}, NULL, NULL},
	{CLOUD, {WEBHOOK, SECRET, K "WEBHOOK_MAX_ATTACHMENT_BYTES=1048577"},
		"WEBHOOK_MAX_ATTACHMENT_BYTES", "more than a request body"},
	{CLOUD, {WEBHOOK}, "WEBHOOK_SHARED_SECRET", "required"},
	{CLOUD, {K "TELEGRAM_MODE=webhook"}, "telegram", "needs a webhook secret"},
	{CLOUD, {K "TELEGRAM_MODE=webhook", K "TELEGRAM_WEBHOOK_SECRET=secret"},
		"telegram", "needs a public URL"},
	{CLOUD, {K "TELEGRAM_MODE=webhook", K "TELEGRAM_WEBHOOK_SECRET=secret", PUBLIC},
		NULL, NULL},
	{CLOUD,
		{K "TELEGRAM_MODE=webhook", K "TELEGRAM_WEBHOOK_SECRET=secret",
			K "TELEGRAM_PUBLIC_URL=http://t.test"},
		"TELEGRAM_PUBLIC_URL", "https"},

	/* the agent */
	{ALONE, {K "AGENT_BACKEND=none"}, "AGENT_BACKEND", "not one of"},
	{ALONE, {K "AGENT_BACKEND=openai"}, "AGENT_URL", "needs it"},
	{ALONE, {K "AGENT_BACKEND=openai"}, "AGENT_MODEL", "needs it"},
	{ALONE,
		{K "AGENT_BACKEND=openai", K "AGENT_URL=https://a.test/v1",
			K "AGENT_MODEL=m"},
		NULL, NULL},
	{ALONE, {K "AGENT_BACKEND=opencode", K "AGENT_URL=http://127.0.0.1:4096"}, NULL,
		NULL},
	{ALONE, {K "AGENT_BACKEND=opencode", K "AGENT_COMMAND=[\"/no/such\"]"},
		"AGENT_COMMAND", "cannot be run"},
	{ALONE, {K "AGENT_BACKEND=acp"}, "AGENT_COMMAND", "program to start"},
	{ALONE, {K "AGENT_BACKEND=acp", K "AGENT_COMMAND=[]"}, "AGENT_COMMAND",
		"program to start"},
	{ALONE, {K "AGENT_BACKEND=acp", K "AGENT_COMMAND=[\"sh\"]"}, NULL, NULL},
	{ALONE, {K "AGENT_BACKEND=acp", K "AGENT_COMMAND=[\"no-such-agent\"]"},
		"AGENT_COMMAND", "cannot be run"},
	{ALONE,
		{K "AGENT_BACKEND=acp", K "AGENT_COMMAND=[\"sh\"]",
			K "AGENT_DIRECTORY=/no/such"},
		"AGENT_DIRECTORY", "is not there"},
	{ALONE,
		{K "AGENT_BACKEND=acp", K "AGENT_COMMAND=[\"sh\"]",
			K "AGENT_USER=no-such-user"},
		"AGENT_USER", "no user"},
	{CLOUD, {K "AGENT_BACKEND=acp"}, NULL, NULL},
};

/* A later assignment takes the place of an earlier one of the base. */
static void override(struct rig *rig, const char *text)
{
	const size_t length = (size_t)(strchr(text, '=') - text) + 1;

	for (size_t i = 0; i < rig->variable_count; i++) {
		if (strncmp(rig->variables[i], text, length) == 0) {
			free(rig->variables[i]);
			rig->variables[i] = strdup(text);
			return;
		}
	}
	rig_env(rig, text);
}

static void begin(struct rig *rig, enum base base)
{
	if (base == CLOUD)
		rig_begin_cloud(rig);
	else
		rig_begin(rig);
	if (base == ALONE)
		rig_env(rig, K "PRODUCT_MODE=standalone");
}

static void every_condition_is_looked_at(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char label[64];
		struct rig rig;

		snprintf(label, sizeof(label), "row %zu: %.40s", i,
			rows[i].variables[0] != NULL ? rows[i].variables[0] : "");
		begin(&rig, rows[i].base);
		for (size_t j = 0; j < 5 && rows[i].variables[j] != NULL; j++)
			override(&rig, rows[i].variables[j]);
		rig_load(&rig);
		if (rows[i].what == NULL)
			RIG_CHECK(&rig, rig.status == CG_OK, label);
		else
			RIG_CHECK(&rig,
				rig_has(&rig, CONFIG_ERROR, rows[i].where, rows[i].what),
				label);
		rig_end(&rig);
	}
}

/* One run tells all of it, not just the first. */
static void all_errors_come_at_once(void)
{
	struct rig rig;

	rig_begin_cloud(&rig);
	override(&rig, CLOUD_URL "http://c.test");
	override(&rig, K "SERVICE_TOKEN=change-me");
	override(&rig, K "ADMIN_TOKEN=");
	override(&rig, K "PUBLIC_URL=http://gate.test");
	override(&rig, K "CLI_ENABLED=true");
	override(&rig, K "SLACK_BOT_TOKEN=x");
	CU_ASSERT_EQUAL(rig_load(&rig), CG_INVALID);
	RIG_CHECK(&rig, rig.report.errors == 6, "all at once");
	rig_end(&rig);
}

static void doubtful_settings_are_warned_of(void)
{
	static const struct {
		enum base base;
		const char *variables[4];
		const char *where, *what;
	} warnings[] = {
		{ALONE, {NULL}, "AGENT_BACKEND", "repeated to them"},
		{ALONE, {K "SERVICE_TOKEN=t"}, "SERVICE_TOKEN",
			"no effect in standalone"},
		{CLOUD, {K "TRUST_PROXY_HEADERS=true"}, "TRUST_PROXY_HEADERS",
			"no proxy"},
		{CLOUD, {K "TELEGRAM_ALLOW_FROM=1"}, "telegram", "the Cloud decides"},
		{CLOUD,
			{K "PROVIDERS=[{\"kind\":\"cli\",\"channelBindingId\":\"a\"},"
			   "{\"kind\":\"fake\",\"channelBindingId\":\"a\"}]"},
			"fake-2", "shares the channel binding"},
		{ALONE,
			{K "AGENT_BACKEND=openai", K "AGENT_URL=http://10.0.0.5/v1",
				K "AGENT_MODEL=m", K "AGENT_API_KEY=k"},
			"AGENT_URL", "shows the agent's key"},
		{CLOUD, {K "ADMIN_TOKEN=fifteen-letters"}, "ADMIN_TOKEN", "guessed"},
	};

	for (size_t i = 0; i < sizeof(warnings) / sizeof(*warnings); i++) {
		struct rig rig;

		begin(&rig, warnings[i].base);
		for (size_t j = 0; j < 4 && warnings[i].variables[j] != NULL; j++)
			override(&rig, warnings[i].variables[j]);
		RIG_CHECK(&rig, rig_load(&rig) == CG_OK, warnings[i].what);
		RIG_CHECK(&rig,
			rig_has(&rig, CONFIG_WARNING, warnings[i].where,
				warnings[i].what),
			warnings[i].what);
		rig_end(&rig);
	}
}

static void a_quiet_gateway_has_nothing_to_report(void)
{
	struct rig rig;

	rig_begin_cloud(&rig);
	rig_load(&rig);
	RIG_CHECK(&rig, rig.report.count == 0, "quiet");
	rig_end(&rig);
}

UNIT_SUITE(safety, UNIT_TEST(every_condition_is_looked_at),
	UNIT_TEST(all_errors_come_at_once), UNIT_TEST(doubtful_settings_are_warned_of),
	UNIT_TEST(a_quiet_gateway_has_nothing_to_report));
