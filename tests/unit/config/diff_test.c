/* SPDX-License-Identifier: Apache-2.0 */
#include "config/diff.h"

#include "config_rig.h"

#define ENTRY(id, rest) \
	"{\"kind\":\"cli\",\"id\":\"" id "\",\"channelBindingId\":\"" id "\"" rest "}"
#define TELEGRAM(token) \
	"{\"kind\":\"telegram\",\"id\":\"telegram\",\"channelBindingId\":\"t\"," \
	"\"credentials\":{" \
	"\"botToken\":\"" token "\"}}"

struct row {
	const char *before, *after; /* a variable each */
	const char *changes; /* "kind:name" in order */
	bool restart;
};

static void list_changes(const struct config_diff *diff, char *ret, size_t size)
{
	static const char *const kinds[] = {"set", "added", "removed", "changed"};
	size_t length = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < diff->count && length < size; i++)
		length += (size_t)snprintf(ret + length, size - length, "%s%s:%s",
			i > 0 ? " " : "", kinds[diff->changes[i].kind],
			diff->changes[i].name);
}

static void changes_are_named(void)
{
	static const struct row rows[] = {
		{K "PORT=1", K "PORT=1", "", false},
		{K "PORT=8790", K "HOST=127.0.0.1", "",
			false}, /* the same from elsewhere */
		{K "PORT=1", K "PORT=2", "set:port", true},
		{K "LOG_LEVEL=info", K "LOG_LEVEL=debug", "set:log_level", false},
		{K "ADMIN_TOKEN=a", K "ADMIN_TOKEN=b", "set:admin_token", true},
		{K "AGENT_COMMAND=[\"a\"]", K "AGENT_COMMAND=[\"a\",\"b\"]",
			"set:agent_command", true},
		{K "TRUSTED_PROXY_CIDRS=::1", K "TRUSTED_PROXY_CIDRS=::2",
			"set:trusted_proxies", true},
		{K "BRAND_NAME=a", K "BRAND_NAME=b", "set:branding", false},
		{K "PROVIDERS=[" ENTRY("cli-a", "") "]",
			K "PROVIDERS=[" ENTRY("cli-b", "") "]",
			"removed:cli-a added:cli-b", false},
		{K "PROVIDERS=[" ENTRY("cli-a", "") "]",
			K "PROVIDERS=[" ENTRY("cli-a",
				",\"defaultAgent\":\"x\"") "," ENTRY("cli-b", "") "]",
			"changed:cli-a added:cli-b", false},
		{K "PROVIDERS=[" ENTRY("cli-a", "") "]",
			K "PROVIDERS=[" ENTRY("cli-a", ",\"allowFrom\":[\"1\"]") "]",
			"changed:cli-a", false},
		{K "PROVIDERS=[" TELEGRAM("1") "]", K "PROVIDERS=[" TELEGRAM("1") "]", "",
			false},
		{K "PROVIDERS=[" TELEGRAM("1") "]", K "PROVIDERS=[" TELEGRAM("2") "]",
			"changed:telegram", false},
		{K "PROVIDERS=[" ENTRY("cli-a", "") "," ENTRY("cli-b", "") "]",
			K "PROVIDERS=[" ENTRY("cli-a", "") "," ENTRY(
				"cli-b", ",\"enabled\":false") "]",
			"changed:cli-b", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct config_diff diff;
		struct rig before, after;
		char changes[256];

		rig_begin(&before);
		rig_begin(&after);
		rig_env(&before, K "DATA_DIR=/d");
		rig_env(&after, K "DATA_DIR=/d");
		rig_env(&before, rows[i].before);
		rig_env(&after, rows[i].after);
		RIG_CHECK(&before, rig_load(&before) == CG_OK, rows[i].before);
		RIG_CHECK(&after, rig_load(&after) == CG_OK, rows[i].after);
		config_diff(before.config, after.config, &diff);
		list_changes(&diff, changes, sizeof(changes));
		RIG_CHECK(&after, strcmp(changes, rows[i].changes) == 0, changes);
		CU_ASSERT_EQUAL(diff.restart, rows[i].restart);
		rig_end(&before);
		rig_end(&after);
	}
}

/* As rig_load(), over what @was has in force. */
static enum cg_status reload(
	struct rig *rig, struct config *was, struct config_diff *ret_diff)
{
	return config_reload(&rig->input, was, &rig->config, ret_diff, &rig->report);
}

static void reload_keeps_what_takes_a_restart(void)
{
	struct rig first, second, third;
	struct config_diff diff;

	rig_begin(&first);
	rig_begin(&second);
	rig_begin(&third);
	rig_env(&first, K "DATA_DIR=/d");
	rig_env(&first, K "ADMIN_TOKEN=first-token-of-all");
	rig_env(&second, K "DATA_DIR=/elsewhere");
	rig_env(&second, K "ADMIN_TOKEN=second-token-of-all");
	rig_env(&second, K "LOG_LEVEL=error");
	rig_env(&third, K "DATA_DIR=/d");
	rig_env(&third, K "ADMIN_TOKEN=first-token-of-all");
	CU_ASSERT_EQUAL_FATAL(rig_load(&first), CG_OK);
	CU_ASSERT_EQUAL_FATAL(reload(&second, first.config, &diff), CG_OK);
	CU_ASSERT(diff.restart);
	CU_ASSERT_EQUAL(diff.count, 3);
	CU_ASSERT_STRING_EQUAL(second.config->data_dir, "/d");
	CU_ASSERT(
		cg_secret_equals(&second.config->admin_token, "first-token-of-all", 18));
	CU_ASSERT_EQUAL(second.config->log_level, CONFIG_LOG_ERROR);
	/* The one in between may go: what was kept is the first one's. */
	CU_ASSERT_EQUAL_FATAL(reload(&third, second.config, &diff), CG_OK);
	rig_end(&second);
	CU_ASSERT_EQUAL(diff.count, 1);
	CU_ASSERT_FALSE(diff.restart);
	rig_end(&first);
	CU_ASSERT_STRING_EQUAL(third.config->data_dir, "/d");
	CU_ASSERT(cg_secret_equals(&third.config->admin_token, "first-token-of-all", 18));
	rig_end(&third);
}

static void reload_is_as_safe_as_a_start(void)
{
	struct rig before, after;
	struct config_diff diff;

	rig_begin(&before);
	rig_begin(&after);
	rig_env(&before, K "DATA_DIR=/d");
	rig_env(&before, K "HOST=0.0.0.0");
	rig_env(&before, K "ADMIN_TOKEN=a-token-that-is-long-enough");
	rig_env(&before, K "PROVIDERS=[" TELEGRAM("1") "]");
	/* Alone this would be fine: it listens here only.  But the socket is open already. */
	rig_env(&after, K "DATA_DIR=/d");
	rig_env(&after, K "FAKE_ENABLED=true");
	RIG_CHECK(&before, rig_load(&before) == CG_OK, "public");
	CU_ASSERT_EQUAL(reload(&after, before.config, &diff), CG_INVALID);
	CU_ASSERT_PTR_NULL(after.config);
	CU_ASSERT(config_report_failed(&after.report));
	rig_end(&before);
	rig_end(&after);
}

UNIT_SUITE(diff, UNIT_TEST(changes_are_named),
	UNIT_TEST(reload_keeps_what_takes_a_restart),
	UNIT_TEST(reload_is_as_safe_as_a_start));
