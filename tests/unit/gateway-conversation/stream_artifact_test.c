/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/artifact_file.h"
#include "gateway/conversation/stream_inside.h"

#include "tests/unit/gateway-conversation/conversation_rig.h"

#define MADE \
	"{\"artifactId\":\"art-1\",\"filename\":\"plan.txt\",\"contentType\":" \
	"\"text/plain\"}"

static void begin(struct talk *talk)
{
	talk_prepare(talk, NULL);
	talk->extensions = "{\"extensions\":[\"artifacts.path\"],\"epoch\":\"e1\"}";
	talk->yard.capabilities.max_file = 10;
	talk_open(talk);
	talk_start(talk);
	talk_converse(talk);
}

static char *make_file(struct talk *talk, size_t bytes)
{
	static char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/made", talk->yard.rig.directory);
	file = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	for (size_t i = 0; i < bytes; i++)
		fputc('x', file);
	fclose(file);
	return path;
}

static void answer_path(struct talk *talk, const char *path)
{
	char json[512];

	snprintf(json, sizeof(json),
		"{\"artifact\":{\"artifactId\":\"art-1\",\"filename\":\"plan.txt\","
		"\"contentType\":\"text/plain\",\"path\":\"%s\"}}",
		path);
	talk_answer(talk, "/artifacts/art-1", 200, json);
	talk_await_credit(talk);
}

static struct stream *stream_of(struct talk *talk)
{
	return stream_find(talk->conversation, "bind-1");
}

/* The file stands behind the text before it and before the text after it. */
static void a_file_keeps_its_place(void)
{
	struct talk talk;
	char *path;

	begin(&talk);
	path = make_file(&talk, 10);
	talk_says(&talk, 1, "m1", "before");
	talk_event(&talk, 2, "session.idle", NULL);
	talk_await_credit(&talk);
	CU_ASSERT_FALSE(talk_event(&talk, 3, "artifact.created", MADE));
	talk_expect(&talk, "/artifacts/art-1");
	CU_ASSERT_STRING_EQUAL(talk.current->query, "transfer=path");
	cloud_fake_answer(talk.current, 503, NULL); /* it is asked for once more */
	TALK_UNTIL(&talk, loop_timer_pending(&stream_of(&talk)->retry));
	loop_timer_clear(&stream_of(&talk)->retry);
	stream_of(&talk)->retry.fire(stream_of(&talk)->retry.arg);
	answer_path(&talk, path);
	CU_ASSERT_EQUAL(talk_cursor(&talk), 3);
	talk_says(&talk, 4, "m2", "after");
	talk_event(&talk, 5, "session.idle", NULL);
	talk_await_credit(&talk);
	CU_ASSERT_EQUAL(talk_count(&talk,
				"SELECT count(*) FROM outbox WHERE file_name = 'plan.txt'"
				" AND file_bytes = 10 AND file_mime = 'text/plain' AND id"
				" > (SELECT id FROM outbox WHERE source = 'before') AND"
				" id < (SELECT id FROM outbox WHERE source = 'after')"),
		1);
	unlink(path);
	talk_finish(&talk);
}

/* What cannot be sent is said, by its name. */
static void a_file_that_cannot_be_sent_is_named(void)
{
	struct talk talk;
	char *path;

	begin(&talk);
	path = make_file(&talk, 11);
	talk_event(&talk, 1, "artifact.created", MADE);
	answer_path(&talk, path);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "📎 plan.txt: the agent made this file, "
						 "but it is too large for this chat.");
	unlink(path);
	talk_event(&talk, 2, "artifact.updated", MADE);
	answer_path(&talk, path);
	CU_ASSERT_PTR_NOT_NULL(strstr(talk_said(&talk), "could not be fetched"));
	talk.yard.capabilities.max_file = 0;
	talk_event(&talk, 3, "artifact.updated", MADE); /* it is not even asked for */
	talk_await_credit(&talk);
	CU_ASSERT_PTR_NOT_NULL(strstr(talk_said(&talk), "carries no files"));
	talk.yard.capabilities.max_file = 10;
	talk_event(&talk, 4, "artifact.created", MADE);
	talk_answer(&talk, "/artifacts/art-1", 404, NULL);
	talk_await_credit(&talk);
	CU_ASSERT_EQUAL(talk_cursor(&talk), 4);
	CU_ASSERT(talk_event(&talk, 5, "artifact.created", "{}")); /* none at all */
	talk_finish(&talk);
}

/* While a text is open the cursor stays before it: the same file comes again, once. */
static void a_file_amid_a_text_does_not_move_the_cursor(void)
{
	struct talk talk;
	char *path;

	begin(&talk);
	path = make_file(&talk, 5);
	talk_says(&talk, 1, "m1", "open");
	talk_event(&talk, 2, "artifact.created", MADE);
	answer_path(&talk, path);
	CU_ASSERT_EQUAL(talk_cursor(&talk), 0);
	talk_restart(&talk);
	talk_reconnect(&talk);
	talk_says(&talk, 1, "m1", "open");
	talk_event(&talk, 2, "artifact.created", MADE);
	answer_path(&talk, path);
	talk_event(&talk, 3, "session.idle", NULL);
	talk_await_credit(&talk);
	CU_ASSERT_EQUAL(
		talk_count(
			&talk, "SELECT count(*) FROM outbox WHERE file_name IS NOT NULL"),
		1);
	unlink(path);
	talk_finish(&talk);
}

/* A Cloud sends the bytes. */
static void begin_afar(struct talk *talk)
{
	talk_prepare(talk, NULL);
	talk->extensions = NULL;
	talk->yard.capabilities.max_file = 10;
	talk_open(talk);
	talk_start(talk);
	talk_converse(talk);
}

static void answer_bytes(struct talk *talk, const char *base64)
{
	char json[512];

	snprintf(json, sizeof(json),
		"{\"artifact\":{\"artifactId\":\"art-1\",\"filename\":\"plan.txt\","
		"\"contentType\":\"text/plain\",\"dataBase64\":\"%s\"}}",
		base64);
	talk_answer(talk, "/artifacts/art-1", 200, json);
	talk_await_credit(talk);
}

static void ask_again(struct talk *talk)
{
	TALK_UNTIL(talk, loop_timer_pending(&stream_of(talk)->retry));
	loop_timer_clear(&stream_of(talk)->retry);
	stream_of(talk)->retry.fire(stream_of(talk)->retry.arg);
}

static void stored_path(struct talk *talk, char ret[256])
{
	sqlite3 *db;
	sqlite3_stmt *statement;

	CU_ASSERT_EQUAL_FATAL(sqlite3_open(talk->yard.rig.path, &db), SQLITE_OK);
	sqlite3_prepare_v2(db,
		"SELECT file_path FROM outbox WHERE file_name = 'plan.txt' AND file_mime "
		"= 'text/plain' AND file_bytes = 5",
		-1, &statement, NULL);
	CU_ASSERT_EQUAL_FATAL(sqlite3_step(statement), SQLITE_ROW);
	snprintf(ret, 256, "%s", (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

static void the_bytes_of_a_cloud_become_a_file(void)
{
	char path[256], bytes[16] = "";
	struct talk talk;
	FILE *file;

	begin_afar(&talk);
	CU_ASSERT_FALSE(talk_event(&talk, 1, "artifact.created", MADE));
	answer_bytes(&talk, "aGVsbG8=");
	CU_ASSERT_EQUAL(talk_cursor(&talk), 1);
	CU_ASSERT_EQUAL(talk.conversation->fetching, 0);
	stored_path(&talk, path);
	CU_ASSERT_PTR_NOT_NULL(strstr(path, talk.yard.rig.directory));
	file = fopen(path, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(fread(bytes, 1, sizeof(bytes), file), 5);
	fclose(file);
	CU_ASSERT_STRING_EQUAL(bytes, "hello");
	unlink(path);
	talk_finish(&talk);
}

static void a_file_of_a_cloud_that_cannot_be_had_is_named(void)
{
	struct talk talk;

	begin_afar(&talk);
	/* Too large, as the event says: not asked for. */
	talk_event(&talk, 1, "artifact.created",
		"{\"artifactId\":\"art-1\",\"filename\":\"big\",\"size\":11}");
	talk_await_credit(&talk);
	CU_ASSERT_PTR_NOT_NULL(strstr(talk_said(&talk), "big: the agent made this file, "
							"but it is too large"));
	/* As its answer shows. */
	talk_event(&talk, 2, "artifact.created", MADE);
	cloud_fake_fail(talk_expect(&talk, "/artifacts/art-1"), CG_LIMIT, NULL);
	talk_await_credit(&talk);
	CU_ASSERT_PTR_NOT_NULL(strstr(talk_said(&talk), "plan.txt: the agent made this "
							"file, but it is too large"));
	/* As its bytes show: the directory has the journal alone afterwards. */
	talk_event(&talk, 3, "artifact.updated", MADE);
	answer_bytes(&talk, "aGVsbG8gaGVsbG8=");
	CU_ASSERT_PTR_NOT_NULL(strstr(talk_said(&talk), "too large"));
	/* No base64. */
	talk_event(&talk, 4, "artifact.updated", MADE);
	answer_bytes(&talk, "?");
	CU_ASSERT_PTR_NOT_NULL(strstr(talk_said(&talk), "could not be fetched"));
	CU_ASSERT_EQUAL(talk_cursor(&talk), 4);
	talk_finish(&talk);
}

/* A Cloud that has no store for files says so with 503, for ever; one that is away says nothing. */
static void a_file_is_given_up_after_a_while(void)
{
	struct talk talk;

	begin_afar(&talk);
	talk_event(&talk, 1, "artifact.created", MADE);
	for (int i = 0; i < 20; i++) {
		cloud_fake_fail(talk_expect(&talk, "/artifacts/art-1"), CG_NETWORK, NULL);
		ask_again(&talk);
	}
	for (int i = 0; i < 7; i++) {
		cloud_fake_answer(talk_expect(&talk, "/artifacts/art-1"), 503, NULL);
		ask_again(&talk);
	}
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "");
	cloud_fake_answer(talk_expect(&talk, "/artifacts/art-1"), 503, NULL);
	talk_await_credit(&talk);
	CU_ASSERT_PTR_NOT_NULL(strstr(talk_said(&talk), "could not be fetched"));
	CU_ASSERT_EQUAL(talk_cursor(&talk), 1);
	talk_finish(&talk);
}

/* Each lies in memory whole for a moment. */
static void few_files_are_fetched_at_a_time(void)
{
	struct talk talk;

	begin_afar(&talk);
	talk.conversation->fetching = ARTIFACT_FILES;
	talk_event(&talk, 1, "artifact.created", MADE);
	talk_turn(&talk);
	ask_again(&talk);
	talk_expect_nothing(&talk);
	talk.conversation->fetching = 0;
	ask_again(&talk);
	talk_expect(&talk, "/artifacts/art-1");
	CU_ASSERT_EQUAL(talk.conversation->fetching, 1);
	stream_destroy(stream_of(&talk)); /* and its place is free again */
	CU_ASSERT_EQUAL(talk.conversation->fetching, 0);
	talk_finish(&talk);
}

UNIT_SUITE(stream_artifact, UNIT_TEST(a_file_keeps_its_place),
	UNIT_TEST(a_file_that_cannot_be_sent_is_named),
	UNIT_TEST(a_file_amid_a_text_does_not_move_the_cursor),
	UNIT_TEST(the_bytes_of_a_cloud_become_a_file),
	UNIT_TEST(a_file_of_a_cloud_that_cannot_be_had_is_named),
	UNIT_TEST(a_file_is_given_up_after_a_while),
	UNIT_TEST(few_files_are_fetched_at_a_time));
