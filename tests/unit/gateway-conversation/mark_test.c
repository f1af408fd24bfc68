/* SPDX-License-Identifier: Apache-2.0 */
/* Seen, done, failed: and never more than is true. */
#include "gateway/conversation/mark.h"
#include "gateway/conversation/stream_inside.h"
#include "tests/unit/gateway-conversation/conversation_rig.h"

static void begin(struct talk *talk)
{
	talk_prepare(talk, NULL);
	talk->options.reactions = true;
	talk->yard.capabilities.reactions = true;
	talk_open(talk);
	talk_start(talk);
}

static void say(struct talk *talk, const char *event_id, const char *message_id)
{
	struct cg_inbound inbound = talk_message(event_id, "chat", "text");

	inbound.message_id = message_id;
	talk_submit(talk, &inbound);
}

/* The mark that is sent as number @index; its call ends. */
static void expect(struct talk *talk, size_t index, const char *message_id,
	enum cg_reaction reaction)
{
	yard_await(&talk->yard, index + 1);
	CU_ASSERT_EQUAL(talk->yard.sends[index].kind, CG_OUTBOUND_REACTION);
	CU_ASSERT_EQUAL(talk->yard.sends[index].reaction, reaction);
	CU_ASSERT_STRING_EQUAL(talk->yard.sends[index].edited, message_id);
	yard_receipt(&talk->yard, index, NULL);
}

/* As delivery reports it. */
static void delivered(struct talk *talk, const char *delivery_id, enum outbox_state state)
{
	char id[64];
	const struct outbox_row row = {.delivery_id = id};

	cg_text_copy(id, sizeof(id), delivery_id);
	conversation_delivered(talk->conversation, &row, state);
}

/* A prompt that became the command c-1, and is seen. */
static void converse(struct talk *talk)
{
	say(talk, "e1", "70");
	cloud_fake_answer(talk_until_prompt(talk), 202, TALK_PROMPTED);
	talk_answer(talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(talk, 1);
	expect(talk, 0, "70", CG_REACTION_SEEN);
	cloud_fake_open(talk->stream);
}

static void answer(struct talk *talk, int64_t sequence)
{
	talk_event(talk, sequence, "prompt.submitted", "{\"commandId\":\"c-1\"}");
	talk_says(talk, sequence + 1, "m1", "the answer");
	talk_event(talk, sequence + 2, "session.idle", NULL);
	talk_await_credit(talk);
}

static void done_comes_behind_the_last_receipt(void)
{
	struct talk talk;

	begin(&talk);
	converse(&talk);
	answer(&talk, 1);
	yard_await(&talk.yard, 2);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[1].text, "the answer");
	talk_rest(&talk);
	CU_ASSERT_EQUAL(talk.yard.count, 2); /* not before it has arrived */
	CU_ASSERT_EQUAL(talk.conversation->marks.count, 1);
	yard_receipt(&talk.yard, 1, "900");
	TALK_UNTIL(&talk, delivery_in_flight(talk.yard.delivery) == 0);
	delivered(&talk, "sess-1:m0", OUTBOX_SENT);
	delivered(&talk, "sess-1:m1", OUTBOX_SENDING);
	CU_ASSERT_EQUAL(talk.yard.count, 2);
	delivered(&talk, "sess-1:m1", OUTBOX_SENT);
	expect(&talk, 2, "70", CG_REACTION_DONE);
	CU_ASSERT_EQUAL(talk.conversation->marks.count, 0);
	talk_finish(&talk);
}

/* The receipt is older than the end of the turn: the journal knows it. */
static void a_receipt_may_come_first(void)
{
	struct talk talk;

	begin(&talk);
	converse(&talk);
	talk_event(&talk, 1, "prompt.submitted", "{\"commandId\":\"c-1\"}");
	talk_says(&talk, 2, "m1", "the answer");
	talk_says(&talk, 3, "m2", " ");
	talk_await_credit(&talk);
	yard_await(&talk.yard, 2);
	yard_receipt(&talk.yard, 1, "900");
	TALK_UNTIL(&talk, yard_state(&talk.yard, "sess-1:m1") == OUTBOX_SENT);
	delivered(&talk, "sess-1:m1", OUTBOX_SENT);
	talk_rest(&talk);
	CU_ASSERT_EQUAL(talk.yard.count, 2); /* the turn still runs */
	talk_event(&talk, 4, "session.idle", NULL);
	expect(&talk, 2, "70", CG_REACTION_DONE);
	talk_finish(&talk);
}

static void what_fails_is_marked_as_failed(void)
{
	static const char *const ends[][2] = {{"runtime.error", "{\"message\":\"no\"}"},
		{"session.aborted", "{\"commandId\":\"c-1\"}"}};

	for (size_t i = 0; i < 2; i++) {
		struct talk talk;

		begin(&talk);
		converse(&talk);
		talk_event(&talk, 1, "prompt.submitted", "{\"commandId\":\"c-1\"}");
		talk_event(&talk, 2, ends[i][0], ends[i][1]);
		talk_await_credit(&talk);
		talk_event(&talk, 3, "session.idle", NULL);
		talk_await_credit(&talk);
		if (i == 0) {
			yard_await(&talk.yard, 2);
			delivered(&talk, "sess-1:error:2", OUTBOX_SENT);
			expect(&talk, 2, "70", CG_REACTION_FAILED);
		} else {
			expect(&talk, 1, "70", CG_REACTION_FAILED);
		}
		talk_finish(&talk);
	}
}

static void an_answer_that_died_is_none(void)
{
	struct talk talk;

	begin(&talk);
	converse(&talk);
	answer(&talk, 1);
	yard_await(&talk.yard, 2);
	delivered(&talk, "sess-1:m1", OUTBOX_DEAD);
	expect(&talk, 2, "70", CG_REACTION_FAILED);
	talk_finish(&talk);
}

/* Two wait in one session: each is done with its own turn. */
static void each_has_its_own_turn(void)
{
	struct talk talk;

	begin(&talk);
	converse(&talk);
	say(&talk, "e2", "71");
	cloud_fake_answer(talk_until_prompt(&talk), 202,
		"{\"command\":{\"commandId\":\"c-2\",\"sessionId\":\"sess-1\"}}");
	talk_answer(&talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(&talk, 2);
	expect(&talk, 1, "71", CG_REACTION_SEEN);
	answer(&talk, 1);
	yard_await(&talk.yard, 3);
	yard_receipt(&talk.yard, 2, "900");
	delivered(&talk, "sess-1:m1", OUTBOX_SENT);
	expect(&talk, 3, "70", CG_REACTION_DONE);
	CU_ASSERT_EQUAL(talk.conversation->marks.count, 1);
	/* A turn that says nothing is done when it is over. */
	talk_event(&talk, 4, "prompt.submitted", "{\"commandId\":\"c-2\"}");
	talk_event(&talk, 5, "session.idle", NULL);
	expect(&talk, 4, "71", CG_REACTION_DONE);
	talk_finish(&talk);
}

/* The turn began before the answer to the prompt came back. */
static void events_may_overtake_the_reply(void)
{
	struct cloud_exchange *prompt;
	struct talk talk;

	begin(&talk);
	say(&talk, "e1", "70");
	prompt = talk_until_prompt(&talk);
	expect(&talk, 0, "70", CG_REACTION_SEEN);
	cloud_fake_open(talk.stream);
	talk_event(&talk, 1, "prompt.submitted", "{\"commandId\":\"c-1\"}");
	cloud_fake_answer(prompt, 202, TALK_PROMPTED);
	talk_answer(&talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(&talk, 1);
	talk_event(&talk, 2, "session.idle", NULL);
	expect(&talk, 1, "70", CG_REACTION_DONE);
	talk_finish(&talk);
}

static void what_is_refused_has_failed(void)
{
	struct talk talk;

	begin(&talk);
	say(&talk, "e1", "70");
	cloud_fake_answer(talk_until_prompt(&talk), 403, "{}");
	talk_answer(&talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(&talk, 1);
	expect(&talk, 0, "70", CG_REACTION_SEEN);
	yard_await(&talk.yard, 3);
	CU_ASSERT_EQUAL(talk.conversation->marks.count, 0);
	talk_finish(&talk);
}

/* Strangers and commands get words, or nothing; a platform without marks gets none. */
static void not_everything_is_marked(void)
{
	struct talk talk;

	begin(&talk);
	say(&talk, "e1", "70");
	talk_answer(&talk, TALK_CLAIM, 200, TALK_CLAIMED);
	talk_answer(&talk, TALK_IDENTITY, 200,
		"{\"identity\":{\"identityId\":\"id-1\",\"role\":\"member\","
		"\"status\":\"pending\"}}");
	talk_answer(&talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(&talk, 1);
	talk.yard.capabilities.reactions = false;
	say(&talk, "e2", "71");
	cloud_fake_answer(talk_until_prompt(&talk), 202, TALK_PROMPTED);
	CU_ASSERT_EQUAL(talk.conversation->marks.count, 0);
	CU_ASSERT_EQUAL(talk.yard.count, 0);
	talk_finish(&talk);
}

static void there_are_so_many_and_no_more(void)
{
	char instance[] = "telegram", chat[] = "chat", id[] = "70";
	struct inbox_message message = {
		.instance = instance, .chat_id = chat, .message_id = id};
	struct talk talk;

	begin(&talk);
	talk.yard.takes = CG_BUSY; /* nothing is sent: only the list counts */
	for (message.id = 1; message.id <= MARKS + 1; message.id++)
		mark_seen(talk.conversation, &message);
	CU_ASSERT_EQUAL(talk.conversation->marks.count, MARKS);
	mark_closed(talk.conversation, 1, INBOX_DEAD, false);
	CU_ASSERT_EQUAL(talk.conversation->marks.count, MARKS);
	mark_closed(talk.conversation, 2, INBOX_DEAD, false);
	CU_ASSERT_EQUAL(talk.conversation->marks.count, MARKS - 1);
	talk_finish(&talk);
}

/* Restarts. */

/* Marks go on as they were: nothing is shown that was not. */
static void come_back(struct talk *talk, size_t resumed)
{
	talk_restart(talk);
	CU_ASSERT_EQUAL(talk->resumed, resumed);
	if (resumed > 0)
		talk_reconnect(talk);
	talk_rest(talk);
	CU_ASSERT_EQUAL(talk->yard.count, 0);
}

static void fire_rest(struct talk *talk)
{
	struct loop_timer *timer = &talk->conversation->marks.rest;

	CU_ASSERT_FATAL(loop_timer_pending(timer));
	loop_timer_clear(timer);
	timer->fire(timer->arg);
	talk_rest(talk);
}

static int64_t marked(struct talk *talk)
{
	return talk_count(talk, "SELECT count(*) FROM inbox WHERE mark > 0");
}

static void a_mark_goes_on_after_a_restart(void)
{
	struct talk talk;

	begin(&talk);
	converse(&talk);
	come_back(&talk, 1);
	answer(&talk, 1);
	yard_await(&talk.yard, 1);
	yard_receipt(&talk.yard, 0, "900");
	delivered(&talk, "sess-1:m1", OUTBOX_SENT);
	expect(&talk, 1, "70", CG_REACTION_DONE);
	CU_ASSERT_EQUAL(marked(&talk), 1);
	fire_rest(&talk); /* it may be on its way */
	CU_ASSERT_EQUAL(marked(&talk), 1);
	fire_rest(&talk);
	CU_ASSERT_EQUAL(marked(&talk), 0);
	CU_ASSERT_FALSE(loop_timer_pending(&talk.conversation->marks.rest));
	come_back(&talk, 1);
	CU_ASSERT_EQUAL(talk.conversation->marks.count, 0);
	talk_finish(&talk);
}

/* No event tells any more that the turn has begun. */
static void a_mark_in_the_middle_of_its_turn_goes_on(void)
{
	struct talk talk;

	begin(&talk);
	converse(&talk);
	talk_event(&talk, 1, "prompt.submitted", "{\"commandId\":\"c-1\"}");
	talk_says(&talk, 2, "m1", "first");
	talk_says(&talk, 3, "m2", "second");
	talk_await_credit(&talk);
	yard_await(&talk.yard, 2);
	yard_receipt(&talk.yard, 1, "900");
	TALK_UNTIL(&talk, yard_state(&talk.yard, "sess-1:m1") == OUTBOX_SENT);
	come_back(&talk, 1);
	CU_ASSERT_STRING_EQUAL(talk.stream->query, "after=2");
	talk_says(&talk, 3, "m2", "second");
	talk_event(&talk, 4, "session.idle", NULL);
	yard_await(&talk.yard, 1);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[0].text, "second");
	yard_receipt(&talk.yard, 0, "901");
	delivered(&talk, "sess-1:m2", OUTBOX_SENT);
	expect(&talk, 1, "70", CG_REACTION_DONE);
	talk_finish(&talk);
}

/* The turn is over; the receipt is missing, or only what the person sees. */
static void a_mark_whose_turn_is_over_waits_for_its_receipt(void)
{
	for (int failed = 0; failed < 2; failed++) {
		const char *answer_id = failed ? "sess-1:error:2" : "sess-1:m1";
		struct talk talk;

		begin(&talk);
		converse(&talk);
		if (failed) {
			talk_event(
				&talk, 1, "prompt.submitted", "{\"commandId\":\"c-1\"}");
			talk_event(&talk, 2, "runtime.error", "{\"message\":\"no\"}");
			talk_await_credit(&talk);
			talk_event(&talk, 3, "session.idle", NULL);
			talk_await_credit(&talk);
		} else {
			answer(&talk, 1);
		}
		yard_await(&talk.yard, 2);
		talk_restart(&talk);
		yard_pass(&talk.yard, 60000); /* what is unknown is resolved */
		yard_await(&talk.yard, 1);
		CU_ASSERT_EQUAL(talk.yard.sends[0].kind, CG_OUTBOUND_TEXT);
		yard_receipt(&talk.yard, 0, "900");
		TALK_UNTIL(&talk, yard_state(&talk.yard, answer_id) == OUTBOX_SENT);
		/* Nobody reports it in this test: as if it died again, before the mark. */
		talk_restart(&talk);
		expect(&talk, 0, "70", failed ? CG_REACTION_FAILED : CG_REACTION_DONE);
		CU_ASSERT_EQUAL(talk.conversation->marks.count, 0);
		talk_finish(&talk);
	}
}

/* It died before the row was closed, and the turn had begun. */
static void a_mark_of_a_message_that_is_not_closed_goes_on(void)
{
	struct cloud_exchange *prompt;
	struct talk talk;

	begin(&talk);
	say(&talk, "e1", "70");
	prompt = talk_until_prompt(&talk);
	expect(&talk, 0, "70", CG_REACTION_SEEN);
	cloud_fake_open(talk.stream);
	talk_event(&talk, 1, "prompt.submitted", "{\"commandId\":\"c-1\"}");
	talk_says(&talk, 2, "m1", "first");
	talk_says(&talk, 3, "m2", "second");
	talk_await_credit(&talk);
	CU_ASSERT_EQUAL(marked(&talk), 1);
	(void)prompt; /* its answer never comes */
	yard_await(&talk.yard, 2);
	yard_receipt(&talk.yard, 1, "900");
	TALK_UNTIL(&talk, yard_state(&talk.yard, "sess-1:m1") == OUTBOX_SENT);
	talk_restart(&talk);
	TALK_UNTIL(&talk, talk_look_stream(&talk));
	cloud_fake_open(talk.stream);
	cloud_fake_answer(talk_until_prompt(&talk), 202, TALK_PROMPTED);
	talk_answer(&talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(&talk, 1);
	CU_ASSERT_EQUAL(talk.yard.count, 0); /* it is not seen twice */
	talk_event(&talk, 3, "session.idle", NULL);
	expect(&talk, 0, "70", CG_REACTION_DONE);
	talk_finish(&talk);
}

/* It died between the end of the claim and that of the row: nobody knows the command any more. */
static void a_mark_whose_claim_has_ended_goes_on(void)
{
	for (int late = 0; late < 2; late++) {
		struct talk talk;

		begin(&talk);
		say(&talk, "e1", "70");
		cloud_fake_answer(talk_until_prompt(&talk), 202, TALK_PROMPTED);
		talk_expect(&talk, TALK_COMPLETE);
		talk_restart(&talk);
		TALK_UNTIL(&talk, talk_look_stream(&talk));
		cloud_fake_open(talk.stream);
		/* Events may come before the message is looked at again. */
		if (late)
			talk_event(
				&talk, 1, "prompt.submitted", "{\"commandId\":\"c-1\"}");
		talk_answer(&talk, TALK_CLAIM, 200,
			"{\"claimed\":false,\"duplicate\":true,\"event\":{\"eventId\":"
			"\"ev-1\",\"status\":\"processed\",\"attemptCount\":1}}");
		talk_await_closed(&talk, 1);
		expect(&talk, 0, "70", CG_REACTION_SEEN);
		if (!late)
			talk_event(
				&talk, 1, "prompt.submitted", "{\"commandId\":\"c-1\"}");
		talk_event(&talk, 2, "session.idle", NULL);
		talk_await_credit(&talk);
		if (late)
			mark_ended(talk.conversation, "bind-1", "", false, true);
		expect(&talk, 1, "70", CG_REACTION_DONE);
		talk_finish(&talk);
	}
}

/* What was refused before the process ended is shown now. */
static void a_mark_that_was_not_shown_is_shown(void)
{
	struct talk talk;

	begin(&talk);
	talk.yard.takes = CG_BUSY;
	say(&talk, "e1", "70");
	cloud_fake_answer(talk_until_prompt(&talk), 403, "{}");
	talk_answer(&talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(&talk, 1);
	talk.yard.takes = CG_OK;
	talk_restart(&talk);
	TALK_UNTIL(&talk, talk.conversation->marks.over_count == 1);
	for (size_t i = 0; i < talk.yard.count; i++) {
		if (talk.yard.sends[i].kind == CG_OUTBOUND_REACTION)
			CU_ASSERT_EQUAL(talk.yard.sends[i].reaction, CG_REACTION_FAILED);
	}
	CU_ASSERT(talk.yard.count >= 1);
	talk_finish(&talk);
}

UNIT_SUITE(mark, UNIT_TEST(a_mark_whose_claim_has_ended_goes_on),
	UNIT_TEST(a_mark_goes_on_after_a_restart),
	UNIT_TEST(a_mark_in_the_middle_of_its_turn_goes_on),
	UNIT_TEST(a_mark_whose_turn_is_over_waits_for_its_receipt),
	UNIT_TEST(a_mark_of_a_message_that_is_not_closed_goes_on),
	UNIT_TEST(a_mark_that_was_not_shown_is_shown),
	UNIT_TEST(done_comes_behind_the_last_receipt),
	UNIT_TEST(a_receipt_may_come_first), UNIT_TEST(what_fails_is_marked_as_failed),
	UNIT_TEST(an_answer_that_died_is_none), UNIT_TEST(each_has_its_own_turn),
	UNIT_TEST(events_may_overtake_the_reply), UNIT_TEST(what_is_refused_has_failed),
	UNIT_TEST(not_everything_is_marked), UNIT_TEST(there_are_so_many_and_no_more));
