/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the Web API, and sends that are one call or a few. */
#include "slack.h"

#include <cowgate/sdk/error.h>
#include <stdio.h>
#include <string.h>

#define BODY_MAX (1u << 17)
#define SEND_TIMEOUT_MS 30000
#define ANSWER_MAX (1u << 20) /* bytes; a page of history is the largest */
#define URL_MAX 1200
#define STEP_BITS 8

void slack_bearer(const struct slack *slack, char ret[SLACK_BEARER])
{
	snprintf(ret, SLACK_BEARER, "Bearer %s", slack->settings.token.bytes);
}

void slack_route(const struct slack *slack, struct cg_http_request *request)
{
	request->size = sizeof(*request);
	request->reach = CG_REACH_ANY;
	request->proxy = slack->settings.proxy.bytes;
	request->ca_file = slack->settings.ca_file;
}

enum cg_status slack_call(struct slack *slack, const struct slack_call *call,
	struct cg_http_call **ret_call, struct cg_error *err)
{
	static const char *const types[] = {
		[SLACK_JSON] = "application/json; charset=utf-8",
		[SLACK_FORM] = "application/x-www-form-urlencoded",
	};
	char bearer[SLACK_BEARER], url[URL_MAX];
	const struct cg_http_header headers[] = {
		{"authorization", bearer},
		{"content-type", types[call->type]},
	};
	struct cg_http_request request = {
		/* A relay's path may be the key to it. */
		.flags = CG_HTTP_SECRET_URL,
		.method = "POST",
		.url = url,
		.headers = headers,
		.header_count = sizeof(headers) / sizeof(*headers),
		.body = call->body == NULL ? NULL : call->body->bytes,
		.body_length = call->body == NULL ? 0 : call->body->length,
		.timeout_ms = call->timeout_ms,
		.response_limit = ANSWER_MAX,
		.on_done = call->done,
		.arg = call->arg,
	};
	enum cg_status status;

	snprintf(url, sizeof(url), "%s/%s", slack->settings.base, call->method);
	slack_route(slack, &request);
	slack_bearer(slack, bearer);
	status = slack->host->http_start(slack->host, &request, ret_call, err);
	cg_wipe(bearer, sizeof(bearer));
	return status;
}

/* ---- The mark of a send ---- */

uint64_t slack_mark(const struct slack *slack, const struct cg_outbound *outbound)
{
	int64_t timeout_ms =
		outbound->timeout_ms > 0 ? outbound->timeout_ms : SEND_TIMEOUT_MS;

	return (uint64_t)(slack->host->mono_ms(slack->host) + timeout_ms) << STEP_BITS;
}

unsigned slack_mark_step(const struct cg_send *send)
{
	return (unsigned)(send->mark & ((1u << STEP_BITS) - 1));
}

int64_t slack_mark_left_ms(const struct cg_send *send)
{
	const struct slack *slack = send->sends->owner;
	int64_t left =
		(int64_t)(send->mark >> STEP_BITS) - slack->host->mono_ms(slack->host);

	return left > 1 ? left : 1;
}

/* ---- Ends ---- */

void slack_not_begun(struct cg_send *send, enum cg_status status, const char *detail)
{
	if (status == CG_INVALID || status == CG_UNSUPPORTED)
		cg_send_refuse(send, detail);
	else
		cg_send_end_later(
			send, &(struct cg_outcome){.size = sizeof(struct cg_outcome),
				      .class = CG_OUTCOME_NOT_DISPATCHED,
				      .retry_after_ms = -1,
				      .detail = detail});
}

void slack_conclude(struct cg_send *send, const struct slack_answer *answer,
	const struct slack_verdict *verdict)
{
	struct slack *slack = send->sends->owner;
	const struct cg_outcome *outcome = &verdict->outcome;
	char detail[CG_ERROR_TEXT];

	if (outcome->class == CG_OUTCOME_REFUSED && outcome->scope == CG_SCOPE_ACCOUNT) {
		snprintf(detail, sizeof(detail), "Slack refuses this app: %s",
			verdict->detail);
		slack_outbound(slack, CG_HEALTH_REFUSED, detail);
	}
	if (send->outbound->kind == CG_OUTBOUND_REACTION &&
		strcmp(answer->error, "missing_scope") == 0)
		slack->marks_refused = true;
	cg_send_end(send, outcome);
}

/* ---- Texts, edits, buttons, answers ---- */

static void answered(void *arg, const struct cg_http_response *response);

/* The step is the dress: first with blocks.  On failure nothing was started. */
static enum cg_status call_for(struct cg_send *send, struct cg_error *err)
{
	struct slack *slack = send->sends->owner;
	struct slack_call call = {
		.type = SLACK_JSON,
		.timeout_ms = slack_mark_left_ms(send),
		.done = answered,
		.arg = send,
	};
	struct cg_buffer body;
	enum cg_status status;

	cg_buffer_init(&body, BODY_MAX);
	status = slack_wire_write(send->outbound,
		slack_mark_step(send) == 0 ? SLACK_BLOCKS : SLACK_PLAIN, &call.method,
		&body, err);
	call.body = &body;
	if (status == CG_OK)
		status = slack_call(slack, &call, &send->call, err);
	cg_buffer_finish(&body);
	return status;
}

static void answered(void *arg, const struct cg_http_response *response)
{
	struct cg_send *send = arg;
	struct slack_verdict verdict;
	struct slack_answer answer;

	send->call = NULL;
	slack_answer_init(&answer, response);
	slack_answer_judge(&answer, response, send->outbound, &verdict);
	/* A definite no: nothing was sent, so the plain text is no repeat. */
	if (verdict.undressed && slack_mark_step(send) == 0) {
		send->mark++;
		if (call_for(send, NULL) == CG_OK) {
			slack_answer_finish(&answer);
			return;
		}
		verdict.outcome.class = CG_OUTCOME_NOT_DISPATCHED;
	}
	slack_conclude(send, &answer, &verdict);
	slack_answer_finish(&answer);
}

/* ---- Marks on a person's message ---- */

static void marked(void *arg, const struct cg_http_response *response);

/* The next step; NOT_FOUND: there is none. */
static enum cg_status mark_next(struct cg_send *send, struct cg_error *err)
{
	struct slack *slack = send->sends->owner;
	struct slack_call call = {
		.type = SLACK_JSON,
		.timeout_ms = slack_mark_left_ms(send),
		.done = marked,
		.arg = send,
	};
	struct cg_buffer body;
	enum cg_status status = CG_NOT_FOUND;

	cg_buffer_init(&body, BODY_MAX);
	call.body = &body;
	if (slack_wire_write_reaction(
		    send->outbound, slack_mark_step(send), &call.method, &body))
		status = slack_call(slack, &call, &send->call, err);
	cg_buffer_finish(&body);
	return status;
}

static void marked(void *arg, const struct cg_http_response *response)
{
	struct cg_send *send = arg;
	struct slack_verdict verdict;
	struct slack_answer answer;

	send->call = NULL;
	slack_answer_init(&answer, response);
	slack_answer_judge(&answer, response, send->outbound, &verdict);
	if (verdict.outcome.class == CG_OUTCOME_SENT) {
		send->mark++;
		if (mark_next(send, NULL) == CG_OK) {
			slack_answer_finish(&answer);
			return;
		}
	}
	slack_conclude(send, &answer, &verdict);
	slack_answer_finish(&answer);
}

static enum cg_status mark_first(struct cg_send *send, struct cg_error *err)
{
	const struct slack *slack = send->sends->owner;
	const struct cg_target *target = &send->outbound->target;

	if (cg_text_blank(target->chat_id) || cg_text_blank(target->message_id))
		return cg_error_set(
			err, CG_INVALID, "a mark needs the message that it is set on");
	if (slack->marks_refused)
		return cg_error_set(
			err, CG_UNSUPPORTED, "the app lacks the scope reactions:write");
	return mark_next(send, err);
}

void slack_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	struct slack *slack = self;
	struct cg_send *send = cg_send_open(&slack->sends, outbound, done, arg);
	struct cg_error err = {.text = ""};
	enum cg_status status;

	send->mark = slack_mark(slack, outbound);
	if (outbound->kind == CG_OUTBOUND_FILE) {
		slack_upload(send);
		return;
	}
	/* That Slack's own request was answered has stopped its waiting: words alone are left. */
	if (outbound->kind == CG_OUTBOUND_ANSWER && cg_text_blank(outbound->text) &&
		!cg_text_blank(outbound->interaction_id)) {
		cg_send_end_later(
			send, &(struct cg_outcome){.size = sizeof(struct cg_outcome),
				      .class = CG_OUTCOME_SENT,
				      .retry_after_ms = -1});
		return;
	}
	status = outbound->kind == CG_OUTBOUND_REACTION ? mark_first(send, &err)
							: call_for(send, &err);
	if (status != CG_OK)
		slack_not_begun(send, status, err.text);
}
