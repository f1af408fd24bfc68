/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an operation: queued or refused, counted, told once, freed. */
#include "gateway/journal/operation.h"

#include "tests/unit/gateway-journal/journal_rig.h"

#include <cowgate/sdk/error.h>

struct probe {
	struct operation operation;
	struct rig *rig;
	enum cg_status result; /* of the work */
	bool writes;
	char name;
	char *order; /* names in the order of their ends, zero behind them */
};

static enum cg_status probe_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct probe *probe = arg;

	probe->operation.change.outbox_sent = 1;
	probe->operation.outbox_ready = true;
	if (probe->writes)
		return checkpoint_write(tx, "telegram", "key", "value", err);
	return probe->result == CG_OK ? CG_OK
				      : cg_error_set(err, probe->result, "as asked");
}

static void probe_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct probe *probe = (struct probe *)operation;

	probe->order[strlen(probe->order)] = probe->name;
	operation_tell(operation, status, err);
}

static struct probe *make(struct rig *rig, enum cg_status result, char name, char *order)
{
	struct probe *probe =
		operation_create(rig->journal, sizeof(*probe), probe_work, probe_done);

	probe->operation.done = rig_done;
	probe->operation.arg = rig;
	probe->rig = rig;
	probe->result = result;
	probe->name = name;
	probe->order = order;
	return probe;
}

static void what_is_committed_counts(void)
{
	struct rig rig;
	char order[16] = {0};

	rig_start(&rig);
	operation_submit(&make(&rig, CG_OK, 'a', order)->operation);
	CU_ASSERT_EQUAL(rig_figures(&rig).outbox_sent, 0);
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig.status, CG_OK);
	CU_ASSERT_EQUAL(rig_figures(&rig).outbox_sent, 1);
	rig_turn(&rig);
	CU_ASSERT_EQUAL(rig.outbox_hooks, 1);
	rig_finish(&rig);
}

static void what_has_failed_does_not(void)
{
	struct rig rig;
	char order[16] = {0};

	rig_start(&rig);
	operation_submit(&make(&rig, CG_CONFLICT, 'a', order)->operation);
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig.status, CG_CONFLICT);
	operation_refuse(&make(&rig, CG_OK, 'b', order)->operation, CG_LIMIT);
	CU_ASSERT_FALSE(rig.answered); /* never inside the call */
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig.status, CG_LIMIT);
	CU_ASSERT_STRING_EQUAL(order, "ab");
	CU_ASSERT_EQUAL(rig_figures(&rig).outbox_sent, 0);
	rig_turn(&rig);
	CU_ASSERT_EQUAL(rig.outbox_hooks, 0);
	rig_finish(&rig);
}

/* On a pool thread a job reads what is committed, and can write nothing. */
static void readers_cannot_write(void)
{
	struct rig rig;
	struct probe *probe;
	char order[16] = {0};

	rig_start(&rig);
	operation_read(&make(&rig, CG_OK, 'a', order)->operation);
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig.status, CG_OK);
	probe = make(&rig, CG_OK, 'b', order);
	probe->writes = true;
	operation_read(&probe->operation);
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig.status, CG_DENIED);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM checkpoint"), 0);
	rig_finish(&rig);
}

static void refused_ones_end_in_their_order(void)
{
	struct rig rig;
	char order[16] = {0};

	rig_start(&rig);
	operation_refuse(&make(&rig, CG_OK, 'a', order)->operation, CG_BUSY);
	operation_refuse(&make(&rig, CG_OK, 'b', order)->operation, CG_BUSY);
	operation_refuse(&make(&rig, CG_OK, 'c', order)->operation, CG_BUSY);
	/* The end of the journal does not lose them. */
	rig_close(&rig);
	CU_ASSERT_STRING_EQUAL(order, "abc");
	CU_ASSERT_EQUAL(rig.status, CG_BUSY);
	rig_finish(&rig);
}

static void strings_lie_side_by_side(void)
{
	char room[16], *at = room;
	const char *one = text_place(&at, "one");
	const char *none = text_place(&at, NULL);
	const char *two = text_place(&at, "two");

	CU_ASSERT_PTR_NULL(none);
	CU_ASSERT_STRING_EQUAL(one, "one");
	CU_ASSERT_STRING_EQUAL(two, "two");
	CU_ASSERT_EQUAL((size_t)(at - room), text_room("one") + text_room("two"));
	CU_ASSERT_EQUAL(text_room(NULL), 0);
}

UNIT_SUITE(operation, UNIT_TEST(what_is_committed_counts),
	UNIT_TEST(what_has_failed_does_not), UNIT_TEST(readers_cannot_write),
	UNIT_TEST(refused_ones_end_in_their_order), UNIT_TEST(strings_lie_side_by_side));
