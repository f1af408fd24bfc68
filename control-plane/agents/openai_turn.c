/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST {url}/chat/completions, streamed.
 *
 * A turn asks until an answer begins, with growing delays, for as long as its time allows.
 * Once text has been shown nothing is asked again: what breaks off then stays as it is, and
 * the turn fails with the reason.
 */
#include "control-plane/agents/openai_turn.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/retry.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURN_BACKOFF_MS 1000
#define TURN_BACKOFF_CAP_MS 30000

static int64_t now_ms(const struct agent_turn *turn)
{
	return clock_mono(loop_clock(turn->openai->loop));
}

static void turn_free(struct agent_turn *turn)
{
	http_client_cancel(turn->openai->http, turn->call);
	loop_timer_finish(&turn->deadline);
	loop_timer_finish(&turn->wait);
	loop_undefer(turn->openai->loop, &turn->reap);
	cg_sse_finish(&turn->sse);
	cg_buffer_finish(&turn->reply);
	cg_buffer_finish(&turn->body);
	cg_buffer_finish(&turn->blind);
	free(turn->command_id);
	free(turn->answer_id);
	free(turn->note_id);
	free(turn);
}

void openai_turn_destroy(struct agent_turn *turn)
{
	LIST_REMOVE(turn, entry);
	turn->openai->turn_count--;
	turn_free(turn);
}

static void on_reap(void *arg)
{
	openai_turn_destroy(arg);
}

static void call_cancel(struct agent_turn *turn)
{
	http_client_cancel(turn->openai->http, turn->call);
	turn->call = NULL;
}

/* A server that tells nothing has used what we guess, or no budget would ever be used up. */
static void guess_usage(struct agent_turn *turn)
{
	const struct agent_options *options = turn->openai->options;
	/* The same words, without the pictures' bytes. */
	const struct cg_buffer *asked =
		turn->blind.length > 0 ? &turn->blind : &turn->body;

	if (turn->has_usage || !turn->begun ||
		(options->daily_tokens == 0 && options->daily_tokens_per_chat == 0))
		return;
	turn->has_usage = true;
	turn->usage = (struct openai_usage){
		.input = (int64_t)openai_tokens(asked->bytes, asked->length),
		.output = turn->shown_tokens,
	};
}

static void turn_end(struct agent_turn *turn, enum agent_end end, const char *message)
{
	struct json_object *payload;

	turn->state = OPENAI_OVER;
	call_cancel(turn);
	loop_timer_clear(&turn->deadline);
	loop_timer_clear(&turn->wait);
	loop_defer(turn->openai->loop, &turn->reap);
	guess_usage(turn);
	if (turn->has_usage) {
		payload = openai_usage_payload(&turn->usage, turn->command_id);
		turn->sink.event(turn->arg, "cost.updated", payload);
		cg_json_free(payload);
	}
	turn->sink.ended(turn->arg, end, message);
}

void openai_turn_fail(struct agent_turn *turn, const char *format, ...)
{
	char sentence[2 * CG_ERROR_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	turn_end(turn, AGENT_FAILED, sentence);
}

void openai_turn_show(struct agent_turn *turn, const char *text, size_t length)
{
	bool first = turn->shown == 0;

	turn->shown += length;
	turn->shown_tokens += (int64_t)openai_tokens(text, length);
	turn->openai->health.status = CG_OK;
	if (first)
		turn->sink.replace(turn->arg, turn->answer_id, text, length);
	else
		turn->sink.append(turn->arg, turn->answer_id, text, length);
}

static void tell_retry(struct agent_turn *turn, int64_t delay_ms)
{
	struct json_object *payload = cg_json_new_object();
	struct cg_buffer reason;

	cg_buffer_init(&reason, 2 * CG_ERROR_TEXT);
	cg_buffer_format(&reason, "%s; trying again in %" PRId64 " s", turn->why.text,
		(delay_ms + 999) / 1000);
	cg_json_put_string(payload, "statusType", "busy");
	cg_json_put_string(payload, "reason", cg_buffer_string(&reason));
	turn->sink.event(turn->arg, "session.status", payload);
	cg_buffer_finish(&reason);
	cg_json_free(payload);
}

void openai_turn_try_again(struct agent_turn *turn, int64_t retry_after_ms)
{
	uint64_t random;
	int64_t delay_ms;

	call_cancel(turn);
	turn->openai->health = turn->why;
	if (turn->shown > 0) {
		openai_turn_fail(turn, "the model stopped answering in the middle: %s",
			turn->why.text);
		return;
	}
	cg_random(&random, sizeof(random));
	delay_ms = cg_retry_reconnect(
		TURN_BACKOFF_MS, TURN_BACKOFF_CAP_MS, ++turn->failed, random);
	if (retry_after_ms >= 0)
		delay_ms = retry_after_ms + (int64_t)(random % OPENAI_LINGER_MS);
	if (turn->failed % turn->openai->url_count != 0)
		delay_ms = 0; /* there is another server to ask */
	if (delay_ms >= turn->deadline_ms - now_ms(turn)) {
		openai_turn_fail(turn, "no answer: %s", turn->why.text);
		return;
	}
	turn->state = OPENAI_WAITING;
	loop_timer_set(&turn->wait, delay_ms);
	tell_retry(turn, delay_ms);
}

void openai_turn_complete(struct agent_turn *turn)
{
	static const struct {
		const char *alone; /* without any text: the turn fails with it */
		const char *note; /* below a text */
	} rows[] = {
		[OPENAI_UNFINISHED] = {"the model gave an empty answer", NULL},
		[OPENAI_STOP] = {"the model gave an empty answer", NULL},
		[OPENAI_LENGTH] =
			{"the model reached its length limit before it answered",
				"(The answer ends here because the model reached its "
				"length limit.)"},
		[OPENAI_FILTER] = {"the model server's content filter withheld the "
				   "answer",
			"(The rest was withheld by the model server's content filter.)"},
		[OPENAI_TOOL] = {"the model asked for a tool, and there is none here",
			"(The model asked for a tool, and there is none here.)"},
	};
	const char *note = rows[turn->finish].note;

	call_cancel(turn);
	if (turn->shown == 0) {
		openai_turn_fail(turn, "%s", rows[turn->finish].alone);
		return;
	}
	/* A message of its own: the answer stays as the model gave it. */
	if (note != NULL)
		turn->sink.replace(turn->arg, turn->note_id, note, strlen(note));
	turn_end(turn, AGENT_COMPLETED, NULL);
}

static void on_wait(void *arg)
{
	struct agent_turn *turn = arg;

	switch (turn->state) {
	case OPENAI_WAITING:
		if (turn->openai->plain)
			openai_request_plain(&turn->body);
		openai_attempt_start(turn);
		break;
	case OPENAI_COMPLETE:
		openai_turn_complete(turn);
		break;
	case OPENAI_CANCELLED:
		turn_end(turn, AGENT_CANCELLED, "stopped");
		break;
	case OPENAI_ASKING:
	case OPENAI_OVER:
		break;
	}
}

static void on_deadline(void *arg)
{
	struct agent_turn *turn = arg;

	if (turn->state == OPENAI_CANCELLED || turn->state == OPENAI_COMPLETE)
		return; /* about to end by itself */
	if (turn->shown > 0)
		openai_turn_fail(turn,
			"the model stopped answering in the middle: it took too long");
	else
		openai_turn_fail(turn, "the model gave no answer in time%s%s",
			turn->why.text[0] != '\0' ? ": " : "", turn->why.text);
}

static char *message_id(const struct agent_prompt *prompt, const char *what)
{
	struct cg_buffer id;
	char *text;

	cg_buffer_init(&id, 1024);
	cg_buffer_format(&id, "%s:%s", prompt->command_id, what);
	text = cg_buffer_take(&id, NULL);
	cg_buffer_finish(&id);
	return text;
}

/* A server that has refused pictures once is not shown any. */
static enum cg_status build_requests(
	struct agent_turn *turn, const struct agent_prompt *prompt)
{
	const struct agent_options *options = turn->openai->options;
	bool images = !turn->openai->blind && openai_has_images(prompt);
	enum cg_status status = openai_request(options, prompt, images, &turn->body);

	if (status == CG_OK && images)
		status = openai_request(options, prompt, false, &turn->blind);
	return status;
}

enum cg_status openai_turn_create(struct openai *openai,
	const struct agent_prompt *prompt, const struct agent_sink *sink, void *arg,
	struct agent_turn **ret)
{
	int64_t timeout_ms = openai->options->turn_timeout_ms;
	struct agent_turn *turn = calloc(1, sizeof(*turn));
	enum cg_status status = CG_NOMEM;

	if (turn == NULL)
		return CG_NOMEM;
	turn->openai = openai;
	turn->sink = *sink;
	turn->arg = arg;
	loop_task_init(&turn->reap, on_reap, turn);
	cg_sse_init(&turn->sse, OPENAI_REPLY, openai_attempt_frame, turn);
	cg_buffer_init(&turn->reply, OPENAI_REPLY);
	cg_buffer_init(&turn->body, OPENAI_REQUEST);
	cg_buffer_init(&turn->blind, OPENAI_REQUEST);
	turn->command_id = strdup(prompt->command_id);
	turn->answer_id = message_id(prompt, "answer");
	turn->note_id = message_id(prompt, "note");
	if (turn->command_id == NULL || turn->answer_id == NULL || turn->note_id == NULL)
		goto fail;
	status = build_requests(turn, prompt);
	if (status == CG_OK)
		status =
			loop_timer_init(&turn->deadline, openai->loop, on_deadline, turn);
	if (status == CG_OK)
		status = loop_timer_init(&turn->wait, openai->loop, on_wait, turn);
	if (status != CG_OK)
		goto fail;
	if (timeout_ms <= 0)
		timeout_ms = OPENAI_TURN_MS;
	turn->deadline_ms = now_ms(turn) + timeout_ms;
	loop_timer_set(&turn->deadline, timeout_ms);
	loop_timer_set(&turn->wait, 0);
	LIST_INSERT_HEAD(&openai->turns, turn, entry);
	openai->turn_count++;
	*ret = turn;
	return CG_OK;

fail:
	turn_free(turn);
	return status;
}

void openai_turn_cancel(struct agent_turn *turn)
{
	if (turn->state == OPENAI_OVER || turn->state == OPENAI_CANCELLED)
		return;
	turn->state = OPENAI_CANCELLED;
	call_cancel(turn);
	loop_timer_set(&turn->wait, 0);
}
