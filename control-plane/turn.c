/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/turn.h"

#include "control-plane/ask.h"
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
	const char *end_code; /* literal: of the command, when it failed */
	char end_text[CG_ERROR_TEXT];

	struct taken_prompt after; /* taken before this one has left; text NULL: none */
	bool settling; /* of an earlier process: its fate may turn out to be unknown … */
	bool returns; /* … and then it is done anew */

	struct ask_list asked_people;
	struct loop_timer patience; /* until the first of them has waited too long */

	struct record_list said; /* not yet in a job */
	struct loop_timer timer; /* end of the window, or when the store is tried again */
	struct loop_task flush;
	bool due; /* what is collected shall be stored now */

	/* The job, taking or writing. */
	struct database_job job;
	bool in_flight;
	struct change change;
	struct record_list writing;
	struct offload_job keeping; /* its files, before the job */
	struct record_end ending;
	bool last; /* the job holds the end of the turn */
	bool opened; /* what the turn has begun, see struct record_batch */
	bool asked;
};

static void turn_start_ready(struct plane *plane);
static void turn_flush(void *arg);
static void turn_impatient(void *arg);

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

/* A turn for the session, which has none; NULL without memory. */
static struct turn *turn_create(struct plane *plane, struct live *live)
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

/* Until the person who was asked first has had enough time. */
static void arm_patience(struct turn *turn)
{
	int64_t wait;

	if (turn->asked_people.count == 0) {
		loop_timer_clear(&turn->patience);
		return;
	}
	wait = turn->asked_people.items[0].until -
	       clock_mono(loop_clock(turn->plane->loop));
	loop_timer_set(&turn->patience, wait < 0 ? 0 : wait);
}

static void note_asked(struct turn *turn, const char *type, struct json_object *payload)
{
	const char *permission = cg_json_string_or(payload, "permissionId", "");
	const char *question = cg_json_string_or(payload, "requestId", "");
	int64_t until = clock_mono(loop_clock(turn->plane->loop)) + turn->plane->ask_ms;

	if (strcmp(type, "permission.requested") == 0)
		ask_add(&turn->asked_people, permission, false, until);
	else if (strcmp(type, "question.asked") == 0)
		ask_add(&turn->asked_people, question, true, until);
	else if (strcmp(type, "permission.resolved") == 0)
		ask_remove(&turn->asked_people, permission);
	else if (strcmp(type, "question.resolved") == 0)
		ask_remove(&turn->asked_people, question);
	else
		return;
	arm_patience(turn);
}

static void said_event(void *arg, const char *type, struct json_object *payload)
{
	struct turn *turn = arg;

	if (!listens(turn))
		return;
	note_asked(turn, type, payload);
	turn_collect(turn, record_event(&turn->said, type, payload), true);
}

static void said_artifact(void *arg, const struct agent_artifact *artifact)
{
	struct turn *turn = arg;

	if (listens(turn))
		turn_collect(turn,
			record_artifact(&turn->said, turn->taken.session_id, artifact),
			true);
}

static void said_bound(void *arg, const char *runtime_session_id)
{
	struct turn *turn = arg;

	if (listens(turn))
		turn_collect(turn,
			record_command(&turn->said, RECORD_BOUND, runtime_session_id),
			true);
}

/* Nobody knows what became of it: once more if that does no harm, else it is lost. */
static const char *settle_failed(struct turn *turn)
{
	struct agent_prompt prompt;

	taken_prompt_view(&turn->taken, &prompt);
	turn->returns =
		turn->taken.attempt < COMMAND_ATTEMPTS && !turn->aborted &&
		turn->taken.seat->ops->repeatable(turn->taken.seat->self, &prompt) &&
		record_command(&turn->said, RECORD_RETURN, turn->taken.command_id) ==
			CG_OK;
	turn->end = AGENT_FAILED;
	turn->end_code = "lost";
	return TURN_LOST_TEXT;
}

static void said_ended(void *arg, enum agent_end end, const char *message)
{
	struct turn *turn = arg;

	if (turn->ended)
		return;
	turn->ended = true;
	turn->agent_turn = NULL;
	ask_list_finish(&turn->asked_people);
	arm_patience(turn);
	turn->end_code = "agent_failed";
	turn->end = turn->aborted && end != AGENT_COMPLETED ? AGENT_CANCELLED : end;
	if (end == AGENT_UNSETTLED)
		message = UNSETTLED_TEXT;
	if (end == AGENT_UNSETTLED && turn->settling)
		message = settle_failed(turn);
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

static void cancel(struct turn *turn)
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
		cancel(turn);
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
	taken_prompt_view(&turn->taken, &prompt);
	status = seat->ops->start(
		seat->self, &prompt, &turn_sink, turn, &turn->agent_turn, &err);
	history_finish(&turn->taken.history);
	if (status == CG_OK)
		return;
	turn->agent_turn = NULL;
	said_ended(turn, AGENT_FAILED, err.text);
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

/* ---- from people ---- */

void turn_abort(struct plane *plane, int64_t session)
{
	struct live *live = live_find(&plane->live, session);
	struct turn *turn = live == NULL ? NULL : live->turn;

	if (turn == NULL || turn->state != TURN_RUNS || turn->ended || turn->aborted)
		return;
	turn->aborted = true;
	if (turn->agent_turn != NULL)
		cancel(turn);
}

static enum cg_status tell_agent(struct turn *turn, const struct answer *answer)
{
	const struct seat *seat = turn->taken.seat;

	if (turn->agent_turn == NULL)
		return CG_NOT_FOUND;
	if (answer->question)
		return seat->ops->question == NULL
			       ? CG_UNSUPPORTED
			       : seat->ops->question(seat->self, turn->agent_turn,
					 answer->target_id, answer->answers);
	return seat->ops->permission == NULL
		       ? CG_UNSUPPORTED
		       : seat->ops->permission(seat->self, turn->agent_turn,
				 answer->target_id, answer->reply, answer->message);
}

/* What the session's readers are told of the answer. */
static struct json_object *answer_event(const struct answer *answer, bool taken)
{
	struct json_object *payload = cg_json_new_object();

	cg_json_put_string(payload, answer->question ? "requestId" : "permissionId",
		answer->target_id);
	cg_json_put_string(payload, "id", answer->target_id);
	if (answer->command_id[0] != '\0')
		cg_json_put_string(payload, "commandId", answer->command_id);
	else
		cg_json_put_string(payload, "reason", "expired");
	if (!answer->question) {
		const char *reply = taken ? answer->reply : "reject";

		cg_json_put_string(payload, "reply", reply);
		cg_json_put_bool(payload, "allowed", strcmp(reply, "reject") != 0);
		if (answer->message != NULL)
			cg_json_put_string(payload, "message", answer->message);
	} else if (taken && answer->answers != NULL) {
		cg_json_put(payload, "answers", cg_json_ref(answer->answers));
	} else {
		cg_json_put_bool(payload, "rejected", true);
	}
	return payload;
}

/* Hand it to the agent, and tell everybody. */
static enum cg_status pass_on(struct turn *turn, const struct answer *answer)
{
	bool taken = tell_agent(turn, answer) == CG_OK;
	struct json_object *payload = answer_event(answer, taken);
	enum cg_status status = CG_OK;

	ask_remove(&turn->asked_people, answer->target_id);
	arm_patience(turn);
	if (answer->command_id[0] != '\0')
		status = record_command(&turn->said, taken ? RECORD_ACK : RECORD_REFUSED,
			answer->command_id);
	if (status == CG_OK)
		status = record_event(&turn->said,
			answer->question ? "question.resolved" : "permission.resolved",
			payload);
	cg_json_free(payload);
	return status;
}

void turn_answer(struct plane *plane, struct answer *answer)
{
	struct live *live = live_find(&plane->live, answer->session);
	struct turn *turn = live == NULL ? NULL : live->turn;

	/* Without a turn nobody waits: its end has refused whatever was open. */
	if (turn != NULL && turn->state == TURN_RUNS && !turn->ended)
		turn_collect(turn, pass_on(turn, answer), true);
	answer_finish(answer);
}

/* Nobody has answered in time: a refusal in nobody's name. */
static void turn_impatient(void *arg)
{
	struct turn *turn = arg;
	int64_t now = clock_mono(loop_clock(turn->plane->loop));
	struct ask ask;

	while (!turn->ended && ask_take_due(&turn->asked_people, now, &ask)) {
		struct answer answer = {.session = turn->live->session,
			.question = ask.question,
			.target_id = ask.id,
			.reply = "reject"};

		turn_collect(turn, pass_on(turn, &answer), true);
		answer_finish(&answer);
	}
	arm_patience(turn);
}

void turn_steer(struct plane *plane, const struct steer *steer)
{
	struct live *live = live_find(&plane->live, steer->session);
	struct turn *turn = live == NULL ? NULL : live->turn;
	const struct seat *seat = turn == NULL ? NULL : turn->taken.seat;
	struct agent_prompt prompt;

	if (turn == NULL || turn->state != TURN_RUNS || !listens(turn) ||
		turn->agent_turn == NULL || seat->ops->steer == NULL)
		return;
	taken_prompt_view(&turn->taken, &prompt);
	prompt.command_id = steer->command_id;
	prompt.text = steer->text;
	prompt.history = NULL;
	prompt.history_count = 0;
	prompt.files = NULL;
	prompt.file_count = 0;
	if (seat->ops->steer(seat->self, turn->agent_turn, &prompt) != CG_OK)
		return;
	turn_collect(turn,
		record_text(&turn->said, RECORD_STEERED, steer->command_id, steer->text,
			strlen(steer->text)),
		true);
}

/* ---- what the last process left ---- */

static bool fill_taken(struct taken_prompt *taken, const struct lost_command *lost)
{
	cg_text_copy(taken->command_id, sizeof(taken->command_id), lost->command_id);
	cg_text_copy(taken->session_id, sizeof(taken->session_id), lost->session_id);
	taken->runtime_session_id = strdup(lost->runtime_session_id);
	taken->agent = strdup(lost->agent);
	taken->text = strdup(lost->text);
	taken->attempt = lost->attempt;
	taken->seat = lost->seat;
	return taken->runtime_session_id != NULL && taken->agent != NULL &&
	       taken->text != NULL;
}

/* What it had asked is open still, until its agent says otherwise or nobody has answered
 * in time. */
static void ask_on(struct turn *turn, const struct lost_command *lost)
{
	int64_t until = clock_mono(loop_clock(turn->plane->loop)) + turn->plane->ask_ms;

	for (size_t i = 0; i < lost->asked.count; i++)
		ask_add(&turn->asked_people, lost->asked.items[i].id,
			lost->asked.items[i].question, until);
	arm_patience(turn);
}

bool turn_settle(struct plane *plane, const struct lost_command *lost)
{
	const struct seat *seat = lost->seat;
	struct live *live;
	struct turn *turn = NULL;
	struct agent_prompt prompt;

	if (seat->ops->settle == NULL)
		return false;
	live = live_get(&plane->live, lost->session);
	if (live != NULL && live->turn == NULL)
		turn = turn_create(plane, live);
	if (turn == NULL)
		goto fail;
	turn->state = TURN_RUNS;
	turn->settling = true;
	turn->again = true; /* what came behind it waits */
	turn->opened = turn->asked = true; /* nobody remembers */
	if (!fill_taken(&turn->taken, lost))
		goto fail;
	taken_prompt_view(&turn->taken, &prompt);
	if (seat->ops->settle(seat->self, &prompt, &turn_sink, turn, &turn->agent_turn,
		    NULL) != CG_OK)
		goto fail;
	ask_on(turn, lost);
	plane->turns_running++;
	return true;

fail:
	if (turn != NULL) {
		live->turn = NULL;
		plane->turn_count--;
		turn_free(turn);
	}
	if (live != NULL)
		live_release(&plane->live, live);
	return false;
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
