/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/telegram_bot.h"

#include "tests/unit/unit.h"

#include <string.h>

const struct settings_pair telegram_bot_settings[] = {
	{"botToken", TELEGRAM_TOKEN},
	{"lockDirectory", "."}, /* of this build, shared with no other on this host */
	{NULL, NULL},
};

void telegram_bot_settle(struct host_fake *host)
{
	struct cg_http_call *call = host_fake_open_poll(host);

	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	host_fake_answer(call, 200,
		"{\"ok\":true,\"result\":{\"id\":42,\"is_bot\":true,\"username\":"
		"\"CowBot\"}}");
	call = host_fake_open_poll(host);
	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	host_fake_answer(call, 200, "{\"ok\":true,\"result\":true}");
	call = host_fake_open_poll(host);
	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	host_fake_answer(call, 200, "{\"ok\":true,\"result\":true}");
	call = host_fake_open_poll(host);
	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	host_fake_pass(host, 30000); /* as long as there is nothing */
	host_fake_answer(call, 200, "{\"ok\":true,\"result\":[]}");
	CU_ASSERT_PTR_NOT_NULL(host_fake_open_poll(host));
}

struct json_object *telegram_bot_parse(const char *json)
{
	struct json_object *value = NULL;

	CU_ASSERT_EQUAL_FATAL(cg_json_parse(json, strlen(json), &value, NULL), CG_OK);
	return value;
}
