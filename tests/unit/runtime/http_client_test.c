/* SPDX-License-Identifier: Apache-2.0 */
/* Many exchanges: streams, cancelling, pools, caps, address policy, and what is refused. */
#include "tests/unit/runtime/http_peer.h"

#include <event2/event.h>

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

static void answer_at_stage_one(struct peer *self, int fd, int number)
{
	(void)number;
	while (peer_read(self, fd)) {
		peer_wait(self, 1);
		peer_send(fd, PEER_OK);
	}
}

/* Answers nothing until the cap of connections is reached. */
static void answer_at_the_cap(struct peer *self, int fd, int number)
{
	if (number == HTTP_CLIENT_CONNECTIONS - 1)
		peer_go(self, 1);
	answer_at_stage_one(self, fd, number);
}

static void stream_two_events(struct peer *self, int fd, int number)
{
	(void)number;
	peer_read(self, fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	peer_send(fd, "9\r\ndata: 1\n\n\r\n");
	peer_wait(self, 1);
	peer_send(fd, "9\r\ndata: 2\n\n\r\n0\r\n\r\n");
	peer_hold(fd);
}

/* A byte at each stage up to 3, then silence. */
static void stream_and_fall_silent(struct peer *self, int fd, int number)
{
	(void)number;
	peer_read(self, fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int stage = 1; stage <= 3; stage++) {
		peer_wait(self, stage);
		peer_send(fd, "1\r\n:\r\n");
	}
	peer_hold(fd);
}

static void refuse_the_stream(struct peer *self, int fd, int number)
{
	(void)number;
	while (peer_read(self, fd))
		peer_send(fd, "HTTP/1.1 403 No\r\nContent-Length: 6\r\n\r\ndenied");
}

/* ---- streams ---- */

static void a_stream_comes_in_pieces(void)
{
	struct exchange stream, other;

	begin(stream_two_events);
	exchange_init(&stream, &bench, &peer, "GET");
	exchange_stream(&stream);
	exchange_init(&other, &bench, &peer, "GET");
	exchange_stream(&other);
	/* Starting another exchange inside a callback of libcurl's. */
	stream.start_in_data = &other;
	peer_go(&peer, 1);
	exchange_run(&stream);
	CU_ASSERT(stream.result == CG_HTTP_DONE && stream.status == 200);
	CU_ASSERT(stream.heads == 1 && stream.head_status == 200 && stream.pieces >= 1);
	CU_ASSERT(stream.length == 0);
	CU_ASSERT(stream.streamed == 18);
	CU_ASSERT_STRING_EQUAL(stream.stream, "data: 1\n\ndata: 2\n\n");
	CU_ASSERT(
		other.done == 1 && other.result == CG_HTTP_DONE && other.streamed == 18);
	end();
}

static void a_refused_stream_comes_with_its_body(void)
{
	struct exchange stream;

	begin(refuse_the_stream);
	exchange_init(&stream, &bench, &peer, "GET");
	exchange_stream(&stream);
	exchange_run(&stream);
	CU_ASSERT(stream.result == CG_HTTP_DONE && stream.status == 403);
	CU_ASSERT(stream.heads == 1 && stream.head_status == 403 && stream.pieces == 0);
	CU_ASSERT_STRING_EQUAL(stream.body, "denied");
	exchange_init(&stream, &bench, &peer, "GET");
	exchange_stream(&stream);
	stream.request.response_limit = 5;
	exchange_run(&stream);
	CU_ASSERT(stream.result == CG_HTTP_TOO_LARGE && stream.status == 403);
	end();
}

static void a_receiver_may_end_a_stream(void)
{
	struct exchange stream;

	begin(stream_two_events);
	exchange_init(&stream, &bench, &peer, "GET");
	exchange_stream(&stream);
	stream.refuse = true;
	exchange_run(&stream);
	CU_ASSERT(stream.result == CG_HTTP_CANCELLED && stream.pieces == 1);
	end();
}

static int64_t virtual_ms;

static int64_t virtual_mono(const struct clock *clock)
{
	(void)clock;
	return virtual_ms;
}

static void stop(void *arg)
{
	loop_stop(arg);
}

/* Let real time pass, so that a watchdog that is wrong can bark. */
static void pass_time(void)
{
	struct loop_timer timer;

	CU_ASSERT_FATAL(loop_timer_init(&timer, bench.loop, stop, bench.loop) == CG_OK);
	loop_timer_set(&timer, 60);
	loop_run(bench.loop);
	loop_timer_finish(&timer);
}

static void silence_ends_a_stream_and_any_byte_puts_it_off(void)
{
	struct exchange stream;

	begin(stream_and_fall_silent);
	bench.clock.mono_ms = virtual_mono;
	virtual_ms = 1000;
	exchange_init(&stream, &bench, &peer, "GET");
	exchange_stream(&stream);
	stream.request.silence_ms = 20;
	CU_ASSERT(exchange_start(&stream) == CG_OK);
	for (int stage = 1; stage <= 3; stage++) {
		virtual_ms += 19;
		peer_go(&peer, stage);
		while (stream.pieces < (size_t)stage && stream.done == 0)
			loop_turn(bench.loop);
		pass_time();
		CU_ASSERT(stream.done == 0);
	}
	virtual_ms += 20;
	bench_run(&bench);
	CU_ASSERT(stream.result == CG_HTTP_TIMED_OUT && stream.streamed == 3);
	end();
}

/* The loop's timers end them; what they have not ended is late. */
static void what_should_have_ended_is_late(void)
{
	struct exchange call, stream;

	begin(stream_and_fall_silent);
	bench.clock.mono_ms = virtual_mono;
	virtual_ms = 1000;
	exchange_init(&call, &bench, &peer, "GET");
	exchange_init(&stream, &bench, &peer, "GET");
	exchange_stream(&stream);
	CU_ASSERT(http_client_late_ms(bench.client) == 0);
	CU_ASSERT(exchange_start(&stream) == CG_OK);
	virtual_ms += HTTP_CLIENT_LATE_MS; /* a stream may last */
	CU_ASSERT(http_client_late_ms(bench.client) == 0);
	CU_ASSERT(exchange_start(&call) == CG_OK);
	virtual_ms += call.request.timeout_ms;
	CU_ASSERT(http_client_late_ms(bench.client) == 0);
	virtual_ms += HTTP_CLIENT_LATE_MS;
	CU_ASSERT(http_client_late_ms(bench.client) == HTTP_CLIENT_LATE_MS);
	exchange_cancel(&call);
	CU_ASSERT(http_client_late_ms(bench.client) == 0);
	exchange_cancel(&stream);
	exchange_init(&stream, &bench, &peer, "GET");
	exchange_stream(&stream);
	stream.request.silence_ms = 30000;
	CU_ASSERT(exchange_start(&stream) == CG_OK);
	virtual_ms += 30000 + 5;
	CU_ASSERT(http_client_late_ms(bench.client) == 5);
	exchange_cancel(&stream);
	peer_go(&peer, 3);
	end();
}

/* ---- cancelling ---- */

static void cancel_is_safe_in_every_callback(void)
{
	for (int way = 0; way < 2; way++) {
		struct exchange stream;

		begin(stream_two_events);
		exchange_init(&stream, &bench, &peer, "GET");
		exchange_stream(&stream);
		stream.cancel_in_head = way == 0;
		stream.cancel_in_data = way == 1;
		CU_ASSERT(exchange_start(&stream) == CG_OK);
		bench_run(&bench);
		CU_ASSERT(http_client_active(bench.client) == 0);
		peer_go(&peer, 1);
		pass_time();
		CU_ASSERT(stream.heads == 1 && stream.done == 0);
		CU_ASSERT(stream.pieces == (size_t)way);
		end();
	}
}

/* The first connection answers at stage one, the others never. */
static void answer_the_first(struct peer *self, int fd, int number)
{
	if (number == 0)
		answer_at_stage_one(self, fd, number);
	else
		peer_hold(fd);
}

static void cancel_works_before_during_and_from_another_s_end(void)
{
	struct exchange first, second, third;

	begin(answer_the_first);
	exchange_init(&first, &bench, &peer, "GET");
	exchange_init(&second, &bench, &peer, "GET");
	exchange_init(&third, &bench, &peer, "GET");
	/* Before it began. */
	CU_ASSERT(exchange_start(&third) == CG_OK);
	CU_ASSERT(http_client_active(bench.client) == 1);
	http_client_cancel(bench.client, third.call);
	http_client_cancel(bench.client, third.call);
	http_client_cancel(bench.client, NULL);
	bench.waiting--;
	CU_ASSERT(http_client_active(bench.client) == 0);
	loop_turn(bench.loop);
	CU_ASSERT(peer_connections(&peer) == 0);
	/* Under way, from the end of another. */
	first.cancel_in_done = &second;
	CU_ASSERT(exchange_start(&first) == CG_OK);
	while (peer_requests(&peer) < 1)
		loop_turn(bench.loop);
	CU_ASSERT(exchange_start(&second) == CG_OK);
	while (peer_connections(&peer) < 2)
		loop_turn(bench.loop);
	CU_ASSERT(http_client_active(bench.client) == 2);
	peer_go(&peer, 1);
	bench_run(&bench);
	CU_ASSERT(first.done == 1 && second.done == 0 && third.done == 0);
	CU_ASSERT(http_client_active(bench.client) == 0);
	loop_turn(bench.loop);
	end();
}

static void destroy_ends_everything_without_a_call(void)
{
	struct exchange running, queued;

	begin(answer_at_stage_one);
	exchange_init(&running, &bench, &peer, "POST");
	exchange_body(&running, "x");
	exchange_init(&queued, &bench, &peer, "GET");
	CU_ASSERT(exchange_start(&running) == CG_OK);
	while (peer_requests(&peer) < 1)
		loop_turn(bench.loop);
	CU_ASSERT(exchange_start(&queued) == CG_OK);
	end();
	CU_ASSERT(running.done == 0 && queued.done == 0);
	http_client_destroy(NULL);
}

/* ---- connections ---- */

static void connections_are_reused_and_rest_in_silence(void)
{
	struct exchange get;

	begin(answer_ok);
	for (int i = 0; i < 3; i++) {
		exchange_init(&get, &bench, &peer, "GET");
		get.request.flags = CG_HTTP_IDEMPOTENT;
		exchange_run(&get);
		CU_ASSERT(get.result == CG_HTTP_DONE);
	}
	CU_ASSERT(peer_connections(&peer) == 1);
	/* The open connection wakes nobody: neither timer nor descriptor is left. */
	loop_turn(bench.loop);
	loop_turn(bench.loop);
	CU_ASSERT(event_base_get_num_events(
			  loop_base(bench.loop), EVENT_BASE_COUNT_ADDED) == 0);
	end();
}

static void a_named_pool_shares_with_nobody(void)
{
	static const struct {
		const char *pool;
		uint32_t flags;
		int connections; /* so far */
	} rows[] = {
		{NULL, 0, 1},
		{"poll", CG_HTTP_OWN_CONNECTION, 2},
		{NULL, 0, 2},
		{"poll", CG_HTTP_OWN_CONNECTION, 2},
		{"other", CG_HTTP_OWN_CONNECTION, 3},
		{NULL, CG_HTTP_OWN_CONNECTION, 4}, /* one of its own each time */
		{NULL, CG_HTTP_OWN_CONNECTION, 5},
		{NULL, 0, 5},
	};

	begin(answer_ok);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange get;

		exchange_init(&get, &bench, &peer, "GET");
		get.request.flags = rows[i].flags | CG_HTTP_IDEMPOTENT;
		get.request.pool = rows[i].pool;
		exchange_run(&get);
		CU_ASSERT(get.result == CG_HTTP_DONE);
		CU_ASSERT(peer_connections(&peer) == rows[i].connections);
	}
	end();
}

static void idle_pools_make_room_for_new_names(void)
{
	struct exchange polls[HTTP_CLIENT_POOLS + 1];
	char names[HTTP_CLIENT_POOLS + 1][16];

	begin(answer_at_stage_one);
	for (size_t i = 0; i <= HTTP_CLIENT_POOLS; i++) {
		snprintf(names[i], sizeof(names[i]), "pool%zu", i);
		exchange_init(&polls[i], &bench, &peer, "GET");
		polls[i].request.flags = CG_HTTP_OWN_CONNECTION;
		polls[i].request.pool = names[i];
		CU_ASSERT(exchange_start(&polls[i]) ==
			  (i < HTTP_CLIENT_POOLS ? CG_OK : CG_LIMIT));
	}
	peer_go(&peer, 1);
	bench_run(&bench);
	loop_turn(bench.loop);
	exchange_run(&polls[HTTP_CLIENT_POOLS]);
	CU_ASSERT(polls[HTTP_CLIENT_POOLS].result == CG_HTTP_DONE);
	end();
}

static void connections_and_calls_have_their_caps(void)
{
	enum { COUNT = HTTP_CLIENT_CONNECTIONS + 20 };
	struct exchange *gets = calloc(HTTP_CLIENT_CALLS + 1, sizeof(*gets));

	CU_ASSERT_FATAL(gets != NULL);
	begin(answer_at_the_cap);
	for (int i = 0; i < COUNT; i++) {
		exchange_init(&gets[i], &bench, &peer, "GET");
		gets[i].request.flags = CG_HTTP_IDEMPOTENT;
		CU_ASSERT(exchange_start(&gets[i]) == CG_OK);
	}
	while (peer_requests(&peer) < HTTP_CLIENT_CONNECTIONS && bench.waiting == COUNT)
		loop_turn(bench.loop);
	CU_ASSERT(peer_connections(&peer) == HTTP_CLIENT_CONNECTIONS);
	bench_run(&bench);
	for (int i = 0; i < COUNT; i++)
		CU_ASSERT(gets[i].result == CG_HTTP_DONE && gets[i].done == 1);
	loop_turn(bench.loop);

	for (int i = 0; i <= HTTP_CLIENT_CALLS; i++) {
		exchange_init(&gets[i], &bench, &peer, "GET");
		CU_ASSERT(exchange_start(&gets[i]) ==
			  (i < HTTP_CLIENT_CALLS ? CG_OK : CG_LIMIT));
	}
	CU_ASSERT(http_client_active(bench.client) == HTTP_CLIENT_CALLS);
	end();
	free(gets);
}

static void a_unix_socket_takes_the_place_of_an_address(void)
{
	char path[] = "/tmp/cowgate-XXXXXX", file[64];
	struct exchange get;

	CU_ASSERT_FATAL(mkdtemp(path) != NULL);
	snprintf(file, sizeof(file), "%s/s", path);
	peer_start(&peer, answer_ok, file);
	bench_init(&bench);
	exchange_init(&get, &bench, &peer, "GET");
	get.request.unix_socket = file;
	get.request.reach = CG_REACH_PUBLIC;
	exchange_run(&get);
	CU_ASSERT(get.result == CG_HTTP_DONE && get.status == 200);
	end();
	unlink(file);
	rmdir(path);
}

static void addresses_are_judged_at_the_socket(void)
{
	static const char *const spellings[] = {"127.0.0.1", "localhost", "127.1",
		"2130706433", "0x7f.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "0"};
	struct exchange get;

	begin(answer_ok);
	/* A connection that another reach has opened is no way around. */
	exchange_init(&get, &bench, &peer, "GET");
	get.request.reach = CG_REACH_LOOPBACK;
	exchange_run(&get);
	CU_ASSERT(get.result == CG_HTTP_DONE);
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		exchange_init(&get, &bench, &peer, "POST");
		snprintf(get.url, sizeof(get.url), "http://%s%s/", spellings[i],
			strchr(peer.host, ':'));
		get.request.reach = CG_REACH_PUBLIC;
		exchange_body(&get, "x");
		exchange_run(&get);
		CU_ASSERT(get.result == CG_HTTP_POLICY);
	}
	CU_ASSERT(peer_connections(&peer) == 1);
	end();
}

/* ---- what is refused ---- */

static void expect_invalid(const struct exchange *good, struct cg_http_request bad)
{
	struct cg_error error;
	struct cg_http_call *call = NULL;

	CU_ASSERT(http_client_start(bench.client, &bad, &call, &error) == CG_INVALID);
	CU_ASSERT(error.status == CG_INVALID && error.text[0] != '\0');
	CU_ASSERT(strstr(error.text, "secret") == NULL);
	CU_ASSERT(call == NULL && good->done == 0);
}

#define EXPECT_INVALID(...) \
	do { \
		struct cg_http_request bad = get.request; \
		__VA_ARGS__; \
		expect_invalid(&get, bad); \
	} while (0)

static void requests_that_break_a_rule_are_refused(void)
{
	static const struct cg_http_header headers[] = {{"Host: secret\r\nA", "b"},
		{"", "b"}, {NULL, "b"}, {"A", "secret\r\nB: c"}, {"A", NULL},
		{"content-length", "3"}, {"Transfer-Encoding", "chunked"},
		{"Expect", "100-continue"}, {"Connection", "close"}};
	static const char *const urls[] = {NULL, "", "secret", "//secret/",
		"ftp://secret/", "file:///etc/secret", "http://", "http://a:99999/secret",
		"http://user:secret@host/", "http://secret@host/"};
	char wide[9000];
	struct cg_http_header header = {"A", wide};
	struct exchange get;

	begin(answer_ok);
	exchange_init(&get, &bench, &peer, "GET");
	memset(wide, 'x', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		EXPECT_INVALID(bad.headers = &headers[i], bad.header_count = 1);
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		EXPECT_INVALID(bad.url = urls[i]);
	EXPECT_INVALID(bad.headers = &header, bad.header_count = 1);
	EXPECT_INVALID(bad.size = sizeof(bad) - 1);
	EXPECT_INVALID(bad.method = NULL);
	EXPECT_INVALID(bad.method = "GET /secret");
	EXPECT_INVALID(bad.on_done = NULL);
	EXPECT_INVALID(bad.timeout_ms = 0);
	EXPECT_INVALID(bad.timeout_ms = -1);
	EXPECT_INVALID(bad.connect_timeout_ms = -1);
	EXPECT_INVALID(bad.silence_ms = -1);
	EXPECT_INVALID(bad.reach = (enum cg_http_reach)4);
	EXPECT_INVALID(bad.pool = "");
	EXPECT_INVALID(bad.pool = wide);
	EXPECT_INVALID(bad.body_length = 1);
	EXPECT_INVALID(bad.method = "HEAD", bad.body = "x", bad.body_length = 1);
	/* And it was good without that. */
	exchange_run(&get);
	CU_ASSERT(get.result == CG_HTTP_DONE);
	CU_ASSERT(peer_connections(&peer) == 1);
	end();
}

static void trust_needs_a_file_that_can_be_read(void)
{
	bench_init(&bench);
	CU_ASSERT(http_client_trust(bench.client, "/nonexistent/ca.pem") == CG_NOT_FOUND);
	CU_ASSERT(http_client_trust(bench.client, "/dev/null") == CG_OK);
	CU_ASSERT(http_client_trust(bench.client, NULL) == CG_OK);
	bench_finish(&bench);
}

UNIT_SUITE(http_client, UNIT_TEST(a_stream_comes_in_pieces),
	UNIT_TEST(a_refused_stream_comes_with_its_body),
	UNIT_TEST(a_receiver_may_end_a_stream),
	UNIT_TEST(silence_ends_a_stream_and_any_byte_puts_it_off),
	UNIT_TEST(what_should_have_ended_is_late),
	UNIT_TEST(cancel_is_safe_in_every_callback),
	UNIT_TEST(cancel_works_before_during_and_from_another_s_end),
	UNIT_TEST(destroy_ends_everything_without_a_call),
	UNIT_TEST(connections_are_reused_and_rest_in_silence),
	UNIT_TEST(a_named_pool_shares_with_nobody),
	UNIT_TEST(idle_pools_make_room_for_new_names),
	UNIT_TEST(connections_and_calls_have_their_caps),
	UNIT_TEST(a_unix_socket_takes_the_place_of_an_address),
	UNIT_TEST(addresses_are_judged_at_the_socket),
	UNIT_TEST(requests_that_break_a_rule_are_refused),
	UNIT_TEST(trust_needs_a_file_that_can_be_read));
