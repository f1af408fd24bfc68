/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent that answers with what it was told: for trying Cowgate without a model.
 *
 *	fail TEXT     fails with TEXT
 *	slow N TEXT   takes N seconds, with a sign of life every 200 ms; something to /stop
 *
 * Anything else comes back in a few pieces, and then once more as a whole.
 */
#include "control-plane/agents/agent.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define ECHO_TURNS 1024 /* under way at once */
#define ECHO_PIECES 4
#define ECHO_SLOW_MAX 3600 /* seconds */
#define ECHO_SLOW_STEP_MS 200

LIST_HEAD(echo_turns, agent_turn);

struct echo {
	struct loop *loop;
	struct echo_turns turns; /* at most ECHO_TURNS */
	size_t turn_count;
};

struct agent_turn {
	LIST_ENTRY(agent_turn) entry;
	struct echo *echo; /* borrowed */
	struct agent_sink sink;
	void *arg;
	char *text; /* what the prompt said */
	const char *answer; /* into it */
	char *message_id;
	size_t sent; /* bytes of the answer */
	int64_t steps_left; /* of a slow turn */
	bool fails;
	bool started; /* something was shown */
	bool cancelled;
	bool over;
	struct loop_timer timer;
	struct loop_task reap;
};

static enum cg_status echo_create(const struct agent_host *host,
	const struct agent_options *options, void **ret_self, struct cg_error *err)
{
	struct echo *echo = calloc(1, sizeof(*echo));

	(void)options;
	if (echo == NULL)
		return cg_error_nomem(err);
	echo->loop = host->loop;
	LIST_INIT(&echo->turns);
	*ret_self = echo;
	return CG_OK;
}

static void turn_destroy(struct agent_turn *turn)
{
	if (turn == NULL)
		return;
	loop_timer_finish(&turn->timer);
	loop_undefer(turn->echo->loop, &turn->reap);
	free(turn->message_id);
	free(turn->text);
	free(turn);
}

static void turn_remove(struct agent_turn *turn)
{
	LIST_REMOVE(turn, entry);
	turn->echo->turn_count--;
	turn_destroy(turn);
}

static void echo_destroy(void *self)
{
	struct echo *echo = self;
	struct agent_turn *turn;

	if (echo == NULL)
		return;
	while ((turn = LIST_FIRST(&echo->turns)) != NULL)
		turn_remove(turn);
	free(echo);
}

static void on_reap(void *arg)
{
	turn_remove(arg);
}

static void turn_end(struct agent_turn *turn, enum agent_end end, const char *message)
{
	turn->over = true;
	loop_timer_clear(&turn->timer);
	loop_defer(turn->echo->loop, &turn->reap);
	turn->sink.ended(turn->arg, end, message);
}

/* A turn that is run again replaces what an earlier run had shown. */
static void show(struct agent_turn *turn, const char *text, size_t length)
{
	if (turn->started)
		turn->sink.append(turn->arg, turn->message_id, text, length);
	else
		turn->sink.replace(turn->arg, turn->message_id, text, length);
	turn->started = true;
}

static void next_piece(struct agent_turn *turn)
{
	size_t length = strlen(turn->answer);
	size_t left = length - turn->sent, piece = length / ECHO_PIECES + 1;

	piece = cg_text_prefix(turn->answer + turn->sent, left, CG_UNIT_BYTES,
		piece < 4 ? 4 : piece); /* a character at least */
	show(turn, turn->answer + turn->sent, piece);
	turn->sent += piece;
}

static void on_timer(void *arg)
{
	struct agent_turn *turn = arg;

	if (turn->cancelled) {
		turn_end(turn, AGENT_CANCELLED, "stopped");
	} else if (turn->fails) {
		turn_end(turn, AGENT_FAILED, turn->answer);
	} else if (turn->steps_left > 0) {
		turn->steps_left--;
		show(turn, ".", 1);
		loop_timer_set(&turn->timer, turn->cancelled ? 0 : ECHO_SLOW_STEP_MS);
	} else if (turn->answer[turn->sent] != '\0') {
		next_piece(turn);
		loop_timer_set(&turn->timer, 0);
	} else {
		turn->sink.replace(
			turn->arg, turn->message_id, turn->answer, strlen(turn->answer));
		turn_end(turn, AGENT_COMPLETED, NULL);
	}
}

static void read_slow(struct agent_turn *turn)
{
	char *end;
	long seconds = strtol(turn->answer + 5, &end, 10);

	if (seconds < 1 || seconds > ECHO_SLOW_MAX || (*end != ' ' && *end != '\0'))
		return;
	turn->steps_left = seconds * 1000 / ECHO_SLOW_STEP_MS;
	turn->answer = *end == ' ' && end[1] != '\0' ? end + 1 : "done";
	turn->sent = strlen(turn->answer); /* comes as a whole */
}

static enum cg_status echo_start(void *self, const struct agent_prompt *prompt,
	const struct agent_sink *sink, void *arg, struct agent_turn **ret,
	struct cg_error *err)
{
	struct echo *echo = self;
	struct agent_turn *turn;
	struct cg_buffer id;

	if (echo->turn_count >= ECHO_TURNS)
		return cg_error_set(err, CG_LIMIT, "too many turns under way");
	turn = calloc(1, sizeof(*turn));
	if (turn == NULL)
		return cg_error_nomem(err);
	turn->echo = echo;
	turn->sink = *sink;
	turn->arg = arg;
	loop_task_init(&turn->reap, on_reap, turn);
	cg_buffer_init(&id, 1024);
	cg_buffer_format(&id, "%s:answer", prompt->command_id);
	turn->message_id = cg_buffer_take(&id, NULL);
	cg_buffer_finish(&id);
	turn->text = strdup(prompt->text);
	if (turn->text == NULL || turn->message_id == NULL ||
		loop_timer_init(&turn->timer, echo->loop, on_timer, turn) != CG_OK) {
		turn_destroy(turn);
		return cg_error_nomem(err);
	}
	turn->answer = turn->text;
	if (strncmp(turn->text, "fail ", 5) == 0) {
		turn->fails = true;
		turn->answer += 5;
	} else if (strncmp(turn->text, "slow ", 5) == 0) {
		read_slow(turn);
	}
	LIST_INSERT_HEAD(&echo->turns, turn, entry);
	echo->turn_count++;
	loop_timer_set(&turn->timer, 0);
	*ret = turn;
	return CG_OK;
}

static void echo_cancel(void *self, struct agent_turn *turn)
{
	(void)self;
	if (turn->over)
		return;
	turn->cancelled = true;
	loop_timer_set(&turn->timer, 0);
}

static bool echo_repeatable(void *self, const struct agent_prompt *prompt)
{
	(void)self;
	(void)prompt;
	return true;
}

static enum cg_status echo_health(void *self, struct cg_error *err)
{
	(void)self;
	(void)err;
	return CG_OK;
}

const struct agent_ops agent_echo = {
	.name = "echo",
	.create = echo_create,
	.destroy = echo_destroy,
	.start = echo_start,
	.cancel = echo_cancel,
	.repeatable = echo_repeatable,
	.health = echo_health,
};
