/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request, from the handler's first look to the last byte of its answer.
 *
 * evhttp frees a request with its connection, at moments that a handler cannot know.  So each
 * one is taken over (evhttp_request_own) when it is dispatched.  From then on evhttp frees it
 * in one case only, when the answer is out; in every other it is freed here: at the answer
 * when the client had gone before, on a later turn when it went while the answer was written.
 */
#include "runtime/http_private.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/json.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	enum evhttp_cmd_type type;
	const char *name;
} methods[] = {
	{EVHTTP_REQ_GET, "GET"},
	{EVHTTP_REQ_POST, "POST"},
	{EVHTTP_REQ_HEAD, "HEAD"},
	{EVHTTP_REQ_PUT, "PUT"},
	{EVHTTP_REQ_PATCH, "PATCH"},
	{EVHTTP_REQ_DELETE, "DELETE"},
	{EVHTTP_REQ_OPTIONS, "OPTIONS"},
};

const char *http_reason(int status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 408:
		return "Request Timeout";
	case 413:
		return "Content Too Large";
	case 417:
		return "Expectation Failed";
	case 422:
		return "Unprocessable Content";
	case 425:
		return "Too Early";
	case 428:
		return "Precondition Required";
	case 429:
		return "Too Many Requests";
	case 431:
		return "Request Header Fields Too Large";
	case 501:
		return "Not Implemented";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return NULL;
	}
}

/* "::ffff:192.0.2.1" is an IPv4 client on a dual-stack socket: one client, one spelling. */
static void copy_peer(struct http_request *request, struct evhttp_connection *connection)
{
	static const char mapped[] = "::ffff:";
	char *address = NULL;
	ev_uint16_t port;

	evhttp_connection_get_peer(connection, &address, &port);
	if (address == NULL)
		return;
	if (strncasecmp(address, mapped, sizeof(mapped) - 1) == 0 &&
		strchr(address, '.') != NULL)
		address += sizeof(mapped) - 1;
	snprintf(request->peer, sizeof(request->peer), "%s", address);
}

static void run_closed(void *arg)
{
	struct http_request *request = arg;
	void (*tell)(void *) = request->closed;
	void *tell_arg = request->closed_arg;

	http_request_release(request);
	tell(tell_arg);
}

void http_request_dispatch(struct evhttp_request *evhttp, void *arg)
{
	struct http_listener *listener = arg;
	struct http_server *server = listener->server;
	struct http_connection *connection = http_connection_of(listener, evhttp);
	struct http_request *request = calloc(1, sizeof(*request));
	struct evbuffer *body = evhttp_request_get_input_buffer(evhttp);

	if (connection == NULL || request == NULL) {
		free(request);
		evhttp_send_error(evhttp, 503, NULL);
		return;
	}
	evhttp_request_own(evhttp);
	request->evhttp = evhttp;
	request->connection = connection;
	request->loop = server->loop;
	request->peer_uid = connection->peer_uid;
	request->is_unix = listener->unix_path != NULL;
	loop_task_init(&request->close, run_closed, request);
	if (!request->is_unix)
		copy_peer(request, evhttp_request_get_connection(evhttp));
	connection->request = request;

	/* Should evhttp ever see the end of a request elsewhere than the gate, stop here. */
	if (connection->gate.state != HTTP_GATE_COMPLETE ||
		evbuffer_get_length(body) != connection->gate.body)
		http_request_fail(request, 400, "malformed request", -1);
	else if (connection->gate.body > 0 && evbuffer_pullup(body, -1) == NULL)
		http_request_fail(request, 503, "out of memory", -1);
	else
		server->handler(server->arg, request);
}

void http_request_release(struct http_request *request)
{
	if (request->evhttp != NULL)
		evhttp_request_free(request->evhttp);
	free(request);
}

void http_request_orphan(struct http_request *request, struct http_server *server)
{
	request->connection = NULL;
	switch (request->state) {
	case HTTP_REQUEST_OPEN:
		break;
	case HTTP_REQUEST_STREAM:
		server->streams--;
		loop_defer(request->loop, &request->close);
		break;
	case HTTP_REQUEST_SENT:
		/* evhttp is still about to unlink it. */
		LIST_INSERT_HEAD(&server->doomed, request, doomed);
		loop_defer(server->loop, &server->bury);
		break;
	}
}

/* evhttp has written the answer, and frees its request after this. */
static void sent(struct evhttp_request *evhttp, void *arg)
{
	struct http_request *request = arg;

	(void)evhttp;
	http_connection_sent(request->connection);
	free(request);
}

void http_request_expect_sent(struct http_request *request)
{
	request->state = HTTP_REQUEST_SENT;
	evhttp_request_set_on_complete_cb(request->evhttp, sent, request);
}

/* Reading. */

const char *http_request_method(const struct http_request *request)
{
	enum evhttp_cmd_type type = evhttp_request_get_command(request->evhttp);

	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		if (methods[i].type == type)
			return methods[i].name;
	}
	return ""; /* the gate lets no other through */
}

const char *http_request_path(const struct http_request *request)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request->evhttp);
	const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;

	return path != NULL ? path : "";
}

const char *http_request_query(const struct http_request *request)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request->evhttp);
	const char *query = uri != NULL ? evhttp_uri_get_query(uri) : NULL;

	return query != NULL ? query : "";
}

const char *http_request_header(const struct http_request *request, const char *name)
{
	return evhttp_find_header(
		evhttp_request_get_input_headers(request->evhttp), name);
}

const void *http_request_body(const struct http_request *request, size_t *ret_length)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(request->evhttp);

	/* In one piece since it was dispatched. */
	*ret_length = evbuffer_get_length(input);
	return *ret_length > 0 ? (const void *)evbuffer_pullup(input, -1) : "";
}

bool http_request_is_unix(const struct http_request *request)
{
	return request->is_unix;
}

const char *http_request_peer(const struct http_request *request)
{
	return request->peer;
}

int64_t http_request_peer_uid(const struct http_request *request)
{
	return request->peer_uid;
}

bool http_request_is_open(const struct http_request *request)
{
	return request->connection != NULL && !request->connection->killed;
}

void *http_request_data(const struct http_request *request)
{
	return request->data;
}

void http_request_set_data(struct http_request *request, void *data)
{
	request->data = data;
}

/* Answering. */

/* Framing and the fate of the connection are the server's business. */
static bool is_ours(const char *name)
{
	return strcasecmp(name, "Content-Length") == 0 ||
	       strcasecmp(name, "Connection") == 0 ||
	       strcasecmp(name, "Transfer-Encoding") == 0;
}

void http_request_put_headers(struct http_request *request, const char *content_type,
	const struct cg_http_header *headers, size_t count)
{
	struct evkeyvalq *output = evhttp_request_get_output_headers(request->evhttp);

	if (content_type == NULL)
		content_type = "application/json; charset=utf-8";
	evhttp_add_header(output, "Content-Type", content_type);
	for (size_t i = 0; i < count; i++) {
		/* evhttp itself refuses line ends in a value. */
		if (http_gate_token(headers[i].name) && !is_ours(headers[i].name))
			evhttp_add_header(output, headers[i].name, headers[i].value);
	}
}

void http_request_close_after(struct http_request *request)
{
	/* An HTTP/1.0 client's wish to keep the connection would outvote ours. */
	evhttp_remove_header(
		evhttp_request_get_input_headers(request->evhttp), "Connection");
	evhttp_add_header(evhttp_request_get_output_headers(request->evhttp),
		"Connection", "close");
}

static bool has_body(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

void http_request_reply(struct http_request *request, const struct http_reply *reply)
{
	struct evhttp_request *evhttp = request->evhttp;
	bool is_head = evhttp_request_get_command(evhttp) == EVHTTP_REQ_HEAD;

	if (request->connection == NULL) {
		http_request_release(request);
		return;
	}
	http_request_put_headers(
		request, reply->content_type, reply->headers, reply->header_count);
	if (is_head && has_body(reply->status)) {
		char length[24];

		snprintf(length, sizeof(length), "%zu", reply->length);
		evhttp_add_header(evhttp_request_get_output_headers(evhttp),
			"Content-Length", length);
	} else if (has_body(reply->status) && reply->length > 0 &&
		   evbuffer_add(evhttp_request_get_output_buffer(evhttp), reply->body,
			   reply->length) != 0) {
		/* Without memory for the answer there is none. */
		http_connection_kill(request->connection);
	}
	if (!http_connection_answer(request->connection))
		http_request_close_after(request);
	http_request_expect_sent(request);
	evhttp_send_reply(evhttp, reply->status, http_reason(reply->status), NULL);
}

void http_request_fail(struct http_request *request, int status, const char *text,
	int64_t retry_after_ms)
{
	struct http_reply reply = {.status = status};
	struct cg_http_header retry = {"Retry-After", NULL};
	struct cg_buffer body;
	char seconds[24];

	cg_buffer_init(&body, 64 * 1024);
	cg_buffer_text(&body, "{\"ok\":false,\"error\":");
	cg_json_write_string(&body, text, strlen(text));
	cg_buffer_char(&body, '}');
	if (cg_buffer_status(&body) == CG_OK) {
		reply.body = body.bytes;
		reply.length = body.length;
	} else {
		reply.body = "{\"ok\":false}";
		reply.length = strlen(reply.body);
	}
	if (retry_after_ms >= 0) {
		snprintf(seconds, sizeof(seconds), "%lld",
			(long long)(retry_after_ms / 1000 + (retry_after_ms % 1000 > 0)));
		retry.value = seconds;
		reply.headers = &retry;
		reply.header_count = 1;
	}
	http_request_reply(request, &reply);
	cg_buffer_finish(&body);
}
