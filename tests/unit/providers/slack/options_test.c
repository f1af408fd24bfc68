/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/slack/options.h"
#include "tests/support/settings_fake.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define TOKEN "xoxb-1"
#define SECRET "secret"

static struct settings_pair pairs[8];
static struct settings_fake fake;

/* A good app, but for @name. */
static enum cg_status read_with(
	const char *name, const char *value, struct slack_settings *ret, char *ret_why)
{
	struct cg_error err = {.text = ""};
	enum cg_status status;
	size_t at = 0;

	memset(pairs, 0, sizeof(pairs));
	pairs[0] = (struct settings_pair){"botToken", TOKEN};
	pairs[1] = (struct settings_pair){"signingSecret", SECRET};
	while (name != NULL && pairs[at].name != NULL &&
		strcmp(pairs[at].name, name) != 0)
		at++;
	if (name != NULL)
		pairs[at] = (struct settings_pair){name, value};
	settings_fake_init(&fake, "slack", slack_options, SLACK_OPTIONS, pairs);
	status = slack_settings_init(ret, &fake.settings, &err);
	CU_ASSERT_FALSE(settings_fake_leaks(&fake, err.text));
	if (ret_why != NULL)
		memcpy(ret_why, err.text, sizeof(err.text));
	return status;
}

static void check_refused(const char *name, const char *value)
{
	struct slack_settings settings = {.max_file = 77};
	char why[CG_ERROR_TEXT];

	CU_ASSERT_EQUAL(read_with(name, value, &settings, why), CG_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, name));
	CU_ASSERT_EQUAL(settings.max_file, 77);
}

static void check_taken(const char *name, const char *value)
{
	struct slack_settings settings;

	CU_ASSERT_EQUAL_FATAL(read_with(name, value, &settings, NULL), CG_OK);
	slack_settings_finish(&settings);
}

static void little_has_to_be_said(void)
{
	struct slack_settings settings;

	CU_ASSERT_EQUAL_FATAL(read_with(NULL, NULL, &settings, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(settings.token.bytes, TOKEN);
	CU_ASSERT_STRING_EQUAL(settings.base, "https://slack.com/api");
	CU_ASSERT_PTR_NOT_NULL(settings.signers[0]);
	CU_ASSERT_PTR_NULL(settings.signers[1]);
	CU_ASSERT_FALSE(cg_secret_is_set(&settings.proxy));
	CU_ASSERT_PTR_NULL(settings.ca_file);
	CU_ASSERT_EQUAL(settings.channels, SLACK_CHANNELS_MENTIONS);
	CU_ASSERT_EQUAL(settings.max_file, 20u << 20);
	slack_settings_finish(&settings);
	CU_ASSERT_FALSE(cg_secret_is_set(&settings.token));
	CU_ASSERT_PTR_NULL(settings.base);
	slack_settings_finish(&settings);
}

static void the_token_goes_where_it_is_safe(void)
{
	char longest[1100] = "https://a.example/";
	struct slack_settings settings;

	check_refused("apiBaseUrl", "");
	check_refused("apiBaseUrl", "slack.com/api");
	check_refused("apiBaseUrl", "http://slack.example.org/api");
	check_refused("apiBaseUrl", "http://8.8.8.8/api");
	check_refused("apiBaseUrl", "https://u:p@slack.example.org/api");
	check_refused("apiBaseUrl", "https://slack.example.org/api?x=1");
	check_refused("apiBaseUrl", "https://slack.example.org/api#x");
	check_refused("apiBaseUrl", "https://169.254.169.254/api");
	check_taken("apiBaseUrl", "http://127.0.0.1:8080");
	check_taken("apiBaseUrl", "http://10.1.2.3/api");
	check_taken("apiBaseUrl", "http://localhost/api");
	check_taken("apiBaseUrl", "http://relay/api");
	memset(longest + 18, 'a', 1024 - 18);
	check_taken("apiBaseUrl", longest);
	longest[1024] = 'a';
	check_refused("apiBaseUrl", longest);
	CU_ASSERT_EQUAL_FATAL(
		read_with("apiBaseUrl", "https://x.example/api//", &settings, NULL),
		CG_OK);
	CU_ASSERT_STRING_EQUAL(settings.base, "https://x.example/api");
	slack_settings_finish(&settings);
}

/* The token stands in a header, the secrets sign: neither holds what would end a line. */
static void secrets_are_one_line(void)
{
	char longest[CG_SECRET_MAX + 2];
	struct slack_settings settings;

	memset(longest, 'x', sizeof(longest));
	check_refused("botToken", "");
	check_refused("botToken", "xoxb 1");
	check_refused("botToken", "xoxb\r\nX: y");
	check_refused("botToken", "xoxb-\xC3\xA4");
	longest[CG_SECRET_MAX / 2] = '\0';
	check_taken("botToken", longest);
	longest[CG_SECRET_MAX / 2] = 'x';
	longest[CG_SECRET_MAX / 2 + 1] = '\0';
	check_refused("botToken", longest);
	check_refused("signingSecret", "");
	check_refused("signingSecret", "a\nb");
	check_refused("signingSecretSecond", "a\nb");
	CU_ASSERT_EQUAL_FATAL(
		read_with("signingSecretSecond", "old", &settings, NULL), CG_OK);
	CU_ASSERT_PTR_NOT_NULL(settings.signers[1]);
	slack_settings_finish(&settings);
}

static void a_proxy_is_one_of_three_kinds(void)
{
	check_taken("proxy", "http://u:p@proxy.example.org:3128");
	check_taken("proxy", "HTTPS://proxy.example.org");
	check_taken("proxy", "socks5h://127.0.0.1:1080");
	check_refused("proxy", "socks5://127.0.0.1:1080"); /* names would leak */
	check_refused("proxy", "ftp://proxy.example.org");
	check_refused("proxy", "proxy.example.org:3128");
	check_refused("proxy", "http://proxy\nx");
}

static void a_file_that_cannot_be_read_is_named(void)
{
	struct slack_settings settings;
	char why[CG_ERROR_TEXT];

	CU_ASSERT_EQUAL(
		read_with("caFile", "/nowhere/ca.pem", &settings, why), CG_NOT_FOUND);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "/nowhere/ca.pem"));
	CU_ASSERT_EQUAL_FATAL(read_with("caFile", "/dev/null", &settings, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(settings.ca_file, "/dev/null");
	slack_settings_finish(&settings);
}

static void channels_are_chosen(void)
{
	static const struct {
		const char *value;
		enum slack_channels channels;
	} rows[] = {
		{"all", SLACK_CHANNELS_ALL},
		{"commands_only", SLACK_CHANNELS_COMMANDS},
		{"mentions_and_replies", SLACK_CHANNELS_MENTIONS},
	};
	struct slack_settings settings;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CU_ASSERT_EQUAL_FATAL(
			read_with("respondInChannels", rows[i].value, &settings, NULL),
			CG_OK);
		CU_ASSERT_EQUAL(settings.channels, rows[i].channels);
		CU_ASSERT_TRUE(slack_settings_allow(&settings, "C9"));
		slack_settings_finish(&settings);
	}
	CU_ASSERT_EQUAL_FATAL(
		read_with("allowedChannels", "C1,C22", &settings, NULL), CG_OK);
	CU_ASSERT_TRUE(slack_settings_allow(&settings, "C1"));
	CU_ASSERT_TRUE(slack_settings_allow(&settings, "C22"));
	CU_ASSERT_FALSE(slack_settings_allow(&settings, "C2"));
	slack_settings_finish(&settings);
}

static void bytes_go_to_slack_and_to_the_base(void)
{
	static const struct {
		const char *url;
		bool trusted;
	} rows[] = {
		{"https://slack.com/x", true},
		{"https://files.slack.com/x", true},
		{"https://FILES.Slack.com/x", true},
		{"https://relay.example.org:8443/x", true},
		{"https://relay.example.org/x", false},
		{"http://relay.example.org:8443/x", false},
		{"https://files.slack.com:8443/x", false},
		{"http://files.slack.com/x", false},
		{"https://u@files.slack.com/x", false},
		{"https://evilslack.com/x", false},
		{"https://files.slack.com.example.org/x", false},
		{"files.slack.com/x", false},
		{"", false},
	};
	struct slack_settings settings;

	CU_ASSERT_EQUAL_FATAL(
		read_with("apiBaseUrl", "https://relay.example.org:8443/api", &settings,
			NULL),
		CG_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(
			slack_settings_trust(&settings, rows[i].url), rows[i].trusted);
	slack_settings_finish(&settings);
}

UNIT_SUITE(slack_options, UNIT_TEST(little_has_to_be_said),
	UNIT_TEST(the_token_goes_where_it_is_safe), UNIT_TEST(secrets_are_one_line),
	UNIT_TEST(a_proxy_is_one_of_three_kinds),
	UNIT_TEST(a_file_that_cannot_be_read_is_named), UNIT_TEST(channels_are_chosen),
	UNIT_TEST(bytes_go_to_slack_and_to_the_base));
