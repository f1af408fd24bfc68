/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/telegram/telegram.h"
#include "tests/support/rig.h"
#include "tests/support/telegram_bot.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define UNREACHABLE "could not be fetched from Telegram"
#define TOO_LARGE "is larger than the 20 MB that Telegram gives to bots"

struct scene {
	struct rig *rig;
	struct telegram_message message;
	struct telegram_fetch fetch;
	int done;
};

static void count(void *arg)
{
	struct scene *scene = arg;

	scene->done++;
}

/* A file of @bytes that claims to be of @mime_type. */
static void set_up(struct scene *ret, int64_t bytes, const char *mime_type)
{
	*ret = (struct scene){
		.rig = rig_new(cg_plugin.providers[0], telegram_bot_settings),
		.message = {.attachment = {.file_id = "F1",
				    .mime_type = mime_type,
				    .bytes = bytes},
			.filename = "a.txt"},
	};
	CU_ASSERT_EQUAL_FATAL(rig_create(ret->rig, NULL), CG_OK);
	telegram_fetch_init(&ret->fetch, ret->rig->self, &ret->message, count, ret);
	telegram_fetch_start(&ret->fetch);
}

static void tear_down(struct scene *scene)
{
	telegram_fetch_finish(&scene->fetch);
	rig_destroy(scene->rig);
}

/* The platform says where the file is. */
static void found(struct scene *scene, const char *path, const char *more)
{
	char body[1024];

	snprintf(body, sizeof(body), "{\"ok\":true,\"result\":{\"file_path\":\"%s\"%s}}",
		path, more);
	host_fake_answer(host_fake_open_call(scene->rig->host), 200, body);
}

static void bring(struct scene *scene, const char *bytes, size_t length)
{
	struct cg_http_call *call = host_fake_open_call(scene->rig->host);

	CU_ASSERT_TRUE(host_fake_stream(call, bytes, length));
	host_fake_answer(call, 200, "");
	host_fake_pass(scene->rig->host, 0);
}

static void a_start_that_fails_is_done_without_a_call(void)
{
	struct scene scene;

	set_up(&scene, TELEGRAM_FILE_IN + INT64_C(1), NULL);
	CU_ASSERT_EQUAL(scene.fetch.state, TELEGRAM_FETCH_DONE);
	CU_ASSERT_STRING_EQUAL(scene.fetch.failure, TOO_LARGE);
	CU_ASSERT_EQUAL(scene.rig->host->call_count, 0);
	CU_ASSERT_EQUAL(scene.done, 0);
	telegram_fetch_init(&scene.fetch, scene.rig->self, &scene.message, count, &scene);
	scene.fetch.bytes = TELEGRAM_FILE_IN;
	scene.rig->host->refuse_http = true;
	telegram_fetch_start(&scene.fetch);
	CU_ASSERT_EQUAL(scene.fetch.state, TELEGRAM_FETCH_DONE);
	CU_ASSERT_STRING_EQUAL(scene.fetch.failure, UNREACHABLE);
	CU_ASSERT_EQUAL(scene.done, 0);
	tear_down(&scene);
}

static void it_is_asked_for_and_brought(void)
{
	struct scene scene;

	set_up(&scene, -1, "text/plain");
	CU_ASSERT_EQUAL(scene.fetch.state, TELEGRAM_FETCH_RUNNING);
	CU_ASSERT_NOT_EQUAL(
		host_fake_open_call(scene.rig->host)->flags & CG_HTTP_IDEMPOTENT, 0);
	found(&scene, "documents/a b%.txt", "");
	CU_ASSERT_STRING_EQUAL(host_fake_open_call(scene.rig->host)->url,
		"https://api.telegram.org/file/bot" TELEGRAM_TOKEN
		"/documents/a%20b%25.txt");
	CU_ASSERT_STRING_EQUAL(host_fake_open_call(scene.rig->host)->method, "GET");
	CU_ASSERT_EQUAL(scene.done, 0);
	bring(&scene, "hello", 5);
	CU_ASSERT_EQUAL(scene.done, 1);
	CU_ASSERT_EQUAL(scene.fetch.state, TELEGRAM_FETCH_DONE);
	CU_ASSERT_PTR_NULL(scene.fetch.failure);
	CU_ASSERT_EQUAL(scene.fetch.bytes, 5);
	CU_ASSERT_STRING_EQUAL(scene.fetch.mime_type, "text/plain");
	CU_ASSERT_STRING_EQUAL(scene.fetch.filename, "a.txt");
	tear_down(&scene);
}

static void a_path_stays_below(void)
{
	char longest[514];
	const char *const paths[] = {
		"../secret", "a/../../b", "/etc/passwd", "", " ", longest};
	struct scene scene;

	memset(longest, 'a', 513);
	longest[513] = '\0';
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		set_up(&scene, -1, NULL);
		found(&scene, paths[i], "");
		CU_ASSERT_EQUAL(scene.done, 1);
		CU_ASSERT_STRING_EQUAL(scene.fetch.failure, UNREACHABLE);
		CU_ASSERT_EQUAL(scene.rig->host->call_count, 1);
		tear_down(&scene);
	}
	longest[512] = '\0';
	set_up(&scene, -1, NULL);
	found(&scene, longest, "");
	CU_ASSERT_EQUAL(scene.done, 0);
	CU_ASSERT_EQUAL(scene.rig->host->call_count, 2);
	tear_down(&scene);
}

static void a_kind_is_believed_by_its_first_bytes(void)
{
	static const struct {
		const char *claimed, *bytes, *believed;
		size_t length;
	} rows[] = {
		{"image/png", "\x89PNG\r\n", "image/png", 6},
		{"image/png", "\x89PN", "application/octet-stream", 3},
		{"image/png", "<html>", "application/octet-stream", 6},
		{"image/webp", "RIFF....WEBP", "image/webp", 12},
		{"image/webp", "WEBP....RIFF", "application/octet-stream", 12},
		{"video/mp4", "....ftyp", "video/mp4", 8},
		{"text/html", "anything", "text/html", 8},
	};
	struct scene scene;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		set_up(&scene, -1, rows[i].claimed);
		found(&scene, "a", "");
		bring(&scene, rows[i].bytes, rows[i].length);
		CU_ASSERT_STRING_EQUAL(scene.fetch.mime_type, rows[i].believed);
		tear_down(&scene);
	}
}

static void what_is_cut_is_thrown_away(void)
{
	struct scene scene;

	set_up(&scene, 4, NULL); /* as the message said */
	found(&scene, "a", ",\"file_size\":6"); /* as the platform knows better */
	bring(&scene, "hello", 5);
	CU_ASSERT_STRING_EQUAL(scene.fetch.failure, "came incomplete from Telegram");
	CU_ASSERT_STRING_EQUAL(scene.fetch.path, "");
	CU_ASSERT_EQUAL(scene.done, 1);
	tear_down(&scene);
}

static void what_the_platform_refuses_is_named(void)
{
	struct scene scene;

	set_up(&scene, -1, NULL);
	host_fake_answer(host_fake_open_call(scene.rig->host), 400,
		"{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: File "
		"is too big\"}");
	CU_ASSERT_STRING_EQUAL(scene.fetch.failure, TOO_LARGE);
	tear_down(&scene);
	set_up(&scene, -1, NULL);
	found(&scene, "a", ",\"file_size\":20971521");
	CU_ASSERT_STRING_EQUAL(scene.fetch.failure, TOO_LARGE);
	tear_down(&scene);
	set_up(&scene, -1, NULL);
	host_fake_answer(host_fake_open_call(scene.rig->host), 200, "<html>");
	CU_ASSERT_STRING_EQUAL(scene.fetch.failure, UNREACHABLE);
	CU_ASSERT_EQUAL(scene.done, 1);
	tear_down(&scene);
	set_up(&scene, -1, NULL);
	scene.rig->host->refuse_spool = true;
	found(&scene, "a", "");
	host_fake_pass(scene.rig->host, 0);
	CU_ASSERT_STRING_EQUAL(scene.fetch.failure, "could not be stored here");
	CU_ASSERT_EQUAL(scene.done, 1);
	tear_down(&scene);
}

static void an_end_takes_back_and_a_kept_file_stays(void)
{
	struct cg_http_call *call;
	char path[CG_SPOOL_PATH];
	struct scene scene;

	set_up(&scene, -1, NULL);
	call = host_fake_open_call(scene.rig->host);
	telegram_fetch_finish(&scene.fetch);
	CU_ASSERT_TRUE(call->cancelled);
	tear_down(&scene); /* twice is as once */
	set_up(&scene, -1, NULL);
	found(&scene, "a", "");
	call = host_fake_open_call(scene.rig->host);
	telegram_fetch_finish(&scene.fetch);
	CU_ASSERT_TRUE(call->cancelled);
	CU_ASSERT_EQUAL(scene.done, 0);
	tear_down(&scene);
	for (int kept = 0; kept < 2; kept++) {
		set_up(&scene, -1, NULL);
		found(&scene, "a", "");
		bring(&scene, "hello", 5);
		snprintf(path, sizeof(path), "%s", scene.fetch.path);
		CU_ASSERT_EQUAL(access(path, F_OK), 0);
		if (kept)
			telegram_fetch_keep(&scene.fetch);
		telegram_fetch_finish(&scene.fetch);
		CU_ASSERT_EQUAL(access(path, F_OK), kept ? 0 : -1);
		tear_down(&scene);
	}
}

UNIT_SUITE(telegram_fetch, UNIT_TEST(a_start_that_fails_is_done_without_a_call),
	UNIT_TEST(it_is_asked_for_and_brought), UNIT_TEST(a_path_stays_below),
	UNIT_TEST(a_kind_is_believed_by_its_first_bytes),
	UNIT_TEST(what_is_cut_is_thrown_away),
	UNIT_TEST(what_the_platform_refuses_is_named),
	UNIT_TEST(an_end_takes_back_and_a_kept_file_stays));
