/* SPDX-License-Identifier: Apache-2.0 */
/* One request of a turn: what is sent, and what the server's answer means for the turn. */
#include "control-plane/agents/openai_turn.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#define ATTEMPT_DETAIL 160 /* bytes of a server's own words that are passed on */

/* It is over without a whole answer. */
static void attempt_failed(struct agent_turn *turn, enum cg_status status,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

static void attempt_failed(
	struct agent_turn *turn, enum cg_status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	cg_error_vset(&turn->why, status, format, args);
	va_end(args);
	openai_turn_try_again(turn, -1);
}

/* Words of the server for the person: short, clean, and never the key. */
static void quote(
	const struct agent_turn *turn, const char *text, char ret[ATTEMPT_DETAIL])
{
	const struct cg_secret *key = turn->openai->options->api_key;

	ret[0] = '\0';
	if (text == NULL || (key != NULL && cg_secret_is_set(key) &&
				    strstr(text, key->bytes) != NULL))
		return;
	cg_text_copy(ret, ATTEMPT_DETAIL, text);
}

/* The server says no, with a status of its own or inside a stream. */
static void attempt_refused(
	struct agent_turn *turn, int64_t status, const char *text, int64_t retry_after_ms)
{
	char detail[ATTEMPT_DETAIL];

	quote(turn, text, detail);
	if (openai_refusal(status, turn->openai->options->model, detail, &turn->why)) {
		openai_turn_try_again(turn, retry_after_ms);
		return;
	}
	if (turn->why.status != CG_INVALID)
		turn->openai->health = turn->why;
	openai_turn_fail(turn, "%s", turn->why.text);
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
		openai_turn_fail(turn, "the model's answer is longer than 1 MiB");
		return false;
	}
	if (chunk.text != NULL)
		openai_turn_show(turn, chunk.text, chunk.length);
	return turn->state == OPENAI_ASKING;
}

bool openai_attempt_frame(void *arg, const struct cg_sse_event *frame)
{
	struct agent_turn *turn = arg;
	struct json_object *json = NULL;
	bool more;

	if (strcmp(frame->data, "[DONE]") == 0) {
		turn->state = OPENAI_COMPLETE;
		loop_timer_set(&turn->wait, OPENAI_LINGER_MS);
		return false;
	}
	if (cg_json_parse(frame->data, frame->length, &json, NULL) != CG_OK ||
		!cg_json_is_object(json)) {
		cg_json_free(json);
		attempt_failed(turn, CG_PROTOCOL, "the model's answer makes no sense");
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

	if (turn->state == OPENAI_COMPLETE)
		return true;
	if (!turn->streamed) {
		if (cg_buffer_add(&turn->reply, data, length) == CG_OK)
			return true;
		openai_turn_fail(turn, "the model's answer is too long");
		return false;
	}
	status = cg_sse_feed(&turn->sse, data, length);
	if (status == CG_OK || turn->state == OPENAI_COMPLETE)
		return true;
	/* What stopped the feed has dealt with the turn, unless it was the parser itself. */
	if (turn->state == OPENAI_ASKING)
		attempt_failed(turn, status, "the model's answer makes no sense");
	return false;
}

static void on_head(void *arg, const struct cg_http_response *head)
{
	static const char type[] = "text/event-stream";
	struct agent_turn *turn = arg;

	turn->begun |= head->status >= 200 && head->status <= 299;
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
		attempt_failed(turn, CG_PROTOCOL, "the model's answer makes no sense");
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
	turn->state = OPENAI_WAITING;
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
		attempt_failed(
			turn, CG_NETWORK, "the model server ended its answer too early");
	} else {
		openai_turn_complete(turn);
	}
}

static void on_done(void *arg, const struct cg_http_response *response)
{
	struct agent_turn *turn = arg;

	turn->call = NULL;
	if (turn->state == OPENAI_COMPLETE) {
		openai_turn_complete(turn);
		return;
	}
	switch (response->result) {
	case CG_HTTP_DONE:
		on_answer(turn, response);
		break;
	case CG_HTTP_NOT_DISPATCHED:
		attempt_failed(turn, CG_NETWORK, "the model server cannot be reached: %s",
			response->error);
		break;
	case CG_HTTP_NO_ANSWER:
		attempt_failed(
			turn, CG_NETWORK, "the connection to the model server broke");
		break;
	case CG_HTTP_TIMED_OUT:
		attempt_failed(turn, CG_TIMEOUT, "the model server fell silent");
		break;
	case CG_HTTP_TOO_LARGE:
		attempt_failed(turn, CG_LIMIT, "the model server's answer is too long");
		break;
	case CG_HTTP_POLICY:
	case CG_HTTP_CANCELLED:
		openai_turn_fail(turn, "the address of the model server is not allowed");
		break;
	}
}

void openai_attempt_start(struct agent_turn *turn)
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
	int64_t left_ms = turn->deadline_ms - clock_mono(loop_clock(openai->loop));
	struct cg_buffer bearer;
	struct cg_error err = {0};
	enum cg_status status;

	turn->state = OPENAI_ASKING;
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
		attempt_failed(turn, status, "the request could not be sent: %s",
			err.text[0] != '\0' ? err.text : cg_status_text(status));
}
