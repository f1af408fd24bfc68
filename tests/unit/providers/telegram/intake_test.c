/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/telegram/telegram.h"
#include "tests/support/rig.h"
#include "tests/support/telegram_bot.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct rig *up(void)
{
	struct rig *rig = rig_new(cg_plugin.providers[0], telegram_bot_settings);
	struct telegram *telegram;

	CU_ASSERT_EQUAL_FATAL(rig_create(rig, NULL), CG_OK);
	telegram = rig->self;
	telegram->bot.id = 42;
	return rig;
}

static struct telegram_intake *intake_of(struct rig *rig)
{
	struct telegram *telegram = rig->self;

	return &telegram->intake;
}

static int verdicts[CG_VERDICT_UNAVAILABLE + 8];

static void judged(void *arg, enum cg_verdict verdict)
{
	(void)arg;
	verdicts[verdict]++;
}

static enum telegram_added add(struct rig *rig, const char *json)
{
	struct json_object *array = telegram_bot_parse(json);
	struct json_object *updates[TELEGRAM_ALBUM];
	size_t count = cg_json_count(array);
	enum telegram_added added;

	for (size_t i = 0; i < count; i++)
		updates[i] = cg_json_at(array, i);
	memset(verdicts, 0, sizeof(verdicts));
	added = telegram_intake_add(intake_of(rig), updates, count, judged, NULL);
	cg_json_free(array); /* what was added is held by itself */
	return added;
}

static void nothing_is_submitted_before_it_runs(void)
{
	struct rig *rig = up();

	CU_ASSERT_EQUAL(add(rig, "[" UPDATE_TEXT(1, 9, "a") "]"), TELEGRAM_ADDED);
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 0);
	telegram_intake_run(intake_of(rig));
	telegram_intake_run(intake_of(rig)); /* no second time */
	CU_ASSERT_EQUAL(rig->host->submission_count, 1);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "1");
	CU_ASSERT_EQUAL(verdicts[CG_VERDICT_CONFLICT], 0);
	host_fake_verdict(rig->host, CG_VERDICT_CONFLICT);
	CU_ASSERT_EQUAL(verdicts[CG_VERDICT_CONFLICT], 1);
	CU_ASSERT_EQUAL(intake_of(rig)->count, 0);
	rig_destroy(rig);
}

static void what_is_not_ours_leaves_nothing(void)
{
	struct rig *rig = up();

	CU_ASSERT_EQUAL(add(rig, "[" UPDATE_GROUP(1, -5, ",\"text\":\"talk\"") "]"),
		TELEGRAM_NOT_OURS);
	CU_ASSERT_EQUAL(add(rig, "[{\"update_id\":2}]"), TELEGRAM_NOT_OURS);
	CU_ASSERT_EQUAL(
		add(rig, "[" UPDATE_GROUP(3, -5, ",\"caption\":\"a\"") "," UPDATE_GROUP(
				 4, -5, ",\"caption\":\"b\"") "]"),
		TELEGRAM_NOT_OURS);
	CU_ASSERT_EQUAL(intake_of(rig)->count, 0);
	CU_ASSERT_EQUAL(rig->host->call_count, 0);
	rig_destroy(rig);
}

static void a_dead_button_is_answered_and_forgotten(void)
{
	struct rig *rig = up();
	const char *press =
		"[{\"update_id\":1,\"callback_query\":{\"id\":\"q7\"," UPDATE_FROM
		",\"message\":{" UPDATE_CHAT(9) "}}}]";

	CU_ASSERT_EQUAL(add(rig, press), TELEGRAM_NOT_OURS);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_call(rig->host)->url, "/answerCallbackQuery"));
	CU_ASSERT_STRING_EQUAL(
		host_fake_open_call(rig->host)->body, "{\"callback_query_id\":\"q7\"}");
	host_fake_fault(host_fake_open_call(rig->host), CG_HTTP_TIMED_OUT);
	rig->host->refuse_http = true; /* it turns a while; nothing else happens */
	CU_ASSERT_EQUAL(add(rig, press), TELEGRAM_NOT_OURS);
	CU_ASSERT_EQUAL(intake_of(rig)->count, 0);
	rig_destroy(rig);
}

static void five_hundred_and_twelve_are_the_most(void)
{
	struct rig *rig = up();

	for (int i = 0; i < TELEGRAM_ARRIVALS; i++)
		CU_ASSERT_EQUAL_FATAL(
			add(rig, "[" UPDATE_TEXT(1, 9, "a") "]"), TELEGRAM_ADDED);
	CU_ASSERT_EQUAL(add(rig, "[" UPDATE_TEXT(2, 8, "b") "]"), TELEGRAM_FULL);
	CU_ASSERT_EQUAL(add(rig, "[" UPDATE_GROUP(3, -5, "") "]"), TELEGRAM_NOT_OURS);
	telegram_intake_stop(intake_of(rig));
	CU_ASSERT_EQUAL(verdicts[CG_VERDICT_UNAVAILABLE], TELEGRAM_ARRIVALS);
	CU_ASSERT_EQUAL(add(rig, "[" UPDATE_TEXT(2, 8, "b") "]"), TELEGRAM_ADDED);
	rig_destroy(rig);
}

static void an_offset_rides_with_the_newest(void)
{
	struct rig *rig = up();

	CU_ASSERT_FALSE(telegram_intake_ride(intake_of(rig), 5));
	add(rig, "[" UPDATE_TEXT(1, 9, "a") "]");
	add(rig, "[" UPDATE_TEXT(2, 8, "b") "]");
	CU_ASSERT_TRUE(telegram_intake_ride(intake_of(rig), 3));
	telegram_intake_run(intake_of(rig));
	CU_ASSERT_STRING_EQUAL(rig->host->submissions[0].checkpoint, "");
	CU_ASSERT_STRING_EQUAL(rig->host->submissions[1].checkpoint, "3");
	CU_ASSERT_STRING_EQUAL(rig->host->submissions[1].checkpoint_key, "offset:42");
	CU_ASSERT_FALSE(telegram_intake_ride(intake_of(rig), 4)); /* it has left */
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	add(rig, "[" UPDATE_GROUP(3, -5, ",\"migrate_to_chat_id\":-1005") "]");
	CU_ASSERT_FALSE(telegram_intake_ride(intake_of(rig), 4)); /* two rows at once */
	rig_destroy(rig);
}

static void of_two_rows_the_worse_counts(void)
{
	static const enum cg_verdict first[] = {CG_VERDICT_COMMITTED,
		CG_VERDICT_UNAVAILABLE, CG_VERDICT_INVALID, CG_VERDICT_COMMITTED};
	static const enum cg_verdict second[] = {CG_VERDICT_UNAVAILABLE,
		CG_VERDICT_COMMITTED, CG_VERDICT_UNAVAILABLE, CG_VERDICT_COMMITTED};

	for (size_t i = 0; i < 4; i++) {
		struct rig *rig = up();

		add(rig, "[" UPDATE_GROUP(3, -5, ",\"migrate_to_chat_id\":-1005") "]");
		telegram_intake_run(intake_of(rig));
		host_fake_verdict(rig->host, first[i]);
		CU_ASSERT_EQUAL(intake_of(rig)->count, 1);
		host_fake_verdict(rig->host, second[i]);
		CU_ASSERT_EQUAL(
			verdicts[i < 3 ? CG_VERDICT_UNAVAILABLE : CG_VERDICT_COMMITTED],
			1);
		rig_destroy(rig);
	}
}

static void a_group_that_moved_keeps_its_name_inside(void)
{
	struct rig *rig = up();
	struct telegram *telegram = rig->self;

	telegram->bot.groups = TELEGRAM_GROUPS_ALL;
	add(rig, "[" UPDATE_GROUP(3, -5, ",\"migrate_to_chat_id\":-1005") "]");
	add(rig, "[" UPDATE_GROUP(4, -1005, ",\"text\":\"here\"") "]");
	telegram_intake_run(intake_of(rig));
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 2);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text, "here");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->chat_id, "-5");
	rig_destroy(rig);
}

static void an_album_speaks_with_one_voice(void)
{
	struct rig *rig = up();

	add(rig, "[" UPDATE_PICTURE(7, "g", "") "," UPDATE_PICTURE(
			 8, "g", ",\"caption\":\"both\"") "," UPDATE_PICTURE(9, "g",
			 ",\"caption\":\"late\"") "]");
	rig->host->refuse_http = true; /* so no picture can be had */
	telegram_intake_run(intake_of(rig));
	CU_ASSERT_EQUAL_FATAL(host_fake_open_submissions(rig->host), 1);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "7");
	CU_ASSERT_EQUAL(host_fake_last(rig->host)->attachments, 3);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text,
		"both"
		"\n[The file photo-1.jpg could not be fetched from Telegram.]"
		"\n[The file photo-1.jpg could not be fetched from Telegram.]"
		"\n[The file photo-1.jpg could not be fetched from Telegram.]");
	rig_destroy(rig);
}

static void the_end_gives_all_back(void)
{
	struct rig *rig = up();
	struct cg_http_call *call;

	add(rig, "[" UPDATE_TEXT(1, 9, "a") "]");
	telegram_intake_run(intake_of(rig));
	add(rig, "[" UPDATE_DOCUMENT(2, 9, "") "]");
	telegram_intake_run(intake_of(rig));
	call = host_fake_open_call(rig->host);
	telegram_intake_stop(intake_of(rig));
	CU_ASSERT_TRUE(call->cancelled);
	CU_ASSERT_EQUAL(verdicts[CG_VERDICT_UNAVAILABLE], 1);
	CU_ASSERT_EQUAL(intake_of(rig)->count, 1); /* the journal has it */
	telegram_intake_finish(intake_of(rig));
	CU_ASSERT_EQUAL(verdicts[CG_VERDICT_UNAVAILABLE], 2);
	CU_ASSERT_EQUAL(intake_of(rig)->count, 0);
	rig_destroy(rig);
}

UNIT_SUITE(telegram_intake, UNIT_TEST(nothing_is_submitted_before_it_runs),
	UNIT_TEST(what_is_not_ours_leaves_nothing),
	UNIT_TEST(a_dead_button_is_answered_and_forgotten),
	UNIT_TEST(five_hundred_and_twelve_are_the_most),
	UNIT_TEST(an_offset_rides_with_the_newest),
	UNIT_TEST(of_two_rows_the_worse_counts),
	UNIT_TEST(a_group_that_moved_keeps_its_name_inside),
	UNIT_TEST(an_album_speaks_with_one_voice), UNIT_TEST(the_end_gives_all_back));
