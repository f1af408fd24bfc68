/* SPDX-License-Identifier: Apache-2.0 */
/* Replies, and the life of a request whose client or server goes away first. */
#include "tests/unit/runtime/http_fixture.h"

#include <string.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static void hold(struct fixture *fixture, int fd)
{
	fixture_send(fd, GET("/hold"));
	fixture_until(fixture, fixture->held != NULL);
}

static void every_method_reaches_the_handler(void)
{
	static const char *const methods[] = {
		"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
	struct fixture fixture;
	char text[128];
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		snprintf(text, sizeof(text), "%s /m HTTP/1.1\r\nHost: h\r\n\r\n",
			methods[i]);
		fixture_send(fd, text);
		CU_ASSERT(fixture_expect(&fixture, fd, "Content-Length: 2\r\n"));
		snprintf(text, sizeof(text), "%s /m  127.0.0.1", methods[i]);
		CU_ASSERT_STRING_EQUAL(fixture.seen, text);
	}
	close(fd);
	fixture_stop(&fixture);
}

/* No body, and the next answer begins where the client expects it. */
static void head_has_a_length_and_no_body(void)
{
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	fixture_send(fd, "HEAD /long/path HTTP/1.1\r\nHost: h\r\n\r\n" GET("/next"));
	CU_ASSERT(fixture_expect(&fixture, fd, "\r\n\r\n/next"));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "Content-Length: 10\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "\r\n\r\nHTTP/1.1 200 "));
	CU_ASSERT_PTR_NULL(strstr(fixture.text, "/long"));
	close(fd);
	fixture_stop(&fixture);
}

static void errors_are_json(void)
{
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	fixture_send(fd, GET("/missing"));
	CU_ASSERT(fixture_expect(&fixture, fd,
		"\r\n\r\n{\"ok\":false,\"error\":\"no \\\"such\\\" thing\"}"));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "Content-Type: application/json"));
	CU_ASSERT_PTR_NULL(strstr(fixture.text, "Retry-After"));
	close(fd);
	fixture_stop(&fixture);
}

static void retry_after_is_rounded_up(void)
{
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	hold(&fixture, fd);
	http_request_fail(fixture.held, 429, "slow down", 1001);
	CU_ASSERT(fixture_expect(&fixture, fd, "slow down"));
	CU_ASSERT_EQUAL(
		strncmp(fixture.text, "HTTP/1.1 429 Too Many Requests\r\n", 32), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "\r\nRetry-After: 2\r\n"));
	close(fd);
	fixture_stop(&fixture);
}

/* A handler cannot break the framing, nor a header split the answer. */
static void reply_headers_are_checked(void)
{
	static const struct cg_http_header headers[] = {{"X-Good", "1"},
		{"X-Split", "a\r\nEvil: 1"}, {"Bad name", "1"}, {"Content-Length", "99"},
		{"connection", "upgrade"}, {"Transfer-Encoding", "chunked"}};
	struct http_reply reply = {.status = 200,
		.headers = headers,
		.header_count = sizeof(headers) / sizeof(*headers),
		.body = "body",
		.length = 4};
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	hold(&fixture, fd);
	http_request_reply(fixture.held, &reply);
	CU_ASSERT(fixture_expect(&fixture, fd, "\r\n\r\nbody"));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "\r\nX-Good: 1\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "\r\nContent-Length: 4\r\n"));
	CU_ASSERT_PTR_NULL(strstr(fixture.text, "Evil"));
	CU_ASSERT_PTR_NULL(strstr(fixture.text, "Bad"));
	CU_ASSERT_PTR_NULL(strstr(fixture.text, "99"));
	CU_ASSERT_PTR_NULL(strstr(fixture.text, "upgrade"));
	CU_ASSERT_PTR_NULL(strstr(fixture.text, "chunked"));
	close(fd);
	fixture_stop(&fixture);
}

static void no_content_has_no_body(void)
{
	struct http_reply reply = {.status = 204, .body = "x", .length = 1};
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	hold(&fixture, fd);
	http_request_reply(fixture.held, &reply);
	fixture_send(fd, GET("/next"));
	CU_ASSERT(fixture_expect(&fixture, fd, "\r\n\r\nHTTP/1.1 200 "));
	close(fd);
	fixture_stop(&fixture);
}

static void old_clients_choose_keep_alive(void)
{
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	fixture_send(fd, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	CU_ASSERT(fixture_expect(&fixture, fd, "\r\n\r\n/a"));
	fixture_send(fd, "GET /b HTTP/1.0\r\n\r\n");
	CU_ASSERT(fixture_expect_end(&fixture, fd));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "\r\n\r\n/b"));
	close(fd);
	fixture_stop(&fixture);
}

static void a_request_can_be_read(void)
{
	struct fixture fixture;
	size_t length;
	int fd, mark;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	fixture_send(fd, "POST /hold?x=%20 HTTP/1.1\r\nHost: h\r\nX-One: "
			 "a\r\nTransfer-Encoding: chunked\r\n\r\n");
	fixture_send(fd, "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
	fixture_until(&fixture, fixture.held != NULL);
	CU_ASSERT_STRING_EQUAL(http_request_query(fixture.held), "x=%20");
	CU_ASSERT_STRING_EQUAL(http_request_header(fixture.held, "x-one"), "a");
	CU_ASSERT_PTR_NULL(http_request_header(fixture.held, "x-two"));
	CU_ASSERT_EQUAL(memcmp(http_request_body(fixture.held, &length), "abc", 3), 0);
	CU_ASSERT_EQUAL(length, 3);
	CU_ASSERT_FALSE(http_request_is_unix(fixture.held));
	CU_ASSERT_EQUAL(http_request_peer_uid(fixture.held), -1);
	http_request_set_data(fixture.held, &mark);
	CU_ASSERT_PTR_EQUAL(http_request_data(fixture.held), &mark);
	http_request_fail(fixture.held, 400, "seen", -1);
	CU_ASSERT(fixture_expect(&fixture, fd, "seen"));
	close(fd);
	fixture_stop(&fixture);
}

/* The client leaves while the handler has the request; the late answer is dropped. */
static void answer_to_a_client_that(void (*leaves)(int fd))
{
	struct http_reply reply = {.status = 200, .body = "late", .length = 4};
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	hold(&fixture, fd);
	leaves(fd);
	for (int i = 0; i < 5; i++)
		fixture_turn(&fixture);
	CU_ASSERT_STRING_EQUAL(http_request_path(fixture.held), "/hold");
	http_request_reply(fixture.held, &reply);
	fixture_until(&fixture, http_server_connections(fixture.server) == 0);
	fixture_stop(&fixture);
}

static void leave(int fd)
{
	close(fd);
}

static void late_answers_are_dropped(void)
{
	answer_to_a_client_that(leave);
	answer_to_a_client_that(fixture_reset);
}

static void half_closing_clients_are_answered(void)
{
	struct http_reply reply = {.status = 200, .body = "whole", .length = 5};
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	hold(&fixture, fd);
	shutdown(fd, SHUT_WR);
	fixture_turn(&fixture);
	http_request_reply(fixture.held, &reply);
	CU_ASSERT(fixture_expect_end(&fixture, fd));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.text, "\r\n\r\nwhole"));
	close(fd);
	fixture_stop(&fixture);
}

/* The client leaves while a long answer is written. */
static void half_written_answers_are_freed(void)
{
	struct http_reply reply = {.status = 200};
	struct fixture fixture;
	char *body;
	int fd;

	fixture_start(&fixture, NULL);
	reply.length = 16 * 1024 * 1024;
	body = calloc(1, reply.length);
	reply.body = body;
	fd = fixture_connect(fixture.port);
	hold(&fixture, fd);
	http_request_reply(fixture.held, &reply);
	CU_ASSERT(fixture_expect(&fixture, fd, "\r\n\r\n"));
	fixture_reset(fd);
	fixture_until(&fixture, http_server_connections(fixture.server) == 0);
	free(body);
	fixture_stop(&fixture);
}

static void requests_outlive_the_server(void)
{
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	hold(&fixture, fd);
	http_server_destroy(fixture.server);
	fixture.server = NULL;
	CU_ASSERT_FALSE(http_request_is_open(fixture.held));
	CU_ASSERT_STRING_EQUAL(http_request_path(fixture.held), "/hold");
	CU_ASSERT_STRING_EQUAL(http_request_header(fixture.held, "Host"), "h");
	CU_ASSERT_EQUAL(
		http_request_stream(fixture.held, NULL, NULL, 0, NULL, NULL), CG_CLOSED);
	http_request_fail(fixture.held, 503, "gone", -1);
	CU_ASSERT(fixture_expect_end(&fixture, fd));
	CU_ASSERT_EQUAL(fixture.length, 0);
	close(fd);
	fixture_stop(&fixture);
}

/* The server goes between an answer and its last byte. */
static void answers_under_way_die_with_the_server(void)
{
	struct http_reply reply = {.status = 200, .body = "x", .length = 1};
	struct fixture fixture;
	int fd;

	fixture_start(&fixture, NULL);
	fd = fixture_connect(fixture.port);
	hold(&fixture, fd);
	http_request_reply(fixture.held, &reply);
	http_server_destroy(fixture.server);
	fixture.server = NULL;
	CU_ASSERT(fixture_expect_end(&fixture, fd));
	close(fd);
	fixture_stop(&fixture);
}

UNIT_SUITE(http_request, UNIT_TEST(every_method_reaches_the_handler),
	UNIT_TEST(head_has_a_length_and_no_body), UNIT_TEST(errors_are_json),
	UNIT_TEST(retry_after_is_rounded_up), UNIT_TEST(reply_headers_are_checked),
	UNIT_TEST(no_content_has_no_body), UNIT_TEST(old_clients_choose_keep_alive),
	UNIT_TEST(a_request_can_be_read), UNIT_TEST(late_answers_are_dropped),
	UNIT_TEST(half_closing_clients_are_answered),
	UNIT_TEST(half_written_answers_are_freed), UNIT_TEST(requests_outlive_the_server),
	UNIT_TEST(answers_under_way_die_with_the_server));
