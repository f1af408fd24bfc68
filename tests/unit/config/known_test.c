/* SPDX-License-Identifier: Apache-2.0 */
#include "config/known.h"

#include "config_rig.h"

static void distances(void)
{
	static const struct {
		const char *a, *b;
		size_t distance;
	} rows[] = {
		{"", "", 0},
		{"abc", "", 3},
		{"abc", "ABC", 0},
		{"abc", "abd", 1},
		{"abc", "ab", 1},
		{"abc", "xabc", 1},
		{"abc", "acb", 1},
		{"kitten", "sitting", 3},
		{"TELEGRAM_BOT_TOKEN", "TELEGARM_BOT_TOKN", 2},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CU_ASSERT_EQUAL(known_distance(rows[i].a, rows[i].b), rows[i].distance);
		CU_ASSERT_EQUAL(known_distance(rows[i].b, rows[i].a), rows[i].distance);
	}
}

/* Names are compared up to a limit: a huge one costs no more, and overruns nothing. */
static void long_names_are_cut(void)
{
	char a[1000], b[1000];

	memset(a, 'a', sizeof(a) - 1);
	memset(b, 'b', sizeof(b) - 1);
	a[sizeof(a) - 1] = b[sizeof(b) - 1] = '\0';
	CU_ASSERT_EQUAL(known_distance(a, a), 0);
	CU_ASSERT_EQUAL(known_distance(a, b), 96);
}

static void variables_are_checked(void)
{
	static const struct {
		const char *variable;
		const char *what; /* of the warning; NULL: none */
	} rows[] = {
		{K "HOTS=127.0.0.1", "nearest is " K "HOST"},
		{K "telegram_bot_token=x", "nearest is " K "TELEGRAM_BOT_TOKEN"},
		{K "WEBOOK_DELIVERY_URL=x", "nearest is " K "WEBHOOK_DELIVERY_URL"},
		{K "WEBHOOK_ALOW_FROM=x", "nearest is " K "WEBHOOK_ALLOW_FROM"},
		{K "IRC_NIK=x", "nearest is " K "IRC_NICK"},
		{K "BRAND_NAMES=x", "nearest is " K "BRAND_NAME"},
		{K "COMPLETELY_DIFFERENT_THING=x", "it has no effect"},
		{K "=x", "it has no effect"},
		{K "SLACK_WHATEVER=x", NULL}, /* its module would know */
		{K "EMAIL_TRUST_FROM=true", NULL},
		{K "IRC_WORKSPACE_ID=x", NULL},
		{"OPEN_COWORK_OTHER=x", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;

		rig_begin(&rig);
		rig_env(&rig, rows[i].variable);
		RIG_CHECK(&rig, rig_load(&rig) == CG_OK, rows[i].variable);
		CU_ASSERT_EQUAL(rig_has(&rig, CONFIG_WARNING, "", "no such setting"),
			rows[i].what != NULL);
		if (rows[i].what != NULL)
			RIG_CHECK(&rig, rig_has(&rig, CONFIG_WARNING, K, rows[i].what),
				rows[i].variable);
		rig_end(&rig);
	}
}

static void members_are_checked(void)
{
	static const struct {
		const char *json;
		const char *what;
	} rows[] = {
		{"{\"server\":{\"prot\":1}}",
			"\"server.prot\" is not a setting; the nearest is server.port"},
		{"{\"sever\":{\"port\":1}}", "\"sever\" is not a setting"},
		{"{\"server\":5}", "\"server\" is not a setting"},
		{"{\"zzzzzzzzz\":1}", "\"zzzzzzzzz\" is not a setting"},
		{"{\"timeouts\":{\"smtpMss\":1}}", "nearest is timeouts.smtpMs"},
		{"{\"$schema\":\"x\",\"branding\":{\"any\":1},\"mode\":\"managed\","
		 "\"agent\":{\"model\":\"m\"},\"limits\":{\"maxSessionStreams\":5}}",
			NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[256];
		struct rig rig;

		rig_begin(&rig);
		snprintf(text, sizeof(text), K "CONFIG_JSON=%s", rows[i].json);
		rig_env(&rig, text);
		RIG_CHECK(&rig, rig_load(&rig) == CG_OK, rows[i].json);
		RIG_CHECK(&rig,
			rig_has(&rig, CONFIG_WARNING, K "CONFIG_JSON",
				rows[i].what != NULL
					? rows[i].what
					: "is not a setting") == (rows[i].what != NULL),
			rows[i].json);
		rig_end(&rig);
	}
}

static void options_of_a_provider(void)
{
	CU_ASSERT_STRING_EQUAL(
		known_nearest_option(&rig_webhook, "deliveryURL"), "deliveryUrl");
	CU_ASSERT_STRING_EQUAL(
		known_nearest_option(&rig_webhook, "sharedsecrt"), "sharedSecret");
	CU_ASSERT_PTR_NULL(known_nearest_option(&rig_webhook, "zzz"));
	CU_ASSERT_PTR_NULL(known_nearest_option(&rig_cli, "any"));
}

UNIT_SUITE(known, UNIT_TEST(distances), UNIT_TEST(long_names_are_cut),
	UNIT_TEST(variables_are_checked), UNIT_TEST(members_are_checked),
	UNIT_TEST(options_of_a_provider));
