/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is due: asks the journal for the heads of free lanes whenever there is room, and sleeps
 * until the next one is due otherwise.  Nothing is kept here that the journal does not know.
 */
#include "gateway/delivery/board.h"

#include "gateway/journal/inbox.h"

#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEDULER_LANES (DELIVERY_CONCURRENCY + DELIVERY_EDITS + DELIVERY_HOLDS)
#define SCHEDULER_LIMIT "flood:until" /* checkpoint: wall clock of an account's limit */
#define SCHEDULER_LIMIT_MAX_MS (INT64_C(24) * 60 * 60 * 1000)

static struct pause *find_pause(struct delivery *delivery, const char *instance)
{
	for (size_t i = 0; i < delivery->paused_count; i++) {
		if (strcmp(delivery->paused[i].instance, instance) == 0)
			return &delivery->paused[i];
	}
	return NULL;
}

void scheduler_pause(struct delivery *delivery, const char *instance, int64_t for_ms)
{
	struct pause *pause = find_pause(delivery, instance);

	if (pause == NULL) {
		if (delivery->paused_count == DELIVERY_PAUSED)
			return;
		pause = &delivery->paused[delivery->paused_count++];
		cg_text_copy(pause->instance, sizeof(pause->instance), instance);
	} else if (for_ms > 0 &&
		   (pause->until_mono_ms == 0 ||
			   pause->until_mono_ms >= delivery_mono_ms(delivery) + for_ms))
		return; /* it waits longer already */
	pause->until_mono_ms = for_ms > 0 ? delivery_mono_ms(delivery) + for_ms : 0;
}

void scheduler_limit(struct delivery *delivery, const char *instance, int64_t for_ms)
{
	char until[24];
	const struct cg_checkpoint limit = {.key = SCHEDULER_LIMIT, .value = until};

	snprintf(until, sizeof(until), "%lld",
		(long long)(delivery_wall_ms(delivery) + for_ms));
	scheduler_pause(delivery, instance, for_ms);
	inbox_checkpoint(delivery->journal, instance, &limit, NULL, NULL);
}

/* What the platform had asked for before a restart holds after it. */
static void restore_limit(struct delivery *delivery, const char *instance)
{
	char until[24];
	int64_t until_ms = 0, left;

	for (size_t i = 0; i < delivery->restored_count; i++) {
		if (strcmp(delivery->restored[i], instance) == 0)
			return;
	}
	if (delivery->restored_count == DELIVERY_PAUSED)
		return;
	cg_text_copy(delivery->restored[delivery->restored_count++],
		sizeof(delivery->restored[0]), instance);
	if (!inbox_checkpoint_load(
		    delivery->journal, instance, SCHEDULER_LIMIT, until, sizeof(until)) ||
		!cg_parse_int(until, &until_ms))
		return;
	left = until_ms - delivery_wall_ms(delivery);
	/* A later time than any platform asks for was given by another clock. */
	if (left > 0 && left <= SCHEDULER_LIMIT_MAX_MS)
		scheduler_pause(delivery, instance, left);
}

void scheduler_resume(struct delivery *delivery, const char *instance)
{
	struct pause *pause = find_pause(delivery, instance);

	if (pause == NULL)
		return;
	*pause = delivery->paused[--delivery->paused_count];
	scheduler_wake(delivery);
}

/* Pauses that are over go; the time until the next one ends, -1: none. */
static int64_t expire_pauses(struct delivery *delivery)
{
	int64_t now = delivery_mono_ms(delivery), next = -1;

	for (size_t i = delivery->paused_count; i-- > 0;) {
		const struct pause *pause = &delivery->paused[i];

		if (pause->until_mono_ms == 0)
			continue;
		if (pause->until_mono_ms <= now)
			delivery->paused[i] = delivery->paused[--delivery->paused_count];
		else if (next < 0 || pause->until_mono_ms - now < next)
			next = pause->until_mono_ms - now;
	}
	return next;
}

/* The same for lanes that wait for their chat's rate. */
static int64_t expire_holds(struct delivery *delivery)
{
	int64_t now = delivery_mono_ms(delivery), next = -1;

	for (size_t i = delivery->hold_count; i-- > 0;) {
		int64_t left = delivery->holds[i].until_mono_ms - now;

		if (left <= 0)
			delivery->holds[i] = delivery->holds[--delivery->hold_count];
		else if (next < 0 || left < next)
			next = left;
	}
	return next;
}

/* May the row go now?  If not, its lane or its instance waits. */
static bool has_leave(struct delivery *delivery, const struct outbox_row *row)
{
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	struct flood_send send = {.instance = row->instance,
		.chat_id = row->chat_id,
		.is_direct = row->is_direct,
		.capabilities = &capabilities,
		.now_ms = delivery_mono_ms(delivery)};
	bool account = false;
	int64_t wait;

	if (delivery->outlet->capabilities(
		    delivery->outlet->self, row->instance, &capabilities) != CG_OK)
		return true; /* nothing is sent: the attempt finds out why */
	wait = flood_take(&delivery->flood, &send, &account);
	if (wait == 0)
		return true;
	if (account || delivery->hold_count == DELIVERY_HOLDS)
		scheduler_pause(delivery, row->instance, wait);
	else
		delivery->holds[delivery->hold_count++] = (struct hold){
			.lane = row->lane, .until_mono_ms = send.now_ms + wait};
	return false;
}

static bool is_paused(struct delivery *delivery, const char *instance)
{
	return find_pause(delivery, instance) != NULL;
}

static int compare_lanes(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Lanes that something is sent in; room for DELIVERY_CONCURRENCY + DELIVERY_EDITS. */
static size_t taken_lanes(const struct delivery *delivery, uint64_t *lanes)
{
	size_t count = attempt_lanes(delivery, lanes);

	return count + preview_lanes(delivery, lanes + count);
}

/* Also an edit may have begun since the journal was asked. */
static bool lane_is_taken(const struct delivery *delivery, uint64_t lane)
{
	uint64_t lanes[SCHEDULER_LANES];
	size_t count = taken_lanes(delivery, lanes);

	for (size_t i = 0; i < count; i++) {
		if (lanes[i] == lane)
			return true;
	}
	return false;
}

static void sleep_until(struct delivery *delivery, int64_t next_due_ms)
{
	size_t waiting = delivery->paused_count + delivery->hold_count;
	int64_t wait = expire_pauses(delivery), held = expire_holds(delivery);
	int64_t due = next_due_ms - delivery_wall_ms(delivery);

	/* What ended while the page was on its way was left out of it. */
	if (delivery->paused_count + delivery->hold_count < waiting) {
		scheduler_wake(delivery);
		return;
	}
	if (held >= 0 && (wait < 0 || held < wait))
		wait = held;
	if (next_due_ms > 0 && (wait < 0 || due < wait))
		wait = due < 1 ? 1 : due;
	if (wait >= 0)
		loop_timer_set(&delivery->due, wait);
}

static void page_came(void *arg, enum cg_status status, struct outbox_row **rows,
	size_t count, int64_t next_due_ms)
{
	struct delivery *delivery = arg;
	bool full = false;

	delivery->querying = false;
	for (size_t i = 0; i < count; i++) {
		full = full || delivery->attempt_count >= delivery->options.concurrency;
		restore_limit(delivery, rows[i]->instance);
		if (delivery->running && !full &&
			!lane_is_taken(delivery, rows[i]->lane) &&
			!is_paused(delivery, rows[i]->instance) &&
			has_leave(delivery, rows[i]))
			attempt_begin(delivery, rows[i]);
		else
			outbox_row_destroy(rows[i]);
	}
	free(rows);
	if (!delivery->running)
		return;
	if (status != CG_OK)
		loop_timer_set(&delivery->due, DELIVERY_RETRY_MS);
	else if (delivery->wanted)
		scheduler_wake(delivery);
	else
		sleep_until(delivery, next_due_ms);
}

static void look(void *arg)
{
	struct delivery *delivery = arg;
	const char *paused[DELIVERY_PAUSED];
	uint64_t lanes[SCHEDULER_LANES];
	struct outbox_query query = {
		.busy = lanes, .paused = paused, .now_ms = delivery_wall_ms(delivery)};

	if (!delivery->running || !delivery->recovered || delivery->querying ||
		delivery->attempt_count >= delivery->options.concurrency)
		return;
	delivery->wanted = false;
	delivery->querying = true;
	loop_timer_clear(&delivery->due);
	expire_pauses(delivery);
	expire_holds(delivery);
	for (size_t i = 0; i < delivery->paused_count; i++)
		paused[query.paused_count++] = delivery->paused[i].instance;
	query.busy_count = taken_lanes(delivery, lanes);
	for (size_t i = 0; i < delivery->hold_count; i++)
		lanes[query.busy_count++] = delivery->holds[i].lane;
	qsort(lanes, query.busy_count, sizeof(lanes[0]), compare_lanes);
	query.limit = delivery->options.concurrency - delivery->attempt_count;
	if (query.limit > delivery->options.window)
		query.limit = delivery->options.window;
	if (query.limit > OUTBOX_DUE_MAX)
		query.limit = OUTBOX_DUE_MAX;
	outbox_due(delivery->journal, &query, page_came, delivery);
}

void scheduler_wake(struct delivery *delivery)
{
	delivery->wanted = true;
	loop_defer(delivery->loop, &delivery->look);
}

static void due_came(void *arg)
{
	struct delivery *delivery = arg;

	if (delivery->running && !delivery->recovered)
		delivery_recover(delivery);
	else
		scheduler_wake(delivery);
}

enum cg_status scheduler_init(struct delivery *delivery)
{
	loop_task_init(&delivery->look, look, delivery);
	return loop_timer_init(&delivery->due, delivery->loop, due_came, delivery);
}

void scheduler_finish(struct delivery *delivery)
{
	loop_undefer(delivery->loop, &delivery->look);
	loop_timer_finish(&delivery->due);
}
