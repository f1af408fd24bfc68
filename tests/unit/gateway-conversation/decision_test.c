/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/decision.h"

#include "gateway/conversation/card.h"
#include "tests/unit/gateway-conversation/conversation_rig.h"

#define CREATE "/channels/interactions"
#define RESOLVE "/interactions/resolve"
#define CREATED \
	"{\"interaction\":{\"interactionId\":\"ci\",\"sessionId\":\"sess-1\",\"kind\":" \
	"\"permission\",\"targetId\":\"per_1\",\"status\":\"pending\"}," \
	"\"plaintextToken\":\"occi_ci_secret\"}"
#define RESOLVED \
	"{\"interaction\":{\"interactionId\":\"ci\",\"sessionId\":\"sess-1\",\"kind\":" \
	"\"permission\",\"targetId\":\"per_1\",\"status\":\"used\"},\"command\":" \
	"{\"commandId\":\"c\",\"sessionId\":\"sess-1\",\"kind\":\"permission.respond\"," \
	"\"status\":\"pending\"}}"
#define VIEWER \
	"{\"identity\":{\"identityId\":\"id-2\",\"role\":\"viewer\"," \
	"\"status\":\"pending\"}}"
#define APPROVER \
	"{\"identity\":{\"identityId\":\"id-3\",\"role\":\"approver\"," \
	"\"status\":\"active\"}}"

static char token[64];

static void read_token(struct talk *talk)
{
	sqlite3 *sqlite = NULL;
	sqlite3_stmt *statement = NULL;

	token[0] = '\0';
	if (sqlite3_open_v2(talk->yard.rig.path, &sqlite, SQLITE_OPEN_READONLY, NULL) ==
			SQLITE_OK &&
		sqlite3_prepare_v2(sqlite,
			"SELECT token FROM inquiry ORDER BY id DESC LIMIT 1", -1,
			&statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		cg_text_copy(token, sizeof(token),
			(const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	sqlite3_close(sqlite);
}

static void wait_for_card(struct talk *talk)
{
	size_t before = talk->yard.count;

	talk_await_credit(talk);
	yard_await(&talk->yard, before + 1);
	yard_receipt(&talk->yard, before, "500");
	TALK_UNTIL(talk, delivery_in_flight(talk->yard.delivery) == 0);
	read_token(talk);
}

/* A session that waits for leave to run something; its card is in the chat. */
static void ask(struct talk *talk)
{
	talk_init(talk);
	talk->yard.capabilities.max_buttons = 8;
	talk->yard.capabilities.max_button_rows = 8;
	talk->yard.capabilities.max_button_token = 64;
	talk->yard.capabilities.answer = true;
	talk_converse(talk);
	CU_ASSERT_FALSE(talk_event(talk, 1, "permission.requested",
		"{\"permissionId\":\"per_1\",\"tool\":\"bash\",\"input\":"
		"{\"command\":\"ls\"}}"));
	wait_for_card(talk);
	CU_ASSERT_EQUAL(talk->yard.sends[0].kind, CG_OUTBOUND_BUTTONS);
	CU_ASSERT_STRING_EQUAL(talk->yard.sends[0].id, "sess-1:per_1:ask:1");
	talk->yard.count = 0;
}

static void press_as(struct talk *talk, const char *event_id, const char *choice,
	const char *chat, const char *identity)
{
	char text[80];
	const struct cg_interaction press = {.id = event_id, .token = text};
	struct cg_inbound in = talk_message(event_id, chat, NULL);

	snprintf(text, sizeof(text), "%s.%s", choice, token);
	in.type = CG_EVENT_INTERACTION;
	in.interaction = &press;
	talk_submit(talk, &in);
	talk_answer(talk, TALK_CLAIM, 200, TALK_CLAIMED);
	talk_answer(talk, TALK_IDENTITY, 200, identity);
}

static void press(struct talk *talk, const char *event_id, const char *choice)
{
	press_as(talk, event_id, choice, "chat", TALK_MEMBER);
}

static void complete(struct talk *talk, int64_t closed)
{
	talk_answer(talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(talk, closed);
}

/* The last answer to a press. */
static const struct yard_send *answered(struct talk *talk)
{
	TALK_UNTIL(talk, talk->yard.count > 0);
	for (size_t i = talk->yard.count; i-- > 0;) {
		if (talk->yard.sends[i].kind == CG_OUTBOUND_ANSWER)
			return &talk->yard.sends[i];
	}
	CU_FAIL_FATAL("the press was not answered");
	return NULL;
}

static int64_t redraws(struct talk *talk)
{
	return talk_count(talk, "SELECT count(*) FROM outbox WHERE delivery_id = "
				"'sess-1:per_1:ask:1:closed'");
}

static void a_press_decides(void)
{
	struct talk talk;

	ask(&talk);
	press(&talk, "e2", "y");
	talk_expect(&talk, CREATE);
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(talk.current->body, "targetId", ""), "per_1");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(talk.current->body, "kind", ""), "permission");
	cloud_fake_answer(talk.current, 201, CREATED);
	talk_expect(&talk, RESOLVE);
	/* Who pressed and where: the other side judges it. */
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(talk.current->body, "token", ""), "occi_ci_secret");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(talk.current->body, "externalUserId", ""), "user");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(talk.current->body, "externalChatId", ""), "chat");
	CU_ASSERT(cg_json_bool(
		cg_json_object(talk.current->body, "response"), "allowed", false));
	CU_ASSERT_EQUAL(redraws(&talk), 0);
	CU_ASSERT_EQUAL(talk.yard.count, 0);
	cloud_fake_answer(talk.current, 202, RESOLVED);
	talk_expect(&talk, TALK_COMPLETE);
	/* Recorded before anything is shown. */
	CU_ASSERT_EQUAL(
		talk_count(&talk, "SELECT count(*) FROM inquiry WHERE state = 2"), 1);
	CU_ASSERT_EQUAL(redraws(&talk), 0);
	CU_ASSERT_EQUAL(talk.yard.count, 0);
	cloud_fake_answer(talk.current, 200, TALK_COMPLETED);
	talk_await_closed(&talk, 2);
	CU_ASSERT_STRING_EQUAL(answered(&talk)->text, "Approved.");
	TALK_UNTIL(&talk, talk.yard.count == 2);
	for (size_t i = 0; i < 2; i++) {
		if (talk.yard.sends[i].kind != CG_OUTBOUND_EDIT)
			continue;
		CU_ASSERT_STRING_EQUAL(talk.yard.sends[i].edited, "500");
		CU_ASSERT_PTR_NOT_NULL(
			strstr(talk.yard.sends[i].text, "**Approved** by user"));
	}
	CU_ASSERT_EQUAL(redraws(&talk), 1);
	/* The event that tells it comes behind, and changes nothing. */
	talk_event(&talk, 2, "permission.resolved", "{\"permissionId\":\"per_1\"}");
	talk_await_credit(&talk);
	CU_ASSERT_EQUAL(redraws(&talk), 1);
	talk_finish(&talk);
}

static void a_second_press_learns_who_decided(void)
{
	struct talk talk;

	ask(&talk);
	press(&talk, "e2", "n");
	talk_answer(&talk, CREATE, 201, CREATED);
	talk_answer(&talk, RESOLVE, 202, RESOLVED);
	complete(&talk, 2);
	press(&talk, "e3", "y");
	complete(&talk, 3);
	CU_ASSERT_STRING_EQUAL(answered(&talk)->text, "Decided already: Denied by user.");
	CU_ASSERT_EQUAL(redraws(&talk), 1);
	talk_finish(&talk);
}

/* Two at the same moment: one reaches the other side. */
static void a_press_during_a_decision_waits_for_nobody(void)
{
	struct talk talk;

	ask(&talk);
	press(&talk, "e2", "y");
	talk_expect(&talk, CREATE);
	{
		struct cloud_exchange *create = talk.current;

		press(&talk, "e3", "n");
		talk_answer(&talk, TALK_COMPLETE, 200, TALK_COMPLETED);
		CU_ASSERT_STRING_EQUAL(answered(&talk)->text,
			"Somebody decides this already: Approved by user.");
		cloud_fake_answer(create, 201, CREATED);
	}
	talk_answer(&talk, RESOLVE, 202, RESOLVED);
	complete(&talk, 3);
	talk_finish(&talk);
}

static void a_stranger_decides_nothing(void)
{
	struct talk talk;

	ask(&talk);
	press_as(&talk, "e2", "y", "chat", VIEWER);
	complete(&talk, 2);
	CU_ASSERT_STRING_EQUAL(answered(&talk)->text, words_text(WORDS_NOT_YOURS));
	CU_ASSERT_EQUAL(
		talk_count(&talk, "SELECT count(*) FROM inquiry WHERE state = 0"), 1);
	/* An approver may, and nothing else. */
	press_as(&talk, "e3", "y", "chat", APPROVER);
	talk_answer(&talk, CREATE, 201, CREATED);
	talk_answer(&talk, RESOLVE, 202, RESOLVED);
	complete(&talk, 3);
	talk_finish(&talk);
}

static void a_button_of_another_chat_is_unknown(void)
{
	struct talk talk;

	ask(&talk);
	press_as(&talk, "e2", "y", "elsewhere", TALK_MEMBER);
	complete(&talk, 2);
	CU_ASSERT_STRING_EQUAL(answered(&talk)->text, words_text(WORDS_BUTTON_GONE));
	cg_text_copy(token, sizeof(token), "forged");
	press(&talk, "e3", "y");
	complete(&talk, 3);
	CU_ASSERT_STRING_EQUAL(answered(&talk)->text, words_text(WORDS_BUTTON_GONE));
	CU_ASSERT_EQUAL(
		talk_count(&talk, "SELECT count(*) FROM inquiry WHERE state = 0"), 1);
	talk_finish(&talk);
}

static void a_late_press_is_told_so(void)
{
	struct talk talk;

	ask(&talk);
	talk.yard.rig.now_ms += CARD_LIFE_MS;
	press(&talk, "e2", "y");
	complete(&talk, 2);
	CU_ASSERT_STRING_EQUAL(answered(&talk)->text, words_text(WORDS_EXPIRED_CARD));
	talk_finish(&talk);
}

/* The button of before works; the answer to it is not sent again. */
static void a_press_survives_a_restart(void)
{
	struct talk talk;

	ask(&talk);
	talk_restart(&talk);
	press(&talk, "e2", "y");
	talk_answer(&talk, CREATE, 201, CREATED);
	talk_expect(&talk, RESOLVE);
	/* The process dies before it hears that the decision was taken. */
	talk_restart(&talk);
	talk_admit(&talk);
	talk_answer(&talk, CREATE, 201, CREATED);
	talk_answer(&talk, RESOLVE, 202, RESOLVED);
	complete(&talk, 2);
	CU_ASSERT_EQUAL(redraws(&talk), 1);
	TALK_UNTIL(&talk, talk.yard.count > 0);
	for (size_t i = 0; i < talk.yard.count; i++)
		CU_ASSERT_NOT_EQUAL(talk.yard.sends[i].kind, CG_OUTBOUND_ANSWER);
	talk_finish(&talk);
}

/* The other side is away: the platform is answered at once, the decision follows. */
static void a_press_is_answered_while_the_other_side_is_away(void)
{
	struct talk talk;

	ask(&talk);
	press(&talk, "e2", "y");
	talk_answer(&talk, CREATE, 503, NULL);
	CU_ASSERT_STRING_EQUAL(answered(&talk)->text, words_text(WORDS_DECISION_WAITS));
	yard_receipt(&talk.yard, 0, NULL);
	talk_retry(&talk);
	talk_answer(&talk, CREATE, 201, CREATED);
	talk_answer(&talk, RESOLVE, 202, RESOLVED);
	complete(&talk, 2);
	CU_ASSERT_EQUAL(redraws(&talk), 1);
	TALK_UNTIL(&talk, talk.yard.count == 2);
	CU_ASSERT_EQUAL(talk.yard.sends[1].kind, CG_OUTBOUND_EDIT); /* no second answer */
	talk_finish(&talk);
}

static void a_refused_decision_leaves_it_open(void)
{
	static const struct {
		int status;
		enum words words;
	} refusals[] = {{404, WORDS_NOT_OPEN_OR_YOURS}, {403, WORDS_NOT_FROM_HERE},
		{409, WORDS_DECIDED_ELSEWHERE}};

	for (size_t i = 0; i < 3; i++) {
		struct talk talk;

		ask(&talk);
		press(&talk, "e2", "y");
		talk_answer(&talk, CREATE, 201, CREATED);
		talk_answer(&talk, RESOLVE, refusals[i].status, NULL);
		complete(&talk, 2);
		CU_ASSERT_STRING_EQUAL(
			answered(&talk)->text, words_text(refusals[i].words));
		CU_ASSERT_EQUAL(
			talk_count(&talk, "SELECT count(*) FROM inquiry WHERE state = 0"),
			1);
		CU_ASSERT_EQUAL(redraws(&talk), 0);
		talk_finish(&talk);
	}
}

static void typed_commands_decide_the_only_one(void)
{
	struct talk talk;

	ask(&talk);
	talk_command(&talk, "e2", "approve", "");
	talk_admit(&talk);
	talk_answer(&talk, CREATE, 201, CREATED);
	talk_answer(&talk, RESOLVE, 202, RESOLVED);
	complete(&talk, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(talk_said(&talk), "Approved."));
	CU_ASSERT_EQUAL(redraws(&talk), 1);
	talk_finish(&talk);
}

static void of_several_one_must_be_named(void)
{
	struct talk talk;

	ask(&talk);
	CU_ASSERT_FALSE(talk_event(&talk, 2, "permission.requested",
		"{\"permissionId\":\"per_2\",\"tool\":\"edit\",\"input\":{}}"));
	wait_for_card(&talk);
	talk_command(&talk, "e2", "deny", "");
	talk_admit(&talk);
	complete(&talk, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(talk_said(&talk), words_text(WORDS_WHICH_ONE)));
	CU_ASSERT_PTR_NOT_NULL(strstr(talk_said(&talk), ": Approval needed: edit"));
	CU_ASSERT_EQUAL(
		talk_count(&talk, "SELECT count(*) FROM inquiry WHERE state = 0"), 2);
	talk_finish(&talk);
}

static void ask_a_question(struct talk *talk)
{
	talk_init(talk);
	talk_converse(talk);
	talk_event(talk, 1, "question.asked",
		"{\"requestId\":\"per_1\",\"questions\":[{\"question\":\"Which?\","
		"\"options\":[\"pg\"]}]}");
	wait_for_card(talk);
	talk->yard.count = 0;
}

static void hear_privately(struct talk *talk, const char *event_id, const char *text)
{
	struct cg_inbound in = talk_message(event_id, "chat", text);

	in.target.is_direct = true;
	talk_submit(talk, &in);
	talk_admit(talk);
}

/* In a private chat the next message is the answer; the agent would not read it otherwise. */
static void a_message_answers_a_question(void)
{
	struct cg_inbound first;
	struct talk talk;

	talk_init(&talk);
	first = talk_message("e1", "chat", "text");
	first.target.is_direct = true;
	talk_submit(&talk, &first);
	cloud_fake_answer(talk_until_prompt(&talk), 202, TALK_PROMPTED);
	complete(&talk, 1);
	cloud_fake_open(talk.stream);
	talk_event(&talk, 1, "question.asked",
		"{\"requestId\":\"per_1\",\"questions\":[{\"question\":\"Which?\","
		"\"options\":[\"pg\"]}]}");
	wait_for_card(&talk);
	hear_privately(&talk, "e2", "mysql");
	talk_answer(&talk, CREATE, 201, CREATED);
	talk_expect(&talk, RESOLVE);
	CU_ASSERT_STRING_EQUAL(
		cg_json_text(cg_json_array(talk.current->body, "answers"), NULL),
		"[\"mysql\"]");
	cloud_fake_answer(talk.current, 202, RESOLVED);
	complete(&talk, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(talk_said(&talk), "**Answered: mysql** by user"));
	/* Nothing is asked any more: the next one is a prompt. */
	hear_privately(&talk, "e3", "go on");
	talk_answer(&talk, TALK_BIND, 200, TALK_BOUND);
	talk_expect(&talk, TALK_PROMPT);
	talk_finish(&talk);
}

static void in_a_group_a_message_is_a_prompt(void)
{
	struct talk talk;

	ask_a_question(&talk);
	talk_hear(&talk, "e2", "chat", "mysql");
	talk_admit(&talk);
	talk_answer(&talk, TALK_BIND, 200, TALK_BOUND);
	talk_expect(&talk, TALK_PROMPT);
	talk_finish(&talk);
}

/* In a group, who answers the card on the platform answers it; who answers something else does not. */
static void a_reply_to_its_card_answers_a_question(void)
{
	struct cg_inbound in = talk_message("e2", "chat", "pg");
	struct talk talk;

	ask_a_question(&talk);
	in.reply_to = "499";
	talk_submit(&talk, &in);
	talk_admit(&talk);
	talk_answer(&talk, TALK_BIND, 200, TALK_BOUND);
	talk_expect(&talk, TALK_PROMPT);
	talk_finish(&talk);
	ask_a_question(&talk);
	in.reply_to = "500";
	talk_submit(&talk, &in);
	talk_admit(&talk);
	talk_answer(&talk, CREATE, 201, CREATED);
	talk_expect(&talk, RESOLVE);
	CU_ASSERT_STRING_EQUAL(
		cg_json_text(cg_json_array(talk.current->body, "answers"), NULL),
		"[\"pg\"]");
	cloud_fake_answer(talk.current, 202, RESOLVED);
	complete(&talk, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(talk_said(&talk), "**Answered: pg** by user"));
	talk_finish(&talk);
}

/* What is sent with a denial, and what the person is told. */
static void deny(
	const char *extensions, const char *args, const char *reason, const char *told)
{
	struct talk talk;

	ask(&talk);
	talk.conversation->can_reason = extensions != NULL;
	talk_command(&talk, "e2", "deny", args);
	talk_admit(&talk);
	talk_answer(&talk, CREATE, 201, CREATED);
	talk_expect(&talk, RESOLVE);
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(talk.current->body, "message", "(none)"), reason);
	cloud_fake_answer(talk.current, 202, RESOLVED);
	complete(&talk, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(talk_said(&talk), told));
	talk_finish(&talk);
}

static void a_reason_goes_to_the_agent(void)
{
	deny("yes", NULL, "(none)", "|Denied.");
	deny("yes", "it is far too slow", "it is far too slow",
		"|Denied. The agent gets");
	deny(NULL, "it is far too slow", "(none)",
		"Denied. The reason was not passed on");
}

static void an_answer_may_begin_like_a_code(void)
{
	struct talk talk;

	ask_a_question(&talk);
	talk_command(&talk, "e2", "answer", "push it");
	talk_admit(&talk);
	talk_answer(&talk, CREATE, 201, CREATED);
	talk_expect(&talk, RESOLVE);
	CU_ASSERT_STRING_EQUAL(
		cg_json_text(cg_json_array(talk.current->body, "answers"), NULL),
		"[\"push it\"]");
	cloud_fake_answer(talk.current, 202, RESOLVED);
	complete(&talk, 2);
	talk_finish(&talk);
}

UNIT_SUITE(decision, UNIT_TEST(a_press_decides),
	UNIT_TEST(a_second_press_learns_who_decided),
	UNIT_TEST(a_press_during_a_decision_waits_for_nobody),
	UNIT_TEST(a_stranger_decides_nothing),
	UNIT_TEST(a_button_of_another_chat_is_unknown),
	UNIT_TEST(a_late_press_is_told_so), UNIT_TEST(a_press_survives_a_restart),
	UNIT_TEST(a_press_is_answered_while_the_other_side_is_away),
	UNIT_TEST(a_refused_decision_leaves_it_open),
	UNIT_TEST(typed_commands_decide_the_only_one),
	UNIT_TEST(of_several_one_must_be_named), UNIT_TEST(a_message_answers_a_question),
	UNIT_TEST(in_a_group_a_message_is_a_prompt),
	UNIT_TEST(a_reply_to_its_card_answers_a_question),
	UNIT_TEST(a_reason_goes_to_the_agent),
	UNIT_TEST(an_answer_may_begin_like_a_code));
