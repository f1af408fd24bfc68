/* SPDX-License-Identifier: Apache-2.0 */
/* What a running turn hears from people: stop, an answer, a word in between, or nothing. */
#include "control-plane/turn_private.h"

#include <cowgate/sdk/json.h>
#include <string.h>

void turn_abort(struct plane *plane, int64_t session)
{
	struct live *live = live_find(&plane->live, session);
	struct turn *turn = live == NULL ? NULL : live->turn;

	if (turn == NULL || turn->state != TURN_RUNS || turn->ended || turn->aborted)
		return;
	turn->aborted = true;
	if (turn->agent_turn != NULL)
		turn_cancel(turn);
}

void turn_arm_patience(struct turn *turn)
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
	turn_arm_patience(turn);
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
void turn_impatient(void *arg)
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
	turn_arm_patience(turn);
}

void turn_steer(struct plane *plane, const struct steer *steer)
{
	struct live *live = live_find(&plane->live, steer->session);
	struct turn *turn = live == NULL ? NULL : live->turn;
	const struct seat *seat = turn == NULL ? NULL : turn->taken.seat;
	struct agent_prompt prompt;

	if (turn == NULL || turn->state != TURN_RUNS || !turn_listens(turn) ||
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
