/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked in a chat, and who decides it. */
#include "tests/unit/gateway-journal/journal_rig.h"

struct seen {
	struct rig *rig;
	enum cg_status status;
	size_t count;
	int64_t id, taken_by, closed_ms;
	enum inquiry_state state;
	char card[64], code[8], target[16], agent[16], options[16], answer[32], who[32];
};

static void copy(char *ret, size_t size, const char *text)
{
	snprintf(ret, size, "%s", text != NULL ? text : "-");
}

static void on_found(
	void *arg, enum cg_status status, const struct inquiry *inquiries, size_t count)
{
	struct seen *seen = arg;

	seen->status = status;
	seen->count = count;
	if (count > 0) {
		const struct inquiry *one = &inquiries[0];

		seen->id = one->id;
		seen->state = one->state;
		seen->taken_by = one->taken_by;
		seen->closed_ms = one->closed_ms;
		copy(seen->card, sizeof(seen->card), one->card);
		copy(seen->code, sizeof(seen->code), one->code);
		copy(seen->target, sizeof(seen->target), one->target_id);
		copy(seen->agent, sizeof(seen->agent), one->agent_id);
		copy(seen->options, sizeof(seen->options), one->options);
		copy(seen->answer, sizeof(seen->answer), one->answer);
		copy(seen->who, sizeof(seen->who), one->decided_by);
		CU_ASSERT_STRING_EQUAL(one->binding_id, "binding");
		CU_ASSERT_STRING_EQUAL(one->instance, "telegram");
	}
	rig_answer(seen->rig);
}

static struct seen by_token(struct rig *rig, const char *token)
{
	const struct inquiry_query query = {.token = token};
	struct seen seen = {.rig = rig};

	inquiry_find(rig->journal, &query, on_found, &seen);
	rig_await(rig);
	CU_ASSERT_EQUAL(seen.status, CG_OK);
	return seen;
}

static struct seen in_chat(struct rig *rig, const char *chat, const char *code)
{
	const struct inquiry_query query = {
		.instance = "telegram", .chat_id = chat, .code = code};
	struct seen seen = {.rig = rig};

	inquiry_find(rig->journal, &query, on_found, &seen);
	rig_await(rig);
	CU_ASSERT_EQUAL(seen.status, CG_OK);
	return seen;
}

static size_t by_receipt(struct rig *rig, const char *chat, const char *receipt)
{
	const struct inquiry_query query = {
		.instance = "telegram", .chat_id = chat, .receipt = receipt};
	struct seen seen = {.rig = rig};

	inquiry_find(rig->journal, &query, on_found, &seen);
	rig_await(rig);
	CU_ASSERT_EQUAL(seen.status, CG_OK);
	return seen.count;
}

static struct inquiry_seed seed_of(const char *token)
{
	return (struct inquiry_seed){.kind = INQUIRY_PERMISSION,
		.token = token,
		.code = "K7QX",
		.target_id = "per_1",
		.agent_id = "agent",
		.options = "{}",
		.card = "what",
		.expires_ms = RIG_NOW + 1000};
}

static enum cg_status ask(struct rig *rig, const char *id, const char *chat,
	const struct inquiry_seed *seed)
{
	struct obligation card = rig_obligation(id, chat);

	card.purpose = OUTBOX_APPROVAL;
	card.binding_id = "binding";
	card.asks = seed;
	return rig_oblige(rig, &card, 1);
}

static enum cg_status take(struct rig *rig, int64_t id, int64_t message)
{
	const struct inquiry_taking taking = {.id = id,
		.message_id = message,
		.answer = "Approved",
		.decided_by = "Ann"};

	inquiry_take(rig->journal, &taking, rig_done, rig);
	rig_await(rig);
	return rig->status;
}

static enum cg_status settle(struct rig *rig, int64_t id, enum inquiry_state to)
{
	inquiry_settle(rig->journal, id, to, rig_done, rig);
	rig_await(rig);
	return rig->status;
}

static enum cg_status close_card(struct rig *rig, const char *id, const char *card)
{
	struct obligation redraw = rig_obligation(id, "chat");

	redraw.purpose = OUTBOX_REDRAW;
	redraw.slot_id = card;
	redraw.source = " gone";
	redraw.closes = true;
	return rig_oblige(rig, &redraw, 1);
}

static void what_is_asked_is_stored_with_its_card(void)
{
	struct inquiry_seed seed = seed_of("token-1");
	struct seen seen;
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(ask(&rig, "card", "chat", &seed), CG_OK);
	CU_ASSERT_EQUAL(rig_figures(&rig).inquiries, 1);
	/* A replay makes another token; the first one, which is on the button, stays. */
	seed.token = "token-2";
	CU_ASSERT_EQUAL(ask(&rig, "card", "chat", &seed), CG_OK);
	rig_reopen(&rig);
	CU_ASSERT_EQUAL(rig_figures(&rig).inquiries, 1);
	CU_ASSERT_EQUAL(by_token(&rig, "token-2").count, 0);
	seen = by_token(&rig, "token-1");
	CU_ASSERT_EQUAL(seen.count, 1);
	CU_ASSERT_EQUAL(seen.state, INQUIRY_IS_OPEN);
	CU_ASSERT_STRING_EQUAL(seen.card, "what");
	CU_ASSERT_STRING_EQUAL(seen.target, "per_1");
	CU_ASSERT_STRING_EQUAL(seen.agent, "agent");
	CU_ASSERT_STRING_EQUAL(seen.options, "{}");
	CU_ASSERT_STRING_EQUAL(seen.answer, "-");
	CU_ASSERT_EQUAL(in_chat(&rig, "chat", "k7qx").count, 1);
	CU_ASSERT_EQUAL(in_chat(&rig, "chat", "ZZZZ").count, 0);
	CU_ASSERT_EQUAL(in_chat(&rig, "chat", NULL).count, 1);
	CU_ASSERT_EQUAL(in_chat(&rig, "other", NULL).count, 0);
	rig_finish(&rig);
}

static void a_seed_has_limits(void)
{
	static char text[INQUIRY_OPTIONS_MAX + 2];
	struct inquiry_seed seed;
	struct rig rig;

	rig_start(&rig);
	memset(text, 'x', sizeof(text) - 1);
#define REFUSED(change) \
	seed = seed_of("t"); \
	change; \
	CU_ASSERT_EQUAL(ask(&rig, "card", "chat", &seed), CG_INVALID)
	REFUSED(seed.token = NULL);
	REFUSED(seed.token = "");
	REFUSED(seed.token = "a-token-of-more-than-thirty-two-bytes");
	REFUSED(seed.code = "a-code-of-seventeen");
	REFUSED(seed.target_id = NULL);
	REFUSED(seed.options = text);
	REFUSED(seed.options = "\xff");
	REFUSED(seed.expires_ms = 0);
#undef REFUSED
	rig_finish(&rig);
}

static void the_first_decision_counts(void)
{
	struct inquiry_seed seed = seed_of("token");
	struct seen seen;
	struct rig rig;

	rig_start(&rig);
	ask(&rig, "card", "chat", &seed);
	seen = by_token(&rig, "token");
	CU_ASSERT_EQUAL(settle(&rig, seen.id, INQUIRY_IS_DECIDED), CG_CONFLICT);
	CU_ASSERT_EQUAL(settle(&rig, seen.id, INQUIRY_IS_TAKEN), CG_INVALID);
	CU_ASSERT_EQUAL(take(&rig, seen.id, 5), CG_OK);
	CU_ASSERT_EQUAL(take(&rig, seen.id, 6), CG_CONFLICT);
	rig_reopen(&rig);
	CU_ASSERT_EQUAL(take(&rig, seen.id, 5), CG_OK); /* the same message, once more */
	CU_ASSERT_EQUAL(in_chat(&rig, "chat", NULL).count, 0);
	/* The Cloud refused: it is open again, with nothing of the attempt left. */
	CU_ASSERT_EQUAL(settle(&rig, seen.id, INQUIRY_IS_OPEN), CG_OK);
	seen = by_token(&rig, "token");
	CU_ASSERT_EQUAL(seen.taken_by, 0);
	CU_ASSERT_STRING_EQUAL(seen.who, "-");
	CU_ASSERT_EQUAL(take(&rig, seen.id, 6), CG_OK);
	CU_ASSERT_EQUAL(settle(&rig, seen.id, INQUIRY_IS_DECIDED), CG_OK);
	CU_ASSERT_EQUAL(rig_figures(&rig).inquiries, 0);
	seen = by_token(&rig, "token");
	CU_ASSERT_EQUAL(seen.state, INQUIRY_IS_DECIDED);
	CU_ASSERT_STRING_EQUAL(seen.who, "Ann");
	CU_ASSERT_STRING_EQUAL(seen.answer, "Approved");
	CU_ASSERT_EQUAL(take(&rig, seen.id, 7), CG_CONFLICT);
	rig_finish(&rig);
}

/* What was decided elsewhere ends here, unless somebody here decides it at this moment. */
static void a_redraw_closes_what_is_open_only(void)
{
	struct inquiry_seed seed = seed_of("token");
	struct seen seen;
	struct rig rig;

	rig_start(&rig);
	ask(&rig, "card", "chat", &seed);
	seen = by_token(&rig, "token");
	take(&rig, seen.id, 5);
	CU_ASSERT_EQUAL(close_card(&rig, "r1", "card"), CG_OK);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM outbox"), 1);
	settle(&rig, seen.id, INQUIRY_IS_OPEN);
	CU_ASSERT_EQUAL(close_card(&rig, "r1", "card"), CG_OK);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM outbox WHERE source ="
					 " 'what gone' AND slot_id = 'card'"),
		1);
	CU_ASSERT_EQUAL(by_token(&rig, "token").state, INQUIRY_IS_GONE);
	CU_ASSERT_EQUAL(rig_figures(&rig).inquiries, 0);
	CU_ASSERT_EQUAL(close_card(&rig, "r2", "card"), CG_OK);
	CU_ASSERT_EQUAL(close_card(&rig, "r3", "no card"), CG_OK);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM outbox"), 2);
	rig_finish(&rig);
}

static void the_end_of_a_turn_ends_what_it_asked(void)
{
	const struct outbox_cursor cursor = {
		.binding_id = "binding", .epoch = "e", .sequence = 9, .abandons = true};
	struct inquiry_seed seed = seed_of("token");
	struct seen seen = {0};
	struct rig rig;

	rig_start(&rig);
	seen.rig = &rig;
	ask(&rig, "card", "chat", &seed);
	inquiry_find_expired(rig.journal, RIG_NOW, on_found, &seen);
	rig_await(&rig);
	CU_ASSERT_EQUAL(seen.count, 0);
	outbox_store(rig.journal, NULL, 0, &cursor, rig_done, &rig);
	rig_await(&rig);
	inquiry_find_expired(rig.journal, RIG_NOW, on_found, &seen);
	rig_await(&rig);
	CU_ASSERT_EQUAL(seen.count, 1);
	rig_finish(&rig);
}

static void a_chat_has_so_many_open_ones(void)
{
	struct rig rig;
	char id[16];

	rig_start(&rig);
	for (int i = 0; i <= INQUIRY_OPEN; i++) {
		struct inquiry_seed seed = seed_of(id);

		snprintf(id, sizeof(id), "%d", i);
		CU_ASSERT_EQUAL(ask(&rig, id, "chat", &seed), CG_OK);
	}
	CU_ASSERT_EQUAL(rig_figures(&rig).inquiries, INQUIRY_OPEN);
	CU_ASSERT_EQUAL(by_token(&rig, "0").state, INQUIRY_IS_GONE);
	CU_ASSERT_EQUAL(in_chat(&rig, "chat", NULL).count, INQUIRY_OPEN);
	rig_finish(&rig);
}

/* Two cards in one chat: the one that arrived under that id. */
static void what_is_asked_is_found_by_its_receipt(void)
{
	const struct inquiry_seed one = seed_of("t1"), two = seed_of("t2");
	const struct outbox_result sent = {
		.state = OUTBOX_SENT, .receipt = "500", .now_ms = RIG_NOW};
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(ask(&rig, "c1", "chat", &one), CG_OK);
	CU_ASSERT_EQUAL(ask(&rig, "c2", "chat", &two), CG_OK);
	CU_ASSERT_EQUAL(by_receipt(&rig, "chat", "500"), 0);
	outbox_sending(rig.journal, 2, NULL, NULL);
	outbox_settle(rig.journal, 2, &sent, rig_done, &rig);
	rig_await(&rig);
	CU_ASSERT_EQUAL(by_receipt(&rig, "chat", "500"), 1);
	CU_ASSERT_EQUAL(by_receipt(&rig, "chat", "501"), 0);
	CU_ASSERT_EQUAL(by_receipt(&rig, "other", "500"), 0);
	CU_ASSERT_EQUAL(in_chat(&rig, "chat", NULL).count, 2);
	rig_finish(&rig);
}

UNIT_SUITE(inquiry, UNIT_TEST(what_is_asked_is_found_by_its_receipt),
	UNIT_TEST(what_is_asked_is_stored_with_its_card), UNIT_TEST(a_seed_has_limits),
	UNIT_TEST(the_first_decision_counts),
	UNIT_TEST(a_redraw_closes_what_is_open_only),
	UNIT_TEST(the_end_of_a_turn_ends_what_it_asked),
	UNIT_TEST(a_chat_has_so_many_open_ones));
