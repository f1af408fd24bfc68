/* SPDX-License-Identifier: Apache-2.0 */
/* How far each provider has come. */
#include "gateway/journal/operation.h"
#include "tests/unit/gateway-journal/journal_rig.h"

/* So many letters; the next call takes their place. */
static const char *of_length(size_t length)
{
	static char text[2048];

	memset(text, 'x', length);
	text[length] = '\0';
	return text;
}

static void a_checkpoint_moves_with_its_message(void)
{
	struct cg_checkpoint checkpoint = {"offset:1", "10"};
	struct cg_inbound in = rig_message("1", "a");
	struct rig rig;
	char value[16];

	rig_start(&rig);
	CU_ASSERT_FALSE(inbox_checkpoint_load(
		rig.journal, "telegram", "offset:1", value, sizeof(value)));
	in.checkpoint = &checkpoint;
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_COMMITTED);
	CU_ASSERT_TRUE(inbox_checkpoint_load(
		rig.journal, "telegram", "offset:1", value, sizeof(value)));
	CU_ASSERT_STRING_EQUAL(value, "10");
	CU_ASSERT_FALSE(inbox_checkpoint_load(
		rig.journal, "slack", "offset:1", value, sizeof(value)));
	checkpoint.value = "11";
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_DUPLICATE);
	in.raw = "forged";
	checkpoint.value = "12";
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_CONFLICT);
	rig_reopen(&rig);
	CU_ASSERT_TRUE(inbox_checkpoint_load(
		rig.journal, "telegram", "offset:1", value, sizeof(value)));
	CU_ASSERT_STRING_EQUAL(value, "11");
	/* No room for the NUL: a value is never cut. */
	CU_ASSERT_FALSE(
		inbox_checkpoint_load(rig.journal, "telegram", "offset:1", value, 2));
	rig_finish(&rig);
}

static enum cg_verdict move_checkpoint(
	struct rig *rig, const char *key, const char *value)
{
	const struct cg_checkpoint checkpoint = {key, value};

	inbox_checkpoint(rig->journal, "telegram", &checkpoint, rig_submitted, rig);
	CU_ASSERT_FALSE(rig->answered);
	rig_await(rig);
	return rig->verdict;
}

static void checkpoints_have_limits(void)
{
	struct rig rig;
	char key[16];

	rig_start(&rig);
	CU_ASSERT_EQUAL(move_checkpoint(&rig, NULL, "v"), CG_VERDICT_INVALID);
	CU_ASSERT_EQUAL(move_checkpoint(&rig, "", "v"), CG_VERDICT_INVALID);
	CU_ASSERT_EQUAL(move_checkpoint(&rig, of_length(65), "v"), CG_VERDICT_INVALID);
	CU_ASSERT_EQUAL(move_checkpoint(&rig, "k", of_length(1025)), CG_VERDICT_INVALID);
	CU_ASSERT_EQUAL(
		move_checkpoint(&rig, "k", of_length(1024)), CG_VERDICT_COMMITTED);
	for (int i = 1; i < JOURNAL_CHECKPOINTS; i++) {
		const struct cg_checkpoint checkpoint = {key, "v"};

		snprintf(key, sizeof(key), "%d", i);
		inbox_checkpoint(rig.journal, "telegram", &checkpoint,
			i + 1 == JOURNAL_CHECKPOINTS ? rig_submitted : NULL, &rig);
	}
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig.verdict, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(move_checkpoint(&rig, "more", "v"), CG_VERDICT_UNAVAILABLE);
	CU_ASSERT_EQUAL(move_checkpoint(&rig, "k", "w"), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(
		rig_number(&rig, "SELECT count(*) FROM checkpoint"), JOURNAL_CHECKPOINTS);
	rig_finish(&rig);
}

static void keys_and_values_are_text(void)
{
	CU_ASSERT_TRUE(checkpoint_valid("key", ""));
	CU_ASSERT_FALSE(checkpoint_valid("key", NULL));
	CU_ASSERT_FALSE(checkpoint_valid("\xff", "value"));
	CU_ASSERT_FALSE(checkpoint_valid("key", "\xff"));
	CU_ASSERT_TRUE(checkpoint_valid(of_length(64), "value"));
}

/* Memory follows the file, never the other way round. */
static void what_is_not_committed_is_not_told(void)
{
	const struct cg_checkpoint checkpoint = {"offset", "7"};
	struct rig rig;
	char value[8];

	rig_start(&rig);
	inbox_checkpoint(rig.journal, "telegram", &checkpoint, rig_submitted, &rig);
	CU_ASSERT_FALSE(inbox_checkpoint_load(
		rig.journal, "telegram", "offset", value, sizeof(value)));
	rig_await(&rig);
	CU_ASSERT_EQUAL(
		rig_number(&rig, "SELECT count(*) FROM checkpoint WHERE value = '7'"), 1);
	CU_ASSERT_TRUE(inbox_checkpoint_load(
		rig.journal, "telegram", "offset", value, sizeof(value)));
	CU_ASSERT_STRING_EQUAL(value, "7");
	rig_finish(&rig);
}

UNIT_SUITE(checkpoint, UNIT_TEST(a_checkpoint_moves_with_its_message),
	UNIT_TEST(checkpoints_have_limits), UNIT_TEST(keys_and_values_are_text),
	UNIT_TEST(what_is_not_committed_is_not_told));
