/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/telegram/telegram.h"
#include "tests/support/rig.h"
#include "tests/support/telegram_bot.h"
#include "tests/unit/unit.h"

#include <string.h>

static const struct settings_pair hook_settings[] = {
	{"botToken", TELEGRAM_TOKEN},
	{"lockDirectory", "."},
	{"mode", "webhook"},
	{"publicBaseUrl", "https://cow.example.org"},
	{"webhookSecret", "hook_secret-1"},
	{NULL, NULL},
};

static struct telegram_line *line_of(struct rig *rig)
{
	struct telegram *telegram = rig->self;

	return &telegram->line;
}

static struct rig *up(const struct settings_pair *settings)
{
	struct rig *rig = rig_new(cg_plugin.providers[0], settings);

	CU_ASSERT_EQUAL_FATAL(rig_create(rig, NULL), CG_OK);
	telegram_line_start(line_of(rig));
	return rig;
}

/* It asks by @method now. */
static struct cg_http_call *asks(struct rig *rig, const char *method)
{
	struct cg_http_call *call = host_fake_open_poll(rig->host);

	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	CU_ASSERT_PTR_NOT_NULL_FATAL(strstr(call->url, method));
	return call;
}

static void answer(struct rig *rig, const char *method, int status, const char *body)
{
	host_fake_answer(asks(rig, method), status, body);
}

static void waiting_has_one_timer(void)
{
	struct rig *rig = up(telegram_bot_settings);

	telegram_bot_settle(rig->host);
	host_fake_answer(host_fake_open_poll(rig->host), 500, "");
	telegram_line_go_on(line_of(rig), 5000); /* instead of what was waited for */
	host_fake_pass(rig->host, 4999);
	CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
	host_fake_pass(rig->host, 1);
	asks(rig, "/getUpdates");
	telegram_line_go_on(line_of(rig), 0); /* one is under way */
	CU_ASSERT_PTR_NOT_NULL(host_fake_open_poll(rig->host));
	rig_destroy(rig);
}

static void the_wait_grows_to_half_a_minute(void)
{
	struct rig *rig = up(telegram_bot_settings);
	int64_t waited, longest = 0;

	for (int i = 0; i < 40; i++) {
		host_fake_fault(asks(rig, "/getMe"), CG_HTTP_NOT_DISPATCHED);
		CU_ASSERT_PTR_NOT_NULL_FATAL(line_of(rig)->timer);
		waited = line_of(rig)->timer->at_ms - rig->host->mono_ms;
		CU_ASSERT_TRUE(waited > 0 && waited <= 30000);
		if (waited > longest)
			longest = waited;
		host_fake_pass(rig->host, waited);
	}
	CU_ASSERT_TRUE(longest > 10000);
	CU_ASSERT_EQUAL(line_of(rig)->failures, 16);
	rig_destroy(rig);
}

static void a_limit_without_a_time_is_five_seconds(void)
{
	struct rig *rig = up(telegram_bot_settings);

	answer(rig, "/getMe", 429, "{\"ok\":false,\"error_code\":429}");
	host_fake_pass(rig->host, 4999);
	CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
	host_fake_pass(rig->host, 1);
	asks(rig, "/getMe");
	rig_destroy(rig);
}

static void commands_that_are_refused_make_nobody_deaf(void)
{
	struct rig *rig = up(telegram_bot_settings);

	answer(rig, "/getMe", 200,
		"{\"ok\":true,\"result\":{\"id\":42,\"is_bot\":true,\"username\":\"B\"}"
		"}");
	answer(rig, "/deleteWebhook", 200, "{\"ok\":true,\"result\":true}");
	answer(rig, "/setMyCommands", 400, "{\"ok\":false,\"error_code\":400}");
	asks(rig, "/getUpdates");
	rig_destroy(rig);
}

static void who_is_no_bot_is_asked_again(void)
{
	struct rig *rig = up(telegram_bot_settings);

	answer(rig, "/getMe", 200, "{\"ok\":true,\"result\":{}}");
	CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
	host_fake_pass(rig->host, 30000);
	asks(rig, "/getMe");
	rig_destroy(rig);
}

static void pieces_end_at_one(void)
{
	struct rig *rig = up(telegram_bot_settings);
	unsigned asked = 0;

	telegram_bot_settle(rig->host);
	while (line_of(rig)->batch.limit > 1 && asked++ < 10)
		host_fake_fault(asks(rig, "/getUpdates"), CG_HTTP_TOO_LARGE);
	CU_ASSERT_EQUAL(asked, 6); /* 50 25 12 6 3 1 */
	CU_ASSERT_PTR_NOT_NULL(strstr(asks(rig, "/getUpdates")->body, "\"limit\":1,"));
	host_fake_fault(asks(rig, "/getUpdates"), CG_HTTP_TOO_LARGE);
	CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
	host_fake_pass(rig->host, 30000);
	answer(rig, "/getUpdates", 200, UPDATES(UPDATE_GROUP(7, -5, "")));
	CU_ASSERT_PTR_NOT_NULL(strstr(asks(rig, "/getUpdates")->body, "\"limit\":100,"));
	rig_destroy(rig);
}

static void the_first_poll_does_not_wait(void)
{
	struct rig *rig = up(telegram_bot_settings);

	telegram_bot_settle(rig->host);
	CU_ASSERT_PTR_NOT_NULL(strstr(asks(rig, "/getUpdates")->body, "\"timeout\":30"));
	CU_ASSERT_EQUAL(telegram_line_asked(line_of(rig)), 0);
	host_fake_pass(rig->host, 20000);
	CU_ASSERT_EQUAL(telegram_line_asked(line_of(rig)), 20000);
	telegram_line_stop(line_of(rig));
	telegram_health(rig->self, CG_HEALTH_STARTING, CG_HEALTH_UP, NULL);
	telegram_line_start(line_of(rig));
	answer(rig, "/getMe", 200,
		"{\"ok\":true,\"result\":{\"id\":42,\"is_bot\":true,\"username\":\"B\"}"
		"}");
	answer(rig, "/deleteWebhook", 200, "{\"ok\":true,\"result\":true}");
	answer(rig, "/setMyCommands", 200, "{\"ok\":true,\"result\":true}");
	CU_ASSERT_PTR_NULL(strstr(asks(rig, "/getUpdates")->body, "\"timeout\":30"));
	rig_destroy(rig);
}

static void a_stop_takes_all_back(void)
{
	struct rig *rig = up(telegram_bot_settings);
	struct cg_http_call *call = asks(rig, "/getMe");

	telegram_line_stop(line_of(rig));
	CU_ASSERT_TRUE(call->cancelled);
	telegram_line_start(line_of(rig));
	answer(rig, "/getMe", 500, "");
	telegram_line_stop(line_of(rig));
	host_fake_pass(rig->host, 60000);
	CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
	telegram_line_go_on(line_of(rig), 10); /* of a batch that ends late */
	host_fake_pass(rig->host, 60000);
	CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
	rig_destroy(rig);
}

static void calls_are_taken_when_we_know_who_we_are(void)
{
	struct rig *rig = up(hook_settings);
	struct telegram *telegram = rig->self;

	CU_ASSERT_FALSE(telegram_line_takes_calls(&telegram->line));
	answer(rig, "/getMe", 200,
		"{\"ok\":true,\"result\":{\"id\":42,\"is_bot\":true,\"username\":\"B\"}"
		"}");
	CU_ASSERT_TRUE(telegram_line_takes_calls(&telegram->line));
	telegram_line_called(&telegram->line); /* proves nothing before it is set */
	CU_ASSERT_NOT_EQUAL(telegram->inbound, CG_HEALTH_UP);
	answer(rig, "/setWebhook", 200, "{\"ok\":true,\"result\":true}");
	answer(rig, "/setMyCommands", 200, "{\"ok\":true,\"result\":true}");
	telegram_line_called(&telegram->line);
	CU_ASSERT_EQUAL(telegram->inbound, CG_HEALTH_UP);
	CU_ASSERT_EQUAL(telegram->line.called_ms, rig->host->wall_ms);
	telegram->settings.webhook = false;
	CU_ASSERT_FALSE(telegram_line_takes_calls(&telegram->line));
	telegram->settings.webhook = true;
	telegram_line_stop(&telegram->line);
	CU_ASSERT_FALSE(telegram_line_takes_calls(&telegram->line));
	rig_destroy(rig);
}

UNIT_SUITE(telegram_line, UNIT_TEST(waiting_has_one_timer),
	UNIT_TEST(the_wait_grows_to_half_a_minute),
	UNIT_TEST(a_limit_without_a_time_is_five_seconds),
	UNIT_TEST(commands_that_are_refused_make_nobody_deaf),
	UNIT_TEST(who_is_no_bot_is_asked_again), UNIT_TEST(pieces_end_at_one),
	UNIT_TEST(the_first_poll_does_not_wait), UNIT_TEST(a_stop_takes_all_back),
	UNIT_TEST(calls_are_taken_when_we_know_who_we_are));
