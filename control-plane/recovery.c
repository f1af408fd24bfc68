/* SPDX-License-Identifier: Apache-2.0 */
/* What the last process left: turns that it began, and prompts that wait.  See turn.h. */
#include "control-plane/turn_private.h"

#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

struct scan {
	struct plane *plane;
	struct database_job job;
	struct change change;
	int64_t found; /* 0: none */
};

static enum cg_status scan_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct scan *scan = arg;

	scan->change.tx = tx;
	scan->change.err = err;
	return command_next_session(&scan->change, scan->plane->scanned, &scan->found);
}

static void scan_done(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct scan *scan = arg;
	struct plane *plane = scan->plane;

	(void)err;
	plane->scanning = false;
	if (!plane->closing && status == CG_OK) {
		plane->scan_done = scan->found == 0;
		plane->scanned = scan->found;
		if (scan->found != 0)
			turn_wake(plane, scan->found);
		turn_scan(plane);
	}
	free(scan);
}

void turn_scan(struct plane *plane)
{
	struct scan *scan;

	if (plane->scan_done || plane->scanning || plane->turn_count >= TURN_SESSIONS)
		return;
	scan = calloc(1, sizeof(*scan));
	if (scan == NULL)
		return;
	scan->plane = plane;
	plane_change(plane, &scan->change);
	scan->job.work = scan_work;
	scan->job.done = scan_done;
	scan->job.arg = scan;
	plane->scanning = database_submit(plane->database, &scan->job) == CG_OK;
	if (!plane->scanning)
		free(scan);
}

/* The end of a turn that the last process began. */
struct recovery {
	struct plane *plane;
	struct database_job job;
	struct change change;
	struct record_list list;
	struct record_end end;
	bool again; /* else it is lost */
	int64_t session;
	char command_id[HASHED_ID];
};

static enum cg_status recovery_work(
	struct transaction *tx, void *arg, struct cg_error *err)
{
	struct recovery *recovery = arg;
	const struct record_batch batch = {
		.list = &recovery->list,
		.session = recovery->session,
		.command_id = recovery->command_id,
		.end = recovery->again ? NULL : &recovery->end,
		.opened = true, /* nobody remembers */
		.asked = true,
	};

	recovery->change.tx = tx;
	recovery->change.err = err;
	return record_store(&recovery->change, &batch);
}

static void recovery_done(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct recovery *recovery = arg;
	struct plane *plane = recovery->plane;

	if (!plane->closing && status == CG_OK) {
		plane_notice(plane, 1, recovery->again ? "turn.recovered" : "turn.lost",
			"command", recovery->command_id);
		plane_follow(plane, &recovery->change);
		turn_wake(plane, recovery->session);
	} else if (!plane->closing) {
		plane_notice(plane, 0, "turn.recovery_failed", "error", err->text);
	}
	record_list_finish(&recovery->list);
	change_finish(&recovery->change);
	free(recovery);
}

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
	turn_arm_patience(turn);
}

/* Ask the agent what became of a turn that was running; false when that cannot be. */
static bool settle(struct plane *plane, const struct lost_command *lost)
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
	if (turn != NULL)
		turn_drop(turn);
	if (live != NULL)
		live_release(&plane->live, live);
	return false;
}

static void recover_one(struct plane *plane, const struct lost_command *lost)
{
	const struct agent_prompt prompt = {
		.session_id = lost->session_id,
		.runtime_session_id = lost->runtime_session_id,
		.command_id = lost->command_id,
		.agent = lost->agent,
		.attempt = lost->attempt + 1,
		.text = lost->text,
	};
	const struct seat *seat = lost->seat;
	struct recovery *recovery;

	if (settle(plane, lost)) {
		plane_notice(plane, 1, "turn.resumed", "command", lost->command_id);
		return;
	}
	recovery = calloc(1, sizeof(*recovery));
	if (recovery == NULL)
		return;
	recovery->plane = plane;
	recovery->session = lost->session;
	recovery->again = lost->attempt < COMMAND_ATTEMPTS &&
			  seat->ops->repeatable(seat->self, &prompt);
	recovery->end = (struct record_end){AGENT_FAILED, "lost", TURN_LOST_TEXT};
	cg_text_copy(
		recovery->command_id, sizeof(recovery->command_id), lost->command_id);
	plane_change(plane, &recovery->change);
	recovery->job.work = recovery_work;
	recovery->job.done = recovery_done;
	recovery->job.arg = recovery;
	if ((recovery->again && record_command(&recovery->list, RECORD_RETURN,
					lost->command_id) != CG_OK) ||
		database_submit(plane->database, &recovery->job) != CG_OK) {
		record_list_finish(&recovery->list);
		free(recovery);
	}
}

void turn_recover(struct plane *plane, struct lost_command *lost)
{
	for (const struct lost_command *one = lost; one != NULL; one = one->next)
		recover_one(plane, one);
	lost_command_free(lost);
	turn_scan(plane);
}
