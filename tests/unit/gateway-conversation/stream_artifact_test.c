/* SPDX-License-Identifier: Apache-2.0 */
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
	talk_event(&talk, 3, "artifact.updated", MADE);
	answer_path(&talk, path);
	CU_ASSERT_PTR_NOT_NULL(strstr(talk_said(&talk), "carries no files"));
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

UNIT_SUITE(stream_artifact, UNIT_TEST(a_file_keeps_its_place),
	UNIT_TEST(a_file_that_cannot_be_sent_is_named),
	UNIT_TEST(a_file_amid_a_text_does_not_move_the_cursor));
