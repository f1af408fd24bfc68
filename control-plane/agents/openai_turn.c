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
#include <cowgate/sdk/sse.h>
#include <cowgate/sdk/text.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bytes of a frame, or of an answer in one piece: the text with its escapes. */
#define TURN_REPLY (4u << 20)
#define TURN_BACKOFF_MS 1000
#define TURN_BACKOFF_CAP_MS 30000
#define TURN_LINGER_MS 200 /* for the server to end a stream that is complete */
#define TURN_DETAIL 160 /* bytes of a server's own words that are passed on */

enum turn_state {
	TURN_WAITING, /* for the next attempt */
	TURN_ASKING,
	TURN_COMPLETE, /* all of it has come; the connection may end in its own time */
	TURN_CANCELLED,
	TURN_OVER,
};

struct agent_turn {
	LIST_ENTRY(agent_turn) entry;
	struct openai *openai; /* borrowed */
	struct agent_sink sink;
	void *arg;
	enum turn_state state;
	char *command_id;
	char *answer_id; /* message ids, both from the command's */
	char *note_id;
	struct cg_buffer body; /* of the request */
	struct cg_buffer blind; /* the same without pictures; empty when it has none */
	struct cg_http_call *call;
	struct cg_sse sse;
	struct cg_buffer reply; /* of a server that does not stream */
	bool streamed;
	size_t shown; /* bytes of text */
	enum openai_finish finish;
	bool has_usage;
	struct openai_usage usage;
	unsigned failed; /* attempts */
	int64_t deadline_ms; /* monotonic */
	struct cg_error why; /* the last attempt failed */
	struct loop_timer deadline;
	struct loop_timer wait; /* the next attempt, the end of lingering, a cancel */
	struct loop_task reap;
};

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

static void turn_end(struct agent_turn *turn, enum agent_end end, const char *message)
{
	struct json_object *payload;

	turn->state = TURN_OVER;
	call_cancel(turn);
	loop_timer_clear(&turn->deadline);
	loop_timer_clear(&turn->wait);
	loop_defer(turn->openai->loop, &turn->reap);
	if (turn->has_usage) {
		payload = openai_usage_payload(&turn->usage, turn->command_id);
		turn->sink.event(turn->arg, "cost.updated", payload);
		cg_json_free(payload);
	}
	turn->sink.ended(turn->arg, end, message);
}

static void turn_fail(struct agent_turn *turn, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void turn_fail(struct agent_turn *turn, const char *format, ...)
{
	char sentence[2 * CG_ERROR_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	turn_end(turn, AGENT_FAILED, sentence);
}

/* Text of the answer.  The first of it replaces what an earlier run may have shown. */
static void show(struct agent_turn *turn, const char *text, size_t length)
{
	bool first = turn->shown == 0;

	turn->shown += length;
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

/* The attempt is over without a whole answer; turn->why says why. */
static void attempt_failed(struct agent_turn *turn, int64_t retry_after_ms)
{
	uint64_t random;
	int64_t delay_ms;

	call_cancel(turn);
	turn->openai->health = turn->why;
	if (turn->shown > 0) {
		turn_fail(turn, "the model stopped answering in the middle: %s",
			turn->why.text);
		return;
	}
	cg_random(&random, sizeof(random));
	delay_ms = cg_retry_reconnect(
		TURN_BACKOFF_MS, TURN_BACKOFF_CAP_MS, ++turn->failed, random);
	if (retry_after_ms >= 0)
		delay_ms = retry_after_ms + (int64_t)(random % TURN_LINGER_MS);
	if (turn->failed % turn->openai->url_count != 0)
		delay_ms = 0; /* there is another server to ask */
	if (delay_ms >= turn->deadline_ms - now_ms(turn)) {
		turn_fail(turn, "no answer: %s", turn->why.text);
		return;
	}
	turn->state = TURN_WAITING;
	loop_timer_set(&turn->wait, delay_ms);
	tell_retry(turn, delay_ms);
}

static void attempt_failed_with(struct agent_turn *turn, enum cg_status status,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

static void attempt_failed_with(
	struct agent_turn *turn, enum cg_status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	cg_error_vset(&turn->why, status, format, args);
	va_end(args);
	attempt_failed(turn, -1);
}

/* The answer is whole: say what is odd about it, if anything. */
static void turn_complete(struct agent_turn *turn)
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
		turn_fail(turn, "%s", rows[turn->finish].alone);
		return;
	}
	/* A message of its own: the answer stays as the model gave it. */
	if (note != NULL)
		turn->sink.replace(turn->arg, turn->note_id, note, strlen(note));
	turn_end(turn, AGENT_COMPLETED, NULL);
}

/* Words of the server for the person: short, clean, and never the key. */
static void quote(const struct agent_turn *turn, const char *text, char ret[TURN_DETAIL])
{
	const struct cg_secret *key = turn->openai->options->api_key;

	ret[0] = '\0';
	if (text == NULL || (key != NULL && cg_secret_is_set(key) &&
				    strstr(text, key->bytes) != NULL))
		return;
	cg_text_copy(ret, TURN_DETAIL, text);
}

/* The server says no, with a status of its own or inside a stream. */
static void attempt_refused(
	struct agent_turn *turn, int64_t status, const char *text, int64_t retry_after_ms)
{
	char detail[TURN_DETAIL];

	quote(turn, text, detail);
	if (openai_refusal(status, turn->openai->options->model, detail, &turn->why)) {
		attempt_failed(turn, retry_after_ms);
		return;
	}
	if (turn->why.status != CG_INVALID)
		turn->openai->health = turn->why;
	turn_fail(turn, "%s", turn->why.text);
}

/* False: the turn is no longer asking. */
static bool take_chunk(struct agent_turn *turn, struct json_object *json)
{
	struct openai_chunk chunk;

	openai_chunk_read(json, &chunk);
	if (chunk.error != NULL) {
		/* Trouble without a code may pass; the deadline has the last word. */
		attempt_refused(turn, chunk.error_code != 0 ? chunk.error_code : 500,
			chunk.error, -1);
		return false;
	}
	if (chunk.has_usage) {
		turn->has_usage = true;
		turn->usage = chunk.usage;
	}
	if (chunk.finish != OPENAI_UNFINISHED)
		turn->finish = chunk.finish;
	if (chunk.text != NULL && chunk.length > OPENAI_TEXT - turn->shown) {
		turn_fail(turn, "the model's answer is longer than 1 MiB");
		return false;
	}
	if (chunk.text != NULL)
		show(turn, chunk.text, chunk.length);
	return turn->state == TURN_ASKING;
}

static bool on_frame(void *arg, const struct cg_sse_event *frame)
{
	struct agent_turn *turn = arg;
	struct json_object *json = NULL;
	bool more;

	if (strcmp(frame->data, "[DONE]") == 0) {
		turn->state = TURN_COMPLETE;
		loop_timer_set(&turn->wait, TURN_LINGER_MS);
		return false;
	}
	if (cg_json_parse(frame->data, frame->length, &json, NULL) != CG_OK ||
		!cg_json_is_object(json)) {
		cg_json_free(json);
		attempt_failed_with(
			turn, CG_PROTOCOL, "the model's answer makes no sense");
		return false;
	}
	more = take_chunk(turn, json);
	cg_json_free(json);
	return more;
}

static bool on_data(void *arg, const char *data, size_t length)
{
	struct agent_turn *turn = arg;
	enum cg_status status;

	if (turn->state == TURN_COMPLETE)
		return true;
	if (!turn->streamed) {
		if (cg_buffer_add(&turn->reply, data, length) == CG_OK)
			return true;
		turn_fail(turn, "the model's answer is too long");
		return false;
	}
	status = cg_sse_feed(&turn->sse, data, length);
	if (status == CG_OK || turn->state == TURN_COMPLETE)
		return true;
	/* What stopped the feed has dealt with the turn, unless it was the parser itself. */
	if (turn->state == TURN_ASKING)
		attempt_failed_with(turn, status, "the model's answer makes no sense");
	return false;
}

static void on_head(void *arg, const struct cg_http_response *head)
{
	static const char type[] = "text/event-stream";
	struct agent_turn *turn = arg;

	for (size_t i = 0; i < head->header_count; i++) {
		if (strcmp(head->headers[i].name, "content-type") == 0)
			turn->streamed = strncasecmp(head->headers[i].value, type,
						 sizeof(type) - 1) == 0;
	}
}

/* A server that answers in one piece although it was asked to stream. */
static bool take_reply(struct agent_turn *turn)
{
	struct json_object *json = NULL;
	bool more;

	if (cg_json_parse(cg_buffer_string(&turn->reply), turn->reply.length, &json,
		    NULL) != CG_OK) {
		attempt_failed_with(
			turn, CG_PROTOCOL, "the model's answer makes no sense");
		return false;
	}
	more = take_chunk(turn, json);
	cg_json_free(json);
	return more;
}

/* Ask again at once, in a way that the server takes.  False: there is none. */
static bool ask_plainer(struct agent_turn *turn, const struct cg_http_response *response,
	const char *error)
{
	if (!turn->openai->plain && error != NULL &&
		strstr(error, "stream_options") != NULL) {
		turn->openai->plain = true;
	} else if (turn->blind.length > 0 && response->status >= 400 &&
		   response->status < 500 && response->status != 401 &&
		   response->status != 403 && response->status != 429) {
		/* Nobody agrees on how a model says that it cannot see. */
		turn->openai->blind = true;
		cg_buffer_finish(&turn->body);
		turn->body = turn->blind;
		cg_buffer_init(&turn->blind, OPENAI_REQUEST);
	} else {
		return false;
	}
	turn->state = TURN_WAITING;
	loop_timer_set(&turn->wait, 0);
	return true;
}

static void on_answer(struct agent_turn *turn, const struct cg_http_response *response)
{
	struct json_object *json = NULL;
	struct openai_chunk chunk = {0};

	if (response->status < 200 || response->status >= 300) {
		cg_json_parse(response->body, response->length, &json, NULL);
		openai_chunk_read(json, &chunk);
		if (!ask_plainer(turn, response, chunk.error))
			attempt_refused(turn, response->status, chunk.error,
				response->retry_after_ms);
		cg_json_free(json);
	} else if (!turn->streamed && !take_reply(turn)) {
		return;
	} else if (turn->streamed && turn->finish == OPENAI_UNFINISHED) {
		attempt_failed_with(
			turn, CG_NETWORK, "the model server ended its answer too early");
	} else {
		turn_complete(turn);
	}
}

static void on_done(void *arg, const struct cg_http_response *response)
{
	struct agent_turn *turn = arg;

	turn->call = NULL;
	if (turn->state == TURN_COMPLETE) {
		turn_complete(turn);
		return;
	}
	switch (response->result) {
	case CG_HTTP_DONE:
		on_answer(turn, response);
		break;
	case CG_HTTP_NOT_DISPATCHED:
		attempt_failed_with(turn, CG_NETWORK,
			"the model server cannot be reached: %s", response->error);
		break;
	case CG_HTTP_NO_ANSWER:
		attempt_failed_with(
			turn, CG_NETWORK, "the connection to the model server broke");
		break;
	case CG_HTTP_TIMED_OUT:
		attempt_failed_with(turn, CG_TIMEOUT, "the model server fell silent");
		break;
	case CG_HTTP_TOO_LARGE:
		attempt_failed_with(
			turn, CG_LIMIT, "the model server's answer is too long");
		break;
	case CG_HTTP_POLICY:
	case CG_HTTP_CANCELLED:
		turn_fail(turn, "the address of the model server is not allowed");
		break;
	}
}

static void attempt_start(struct agent_turn *turn)
{
	struct openai *openai = turn->openai;
	const struct cg_secret *key = openai->options->api_key;
	struct cg_http_header headers[] = {
		{"content-type", "application/json"},
		{"accept", "text/event-stream"},
		{"authorization", NULL},
	};
	struct cg_http_request request = {
		.size = sizeof(request),
		.method = "POST",
		.url = openai->urls[turn->failed % openai->url_count],
		.headers = headers,
		.header_count = 2,
		.body = turn->body.bytes,
		.body_length = turn->body.length,
		.reach = CG_REACH_ANY,
		.on_head = on_head,
		.on_data = on_data,
		.on_done = on_done,
		.arg = turn,
	};
	int64_t left_ms = turn->deadline_ms - now_ms(turn);
	struct cg_buffer bearer;
	struct cg_error err = {0};
	enum cg_status status;

	turn->state = TURN_ASKING;
	turn->streamed = false;
	turn->finish = OPENAI_UNFINISHED;
	cg_sse_reset(&turn->sse);
	cg_buffer_clear(&turn->reply);
	request.silence_ms =
		left_ms / 2 < OPENAI_SILENCE_MS ? left_ms / 2 : OPENAI_SILENCE_MS;
	if (request.silence_ms < 1)
		request.silence_ms = 1;
	cg_buffer_init(&bearer, CG_SECRET_MAX + 16);
	if (key != NULL && cg_secret_is_set(key)) {
		cg_buffer_text(&bearer, "Bearer ");
		cg_buffer_add(&bearer, key->bytes, key->length);
		headers[2].value = cg_buffer_string(&bearer);
		request.header_count = 3;
	}
	status = cg_buffer_status(&bearer);
	if (status == CG_OK)
		status = http_client_start(openai->http, &request, &turn->call, &err);
	cg_wipe(bearer.bytes, bearer.length);
	cg_buffer_finish(&bearer);
	if (status != CG_OK)
		attempt_failed_with(turn, status, "the request could not be sent: %s",
			err.text[0] != '\0' ? err.text : cg_status_text(status));
}

static void on_wait(void *arg)
{
	struct agent_turn *turn = arg;

	switch (turn->state) {
	case TURN_WAITING:
		if (turn->openai->plain)
			openai_request_plain(&turn->body);
		attempt_start(turn);
		break;
	case TURN_COMPLETE:
		turn_complete(turn);
		break;
	case TURN_CANCELLED:
		turn_end(turn, AGENT_CANCELLED, "stopped");
		break;
	case TURN_ASKING:
	case TURN_OVER:
		break;
	}
}

static void on_deadline(void *arg)
{
	struct agent_turn *turn = arg;

	if (turn->state == TURN_CANCELLED || turn->state == TURN_COMPLETE)
		return; /* about to end by itself */
	if (turn->shown > 0)
		turn_fail(turn,
			"the model stopped answering in the middle: it took too long");
	else
		turn_fail(turn, "the model gave no answer in time%s%s",
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
	cg_sse_init(&turn->sse, TURN_REPLY, on_frame, turn);
	cg_buffer_init(&turn->reply, TURN_REPLY);
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
	if (turn->state == TURN_OVER || turn->state == TURN_CANCELLED)
		return;
	turn->state = TURN_CANCELLED;
	call_cancel(turn);
	loop_timer_set(&turn->wait, 0);
}
