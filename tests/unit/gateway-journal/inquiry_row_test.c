/* SPDX-License-Identifier: Apache-2.0 */
/* What asks is stored, closed and abandoned within the transactions of others. */
#include "gateway/journal/inquiry_row.h"

#include "tests/unit/gateway-journal/journal_rig.h"

static struct inquiry_seed seed_of(const char *token)
{
	return (struct inquiry_seed){.kind = INQUIRY_QUESTION,
		.token = token,
		.code = "K7QX",
		.target_id = "que_1",
		.expires_ms = RIG_NOW + 1000};
}

static struct inquiry_card card_of(const char *id)
{
	return (struct inquiry_card){.card_id = id,
		.card = "which?",
		.instance = "telegram",
		.chat_id = "chat",
		.binding_id = "binding"};
}

static void a_seed_keeps_its_limits(void)
{
	static char longer[INQUIRY_CARD_MAX + 2];
	struct inquiry_seed seed = seed_of("t");

	CU_ASSERT_TRUE(inquiry_seed_valid(&seed));
#define REFUSED(change) \
	seed = seed_of("t"); \
	change; \
	CU_ASSERT_FALSE(inquiry_seed_valid(&seed))
	memset(longer, 'x', sizeof(longer) - 1);
	REFUSED(seed.token = NULL);
	REFUSED(seed.token = "");
	REFUSED(seed.token = longer);
	REFUSED(seed.code = "\xff");
	REFUSED(seed.target_id = NULL);
	REFUSED(seed.options = longer);
	REFUSED(seed.card = longer);
	REFUSED(seed.expires_ms = 0);
	REFUSED(seed.kind = (enum inquiry_kind)7);
#undef REFUSED
}

/* One job on the journal's file, as its operations run them. */
struct step {
	struct operation operation;
	struct rig *rig;
	enum cg_status (*run)(
		struct step *step, struct transaction *tx, struct cg_error *err);
	const char *id; /* of the card */
	const char *token;
	char *card, *card_id; /* owned: what was closed */
	int64_t open; /* rows that were opened less those that were closed */
};

static enum cg_status step_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct step *step = arg;

	return step->run(step, tx, err);
}

static void step_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct step *step = (struct step *)operation;

	(void)err;
	step->rig->status = status;
	step->rig->count = (size_t)(step->open + 100);
	if (step->card != NULL) {
		CU_ASSERT_STRING_EQUAL(step->card, "which?");
		CU_ASSERT_STRING_EQUAL(step->card_id, "card-1:2");
	}
	free(step->card);
	free(step->card_id);
	rig_answer(step->rig);
}

/* What it made of the number of open ones. */
static int64_t run(struct rig *rig,
	enum cg_status (*work)(
		struct step *step, struct transaction *tx, struct cg_error *err),
	const char *id, const char *token)
{
	struct step *step =
		operation_create(rig->journal, sizeof(*step), step_work, step_done);

	step->rig = rig;
	step->run = work;
	step->id = id;
	step->token = token;
	operation_submit(&step->operation);
	rig_await(rig);
	CU_ASSERT_EQUAL(rig->status, CG_OK);
	return (int64_t)rig->count - 100;
}

static enum cg_status insert(
	struct step *step, struct transaction *tx, struct cg_error *err)
{
	struct inquiry_seed seed = seed_of(step->token);
	struct inquiry_card card = card_of(step->id);
	struct journal_change *change = &step->operation.change;
	enum cg_status status = inquiry_insert(
		tx, &seed, &card, journal_now(step->operation.journal), change, err);

	step->open = change->inquiries;
	return status;
}

static enum cg_status close_card(
	struct step *step, struct transaction *tx, struct cg_error *err)
{
	struct journal_change *change = &step->operation.change;
	enum cg_status status =
		inquiry_close(tx, step->id, journal_now(step->operation.journal), change,
			&step->card, &step->card_id, err);

	step->open = change->inquiries;
	return status;
}

static enum cg_status abandon(
	struct step *step, struct transaction *tx, struct cg_error *err)
{
	return inquiry_abandon(tx, "binding", journal_now(step->operation.journal), err);
}

static void a_card_asks_once(void)
{
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(run(&rig, insert, "card-1:1", "a"), 1);
	CU_ASSERT_EQUAL(run(&rig, insert, "card-1:1", "b"), 0);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM inquiry"), 1);
	CU_ASSERT_EQUAL(rig_figures(&rig).inquiries, 1);
	rig_finish(&rig);
}

/* The id of a card that was drawn again has a number behind a colon. */
static void the_latest_of_a_card_is_closed(void)
{
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(run(&rig, insert, "card-1:1", "a"), 1);
	CU_ASSERT_EQUAL(run(&rig, insert, "card-1:2", "b"), 1);
	CU_ASSERT_EQUAL(run(&rig, insert, "card-10:1", "c"), 1);
	CU_ASSERT_EQUAL(run(&rig, close_card, "card-1", NULL), -1);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT state FROM inquiry WHERE token = 'b'"),
		INQUIRY_IS_GONE);
	CU_ASSERT_EQUAL(run(&rig, close_card, "card-2", NULL), 0);
	CU_ASSERT_EQUAL(
		rig_number(&rig, "SELECT count(*) FROM inquiry WHERE state = 0"), 2);
	CU_ASSERT_EQUAL(rig_figures(&rig).inquiries, 2);
	rig_finish(&rig);
}

static void the_end_of_a_turn_is_the_end_of_its_questions(void)
{
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(run(&rig, insert, "card-1:1", "a"), 1);
	CU_ASSERT_EQUAL(run(&rig, abandon, NULL, NULL), 0);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT expires_ms FROM inquiry"), RIG_NOW);
	/* Whoever decides at this moment may end it. */
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT state FROM inquiry"), INQUIRY_IS_OPEN);
	rig_finish(&rig);
}

UNIT_SUITE(inquiry_row, UNIT_TEST(a_seed_keeps_its_limits), UNIT_TEST(a_card_asks_once),
	UNIT_TEST(the_latest_of_a_card_is_closed),
	UNIT_TEST(the_end_of_a_turn_is_the_end_of_its_questions));
