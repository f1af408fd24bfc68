/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/runtime/http_fixture.h"

#include <string.h>
#include <sys/resource.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static void server_answers_on_one_connection(void)
{
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	fixture_send(fd, GET("/one?a=b"));
	CU_ASSERT(fixture_expect(&fixture, fd, "\r\n\r\n/one"));
	CU_ASSERT_EQUAL(strncmp(fixture.text, "HTTP/1.1 200 OK\r\n", 17), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "\r\nContent-Length: 4\r\n"));
	CU_ASSERT_PTR_NULL(strstr(fixture.text, "Connection: close"));
	CU_ASSERT_PTR_NULL(strstr(fixture.text, "Server:"));
	CU_ASSERT_STRING_EQUAL(fixture.seen, "GET /one a=b 127.0.0.1");
	fixture_send(fd, "POST /two HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
	CU_ASSERT(fixture_expect(&fixture, fd, "\r\n\r\nabc"));
	CU_ASSERT_EQUAL(http_server_connections(fixture.server), 1);
	CU_ASSERT_EQUAL(fixture.handled, 2);
	close(fd);
	fixture_until(&fixture, http_server_connections(fixture.server) == 0);
	fixture_stop(&fixture);
}

/* At the cap further clients wait in the backlog and are served when a place is free. */
static void server_pauses_accepting_at_the_cap(void)
{
	struct http_server_limits limits = http_server_defaults;
	struct fixture fixture;
	int fds[3];

	limits.connections = 2;
	fixture_start(&fixture, &limits);
	for (int i = 0; i < 3; i++)
		fds[i] = fixture_connect(fixture.port);
	for (int i = 0; i < 2; i++) {
		fixture_send(fds[i], GET("/early"));
		CU_ASSERT(fixture_expect(&fixture, fds[i], "/early"));
	}
	fixture_send(fds[2], GET("/late"));
	for (int i = 0; i < 20; i++)
		fixture_turn(&fixture);
	CU_ASSERT_EQUAL(http_server_connections(fixture.server), 2);
	CU_ASSERT_EQUAL(fixture.handled, 2);
	close(fds[0]);
	CU_ASSERT(fixture_expect(&fixture, fds[2], "/late"));
	CU_ASSERT_EQUAL(http_server_connections(fixture.server), 2);
	close(fds[1]);
	close(fds[2]);
	fixture_stop(&fixture);
}

/* A client that leaves before its first request frees its place too. */
static void server_finds_silent_leavers(void)
{
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	fixture_until(&fixture, http_server_connections(fixture.server) == 1);
	close(fd);
	fixture_until(&fixture, http_server_connections(fixture.server) == 0);
	fixture_stop(&fixture);
}

/* Without a descriptor to spare clients wait; nothing spins and nobody is lost. */
static void server_recovers_from_full_descriptor_tables(void)
{
	struct rlimit limit, low;
	struct fixture fixture;
	int fd, spare;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	fixture_send(fd, GET("/patient"));
	CU_ASSERT_EQUAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
	spare = dup(fd);
	low = limit;
	low.rlim_cur = (rlim_t)spare;
	close(spare);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &low), 0);
	for (int i = 0; i < 10; i++)
		fixture_turn(&fixture);
	CU_ASSERT_EQUAL(http_server_connections(fixture.server), 0);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
	CU_ASSERT(fixture_expect(&fixture, fd, "\r\n\r\n/patient"));
	close(fd);
	fixture_stop(&fixture);
}

static void server_drains_when_paused(void)
{
	struct fixture fixture;
	int idle, busy;

	fixture_start(&fixture, NULL);
	idle = fixture_connect(fixture.port);
	fixture_send(idle, GET("/idle"));
	CU_ASSERT(fixture_expect(&fixture, idle, "/idle"));
	busy = fixture_connect(fixture.port);
	fixture_send(busy, GET("/hold"));
	fixture_until(&fixture, fixture.held != NULL);

	http_server_pause(fixture.server);
	CU_ASSERT(fixture_expect_end(&fixture, idle));
	fixture_until(&fixture, http_server_connections(fixture.server) == 1);
	http_request_fail(fixture.held, 503, "going", 0);
	CU_ASSERT(fixture_expect_end(&fixture, busy));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "Connection: close"));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "Retry-After: 0\r\n"));
	fixture_until(&fixture, http_server_connections(fixture.server) == 0);
	close(idle);
	close(busy);
	fixture_stop(&fixture);
}

/* Whatever state connections are in, the server may go. */
static void server_dies_with_everything_open(void)
{
	static const char *const texts[] = {"", "GET / HT",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab", GET("/done"),
		GET("/stream"), "BAD\r\n\r\n"};
	struct fixture fixture;
	int fds[sizeof(texts) / sizeof(*texts)];

	fixture_start(&fixture, NULL);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		fds[i] = fixture_connect(fixture.port);
		fixture_send(fds[i], texts[i]);
	}
	fixture_until(&fixture, fixture.handled == 2 && fixture.streaming != NULL);
	http_server_destroy(fixture.server);
	fixture.server = NULL;
	fixture_until(&fixture, fixture.closed == 1);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		close(fds[i]);
	fixture_stop(&fixture);
}

static void server_destroy_accepts_null(void)
{
	http_server_destroy(NULL);
	CU_ASSERT_EQUAL(http_server_defaults.connections, 1024);
}

UNIT_SUITE(http_server, UNIT_TEST(server_answers_on_one_connection),
	UNIT_TEST(server_pauses_accepting_at_the_cap),
	UNIT_TEST(server_finds_silent_leavers),
	UNIT_TEST(server_recovers_from_full_descriptor_tables),
	UNIT_TEST(server_drains_when_paused), UNIT_TEST(server_dies_with_everything_open),
	UNIT_TEST(server_destroy_accepts_null));
