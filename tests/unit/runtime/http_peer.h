/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the HTTP client share: a peer whose every byte is scripted, with a thread
 * for each connection, and an exchange that writes down how it went.
 */
#ifndef COWGATE_TESTS_HTTP_PEER_H
#define COWGATE_TESTS_HTTP_PEER_H

#include "runtime/http_client.h"
#include "tests/unit/unit.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PEER_CONNECTIONS 128
#define PEER_OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

struct peer;
/* Serve connection @number (from 0); it is closed on return. */
typedef void (*peer_script)(struct peer *peer, int fd, int number);

struct peer {
	peer_script script;
	int listener;
	char host[32]; /* 127.0.0.1:port */
	char url[40]; /* http://host */
	pthread_t thread;
	pthread_mutex_t lock; /* for all below */
	pthread_cond_t changed;
	bool closing;
	int stage; /* raised by peer_go() */
	int requests, connections;
	char last[16384]; /* request */
	struct peer_connection {
		struct peer *peer;
		pthread_t thread;
		int fd, number;
	} slots[PEER_CONNECTIONS];
};

static inline void *peer_connection_main(void *arg)
{
	struct peer_connection *connection = arg;
	struct peer *peer = connection->peer;

	peer->script(peer, connection->fd, connection->number);
	pthread_mutex_lock(&peer->lock);
	close(connection->fd);
	connection->fd = -1;
	pthread_mutex_unlock(&peer->lock);
	return NULL;
}

static inline void *peer_main(void *arg)
{
	struct peer *peer = arg;

	for (;;) {
		int fd = accept(peer->listener, NULL, NULL);
		struct peer_connection *slot;

		pthread_mutex_lock(&peer->lock);
		if (fd < 0 || peer->closing || peer->connections == PEER_CONNECTIONS) {
			if (fd >= 0)
				close(fd);
			pthread_mutex_unlock(&peer->lock);
			return NULL;
		}
		slot = &peer->slots[peer->connections];
		*slot = (struct peer_connection){
			.peer = peer, .fd = fd, .number = peer->connections};
		if (pthread_create(&slot->thread, NULL, peer_connection_main, slot) != 0)
			abort();
		peer->connections++;
		pthread_cond_broadcast(&peer->changed);
		pthread_mutex_unlock(&peer->lock);
	}
}

/* Listen on a free port, or on @path. */
static inline void peer_start(struct peer *peer, peer_script script, const char *path)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(v4);
	int bound;

	memset(peer, 0, sizeof(*peer));
	peer->script = script;
	pthread_mutex_init(&peer->lock, NULL);
	pthread_cond_init(&peer->changed, NULL);
	peer->listener = socket(path != NULL ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_FATAL(peer->listener >= 0);
	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (path != NULL) {
		snprintf(local.sun_path, sizeof(local.sun_path), "%s", path);
		bound = bind(peer->listener, (struct sockaddr *)&local, sizeof(local));
	} else {
		bound = bind(peer->listener, (struct sockaddr *)&v4, sizeof(v4));
		getsockname(peer->listener, (struct sockaddr *)&v4, &size);
	}
	CU_ASSERT_FATAL(bound == 0);
	CU_ASSERT_FATAL(listen(peer->listener, 128) == 0);
	snprintf(peer->host, sizeof(peer->host), "127.0.0.1:%d",
		path != NULL ? 80 : ntohs(v4.sin_port));
	snprintf(peer->url, sizeof(peer->url), "http://%s", peer->host);
	CU_ASSERT_FATAL(pthread_create(&peer->thread, NULL, peer_main, peer) == 0);
}

static inline void peer_stop(struct peer *peer)
{
	pthread_mutex_lock(&peer->lock);
	peer->closing = true;
	pthread_cond_broadcast(&peer->changed);
	for (int i = 0; i < peer->connections; i++) {
		if (peer->slots[i].fd >= 0)
			shutdown(peer->slots[i].fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&peer->lock);
	shutdown(peer->listener, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	for (int i = 0; i < peer->connections; i++)
		pthread_join(peer->slots[i].thread, NULL);
	close(peer->listener);
	pthread_cond_destroy(&peer->changed);
	pthread_mutex_destroy(&peer->lock);
}

/* Let scripts go on that wait for @stage. */
static inline void peer_go(struct peer *peer, int stage)
{
	pthread_mutex_lock(&peer->lock);
	peer->stage = stage;
	pthread_cond_broadcast(&peer->changed);
	pthread_mutex_unlock(&peer->lock);
}

static inline void peer_wait(struct peer *peer, int stage)
{
	pthread_mutex_lock(&peer->lock);
	while (peer->stage < stage && !peer->closing)
		pthread_cond_wait(&peer->changed, &peer->lock);
	pthread_mutex_unlock(&peer->lock);
}

static inline int peer_requests(struct peer *peer)
{
	int requests;

	pthread_mutex_lock(&peer->lock);
	requests = peer->requests;
	pthread_mutex_unlock(&peer->lock);
	return requests;
}

static inline int peer_connections(struct peer *peer)
{
	int connections;

	pthread_mutex_lock(&peer->lock);
	connections = peer->connections;
	pthread_mutex_unlock(&peer->lock);
	return connections;
}

/* Read one whole request and count it.  False: the client has left. */
static inline bool peer_read(struct peer *peer, int fd)
{
	char text[sizeof(peer->last)];
	size_t length = 0, whole = 0;

	while (whole == 0 || length < whole) {
		const char *end, *field;

		if (length + 1 >= sizeof(text) || recv(fd, text + length, 1, 0) != 1)
			return false;
		text[++length] = '\0';
		end = whole == 0 ? strstr(text, "\r\n\r\n") : NULL;
		if (end == NULL)
			continue;
		field = strstr(text, "Content-Length: ");
		whole = length;
		if (field != NULL)
			whole += (size_t)strtoul(field + 16, NULL, 10);
	}
	pthread_mutex_lock(&peer->lock);
	memcpy(peer->last, text, length + 1);
	peer->requests++;
	pthread_mutex_unlock(&peer->lock);
	return true;
}

static inline bool peer_send(int fd, const char *text)
{
	size_t length = strlen(text);

	return send(fd, text, length, MSG_NOSIGNAL) == (ssize_t)length;
}

/* Until the client leaves. */
static inline void peer_hold(int fd)
{
	char bytes[256];

	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		continue;
}

/* The close that follows is a reset. */
static inline void peer_reset(int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* The client under test and its loop. */
struct bench {
	struct clock clock;
	struct loop *loop;
	struct http_client *client;
	struct loop_timer guard;
	int waiting; /* exchanges not yet done */
};

static inline void bench_hangs(void *arg)
{
	struct bench *bench = arg;

	CU_FAIL("an exchange did not end");
	loop_stop(bench->loop);
}

static inline void bench_init(struct bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	clock_system(&bench->clock, 0);
	CU_ASSERT_FATAL(loop_create(&bench->clock, &bench->loop, NULL) == CG_OK);
	CU_ASSERT_FATAL(http_client_create(bench->loop, &bench->client, NULL) == CG_OK);
	CU_ASSERT_FATAL(
		loop_timer_init(&bench->guard, bench->loop, bench_hangs, bench) == CG_OK);
}

static inline void bench_finish(struct bench *bench)
{
	http_client_destroy(bench->client);
	loop_timer_finish(&bench->guard);
	loop_destroy(bench->loop);
}

/* Until all exchanges are done. */
static inline void bench_run(struct bench *bench)
{
	if (bench->waiting == 0)
		return;
	loop_timer_set(&bench->guard, 60000);
	loop_run(bench->loop);
	loop_timer_clear(&bench->guard);
}

struct exchange {
	struct bench *bench;
	struct cg_http_request request;
	char url[256];
	struct cg_http_call *call;
	int done, result, status;
	size_t length, header_count;
	int64_t retry_after_ms;
	char body[1024], stream[1024], headers[2048], error[256];
	int heads, head_status;
	size_t pieces, streamed;
	bool refuse; /* the next piece */
	bool cancel_in_head;
	bool cancel_in_data;
	struct exchange *start_in_data; /* once */
	struct exchange *cancel_in_done;
};

static inline enum cg_status exchange_start(struct exchange *exchange)
{
	struct bench *bench = exchange->bench;
	enum cg_status status = http_client_start(
		bench->client, &exchange->request, &exchange->call, NULL);

	CU_ASSERT(exchange->done == 0);
	if (status == CG_OK)
		bench->waiting++;
	return status;
}

static inline void exchange_cancel(struct exchange *exchange)
{
	http_client_cancel(exchange->bench->client, exchange->call);
	if (--exchange->bench->waiting == 0)
		loop_stop(exchange->bench->loop);
}

static inline void exchange_done(void *arg, const struct cg_http_response *response)
{
	struct exchange *exchange = arg;

	CU_ASSERT(response->size == sizeof(*response));
	CU_ASSERT(response->body[response->length] == '\0');
	CU_ASSERT((response->result == CG_HTTP_DONE) == (response->error == NULL));
	exchange->done++;
	exchange->result = (int)response->result;
	exchange->status = response->status;
	exchange->length = response->length;
	exchange->header_count = response->header_count;
	exchange->retry_after_ms = response->retry_after_ms;
	snprintf(exchange->body, sizeof(exchange->body), "%s", response->body);
	snprintf(exchange->error, sizeof(exchange->error), "%s",
		response->error != NULL ? response->error : "");
	for (size_t i = 0, at = 0; i < response->header_count; i++) {
		at += (size_t)snprintf(exchange->headers + at,
			sizeof(exchange->headers) - at, "%s=%s;",
			response->headers[i].name, response->headers[i].value);
		if (at >= sizeof(exchange->headers))
			break;
	}
	if (exchange->cancel_in_done != NULL)
		exchange_cancel(exchange->cancel_in_done);
	if (--exchange->bench->waiting == 0)
		loop_stop(exchange->bench->loop);
}

static inline void exchange_head(void *arg, const struct cg_http_response *head)
{
	struct exchange *exchange = arg;

	exchange->heads++;
	exchange->head_status = head->status;
	exchange->header_count = head->header_count;
	if (exchange->cancel_in_head)
		exchange_cancel(exchange);
}

static inline bool exchange_data(void *arg, const char *data, size_t length)
{
	struct exchange *exchange = arg;

	CU_ASSERT(exchange->heads == 1);
	exchange->pieces++;
	if (exchange->streamed + length < sizeof(exchange->stream))
		memcpy(exchange->stream + exchange->streamed, data, length);
	exchange->streamed += length;
	if (exchange->cancel_in_data)
		exchange_cancel(exchange);
	if (exchange->start_in_data != NULL) {
		CU_ASSERT(exchange_start(exchange->start_in_data) == CG_OK);
		exchange->start_in_data = NULL;
	}
	return !exchange->refuse;
}

/* A request to @peer, without a body, that may be changed before it is started. */
static inline void exchange_init(struct exchange *exchange, struct bench *bench,
	const struct peer *peer, const char *method)
{
	memset(exchange, 0, sizeof(*exchange));
	exchange->bench = bench;
	snprintf(exchange->url, sizeof(exchange->url), "%s/p?q=1", peer->url);
	exchange->request = (struct cg_http_request){
		.size = sizeof(exchange->request),
		.method = method,
		.url = exchange->url,
		.timeout_ms = 50000,
		.on_done = exchange_done,
		.arg = exchange,
	};
}

static inline void exchange_stream(struct exchange *exchange)
{
	exchange->request.timeout_ms = 0;
	exchange->request.on_head = exchange_head;
	exchange->request.on_data = exchange_data;
}

static inline void exchange_body(struct exchange *exchange, const char *body)
{
	exchange->request.body = body;
	exchange->request.body_length = strlen(body);
}

/* Start it and wait for its end. */
static inline void exchange_run(struct exchange *exchange)
{
	CU_ASSERT_FATAL(exchange_start(exchange) == CG_OK);
	bench_run(exchange->bench);
	CU_ASSERT(exchange->done == 1);
}

#endif
