/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server as a whole: its listeners, its counts, and the sweep over deadlines.
 *
 * The sweep's timer is armed for the earliest deadline, only while there are connections, and
 * is moved only to fire earlier: a deadline that was extended in the meantime costs one look
 * when the old one comes.  So the hot path compares two numbers and touches no timer.
 */
#include "runtime/http_private.h"

#include <cowgate/sdk/error.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <unistd.h>

/* Distance between two sweeps, however close deadlines lie. */
#define SWEEP_MIN_MS 20
/* How often to look for connections that died before their first request, and to try to accept
 * again after a failure.  Sooner while such a connection may hold somebody's place. */
#define LOOK_MS 1000

const struct http_server_limits http_server_defaults = {
	.body = 1024 * 1024,
	.headers = 16 * 1024,
	.header_count = 64,
	.connections = 1024,
	.header_ms = 15000,
	.request_ms = 30000,
	.pace = 1024,
	.idle_ms = 10000,
	.stream_output = 1024 * 1024,
	.streams = 64,
};

static int64_t now_ms(const struct http_server *server)
{
	return clock_mono(loop_clock(server->loop));
}

void http_server_arm(struct http_server *server, int64_t deadline)
{
	int64_t delay;

	if (deadline >= server->sweep_at)
		return;
	server->sweep_at = deadline;
	delay = deadline - now_ms(server);
	loop_timer_set(&server->sweep, delay > SWEEP_MIN_MS ? delay : SWEEP_MIN_MS);
}

static bool is_full(
	const struct http_server *server, const struct http_listener *listener)
{
	if (listener->unix_path != NULL)
		return server->unix_connections >= HTTP_UNIX_CONNECTIONS;
	return server->tcp_connections >= server->limits.connections;
}

void http_server_watch(struct http_server *server)
{
	struct http_listener *listener;
	int64_t delay = LOOK_MS;

	LIST_FOREACH (listener, &server->listeners, all) {
		if (is_full(server, listener))
			delay = SWEEP_MIN_MS;
	}
	http_server_arm(server, now_ms(server) + delay);
}

void http_server_balance(struct http_server *server)
{
	struct http_listener *listener;

	LIST_FOREACH (listener, &server->listeners, all) {
		http_listener_enable(
			listener, !is_full(server, listener) && !server->starved);
	}
	if (LIST_EMPTY(&server->connections) && !server->starved) {
		loop_timer_clear(&server->sweep);
		server->sweep_at = HTTP_NEVER;
	}
}

void http_server_starve(struct http_server *server)
{
	server->starved = true;
	http_server_balance(server);
	http_server_arm(server, now_ms(server) + LOOK_MS);
}

static void sweep(void *arg)
{
	struct http_server *server = arg;
	int64_t now = now_ms(server), next = HTTP_NEVER;
	struct http_connection *connection, *following;
	bool strangers = false;

	server->sweep_at = HTTP_NEVER;
	server->starved = false;
	for (connection = LIST_FIRST(&server->connections); connection != NULL;
		connection = following) {
		following = LIST_NEXT(connection, all);
		if (connection->evhttp == NULL && http_connection_is_gone(connection)) {
			http_connection_drop(connection);
			continue;
		}
		if (connection->deadline <= now)
			http_connection_expire(connection, now);
		if (connection->deadline < next)
			next = connection->deadline;
		strangers |= connection->evhttp == NULL;
	}
	http_server_balance(server);
	if (next != HTTP_NEVER)
		http_server_arm(server, next);
	if (strangers)
		http_server_watch(server);
}

/* Requests whose connection died while their answer was written. */
static void bury(void *arg)
{
	struct http_server *server = arg;
	struct http_request *request;

	while ((request = LIST_FIRST(&server->doomed)) != NULL) {
		LIST_REMOVE(request, doomed);
		http_request_release(request);
	}
}

enum cg_status http_server_create(struct loop *loop,
	const struct http_server_limits *limits, http_handler handler, void *arg,
	struct http_server **ret, struct cg_error *err)
{
	struct http_server *server = calloc(1, sizeof(*server));

	if (server == NULL)
		return cg_error_nomem(err);
	server->loop = loop;
	server->limits = limits != NULL ? *limits : http_server_defaults;
	server->handler = handler;
	server->arg = arg;
	server->sweep_at = HTTP_NEVER;
	LIST_INIT(&server->listeners);
	LIST_INIT(&server->connections);
	LIST_INIT(&server->doomed);
	loop_task_init(&server->bury, bury, server);

	server->bucket_count = 64;
	while (server->bucket_count < server->limits.connections &&
		server->bucket_count < 65536)
		server->bucket_count *= 2;
	server->buckets = calloc(server->bucket_count, sizeof(*server->buckets));
	server->scratch = evbuffer_new();
	if (server->buckets == NULL || server->scratch == NULL ||
		loop_timer_init(&server->sweep, loop, sweep, server) != CG_OK) {
		http_server_destroy(server);
		return cg_error_nomem(err);
	}
	*ret = server;
	return CG_OK;
}

void http_server_destroy(struct http_server *server)
{
	struct http_listener *listener;

	if (server == NULL)
		return;
	while ((listener = LIST_FIRST(&server->listeners)) != NULL) {
		LIST_REMOVE(listener, all);
		http_listener_destroy(listener);
	}
	bury(server);
	loop_undefer(server->loop, &server->bury);
	loop_timer_finish(&server->sweep);
	if (server->scratch != NULL)
		evbuffer_free(server->scratch);
	free(server->buckets);
	free(server);
}

enum cg_status http_server_listen(struct http_server *server, const char *host, int port,
	struct http_tls *tls, int *ret_port, struct cg_error *err)
{
	struct http_listener *listener = http_listener_create(server);
	enum cg_status status;

	if (listener == NULL)
		return cg_error_nomem(err);
	listener->tls = tls;
	status = http_listener_bind(listener, host, port, ret_port, err);
	if (status != CG_OK) {
		http_listener_destroy(listener);
		return status;
	}
	LIST_INSERT_HEAD(&server->listeners, listener, all);
	return CG_OK;
}

enum cg_status http_server_listen_fd(struct http_server *server, int fd,
	struct http_tls *tls, char ret_host[46], int *ret_port, struct cg_error *err)
{
	struct http_listener *listener = http_listener_create(server);
	enum cg_status status;

	if (listener == NULL) {
		close(fd);
		return cg_error_nomem(err);
	}
	listener->tls = tls;
	status = http_listener_adopt(listener, fd, ret_host, ret_port, err);
	if (status != CG_OK) {
		http_listener_destroy(listener);
		return status;
	}
	LIST_INSERT_HEAD(&server->listeners, listener, all);
	return CG_OK;
}

enum cg_status http_server_listen_unix(
	struct http_server *server, const char *path, struct cg_error *err)
{
	struct http_listener *listener = http_listener_create(server);
	enum cg_status status;

	if (listener == NULL)
		return cg_error_nomem(err);
	status = http_listener_bind_unix(listener, path, err);
	if (status != CG_OK) {
		http_listener_destroy(listener);
		return status;
	}
	LIST_INSERT_HEAD(&server->listeners, listener, all);
	return CG_OK;
}

void http_server_pause(struct http_server *server)
{
	struct http_listener *listener;
	struct http_connection *connection;

	server->paused = true;
	LIST_FOREACH (listener, &server->listeners, all)
		http_listener_close(listener);
	/* Those between two requests have nothing to wait for. */
	LIST_FOREACH (connection, &server->connections, all) {
		if (connection->phase == HTTP_PHASE_READING &&
			connection->gate.state == HTTP_GATE_START)
			http_connection_kill(connection);
	}
}

size_t http_server_connections(const struct http_server *server)
{
	return server->tcp_connections + server->unix_connections;
}
