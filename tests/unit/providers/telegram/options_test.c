/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/telegram/options.h"
#include "tests/support/settings_fake.h"
#include "tests/support/telegram_bot.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Read what has @pairs beside a good token. */
static enum cg_status init(struct telegram_settings *ret,
	const struct settings_pair *pairs, struct cg_error *err)
{
	struct settings_fake fake;
	struct settings_pair all[8] = {{"botToken", TELEGRAM_TOKEN}};
	enum cg_status status;
	size_t count = 0;

	/* What comes first counts. */
	for (; pairs[count].name != NULL; count++)
		all[count] = pairs[count];
	all[count++] = (struct settings_pair){"botToken", TELEGRAM_TOKEN};
	all[count] = (struct settings_pair){NULL, NULL};
	settings_fake_init(&fake, "telegram", telegram_options, TELEGRAM_OPTIONS, all);
	status = telegram_settings_init(ret, &fake.settings, err);
	CU_ASSERT_FALSE(settings_fake_leaks(&fake, err->text));
	return status;
}

static void check_one(const char *name, const char *value, enum cg_status expected)
{
	const struct settings_pair pairs[] = {{name, value}, {NULL, NULL}};
	struct telegram_settings settings = {.rate_percent = 1};
	struct cg_error err = {.text = ""};
	enum cg_status status = init(&settings, pairs, &err);

	CU_ASSERT_EQUAL(status, expected);
	if (status == CG_OK) {
		telegram_settings_finish(&settings);
		return;
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, name));
	CU_ASSERT_EQUAL(settings.rate_percent, 1); /* as it was */
	CU_ASSERT_FALSE(cg_secret_is_set(&settings.token));
}

static void without_more_it_polls(void)
{
	static const struct settings_pair none[] = {{NULL, NULL}};
	struct telegram_settings settings;
	struct cg_error err = {.text = ""};

	CU_ASSERT_EQUAL_FATAL(init(&settings, none, &err), CG_OK);
	CU_ASSERT_STRING_EQUAL(settings.token.bytes, TELEGRAM_TOKEN);
	CU_ASSERT_STRING_EQUAL(
		settings.base.bytes, "https://api.telegram.org/bot" TELEGRAM_TOKEN "/");
	CU_ASSERT_STRING_EQUAL(settings.files.bytes,
		"https://api.telegram.org/file/bot" TELEGRAM_TOKEN "/");
	CU_ASSERT_FALSE(settings.webhook);
	CU_ASSERT_FALSE(cg_secret_is_set(&settings.proxy));
	CU_ASSERT_FALSE(cg_secret_is_set(&settings.hook_secret));
	CU_ASSERT_STRING_EQUAL(settings.ca_file, "");
	CU_ASSERT_EQUAL(settings.rate_percent, 100);
	CU_ASSERT_EQUAL(settings.groups, TELEGRAM_GROUPS_COMMANDS);
	telegram_settings_finish(&settings);
	CU_ASSERT_FALSE(cg_secret_is_set(&settings.token));
	CU_ASSERT_FALSE(cg_secret_is_set(&settings.base));
	CU_ASSERT_FALSE(cg_secret_is_set(&settings.files));
}

static void a_token_looks_like_one(void)
{
	check_one("botToken", "", CG_INVALID);
	check_one("botToken", "1:a/../b", CG_INVALID);
	check_one("botToken", "1:a?b", CG_INVALID);
	check_one("botToken", "1:a b", CG_INVALID);
	check_one("botToken", "987:azAZ09_-", CG_OK);
}

static void the_token_leaves_the_house_only_sealed(void)
{
	check_one("apiBaseUrl", "http://api.example.org", CG_INVALID);
	check_one("apiBaseUrl", "http://8.8.8.8", CG_INVALID);
	check_one("apiBaseUrl", "http://10.0.0.7:8081", CG_OK);
	check_one("apiBaseUrl", "http://127.0.0.1:8081", CG_OK);
	check_one("apiBaseUrl", "http://bot-api:8081", CG_OK);
	check_one("apiBaseUrl", "https://me@api.example.org", CG_INVALID);
	check_one("apiBaseUrl", "https://api.example.org/?a", CG_INVALID);
	check_one("apiBaseUrl", "https://api.example.org/#a", CG_INVALID);
	check_one("apiBaseUrl", "http://169.254.169.254", CG_INVALID);
	check_one("apiBaseUrl", "https://169.254.169.254", CG_INVALID);
	check_one("apiBaseUrl", "ftp://api.example.org", CG_INVALID);
}

static void slashes_at_the_end_are_one(void)
{
	static const struct settings_pair pairs[] = {
		{"apiBaseUrl", "https://api.example.org/tg//"}, {NULL, NULL}};
	struct telegram_settings settings;
	struct cg_error err = {.text = ""};

	CU_ASSERT_EQUAL_FATAL(init(&settings, pairs, &err), CG_OK);
	CU_ASSERT_STRING_EQUAL(
		settings.base.bytes, "https://api.example.org/tg/bot" TELEGRAM_TOKEN "/");
	telegram_settings_finish(&settings);
}

static void a_base_ends_at_a_kilobyte(void)
{
	char base[1026] = "https://a.example.org/";

	memset(base + strlen(base), 'a', 1025 - strlen(base));
	base[1025] = '\0';
	check_one("apiBaseUrl", base, CG_INVALID);
	base[1024] = '\0';
	check_one("apiBaseUrl", base, CG_OK);
}

static void a_proxy_has_a_scheme_that_we_speak(void)
{
	check_one("proxy", "http://user:pass@10.0.0.1:3128", CG_OK);
	check_one("proxy", "SOCKS5H://10.0.0.1:1080", CG_OK);
	check_one("proxy", "socks5://10.0.0.1:1080", CG_INVALID); /* asks our DNS */
	check_one("proxy", "10.0.0.1:1080", CG_INVALID);
	check_one("proxy", "http://a\nb", CG_INVALID);
}

static void paths_exist_and_fit(void)
{
	char long_path[1025];

	memset(long_path, 'a', 1024);
	long_path[1024] = '\0';
	check_one("caFile", "/nowhere/ca.pem", CG_NOT_FOUND);
	check_one("caFile", long_path, CG_INVALID);
	check_one("lockDirectory", "/nowhere/lock", CG_NOT_FOUND);
	check_one("lockDirectory", long_path, CG_INVALID);
	check_one("lockDirectory", ".", CG_OK);
}

static void check_hook(
	const char *name, const char *value, enum cg_status expected, const char *url)
{
	const struct settings_pair pairs[] = {{name, value}, {"mode", "webhook"},
		{"publicBaseUrl", "https://cow.example.org/"}, {"webhookSecret", "s-1_"},
		{NULL, NULL}};
	struct telegram_settings settings;
	struct cg_error err = {.text = ""};

	CU_ASSERT_EQUAL(init(&settings, pairs, &err), expected);
	if (expected != CG_OK) {
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, name));
		return;
	}
	CU_ASSERT_TRUE(settings.webhook);
	CU_ASSERT_STRING_EQUAL(settings.hook_url, url);
	CU_ASSERT_STRING_EQUAL(settings.hook_secret.bytes, "s-1_");
	telegram_settings_finish(&settings);
}

static void a_hook_has_an_address_and_a_secret(void)
{
	char secret[258];

	check_hook("webhookPath", "", CG_OK, "https://cow.example.org/webhooks/telegram");
	check_hook("webhookPath", "//in/tg", CG_OK, "https://cow.example.org/in/tg");
	check_hook("publicBaseUrl", "", CG_INVALID, NULL);
	check_hook("publicBaseUrl", "http://cow.example.org", CG_INVALID, NULL);
	check_hook("publicBaseUrl", "https://localhost", CG_INVALID, NULL);
	check_hook("publicBaseUrl", "https://cow.example.org/?a", CG_INVALID, NULL);
	check_hook("webhookSecret", "", CG_INVALID, NULL);
	check_hook("webhookSecret", "with blank", CG_INVALID, NULL);
	memset(secret, 'a', 257);
	secret[257] = '\0';
	check_hook("webhookSecret", secret, CG_INVALID, NULL);
}

static void groups_hear_as_much_as_is_set(void)
{
	static const struct {
		const char *name, *value;
		enum telegram_groups groups;
	} rows[] = {
		{"respondInGroups", "commands_only", TELEGRAM_GROUPS_COMMANDS},
		{"respondInGroups", "mentions_and_replies", TELEGRAM_GROUPS_MENTIONS},
		{"respondInGroups", "all", TELEGRAM_GROUPS_ALL},
		{"observeUnmentionedGroupMessages", "true", TELEGRAM_GROUPS_ALL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct settings_pair pairs[] = {
			{rows[i].name, rows[i].value}, {NULL, NULL}};
		struct telegram_settings settings;
		struct cg_error err = {.text = ""};

		CU_ASSERT_EQUAL_FATAL(init(&settings, pairs, &err), CG_OK);
		CU_ASSERT_EQUAL(settings.groups, rows[i].groups);
		telegram_settings_finish(&settings);
	}
}

UNIT_SUITE(telegram_options, UNIT_TEST(without_more_it_polls),
	UNIT_TEST(a_token_looks_like_one),
	UNIT_TEST(the_token_leaves_the_house_only_sealed),
	UNIT_TEST(slashes_at_the_end_are_one), UNIT_TEST(a_base_ends_at_a_kilobyte),
	UNIT_TEST(a_proxy_has_a_scheme_that_we_speak), UNIT_TEST(paths_exist_and_fit),
	UNIT_TEST(a_hook_has_an_address_and_a_secret),
	UNIT_TEST(groups_hear_as_much_as_is_set));
