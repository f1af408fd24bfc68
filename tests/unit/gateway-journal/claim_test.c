/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/journal/claim.h"

#include "tests/unit/gateway-journal/journal_rig.h"

#define ENDS (RIG_NOW + 100000) /* the last moment to begin a send */

struct claims {
	struct rig rig;
	enum claim_standing standing;
	struct claim page[CLAIM_PAGE];
	size_t count;
	int64_t open, next_ms;
};

static void on_stored(void *arg, enum cg_status status, enum claim_standing standing)
{
	struct claims *claims = arg;

	claims->rig.status = status;
	claims->standing = standing;
	rig_answer(&claims->rig);
}

/* One delivery of @parts parts; the row ids are @id, or @id:chunk:n. */
static enum cg_status store(
	struct claims *claims, const char *binding, const char *id, unsigned parts)
{
	struct obligation obligations[4];
	char ids[4][32], key[CLAIM_KEY];
	struct claim_seed seed = {.delivery_id = id,
		.channel_binding_id = binding,
		.claimed_by = "gateway:one",
		.send_by_ms = ENDS};

	claim_key(binding, id, key);
	for (unsigned i = 0; i < parts; i++) {
		snprintf(ids[i], sizeof(ids[i]), parts == 1 ? "%s" : "%s:chunk:%u", id,
			i + 1);
		obligations[i] = (struct obligation){.delivery_id = ids[i],
			.instance = "telegram",
			.target = {.chat_id = "chat"},
			.purpose = OUTBOX_DELIVERY,
			.kind = CG_OUTBOUND_TEXT,
			.source = "text",
			.claim = key,
			.part = i + 1,
			.parts = parts};
	}
	claim_store(claims->rig.journal, &seed, obligations, parts, on_stored, claims);
	rig_await(&claims->rig);
	return claims->rig.status;
}

static void on_page(void *arg, enum cg_status status, const struct claim *page,
	size_t count, int64_t open, int64_t next_ms)
{
	struct claims *claims = arg;

	claims->rig.status = status;
	claims->count = count;
	claims->open = open;
	claims->next_ms = next_ms;
	if (count > 0)
		memcpy(claims->page, page, count * sizeof(*page));
	rig_answer(&claims->rig);
}

static void collect(struct claims *claims)
{
	claim_collect(claims->rig.journal, claims->rig.now_ms, on_page, claims);
	rig_await(&claims->rig);
	CU_ASSERT_EQUAL(claims->rig.status, CG_OK);
}

static void close_first(struct claims *claims)
{
	claim_close(claims->rig.journal, claims->page[0].key, claims->rig.now_ms,
		rig_done, &claims->rig);
	rig_await(&claims->rig);
	CU_ASSERT_EQUAL(claims->rig.status, CG_OK);
}

/* The head of the lane, begun; CONFLICT when it may not begin. */
static enum cg_status begin_head(struct claims *claims, int64_t *ret_id)
{
	struct rig *rig = &claims->rig;
	struct outbox_query query = {.now_ms = rig->now_ms, .limit = 1};

	outbox_due(rig->journal, &query, rig_on_rows, rig);
	rig_await(rig);
	CU_ASSERT_EQUAL_FATAL(rig->count, 1);
	*ret_id = rig->rows[0]->id;
	outbox_row_destroy(rig->rows[0]);
	rig->count = 0;
	outbox_sending(rig->journal, *ret_id, rig_done, rig);
	rig_await(rig);
	return rig->status;
}

static void end_head(struct claims *claims, enum outbox_state state, int64_t not_before)
{
	struct outbox_result result = {.state = state,
		.not_before_ms = not_before,
		.reason = state == OUTBOX_DEAD ? "refused" : NULL,
		.now_ms = claims->rig.now_ms};
	int64_t id;

	CU_ASSERT_EQUAL(begin_head(claims, &id), CG_OK);
	outbox_settle(claims->rig.journal, id, &result, rig_done, &claims->rig);
	rig_await(&claims->rig);
	CU_ASSERT_EQUAL(claims->rig.status, CG_OK);
}

static void claim_is_settled_when_its_rows_are(void)
{
	struct claims claims = {.count = 0};

	rig_start(&claims.rig);
	CU_ASSERT_EQUAL(store(&claims, "b", "d", 2), CG_OK);
	CU_ASSERT_EQUAL(claims.standing, CLAIM_NEW);
	collect(&claims);
	CU_ASSERT_EQUAL(claims.count, 0);
	CU_ASSERT_EQUAL(claims.open, 1);
	CU_ASSERT_EQUAL(claims.next_ms, ENDS);
	end_head(&claims, OUTBOX_SENT, 0);
	collect(&claims);
	CU_ASSERT_EQUAL(claims.count, 0); /* half of it */
	end_head(&claims, OUTBOX_SENT, 0);
	rig_reopen(&claims.rig); /* also after a restart */
	collect(&claims);
	CU_ASSERT_EQUAL_FATAL(claims.count, 1);
	CU_ASSERT_EQUAL(claims.page[0].outcome, CLAIM_SENT);
	CU_ASSERT_STRING_EQUAL(claims.page[0].delivery_id, "d");
	CU_ASSERT_STRING_EQUAL(claims.page[0].channel_binding_id, "b");
	CU_ASSERT_STRING_EQUAL(claims.page[0].claimed_by, "gateway:one");
	CU_ASSERT_EQUAL(claims.open, 1);
	collect(&claims);
	CU_ASSERT_EQUAL(claims.count, 1); /* until the Cloud knows */
	close_first(&claims);
	collect(&claims);
	CU_ASSERT_EQUAL(claims.count, 0);
	CU_ASSERT_EQUAL(claims.open, 0);
	rig_finish(&claims.rig);
}

static void claim_of_what_was_sent_is_only_acknowledged(void)
{
	struct claims claims = {.count = 0};

	rig_start(&claims.rig);
	store(&claims, "b", "d", 1);
	CU_ASSERT_EQUAL(store(&claims, "b", "d", 1), CG_OK);
	CU_ASSERT_EQUAL(claims.standing, CLAIM_RUNNING);
	end_head(&claims, OUTBOX_SENT, 0);
	collect(&claims);
	close_first(&claims);
	CU_ASSERT_EQUAL(store(&claims, "b", "d", 1), CG_OK);
	CU_ASSERT_EQUAL(claims.standing, CLAIM_REPEATED);
	collect(&claims);
	CU_ASSERT_EQUAL(claims.count, 1);
	CU_ASSERT_EQUAL(claims.page[0].outcome, CLAIM_SENT);
	CU_ASSERT_EQUAL(claims.open, 1);
	rig_finish(&claims.rig);
}

static void claim_that_ends_takes_its_rows_back(void)
{
	struct claims claims = {.count = 0};
	int64_t id;

	rig_start(&claims.rig);
	store(&claims, "b", "d", 2);
	end_head(&claims, OUTBOX_SENT, 0);
	claims.rig.now_ms = ENDS;
	CU_ASSERT_EQUAL(begin_head(&claims, &id), CG_CONFLICT);
	collect(&claims);
	CU_ASSERT_EQUAL_FATAL(claims.count, 1);
	CU_ASSERT_EQUAL(claims.page[0].outcome, CLAIM_RETURNED);
	close_first(&claims);
	/* Served again: only the second part is sent. */
	claims.rig.now_ms = RIG_NOW;
	CU_ASSERT_EQUAL(store(&claims, "b", "d", 2), CG_OK);
	CU_ASSERT_EQUAL(claims.standing, CLAIM_REOPENED);
	end_head(&claims, OUTBOX_SENT, 0);
	collect(&claims);
	CU_ASSERT_EQUAL_FATAL(claims.count, 1);
	CU_ASSERT_EQUAL(claims.page[0].outcome, CLAIM_SENT);
	rig_finish(&claims.rig);
}

static void claim_is_returned_when_the_next_attempt_comes_too_late(void)
{
	struct claims claims = {.count = 0};

	rig_start(&claims.rig);
	store(&claims, "b", "d", 1);
	end_head(&claims, OUTBOX_PENDING, ENDS - 1);
	collect(&claims);
	CU_ASSERT_EQUAL(claims.count, 0); /* there is time */
	claims.rig.now_ms = ENDS - 1;
	end_head(&claims, OUTBOX_PENDING, ENDS + 5000);
	collect(&claims);
	CU_ASSERT_EQUAL_FATAL(claims.count, 1);
	CU_ASSERT_EQUAL(claims.page[0].outcome, CLAIM_RETURNED);
	CU_ASSERT_EQUAL(claims.page[0].next_ms, ENDS + 5000);
	rig_finish(&claims.rig);
}

static void claim_of_a_row_in_flight_waits_for_it(void)
{
	struct outbox_result result = {.state = OUTBOX_SENT, .now_ms = ENDS + 1};
	struct claims claims = {.count = 0};
	int64_t id;

	rig_start(&claims.rig);
	store(&claims, "b", "d", 1);
	CU_ASSERT_EQUAL(begin_head(&claims, &id), CG_OK);
	claims.rig.now_ms = ENDS + 1;
	collect(&claims);
	CU_ASSERT_EQUAL(claims.count, 0);
	outbox_settle(claims.rig.journal, id, &result, rig_done, &claims.rig);
	rig_await(&claims.rig);
	collect(&claims);
	CU_ASSERT_EQUAL_FATAL(claims.count, 1);
	CU_ASSERT_EQUAL(claims.page[0].outcome, CLAIM_SENT);
	rig_finish(&claims.rig);
}

static void claim_of_an_unknown_row_remembers_that_it_may_have_arrived(void)
{
	struct claims claims = {.count = 0};

	rig_start(&claims.rig);
	store(&claims, "b", "d", 1);
	end_head(&claims, OUTBOX_UNKNOWN, RIG_NOW);
	claims.rig.now_ms = ENDS;
	collect(&claims);
	CU_ASSERT_EQUAL_FATAL(claims.count, 1);
	CU_ASSERT_EQUAL(claims.page[0].outcome, CLAIM_RETURNED);
	close_first(&claims);
	claims.rig.now_ms = RIG_NOW;
	store(&claims, "b", "d", 1);
	outbox_due(claims.rig.journal,
		&(struct outbox_query){.now_ms = RIG_NOW, .limit = 1}, rig_on_rows,
		&claims.rig);
	rig_await(&claims.rig);
	CU_ASSERT_EQUAL_FATAL(claims.rig.count, 1);
	CU_ASSERT_TRUE(claims.rig.rows[0]->maybe_duplicate);
	outbox_row_destroy(claims.rig.rows[0]);
	claims.rig.count = 0;
	rig_finish(&claims.rig);
}

static void claim_that_was_refused_is_dead(void)
{
	struct claims claims = {.count = 0};

	rig_start(&claims.rig);
	store(&claims, "b", "d", 1);
	end_head(&claims, OUTBOX_DEAD, 0);
	collect(&claims);
	CU_ASSERT_EQUAL_FATAL(claims.count, 1);
	CU_ASSERT_EQUAL(claims.page[0].outcome, CLAIM_DEAD);
	CU_ASSERT_STRING_EQUAL(claims.page[0].error, "refused");
	rig_finish(&claims.rig);
}

/* Until the Cloud knows, it serves again what it believes to be nobody's. */
static void claim_of_what_was_refused_is_tried_again_only_if_it_is_wanted(void)
{
	struct claims claims = {.count = 0};

	rig_start(&claims.rig);
	store(&claims, "b", "d", 1);
	end_head(&claims, OUTBOX_DEAD, 0);
	collect(&claims);
	store(&claims, "b", "d", 1);
	CU_ASSERT_EQUAL(claims.standing, CLAIM_REPEATED);
	collect(&claims);
	CU_ASSERT_EQUAL_FATAL(claims.count, 1);
	CU_ASSERT_EQUAL(claims.page[0].outcome, CLAIM_DEAD);
	close_first(&claims);
	/* Then it is somebody's second chance, and its day begins anew. */
	claims.rig.now_ms += 90000;
	store(&claims, "b", "d", 1);
	CU_ASSERT_EQUAL(claims.standing, CLAIM_REOPENED);
	end_head(&claims, OUTBOX_SENT, 0);
	collect(&claims);
	CU_ASSERT_EQUAL_FATAL(claims.count, 1);
	CU_ASSERT_EQUAL(claims.page[0].outcome, CLAIM_SENT);
	CU_ASSERT_EQUAL(claims.page[0].created_ms, RIG_NOW + 90000);
	rig_finish(&claims.rig);
}

static void forget_rows(struct claims *claims)
{
	struct rig *rig = &claims->rig;
	sqlite3 *db;

	CU_ASSERT_EQUAL_FATAL(sqlite3_open(rig->path, &db), SQLITE_OK);
	CU_ASSERT_EQUAL(
		sqlite3_exec(db, "DELETE FROM outbox", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* Its rows are forgotten, and another delivery has its plain id: nothing would be sent. */
static void claim_whose_id_was_taken_meanwhile_is_not_stored(void)
{
	struct claims claims = {.count = 0};

	rig_start(&claims.rig);
	store(&claims, "b", "d", 1);
	claims.rig.now_ms = ENDS;
	collect(&claims);
	CU_ASSERT_EQUAL_FATAL(claims.count, 1);
	CU_ASSERT_EQUAL(claims.page[0].outcome, CLAIM_RETURNED);
	close_first(&claims);
	claims.rig.now_ms = RIG_NOW;
	forget_rows(&claims);
	CU_ASSERT_EQUAL(store(&claims, "other", "d", 1), CG_OK);
	CU_ASSERT_EQUAL(store(&claims, "b", "d", 1), CG_EXISTS);
	collect(&claims);
	CU_ASSERT_EQUAL(claims.count, 0);
	forget_rows(&claims);
	CU_ASSERT_EQUAL(store(&claims, "b", "d", 1), CG_OK);
	CU_ASSERT_EQUAL(claims.standing, CLAIM_REOPENED);
	end_head(&claims, OUTBOX_SENT, 0);
	rig_finish(&claims.rig);
}

static void claim_ids_are_unique_within_a_binding_only(void)
{
	struct claims claims = {.count = 0};
	char one[CLAIM_KEY], two[CLAIM_KEY];

	claim_key("a", "bc", one);
	claim_key("ab", "c", two);
	CU_ASSERT_STRING_NOT_EQUAL(one, two);
	rig_start(&claims.rig);
	CU_ASSERT_EQUAL(store(&claims, "b", "d", 1), CG_OK);
	CU_ASSERT_EQUAL(store(&claims, "other", "d", 1), CG_EXISTS);
	collect(&claims);
	CU_ASSERT_EQUAL(claims.open, 1); /* nothing of it is stored */
	CU_ASSERT_EQUAL(store(&claims, "b", "", 0), CG_INVALID);
	rig_finish(&claims.rig);
}

static void claim_pages_are_bounded(void)
{
	struct claims claims = {.count = 0};
	char id[16];

	rig_start(&claims.rig);
	for (int i = 0; i < CLAIM_PAGE + 3; i++) {
		snprintf(id, sizeof(id), "d-%d", i);
		store(&claims, "b", id, 1);
		end_head(&claims, OUTBOX_SENT, 0);
	}
	collect(&claims);
	CU_ASSERT_EQUAL(claims.count, CLAIM_PAGE);
	rig_finish(&claims.rig);
}

UNIT_SUITE(claim, UNIT_TEST(claim_is_settled_when_its_rows_are),
	UNIT_TEST(claim_of_what_was_sent_is_only_acknowledged),
	UNIT_TEST(claim_that_ends_takes_its_rows_back),
	UNIT_TEST(claim_is_returned_when_the_next_attempt_comes_too_late),
	UNIT_TEST(claim_of_a_row_in_flight_waits_for_it),
	UNIT_TEST(claim_of_an_unknown_row_remembers_that_it_may_have_arrived),
	UNIT_TEST(claim_that_was_refused_is_dead),
	UNIT_TEST(claim_of_what_was_refused_is_tried_again_only_if_it_is_wanted),
	UNIT_TEST(claim_whose_id_was_taken_meanwhile_is_not_stored),
	UNIT_TEST(claim_ids_are_unique_within_a_binding_only),
	UNIT_TEST(claim_pages_are_bounded));
