/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/errand.h"

#include "tests/unit/gateway-conversation/conversation_rig.h"

#define FOREIGN_CLAIM(status, more) \
	"{\"claimed\":false,\"duplicate\":true,\"event\":{\"eventId\":\"ev-1\"," \
	"\"status\":\"" status "\",\"claimedBy\":\"gateway:other\"" more "}}"

static const char *sent(const struct talk *talk, const char *key)
{
	return cg_json_string_or(talk->current->body, key, "(none)");
}

/* How many messages were closed as dead for this reason. */
static int64_t dead(struct talk *talk, const char *reason)
{
	char sql[160];

	snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM inbox WHERE state = 2 AND reason = '%s'", reason);
	return talk_count(talk, sql);
}

static void errand_takes_its_steps_in_order(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_hear(&talk, "e1", "chat", "Do it");
	talk_answer(&talk, TALK_CLAIM, 200, TALK_CLAIMED);
	CU_ASSERT_STRING_EQUAL(sent(&talk, "provider"), "telegram");
	CU_ASSERT_STRING_EQUAL(sent(&talk, "providerEventId"), "e1");
	CU_ASSERT_STRING_EQUAL(sent(&talk, "eventType"), "message");
	CU_ASSERT_STRING_EQUAL(sent(&talk, "claimedBy"), "gateway:test");
	CU_ASSERT_STRING_EQUAL(sent(&talk, "channelBindingId"), "channel-1");
	CU_ASSERT_STRING_EQUAL(sent(&talk, "externalWorkspaceId"), "work-1");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(cg_json_object(talk.current->body, "metadata"),
			"targetChatId", ""),
		"chat");
	talk_answer(&talk, TALK_IDENTITY, 200, TALK_MEMBER);
	CU_ASSERT_STRING_EQUAL(sent(&talk, "externalUserId"), "user");
	talk_answer(&talk, TALK_BIND, 200, TALK_BOUND);
	CU_ASSERT_STRING_EQUAL(sent(&talk, "identityId"), "id-1");
	CU_ASSERT_STRING_EQUAL(sent(&talk, "externalChatId"), "chat");
	CU_ASSERT_STRING_EQUAL(sent(&talk, "externalThreadId"), "chat");
	CU_ASSERT_STRING_EQUAL(sent(&talk, "title"), "Do it");
	talk_expect(&talk, TALK_PROMPT);
	CU_ASSERT_STRING_EQUAL(sent(&talk, "bindingId"), "bind-1");
	CU_ASSERT_STRING_EQUAL(sent(&talk, "text"), "Do it");
	CU_ASSERT_STRING_EQUAL(sent(&talk, "agent"), "build");
	CU_ASSERT_STRING_EQUAL(sent(&talk, "idempotencyKey"), "ev-1");
	/* Before the prompt exists, the journal knows that an answer is expected. */
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT count(*) FROM cursor WHERE open = 1"
					  " AND binding_id = 'bind-1'"),
		1);
	cloud_fake_answer(talk.current, 202, TALK_PROMPTED);
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_PROMPTED], 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(talk.stream);
	CU_ASSERT_PTR_NOT_NULL(strstr(talk.stream->path, "/bind-1/events"));
	talk_answer(&talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	CU_ASSERT_STRING_EQUAL(sent(&talk, "status"), "processed");
	CU_ASSERT_STRING_EQUAL(talk.ends, ""); /* not before it is stored */
	talk_await_closed(&talk, 1);
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT state FROM inbox"), 1);
	CU_ASSERT_STRING_EQUAL(talk.ends, "e1 prompt, ");
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "");
	talk_finish(&talk);
}

/* Go as far as the step, which is left unanswered.  The steps are those of the paths below. */
static const char *const paths[] = {
	TALK_CLAIM, TALK_IDENTITY, TALK_BIND, TALK_PROMPT, TALK_COMPLETE};
static const char *const replies[] = {
	TALK_CLAIMED, TALK_MEMBER, TALK_BOUND, TALK_PROMPTED, TALK_COMPLETED};
#define STEPS 5

static void walk(struct talk *talk, size_t from, size_t to)
{
	for (; from < to; from++) {
		struct cloud_exchange *exchange = talk_take(talk);

		CU_ASSERT_PTR_NOT_NULL_FATAL(strstr(exchange->path, paths[from]));
		cloud_fake_answer(exchange, 200, replies[from]);
	}
}

static bool same_json(struct json_object *a, struct json_object *b)
{
	size_t length, other;
	const char *text = cg_json_text(a, &length), *same = cg_json_text(b, &other);

	return length == other && memcmp(text, same, length) == 0;
}

static void errand_repeats_the_step_that_failed(void)
{
	for (size_t step = 0; step < STEPS; step++) {
		for (size_t way = 0; way < 5; way++) {
			static const int statuses[] = {500, 503, 429};
			struct cloud_exchange *exchange, *again;
			struct talk talk;

			talk_init(&talk);
			talk_hear(&talk, "e1", "chat", "text");
			walk(&talk, 0, step);
			exchange = talk_take(&talk);
			if (way < 3)
				cloud_fake_answer(exchange, statuses[way], NULL);
			else
				cloud_fake_fail(exchange,
					way == 3 ? CG_NETWORK : CG_TIMEOUT, "away");
			talk_retry(&talk);
			again = talk_take(&talk);
			CU_ASSERT_STRING_EQUAL(again->path, exchange->path);
			/* Byte for byte: the key of a prompt too. */
			CU_ASSERT(same_json(again->body, exchange->body));
			cloud_fake_answer(again, 200, replies[step]);
			walk(&talk, step + 1, STEPS);
			talk_await_closed(&talk, 1);
			CU_ASSERT_EQUAL(talk.facts[CONVERSATION_PROMPTED], 1);
			CU_ASSERT_STRING_EQUAL(talk_said(&talk), "");
			talk_finish(&talk);
		}
	}
}

static void errand_that_cannot_begin_a_call_waits(void)
{
	struct talk talk;

	talk_init(&talk);
	talk.cloud.refuse = CG_NETWORK;
	talk_hear(&talk, "e1", "chat", "text");
	TALK_UNTIL(&talk, talk.conversation->errand_count == 1);
	talk_retry(&talk);
	walk(&talk, 0, STEPS);
	talk_await_closed(&talk, 1);
	talk_finish(&talk);
}

static void errand_that_is_refused_says_so_once(void)
{
	static const struct {
		int status;
		const char *json, *reason;
		enum words words;
	} refusals[] = {
		{403, "{\"error\":\"no\",\"verdict\":{\"policyCode\":\"role.viewer\"}}",
			"role.viewer", WORDS_STRANGER},
		{402, NULL, "payment_required", WORDS_PAYMENT},
		{400, NULL, "invalid", WORDS_REFUSED},
		{404, NULL, "not_found", WORDS_REFUSED},
	};

	for (size_t step = 0; step < STEPS - 1; step++) {
		for (size_t i = 0; i < 4; i++) {
			struct talk talk;

			talk_init(&talk);
			talk_hear(&talk, "e1", "chat", "text");
			walk(&talk, 0, step);
			cloud_fake_answer(
				talk_take(&talk), refusals[i].status, refusals[i].json);
			CU_ASSERT_EQUAL(talk.facts[CONVERSATION_REFUSED], 1);
			CU_ASSERT_STRING_EQUAL(talk.detail, refusals[i].reason);
			if (step > 0) { /* there is a claim to give back */
				talk_take(&talk);
				CU_ASSERT_STRING_EQUAL(sent(&talk, "status"), "failed");
				CU_ASSERT_FALSE(cg_json_bool(
					talk.current->body, "retryable", false));
				cloud_fake_answer(talk.current, 200, TALK_COMPLETED);
			}
			talk_await_closed(&talk, 1);
			CU_ASSERT_EQUAL(dead(&talk, refusals[i].reason), 1);
			CU_ASSERT_STRING_EQUAL(
				talk_said(&talk), words_text(refusals[i].words));
			talk_finish(&talk);
		}
	}
}

static void errand_whose_prompt_had_failed_is_silent(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_hear(&talk, "e1", "chat", "text");
	walk(&talk, 0, 3);
	cloud_fake_answer(talk_take(&talk), 409, NULL);
	walk(&talk, 4, STEPS);
	talk_await_closed(&talk, 1);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "");
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT state FROM inbox"), 1);
	talk_finish(&talk);
}

static void errand_is_done_when_its_claim_is_nobody_s(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_hear(&talk, "e1", "chat", "text");
	walk(&talk, 0, 4);
	cloud_fake_answer(talk_take(&talk), 404, NULL);
	talk_await_closed(&talk, 1);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "");
	talk_finish(&talk);
}

static void errand_waits_for_a_token_that_is_accepted(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_hear(&talk, "e1", "chat", "text");
	cloud_fake_answer(talk_take(&talk), 401, NULL);
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_TOKEN_REFUSED], 1);
	talk_retry(&talk);
	walk(&talk, 0, STEPS);
	talk_await_closed(&talk, 1);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "");
	talk_finish(&talk);
}

static void errand_says_once_that_it_waits(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_hear(&talk, "e1", "chat", "text");
	cloud_fake_answer(talk_take(&talk), 503, NULL);
	talk.yard.rig.now_ms += 29999;
	talk_retry(&talk);
	cloud_fake_answer(talk_take(&talk), 503, NULL);
	talk_rest(&talk);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "");
	talk.yard.rig.now_ms += 1;
	for (int i = 0; i < 3; i++) {
		talk_retry(&talk);
		cloud_fake_answer(talk_take(&talk), 503, NULL);
	}
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_WAITING], 1);
	talk_rest(&talk);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), words_text(WORDS_WAITING));
	/* And not again after a restart. */
	cloud_fake_answer(talk_take(&talk), 503, NULL);
	talk_finish(&talk);
}

/* Who writes several times into the silence reads once that it waits. */
static void errand_says_once_for_a_chat_that_it_waits(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_hear(&talk, "e1", "chat", "one");
	talk_hear(&talk, "e2", "chat", "two");
	cloud_fake_answer(talk_expect(&talk, TALK_CLAIM), 503, NULL);
	talk.yard.rig.now_ms += 30000;
	talk_retry(&talk);
	cloud_fake_answer(talk_expect(&talk, TALK_CLAIM), 503, NULL);
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_WAITING], 1);
	talk_retry(&talk);
	walk(&talk, 0, STEPS);
	cloud_fake_answer(talk_expect(&talk, TALK_CLAIM), 503, NULL); /* of the second */
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_WAITING], 1);
	talk_retry(&talk);
	walk(&talk, 0, STEPS);
	talk_await_closed(&talk, 2);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), words_text(WORDS_WAITING));
	/* Another day, another silence. */
	talk_hear(&talk, "e3", "chat", "three");
	cloud_fake_answer(talk_expect(&talk, TALK_CLAIM), 503, NULL);
	talk.yard.rig.now_ms += 30000;
	talk_retry(&talk);
	cloud_fake_answer(talk_expect(&talk, TALK_CLAIM), 503, NULL);
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_WAITING], 2);
	talk_finish(&talk);
}

static void errand_expires_and_says_so(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_hear(&talk, "e1", "chat", "text");
	walk(&talk, 0, 2);
	cloud_fake_answer(talk_take(&talk), 503, NULL);
	talk.yard.rig.now_ms += INT64_C(24) * 3600 * 1000 - 1;
	talk_retry(&talk);
	cloud_fake_answer(talk_take(&talk), 503, NULL);
	talk.yard.rig.now_ms += 1;
	talk.yard.rig.sane = false; /* nothing expires by a clock that is wrong */
	talk_retry(&talk);
	cloud_fake_answer(talk_take(&talk), 503, NULL);
	talk_rest(&talk);
	CU_ASSERT_EQUAL(talk.conversation->errand_count, 1);
	talk.yard.rig.sane = true;
	talk_retry(&talk);
	cloud_fake_answer(talk_take(&talk), 503, NULL);
	talk_await_closed(&talk, 1);
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_EXPIRED], 1);
	CU_ASSERT_EQUAL(dead(&talk, "deadline"), 1);
	CU_ASSERT_STRING_EQUAL(talk.ends, "e1 dead deadline, ");
	CU_ASSERT_PTR_NOT_NULL(strstr(talk_said(&talk), words_text(WORDS_EXPIRED)));
	talk_finish(&talk);
}

/* The gateway was away for days: an order that nobody remembers is not carried out. */
static void errand_does_not_run_an_old_order(void)
{
	struct talk talk;

	talk_prepare(&talk, NULL);
	talk_open(&talk);
	talk_hear(&talk, "e1", "chat", "delete everything");
	talk.yard.rig.now_ms += INT64_C(3) * 24 * 3600 * 1000;
	talk_start(&talk);
	talk_answer(&talk, TALK_CLAIM, 200, TALK_CLAIMED);
	talk_await_closed(&talk, 1);
	CU_ASSERT_EQUAL(dead(&talk, "deadline"), 1);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), words_text(WORDS_EXPIRED));
	talk_expect_nothing(&talk);
	talk_finish(&talk);
}

static void errand_finishes_what_it_had_begun(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_hear(&talk, "e1", "chat", "text");
	talk_until_prompt(&talk);
	talk.yard.rig.now_ms += INT64_C(3) * 24 * 3600 * 1000;
	talk_restart(&talk);
	/* Its claim ran out and is given anew, a second time. */
	cloud_fake_answer(talk_take(&talk), 200,
		"{\"claimed\":true,\"event\":{\"eventId\":\"ev-1\","
		"\"status\":\"processing\",\"attemptCount\":2}}");
	walk(&talk, 1, STEPS);
	talk_await_closed(&talk, 1);
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_PROMPTED], 1);
	talk_finish(&talk);
}

static void errand_of_a_duplicate_does_nothing(void)
{
	static const char *const over[] = {
		FOREIGN_CLAIM("processed", ""),
		FOREIGN_CLAIM("failed", ",\"retryable\":false"),
	};

	for (size_t i = 0; i < 2; i++) {
		struct talk talk;

		talk_init(&talk);
		talk_hear(&talk, "e1", "chat", "text");
		cloud_fake_answer(talk_take(&talk), 200, over[i]);
		talk_await_closed(&talk, 1);
		CU_ASSERT_EQUAL(talk.facts[CONVERSATION_DUPLICATE], 1);
		CU_ASSERT_STRING_EQUAL(talk_said(&talk), "");
		talk_expect_nothing(&talk);
		talk_finish(&talk);
	}
}

static void errand_goes_on_with_its_own_claim(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_hear(&talk, "e1", "chat", "text");
	talk_until_prompt(&talk);
	talk_restart(&talk);
	cloud_fake_answer(talk_take(&talk), 200,
		"{\"claimed\":false,\"duplicate\":true,\"event\":{\"eventId\":\"ev-1\","
		"\"status\":\"processing\",\"claimedBy\":\"gateway:test\"}}");
	walk(&talk, 1, 3);
	talk_take(&talk);
	CU_ASSERT_STRING_EQUAL(sent(&talk, "idempotencyKey"), "ev-1");
	cloud_fake_answer(talk.current, 202, TALK_PROMPTED);
	walk(&talk, 4, STEPS);
	talk_await_closed(&talk, 1);
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_DUPLICATE], 0);
	talk_finish(&talk);
}

static void errand_waits_for_another_s_claim(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_hear(&talk, "e1", "chat", "text");
	cloud_fake_answer(talk_take(&talk), 200,
		FOREIGN_CLAIM("processing",
			",\"claimExpiresAt\":\"2023-11-14T22:18:20.000Z\""));
	talk_expect_nothing(&talk);
	talk_retry(&talk);
	walk(&talk, 0, STEPS); /* it ran out */
	talk_await_closed(&talk, 1);
	talk_finish(&talk);
}

static void errand_of_a_stranger(void)
{
	static const struct {
		const char *identity, *said;
	} strangers[] = {
		{"\"role\":\"viewer\",\"status\":\"pending\",\"pairing\":{\"code\":"
		 "\"K7M2\","
		 "\"notify\":true}",
			"You are not known here yet. Ask a member or the operator to "
			"approve this code: K7M2"},
		{"\"role\":\"viewer\",\"status\":\"pending\",\"pairing\":{\"code\":"
		 "\"K7M2\","
		 "\"notify\":false}",
			""},
		{"\"role\":\"viewer\",\"status\":\"pending\"", ""},
		{"\"role\":\"member\",\"status\":\"disabled\"", ""},
		{"\"role\":\"approver\",\"status\":\"active\"", ""},
	};

	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		struct talk talk;
		char json[256];

		talk_init(&talk);
		talk_hear(&talk, "e1", "chat", "let me in");
		walk(&talk, 0, 1);
		snprintf(json, sizeof(json), "{\"identity\":{\"identityId\":\"id\",%s}}",
			strangers[i].identity);
		cloud_fake_answer(talk_take(&talk), 200, json);
		walk(&talk, 4, STEPS);
		talk_await_closed(&talk, 1);
		CU_ASSERT_EQUAL(talk.facts[CONVERSATION_STRANGER], 1);
		CU_ASSERT_EQUAL(talk.facts[CONVERSATION_PROMPTED], 0);
		CU_ASSERT_STRING_EQUAL(talk_said(&talk), strangers[i].said);
		talk_finish(&talk);
	}
}

static void errand_of_nothing_to_say(void)
{
	struct cg_attachment file = {
		.size = sizeof(file), .file_id = "f", .filename = "a.png", .bytes = 3};
	struct cg_inbound inbound = talk_message("e1", "chat", " \n");
	struct talk talk;

	talk_init(&talk);
	talk_submit(&talk, &inbound);
	walk(&talk, 0, 2);
	walk(&talk, 4, STEPS);
	talk_await_closed(&talk, 1);
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_IGNORED], 1);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "");
	inbound = talk_message("e2", "chat", "");
	inbound.attachments = &file;
	inbound.attachment_count = 1;
	talk_submit(&talk, &inbound);
	walk(&talk, 0, 3); /* bound, then nothing of it is left */
	walk(&talk, 4, STEPS);
	talk_await_closed(&talk, 2);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk),
		"Not passed on: a.png, because the agent's server takes small texts "
		"only");
	talk_finish(&talk);
}

/* Files that lie in the spool go with the prompt; the others are named. */
static void errand_hands_files_over(void)
{
	struct cg_attachment files[] = {
		{sizeof(files[0]), "f1", "a.png", "image/png", "/spool/1", 3},
		{sizeof(files[0]), "f2", "b*.zip", "application/zip", NULL, 9},
	};
	struct cg_inbound inbound = talk_message("e1", "chat", "");
	struct talk talk;

	talk_prepare(&talk, NULL);
	talk.extensions = "{\"extensions\":[\"attachments.path\"],\"epoch\":\"e1\"}";
	talk_open(&talk);
	talk_start(&talk);
	inbound.attachments = files;
	inbound.attachment_count = 2;
	talk_submit(&talk, &inbound);
	talk_until_prompt(&talk);
	CU_ASSERT_STRING_EQUAL(
		cg_json_text(cg_json_array(talk.current->body, "attachments"), NULL),
		"[{\"filename\":\"a.png\",\"mimeType\":\"image/png\",\"bytes\":3,"
		"\"path\":\"/spool/1\"}]");
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(talk.current->body, "text", ""),
		words_text(WORDS_ONLY_FILES));
	/* A repeat names what is missing once all the same. */
	cloud_fake_answer(talk.current, 503, NULL);
	talk_retry(&talk);
	cloud_fake_answer(talk_expect(&talk, TALK_PROMPT), 202, TALK_PROMPTED);
	talk_answer(&talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(&talk, 1);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "Not passed on: b .zip");
	talk_finish(&talk);
}

static void errand_of_a_message_with_files_the_other_side_takes_none_of(void)
{
	struct cg_attachment file = {
		sizeof(file), "f1", "a.png", "image/png", "/spool/1", 3};
	struct cg_inbound inbound = talk_message("e1", "chat", "look");
	struct talk talk;

	talk_init(&talk);
	inbound.attachments = &file;
	inbound.attachment_count = 1;
	talk_submit(&talk, &inbound);
	talk_until_prompt(&talk);
	CU_ASSERT_PTR_NULL(cg_json_array(talk.current->body, "attachments"));
	cloud_fake_answer(talk.current, 202, TALK_PROMPTED);
	talk_answer(&talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(&talk, 1);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk),
		"Not passed on: a.png, because the agent's server takes small texts "
		"only");
	talk_finish(&talk);
}

/* Two programs that answer each other never end. */
static void errand_of_a_bot_reaches_nobody(void)
{
	struct cg_inbound inbound = talk_message("e1", "chat", "hello");
	struct talk talk;

	talk_init(&talk);
	inbound.sender.is_bot = true;
	talk_submit(&talk, &inbound);
	walk(&talk, 0, 2);
	walk(&talk, 4, STEPS);
	talk_await_closed(&talk, 1);
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_IGNORED], 1);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "");
	talk_finish(&talk);
}

/* One more message of the chat, on its way to its end; @prompted: the agent gets it. */
static void converse_again(struct talk *talk, unsigned number, bool prompted)
{
	char id[16];

	snprintf(id, sizeof(id), "m%u", number);
	talk_hear(talk, id, "chat", "and you?");
	talk_admit(talk);
	if (prompted) {
		talk_answer(talk, TALK_BIND, 200, TALK_BOUND);
		talk_answer(talk, TALK_PROMPT, 202, TALK_PROMPTED);
	}
	talk_answer(talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(talk, number);
}

static void errand_of_a_loop_is_the_last(void)
{
	struct talk talk;
	const struct outbox_row said = {.lane = outbox_lane("telegram", "chat", NULL),
		.delivery_id = talk.detail};

	talk_prepare(&talk, NULL);
	talk.options.brake = true;
	talk.yard.capabilities.chat = true;
	talk_open(&talk);
	talk_start(&talk);
	converse_again(&talk, 1, true);
	for (unsigned i = 1; i <= BRAKE_TURNS; i++) {
		conversation_delivered(talk.conversation, &said, OUTBOX_SENDING);
		conversation_delivered(talk.conversation, &said, OUTBOX_SENT);
		converse_again(&talk, i + 1, i < BRAKE_TURNS);
		CU_ASSERT_EQUAL(talk.facts[CONVERSATION_LOOP], i == BRAKE_TURNS);
	}
	CU_ASSERT_STRING_EQUAL(talk.detail, "chat");
	CU_ASSERT_STRING_EQUAL(talk_said(&talk),
		"30 messages in a row came within seconds of an answer, as if two "
		"programs talked to each other. Nothing from here goes to the agent for "
		"10 minutes.");
	/* No word more, but to what the agent is not asked. */
	converse_again(&talk, BRAKE_TURNS + 2, false);
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_IGNORED], 1);
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT count(*) FROM outbox"), 1);
	talk_command(&talk, "c1", "help", NULL);
	talk_admit(&talk);
	talk_answer(&talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(&talk, BRAKE_TURNS + 3);
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT count(*) FROM outbox"), 2);
	talk_finish(&talk);
}

/* A redrawn card is no answer, and who has no brake has none. */
static void errand_of_no_loop_goes_on(void)
{
	for (int kind = 0; kind < 3; kind++) {
		struct talk talk;
		const struct outbox_row said = {
			.lane = outbox_lane("telegram", "chat", NULL),
			.delivery_id = talk.detail,
			.purpose = kind == 0 ? OUTBOX_REDRAW : OUTBOX_FINAL};

		talk_prepare(&talk, NULL);
		talk.options.brake = kind != 1;
		talk.yard.capabilities.chat = kind != 2;
		talk_open(&talk);
		talk_start(&talk);
		converse_again(&talk, 1, true);
		for (unsigned i = 1; i <= BRAKE_TURNS; i++) {
			conversation_delivered(talk.conversation, &said, OUTBOX_SENDING);
			converse_again(&talk, i + 1, true);
		}
		CU_ASSERT_EQUAL(talk.facts[CONVERSATION_LOOP], 0);
		talk_finish(&talk);
	}
}

static void errand_of_a_button_that_is_gone(void)
{
	const struct cg_interaction press = {.id = "p", .token = "apv:x"};
	struct cg_inbound inbound = talk_message("e1", "chat", "apv:x");
	struct talk talk;

	inbound.type = CG_EVENT_INTERACTION;
	inbound.interaction = &press;
	talk_init(&talk);
	talk_submit(&talk, &inbound);
	walk(&talk, 0, 2);
	walk(&talk, 4, STEPS);
	talk_await_closed(&talk, 1);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), words_text(WORDS_BUTTON_GONE));
	talk_finish(&talk);
}

/* Ids that the Cloud does not take are known there by their hash, in every call the same. */
static void errand_hashes_ids_that_are_too_long(void)
{
	char chat[513], user[513];
	struct cg_inbound inbound;
	struct talk talk;

	memset(chat, 'c', 512);
	memset(user, 'u', 512);
	chat[512] = user[512] = '\0';
	inbound = talk_message("e1", chat, "text");
	inbound.sender.user_id = user;
	talk_init(&talk);
	talk_submit(&talk, &inbound);
	walk(&talk, 0, 1);
	talk_take(&talk);
	CU_ASSERT_EQUAL(strncmp(sent(&talk, "externalUserId"), "sha256-", 7), 0);
	cloud_fake_answer(talk.current, 200, TALK_MEMBER);
	talk_take(&talk);
	CU_ASSERT_EQUAL(strncmp(sent(&talk, "externalUserId"), "sha256-", 7), 0);
	CU_ASSERT_EQUAL(strncmp(sent(&talk, "externalChatId"), "sha256-", 7), 0);
	CU_ASSERT_STRING_EQUAL(
		sent(&talk, "externalThreadId"), sent(&talk, "externalChatId"));
	cloud_fake_answer(talk.current, 200, TALK_BOUND);
	walk(&talk, 3, STEPS);
	talk_await_closed(&talk, 1);
	/* The chat itself is answered under its own id. */
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT length(chat_id) FROM cursor"), 512);
	talk_finish(&talk);
}

static void errand_that_no_call_can_be_made_of_ends(void)
{
	struct talk talk;

	talk_prepare(&talk, NULL);
	talk.channel.binding_id = "";
	talk_open(&talk);
	talk_start(&talk);
	talk_hear(&talk, "e1", "chat", "text");
	talk_await_closed(&talk, 1);
	CU_ASSERT_EQUAL(dead(&talk, "invalid"), 1);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), words_text(WORDS_REFUSED));
	talk_finish(&talk);
}

static void errand_of_a_channel_that_was_removed_ends(void)
{
	struct cg_inbound inbound = talk_message("e1", "chat", "text");
	struct talk talk;

	talk_init(&talk);
	CU_ASSERT_EQUAL(
		rig_submit(&talk.yard.rig, "slack", &inbound), CG_VERDICT_COMMITTED);
	talk_await_closed(&talk, 1);
	CU_ASSERT_EQUAL(dead(&talk, "channel removed"), 1);
	talk_expect_nothing(&talk);
	talk_finish(&talk);
}

static void errand_is_destroyed_at_any_step(void)
{
	for (size_t step = 0; step <= STEPS; step++) {
		struct talk talk;

		talk_init(&talk);
		talk_hear(&talk, "e1", "chat", "text");
		walk(&talk, 0, step);
		talk_turn(&talk);
		talk_finish(&talk);
	}
}

UNIT_SUITE(errand, UNIT_TEST(errand_of_a_loop_is_the_last),
	UNIT_TEST(errand_of_no_loop_goes_on), UNIT_TEST(errand_takes_its_steps_in_order),
	UNIT_TEST(errand_repeats_the_step_that_failed),
	UNIT_TEST(errand_that_cannot_begin_a_call_waits),
	UNIT_TEST(errand_that_is_refused_says_so_once),
	UNIT_TEST(errand_whose_prompt_had_failed_is_silent),
	UNIT_TEST(errand_is_done_when_its_claim_is_nobody_s),
	UNIT_TEST(errand_waits_for_a_token_that_is_accepted),
	UNIT_TEST(errand_says_once_that_it_waits),
	UNIT_TEST(errand_says_once_for_a_chat_that_it_waits),
	UNIT_TEST(errand_expires_and_says_so),
	UNIT_TEST(errand_does_not_run_an_old_order),
	UNIT_TEST(errand_finishes_what_it_had_begun),
	UNIT_TEST(errand_of_a_duplicate_does_nothing),
	UNIT_TEST(errand_goes_on_with_its_own_claim),
	UNIT_TEST(errand_waits_for_another_s_claim), UNIT_TEST(errand_of_a_stranger),
	UNIT_TEST(errand_of_nothing_to_say), UNIT_TEST(errand_hands_files_over),
	UNIT_TEST(errand_of_a_message_with_files_the_other_side_takes_none_of),
	UNIT_TEST(errand_of_a_bot_reaches_nobody),
	UNIT_TEST(errand_of_a_button_that_is_gone),
	UNIT_TEST(errand_hashes_ids_that_are_too_long),
	UNIT_TEST(errand_that_no_call_can_be_made_of_ends),
	UNIT_TEST(errand_of_a_channel_that_was_removed_ends),
	UNIT_TEST(errand_is_destroyed_at_any_step));
