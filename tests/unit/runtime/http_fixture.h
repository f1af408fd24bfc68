/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real server and raw clients in one thread: whoever waits turns the loop.
 *
 * Waiting ends with what is waited for; FIXTURE_PATIENCE_MS only keeps a broken server from
 * hanging the program.
 */
#ifndef COWGATE_TESTS_UNIT_HTTP_FIXTURE_H
#define COWGATE_TESTS_UNIT_HTTP_FIXTURE_H

#include "runtime/http_server.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIXTURE_PATIENCE_MS 10000

struct fixture {
	struct clock clock;
	struct loop *loop;
	struct http_server *server;
	int port;
	unsigned handled;
	struct http_request *held; /* by the path /hold */
	struct http_request *streaming; /* by the path /stream */
	enum cg_status stream_status;
	unsigned closed; /* streams whose client went away */
	char seen[8192]; /* what the last handler saw: "METHOD path query peer" */
	char text[262144]; /* what the last client received */
	size_t length;
};

static inline void fixture_stream_closed(void *arg)
{
	struct fixture *fixture = arg;

	fixture->closed++;
	fixture->streaming = NULL;
}

static inline void fixture_handle(void *arg, struct http_request *request)
{
	struct fixture *fixture = arg;
	const char *path = http_request_path(request);
	struct http_reply reply = {.status = 200, .content_type = "text/plain"};
	size_t length;
	const void *body = http_request_body(request, &length);

	fixture->handled++;
	snprintf(fixture->seen, sizeof(fixture->seen), "%s %s %s %s",
		http_request_method(request), path, http_request_query(request),
		http_request_peer(request));
	if (strcmp(path, "/hold") == 0) {
		fixture->held = request;
	} else if (strcmp(path, "/stream") == 0) {
		fixture->stream_status = http_request_stream(request, "text/event-stream",
			NULL, 0, fixture_stream_closed, fixture);
		if (fixture->stream_status == CG_OK)
			fixture->streaming = request;
		else
			http_request_fail(request, 503, "too many streams", 1500);
	} else if (strcmp(path, "/missing") == 0) {
		http_request_fail(request, 404, "no \"such\" thing", -1);
	} else if (length > 0) {
		reply.body = body;
		reply.length = length;
		http_request_reply(request, &reply);
	} else {
		reply.body = path;
		reply.length = strlen(path);
		http_request_reply(request, &reply);
	}
}

static inline void fixture_start(
	struct fixture *fixture, const struct http_server_limits *limits)
{
	memset(fixture, 0, sizeof(*fixture));
	clock_system(&fixture->clock, 0);
	CU_ASSERT_EQUAL_FATAL(loop_create(&fixture->clock, &fixture->loop, NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(http_server_create(fixture->loop, limits, fixture_handle,
				      fixture, &fixture->server, NULL),
		CG_OK);
	CU_ASSERT_EQUAL_FATAL(http_server_listen(fixture->server, "127.0.0.1", 0, NULL,
				      &fixture->port, NULL),
		CG_OK);
}

static inline void fixture_stop(struct fixture *fixture)
{
	http_server_destroy(fixture->server);
	loop_turn(fixture->loop);
	loop_destroy(fixture->loop);
}

static inline int fixture_connect(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static inline void fixture_send(int fd, const char *text)
{
	CU_ASSERT_EQUAL(
		send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* A turn of the loop, and at most a millisecond of sleep. */
static inline void fixture_turn(struct fixture *fixture)
{
	loop_turn(fixture->loop);
	poll(NULL, 0, 1);
}

/* Turn until @condition holds; false when patience ends first. */
#define fixture_until(fixture, condition) \
	do { \
		int64_t patience_end = \
			clock_mono(&(fixture)->clock) + FIXTURE_PATIENCE_MS; \
		while (!(condition) && clock_mono(&(fixture)->clock) < patience_end) \
			fixture_turn(fixture); \
		CU_ASSERT(condition); \
	} while (0)

/* Read what is there.  False at the end of the stream or after a reset. */
static inline bool fixture_read(struct fixture *fixture, int fd)
{
	ssize_t count = recv(fd, fixture->text + fixture->length,
		sizeof(fixture->text) - 1 - fixture->length, MSG_DONTWAIT);

	if (count > 0) {
		fixture->length += (size_t)count;
		fixture->text[fixture->length] = '\0';
		return true;
	}
	return count < 0 && (errno == EAGAIN || errno == EINTR);
}

static inline size_t fixture_occurrences(
	const struct fixture *fixture, const char *needle)
{
	size_t count = 0;

	for (const char *at = fixture->text; (at = strstr(at, needle)) != NULL; at++)
		count++;
	return count;
}

/* Receive anew until @needle has come @times; the text so far is in fixture->text. */
static inline bool fixture_expect_times(
	struct fixture *fixture, int fd, const char *needle, size_t times)
{
	int64_t patience_end = clock_mono(&fixture->clock) + FIXTURE_PATIENCE_MS;

	fixture->length = 0;
	fixture->text[0] = '\0';
	while (clock_mono(&fixture->clock) < patience_end) {
		bool more = fixture_read(fixture, fd);

		if (fixture_occurrences(fixture, needle) >= times)
			return true;
		if (!more)
			return false;
		fixture_turn(fixture);
	}
	return false;
}

static inline bool fixture_expect(struct fixture *fixture, int fd, const char *needle)
{
	return fixture_expect_times(fixture, fd, needle, 1);
}

/* Receive anew until the server ends the connection.  False when it does not. */
static inline bool fixture_expect_end(struct fixture *fixture, int fd)
{
	int64_t patience_end = clock_mono(&fixture->clock) + FIXTURE_PATIENCE_MS;

	fixture->length = 0;
	fixture->text[0] = '\0';
	while (clock_mono(&fixture->clock) < patience_end) {
		if (!fixture_read(fixture, fd))
			return true;
		fixture_turn(fixture);
	}
	return false;
}

/* Close with a reset instead of an orderly end. */
static inline void fixture_reset(int fd)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

#endif
