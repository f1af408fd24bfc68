/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/alert.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define SAID 64

/* What reached the outbox, and what its store is like. */
struct rig {
	struct alert *alert;
	struct {
		char instance[65], chat[65], text[ALERT_TEXT];
	} said[SAID];
	size_t count;
	alert_stored done; /* of a store under way */
	void *done_arg;
	bool full; /* the disk takes nothing */
	const char *mute; /* instance that cannot send */
	int64_t now;
	struct config_list chats;
	const char *items[4];
};

static void store(void *arg, const char *instance, const char *chat_id, const char *text,
	alert_stored done, void *done_arg)
{
	struct rig *rig = arg;

	CU_ASSERT_PTR_NULL(rig->done); /* one at a time */
	rig->done = done;
	rig->done_arg = done_arg;
	if (rig->full)
		return;
	CU_ASSERT_FATAL(rig->count < SAID);
	snprintf(rig->said[rig->count].instance, 65, "%s", instance);
	snprintf(rig->said[rig->count].chat, 65, "%s", chat_id);
	snprintf(rig->said[rig->count].text, ALERT_TEXT, "%s", text);
	rig->count++;
}

static bool usable(void *arg, const char *instance)
{
	const struct rig *rig = arg;

	return rig->mute == NULL || strcmp(rig->mute, instance) != 0;
}

static void wake(void *arg)
{
	(void)arg;
}

static void rig_begin(struct rig *rig, const char *first, const char *second)
{
	const struct alert_hooks hooks = {
		.store = store, .usable = usable, .wake = wake, .arg = rig};

	memset(rig, 0, sizeof(*rig));
	rig->now = 5000;
	rig->items[0] = first;
	rig->items[1] = second;
	rig->chats = (struct config_list){rig->items, second == NULL ? 1 : 2};
	CU_ASSERT_EQUAL_FATAL(alert_create(&hooks, &rig->alert, NULL), CG_OK);
	alert_set_chats(rig->alert, &rig->chats);
}

static void rig_end(struct rig *rig)
{
	alert_destroy(rig->alert);
}

/* Let time pass, as its owner drives it. */
static void pass(struct rig *rig, int64_t ms)
{
	int64_t end = rig->now + ms;

	for (;;) {
		int64_t due = alert_due(rig->alert);

		if (due < 0 || due > end)
			break;
		rig->now = due > rig->now ? due : rig->now;
		alert_look(rig->alert, rig->now);
		while (rig->done != NULL) {
			alert_stored done = rig->done;

			rig->done = NULL;
			done(rig->done_arg, rig->full ? CG_FULL : CG_OK);
		}
	}
	rig->now = end;
}

static void raise_it(struct rig *rig, enum alert_kind kind, const char *about)
{
	alert_raise(rig->alert, kind, about, NULL, rig->now);
}

static void state_is_told_at_its_edges(void)
{
	struct rig rig;

	rig_begin(&rig, "ops:42", NULL);
	for (int i = 0; i < 100; i++) {
		raise_it(&rig, ALERT_DEAF, "telegram");
		pass(&rig, 10000);
	}
	CU_ASSERT_EQUAL_FATAL(rig.count, 1);
	CU_ASSERT_STRING_EQUAL(rig.said[0].instance, "ops");
	CU_ASSERT_STRING_EQUAL(rig.said[0].chat, "42");
	CU_ASSERT_STRING_EQUAL(rig.said[0].text, "The channel telegram hears nothing.");
	alert_clear(rig.alert, ALERT_DEAF, "telegram", rig.now);
	alert_clear(rig.alert, ALERT_DEAF, "telegram", rig.now);
	alert_clear(rig.alert, ALERT_DEAF, "never", rig.now);
	pass(&rig, 1000000);
	CU_ASSERT_EQUAL_FATAL(rig.count, 2);
	CU_ASSERT_STRING_EQUAL(rig.said[1].text, "The channel telegram hears again.");
	CU_ASSERT_EQUAL(alert_due(rig.alert), -1);
	rig_end(&rig);
}

static void short_silence_is_not_told(void)
{
	struct rig rig;

	rig_begin(&rig, "ops:42", NULL);
	for (int i = 0; i < 50; i++) {
		raise_it(&rig, ALERT_DEAF, "telegram");
		pass(&rig, ALERT_GRACE_MS - 1);
		alert_clear(rig.alert, ALERT_DEAF, "telegram", rig.now);
		pass(&rig, 1000);
	}
	CU_ASSERT_EQUAL(rig.count, 0);
	rig_end(&rig);
}

static void flapping_is_held_back(void)
{
	struct rig rig;

	rig_begin(&rig, "ops:42", NULL);
	/* An hour of a token that is refused and taken every 20 seconds. */
	for (int i = 0; i < 90; i++) {
		raise_it(&rig, ALERT_TOKEN, NULL);
		pass(&rig, 20000);
		alert_clear(rig.alert, ALERT_TOKEN, NULL, rig.now);
		pass(&rig, 20000);
	}
	/* Both edges, at most once in ten minutes. */
	CU_ASSERT(rig.count >= 2);
	CU_ASSERT(rig.count <= 2 * 7);
	rig_end(&rig);
}

static void events_are_counted(void)
{
	struct rig rig;

	rig_begin(&rig, "ops:42", NULL);
	alert_raise(rig.alert, ALERT_DEAD, "slack", "refused", rig.now);
	pass(&rig, 1);
	CU_ASSERT_EQUAL_FATAL(rig.count, 1);
	CU_ASSERT_STRING_EQUAL(
		rig.said[0].text, "A message to slack was given up. (refused)");
	for (int i = 0; i < 1000; i++) {
		raise_it(&rig, ALERT_DEAD, "slack");
		pass(&rig, 100);
	}
	CU_ASSERT_EQUAL(rig.count, 1);
	pass(&rig, ALERT_QUIET_MS);
	CU_ASSERT_EQUAL_FATAL(rig.count, 2);
	CU_ASSERT_STRING_EQUAL(rig.said[1].text,
		"A message to slack was given up. This happened 1000 times.");
	pass(&rig, 10 * ALERT_QUIET_MS);
	CU_ASSERT_EQUAL(rig.count, 2);
	rig_end(&rig);
}

static void another_channel_is_used(void)
{
	struct rig rig;

	rig_begin(&rig, "telegram:1", "slack:C:2");
	raise_it(&rig, ALERT_DEAD, "telegram");
	raise_it(&rig, ALERT_DEAD, "slack");
	pass(&rig, 1);
	CU_ASSERT_EQUAL_FATAL(rig.count, 2);
	CU_ASSERT_STRING_EQUAL(rig.said[0].instance, "slack");
	CU_ASSERT_STRING_EQUAL(rig.said[0].chat, "C:2");
	CU_ASSERT_STRING_EQUAL(rig.said[1].instance, "telegram");
	rig.mute = "telegram";
	raise_it(&rig, ALERT_TOKEN, NULL);
	pass(&rig, 1);
	CU_ASSERT_EQUAL_FATAL(rig.count, 3);
	CU_ASSERT_STRING_EQUAL(rig.said[2].instance, "slack");
	rig.mute = "slack"; /* the only other one: it waits there */
	raise_it(&rig, ALERT_ACCOUNT, "telegram");
	pass(&rig, 1);
	CU_ASSERT_EQUAL_FATAL(rig.count, 4);
	CU_ASSERT_STRING_EQUAL(rig.said[3].instance, "slack");
	rig_end(&rig);
}

static void without_another_channel_the_next_text_says_so(void)
{
	struct rig rig;

	rig_begin(&rig, "telegram:1", NULL);
	raise_it(&rig, ALERT_DEAD, "telegram");
	pass(&rig, 1);
	CU_ASSERT_EQUAL(rig.count, 0);
	raise_it(&rig, ALERT_TOKEN, NULL);
	pass(&rig, 1);
	CU_ASSERT_EQUAL_FATAL(rig.count, 1);
	CU_ASSERT_STRING_EQUAL(rig.said[0].text,
		"The Cloud refuses the gateway's token. "
		"1 other things were not said; the log has them.");
	rig_end(&rig);
}

static void full_disk_is_told_when_it_can_be(void)
{
	struct rig rig;

	rig_begin(&rig, "ops:42", NULL);
	rig.full = true;
	raise_it(&rig, ALERT_DISK, NULL);
	raise_it(&rig, ALERT_DEAD, "slack");
	pass(&rig, 300000);
	CU_ASSERT_EQUAL(rig.count, 0);
	rig.full = false;
	alert_clear(rig.alert, ALERT_DISK, NULL, rig.now);
	pass(&rig, ALERT_AGAIN_MS);
	CU_ASSERT_EQUAL_FATAL(rig.count, 2);
	CU_ASSERT_STRING_EQUAL(rig.said[0].text, "The disk takes what is written again; "
						 "for a while no message was accepted.");
	CU_ASSERT_STRING_EQUAL(rig.said[1].text, "A message to slack was given up.");
	rig_end(&rig);
}

static void storm_has_a_limit(void)
{
	struct rig rig;
	char name[32];

	rig_begin(&rig, "ops:42", NULL);
	for (int i = 0; i < 2 * ALERT_ENTRIES; i++) {
		snprintf(name, sizeof(name), "channel-%d", i);
		raise_it(&rig, ALERT_DEAD, name);
	}
	pass(&rig, ALERT_HOUR_MS / 2);
	CU_ASSERT_EQUAL(rig.count, ALERT_PER_HOUR);
	pass(&rig, ALERT_HOUR_MS);
	raise_it(&rig, ALERT_TOKEN, NULL);
	pass(&rig, 1);
	CU_ASSERT_EQUAL_FATAL(rig.count, ALERT_PER_HOUR + 1);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(rig.said[ALERT_PER_HOUR].text, "other things were not said"));
	rig_end(&rig);
}

static void nobody_to_tell_costs_nothing(void)
{
	const struct config_list nobody = {NULL, 0};
	struct rig rig;

	rig_begin(&rig, "ops:42", NULL);
	alert_set_chats(rig.alert, &nobody);
	raise_it(&rig, ALERT_TOKEN, NULL);
	CU_ASSERT_EQUAL(alert_due(rig.alert), -1);
	alert_destroy(NULL);
	rig_end(&rig);
}

UNIT_SUITE(alert, UNIT_TEST(state_is_told_at_its_edges),
	UNIT_TEST(short_silence_is_not_told), UNIT_TEST(flapping_is_held_back),
	UNIT_TEST(events_are_counted), UNIT_TEST(another_channel_is_used),
	UNIT_TEST(without_another_channel_the_next_text_says_so),
	UNIT_TEST(full_disk_is_told_when_it_can_be), UNIT_TEST(storm_has_a_limit),
	UNIT_TEST(nobody_to_tell_costs_nothing));
