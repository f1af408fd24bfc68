/* SPDX-License-Identifier: Apache-2.0 */
/* What is deleted of a conversation or a person is not found any more, in any byte of the store. */
#include "control-plane/forget.h"

#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECRET "the words that must go"
#define FORGET "/api/channels/sessions/forget"

static void forget(struct fixture *f, const char *user, const char *threads)
{
	char body[512];

	snprintf(body, sizeof(body),
		"{\"channelBindingId\":\"telegram-binding\",\"provider\":\"telegram\","
		"\"externalChatId\":\"c1\",\"externalThreadIds\":%s,"
		"\"externalUserId\":\"%s\"}",
		threads, user);
	fixture_call_as(f, PLANE_GATEWAY, "POST", FORGET, body);
}

static void say_as(struct fixture *f, const char *user, const char *binding,
	const char *text, const char *more)
{
	char body[1024];

	snprintf(body, sizeof(body),
		"{\"bindingId\":\"%s\",\"externalUserId\":\"%s\",\"text\":\"%s\"%s}",
		binding, user, text, more);
	fixture_call_as(f, PLANE_GATEWAY, "POST", "/api/channels/sessions/prompt", body);
	CU_ASSERT_EQUAL(f->status, 202);
}

static void end_turn(struct fixture *f)
{
	struct agent_turn *turn = &f->turns[f->turn_count - 1];

	turn->sink.ended(turn->arg, AGENT_COMPLETED, NULL);
	fixture_settle(f);
}

static void answer(struct fixture *f, const char *text)
{
	struct agent_turn *turn = &f->turns[f->turn_count - 1];

	turn->sink.append(turn->arg, "m", text, strlen(text));
	end_turn(f);
}

static int64_t rows(struct fixture *f)
{
	return fixture_sql(f, "SELECT (SELECT count(*) FROM session)"
			      " + (SELECT count(*) FROM session_binding)"
			      " + (SELECT count(*) FROM command)"
			      " + (SELECT count(*) FROM event)"
			      " + (SELECT count(*) FROM message)"
			      " + (SELECT count(*) FROM message_chunk)"
			      " + (SELECT count(*) FROM file)");
}

static void a_conversation_goes_whole(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding, *other;
	char first[96], path[128];

	fixture_start(&f);
	other = fixture_bind(&f, "c2");
	say_as(&f, "1", other, "this stays", "");
	answer(&f, "as does this");
	binding = fixture_bind(&f, "c1");
	snprintf(first, sizeof(first), "%s", fixture_text(&f, "binding.sessionId"));
	snprintf(path, sizeof(path), "/api/channels/sessions/%s/events", binding);
	fixture_open(&f, &stream, path, "after=1");
	say_as(&f, "1", binding, SECRET,
		",\"attachments\":[{\"filename\":\"" SECRET ".txt\",\"data\":\"aGk=\"}]");
	answer(&f, "you said: " SECRET);
	CU_ASSERT_TRUE(fixture_stored(&f, SECRET));
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM file"), 1);
	forget(&f, "1", "[\"c1\",\"c1~1\"]");
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "forgotten"), "1");
	CU_ASSERT_FALSE(fixture_stored(&f, SECRET));
	CU_ASSERT_TRUE(fixture_stored(&f, "this stays"));
	CU_ASSERT_TRUE(fixture_stored(&f, "as does this"));
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM file"), 0);
	/* Its readers are told, and find nothing when they come back. */
	CU_ASSERT_TRUE(stream.ended);
	fixture_call(&f, "GET", path, NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	/* A repeat does no harm; the thread begins anew, and not under the id that it had. */
	forget(&f, "1", "[\"c1\"]");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "forgotten"), "0");
	fixture_bind(&f, "c1");
	CU_ASSERT_STRING_NOT_EQUAL(fixture_text(&f, "binding.sessionId"), first);
	stream.exchange = NULL;
	fixture_close(&stream);
	fixture_finish(&f);
}

static void what_works_is_stopped_first(void)
{
	struct fixture f;
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	say_as(&f, "1", binding, SECRET, "");
	say_as(&f, "1", binding, "and more", "");
	forget(&f, "1", "[\"c1\"]");
	CU_ASSERT_EQUAL(f.status, 429);
	CU_ASSERT_TRUE(f.retry_after_ms > 0);
	fixture_settle(&f);
	CU_ASSERT_TRUE(f.turns[0].cancelled);
	CU_ASSERT_EQUAL(f.turn_count, 1); /* what waited is not begun */
	forget(&f, "1", "[\"c1\"]"); /* not before it has ended */
	CU_ASSERT_EQUAL(f.status, 429);
	f.turns[0].sink.ended(f.turns[0].arg, AGENT_CANCELLED, NULL);
	fixture_settle(&f);
	forget(&f, "1", "[\"c1\"]");
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_EQUAL(rows(&f), 0);
	CU_ASSERT_FALSE(fixture_stored(&f, SECRET));
	fixture_finish(&f);
}

static void strangers_and_nonsense_are_refused(void)
{
	struct fixture f;
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	say_as(&f, "1", binding, "stays", "");
	end_turn(&f);
	forget(&f, "99", "[\"c1\"]");
	CU_ASSERT_EQUAL(f.status, 403);
	forget(&f, "1", "[]");
	CU_ASSERT_EQUAL(f.status, 400);
	forget(&f, "1", "[7]");
	CU_ASSERT_EQUAL(f.status, 400);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM message"), 1);
	fixture_finish(&f);
}

/* The row of a person by the id that the platform gives them. */
static void remove_person(struct fixture *f, const char *user)
{
	char path[128], id[64];
	size_t at = 0;

	fixture_call_as(f, PLANE_OPERATOR, "GET", "/api/channels/people", NULL);
	for (id[0] = '\0'; at < 10 && id[0] == '\0'; at++) {
		char key[32];

		snprintf(key, sizeof(key), "people.%zu.externalUserId", at);
		if (strcmp(fixture_text(f, key), user) != 0)
			continue;
		snprintf(key, sizeof(key), "people.%zu.identityId", at);
		snprintf(id, sizeof(id), "%s", fixture_text(f, key));
	}
	snprintf(path, sizeof(path), "/api/channels/people/%s", id);
	fixture_call_as(f, PLANE_OPERATOR, "DELETE", path, NULL);
}

static void a_person_goes_with_their_words(void)
{
	struct fixture f;
	const char *alone, *shared;

	fixture_start(&f);
	alone = fixture_bind(&f, "c1");
	say_as(&f, "2", alone, "to you alone: " SECRET, "");
	answer(&f, "heard alone: " SECRET);
	shared = fixture_bind(&f, "c2");
	say_as(&f, "2", shared, SECRET,
		",\"attachments\":[{\"filename\":\"" SECRET "\",\"data\":\"aGk=\"}]");
	answer(&f, "an answer to all");
	say_as(&f, "1", shared, "what another says", "");
	end_turn(&f);
	CU_ASSERT_TRUE(fixture_stored(&f, SECRET));
	remove_person(&f, "2");
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "forgotten"), "1");
	CU_ASSERT_FALSE(fixture_stored(&f, SECRET));
	CU_ASSERT_TRUE(fixture_stored(&f, "an answer to all"));
	CU_ASSERT_TRUE(fixture_stored(&f, "what another says"));
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM file"), 0);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM session"), 1);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM identity WHERE"
					" external_user_id = '2'"),
		0);
	/* The shared one goes on, from the snapshot on as from its events. */
	say_as(&f, "1", shared, "and goes on", "");
	CU_ASSERT_PTR_NULL(strstr(f.turns[f.turn_count - 1].history, SECRET));
	end_turn(&f);
	fixture_finish(&f);
}

UNIT_SUITE(forget, UNIT_TEST(a_conversation_goes_whole),
	UNIT_TEST(what_works_is_stopped_first),
	UNIT_TEST(strangers_and_nonsense_are_refused),
	UNIT_TEST(a_person_goes_with_their_words));
