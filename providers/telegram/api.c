/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the Bot API, and sends. */
#include "telegram.h"

#include <cowgate/sdk/error.h>
#include <stdio.h>
#include <string.h>

#define BODY_MAX (1u << 18)
#define SEND_TIMEOUT_MS 30000

/* What send->mark counts: attempts of one send inside itself. */
enum {
	FORMATTED,
	PLAIN,
};

enum cg_status telegram_call(struct telegram *telegram, const struct telegram_call *call,
	struct cg_http_call **ret_call, struct cg_error *err)
{
	static const struct cg_http_header json = {"content-type", "application/json"};
	const struct cg_host *host = telegram->host;
	char url[CG_SECRET_MAX + 64];
	struct cg_http_request request = {
		.size = sizeof(request),
		.flags = CG_HTTP_SECRET_URL | (call->poll ? CG_HTTP_OWN_CONNECTION : 0u),
		.method = "POST",
		.url = url,
		.headers = &json,
		.header_count = call->body != NULL,
		.body = call->body == NULL ? NULL : call->body->bytes,
		.body_length = call->body == NULL ? 0 : call->body->length,
		.timeout_ms = call->timeout_ms,
		.response_limit = call->response_limit,
		.reach = CG_REACH_ANY,
		.pool = call->poll ? host->instance_id : NULL,
		.on_done = call->done,
		.arg = call->arg,
	};
	enum cg_status status;

	snprintf(url, sizeof(url), "%s%s", telegram->settings.base.bytes, call->method);
	status = host->http_start(host, &request, ret_call, err);
	cg_wipe(url, sizeof(url));
	return status;
}

static void answered(void *arg, const struct cg_http_response *response);

/* On failure nothing was started. */
static enum cg_status call_for(struct cg_send *send, struct cg_error *err)
{
	struct telegram *telegram = send->sends->owner;
	struct telegram_call call = {
		.timeout_ms = send->outbound->timeout_ms > 0 ? send->outbound->timeout_ms
							     : SEND_TIMEOUT_MS,
		.done = answered,
		.arg = send,
	};
	struct cg_buffer body;
	enum cg_status status;

	cg_buffer_init(&body, BODY_MAX);
	status = telegram_wire_write(
		send->outbound, send->mark == PLAIN, &call.method, &body, err);
	call.body = &body;
	if (status == CG_OK)
		status = telegram_call(telegram, &call, &send->call, err);
	cg_buffer_finish(&body);
	return status;
}

/* The description, unless it repeats the token. */
static const char *safe_detail(
	const struct telegram *telegram, const char *detail, char *room, size_t size)
{
	if (detail == NULL || strstr(detail, telegram->settings.token.bytes) != NULL)
		return NULL;
	cg_text_copy(room, size, detail);
	return room;
}

static void answered_whole(struct cg_send *send, const struct cg_http_response *response)
{
	struct telegram *telegram = send->sends->owner;
	struct telegram_verdict verdict;
	struct telegram_answer answer;
	char detail[CG_ERROR_TEXT];

	telegram_answer_init(&answer, response);
	telegram_answer_judge(&answer, send->outbound, &verdict);
	/* A definite no: nothing was sent, so the plain text is no repeat. */
	if (verdict.formatting && send->mark == FORMATTED) {
		send->mark = PLAIN;
		send->call = NULL;
		if (call_for(send, NULL) == CG_OK) {
			telegram_answer_finish(&answer);
			return;
		}
		verdict.outcome.class = CG_OUTCOME_NOT_DISPATCHED;
	}
	verdict.outcome.detail =
		safe_detail(telegram, verdict.outcome.detail, detail, sizeof(detail));
	if (verdict.outcome.class == CG_OUTCOME_REFUSED &&
		verdict.outcome.scope == CG_SCOPE_ACCOUNT)
		telegram_health(telegram, telegram->inbound, CG_HEALTH_REFUSED,
			"Telegram does not know this bot's token");
	cg_send_end(send, &verdict.outcome);
	telegram_answer_finish(&answer);
}

static void answered(void *arg, const struct cg_http_response *response)
{
	struct cg_send *send = arg;
	struct cg_outcome outcome;

	if (response->result == CG_HTTP_DONE) {
		answered_whole(send, response);
		return;
	}
	cg_outcome_of_http(response, &outcome);
	cg_send_end(send, &outcome);
}

void telegram_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	struct telegram *telegram = self;
	struct cg_send *send = cg_send_open(&telegram->sends, outbound, done, arg);
	struct cg_error err = {.text = ""};
	enum cg_status status = call_for(send, &err);

	if (status == CG_INVALID || status == CG_UNSUPPORTED)
		cg_send_refuse(send, err.text);
	else if (status != CG_OK)
		cg_send_end_later(
			send, &(struct cg_outcome){.size = sizeof(struct cg_outcome),
				      .class = CG_OUTCOME_NOT_DISPATCHED,
				      .retry_after_ms = -1,
				      .detail = err.text});
}
