/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines, pipelining, and what happens to a connection that the gate refuses. */
#include "tests/unit/runtime/http_fixture.h"

#include <string.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST(length) "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " length "\r\n\r\n"

/* Deadlines short enough to wait for, the others far away. */
static struct http_server_limits far_limits(void)
{
	struct http_server_limits limits = http_server_defaults;

	limits.header_ms = limits.request_ms = limits.idle_ms = 60000;
	return limits;
}

/* Drip one byte a turn until the server ends the connection. */
static void drip(struct fixture *fixture, int fd, char byte)
{
	int64_t give_up = clock_mono(&fixture->clock) + FIXTURE_PATIENCE_MS;
	bool open = true;

	fixture->length = 0;
	fixture->text[0] = '\0';
	while (open && clock_mono(&fixture->clock) < give_up) {
		(void)!send(fd, &byte, 1, MSG_NOSIGNAL);
		for (int i = 0; i < 20 && open; i++) {
			fixture_turn(fixture);
			open = fixture_read(fixture, fd);
		}
	}
	CU_ASSERT_FALSE(open);
}

static void slow_headers_end(void)
{
	struct http_server_limits limits = far_limits();
	struct fixture fixture;
	int fd;

	limits.header_ms = 200;
	fixture_start(&fixture, &limits);
	fd = fixture_connect(fixture.port);
	fixture_send(fd, "GET / HTTP/1.1\r\nX: ");
	drip(&fixture, fd, 'x');
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "HTTP/1.1 408 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "{\"ok\":false,\"error\":"));
	CU_ASSERT_EQUAL(fixture.handled, 0);
	close(fd);
	fixture_stop(&fixture);
}

static void slow_body_ends(void)
{
	struct http_server_limits limits = far_limits();
	struct fixture fixture;
	int fd;

	limits.request_ms = 200;
	fixture_start(&fixture, &limits);
	fd = fixture_connect(fixture.port);
	fixture_send(fd, POST("1000"));
	drip(&fixture, fd, 'x');
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "HTTP/1.1 408 "));
	CU_ASSERT_EQUAL(fixture.handled, 0);
	close(fd);
	fixture_stop(&fixture);
}

static void silence_ends(void)
{
	struct http_server_limits limits = far_limits();
	struct fixture fixture;
	int fresh, idle;

	limits.header_ms = 200;
	limits.idle_ms = 100;
	fixture_start(&fixture, &limits);
	idle = fixture_connect(fixture.port);
	fixture_send(idle, GET("/"));
	CU_ASSERT(fixture_expect(&fixture, idle, "\r\n\r\n/"));
	CU_ASSERT(fixture_expect_end(&fixture, idle));
	CU_ASSERT_EQUAL(fixture.length, 0);
	fresh = fixture_connect(fixture.port);
	CU_ASSERT(fixture_expect_end(&fixture, fresh));
	CU_ASSERT_EQUAL(fixture.length, 0);
	fixture_until(&fixture, http_server_connections(fixture.server) == 0);
	close(idle);
	close(fresh);
	fixture_stop(&fixture);
}

/* The handler's time is its own: no deadline runs. */
static void handlers_may_take_long(void)
{
	struct http_server_limits limits = far_limits();
	struct http_reply reply = {.status = 200, .body = "slow", .length = 4};
	struct fixture fixture;
	int64_t until;
	int fd;

	limits.header_ms = limits.request_ms = limits.idle_ms = 60;
	fixture_start(&fixture, &limits);
	fd = fixture_connect(fixture.port);
	fixture_send(fd, GET("/hold"));
	fixture_until(&fixture, fixture.held != NULL);
	until = clock_mono(&fixture.clock) + 200;
	while (clock_mono(&fixture.clock) < until)
		fixture_turn(&fixture);
	CU_ASSERT(http_request_is_open(fixture.held));
	http_request_reply(fixture.held, &reply);
	CU_ASSERT(fixture_expect(&fixture, fd, "\r\n\r\nslow"));
	close(fd);
	fixture_stop(&fixture);
}

static void slow_readers_are_dropped(void)
{
	struct http_server_limits limits = far_limits();
	struct http_reply reply = {.status = 200};
	struct fixture fixture;
	char *body;
	int fd;

	limits.request_ms = 100;
	fixture_start(&fixture, &limits);
	reply.length = 16 * 1024 * 1024;
	body = calloc(1, reply.length);
	reply.body = body;
	fd = fixture_connect(fixture.port);
	fixture_send(fd, GET("/hold"));
	fixture_until(&fixture, fixture.held != NULL);
	http_request_reply(fixture.held, &reply);
	fixture_until(&fixture, http_server_connections(fixture.server) == 0);
	free(body);
	close(fd);
	fixture_stop(&fixture);
}

/* How much of a large answer a client gets that never stops to read, but takes more than one
 * period for all of it. */
static size_t read_steadily(size_t pace, size_t length)
{
	struct http_server_limits limits = far_limits();
	struct http_reply reply = {.status = 200, .length = length};
	struct fixture fixture;
	size_t got = 0;
	char *body = calloc(1, length);
	bool open = true;
	int fd;

	limits.request_ms = 50;
	limits.pace = pace;
	fixture_start(&fixture, &limits);
	reply.body = body;
	fd = fixture_connect(fixture.port);
	fixture_send(fd, GET("/hold"));
	fixture_until(&fixture, fixture.held != NULL);
	http_request_reply(fixture.held, &reply);
	while (open && got < length) {
		fixture.length =
			sizeof(fixture.text) - 1 - 65536; /* at most 64 KiB now */
		fixture_turn(&fixture);
		open = fixture_read(&fixture, fd);
		got += fixture.length - (sizeof(fixture.text) - 1 - 65536);
	}
	free(body);
	close(fd);
	fixture_stop(&fixture);
	return got;
}

static void a_reader_keeps_the_pace_or_is_dropped(void)
{
	const size_t length = 32 * 1024 * 1024;

	CU_ASSERT(read_steadily(1024, length) >= length);
	/* A gigabyte in a fiftieth of a second, at 64 KiB a turn: nobody can. */
	CU_ASSERT(read_steadily(SIZE_MAX / 1000000, length) < length);
}

static void pipelined_requests_are_answered_in_order(void)
{
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	fixture_send(fd, GET("/one") POST("3") "two" GET("/three") "GET /fo");
	CU_ASSERT(fixture_expect(&fixture, fd, "/three"));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "\r\n\r\n/one"));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "\r\n\r\ntwo"));
	fixture_send(fd, "ur HTTP/1.1\r\nHost: h\r\n\r\n");
	CU_ASSERT(fixture_expect(&fixture, fd, "\r\n\r\n/four"));
	CU_ASSERT_EQUAL(fixture.handled, 4);
	close(fd);
	fixture_stop(&fixture);
}

/* Behind a handler that answers later, too, whether the bytes came before or meanwhile. */
static void pipelining_survives_late_answers(void)
{
	struct http_reply reply = {.status = 202, .body = "held", .length = 4};
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	fixture_send(fd, GET("/hold") GET("/hold"));
	fixture_until(&fixture, fixture.held != NULL);
	fixture_send(fd, GET("/last"));
	for (int i = 0; i < 10; i++)
		fixture_turn(&fixture);
	CU_ASSERT_EQUAL(fixture.handled, 1);
	for (unsigned i = 2; i <= 3; i++) {
		struct http_request *held = fixture.held;

		fixture.held = NULL;
		http_request_reply(held, &reply);
		fixture_until(&fixture, fixture.handled == i);
	}
	CU_ASSERT(fixture_expect(&fixture, fd, "\r\n\r\n/last"));
	CU_ASSERT_EQUAL(fixture_occurrences(&fixture, "HTTP/1.1 202 "), 2);
	CU_ASSERT_PTR_NULL(strstr(fixture.text, "Connection: close"));
	close(fd);
	fixture_stop(&fixture);
}

/* One refusal: its answer, the end of the connection, and no handler run for it. */
static void refused(const char *text, const char *status_line)
{
	struct http_server_limits limits = http_server_defaults;
	struct fixture fixture;
	int fd;

	limits.body = 100;
	limits.headers = 500;
	limits.header_count = 5;
	fixture_start(&fixture, &limits);
	fd = fixture_connect(fixture.port);
	fixture_send(fd, text);
	CU_ASSERT(fixture_expect_end(&fixture, fd));
	CU_ASSERT_EQUAL(strncmp(fixture.text, status_line, strlen(status_line)), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "\r\nConnection: close\r\n"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(fixture.text, "\r\n\r\n{\"ok\":false,\"error\":\""));
	CU_ASSERT_EQUAL(fixture_occurrences(&fixture, "HTTP/1.1"), 1);
	/* Nor for what is sent to the half-closed connection afterwards. */
	(void)!send(fd, GET("/after"), strlen(GET("/after")), MSG_NOSIGNAL);
	for (int i = 0; i < 10; i++)
		fixture_turn(&fixture);
	CU_ASSERT_EQUAL(fixture.handled, 0);
	close(fd);
	fixture_until(&fixture, http_server_connections(fixture.server) == 0);
	fixture_stop(&fixture);
}

static void refusals_are_json_and_final(void)
{
	refused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: "
		"1\r\n\r\n" GET("/evil"),
		"HTTP/1.1 400 ");
	refused("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : "
		"chunked\r\n\r\n0\r\n\r\n" GET("/evil"),
		"HTTP/1.1 400 ");
	refused("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
		"chunked\r\n\r\n0x1\r\na\r\n" GET("/evil"),
		"HTTP/1.1 400 ");
	refused("BREW / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 501 ");
	refused("GET / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", "HTTP/1.1 417 ");
	refused("GET / HTTP/3.0\r\n\r\n", "HTTP/1.1 505 ");
	refused(POST("101"), "HTTP/1.1 413 ");
	refused("GET / HTTP/1.0\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\n\r\n",
		"HTTP/1.1 431 ");
}

/* More than a socket's buffer behind the refusal must not reset the answer away. */
static void refusals_survive_eager_senders(void)
{
	struct fixture fixture;
	char junk[65536];
	int fd;

	memset(junk, 'j', sizeof(junk));
	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	fixture_send(fd, POST("99999999"));
	for (int i = 0; i < 10; i++)
		(void)!send(fd, junk, sizeof(junk), MSG_NOSIGNAL | MSG_DONTWAIT);
	CU_ASSERT(fixture_expect(&fixture, fd, "too large"));
	close(fd);
	fixture_stop(&fixture);
}

/* What came before is answered first; nothing behind the refused one is handled. */
static void refusals_wait_for_earlier_answers(void)
{
	struct http_reply reply = {.status = 200, .body = "good", .length = 4};
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	fixture_send(
		fd, GET("/hold") "GET /bad HTTP/1.1\r\nHost : h\r\n\r\n" GET("/evil"));
	fixture_until(&fixture, fixture.held != NULL);
	http_request_reply(fixture.held, &reply);
	CU_ASSERT(fixture_expect_end(&fixture, fd));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "\r\n\r\ngood"));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "goodHTTP/1.1 400 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "Connection: close"));
	CU_ASSERT_EQUAL(fixture.handled, 1);
	close(fd);
	fixture_stop(&fixture);
}

static void junk_during_an_answer_is_refused_after_it(void)
{
	struct fixture fixture;
	struct http_reply reply = {.status = 200};
	char *body;
	int fd;

	fixture_start(&fixture, NULL);
	reply.length = 200000;
	body = malloc(reply.length);
	memset(body, 'b', reply.length);
	reply.body = body;
	fd = fixture_connect(fixture.port);
	fixture_send(fd, GET("/hold"));
	fixture_until(&fixture, fixture.held != NULL);
	http_request_reply(fixture.held, &reply);
	fixture_send(fd, "\x01\x02\x03");
	CU_ASSERT(fixture_expect_end(&fixture, fd));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "bbbHTTP/1.1 400 "));
	free(body);
	close(fd);
	fixture_stop(&fixture);
}

static void continue_is_sent_when_asked_for(void)
{
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	fixture_send(fd, "POST / HTTP/1.1\r\nHost: h\r\nExpect: "
			 "100-continue\r\nContent-Length: 2\r\n\r\n");
	CU_ASSERT(fixture_expect(&fixture, fd, "HTTP/1.1 100 Continue\r\n\r\n"));
	fixture_send(fd, "ok");
	CU_ASSERT(fixture_expect(&fixture, fd, "\r\n\r\nok"));
	close(fd);
	fixture_stop(&fixture);
}

UNIT_SUITE(http_connection, UNIT_TEST(slow_headers_end), UNIT_TEST(slow_body_ends),
	UNIT_TEST(silence_ends), UNIT_TEST(handlers_may_take_long),
	UNIT_TEST(slow_readers_are_dropped),
	UNIT_TEST(a_reader_keeps_the_pace_or_is_dropped),
	UNIT_TEST(pipelined_requests_are_answered_in_order),
	UNIT_TEST(pipelining_survives_late_answers),
	UNIT_TEST(refusals_are_json_and_final), UNIT_TEST(refusals_survive_eager_senders),
	UNIT_TEST(refusals_wait_for_earlier_answers),
	UNIT_TEST(junk_during_an_answer_is_refused_after_it),
	UNIT_TEST(continue_is_sent_when_asked_for));
