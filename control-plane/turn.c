/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/turn.h"

#include "control-plane/event.h"
#include "control-plane/history.h"
#include "control-plane/record.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNSETTLED_TEXT \
	"The connection to the agent was lost while it was working, so part of the " \
	"work may " \
	"have been done. Please check before you ask again."
#define OVERFLOW_TEXT \
	"The agent answered faster than the gateway could store, so it was stopped."

enum turn_state {
	TURN_WAITS, /* for a free place */
	TURN_TAKES, /* the job that marks the prompt as running is under way */
	TURN_RUNS, /* the agent works, or has ended and its last words are being stored */
};

struct turn {
	struct plane *plane;
	struct live *live;
	struct turn *next; /* among those that wait */
	enum turn_state state;
	bool again; /* a prompt came meanwhile */

	/* The prompt, from TURN_RUNS on. */
	struct taken_prompt taken;
	struct agent_turn *agent_turn; /* NULL before its start and after its end */
	bool aborted; /* a person wants it to stop */
	bool overflow; /* it has said more than can be kept */
	bool ended;
	enum agent_end end;
	char end_text[CG_ERROR_TEXT];

	struct record_list said; /* not yet in a job */
	struct loop_timer timer; /* end of the window, or when the store is tried again */
	struct loop_task flush;
	bool due; /* what is collected shall be stored now */

	/* The job, taking or writing. */
	struct database_job job;
	bool in_flight;
	struct change change;
	struct record_list writing;
	struct record_end ending;
	bool last; /* the job holds the end of the turn */
	bool opened; /* what the turn has begun, see struct record_batch */
	bool asked;
};

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
	loop_undefer(turn->plane->loop, &turn->flush);
	record_list_finish(&turn->said);
	record_list_finish(&turn->writing);
	change_finish(&turn->change);
	taken_prompt_finish(&turn->taken);
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
	turn = calloc(1, sizeof(*turn));
	if (turn == NULL ||
		loop_timer_init(&turn->timer, plane->loop, turn_timer, turn) != CG_OK) {
		free(turn);
		live_release(&plane->live, live);
		return;
	}
	turn->plane = plane;
	turn->live = live;
	loop_task_init(&turn->flush, turn_flush, turn);
	live->turn = turn;
	plane->turn_count++;
	turn_queue(turn);
	turn_start_ready(plane);
}

/* The turn is over and stored: the session's next prompt queues, or it rests. */
static void turn_leave(struct turn *turn, bool more)
{
	struct plane *plane = turn->plane;
	struct live *live = turn->live;
	int64_t session = live->session;

	plane->turns_running--;
	plane->turn_count--;
	live->turn = NULL;
	turn_free(turn);
	if (more)
		turn_wake(plane, session);
	live = live_find(&plane->live, session);
	if (live != NULL)
		live_release(&plane->live, live);
	turn_start_ready(plane);
	turn_scan(plane);
}

/* ---- what the agent reports ---- */

/* Too much is unsaved: the turn ends with a clear error. */
static void turn_overflow(struct turn *turn)
{
	turn->overflow = true;
	loop_defer(turn->plane->loop, &turn->flush);
}

static void turn_collect(struct turn *turn, enum cg_status status, bool now)
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

static bool listens(const struct turn *turn)
{
	return !turn->ended && !turn->overflow;
}

static void said_append(
	void *arg, const char *message_id, const char *text, size_t length)
{
	struct turn *turn = arg;

	if (listens(turn) && length > 0)
		turn_collect(turn,
			record_text(&turn->said, RECORD_APPEND, message_id, text, length),
			false);
}

static void said_replace(
	void *arg, const char *message_id, const char *text, size_t length)
{
	struct turn *turn = arg;

	if (listens(turn))
		turn_collect(turn,
			record_text(
				&turn->said, RECORD_REPLACE, message_id, text, length),
			true);
}

static void said_event(void *arg, const char *type, struct json_object *payload)
{
	struct turn *turn = arg;

	if (listens(turn))
		turn_collect(turn, record_event(&turn->said, type, payload), true);
}

/* A turn that cannot keep files says so. */
static void said_artifact(void *arg, const struct agent_artifact *artifact)
{
	struct json_object *payload = cg_json_new_object();

	cg_json_put_string(payload, "artifactId", artifact->id);
	cg_json_put_string(payload, "filename", artifact->filename);
	cg_json_put_string(payload, "error", "The file could not be kept.");
	said_event(arg, "artifact.created", payload);
	cg_json_free(payload);
}

static void said_bound(void *arg, const char *runtime_session_id)
{
	struct turn *turn = arg;

	if (listens(turn))
		turn_collect(turn,
			record_command(&turn->said, RECORD_BOUND, runtime_session_id),
			true);
}

static void said_ended(void *arg, enum agent_end end, const char *message)
{
	struct turn *turn = arg;

	if (turn->ended)
		return;
	turn->ended = true;
	turn->agent_turn = NULL;
	turn->end = turn->aborted && end != AGENT_COMPLETED ? AGENT_CANCELLED : end;
	if (end == AGENT_UNSETTLED)
		message = UNSETTLED_TEXT;
	if (turn->overflow) {
		turn->end = AGENT_FAILED;
		message = OVERFLOW_TEXT;
	}
	cg_text_copy(turn->end_text, sizeof(turn->end_text),
		cg_text_blank(message) ? "The agent failed without saying why."
				       : message);
	turn->due = true;
	loop_defer(turn->plane->loop, &turn->flush);
}

static const struct agent_sink turn_sink = {
	.append = said_append,
	.replace = said_replace,
	.event = said_event,
	.artifact = said_artifact,
	.bound = said_bound,
	.ended = said_ended,
};

/* ---- storing it ---- */

static enum cg_status write_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct turn *turn = arg;
	const struct record_batch batch = {
		.list = &turn->writing,
		.session = turn->live->session,
		.command_id = turn->taken.command_id,
		.end = turn->last ? &turn->ending : NULL,
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
		turn_leave(turn, turn->again);
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

static void take(struct turn *turn);

static void turn_flush(void *arg)
{
	struct turn *turn = arg;
	struct plane *plane = turn->plane;

	if (turn->overflow && turn->agent_turn != NULL && !turn->aborted) {
		turn->aborted = true;
		plane->ops->cancel(plane->agent, turn->agent_turn);
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
	turn->ending = (struct record_end){turn->end, "agent_failed", turn->end_text};
	submit(turn, write_work, write_done);
}

/* ---- beginning ---- */

static void begin(struct turn *turn)
{
	struct plane *plane = turn->plane;
	struct agent_prompt prompt;
	struct cg_error err = {0};
	enum cg_status status;

	turn->state = TURN_RUNS;
	turn->again |= turn->taken.more;
	taken_prompt_view(&turn->taken, &prompt);
	status = plane->ops->start(
		plane->agent, &prompt, &turn_sink, turn, &turn->agent_turn, &err);
	history_finish(&turn->taken.history);
	if (status == CG_OK)
		return;
	turn->agent_turn = NULL;
	said_ended(turn, AGENT_FAILED, err.text);
}

static enum cg_status take_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct turn *turn = arg;

	turn->change.tx = tx;
	turn->change.err = err;
	taken_prompt_finish(&turn->taken);
	return taken_prompt_take(&turn->change, turn->live->session,
		turn->plane->history_bytes, &turn->taken);
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

/* ---- from people ---- */

void turn_abort(struct plane *plane, int64_t session)
{
	struct live *live = live_find(&plane->live, session);
	struct turn *turn = live == NULL ? NULL : live->turn;

	if (turn == NULL || turn->state != TURN_RUNS || turn->ended || turn->aborted)
		return;
	turn->aborted = true;
	if (turn->agent_turn != NULL)
		plane->ops->cancel(plane->agent, turn->agent_turn);
}

static enum cg_status tell_agent(struct turn *turn, const struct answer *answer)
{
	struct plane *plane = turn->plane;

	if (turn->agent_turn == NULL)
		return CG_NOT_FOUND;
	if (answer->question)
		return plane->ops->question == NULL
			       ? CG_UNSUPPORTED
			       : plane->ops->question(plane->agent, turn->agent_turn,
					 answer->target_id, answer->answers);
	return plane->ops->permission == NULL
		       ? CG_UNSUPPORTED
		       : plane->ops->permission(plane->agent, turn->agent_turn,
				 answer->target_id, answer->reply, NULL);
}

/* What the session's readers are told of the answer. */
static struct json_object *answer_event(const struct answer *answer, bool taken)
{
	struct json_object *payload = cg_json_new_object();

	cg_json_put_string(payload, answer->question ? "requestId" : "permissionId",
		answer->target_id);
	cg_json_put_string(payload, "id", answer->target_id);
	cg_json_put_string(payload, "commandId", answer->command_id);
	if (!answer->question) {
		const char *reply = taken ? answer->reply : "reject";

		cg_json_put_string(payload, "reply", reply);
		cg_json_put_bool(payload, "allowed", strcmp(reply, "reject") != 0);
	} else if (taken && answer->answers != NULL) {
		cg_json_put(payload, "answers", cg_json_ref(answer->answers));
	} else {
		cg_json_put_bool(payload, "rejected", true);
	}
	return payload;
}

void turn_answer(struct plane *plane, struct answer *answer)
{
	struct live *live = live_find(&plane->live, answer->session);
	struct turn *turn = live == NULL ? NULL : live->turn;
	struct json_object *payload;
	enum cg_status status;

	/* Without a turn nobody waits: its end has refused whatever was open. */
	if (turn != NULL && turn->state == TURN_RUNS && !turn->ended) {
		bool taken = tell_agent(turn, answer) == CG_OK;

		payload = answer_event(answer, taken);
		status = record_command(&turn->said, taken ? RECORD_ACK : RECORD_REFUSED,
			answer->command_id);
		if (status == CG_OK)
			status = record_event(&turn->said,
				answer->question ? "question.resolved"
						 : "permission.resolved",
				payload);
		cg_json_free(payload);
		turn_collect(turn, status, true);
	}
	answer_finish(answer);
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
