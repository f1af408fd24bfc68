/* SPDX-License-Identifier: Apache-2.0 */
/* An answer without an end in sight: server-sent events.  Always the last on its connection. */
#include "runtime/http_private.h"

#include <event2/buffer.h>
#include <event2/http.h>

enum cg_status http_request_stream(struct http_request *request, const char *content_type,
	const struct cg_http_header *headers, size_t header_count,
	void (*closed)(void *arg), void *arg)
{
	struct http_server *server;

	if (request->connection == NULL)
		return CG_CLOSED;
	server = request->connection->listener->server;
	if (server->streams >= server->limits.streams)
		return CG_LIMIT;
	server->streams++;
	request->state = HTTP_REQUEST_STREAM;
	request->closed = closed;
	request->closed_arg = arg;
	http_request_put_headers(request, content_type, headers, header_count);
	http_request_close_after(request);
	http_connection_stream(request->connection);
	evhttp_send_reply_start(request->evhttp, 200, NULL);
	return CG_OK;
}

enum cg_status http_request_stream_write(
	struct http_request *request, const void *bytes, size_t length)
{
	struct http_connection *connection = request->connection;
	struct http_server *server;

	if (connection == NULL || connection->killed)
		return CG_CLOSED;
	server = connection->listener->server;
	if (length > server->limits.stream_output ||
		http_connection_output(connection) >
			server->limits.stream_output - length) {
		http_connection_kill(connection);
		return CG_LIMIT;
	}
	if (evbuffer_add(server->scratch, bytes, length) != 0) {
		http_connection_kill(connection);
		return CG_NOMEM;
	}
	evhttp_send_reply_chunk(request->evhttp, server->scratch);
	/* Nothing was taken for HEAD. */
	evbuffer_drain(server->scratch, evbuffer_get_length(server->scratch));
	return CG_OK;
}

void http_request_stream_end(struct http_request *request)
{
	struct http_connection *connection = request->connection;

	if (connection == NULL) {
		loop_undefer(request->loop, &request->close);
		http_request_release(request);
		return;
	}
	connection->listener->server->streams--;
	http_connection_end_stream(connection);
	http_request_expect_sent(request);
	evhttp_send_reply_end(request->evhttp);
}
