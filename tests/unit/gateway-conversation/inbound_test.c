/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/inbound.h"

#include "tests/faults/fault_vfs.h"
#include "tests/unit/gateway-conversation/conversation_rig.h"

/* The id of the event that is claimed next; the claim is answered as a duplicate, which ends it. */
static const char *claim(struct talk *talk)
{
	talk_expect(talk, TALK_CLAIM);
	return cg_json_string_or(talk->current->body, "providerEventId", "");
}

static void end_claim(struct cloud_exchange *exchange)
{
	cloud_fake_answer(exchange, 200,
		"{\"claimed\":false,\"event\":{\"eventId\":\"x\",\"status\":"
		"\"processed\","
		"\"claimedBy\":\"gateway:other\"}}");
}

static void inbound_keeps_the_order_of_a_chat(void)
{
	static const char *const ids[] = {"e1", "e2", "e3", "e4"};
	struct talk talk;

	talk_init(&talk);
	talk_hear(&talk, ids[0], "chat", "text");
	CU_ASSERT_STRING_EQUAL(claim(&talk), ids[0]);
	for (size_t i = 1; i < 4; i++)
		talk_hear(&talk, ids[i], "chat", "text");
	for (size_t i = 1; i < 4; i++) {
		struct cloud_exchange *before = talk.current;

		talk_expect_nothing(&talk); /* one on its way */
		end_claim(before);
		CU_ASSERT_STRING_EQUAL(claim(&talk), ids[i]);
	}
	end_claim(talk.current);
	talk_await_closed(&talk, 4);
	talk_finish(&talk);
}

static void inbound_runs_chats_side_by_side(void)
{
	struct cg_inbound inbound = talk_message("e3", "chat", "text");
	struct talk talk;

	talk_init(&talk);
	talk_hear(&talk, "e1", "chat", "text");
	CU_ASSERT_STRING_EQUAL(claim(&talk), "e1");
	talk_hear(&talk, "e2", "other", "text");
	CU_ASSERT_STRING_EQUAL(claim(&talk), "e2");
	inbound.target.thread_id = "thread";
	talk_submit(&talk, &inbound);
	CU_ASSERT_STRING_EQUAL(claim(&talk), "e3");
	talk_finish(&talk);
}

static void inbound_lets_control_words_pass(void)
{
	struct cloud_exchange *first;
	struct talk talk;

	talk_init(&talk);
	talk_hear(&talk, "e1", "chat", "text");
	CU_ASSERT_STRING_EQUAL(claim(&talk), "e1");
	first = talk.current;
	talk_hear(&talk, "e2", "chat", "text");
	talk_command(&talk, "e3", "stop", "");
	CU_ASSERT_STRING_EQUAL(claim(&talk), "e3");
	end_claim(talk.current);
	talk_expect_nothing(&talk); /* and the queue waits as before */
	end_claim(first);
	CU_ASSERT_STRING_EQUAL(claim(&talk), "e2");
	talk_finish(&talk);
}

static void inbound_keeps_to_its_concurrency(void)
{
	struct cloud_exchange *first;
	struct talk talk;

	talk_prepare(&talk, NULL);
	talk.options.concurrency = 2;
	talk_open(&talk);
	talk_start(&talk);
	talk_hear(&talk, "e1", "one", "text");
	claim(&talk);
	first = talk.current;
	talk_hear(&talk, "e2", "two", "text");
	claim(&talk);
	talk_hear(&talk, "e3", "three", "text");
	talk_expect_nothing(&talk);
	end_claim(first);
	CU_ASSERT_STRING_EQUAL(claim(&talk), "e3");
	talk_finish(&talk);
}

static void inbound_misses_nothing_that_comes_while_it_reads(void)
{
	struct talk talk;
	int64_t count = 0;

	talk_init(&talk);
	for (int round = 0; round < 60; round++) {
		for (int i = 0; i < 2; i++) {
			struct cg_inbound inbound;
			char id[16], chat[16];

			snprintf(id, sizeof(id), "e%d-%d", round, i);
			snprintf(chat, sizeof(chat), "chat%d", i);
			inbound = talk_message(id, chat, "text");
			inbox_store(talk.yard.rig.journal, "telegram", &inbound,
				talk.yard.rig.now_ms, NULL, NULL);
			/* The second one is stored at any moment of the first's reading. */
			for (int turns = 0; turns < round; turns++)
				loop_turn(talk.yard.rig.loop);
		}
		for (int i = 0; i < 2; i++) {
			claim(&talk);
			end_claim(talk.current);
		}
		talk_await_closed(&talk, count += 2);
		talk.yard.rig.now_ms += 1000; /* no crowd */
	}
	talk_finish(&talk);
}

/* Many messages, stored without waiting for each. */
static void store_many(struct talk *talk, int count, bool command)
{
	for (int i = 0; i < count; i++) {
		struct cg_inbound inbound;
		char id[16];

		snprintf(id, sizeof(id), "m%d", i);
		inbound = talk_message(id, "chat", "text");
		if (command) {
			inbound.type = CG_EVENT_COMMAND;
			inbound.command = "help";
		}
		inbox_store(talk->yard.rig.journal, "telegram", &inbound,
			talk->yard.rig.now_ms, NULL, NULL);
	}
	TALK_UNTIL(talk, rig_figures(&talk->yard.rig).inbox_pending == count);
}

static void inbound_holds_a_window_only(void)
{
	for (int command = 0; command < 2; command++) {
		struct conversation_figures figures;
		struct talk talk;

		talk_prepare(&talk, NULL);
		talk_open(&talk);
		store_many(&talk, 1500, command);
		talk_start(&talk);
		talk.yard.rig.now_ms += 1000;
		inbound_pump(talk.conversation);
		talk_rest(&talk);
		conversation_figures(talk.conversation, &figures);
		/* Read until half of it is full, by pages. */
		CU_ASSERT(figures.queued + figures.errands >= CONVERSATION_WINDOW / 2);
		CU_ASSERT(figures.queued + figures.errands <= CONVERSATION_WINDOW);
		/* And the rest when there is room. */
		for (int i = 0; i < 1500; i++) {
			claim(&talk);
			end_claim(talk.current);
			talk.yard.rig.now_ms += 1000;
			inbound_pump(talk.conversation);
		}
		talk_await_closed(&talk, 1500);
		talk_finish(&talk);
	}
}

/* A write that fails takes the read of its batch with it. */
static void inbound_reads_again_after_it_could_not(void)
{
	struct cg_inbound more = talk_message("more", "other", "text");
	struct talk talk;

	fault_vfs_install();
	talk_prepare(&talk, FAULT_VFS);
	talk_open(&talk);
	talk_hear(&talk, "e1", "chat", "text");
	fault_vfs_hold_syncs();
	inbox_store(talk.yard.rig.journal, "telegram", &more, RIG_NOW, NULL, NULL);
	fault_vfs_await_held();
	conversation_start(talk.conversation, talk_resumed, &talk);
	talk_turn(&talk);
	CU_ASSERT(talk.conversation->reading);
	inbox_store(talk.yard.rig.journal, "telegram", &more, RIG_NOW, NULL, NULL);
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	fault_vfs_release_syncs();
	TALK_UNTIL(&talk, loop_timer_pending(&talk.conversation->reread));
	CU_ASSERT_EQUAL(talk.conversation->queued, 0);
	fault_vfs_fail_syncs(SQLITE_OK, NULL);
	talk.conversation->reread.fire(talk.conversation->reread.arg);
	talk_answer(&talk, "/extensions", 200, TALK_OURS);
	CU_ASSERT_STRING_EQUAL(claim(&talk), "e1");
	talk_finish(&talk);
}

static void inbound_is_destroyed_with_its_queue(void)
{
	struct talk talk;

	talk_init(&talk);
	for (int i = 0; i < 5; i++) {
		char id[8];

		snprintf(id, sizeof(id), "e%d", i);
		talk_hear(&talk, id, i < 3 ? "chat" : "other", "text");
	}
	talk_rest(&talk);
	CU_ASSERT_EQUAL(talk.conversation->queued, 3);
	talk_finish(&talk);
}

/* One on its way and one behind it: three days pass by the clock, and none for them. */
static void inbound_ages_by_no_clock_that_was_set(void)
{
	const int64_t days = INT64_C(3) * 24 * 3600 * 1000;
	struct talk talk;

	talk_init(&talk);
	talk_hear(&talk, "e1", "chat", "text");
	CU_ASSERT_STRING_EQUAL(claim(&talk), "e1");
	talk_hear(&talk, "e2", "chat", "text");
	talk_rest(&talk);
	CU_ASSERT_EQUAL(talk.conversation->queued, 1);
	talk.yard.rig.now_ms += days;
	conversation_shift(talk.conversation, days);
	cloud_fake_answer(talk.current, 503, NULL);
	talk_rest(&talk);
	talk_retry(&talk);
	CU_ASSERT_STRING_EQUAL(claim(&talk), "e1");
	end_claim(talk.current);
	CU_ASSERT_STRING_EQUAL(claim(&talk), "e2");
	cloud_fake_answer(talk.current, 503, NULL);
	talk_rest(&talk);
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_EXPIRED], 0);
	CU_ASSERT_EQUAL(talk.conversation->errand_count, 1);
	talk_finish(&talk);
}

UNIT_SUITE(inbound, UNIT_TEST(inbound_ages_by_no_clock_that_was_set),
	UNIT_TEST(inbound_keeps_the_order_of_a_chat),
	UNIT_TEST(inbound_runs_chats_side_by_side),
	UNIT_TEST(inbound_lets_control_words_pass),
	UNIT_TEST(inbound_keeps_to_its_concurrency),
	UNIT_TEST(inbound_misses_nothing_that_comes_while_it_reads),
	UNIT_TEST(inbound_holds_a_window_only),
	UNIT_TEST(inbound_reads_again_after_it_could_not),
	UNIT_TEST(inbound_is_destroyed_with_its_queue));
