/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/slack/threads.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

/* What a daemon keeps of checkpoints. */
static struct kept {
	struct cg_host host; /* first */
	char keys[SLACK_THREAD_PAGES][16], values[SLACK_THREAD_PAGES][1025];
} kept;

static bool load(const struct cg_host *host, const char *key, char *ret, size_t size)
{
	(void)host;
	for (size_t i = 0; i < SLACK_THREAD_PAGES; i++) {
		if (strcmp(kept.keys[i], key) == 0) {
			cg_text_copy(ret, size, kept.values[i]);
			return true;
		}
	}
	return false;
}

static void save(struct slack_threads *threads)
{
	struct cg_checkpoint checkpoint;
	size_t i = 0;

	if (!slack_threads_save(threads, &checkpoint))
		return;
	CU_ASSERT_TRUE_FATAL(strlen(checkpoint.value) <= 1024);
	while (kept.keys[i][0] != '\0' && strcmp(kept.keys[i], checkpoint.key) != 0)
		i++;
	cg_text_copy(kept.keys[i], sizeof(kept.keys[i]), checkpoint.key);
	cg_text_copy(kept.values[i], sizeof(kept.values[i]), checkpoint.value);
	slack_threads_saved(threads);
}

static void begin(struct slack_threads *threads)
{
	kept = (struct kept){.host = {.checkpoint_load = load}};
	slack_threads_load(threads, &kept.host);
}

static void add(struct slack_threads *threads, unsigned number)
{
	char thread[32];

	snprintf(thread, sizeof(thread), "1700000000.%06u", number);
	slack_threads_add(threads, "C0123456789", thread);
}

static bool knows(const struct slack_threads *threads, unsigned number)
{
	char thread[32];

	snprintf(thread, sizeof(thread), "1700000000.%06u", number);
	return slack_threads_know(threads, "C0123456789", thread);
}

static void what_was_added_is_known(void)
{
	struct slack_threads threads;

	begin(&threads);
	CU_ASSERT_FALSE(knows(&threads, 1));
	add(&threads, 1);
	CU_ASSERT_TRUE(knows(&threads, 1));
	CU_ASSERT_FALSE(slack_threads_know(&threads, "C0123456789", "1700000000.00000"));
	CU_ASSERT_FALSE(slack_threads_know(&threads, "0123456789", "1700000000.000001"));
	CU_ASSERT_FALSE(slack_threads_know(&threads, "C 1", "1"));
}

/* It is stored with a message; one that could not be stored takes it along again. */
static void it_is_saved_until_it_was_stored(void)
{
	struct slack_threads threads;
	struct cg_checkpoint checkpoint;

	begin(&threads);
	CU_ASSERT_FALSE(slack_threads_save(&threads, &checkpoint));
	add(&threads, 1);
	CU_ASSERT_TRUE(slack_threads_save(&threads, &checkpoint));
	CU_ASSERT_TRUE(slack_threads_save(&threads, &checkpoint));
	CU_ASSERT_STRING_EQUAL(checkpoint.key, "threads:0");
	CU_ASSERT_STRING_EQUAL(checkpoint.value, "1 C0123456789:1700000000.000001 ");
	slack_threads_saved(&threads);
	add(&threads, 1);
	CU_ASSERT_FALSE(slack_threads_save(&threads, &checkpoint));
}

static void the_oldest_are_forgotten_and_the_rest_survives(void)
{
	struct slack_threads threads, after;
	unsigned known = 0;

	begin(&threads);
	for (unsigned i = 0; i < 1000; i++) {
		add(&threads, i);
		save(&threads);
	}
	slack_threads_load(&after, &kept.host);
	for (unsigned i = 0; i < 1000; i++) {
		CU_ASSERT_EQUAL(knows(&threads, i), knows(&after, i));
		known += knows(&threads, i);
	}
	CU_ASSERT_TRUE(known >= 200 && known < 1000);
	for (unsigned i = 800; i < 1000; i++)
		CU_ASSERT_TRUE(knows(&after, i));
	/* And it goes on on the newest page. */
	add(&after, 5000);
	save(&after);
	slack_threads_load(&threads, &kept.host);
	CU_ASSERT_TRUE(knows(&threads, 5000));
	CU_ASSERT_TRUE(knows(&threads, 999));
}

static void pages_that_are_none_do_no_harm(void)
{
	struct slack_threads threads;

	begin(&threads);
	cg_text_copy(kept.keys[0], sizeof(kept.keys[0]), "threads:3");
	cg_text_copy(kept.values[0], sizeof(kept.values[0]), "rubbish C1:1 ");
	slack_threads_load(&threads, &kept.host);
	CU_ASSERT_FALSE(slack_threads_know(&threads, "C1", "1"));
	add(&threads, 1);
	CU_ASSERT_TRUE(knows(&threads, 1));
}

UNIT_SUITE(slack_threads, UNIT_TEST(what_was_added_is_known),
	UNIT_TEST(it_is_saved_until_it_was_stored),
	UNIT_TEST(the_oldest_are_forgotten_and_the_rest_survives),
	UNIT_TEST(pages_that_are_none_do_no_harm));
