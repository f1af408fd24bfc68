/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/telegram/telegram.h"
#include "tests/support/rig.h"
#include "tests/support/telegram_bot.h"
#include "tests/support/webhook_request.h"
#include "tests/unit/unit.h"

#define SECRET "hook_secret-1"

static const struct settings_pair settings[] = {
	{"botToken", TELEGRAM_TOKEN},
	{"mode", "webhook"},
	{"publicBaseUrl", "https://cow.example.org"},
	{"webhookSecret", SECRET},
	{NULL, NULL},
};

static struct rig *up(const struct settings_pair *pairs)
{
	struct rig *rig = rig_new(cg_plugin.providers[0], pairs);
	struct telegram *telegram;

	CU_ASSERT_EQUAL_FATAL(rig_create(rig, NULL), CG_OK);
	telegram = rig->self;
	telegram->bot.id = 42;
	telegram->line.started = true;
	return rig;
}

static struct webhook_request request; /* of the last call */

static void call(
	struct rig *rig, const char *secret, const char *method, const char *body)
{
	request = (struct webhook_request){.answers = 0};
	if (secret != NULL)
		webhook_request_set(&request, "X-Telegram-Bot-Api-Secret-Token", secret);
	telegram_webhook(rig->self,
		webhook_request_make(&request, method, body, rig->host->wall_ms));
}

static void check(struct rig *rig, const char *secret, const char *method,
	const char *body, enum cg_webhook_result expected)
{
	call(rig, secret, method, body);
	CU_ASSERT_EQUAL(request.answers, 1);
	CU_ASSERT_EQUAL(request.result, expected);
}

static void the_secret_is_whole(void)
{
	static const char *const secrets[] = {
		NULL, "", "hook_secret-", SECRET "1", "HOOK_SECRET-1"};
	struct rig *rig = up(settings);

	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
		check(rig, secrets[i], "POST", UPDATE_TEXT(1, 9, "a"), CG_WEBHOOK_DENIED);
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	rig_destroy(rig);
	rig = up(telegram_bot_settings); /* without a secret nobody is let in */
	check(rig, "", "POST", UPDATE_TEXT(1, 9, "a"), CG_WEBHOOK_DENIED);
	check(rig, NULL, "POST", UPDATE_TEXT(1, 9, "a"), CG_WEBHOOK_DENIED);
	rig_destroy(rig);
}

static void nobody_is_heard_before_we_know_our_name(void)
{
	struct rig *rig = up(settings);
	struct telegram *telegram = rig->self;

	telegram->bot.id = 0;
	check(rig, SECRET, "POST", UPDATE_TEXT(1, 9, "a"), CG_WEBHOOK_UNAVAILABLE);
	check(rig, "x", "POST", UPDATE_TEXT(1, 9, "a"), CG_WEBHOOK_DENIED);
	CU_ASSERT_EQUAL(telegram->line.called_ms, 0);
	rig_destroy(rig);
}

static void what_is_no_update_is_bad(void)
{
	struct rig *rig = up(settings);

	check(rig, SECRET, "GET", UPDATE_TEXT(1, 9, "a"), CG_WEBHOOK_BAD);
	check(rig, SECRET, "POST", "", CG_WEBHOOK_BAD);
	check(rig, SECRET, "POST", "[" UPDATE_TEXT(1, 9, "a") "]", CG_WEBHOOK_BAD);
	check(rig, SECRET, "POST", "{\"update_id\":", CG_WEBHOOK_BAD);
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	rig_destroy(rig);
}

static void the_verdict_is_the_answer(void)
{
	static const struct {
		enum cg_verdict verdict;
		enum cg_webhook_result result;
	} rows[] = {
		{CG_VERDICT_COMMITTED, CG_WEBHOOK_ACCEPTED},
		{CG_VERDICT_DUPLICATE, CG_WEBHOOK_ACCEPTED},
		{CG_VERDICT_UNAVAILABLE, CG_WEBHOOK_UNAVAILABLE},
		{CG_VERDICT_INVALID, CG_WEBHOOK_ACCEPTED}, /* else it came for ever */
		{CG_VERDICT_CONFLICT, CG_WEBHOOK_ACCEPTED},
	};
	struct rig *rig = up(settings);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		call(rig, SECRET, "POST", UPDATE_TEXT(1, 9, "a"));
		CU_ASSERT_EQUAL(request.answers, 0);
		host_fake_verdict(rig->host, rows[i].verdict);
		CU_ASSERT_EQUAL(request.answers, 1);
		CU_ASSERT_EQUAL(request.result, rows[i].result);
	}
	rig_destroy(rig);
}

static void what_is_not_ours_or_has_no_room_is_answered_at_once(void)
{
	struct rig *rig = up(settings);
	struct telegram *telegram = rig->self;

	check(rig, SECRET, "POST", UPDATE_GROUP(1, -5, ",\"text\":\"talk\""),
		CG_WEBHOOK_ACCEPTED);
	telegram->intake.count = TELEGRAM_ARRIVALS;
	check(rig, SECRET, "POST", UPDATE_TEXT(2, 9, "a"), CG_WEBHOOK_UNAVAILABLE);
	telegram->intake.count = 0;
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	rig_destroy(rig);
}

UNIT_SUITE(telegram_hook, UNIT_TEST(the_secret_is_whole),
	UNIT_TEST(nobody_is_heard_before_we_know_our_name),
	UNIT_TEST(what_is_no_update_is_bad), UNIT_TEST(the_verdict_is_the_answer),
	UNIT_TEST(what_is_not_ours_or_has_no_room_is_answered_at_once));
