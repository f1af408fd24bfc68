/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/telegram/telegram.h"
#include "tests/support/rig.h"
#include "tests/support/telegram_bot.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

/* A bot that knows itself and asks for updates, without having started. */
static struct rig *up(void)
{
	struct rig *rig = rig_new(cg_plugin.providers[0], telegram_bot_settings);
	struct telegram *telegram;

	CU_ASSERT_EQUAL_FATAL(rig_create(rig, NULL), CG_OK);
	telegram = rig->self;
	telegram->bot.id = 42;
	telegram->inbound = CG_HEALTH_UP;
	telegram->line.started = true;
	telegram->line.step = TELEGRAM_GET_UPDATES;
	return rig;
}

static struct telegram_batch *batch_of(struct rig *rig)
{
	struct telegram *telegram = rig->self;

	return &telegram->line.batch;
}

static void take(struct rig *rig, const char *updates)
{
	struct json_object *array = telegram_bot_parse(updates);

	telegram_batch_take(batch_of(rig), array);
	cg_json_free(array);
}

/* The next getUpdates leaves after @delay_ms, not before, and asks for @offset. */
static void check_next(struct rig *rig, int64_t delay_ms, const char *offset)
{
	struct cg_http_call *call;

	if (delay_ms > 0) {
		host_fake_pass(rig->host, delay_ms - 1);
		CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
		host_fake_pass(rig->host, 1);
	}
	call = host_fake_open_poll(rig->host);
	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	CU_ASSERT_PTR_NOT_NULL(strstr(call->body, offset));
	rig_destroy(rig);
}

static void each_bot_has_its_offset(void)
{
	struct rig *rig = up();
	struct telegram *telegram = rig->self;

	host_fake_keep(rig->host, "offset:42", "77");
	host_fake_keep(rig->host, "offset:43", "7x");
	telegram_batch_load(batch_of(rig));
	CU_ASSERT_EQUAL(batch_of(rig)->offset, 77);
	telegram->bot.id = 43;
	telegram_batch_load(batch_of(rig));
	CU_ASSERT_EQUAL(batch_of(rig)->offset, 0);
	telegram->bot.id = 44;
	batch_of(rig)->offset = 9;
	telegram_batch_load(batch_of(rig));
	CU_ASSERT_EQUAL(batch_of(rig)->offset, 0);
	rig_destroy(rig);
}

static void what_is_no_update_moves_nothing(void)
{
	struct rig *rig = up();

	batch_of(rig)->offset = 50;
	batch_of(rig)->telegram->line.asked_ms = rig->host->mono_ms;
	take(rig, "[1,{},{\"update_id\":-4},{\"update_id\":9223372036854775807}]");
	CU_ASSERT_EQUAL(rig->host->checkpoints, 0);
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 0);
	check_next(rig, 500, "\"offset\":50,"); /* not round and round at once */
}

static void what_is_not_ours_is_confirmed_by_itself(void)
{
	struct rig *rig = up();

	take(rig, "[" UPDATE_GROUP(60, -5, ",\"text\":\"talk\"") "]");
	CU_ASSERT_EQUAL(rig->host->checkpoints, 1);
	CU_ASSERT_STRING_EQUAL(host_fake_kept(rig->host, "offset:42"), "61");
	check_next(rig, 0, "\"offset\":61,");
}

static void the_offset_rides_with_one_and_follows_several(void)
{
	struct rig *rig = up();

	take(rig, "[" UPDATE_TEXT(60, 9, "a") "]");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->checkpoint, "61");
	CU_ASSERT_EQUAL(batch_of(rig)->offset, 0); /* not before the verdict */
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(batch_of(rig)->offset, 61);
	CU_ASSERT_EQUAL(rig->host->checkpoints, 0);
	host_fake_answer(host_fake_open_poll(rig->host), 200,
		UPDATES(UPDATE_TEXT(61, 9, "a") "," UPDATE_TEXT(62, 9, "b")));
	CU_ASSERT_STRING_EQUAL(rig->host->submissions[1].checkpoint, "");
	CU_ASSERT_STRING_EQUAL(rig->host->submissions[2].checkpoint, "");
	host_fake_verdict(rig->host, CG_VERDICT_DUPLICATE);
	CU_ASSERT_EQUAL(rig->host->checkpoints, 0);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig->host->checkpoints, 1);
	check_next(rig, 0, "\"offset\":63,");
}

static void the_first_that_is_not_stored_holds_the_rest(void)
{
	struct rig *rig = up();

	take(rig, "[" UPDATE_TEXT(60, 9, "a") "," UPDATE_TEXT(61, 8, "b") "," UPDATE_TEXT(
			  62, 7, "c") "," UPDATE_TEXT(63, 6, "d") "]");
	host_fake_verdict(rig->host, CG_VERDICT_INVALID); /* passed over */
	host_fake_verdict(rig->host, CG_VERDICT_UNAVAILABLE);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(batch_of(rig)->offset, 0);
	host_fake_verdict(rig->host, CG_VERDICT_UNAVAILABLE);
	CU_ASSERT_STRING_EQUAL(host_fake_kept(rig->host, "offset:42"), "61");
	CU_ASSERT_EQUAL(rig->host->log_count, 1);
	check_next(rig, 2000, "\"offset\":61,");
}

static void what_finds_no_room_comes_again(void)
{
	struct rig *rig = up();
	struct telegram *telegram = rig->self;

	telegram->intake.count = TELEGRAM_ARRIVALS;
	take(rig, "[" UPDATE_GROUP(60, -5, ",\"text\":\"talk\"") "," UPDATE_TEXT(
			  61, 9, "a") "]");
	telegram->intake.count = 0;
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	check_next(rig, 2000, "\"offset\":61,");
}

/* @count pictures of one album, numbered from @first. */
static void write_album(struct cg_buffer *text, int first, int count)
{
	for (int i = 0; i < count; i++)
		cg_buffer_format(text,
			"%s{\"update_id\":%d,\"message\":{" UPDATE_CHAT(
				9) ",\"media_group_id\":\"g\",\"text\":\"t\"}}",
			i == 0 ? "[" : ",", first + i);
	cg_buffer_char(text, ']');
}

static struct rig *with_album(int count)
{
	struct rig *rig = up();
	struct cg_buffer text;

	cg_buffer_init(&text, 65536);
	write_album(&text, 60, count);
	take(rig, cg_buffer_string(&text));
	cg_buffer_finish(&text);
	return rig;
}

static void an_album_of_ten_is_whole(void)
{
	struct rig *rig = with_album(10);

	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 1);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	check_next(rig, 0, "\"offset\":70,");
	rig = with_album(11);
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 1);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	check_next(rig, 700, "\"offset\":70,"); /* the eleventh may have followers */
}

static void an_album_that_stays_as_it_is_is_taken(void)
{
	struct rig *rig = up();

	take(rig, "[" UPDATE_PICTURE(60, "g", "") "]");
	CU_ASSERT_EQUAL(batch_of(rig)->end, 60);
	CU_ASSERT_EQUAL(batch_of(rig)->count, 0);
	take(rig, "[" UPDATE_PICTURE(60, "g", "") "," UPDATE_PICTURE(61, "g", "") "]");
	CU_ASSERT_EQUAL(batch_of(rig)->count, 0); /* it has grown */
	take(rig, "[" UPDATE_PICTURE(60, "g", "") "," UPDATE_PICTURE(61, "g", "") "]");
	CU_ASSERT_EQUAL(batch_of(rig)->count, 1);
	CU_ASSERT_EQUAL(batch_of(rig)->end, 62);
	rig_destroy(rig);
}

static void a_batch_ends_at_a_hundred(void)
{
	struct rig *rig = up();
	struct cg_buffer text;

	cg_buffer_init(&text, 1u << 20);
	for (int i = 0; i < TELEGRAM_BATCH + 1; i++)
		cg_buffer_format(&text,
			"%s{\"update_id\":%d,\"message\":{" UPDATE_CHAT(
				9) ",\"text\":\"t\"}}",
			i == 0 ? "[" : ",", 1000 + i);
	cg_buffer_char(&text, ']');
	take(rig, cg_buffer_string(&text));
	cg_buffer_finish(&text);
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), TELEGRAM_BATCH);
	CU_ASSERT_EQUAL(batch_of(rig)->end, 1000 + TELEGRAM_BATCH);
	rig_destroy(rig);
}

UNIT_SUITE(telegram_batch, UNIT_TEST(each_bot_has_its_offset),
	UNIT_TEST(what_is_no_update_moves_nothing),
	UNIT_TEST(what_is_not_ours_is_confirmed_by_itself),
	UNIT_TEST(the_offset_rides_with_one_and_follows_several),
	UNIT_TEST(the_first_that_is_not_stored_holds_the_rest),
	UNIT_TEST(what_finds_no_room_comes_again), UNIT_TEST(an_album_of_ten_is_whole),
	UNIT_TEST(an_album_that_stays_as_it_is_is_taken),
	UNIT_TEST(a_batch_ends_at_a_hundred));
