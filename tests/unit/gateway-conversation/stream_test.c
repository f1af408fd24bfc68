/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/stream.h"

#include "gateway/conversation/render.h"
#include "tests/faults/fault_vfs.h"
#include "tests/unit/gateway-conversation/conversation_rig.h"

#define SNAPSHOT(status, sequence, generating, messages) \
	"{\"session\":{\"sessionId\":\"sess-1\",\"status\":\"" status \
	"\"},\"projection\":{\"sequence\":" sequence \
	",\"view\":{\"isGenerating\":" generating ",\"messages\":[" messages "]}}}"
#define SAID(id, role, text) \
	"{\"id\":\"" id "\",\"role\":\"" role "\",\"content\":\"" text "\"}"

static int64_t is_open(struct talk *talk)
{
	return talk_count(talk, "SELECT open FROM cursor WHERE binding_id = 'bind-1'");
}

static void stream_moves_its_cursor_with_what_it_stores(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	CU_ASSERT(talk_event(&talk, 1, "session.status", "{\"statusType\":\"busy\"}"));
	CU_ASSERT_EQUAL(talk.yard.delivery->lease_count, 1);
	CU_ASSERT(talk_says(&talk, 2, "m1", "Hel"));
	CU_ASSERT(talk_says(&talk, 3, "m1", "lo"));
	talk_rest(&talk);
	CU_ASSERT_EQUAL(talk_cursor(&talk), 0);
	/* What ends it is the last event until it is stored. */
	CU_ASSERT_FALSE(talk_event(&talk, 4, "session.idle", NULL));
	CU_ASSERT_EQUAL(talk.yard.delivery->lease_count, 0);
	talk_await_credit(&talk);
	CU_ASSERT_EQUAL(talk_cursor(&talk), 4);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "Hello");
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT count(*) FROM outbox WHERE"
					  " delivery_id = 'sess-1:m1' AND"
					  " session_id = 'sess-1' AND chat_id = 'chat'"),
		1);
	/* A text that opens while another ends begins behind the cursor. */
	talk_says(&talk, 5, "m2", "two");
	CU_ASSERT_FALSE(talk_says(&talk, 6, "m3", "three"));
	talk_await_credit(&talk);
	CU_ASSERT_EQUAL(talk_cursor(&talk), 5);
	talk_finish(&talk);
}

static void stream_stores_an_error_with_the_text_before_it(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	talk_says(&talk, 1, "m1", "half");
	CU_ASSERT_FALSE(
		talk_event(&talk, 2, "runtime.error", "{\"message\":\"broken\"}"));
	talk_await_credit(&talk);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "half|⚠ broken");
	CU_ASSERT_EQUAL(talk_cursor(&talk), 2);
	talk_finish(&talk);
}

static void stream_resumes_and_stores_nothing_twice(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	talk_says(&talk, 1, "m1", "one");
	talk_event(&talk, 2, "session.idle", NULL);
	talk_await_credit(&talk);
	talk_says(&talk, 3, "m2", "tw");
	talk_restart(&talk);
	CU_ASSERT_EQUAL(talk.resumed, 1);
	talk_reconnect(&talk);
	CU_ASSERT_STRING_EQUAL(talk.stream->query, "after=2");
	/* From where it was stored: what was read and not stored comes again. */
	talk_says(&talk, 3, "m2", "tw");
	talk_says(&talk, 4, "m2", "o");
	/* An event that comes again all the same makes the same ids. */
	talk_says(&talk, 5, "m1", "one");
	talk_await_credit(&talk);
	talk_event(&talk, 6, "session.idle", NULL);
	talk_await_credit(&talk);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "one|two");
	CU_ASSERT_EQUAL(talk_cursor(&talk), 6);
	talk_finish(&talk);
}

static void stream_that_is_interrupted_reads_its_text_anew(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	talk_says(&talk, 1, "m1", "Hel");
	cloud_fake_fail(talk.stream, CG_NETWORK, "reset");
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_STREAM_LOST], 1);
	cloud_fake_advance(&talk.cloud, 30000);
	talk_reconnect(&talk);
	talk_says(&talk, 1, "m1", "Hel");
	talk_says(&talk, 2, "m1", "lo");
	talk_event(&talk, 3, "session.idle", NULL);
	talk_await_credit(&talk);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "Hello");
	talk_finish(&talk);
}

/* Slots and previews. */

static void slow_text(struct talk *talk)
{
	talk_says(talk, 1, "m1", "a");
	talk->yard.rig.now_ms += RENDER_SLOT_MS;
	CU_ASSERT(talk_says(talk, 2, "m1", "b"));
	talk_rest(talk);
}

static void stream_makes_a_slot_for_a_slow_text(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	slow_text(&talk);
	CU_ASSERT_EQUAL(talk_cursor(&talk), 0); /* nothing is final yet */
	yard_await(&talk.yard, 1);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[0].id, "sess-1:m1:slot");
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[0].text, "ab");
	yard_receipt(&talk.yard, 0, "900");
	TALK_UNTIL(&talk, delivery_in_flight(talk.yard.delivery) == 0);
	talk.yard.rig.now_ms += 1000;
	CU_ASSERT(talk_says(&talk, 3, "m1", "c"));
	CU_ASSERT_EQUAL_FATAL(talk.yard.count, 2);
	CU_ASSERT_EQUAL(talk.yard.sends[1].kind, CG_OUTBOUND_EDIT);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[1].text, "abc");
	yard_receipt(&talk.yard, 1, NULL);
	talk_event(&talk, 4, "session.idle", NULL);
	talk_await_credit(&talk);
	yard_await(&talk.yard, 3);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[2].id, "sess-1:m1");
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[2].edited, "900");
	CU_ASSERT_EQUAL(talk.yard.delivery->preview_count, 0);
	talk_finish(&talk);
}

static void stream_keeps_its_slot_through_a_reconnect(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	slow_text(&talk);
	yard_await(&talk.yard, 1);
	yard_receipt(&talk.yard, 0, "900");
	TALK_UNTIL(&talk, delivery_in_flight(talk.yard.delivery) == 0);
	cloud_fake_fail(talk.stream, CG_NETWORK, "reset");
	cloud_fake_advance(&talk.cloud, 30000);
	talk_reconnect(&talk);
	talk_says(&talk, 1, "m1", "a");
	talk.yard.rig.now_ms += RENDER_SLOT_MS;
	talk_says(&talk, 2, "m1", "b"); /* would be the slot again */
	talk_await_credit(&talk);
	talk.yard.rig.now_ms += 1000;
	talk_says(&talk, 3, "m1", "c");
	CU_ASSERT_EQUAL_FATAL(talk.yard.count, 2); /* its previews go on */
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[1].edited, "900");
	yard_receipt(&talk.yard, 1, NULL);
	talk_finish(&talk);
}

static void stream_needs_no_slot_where_nothing_can_be_edited(void)
{
	struct talk talk;

	talk_init(&talk);
	talk.yard.capabilities.edit = false;
	talk_converse(&talk);
	talk_says(&talk, 1, "m1", "a");
	talk.yard.rig.now_ms += 100 * RENDER_SLOT_MS;
	CU_ASSERT(talk_says(&talk, 2, "m1", "b"));
	talk_rest(&talk);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "");
	talk_finish(&talk);
}

/* Back-pressure and a disk that fails. */

static void stream_waits_while_the_outbox_is_full(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	talk.yard.rig.options.outbox_rows = 1;
	talk_restart(&talk);
	talk_reconnect(&talk);
	yard_say(&talk.yard, "other", "other chat");
	yard_await(&talk.yard, 1);
	talk_says(&talk, 1, "m1", "text");
	CU_ASSERT_FALSE(talk_event(&talk, 2, "session.idle", NULL));
	TALK_UNTIL(&talk, talk.conversation->starved);
	talk_rest(&talk);
	CU_ASSERT(talk.stream->paused);
	CU_ASSERT_EQUAL(talk_cursor(&talk), 0);
	yard_receipt(&talk.yard, 0, "1");
	talk_await_credit(&talk); /* there is room again */
	CU_ASSERT_FALSE(talk.conversation->starved);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "text|text");
	CU_ASSERT_EQUAL(talk_cursor(&talk), 2);
	talk_finish(&talk);
}

static void stream_stores_again_what_was_not_stored(void)
{
	struct talk talk;

	fault_vfs_install();
	talk_prepare(&talk, FAULT_VFS);
	talk_open(&talk);
	talk_start(&talk);
	talk_converse(&talk);
	talk_says(&talk, 1, "m1", "text");
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	talk_event(&talk, 2, "session.idle", NULL);
	TALK_UNTIL(&talk, talk.yard.rig.state != CG_OK);
	CU_ASSERT(talk.stream->paused);
	fault_vfs_fail_syncs(SQLITE_OK, NULL);
	talk_await_credit(&talk);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "text");
	CU_ASSERT_EQUAL(talk_cursor(&talk), 2);
	talk_finish(&talk);
}

/* A cursor that could not be stored is not taken for stored: the prompt waits for it. */
static void stream_is_remembered_before_the_prompt(void)
{
	struct talk talk;

	fault_vfs_install();
	talk_prepare(&talk, FAULT_VFS);
	talk_open(&talk);
	talk_start(&talk);
	talk_hear(&talk, "e1", "chat", "text");
	talk_admit(&talk);
	talk_expect(&talk, TALK_BIND);
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	cloud_fake_answer(talk.current, 200, TALK_BOUND);
	TALK_UNTIL(&talk, talk.yard.rig.state != CG_OK);
	talk_retry(&talk);
	talk_retry(&talk);
	talk_rest(&talk);
	CU_ASSERT_PTR_NULL(talk_look(&talk));
	fault_vfs_fail_syncs(SQLITE_OK, NULL);
	talk_retry(&talk);
	talk_expect(&talk, TALK_PROMPT);
	CU_ASSERT_EQUAL(is_open(&talk), 1);
	talk_finish(&talk);
}

/* The answer goes the way of the last message, also after a restart. */
static void stream_hands_the_context_of_the_route_back(void)
{
	struct cg_inbound in;
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	in = talk_message("e2", "chat", "more");
	in.target.context = "Re: subject";
	talk_submit(&talk, &in);
	cloud_fake_answer(talk_until_prompt(&talk), 202, TALK_PROMPTED);
	talk_answer(&talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(&talk, 2);
	talk_restart(&talk);
	talk_reconnect(&talk);
	slow_text(&talk);
	yard_await(&talk.yard, 1);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[0].context, "Re: subject");
	yard_receipt(&talk.yard, 0, "900");
	TALK_UNTIL(&talk, delivery_in_flight(talk.yard.delivery) == 0);
	talk.yard.rig.now_ms += 1000;
	talk_says(&talk, 3, "m1", "c");
	CU_ASSERT_EQUAL_FATAL(talk.yard.count, 2);
	CU_ASSERT_EQUAL(talk.yard.sends[1].kind, CG_OUTBOUND_EDIT);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[1].context, "Re: subject");
	yard_receipt(&talk.yard, 1, NULL);
	talk_event(&talk, 4, "session.idle", NULL);
	yard_await(&talk.yard, 3);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[2].context, "Re: subject");
	yard_receipt(&talk.yard, 2, NULL);
	talk_finish(&talk);
}

/* Missed events. */

static void stream_renders_what_it_missed_from_the_snapshot(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	talk_says(&talk, 1, "m1", "one");
	talk_event(&talk, 2, "session.idle", NULL);
	talk_await_credit(&talk);
	talk_says(&talk, 3, "m2", "forgotten");
	CU_ASSERT_FALSE(talk_event(&talk, 3, "snapshot.required", NULL));
	talk_answer(&talk, "/bind-1/snapshot", 503, NULL);
	talk_answer(&talk, "/bind-1/snapshot", 200, /* asked again */
		SNAPSHOT("idle", "40", "false",
			SAID("u1", "user", "?") "," SAID(
				"m0", "assistant", "old") "," SAID("u2", "user",
				"?") "," SAID("m1", "assistant", "one") "," SAID("m2",
				"assistant", "two") "," SAID("m3", "assistant", " ")));
	talk_reconnect(&talk);
	CU_ASSERT_STRING_EQUAL(talk.stream->query, "after=40");
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "one|two");
	CU_ASSERT_EQUAL(talk_cursor(&talk), 40);
	talk_says(&talk, 41, "m4", "four");
	talk_event(&talk, 42, "session.idle", NULL);
	talk_await_credit(&talk);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "one|two|four");
	talk_finish(&talk);
}

static void stream_goes_on_in_the_middle_of_a_text(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	talk_event(&talk, 1, "snapshot.required", NULL);
	talk_answer(&talk, "/bind-1/snapshot", 200,
		SNAPSHOT("running", "40", "true",
			SAID("u1", "user", "?") "," SAID("m1", "assistant",
				"one") "," SAID("m2", "assistant", "He")));
	talk_reconnect(&talk);
	CU_ASSERT_STRING_EQUAL(talk.stream->query, "after=40");
	talk_rest(&talk);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "one");
	CU_ASSERT_EQUAL(talk_cursor(&talk), 0); /* its beginning is in no event */
	talk_says(&talk, 41, "m2", "ll");
	/* So a new connection needs a new snapshot. */
	cloud_fake_fail(talk.stream, CG_NETWORK, "reset");
	cloud_fake_advance(&talk.cloud, 30000);
	talk_reconnect(&talk);
	talk_answer(&talk, "/bind-1/snapshot", 200,
		SNAPSHOT("running", "41", "true",
			SAID("u1", "user", "?") "," SAID("m1", "assistant",
				"one") "," SAID("m2", "assistant", "Hell")));
	talk_reconnect(&talk);
	talk_says(&talk, 42, "m2", "o");
	talk_event(&talk, 43, "session.idle", NULL);
	talk_await_credit(&talk);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "one|Hello");
	CU_ASSERT_EQUAL(talk_cursor(&talk), 43);
	talk_finish(&talk);
}

static void stream_of_another_epoch_begins_with_a_snapshot(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	talk_says(&talk, 500, "m1", "one");
	talk_event(&talk, 501, "session.idle", NULL);
	talk_await_credit(&talk);
	/* The other side's store was restored: its numbers begin again. */
	talk.extensions = "{\"extensions\":[\"session.status\"],\"epoch\":\"e2\"}";
	talk_restart(&talk);
	talk_answer(&talk, "/bind-1/snapshot", 200,
		SNAPSHOT("idle", "7", "false",
			SAID("u1", "user", "?") "," SAID("m1", "assistant",
				"one") "," SAID("m2", "assistant", "two")));
	talk_reconnect(&talk);
	CU_ASSERT_STRING_EQUAL(talk.stream->query, "after=7");
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "one|two");
	CU_ASSERT_EQUAL(talk_cursor(&talk), 7);
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT epoch = 'e2' FROM cursor"), 1);
	talk_finish(&talk);
}

static void stream_waits_for_the_snapshot_before_it_takes_events(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	talk.extensions = "{\"extensions\":[],\"epoch\":\"e2\"}";
	talk_restart(&talk);
	talk_reconnect(&talk);
	CU_ASSERT_FALSE(talk_says(&talk, 1, "m9", "ancient"));
	talk_expect(&talk, "/bind-1/snapshot");
	cloud_fake_answer(talk.current, 200, SNAPSHOT("idle", "7", "false", ""));
	talk_reconnect(&talk);
	talk_event(&talk, 8, "session.idle", NULL);
	talk_await_credit(&talk);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "");
	talk_finish(&talk);
}

/* A message of a chat whose session was remembered in another epoch. */
static void stream_does_not_believe_a_cursor_of_another_epoch(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	talk_event(&talk, 500, "session.idle", NULL);
	talk_await_credit(&talk);
	cursor_set_open(talk.yard.rig.journal, "bind-1", false, RIG_NOW, rig_done,
		&talk.yard.rig);
	rig_await(&talk.yard.rig);
	talk.extensions = "{\"extensions\":[],\"epoch\":\"e2\"}";
	talk_restart(&talk);
	CU_ASSERT_EQUAL(talk.resumed, 0);
	talk_hear(&talk, "e2", "chat", "more");
	talk_admit(&talk);
	talk_answer(&talk, TALK_BIND, 200, TALK_BOUND);
	talk_expect(&talk, "/bind-1/snapshot");
	talk_finish(&talk);
}

/* The end of an answer. */

static void settle_in(struct talk *talk, const char *extensions)
{
	talk_prepare(talk, NULL);
	talk->options.quiet_ms = 1;
	talk->extensions = extensions;
	talk_open(talk);
	talk_start(talk);
	talk_converse(talk);
}

static void stream_is_closed_in_the_journal_when_all_is_said(void)
{
	struct talk talk;

	settle_in(&talk, TALK_OURS);
	/* After the prompt nothing is known: it is asked, and works. */
	talk_answer(&talk, "/sessions/bind-1", 200, "{\"busy\":true,\"queued\":0}");
	talk_expect_nothing(&talk);
	talk_says(&talk, 1, "m1", "text");
	talk_event(&talk, 2, "session.idle", NULL);
	talk_answer(&talk, "/sessions/bind-1", 200, "{\"busy\":false,\"queued\":1}");
	talk_event(&talk, 3, "session.idle", NULL);
	talk_answer(&talk, "/sessions/bind-1", 500, NULL);
	talk_answer(&talk, "/sessions/bind-1", 200, "{\"busy\":false,\"queued\":0}");
	TALK_UNTIL(&talk, is_open(&talk) == 0);
	talk_expect_nothing(&talk);
	CU_ASSERT_EQUAL(talk.conversation->stream_count, 1); /* it listens on */
	talk_restart(&talk);
	CU_ASSERT_EQUAL(talk.resumed, 0);
	talk_finish(&talk);
}

static void stream_is_not_closed_by_a_stale_answer(void)
{
	struct talk talk;

	settle_in(&talk, TALK_OURS);
	talk_expect(&talk, "/sessions/bind-1");
	talk_event(&talk, 1, "tool.call", NULL); /* news since it was asked */
	cloud_fake_answer(talk.current, 200, "{\"busy\":false,\"queued\":0}");
	talk_rest(&talk);
	CU_ASSERT_EQUAL(is_open(&talk), 1);
	talk_event(&talk, 2, "session.idle", NULL);
	talk_expect(&talk, "/sessions/bind-1");
	{
		struct cloud_exchange *asked = talk.current;

		/* A message on its way to be a prompt. */
		talk_hear(&talk, "e2", "chat", "more");
		talk_admit(&talk);
		talk_answer(&talk, TALK_BIND, 200, TALK_BOUND);
		talk_expect(&talk, TALK_PROMPT);
		cloud_fake_answer(asked, 200, "{\"busy\":false,\"queued\":0}");
	}
	talk_rest(&talk);
	CU_ASSERT_EQUAL(is_open(&talk), 1);
	talk_finish(&talk);
}

static void stream_without_status_asks_the_snapshot(void)
{
	struct talk talk;

	settle_in(&talk, NULL);
	talk_answer(&talk, "/bind-1/snapshot", 200, SNAPSHOT("running", "1", "true", ""));
	talk_says(&talk, 1, "m1", "text");
	talk_event(&talk, 2, "session.idle", NULL);
	/* There is more than was seen. */
	talk_answer(&talk, "/bind-1/snapshot", 200, SNAPSHOT("idle", "3", "false", ""));
	talk_event(&talk, 3, "session.idle", NULL);
	talk_answer(&talk, "/bind-1/snapshot", 200, SNAPSHOT("idle", "3", "false", ""));
	TALK_UNTIL(&talk, is_open(&talk) == 0);
	talk_finish(&talk);
}

static void stream_that_is_gone_waits_for_those_who_expect_it(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_hear(&talk, "e1", "chat", "text");
	talk_until_prompt(&talk);
	cloud_fake_answer(talk.stream, 404, NULL);
	talk_rest(&talk);
	CU_ASSERT_EQUAL(talk.conversation->stream_count, 1);
	cloud_fake_answer(talk.current, 404, NULL);
	talk_answer(&talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(&talk, 1);
	CU_ASSERT_EQUAL(talk.conversation->stream_count, 0);
	CU_ASSERT_EQUAL(is_open(&talk), 0);
	talk_finish(&talk);
}

static void stream_that_is_gone_goes(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	cloud_fake_answer(talk.stream, 404, NULL);
	CU_ASSERT_EQUAL(talk.conversation->stream_count, 0);
	TALK_UNTIL(&talk, is_open(&talk) == 0);
	talk_finish(&talk);
}

static void stream_tells_of_a_refused_token(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	cloud_fake_answer(talk.stream, 401, NULL);
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_TOKEN_REFUSED], 1);
	CU_ASSERT_EQUAL(talk.conversation->stream_count, 1);
	cloud_fake_advance(&talk.cloud, 3600000);
	CU_ASSERT_FALSE(talk_look_stream(&talk)); /* it rests … */
	conversation_retry(talk.conversation);
	CU_ASSERT_TRUE(talk_look_stream(&talk)); /* … until somebody says so */
	cloud_fake_open(talk.stream);
	conversation_retry(talk.conversation);
	CU_ASSERT_FALSE(talk_look_stream(&talk)); /* what runs is left alone */
	talk_finish(&talk);
}

static void stream_makes_room_for_another(void)
{
	static const char other[] =
		"{\"binding\":{\"bindingId\":\"bind-2\",\"sessionId\":\"sess-2\"},"
		"\"session\":{\"session\":{\"sessionId\":\"sess-2\"}}}";
	struct talk talk;

	talk_prepare(&talk, NULL);
	talk.options.streams = 1;
	talk.options.quiet_ms = 1;
	talk_open(&talk);
	talk_start(&talk);
	talk_converse(&talk);
	talk_expect(&talk, "/sessions/bind-1");
	{
		struct cloud_exchange *asked = talk.current;

		talk_hear(&talk, "e2", "chat 2", "text");
		talk_admit(&talk);
		talk_answer(&talk, TALK_BIND, 200, other);
		/* The only place is taken by an answer that is still expected. */
		TALK_UNTIL(&talk, talk.facts[CONVERSATION_WAITING] == 1);
		cloud_fake_answer(asked, 200, "{\"busy\":false,\"queued\":0}");
	}
	TALK_UNTIL(&talk, is_open(&talk) == 0);
	talk_retry(&talk);
	talk_expect(&talk, TALK_PROMPT);
	CU_ASSERT_EQUAL(talk.conversation->stream_count, 1);
	CU_ASSERT_PTR_NULL(stream_find(talk.conversation, "bind-1"));
	CU_ASSERT_PTR_NOT_NULL(stream_find(talk.conversation, "bind-2"));
	talk_finish(&talk);
}

/* The file comes behind the text that names it, and with it. */
static void stream_sends_long_code_as_a_file(void)
{
	struct cg_buffer text;
	struct talk talk;

	talk_prepare(&talk, NULL);
	talk.yard.capabilities.chat = true;
	talk.yard.capabilities.text_form = CG_FORM_RENDERED;
	talk.yard.capabilities.max_file = 1 << 20;
	talk.yard.capabilities.max_text = 100;
	talk_open(&talk);
	talk_start(&talk);
	talk_converse(&talk);
	cg_buffer_init(&text, 4096);
	cg_buffer_text(&text, "Here:\\n```py\\n");
	for (int i = 0; i < 40; i++)
		cg_buffer_text(&text, "x = 1\\n");
	cg_buffer_text(&text, "```\\nDone.");
	talk_says(&talk, 1, "m1", cg_buffer_string(&text));
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT count(*) FROM outbox"), 0);
	talk_event(&talk, 2, "session.idle", NULL);
	talk_await_credit(&talk);
	CU_ASSERT_EQUAL(talk_cursor(&talk), 2);
	CU_ASSERT_EQUAL(
		talk_count(&talk, "SELECT count(*) FROM outbox WHERE id = 1 AND"
				  " delivery_id = 'sess-1:m1' AND parts = 1 AND source ="
				  " 'Here:' || char(10) || '📎 `code.py` (40 lines)' ||"
				  " char(10) || 'Done.'"),
		1);
	CU_ASSERT_EQUAL(
		talk_count(&talk, "SELECT count(*) FROM outbox WHERE id = 2 AND"
				  " delivery_id = 'sess-1:m1:code:1' AND"
				  " file_name = 'code.py' AND file_path IS NULL AND"
				  " file_mime = 'text/plain' AND file_bytes = 240 AND"
				  " length(source) = 240"),
		1);
	cg_buffer_finish(&text);
	talk_finish(&talk);
}

UNIT_SUITE(stream, UNIT_TEST(stream_sends_long_code_as_a_file),
	UNIT_TEST(stream_moves_its_cursor_with_what_it_stores),
	UNIT_TEST(stream_stores_an_error_with_the_text_before_it),
	UNIT_TEST(stream_resumes_and_stores_nothing_twice),
	UNIT_TEST(stream_that_is_interrupted_reads_its_text_anew),
	UNIT_TEST(stream_makes_a_slot_for_a_slow_text),
	UNIT_TEST(stream_keeps_its_slot_through_a_reconnect),
	UNIT_TEST(stream_needs_no_slot_where_nothing_can_be_edited),
	UNIT_TEST(stream_waits_while_the_outbox_is_full),
	UNIT_TEST(stream_stores_again_what_was_not_stored),
	UNIT_TEST(stream_is_remembered_before_the_prompt),
	UNIT_TEST(stream_hands_the_context_of_the_route_back),
	UNIT_TEST(stream_renders_what_it_missed_from_the_snapshot),
	UNIT_TEST(stream_goes_on_in_the_middle_of_a_text),
	UNIT_TEST(stream_of_another_epoch_begins_with_a_snapshot),
	UNIT_TEST(stream_waits_for_the_snapshot_before_it_takes_events),
	UNIT_TEST(stream_does_not_believe_a_cursor_of_another_epoch),
	UNIT_TEST(stream_is_closed_in_the_journal_when_all_is_said),
	UNIT_TEST(stream_is_not_closed_by_a_stale_answer),
	UNIT_TEST(stream_without_status_asks_the_snapshot),
	UNIT_TEST(stream_that_is_gone_waits_for_those_who_expect_it),
	UNIT_TEST(stream_that_is_gone_goes), UNIT_TEST(stream_tells_of_a_refused_token),
	UNIT_TEST(stream_makes_room_for_another));
