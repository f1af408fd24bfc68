/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: gate, phase and deadline beside evhttp.
 *
 * evhttp has no hook for a new connection's bytes, no total deadline, and tells of a dead
 * connection only once a close callback could be set, which needs a request.  So the
 * bufferevent is made here and its input is tapped: the gate sees bytes before evhttp parses
 * them, and drops them in place when it refuses.  Until a first request the sweep notices by
 * polling that evhttp has freed its side; the reference held here keeps that safe.
 */
#include "runtime/http_private.h"
#include "runtime/platform.h"
#include "runtime/tls.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int64_t now_ms(const struct http_server *server)
{
	return clock_mono(loop_clock(server->loop));
}

static struct http_server *server_of(const struct http_connection *connection)
{
	return connection->listener->server;
}

static void set_deadline(struct http_connection *connection, int64_t deadline)
{
	connection->deadline = deadline;
	http_server_arm(server_of(connection), deadline);
}

static struct http_connection_list *bucket_of(
	const struct http_server *server, const struct bufferevent *event)
{
	uint64_t hash = (uint64_t)(uintptr_t)event * UINT64_C(0x9e3779b97f4a7c15);

	return &server->buckets[(hash >> 32) & (server->bucket_count - 1)];
}

size_t http_connection_output(const struct http_connection *connection)
{
	return evbuffer_get_length(bufferevent_get_output(connection->event));
}

static void drain_input(struct http_connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->event);

	evbuffer_drain(input, evbuffer_get_length(input));
}

/*
 * Tell the client why and end the connection.  The output is empty here (the last answer was
 * flushed), so the bytes go straight to the socket, past evhttp, which would send an HTML page
 * or nothing.  Reading goes on for a moment: closing with bytes unread would reset the
 * connection under the answer.
 */
static void answer_refusal(void *arg)
{
	struct http_connection *connection = arg;
	struct http_server *server = server_of(connection);
	const struct http_gate *gate = &connection->gate;
	const char *phrase = http_reason(gate->status);
	int fd = bufferevent_getfd(connection->event);
	char date[50], text[512], body[128];
	int length;

	if (fd < 0 || http_connection_output(connection) > 0) {
		http_connection_kill(connection);
		return;
	}
	snprintf(body, sizeof(body), "{\"ok\":false,\"error\":\"%s\"}", gate->reason);
	evutil_date_rfc1123(date, sizeof(date), NULL);
	length = snprintf(text, sizeof(text),
		"HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: application/json; "
		"charset=utf-8\r\n"
		"Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		gate->status, phrase, date, strlen(body), body);
	if (connection->listener->tls != NULL)
		http_tls_send_last(connection->event, text, (size_t)length);
	else if (write(fd, text, (size_t)length) < 0)
		http_connection_kill(connection);
	shutdown(fd, SHUT_WR);
	set_deadline(connection, now_ms(server) + HTTP_LINGER_MS);
}

/* The gate has refused, and nothing of this connection is in a handler's hands any more. */
static void refuse(struct http_connection *connection)
{
	connection->phase = HTTP_PHASE_REFUSED;
	drain_input(connection);
	set_deadline(connection, HTTP_NEVER);
	loop_defer(server_of(connection)->loop, &connection->refuse);
}

/* Set the deadline that belongs to how far the request has come in. */
static void follow_gate(struct http_connection *connection, enum http_gate_state before)
{
	const struct http_server_limits *limits = &server_of(connection)->limits;
	const struct http_gate *gate = &connection->gate;

	if (before == HTTP_GATE_START)
		connection->first_byte = now_ms(server_of(connection));
	if (gate->state == HTTP_GATE_HEAD && before != HTTP_GATE_HEAD)
		set_deadline(connection, connection->first_byte + limits->header_ms);
	else if (gate->state >= HTTP_GATE_BODY && before < HTTP_GATE_BODY)
		set_deadline(connection, connection->first_byte + limits->request_ms);
}

/* Show the gate the input from @offset on, up to the end of one request. */
static void scan(struct http_connection *connection, size_t offset)
{
	struct evbuffer *input = bufferevent_get_input(connection->event);
	size_t length = evbuffer_get_length(input);
	struct http_gate *gate = &connection->gate;

	while (offset < length && gate->state < HTTP_GATE_COMPLETE) {
		struct evbuffer_iovec pieces[4];
		struct evbuffer_ptr at;
		int count;

		if (evbuffer_ptr_set(input, &at, offset, EVBUFFER_PTR_SET) != 0)
			return;
		count = evbuffer_peek(input, -1, &at, pieces, 4);
		if (count <= 0)
			return;
		for (int i = 0; i < count && i < 4; i++) {
			size_t used;

			http_gate_feed(
				gate, pieces[i].iov_base, pieces[i].iov_len, &used);
			offset += used;
		}
	}
}

/* Bytes have come in.  evhttp gets to see them after this. */
static void tapped(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct http_connection *connection = arg;
	enum http_gate_state before = connection->gate.state;

	if (info->n_added == 0)
		return;
	if (connection->phase >= HTTP_PHASE_STREAM) {
		drain_input(connection);
		return;
	}
	/* What follows a whole request is scanned when that one is answered. */
	if (before >= HTTP_GATE_COMPLETE || connection->phase == HTTP_PHASE_HANDLER)
		return;
	scan(connection, evbuffer_get_length(input) - info->n_added);
	if (connection->phase != HTTP_PHASE_READING) {
		if (connection->gate.state == HTTP_GATE_REFUSED)
			drain_input(connection); /* refused once the answer is out */
	} else if (connection->gate.state == HTTP_GATE_REFUSED) {
		refuse(connection);
	} else {
		follow_gate(connection, before);
	}
}

static void count(struct http_connection *connection, int change)
{
	struct http_server *server = server_of(connection);
	size_t *counter = connection->listener->unix_path != NULL
				  ? &server->unix_connections
				  : &server->tcp_connections;

	*counter = change > 0 ? *counter + 1 : *counter - 1;
	http_server_balance(server);
}

struct bufferevent *http_connection_accept(struct event_base *base, void *arg)
{
	struct http_listener *listener = arg;
	struct http_server *server = listener->server;
	struct http_gate_limits limits = {
		server->limits.body, server->limits.headers, server->limits.header_count};
	struct http_connection *connection = calloc(1, sizeof(*connection));
	struct bufferevent *event = NULL;

	if (connection == NULL)
		goto fail;
	/* The descriptor must live until the last reference is gone, or its number could be
	 * reused while libevent still watches it. */
	event = listener->tls != NULL
			? http_tls_accept(listener->tls, base)
			: bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (event == NULL)
		goto fail;
	connection->tap =
		evbuffer_add_cb(bufferevent_get_input(event), tapped, connection);
	if (connection->tap == NULL)
		goto fail;
	/* evhttp goes on reading while an answer is written; this bounds what it keeps. */
	bufferevent_setwatermark(event, EV_READ, 0, limits.body + limits.headers + 65536);
	bufferevent_incref(event);
	connection->listener = listener;
	connection->event = event;
	connection->peer_uid = -1;
	http_gate_init(&connection->gate, &limits);
	loop_task_init(&connection->refuse, answer_refusal, connection);
	LIST_INSERT_HEAD(&server->connections, connection, all);
	LIST_INSERT_HEAD(bucket_of(server, event), connection, bucket);
	set_deadline(connection, now_ms(server) + server->limits.header_ms);
	count(connection, 1);
	http_server_watch(server);
	return event;

fail:
	if (event != NULL)
		bufferevent_free(event);
	free(connection);
	/* evhttp makes one of its own then, and http_request_dispatch() refuses what it brings. */
	return NULL;
}

void http_connection_drop(struct http_connection *connection)
{
	struct http_server *server = server_of(connection);

	if (connection->request != NULL)
		http_request_orphan(connection->request, server);
	loop_undefer(server->loop, &connection->refuse);
	evbuffer_remove_cb_entry(
		bufferevent_get_input(connection->event), connection->tap);
	LIST_REMOVE(connection, all);
	LIST_REMOVE(connection, bucket);
	bufferevent_decref(connection->event);
	count(connection, -1);
	free(connection);
}

static void closed(struct evhttp_connection *evhttp, void *arg)
{
	(void)evhttp;
	http_connection_drop(arg);
}

bool http_connection_is_gone(const struct http_connection *connection)
{
	bufferevent_data_cb read_cb, write_cb;
	bufferevent_event_cb event_cb;
	void *arg;

	bufferevent_getcb(connection->event, &read_cb, &write_cb, &event_cb, &arg);
	return read_cb == NULL && write_cb == NULL && event_cb == NULL;
}

/* The first request: the socket and evhttp's side are known from now on. */
static void introduce(
	struct http_connection *connection, struct evhttp_connection *evhttp)
{
	int fd = bufferevent_getfd(connection->event);

	connection->evhttp = evhttp;
	evhttp_connection_set_closecb(evhttp, closed, connection);
	if (connection->listener->unix_path != NULL) {
		connection->peer_uid = platform_peer_uid(fd);
	} else {
		/* Not every system lets an accepted socket inherit this. */
		int on = 1;

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	}
}

struct http_connection *http_connection_of(
	struct http_listener *listener, struct evhttp_request *request)
{
	struct evhttp_connection *evhttp = evhttp_request_get_connection(request);
	struct bufferevent *event = evhttp_connection_get_bufferevent(evhttp);
	struct http_connection *connection;

	LIST_FOREACH (connection, bucket_of(listener->server, event), bucket) {
		if (connection->event == event)
			break;
	}
	if (connection == NULL)
		return NULL;
	if (connection->evhttp == NULL)
		introduce(connection, evhttp);
	connection->phase = HTTP_PHASE_HANDLER;
	connection->deadline = HTTP_NEVER;
	return connection;
}

bool http_connection_answer(struct http_connection *connection)
{
	struct http_server *server = server_of(connection);
	bool disagreed = connection->gate.state != HTTP_GATE_COMPLETE;

	/* evhttp has taken exactly this request; what it left is the beginning of the next. */
	http_gate_reset(&connection->gate);
	scan(connection, 0);
	connection->phase = HTTP_PHASE_WRITING;
	connection->owed = SIZE_MAX;
	set_deadline(connection, now_ms(server) + server->limits.request_ms);
	return !disagreed && !server->paused;
}

void http_connection_sent(struct http_connection *connection)
{
	struct http_server *server = server_of(connection);

	connection->request = NULL;
	connection->phase = HTTP_PHASE_READING;
	if (connection->gate.state == HTTP_GATE_REFUSED) {
		refuse(connection);
	} else if (connection->gate.state == HTTP_GATE_START) {
		set_deadline(connection, now_ms(server) + server->limits.idle_ms);
	} else {
		connection->deadline = HTTP_NEVER;
		follow_gate(connection, HTTP_GATE_START);
	}
}

void http_connection_stream(struct http_connection *connection)
{
	connection->phase = HTTP_PHASE_STREAM;
	drain_input(connection);
}

void http_connection_end_stream(struct http_connection *connection)
{
	struct http_server *server = server_of(connection);

	connection->owed = SIZE_MAX;
	set_deadline(connection, now_ms(server) + server->limits.request_ms);
}

void http_connection_kill(struct http_connection *connection)
{
	int fd = bufferevent_getfd(connection->event);

	connection->killed = true;
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
	set_deadline(connection, now_ms(server_of(connection)) + HTTP_LINGER_MS);
}

/* What is left of an answer is fixed, so a reader that keeps the pace comes to its end. */
static bool keeps_pace(const struct http_connection *connection, size_t output)
{
	const struct http_server_limits *limits = &server_of(connection)->limits;
	size_t due = limits->pace * (size_t)limits->request_ms / 1000;

	return output < connection->owed && connection->owed - output >= due;
}

void http_connection_expire(struct http_connection *connection, int64_t now)
{
	struct http_gate *gate = &connection->gate;
	size_t output = http_connection_output(connection);

	if (!connection->killed && keeps_pace(connection, output) &&
		(connection->phase == HTTP_PHASE_WRITING ||
			connection->phase == HTTP_PHASE_STREAM)) {
		connection->owed = output;
		connection->deadline = now + server_of(connection)->limits.request_ms;
	} else if (connection->phase == HTTP_PHASE_READING && !connection->killed &&
		   (gate->state == HTTP_GATE_HEAD || gate->state == HTTP_GATE_BODY)) {
		gate->state = HTTP_GATE_REFUSED;
		gate->status = 408;
		gate->reason = "request took too long";
		refuse(connection);
	} else {
		http_connection_kill(connection);
	}
}
