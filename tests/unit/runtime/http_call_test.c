/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange and its wire: what is sent, what is kept, and how each kind of end is named. */
#include "tests/unit/runtime/http_peer.h"

#include <sched.h>
#include <time.h>

static struct peer peer;
static struct bench bench;

static void begin(peer_script script)
{
	peer_start(&peer, script, NULL);
	bench_init(&bench);
}

static void end(void)
{
	bench_finish(&bench);
	peer_stop(&peer);
}

/* ---- scripts ---- */

static void answer_ok(struct peer *self, int fd, int number)
{
	(void)number;
	while (peer_read(self, fd))
		peer_send(fd, PEER_OK);
}

static void answer_in_splinters(struct peer *self, int fd, int number)
{
	static const char *const splinters[] = {"HTTP/1.1 103 Early",
		" Hints\r\nLink: x\r\n\r\n", "HTTP/1.1 429 Slow\r\n",
		"X-Mixed-CASE:  a b \t\r\nRETRY-After: 7\r\n",
		"Empty:\r\nTransfer-Encoding: ", "chunked\r\n\r", "\n3\r\nabc\r\n", "2\r",
		"\nde\r\n0\r\n", "Trailer: late\r\n\r\n"};

	(void)number;
	if (!peer_read(self, fd))
		return;
	for (size_t i = 0; i < sizeof(splinters) / sizeof(splinters[0]); i++) {
		peer_send(fd, splinters[i]);
		sched_yield();
	}
	peer_hold(fd);
}

static void close_after_request(struct peer *self, int fd, int number)
{
	(void)number;
	peer_read(self, fd);
}

static void reset_after_request(struct peer *self, int fd, int number)
{
	(void)number;
	peer_read(self, fd);
	peer_reset(fd);
}

static void cut_the_body(struct peer *self, int fd, int number)
{
	(void)number;
	peer_read(self, fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
}

static void send_half_a_head(struct peer *self, int fd, int number)
{
	(void)number;
	peer_read(self, fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nX-");
	peer_hold(fd);
}

static void say_nothing(struct peer *self, int fd, int number)
{
	(void)self;
	(void)number;
	peer_hold(fd);
}

static void talk_nonsense(struct peer *self, int fd, int number)
{
	(void)number;
	peer_read(self, fd);
	peer_send(fd, "220 mail.example ESMTP\r\n");
}

static void drip_for_ever(struct peer *self, int fd, int number)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	(void)number;
	peer_read(self, fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	while (peer_send(fd, "1\r\nx\r\n"))
		nanosleep(&pause, NULL);
}

static void flood(struct peer *self, int fd, int number)
{
	(void)number;
	peer_read(self, fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	while (peer_send(fd, "10\r\n0123456789abcdef\r\n"))
		continue;
}

/* The first connection answers once, then dies with the second request in its hands; the
 * connections after it answer. */
static void die_on_reuse(struct peer *self, int fd, int number)
{
	if (number > 0) {
		answer_ok(self, fd, number);
		return;
	}
	if (peer_read(self, fd))
		peer_send(fd, PEER_OK);
	peer_read(self, fd);
}

static void reset_on_reuse(struct peer *self, int fd, int number)
{
	die_on_reuse(self, fd, number);
	peer_reset(fd);
}

/* Every connection dies with its request, but for the very first one. */
static void die_always(struct peer *self, int fd, int number)
{
	if (!peer_read(self, fd) || number > 0)
		return;
	peer_send(fd, PEER_OK);
	peer_read(self, fd);
}

static void send_many_headers(struct peer *self, int fd, int number)
{
	char line[64];

	(void)number;
	peer_read(self, fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 200; i++) {
		snprintf(line, sizeof(line), "X-%d: v\r\n", i);
		peer_send(fd, line);
	}
	peer_send(fd, "Content-Length: 2\r\n\r\nok");
	peer_hold(fd);
}

static void send_wide_headers(struct peer *self, int fd, int number)
{
	char value[10001];

	(void)number;
	memset(value, 'w', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	peer_read(self, fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nA: ");
	peer_send(fd, value);
	peer_send(fd, "\r\nB: ");
	peer_send(fd, value);
	peer_send(fd, "\r\nC: kept\r\nContent-Length: 2\r\n\r\nok");
	peer_hold(fd);
}

static void send_a_date(struct peer *self, int fd, int number)
{
	(void)number;
	while (peer_read(self, fd)) {
		peer_send(fd, "HTTP/1.1 503 Away\r\nContent-Length: 0\r\n"
			      "Retry-After: Sun, 22 Nov 2026 03:04:15 GMT\r\n\r\n");
	}
}

static void redirect(struct peer *self, int fd, int number)
{
	(void)number;
	while (peer_read(self, fd))
		peer_send(fd, "HTTP/1.1 302 Found\r\nLocation: /other\r\n"
			      "Content-Length: 0\r\n\r\n");
}

/* ---- what is sent ---- */

static void get_is_sent_and_answered(void)
{
	char expected[512];
	struct exchange get;

	begin(answer_ok);
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	exchange_init(&get, &bench, &peer, "GET");
	exchange_run(&get);
	unsetenv("http_proxy");
	CU_ASSERT(get.result == CG_HTTP_DONE && get.status == 200);
	CU_ASSERT_STRING_EQUAL(get.body, "ok");
	CU_ASSERT_STRING_EQUAL(get.headers, "content-length=2;");
	CU_ASSERT(get.retry_after_ms == -1);
	snprintf(expected, sizeof(expected),
		"GET /p?q=1 HTTP/1.1\r\nHost: %s\r\nUser-Agent: cowgate\r\nAccept: "
		"*/*\r\n\r\n",
		peer.host);
	CU_ASSERT_STRING_EQUAL(peer.last, expected);
	CU_ASSERT(http_client_active(bench.client) == 0);
	end();
}

static void post_is_sent_with_its_headers_only(void)
{
	const struct cg_http_header headers[] = {
		{"Content-Type", "application/json"}, {"X-Empty", ""}};
	char expected[512], body[] = "{\"a\":1}";
	struct exchange post;

	begin(answer_ok);
	exchange_init(&post, &bench, &peer, "POST");
	post.request.headers = headers;
	post.request.header_count = 2;
	exchange_body(&post, body);
	CU_ASSERT(exchange_start(&post) == CG_OK);
	memset(body, '!', sizeof(body) - 1); /* it has been copied */
	bench_run(&bench);
	CU_ASSERT(post.result == CG_HTTP_DONE);
	snprintf(expected, sizeof(expected),
		"POST /p?q=1 HTTP/1.1\r\nHost: %s\r\nUser-Agent: cowgate\r\nAccept: "
		"*/*\r\n"
		"Content-Type: application/json\r\nX-Empty:\r\nContent-Length: 7\r\n\r\n"
		"{\"a\":1}",
		peer.host);
	CU_ASSERT_STRING_EQUAL(peer.last, expected);
	end();
}

static void methods_keep_their_shape(void)
{
	static const struct {
		const char *method, *body;
		bool has_length;
	} rows[] = {{"POST", "", true}, {"PUT", "", true}, {"PATCH", "x", true},
		{"DELETE", "", false}, {"DELETE", "x", true}, {"OPTIONS", "", false}};

	begin(answer_ok);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange exchange;
		char line[32];

		exchange_init(&exchange, &bench, &peer, rows[i].method);
		exchange_body(&exchange, rows[i].body);
		exchange_run(&exchange);
		CU_ASSERT(exchange.result == CG_HTTP_DONE);
		snprintf(line, sizeof(line), "%s /p?q=1 HTTP/1.1\r\n", rows[i].method);
		CU_ASSERT(strncmp(peer.last, line, strlen(line)) == 0);
		CU_ASSERT((strstr(peer.last, "Content-Length: ") != NULL) ==
			  rows[i].has_length);
		CU_ASSERT(strstr(peer.last, "Content-Type") == NULL);
		CU_ASSERT(strstr(peer.last, "Expect") == NULL);
	}
	end();
}

static void head_has_no_body(void)
{
	struct exchange head;

	begin(answer_ok);
	exchange_init(&head, &bench, &peer, "HEAD");
	exchange_run(&head);
	CU_ASSERT(head.result == CG_HTTP_DONE && head.status == 200 && head.length == 0);
	end();
}

/* ---- what is kept ---- */

static void answer_may_come_in_splinters(void)
{
	struct exchange get;

	begin(answer_in_splinters);
	exchange_init(&get, &bench, &peer, "GET");
	exchange_run(&get);
	CU_ASSERT(get.result == CG_HTTP_DONE && get.status == 429);
	CU_ASSERT_STRING_EQUAL(get.body, "abcde");
	CU_ASSERT(get.length == 5);
	CU_ASSERT_STRING_EQUAL(get.headers,
		"x-mixed-case=a b;retry-after=7;empty=;transfer-encoding=chunked;");
	CU_ASSERT(get.retry_after_ms == 7000);
	end();
}

static void headers_beyond_the_caps_are_dropped(void)
{
	struct exchange get;

	begin(send_many_headers);
	exchange_init(&get, &bench, &peer, "GET");
	exchange_run(&get);
	CU_ASSERT(get.result == CG_HTTP_DONE && get.header_count == HTTP_CLIENT_HEADERS);
	CU_ASSERT_STRING_EQUAL(get.body, "ok");
	end();
	begin(send_wide_headers);
	exchange_init(&get, &bench, &peer, "GET");
	exchange_run(&get);
	CU_ASSERT(get.result == CG_HTTP_DONE && get.header_count == 3);
	end();
}

static int64_t date_wall(const struct clock *clock)
{
	(void)clock;
	return INT64_C(1795316645678); /* 2026-11-22T03:04:05.678Z */
}

static bool date_sane(const struct clock *clock)
{
	return clock->floor_ms == 0;
}

static void retry_after_may_be_a_date(void)
{
	struct exchange get;

	begin(send_a_date);
	bench.clock.wall_ms = date_wall;
	bench.clock.sane = date_sane;
	exchange_init(&get, &bench, &peer, "GET");
	exchange_run(&get);
	CU_ASSERT(get.retry_after_ms == 9322);
	/* A clock that cannot be believed has no opinion on dates. */
	bench.clock.floor_ms = 1;
	exchange_init(&get, &bench, &peer, "GET");
	exchange_run(&get);
	CU_ASSERT(get.retry_after_ms == -1);
	end();
}

static void redirects_are_answers(void)
{
	struct exchange get;

	begin(redirect);
	exchange_init(&get, &bench, &peer, "GET");
	exchange_run(&get);
	CU_ASSERT(get.result == CG_HTTP_DONE && get.status == 302);
	CU_ASSERT(strstr(get.headers, "location=/other;") != NULL);
	CU_ASSERT(peer_requests(&peer) == 1);
	end();
}

static void bodies_have_a_limit(void)
{
	struct exchange get;

	begin(flood);
	exchange_init(&get, &bench, &peer, "GET");
	exchange_run(&get);
	CU_ASSERT(get.result == CG_HTTP_TOO_LARGE && get.status == 200);
	CU_ASSERT(get.length <= HTTP_CLIENT_RESPONSE);
	end();
	begin(answer_ok);
	exchange_init(&get, &bench, &peer, "GET");
	get.request.response_limit = 2;
	exchange_run(&get);
	CU_ASSERT(get.result == CG_HTTP_DONE && get.length == 2);
	exchange_init(&get, &bench, &peer, "GET");
	get.request.response_limit = 1;
	exchange_run(&get);
	CU_ASSERT(get.result == CG_HTTP_TOO_LARGE);
	end();
}

/* ---- how it ends ---- */

static void a_closed_port_takes_nothing(void)
{
	struct exchange post;

	begin(answer_ok);
	exchange_init(&post, &bench, &peer, "POST");
	exchange_body(&post, "x");
	peer_stop(&peer);
	exchange_run(&post);
	CU_ASSERT(post.result == CG_HTTP_NOT_DISPATCHED && post.status == 0);
	CU_ASSERT(strstr(post.error, "127.0.0.1") != NULL);
	/* A secret URL leaves no trace. */
	exchange_init(&post, &bench, &peer, "POST");
	post.request.flags = CG_HTTP_SECRET_URL;
	exchange_run(&post);
	CU_ASSERT(post.result == CG_HTTP_NOT_DISPATCHED && post.error[0] != '\0');
	CU_ASSERT(strstr(post.error, "127.0.0.1") == NULL);
	bench_finish(&bench);
}

static void lost_answers_are_told_apart_from_lost_requests(void)
{
	static const peer_script scripts[] = {
		close_after_request, reset_after_request, cut_the_body, talk_nonsense};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct exchange post;

		begin(scripts[i]);
		exchange_init(&post, &bench, &peer, "POST");
		exchange_body(&post, "x");
		exchange_run(&post);
		CU_ASSERT(post.result == CG_HTTP_NO_ANSWER);
		CU_ASSERT(peer_requests(&peer) == 1);
		end();
	}
}

static void deadlines_name_what_they_cut(void)
{
	static const peer_script scripts[] = {
		say_nothing, send_half_a_head, drip_for_ever};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct exchange post;

		begin(scripts[i]);
		exchange_init(&post, &bench, &peer, "POST");
		exchange_body(&post, "x");
		post.request.timeout_ms = 300;
		exchange_run(&post);
		CU_ASSERT(post.result == CG_HTTP_TIMED_OUT);
		end();
	}
}

static void a_handshake_without_end_was_not_dispatched(void)
{
	struct exchange post;

	begin(say_nothing);
	exchange_init(&post, &bench, &peer, "POST");
	snprintf(post.url, sizeof(post.url), "https://%s/p", peer.host);
	exchange_body(&post, "x");
	post.request.connect_timeout_ms = 50;
	exchange_run(&post);
	CU_ASSERT(post.result == CG_HTTP_NOT_DISPATCHED);
	end();
}

/* A dying reused connection is where libcurl repeats a request without a word. */
static void nothing_but_the_idempotent_is_sent_again(void)
{
	static const struct {
		const char *method, *body;
		uint32_t flags;
		int result, requests;
	} rows[] = {
		{"POST", "x", 0, CG_HTTP_NO_ANSWER, 2},
		{"POST", "x", CG_HTTP_IDEMPOTENT, CG_HTTP_DONE, 3},
		{"GET", "", CG_HTTP_IDEMPOTENT, CG_HTTP_DONE, 3},
	};
	static const peer_script scripts[] = {die_on_reuse, reset_on_reuse};

	for (size_t i = 0; i < 6; i++) {
		struct exchange first, second;

		begin(scripts[i / 3]);
		exchange_init(&first, &bench, &peer, "GET");
		exchange_run(&first);
		CU_ASSERT(first.result == CG_HTTP_DONE);
		exchange_init(&second, &bench, &peer, rows[i % 3].method);
		exchange_body(&second, rows[i % 3].body);
		second.request.flags = rows[i % 3].flags;
		exchange_run(&second);
		CU_ASSERT(second.result == rows[i % 3].result);
		CU_ASSERT(peer_requests(&peer) == rows[i % 3].requests);
		end();
	}
}

static void a_request_without_a_body_is_not_sent_again_either(void)
{
	static const char *const methods[] = {"GET", "POST", "DELETE", "HEAD"};

	for (size_t i = 0; i < 4; i++) {
		struct exchange first, second;

		begin(die_always);
		exchange_init(&first, &bench, &peer, "GET");
		exchange_run(&first);
		CU_ASSERT(first.result == CG_HTTP_DONE);
		exchange_init(&second, &bench, &peer, methods[i]);
		exchange_run(&second);
		CU_ASSERT(second.result == CG_HTTP_NO_ANSWER);
		CU_ASSERT(peer_requests(&peer) == 2);
		end();
	}
}

UNIT_SUITE(http_call, UNIT_TEST(get_is_sent_and_answered),
	UNIT_TEST(post_is_sent_with_its_headers_only),
	UNIT_TEST(methods_keep_their_shape), UNIT_TEST(head_has_no_body),
	UNIT_TEST(answer_may_come_in_splinters),
	UNIT_TEST(headers_beyond_the_caps_are_dropped),
	UNIT_TEST(retry_after_may_be_a_date), UNIT_TEST(redirects_are_answers),
	UNIT_TEST(bodies_have_a_limit), UNIT_TEST(a_closed_port_takes_nothing),
	UNIT_TEST(lost_answers_are_told_apart_from_lost_requests),
	UNIT_TEST(deadlines_name_what_they_cut),
	UNIT_TEST(a_handshake_without_end_was_not_dispatched),
	UNIT_TEST(nothing_but_the_idempotent_is_sent_again),
	UNIT_TEST(a_request_without_a_body_is_not_sent_again_either));
