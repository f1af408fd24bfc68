/* SPDX-License-Identifier: Apache-2.0 */
/* A turn from its prompt to its end: taken, begun, stored, and followed by the next. */
#include "control-plane/turn_private.h"

#include "control-plane/history.h"

#include <stdlib.h>
#include <string.h>

static void turn_start_ready(struct plane *plane);
static void turn_flush(void *arg);

/* ---- coming and going ---- */

static void turn_timer(void *arg)
{
	struct turn *turn = arg;

	turn->due = true;
	turn_flush(turn);
}

static void turn_free(struct turn *turn)
{
	loop_timer_finish(&turn->timer);
	loop_timer_finish(&turn->patience);
	ask_list_finish(&turn->asked_people);
	loop_undefer(turn->plane->loop, &turn->flush);
	record_list_finish(&turn->said);
	record_list_finish(&turn->writing);
	change_finish(&turn->change);
	taken_prompt_finish(&turn->taken);
	taken_prompt_finish(&turn->after);
	free(turn);
}

/* Behind all others that wait. */
static void turn_queue(struct turn *turn)
{
	struct plane *plane = turn->plane;

	turn->state = TURN_WAITS;
	turn->next = NULL;
	if (plane->ready_last == NULL)
		plane->ready = turn;
	else
		plane->ready_last->next = turn;
	plane->ready_last = turn;
}

struct turn *turn_create(struct plane *plane, struct live *live)
{
	struct turn *turn = calloc(1, sizeof(*turn));

	if (turn == NULL)
		return NULL;
	turn->plane = plane;
	loop_task_init(&turn->flush, turn_flush, turn);
	if (loop_timer_init(&turn->timer, plane->loop, turn_timer, turn) != CG_OK ||
		loop_timer_init(&turn->patience, plane->loop, turn_impatient, turn) !=
			CG_OK) {
		turn_free(turn);
		return NULL;
	}
	turn->live = live;
	live->turn = turn;
	plane->turn_count++;
	return turn;
}

void turn_drop(struct turn *turn)
{
	turn->live->turn = NULL;
	turn->plane->turn_count--;
	turn_free(turn);
}

void turn_wake(struct plane *plane, int64_t session)
{
	struct live *live = live_get(&plane->live, session);
	struct turn *turn;

	if (live == NULL)
		return; /* out of memory: the prompt waits in the store */
	if (live->turn != NULL) {
		live->turn->again = true;
		return;
	}
	turn = turn_create(plane, live);
	if (turn == NULL) {
		live_release(&plane->live, live);
		return;
	}
	turn_queue(turn);
	turn_start_ready(plane);
}

/* The turn is over and stored: the session's next prompt queues, or it rests. */
static void turn_leave(struct turn *turn, bool more)
{
	struct plane *plane = turn->plane;
	struct live *live = turn->live;
	struct taken_prompt after = turn->after;
	int64_t session = live->session;

	memset(&turn->after, 0, sizeof(turn->after));
	plane->turns_running--;
	plane->turn_count--;
	live->turn = NULL;
	turn_free(turn);
	if (after.text != NULL)
		turn_adopt(plane, session, &after);
	if (more)
		turn_wake(plane, session);
	live = live_find(&plane->live, session);
	if (live != NULL)
		live_release(&plane->live, live);
	turn_start_ready(plane);
	turn_scan(plane);
}

/* Too much is unsaved: the turn ends with a clear error. */
static void turn_overflow(struct turn *turn)
{
	turn->overflow = true;
	loop_defer(turn->plane->loop, &turn->flush);
}

void turn_collect(struct turn *turn, enum cg_status status, bool now)
{
	if (status != CG_OK) {
		turn_overflow(turn);
		return;
	}
	if (now || turn->said.bytes >= TURN_WINDOW_BYTES) {
		turn->due = true;
		loop_defer(turn->plane->loop, &turn->flush);
	} else if (!loop_timer_pending(&turn->timer)) {
		loop_timer_set(&turn->timer, TURN_WINDOW_MS);
	}
}

bool turn_listens(const struct turn *turn)
{
	return !turn->ended && !turn->overflow;
}

void turn_cancel(struct turn *turn)
{
	const struct seat *seat = turn->taken.seat;

	seat->ops->cancel(seat->self, turn->agent_turn);
}

/* ---- storing it ---- */

static enum cg_status write_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct turn *turn = arg;
	const struct record_batch batch = {
		.list = &turn->writing,
		.session = turn->live->session,
		.command_id = turn->taken.command_id,
		.agent = turn->taken.seat->name,
		.end = turn->last && !turn->returns ? &turn->ending : NULL,
		.opened = turn->opened,
		.asked = turn->asked,
	};

	turn->change.tx = tx;
	turn->change.err = err;
	return record_store(&turn->change, &batch);
}

/* Nothing said is given up: the same job is tried until the store works again. */
static void retry_later(struct turn *turn)
{
	change_finish(&turn->change);
	loop_timer_set(&turn->timer, PLANE_STORE_RETRY_MS);
}

static void write_done(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct turn *turn = arg;
	struct plane *plane = turn->plane;

	turn->in_flight = false;
	if (plane->closing)
		return;
	if (status != CG_OK) {
		plane_notice(plane, 1, "turn.store_failed", "error", err->text);
		retry_later(turn);
		return;
	}
	record_list_finish(&turn->writing);
	plane_follow(plane, &turn->change);
	change_finish(&turn->change);
	if (turn->last)
		turn_leave(turn, turn->again || turn->returns);
	else
		turn_flush(turn);
}

static void submit(struct turn *turn,
	enum cg_status (*work)(struct transaction *tx, void *arg, struct cg_error *err),
	void (*done)(void *arg, enum cg_status status, const struct cg_error *err))
{
	struct plane *plane = turn->plane;

	plane_change(plane, &turn->change);
	turn->job.work = work;
	turn->job.done = done;
	turn->job.arg = turn;
	turn->job.flags = 0;
	turn->in_flight = true;
	if (database_submit(plane->database, &turn->job) != CG_OK) {
		turn->in_flight = false;
		retry_later(turn);
	}
}

/* Files go into the store before the job that tells of them: that may take long. */
static void keep_work(void *arg)
{
	struct turn *turn = arg;

	record_keep_files(&turn->writing, &turn->plane->files);
}

static void keep_done(void *arg)
{
	struct turn *turn = arg;

	turn->in_flight = false;
	if (!turn->plane->closing)
		submit(turn, write_work, write_done);
}

/* Store what is in ->writing. */
static void turn_write(struct turn *turn)
{
	struct plane *plane = turn->plane;

	if (turn->writing.files > 0 && plane->offload != NULL) {
		turn->keeping.work = keep_work;
		turn->keeping.arg = turn;
		loop_task_init(&turn->keeping.done, keep_done, turn);
		turn->in_flight = offload_submit(plane->offload, &turn->keeping) == CG_OK;
		if (turn->in_flight)
			return;
	}
	submit(turn, write_work, write_done);
}

static void take(struct turn *turn);

static void turn_flush(void *arg)
{
	struct turn *turn = arg;

	if (turn->overflow && turn->agent_turn != NULL && !turn->aborted) {
		turn->aborted = true;
		turn_cancel(turn);
	}
	if (turn->in_flight)
		return;
	if (turn->state == TURN_TAKES) {
		take(turn);
		return;
	}
	if (turn->writing.first != NULL || turn->last) { /* a job that failed */
		submit(turn, write_work, write_done);
		return;
	}
	if (!turn->due || (turn->said.first == NULL && !turn->ended))
		return;
	turn->due = false;
	loop_timer_clear(&turn->timer);
	record_list_take(&turn->writing, &turn->said);
	turn->opened |= turn->writing.opened;
	turn->asked |= turn->writing.asked;
	turn->last = turn->ended;
	turn->ending = (struct record_end){turn->end, turn->end_code, turn->end_text};
	turn_write(turn);
}

/* ---- beginning ---- */

static void begin(struct turn *turn)
{
	const struct seat *seat = turn->taken.seat;
	struct agent_prompt prompt;
	struct cg_error err = {0};
	enum cg_status status;

	turn->state = TURN_RUNS;
	turn->again |= turn->taken.more;
	if (turn->taken.refusal[0] != '\0') {
		turn_sink.ended(turn, AGENT_FAILED, turn->taken.refusal);
		return;
	}
	taken_prompt_view(&turn->taken, &prompt);
	status = seat->ops->start(
		seat->self, &prompt, &turn_sink, turn, &turn->agent_turn, &err);
	history_finish(&turn->taken.history);
	if (status == CG_OK)
		return;
	turn->agent_turn = NULL;
	turn_sink.ended(turn, AGENT_FAILED, err.text);
}

static enum cg_status take_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct turn *turn = arg;
	const struct take what = {turn->live->session, turn->plane->history_bytes,
		&turn->plane->roster, turn->plane->channels};

	turn->change.tx = tx;
	turn->change.err = err;
	taken_prompt_finish(&turn->taken);
	return taken_prompt_take(&turn->change, &what, &turn->taken);
}

static void take_done(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct turn *turn = arg;
	struct plane *plane = turn->plane;

	(void)err;
	turn->in_flight = false;
	if (plane->closing)
		return;
	if (status != CG_OK) {
		retry_later(turn);
		return;
	}
	plane_follow(plane, &turn->change);
	change_finish(&turn->change);
	if (turn->taken.text == NULL)
		turn_leave(turn, turn->again);
	else
		begin(turn);
}

static void take(struct turn *turn)
{
	turn->state = TURN_TAKES;
	turn->again = false;
	submit(turn, take_work, take_done);
}

static void turn_start_ready(struct plane *plane)
{
	while (plane->ready != NULL && plane->turns_running < TURN_RUNNING) {
		struct turn *turn = plane->ready;

		plane->ready = turn->next;
		if (plane->ready == NULL)
			plane->ready_last = NULL;
		plane->turns_running++;
		take(turn);
	}
}

void turn_adopt(struct plane *plane, int64_t session, struct taken_prompt *taken)
{
	struct live *live = live_get(&plane->live, session);
	struct turn *turn = live == NULL ? NULL : live->turn;
	bool leaving = turn != NULL;

	if (live != NULL && !leaving)
		turn = turn_create(plane, live);
	if (turn == NULL) { /* out of memory: the next start recovers it */
		plane_notice(plane, 0, "turn.not_begun", "command", taken->command_id);
		if (live != NULL)
			live_release(&plane->live, live);
		taken_prompt_finish(taken);
		return;
	}
	if (leaving)
		turn->after = *taken;
	else
		turn->taken = *taken;
	memset(taken, 0, sizeof(*taken));
	if (leaving)
		return;
	plane->turns_running++;
	begin(turn);
}

void turn_destroy_all(struct plane *plane)
{
	struct live *live;

	while ((live = live_any(&plane->live)) != NULL) {
		if (live->turn != NULL)
			turn_free(live->turn);
		live->turn = NULL;
		live->streams = NULL;
		live_release(&plane->live, live);
	}
}
