/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent reports of a turn, collected for the store. */
#include "control-plane/turn_private.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <string.h>

#define UNSETTLED_TEXT \
	"The connection to the agent was lost while it was working, so part of the " \
	"work may have been done. Please check before you ask again."
#define OVERFLOW_TEXT \
	"The agent answered faster than the gateway could store, so it was stopped."

static void said_append(
	void *arg, const char *message_id, const char *text, size_t length)
{
	struct turn *turn = arg;

	if (turn_listens(turn) && length > 0)
		turn_collect(turn,
			record_text(&turn->said, RECORD_APPEND, message_id, text, length),
			false);
}

static void said_replace(
	void *arg, const char *message_id, const char *text, size_t length)
{
	struct turn *turn = arg;

	if (turn_listens(turn))
		turn_collect(turn,
			record_text(
				&turn->said, RECORD_REPLACE, message_id, text, length),
			true);
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
	turn_arm_patience(turn);
}

static void said_event(void *arg, const char *type, struct json_object *payload)
{
	struct turn *turn = arg;

	if (!turn_listens(turn))
		return;
	note_asked(turn, type, payload);
	turn_collect(turn, record_event(&turn->said, type, payload), true);
}

static void said_artifact(void *arg, const struct agent_artifact *artifact)
{
	struct turn *turn = arg;

	if (turn_listens(turn))
		turn_collect(turn,
			record_artifact(&turn->said, turn->taken.session_id, artifact),
			true);
}

static void said_bound(void *arg, const char *runtime_session_id)
{
	struct turn *turn = arg;

	if (turn_listens(turn))
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
	turn_arm_patience(turn);
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

const struct agent_sink turn_sink = {
	.append = said_append,
	.replace = said_replace,
	.event = said_event,
	.artifact = said_artifact,
	.bound = said_bound,
	.ended = said_ended,
};
