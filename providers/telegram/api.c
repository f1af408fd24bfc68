/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the Bot API. */
#include "telegram.h"

#include <stdio.h>

void telegram_request_init(
	const struct telegram *telegram, struct cg_http_request *request)
{
	const struct telegram_settings *settings = &telegram->settings;

	*request = (struct cg_http_request){
		.size = sizeof(*request),
		.flags = CG_HTTP_SECRET_URL,
		.reach = CG_REACH_ANY,
		.proxy = settings->proxy.bytes,
		.ca_file = settings->ca_file[0] == '\0' ? NULL : settings->ca_file,
	};
}

static void add_body(const struct telegram_call *call, struct cg_http_header *type,
	struct cg_http_request *request)
{
	*type = (struct cg_http_header){"content-type",
		call->content_type != NULL ? call->content_type : "application/json"};
	request->headers = type;
	request->header_count = 1;
	request->body = call->body->bytes;
	request->body_length = call->body->length;
	request->body_file = call->file;
	if (call->tail != NULL) {
		request->body_tail = call->tail->bytes;
		request->body_tail_length = call->tail->length;
	}
}

enum cg_status telegram_call(struct telegram *telegram, const struct telegram_call *call,
	struct cg_http_call **ret_call, struct cg_error *err)
{
	const struct cg_host *host = telegram->host;
	char url[CG_SECRET_MAX + 64];
	struct cg_http_header type;
	struct cg_http_request request;
	enum cg_status status;

	telegram_request_init(telegram, &request);
	if (call->poll) {
		request.flags |= CG_HTTP_OWN_CONNECTION;
		request.pool = host->instance_id;
	}
	if (call->idempotent)
		request.flags |= CG_HTTP_IDEMPOTENT;
	request.method = "POST";
	request.url = url;
	request.timeout_ms = call->timeout_ms;
	request.response_limit = call->response_limit;
	request.on_done = call->done;
	request.arg = call->arg;
	if (call->body != NULL)
		add_body(call, &type, &request);
	snprintf(url, sizeof(url), "%s%s", telegram->settings.base.bytes, call->method);
	status = host->http_start(host, &request, ret_call, err);
	cg_wipe(url, sizeof(url));
	return status;
}
