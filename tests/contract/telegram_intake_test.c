/* SPDX-License-Identifier: Apache-2.0 */
/* Telegram's messages that are more than a text: files, albums, groups that move, webhook mode. */
#include "tests/contract/subject.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct cg_http_call *call_of(struct rig *rig, size_t n, const char *method)
{
	struct cg_http_call *call = host_fake_nth_call(rig->host, n);

	if (call == NULL || strstr(call->url, method) == NULL) {
		CU_FAIL("another call was expected");
		abort();
	}
	return call;
}

static void found(struct rig *rig, size_t n, const char *size)
{
	char body[256];

	snprintf(body, sizeof(body),
		"{\"ok\":true,\"result\":{\"file_id\":\"F\",\"file_path\":\"documents/"
		"file "
		"1.txt\"%s}}",
		size);
	host_fake_answer(call_of(rig, n, "/getFile"), 200, body);
}

/* The nth download ends whole. */
static void fetched(struct rig *rig, size_t n, const char *bytes)
{
	struct cg_http_call *call = call_of(rig, n, "/file/bot");

	CU_ASSERT_TRUE(host_fake_stream(call, bytes, strlen(bytes)));
	host_fake_answer(call, 200, "");
	host_fake_pass(rig->host, 0);
}

static void poll_brings(struct rig *rig, const char *batch)
{
	host_fake_answer(host_fake_open_poll(rig->host), 200, batch);
}

static void a_file_is_there_before_its_message(void)
{
	struct rig *rig = subject_up(&subject_telegram);
	const struct host_fake_file *file;
	char bytes[16] = "";
	FILE *stream;

	poll_brings(rig, UPDATES(UPDATE_DOCUMENT(100, 9, ",\"caption\":\"look\"")));
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 0);
	CU_ASSERT_STRING_EQUAL(
		call_of(rig, 0, "/getFile")->body, "{\"file_id\":\"F100\"}");
	found(rig, 0, ",\"file_size\":5");
	CU_ASSERT_STRING_EQUAL(call_of(rig, 0, "/file/bot")->url,
		"https://api.telegram.org/file/bot" TELEGRAM_TOKEN
		"/documents/file%201.txt");
	CU_ASSERT_NOT_EQUAL(call_of(rig, 0, "/file/bot")->flags & CG_HTTP_SECRET_URL, 0);
	fetched(rig, 0, "hello");
	CU_ASSERT_EQUAL_FATAL(host_fake_open_submissions(rig->host), 1);
	file = &host_fake_last(rig->host)->files[0];
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text, "look");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->checkpoint, "101");
	CU_ASSERT_STRING_EQUAL(file->filename, "a.txt");
	CU_ASSERT_STRING_EQUAL(file->file_id, "F100");
	CU_ASSERT_EQUAL(file->bytes, 5);
	stream = fopen(file->spool_path, "rb");
	CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
	CU_ASSERT_EQUAL(fread(bytes, 1, sizeof(bytes), stream), 5);
	fclose(stream);
	CU_ASSERT_STRING_EQUAL(bytes, "hello");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(access(file->spool_path, F_OK), 0);
	CU_ASSERT_PTR_NOT_NULL(host_fake_open_poll(rig->host));
	rig_destroy(rig);
}

/* What becomes of the only file of a message that says "look". */
static void check_failure(
	void (*happens)(struct rig *rig), const char *sentence, enum cg_verdict verdict)
{
	struct rig *rig = subject_up(&subject_telegram);
	char expected[256];

	poll_brings(rig, UPDATES(UPDATE_DOCUMENT(100, 9, ",\"caption\":\"look\"")));
	happens(rig);
	CU_ASSERT_EQUAL_FATAL(host_fake_open_submissions(rig->host), 1);
	snprintf(expected, sizeof(expected), "look\n[The file a.txt %s.]", sentence);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text, expected);
	CU_ASSERT_EQUAL(host_fake_last(rig->host)->attachments, 1);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->files[0].spool_path, "");
	host_fake_verdict(rig->host, verdict);
	rig_destroy(rig);
}

static void ask_is_lost(struct rig *rig)
{
	host_fake_fault(call_of(rig, 0, "/getFile"), CG_HTTP_NOT_DISPATCHED);
}

static void ask_is_refused(struct rig *rig)
{
	host_fake_answer(call_of(rig, 0, "/getFile"), 400,
		"{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: file is "
		"too big\"}");
}

static void size_is_over(struct rig *rig)
{
	found(rig, 0, ",\"file_size\":20971521");
}

static void path_leads_elsewhere(struct rig *rig)
{
	host_fake_answer(call_of(rig, 0, "/getFile"), 200,
		"{\"ok\":true,\"result\":{\"file_path\":\"../../etc/passwd\"}}");
}

static void download_is_missing(struct rig *rig)
{
	found(rig, 0, "");
	host_fake_answer(call_of(rig, 0, "/file/bot"), 404, "");
}

static void download_is_cut(struct rig *rig)
{
	found(rig, 0, ",\"file_size\":6");
	fetched(rig, 0, "hello");
}

static void disk_is_full(struct rig *rig)
{
	rig->host->refuse_spool = true;
	found(rig, 0, "");
}

static void a_file_that_fails_is_named(void)
{
	check_failure(
		ask_is_lost, "could not be fetched from Telegram", CG_VERDICT_COMMITTED);
	check_failure(ask_is_refused,
		"is larger than the 20 MB that Telegram gives to bots",
		CG_VERDICT_COMMITTED);
	check_failure(size_is_over,
		"is larger than the 20 MB that Telegram gives to bots",
		CG_VERDICT_DUPLICATE);
	check_failure(path_leads_elsewhere, "could not be fetched from Telegram",
		CG_VERDICT_COMMITTED);
	check_failure(download_is_missing, "could not be fetched from Telegram",
		CG_VERDICT_COMMITTED);
	check_failure(
		download_is_cut, "came incomplete from Telegram", CG_VERDICT_INVALID);
	check_failure(disk_is_full, "could not be stored here", CG_VERDICT_UNAVAILABLE);
}

static void twenty_megabytes_are_the_end(void)
{
	struct rig *rig = subject_up(&subject_telegram);
	static char piece[1 << 20];
	struct cg_http_call *call;

	poll_brings(rig, UPDATES(UPDATE_DOCUMENT(100, 9, "")));
	found(rig, 0, "");
	call = call_of(rig, 0, "/file/bot");
	for (int i = 0; i < 20; i++)
		CU_ASSERT_TRUE(host_fake_stream(call, piece, sizeof(piece)));
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 0);
	CU_ASSERT_FALSE(host_fake_stream(call, piece, 1));
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 1);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text,
		"[The file a.txt is larger than the 20 MB that Telegram gives to bots.]");
	rig_destroy(rig);
}

/* A type that somebody claimed is believed when the first bytes are of it. */
static void a_picture_that_is_none(void)
{
	struct rig *rig = subject_up(&subject_telegram);

	poll_brings(rig, UPDATES("{\"update_id\":1,\"message\":{" UPDATE_CHAT(
				 9) ",\"photo\":[{\"file_id\":\"p\"}]}}"));
	found(rig, 0, "");
	fetched(rig, 0, "<html>");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->files[0].mime_type,
		"application/octet-stream");
	rig_destroy(rig);
	rig = subject_up(&subject_telegram);
	poll_brings(rig, UPDATES("{\"update_id\":1,\"message\":{" UPDATE_CHAT(
				 9) ",\"photo\":[{\"file_id\":\"p\"}]}}"));
	found(rig, 0, "");
	fetched(rig, 0, "\xFF\xD8\xFF\xE0");
	CU_ASSERT_STRING_EQUAL(
		host_fake_last(rig->host)->files[0].mime_type, "image/jpeg");
	rig_destroy(rig);
}

static void order_is_kept_in_a_chat_and_not_between_chats(void)
{
	struct rig *rig = subject_up(&subject_telegram);

	poll_brings(rig, UPDATES(UPDATE_DOCUMENT(100, 9, "") "," UPDATE_TEXT(101, 9,
				 "after it") "," UPDATE_TEXT(102, 8, "elsewhere")));
	CU_ASSERT_EQUAL_FATAL(host_fake_open_submissions(rig->host), 1);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "102");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 0);
	found(rig, 0, "");
	fetched(rig, 0, "x");
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 2);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "101");
	CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_STRING_EQUAL(host_fake_kept(rig->host, "offset:42"), "103");
	rig_destroy(rig);
}

static void files_come_a_few_at_a_time(void)
{
	struct rig *rig = subject_up(&subject_telegram);

	poll_brings(
		rig, UPDATES(UPDATE_DOCUMENT(100, 1, "") "," UPDATE_DOCUMENT(101, 2,
			     "") "," UPDATE_DOCUMENT(102, 3, "") "," UPDATE_DOCUMENT(103,
			     4, "") "," UPDATE_DOCUMENT(104, 5, "")));
	CU_ASSERT_PTR_NOT_NULL(host_fake_nth_call(rig->host, 3));
	CU_ASSERT_PTR_NULL(host_fake_nth_call(rig->host, 4));
	ask_is_lost(rig);
	CU_ASSERT_PTR_NOT_NULL(host_fake_nth_call(rig->host, 3));
	rig_destroy(rig);
}

/* Fetches end with a stop, the message is asked for again, nothing is left in the spool. */
static void a_stop_gives_back_what_was_not_submitted(void)
{
	struct rig *rig = subject_up(&subject_telegram);

	poll_brings(rig, UPDATES(UPDATE_DOCUMENT(100, 9, "")));
	found(rig, 0, "");
	rig->provider->ops->stop(rig->self);
	CU_ASSERT_PTR_NULL(host_fake_nth_call(rig->host, 0));
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 0);
	CU_ASSERT_EQUAL(rmdir(rig->host->spool), 0);
	rig->host->spool[0] = '\0';
	CU_ASSERT_EQUAL(rig->provider->ops->start(rig->self, NULL), CG_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(host_fake_open_poll(rig->host)->url, "/getMe"));
	rig_destroy(rig);
}

/* ---- Albums ---- */

static void end_album(struct rig *rig, size_t files)
{
	for (size_t i = 0; i < files; i++)
		found(rig, 0, "");
	for (size_t i = 0; i < files; i++)
		fetched(rig, 0, "\xFF\xD8\xFF");
}

static void an_album_is_one_message(void)
{
	struct rig *rig = subject_up(&subject_telegram);

	poll_brings(
		rig, UPDATES(UPDATE_PICTURE(100, "g", "") "," UPDATE_PICTURE(101, "g",
			     ",\"caption\":\"both\"") "," UPDATE_TEXT(102, 9, "after")));
	end_album(rig, 2);
	CU_ASSERT_EQUAL_FATAL(host_fake_open_submissions(rig->host), 2);
	CU_ASSERT_STRING_EQUAL(rig->host->submissions[0].event_id, "100");
	CU_ASSERT_STRING_EQUAL(rig->host->submissions[0].text, "both");
	CU_ASSERT_EQUAL(rig->host->submissions[0].attachments, 2);
	CU_ASSERT_STRING_EQUAL(rig->host->submissions[0].files[1].file_id, "P101");
	CU_ASSERT_STRING_EQUAL(rig->host->submissions[1].text, "after");
	rig_destroy(rig);
}

/* The end of a batch may be the middle of an album: Telegram keeps it for a moment. */
static void an_album_is_waited_for(void)
{
	struct rig *rig = subject_up(&subject_telegram);

	poll_brings(rig, UPDATES(UPDATE_PICTURE(100, "g", "")));
	CU_ASSERT_PTR_NULL(host_fake_nth_call(rig->host, 0));
	CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
	host_fake_pass(rig->host, 700);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_poll(rig->host)->body, "\"offset\":100,"));
	poll_brings(rig,
		UPDATES(UPDATE_PICTURE(100, "g", "") "," UPDATE_PICTURE(101, "g", "")));
	CU_ASSERT_PTR_NULL(host_fake_nth_call(rig->host, 0));
	host_fake_pass(rig->host, 700);
	poll_brings(rig,
		UPDATES(UPDATE_PICTURE(100, "g", "") "," UPDATE_PICTURE(101, "g", "")));
	end_album(rig, 2);
	CU_ASSERT_EQUAL_FATAL(host_fake_open_submissions(rig->host), 1);
	CU_ASSERT_EQUAL(host_fake_last(rig->host)->attachments, 2);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->checkpoint, "102");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_poll(rig->host)->body, "\"offset\":102,"));
	rig_destroy(rig);
}

static void an_album_that_grows_for_ever_is_taken(void)
{
	struct rig *rig = subject_up(&subject_telegram);
	char batch[4096];
	size_t at;
	int polls = 0;

	while (host_fake_nth_call(rig->host, 0) == NULL && polls < 20) {
		at = (size_t)snprintf(batch, sizeof(batch), "{\"ok\":true,\"result\":[");
		for (int i = 0; i <= polls; i++)
			at += (size_t)snprintf(batch + at, sizeof(batch) - at,
				"%s{\"update_id\":%d,\"message\":{" UPDATE_CHAT(
					9) ",\"media_group_id\":\"g\",\"voice\":{"
					   "\"file_id\":\"v\"}}}",
				i == 0 ? "" : ",", 100 + i);
		snprintf(batch + at, sizeof(batch) - at, "]}");
		poll_brings(rig, batch);
		host_fake_pass(rig->host, 700);
		polls++;
	}
	CU_ASSERT_EQUAL(polls, 4);
	rig_destroy(rig);
}

/* ---- Groups that move ---- */

static void a_group_keeps_its_name_when_it_moves(void)
{
	struct rig *rig = subject_up(&subject_telegram);
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	/* What follows in the same batch waits until the new name is stored. */
	poll_brings(rig, UPDATES(UPDATE_GROUP(100, -5,
				 ",\"migrate_to_chat_id\":-1005") "," UPDATE_GROUP(101,
				 -1005, ",\"text\":\"/new\"")));
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 2);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 1);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL_FATAL(host_fake_open_submissions(rig->host), 1);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "101");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->chat_id, "-5");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_STRING_EQUAL(host_fake_kept(rig->host, "offset:42"), "102");
	outbound.target.chat_id = "-5";
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_call(rig->host)->body, "\"chat_id\":-1005"));
	rig_destroy(rig);
}

static void a_move_that_was_not_stored_comes_again(void)
{
	struct rig *rig = subject_up(&subject_telegram);

	poll_brings(rig, UPDATES(UPDATE_GROUP(100, -5, ",\"migrate_to_chat_id\":-1005")));
	host_fake_verdict(rig->host, CG_VERDICT_UNAVAILABLE);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	host_fake_pass(rig->host, 2000);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_poll(rig->host)->body, "\"offset\":100,"));
	rig_destroy(rig);
}

static const char upgraded[] =
	"{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: group chat was "
	"upgraded to a supergroup chat\",\"parameters\":{\"migrate_to_chat_id\":-1005}}";

static void a_send_follows_its_group(void)
{
	struct rig *rig = subject_up(&subject_telegram);
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	outbound.target.chat_id = "-5";
	outbound.target.is_direct = false;
	outbound.target.message_id = "7";
	rig_send(rig, &outbound, &sent);
	host_fake_answer(host_fake_open_call(rig->host), 400, upgraded);
	CU_ASSERT_EQUAL(sent.count, 0);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_call(rig->host)->body, "\"chat_id\":-1005"));
	CU_ASSERT_PTR_NULL(
		strstr(host_fake_open_call(rig->host)->body, "reply_parameters"));
	CU_ASSERT_STRING_EQUAL(host_fake_kept(rig->host, "moved-to:-5"), "-1005");
	CU_ASSERT_STRING_EQUAL(host_fake_kept(rig->host, "moved-from:-1005"), "-5");
	host_fake_answer(host_fake_open_call(rig->host), 400, upgraded); /* never twice */
	CU_ASSERT_EQUAL(sent.count, 1);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	rig_destroy(rig);

	rig = subject_up(&subject_telegram);
	outbound.kind = CG_OUTBOUND_EDIT;
	rig_send(rig, &outbound, &sent);
	host_fake_answer(host_fake_open_call(rig->host), 400, upgraded);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_MESSAGE); /* it goes out anew */
	rig_destroy(rig);
}

/* ---- Buttons that do nothing ---- */

static void a_press_without_data_is_answered(void)
{
	struct rig *rig = subject_up(&subject_telegram);

	poll_brings(rig,
		UPDATES("{\"update_id\":1,\"callback_query\":{\"id\":\"q9\"," UPDATE_FROM
			"}}"));
	CU_ASSERT_STRING_EQUAL(call_of(rig, 0, "/answerCallbackQuery")->body,
		"{\"callback_query_id\":\"q9\"}");
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 0);
	host_fake_answer(host_fake_nth_call(rig->host, 0), 400, "{\"ok\":false}");
	CU_ASSERT_PTR_NOT_NULL(host_fake_open_poll(rig->host));
	rig_destroy(rig);
}

UNIT_SUITE(telegram_intake, UNIT_TEST(a_file_is_there_before_its_message),
	UNIT_TEST(a_file_that_fails_is_named), UNIT_TEST(twenty_megabytes_are_the_end),
	UNIT_TEST(a_picture_that_is_none),
	UNIT_TEST(order_is_kept_in_a_chat_and_not_between_chats),
	UNIT_TEST(files_come_a_few_at_a_time),
	UNIT_TEST(a_stop_gives_back_what_was_not_submitted),
	UNIT_TEST(an_album_is_one_message), UNIT_TEST(an_album_is_waited_for),
	UNIT_TEST(an_album_that_grows_for_ever_is_taken),
	UNIT_TEST(a_group_keeps_its_name_when_it_moves),
	UNIT_TEST(a_move_that_was_not_stored_comes_again),
	UNIT_TEST(a_send_follows_its_group), UNIT_TEST(a_press_without_data_is_answered));
