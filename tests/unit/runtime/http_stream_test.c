/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/runtime/http_fixture.h"

#include <string.h>

#define STREAM "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n"

static int open_stream(struct fixture *fixture, const char *request)
{
	int fd = fixture_connect(fixture->port);

	fixture->streaming = NULL;
	fixture_send(fd, request);
	fixture_until(fixture, fixture->streaming != NULL);
	CU_ASSERT(fixture_expect(fixture, fd, "\r\n\r\n"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(fixture->text, "Content-Type: text/event-stream\r\n"));
	return fd;
}

static void stream_carries_events_to_its_end(void)
{
	struct http_server_limits limits = http_server_defaults;
	struct fixture fixture;
	int64_t until;
	int fd;

	/* No deadline of requests applies to a stream. */
	limits.header_ms = limits.request_ms = limits.idle_ms = 60;
	fixture_start(&fixture, &limits);
	fd = open_stream(&fixture, STREAM);
	until = clock_mono(&fixture.clock) + 200;
	while (clock_mono(&fixture.clock) < until)
		fixture_turn(&fixture);
	CU_ASSERT_EQUAL(
		http_request_stream_write(fixture.streaming, "data: 1\n\n", 9), CG_OK);
	CU_ASSERT(fixture_expect(&fixture, fd, "9\r\ndata: 1\n\n\r\n"));
	CU_ASSERT_EQUAL(
		http_request_stream_write(fixture.streaming, "data: 2\n\n", 9), CG_OK);
	http_request_stream_end(fixture.streaming);
	CU_ASSERT(fixture_expect_end(&fixture, fd));
	CU_ASSERT_STRING_EQUAL(fixture.text, "9\r\ndata: 2\n\n\r\n0\r\n\r\n");
	CU_ASSERT_EQUAL(fixture.closed, 0);
	close(fd);
	fixture_until(&fixture, http_server_connections(fixture.server) == 0);
	fixture_stop(&fixture);
}

static void stream_to_an_old_client_ends_with_the_connection(void)
{
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = open_stream(
		&fixture, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	CU_ASSERT_PTR_NULL(strstr(fixture.text, "Content-Length"));
	CU_ASSERT_PTR_NULL(strstr(fixture.text, "chunked"));
	CU_ASSERT_EQUAL(http_request_stream_write(fixture.streaming, "plain", 5), CG_OK);
	http_request_stream_end(fixture.streaming);
	CU_ASSERT(fixture_expect_end(&fixture, fd));
	CU_ASSERT_STRING_EQUAL(fixture.text, "plain");
	close(fd);
	fixture_stop(&fixture);
}

static void stream_tells_when_the_client_leaves(void)
{
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = open_stream(&fixture, STREAM);
	close(fd);
	fixture_until(&fixture, fixture.closed == 1);
	fd = open_stream(&fixture, STREAM);
	fixture_reset(fd);
	fixture_until(&fixture, fixture.closed == 2);
	CU_ASSERT_EQUAL(http_server_connections(fixture.server), 0);
	fixture_stop(&fixture);
}

/* The owner may end a stream although its client has gone already; nothing is told then. */
static void stream_end_and_departure_may_meet(void)
{
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = open_stream(&fixture, STREAM);
	http_server_destroy(fixture.server);
	fixture.server = NULL;
	CU_ASSERT_EQUAL(http_request_stream_write(fixture.streaming, "x", 1), CG_CLOSED);
	http_request_stream_end(fixture.streaming);
	for (int i = 0; i < 5; i++)
		fixture_turn(&fixture);
	CU_ASSERT_EQUAL(fixture.closed, 0);
	close(fd);
	fixture_stop(&fixture);
}

static void stream_drops_a_reader_who_owes_too_much(void)
{
	struct http_server_limits limits = http_server_defaults;
	struct fixture fixture;
	char block[1000] = {0};
	enum cg_status status = CG_OK;
	int fd, writes = 0;

	limits.stream_output = 10000;
	fixture_start(&fixture, &limits);
	fd = open_stream(&fixture, STREAM);
	while (status == CG_OK && writes < 1000) {
		status = http_request_stream_write(
			fixture.streaming, block, sizeof(block));
		writes++;
	}
	/* No turn in between, so nothing was sent; the framing counts too. */
	CU_ASSERT_EQUAL(status, CG_LIMIT);
	CU_ASSERT_EQUAL(writes, 10);
	CU_ASSERT_EQUAL(fixture.closed, 0);
	CU_ASSERT_EQUAL(http_request_stream_write(fixture.streaming, "x", 1), CG_CLOSED);
	fixture_until(&fixture, fixture.closed == 1);
	close(fd);
	fixture_stop(&fixture);
}

static void streams_are_counted(void)
{
	struct http_server_limits limits = http_server_defaults;
	struct fixture fixture;
	struct http_request *first;
	int fds[3];

	limits.streams = 2;
	fixture_start(&fixture, &limits);
	fds[0] = open_stream(&fixture, STREAM);
	first = fixture.streaming;
	fds[1] = open_stream(&fixture, STREAM);
	fds[2] = fixture_connect(fixture.port);
	fixture_send(fds[2], STREAM);
	CU_ASSERT(fixture_expect(&fixture, fds[2], "too many streams"));
	CU_ASSERT_EQUAL(fixture.stream_status, CG_LIMIT);
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "Retry-After: 2\r\n"));
	http_request_stream_end(first);
	close(fds[2]);
	fds[2] = open_stream(&fixture, STREAM);
	close(fds[1]);
	fixture_until(&fixture, fixture.closed == 1);
	close(fds[1] = open_stream(&fixture, STREAM));
	fixture_until(&fixture, fixture.closed == 2);
	close(fds[0]);
	close(fds[2]);
	fixture_stop(&fixture);
}

/* Nobody reads it, so it must not pile up. */
static void stream_ignores_what_the_client_sends(void)
{
	struct fixture fixture;
	char junk[65536];
	size_t total = 0;
	int64_t give_up;
	int fd;

	memset(junk, 'j', sizeof(junk));
	fixture_start(&fixture, NULL);
	fd = open_stream(&fixture, STREAM);
	give_up = clock_mono(&fixture.clock) + FIXTURE_PATIENCE_MS;
	/* Beyond every buffer on the way, it goes on only if the server takes it off. */
	while (total < 32u * 1024 * 1024 && clock_mono(&fixture.clock) < give_up) {
		ssize_t sent = send(fd, junk, sizeof(junk), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent > 0)
			total += (size_t)sent;
		loop_turn(fixture.loop);
	}
	CU_ASSERT(total >= 32u * 1024 * 1024);
	CU_ASSERT_EQUAL(http_request_stream_write(fixture.streaming, "alive", 5), CG_OK);
	CU_ASSERT(fixture_expect(&fixture, fd, "5\r\nalive\r\n"));
	CU_ASSERT_EQUAL(fixture.handled, 1);
	close(fd);
	fixture_until(&fixture, fixture.closed == 1);
	fixture_stop(&fixture);
}

UNIT_SUITE(http_stream, UNIT_TEST(stream_carries_events_to_its_end),
	UNIT_TEST(stream_to_an_old_client_ends_with_the_connection),
	UNIT_TEST(stream_tells_when_the_client_leaves),
	UNIT_TEST(stream_end_and_departure_may_meet),
	UNIT_TEST(stream_drops_a_reader_who_owes_too_much),
	UNIT_TEST(streams_are_counted), UNIT_TEST(stream_ignores_what_the_client_sends));
