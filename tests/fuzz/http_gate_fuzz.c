/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw bytes against the gate, and against a whole server behind it.
 *
 * The gate's verdict must not depend on how the bytes are cut.  The server must run its handler
 * for exactly the requests that the gate alone finds in the same bytes: one more would be a
 * smuggled request, one less a lost one (unless a request asked to end the connection).
 */
#include "runtime/http_gate.h"
#include "runtime/http_server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 8192

static struct clock the_clock;
static struct loop *loop;
static struct http_server *server;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static size_t handled;

static const struct http_server_limits limits = {.body = 512,
	.headers = 1024,
	.header_count = 16,
	.connections = 16,
	.header_ms = 60000,
	.request_ms = 60000,
	.idle_ms = 60000,
	.stream_output = 1024,
	.streams = 1};

static void require(bool condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

static void handle(void *arg, struct http_request *request)
{
	struct http_reply reply = {.status = 200, .content_type = "text/plain"};

	(void)arg;
	handled++;
	reply.body = http_request_body(request, &reply.length);
	require(http_request_path(request)[0] == '/', "path begins with a slash");
	require(reply.length <= limits.body, "body within its limit");
	http_request_reply(request, &reply);
}

static void stop(void)
{
	http_server_destroy(server);
	loop_destroy(loop);
}

/* On a Unix socket: thousands of TCP connections a second would run out of ports. */
static void start(void)
{
	signal(SIGPIPE, SIG_IGN);
	clock_system(&the_clock, 0);
	snprintf(address.sun_path, sizeof(address.sun_path),
		"/tmp/cowgate-http-gate-fuzz-%ld", (long)getpid());
	require(loop_create(&the_clock, &loop, NULL) == CG_OK, "loop");
	require(http_server_create(loop, &limits, handle, NULL, &server, NULL) == CG_OK,
		"server");
	require(http_server_listen_unix(server, address.sun_path, NULL) == CG_OK,
		"listen");
	atexit(stop);
}

/* A request may end the connection by itself: then those behind it stay unhandled. */
static bool may_close(const uint8_t *data, size_t size)
{
	static const char *const signs[] = {"connection", "HTTP/1.0"};

	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		size_t length = strlen(signs[i]);

		for (size_t at = 0; at + length <= size; at++) {
			if (strncasecmp((const char *)data + at, signs[i], length) == 0)
				return true;
		}
	}
	return false;
}

/* Requests found in @data, fed in pieces of @step bytes; *ret_refused when it ends in a refusal. */
static size_t count_requests(
	const uint8_t *data, size_t size, size_t step, bool *ret_refused)
{
	struct http_gate_limits gate_limits = {
		limits.body, limits.headers, limits.header_count};
	struct http_gate gate;
	size_t count = 0, used;

	http_gate_init(&gate, &gate_limits);
	for (size_t at = 0; at < size && gate.state != HTTP_GATE_REFUSED; at += used) {
		size_t piece = step < size - at ? step : size - at;

		http_gate_feed(&gate, data + at, piece, &used);
		require(used == piece || gate.state >= HTTP_GATE_COMPLETE,
			"all bytes taken");
		if (gate.state == HTTP_GATE_COMPLETE) {
			count++;
			http_gate_reset(&gate);
		}
	}
	*ret_refused = gate.state == HTTP_GATE_REFUSED;
	if (*ret_refused)
		require(gate.status >= 400 && gate.reason != NULL,
			"a refusal has a reason");
	return count;
}

/* Send all of @data, and read until the server has closed. */
static void play(const uint8_t *data, size_t size, size_t expected, bool refused)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int64_t give_up = clock_mono(&the_clock) + 5000;
	bool open = true, closing = false;
	char first[8] = "", bytes[4096];
	size_t received = 0;

	require(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0,
		"connect");
	require(size == 0 || send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size, "send");
	while (open && clock_mono(&the_clock) < give_up) {
		ssize_t count;

		loop_turn(loop);
		count = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		for (ssize_t i = 0; i < count; i++) {
			if (received < sizeof(first) - 1)
				first[received] = bytes[i];
			received++;
		}
		open = count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
		/* All is handled: end our side, and the server must end its own. */
		if (!closing && !refused && handled >= expected) {
			shutdown(fd, SHUT_WR);
			closing = true;
		}
	}
	require(!open, "the server ends the connection");
	require(received == 0 || strncmp(first, "HTTP/1.", 7) == 0, "an HTTP answer");
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool refused, refused_bytewise;
	size_t count;

	if (size > INPUT_MAX)
		return 0;
	if (loop == NULL)
		start();
	count = count_requests(data, size, size + 1, &refused);
	require(count == count_requests(data, size, 1, &refused_bytewise),
		"same count bytewise");
	require(refused == refused_bytewise, "same verdict bytewise");
	handled = 0;
	play(data, size, count, refused);
	require(handled == count || (handled < count && may_close(data, size)),
		"every request handled once, and no other");
	return 0;
}
