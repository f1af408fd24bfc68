/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/cloud_link.h"

#include "tests/unit/runtime/http_peer.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <poll.h>

#define TOKEN "occ_tok_secret-secret"
#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"

struct caller {
	struct peer peer;
	struct clock clock;
	struct loop *loop;
	struct http_client *http;
	struct cg_secret token;
	struct cloud_link *link;
	struct cloud_transport transport;
	struct cloud_exchange *exchange;
	/* What came. */
	unsigned answers, opened, alive, events, ended;
	unsigned pause_after, cancel_after; /* events; 0: never */
	struct cloud_reply reply; /* its body is not kept */
	char field[64], error[256], types[256];
};

static enum cg_status make_link(
	struct caller *caller, const char *url, bool insecure, struct cg_error *err)
{
	struct cloud_link_options options = {
		.base_url = url, .token = &caller->token, .allow_insecure = insecure};

	return cloud_link_create(
		caller->loop, caller->http, &options, &caller->link, err);
}

static void begin(struct caller *caller, peer_script script)
{
	memset(caller, 0, sizeof(*caller));
	clock_system(&caller->clock, 0);
	peer_start(&caller->peer, script, NULL);
	CU_ASSERT_EQUAL_FATAL(loop_create(&caller->clock, &caller->loop, NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(
		http_client_create(caller->loop, &caller->http, NULL), CG_OK);
	cg_secret_set(&caller->token, TOKEN, strlen(TOKEN));
	CU_ASSERT_EQUAL_FATAL(make_link(caller, caller->peer.url, false, NULL), CG_OK);
	cloud_link_transport(caller->link, &caller->transport);
}

static void finish(struct caller *caller)
{
	cloud_link_destroy(caller->link);
	http_client_destroy(caller->http);
	loop_turn(caller->loop);
	loop_destroy(caller->loop);
	cg_secret_wipe(&caller->token);
	peer_stop(&caller->peer);
}

static void on_done(void *arg, const struct cloud_reply *reply)
{
	struct caller *caller = arg;

	caller->answers++;
	caller->reply = *reply;
	snprintf(caller->field, sizeof(caller->field), "%s",
		cg_json_string_or(reply->body, "field", ""));
	snprintf(caller->error, sizeof(caller->error), "%s",
		reply->error == NULL ? "" : reply->error);
}

static void on_open(void *arg)
{
	((struct caller *)arg)->opened++;
}

static void on_alive(void *arg)
{
	((struct caller *)arg)->alive++;
}

static bool on_event(void *arg, const struct cloud_event *event)
{
	struct caller *caller = arg;

	caller->events++;
	snprintf(caller->types + strlen(caller->types),
		sizeof(caller->types) - strlen(caller->types), "%s:%lld ", event->type,
		(long long)event->id);
	if (caller->events == caller->cancel_after)
		caller->transport.cancel(caller->transport.self, caller->exchange);
	return caller->events != caller->pause_after;
}

static void on_end(void *arg, const struct cloud_reply *reply)
{
	struct caller *caller = arg;

	caller->ended++;
	caller->reply = *reply;
	snprintf(caller->field, sizeof(caller->field), "%s",
		cg_json_string_or(reply->body, "field", ""));
}

static void ask(struct caller *caller, const char *method, struct json_object *body)
{
	const struct cloud_request request = {.method = method,
		.path = "/api/channels/x",
		.query = "a=b%20c",
		.body = body,
		.timeout_ms = 5000};

	CU_ASSERT_EQUAL_FATAL(caller->transport.call(caller->link, &request, on_done,
				      caller, &caller->exchange, NULL),
		CG_OK);
	CU_ASSERT_EQUAL(caller->answers, 0); /* never inside */
	for (int i = 0; caller->answers == 0 && i < 10000; i++) {
		loop_turn(caller->loop);
		poll(NULL, 0, 1);
	}
	CU_ASSERT_EQUAL_FATAL(caller->answers, 1);
}

static void follow(struct caller *caller)
{
	const struct cloud_request request = {
		.method = "GET", .path = "/api/channels/x", .idempotent = true};
	const struct cloud_stream_handler handler = {.open = on_open,
		.event = on_event,
		.alive = on_alive,
		.end = on_end,
		.arg = caller};

	CU_ASSERT_EQUAL_FATAL(caller->transport.stream(caller->link, &request, &handler,
				      &caller->exchange, NULL),
		CG_OK);
}

static bool turn_until(struct caller *caller, const unsigned *count, unsigned wanted)
{
	for (int i = 0; *count < wanted && i < 10000; i++) {
		loop_turn(caller->loop);
		poll(NULL, 0, 1);
	}
	return *count >= wanted;
}

/* Until no exchange is under way. */
static void turn_until_quiet(struct caller *caller)
{
	for (int i = 0; http_client_active(caller->http) > 0 && i < 10000; i++) {
		loop_turn(caller->loop);
		poll(NULL, 0, 1);
	}
	CU_ASSERT_EQUAL(http_client_active(caller->http), 0);
}

/* Scripts of the peer. */

static void say(struct peer *peer, int fd, const char *text)
{
	if (peer_read(peer, fd))
		peer_send(fd, text);
}

static void answer_field(struct peer *peer, int fd, int number)
{
	(void)number;
	say(peer, fd, "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"field\":\"x\"}");
}

static void answer_limit(struct peer *peer, int fd, int number)
{
	(void)number;
	say(peer, fd,
		"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 13\r\n\r\n"
		"{\"field\":\"y\"}");
}

static void answer_redirect(struct peer *peer, int fd, int number)
{
	(void)number;
	say(peer, fd,
		"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
		"Content-Length: 0\r\n\r\n");
}

static void answer_page(struct peer *peer, int fd, int number)
{
	(void)number;
	say(peer, fd,
		"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n"
		"<html>");
}

static void answer_no_backend(struct peer *peer, int fd, int number)
{
	(void)number;
	say(peer, fd,
		"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: "
		"6\r\n\r\n<html>");
}

static void answer_unknown(struct peer *peer, int fd, int number)
{
	(void)number;
	say(peer, fd,
		"HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\n{\"field\":\"z\"}");
}

static void answer_too_long(struct peer *peer, int fd, int number)
{
	(void)number;
	say(peer, fd, "HTTP/1.1 413 Too Large\r\nContent-Length: 6\r\n\r\n<html>");
}

static void answer_nothing(struct peer *peer, int fd, int number)
{
	(void)number;
	peer_read(peer, fd);
}

static void stream_three(struct peer *peer, int fd, int number)
{
	(void)number;
	say(peer, fd,
		HEAD ": connected\n\nid: 1\nevent: a\ndata: {}\n\nid: 2\nevent: b\r\n"
		     "data: {\r\ndata: }\r\n\r\ndata: no json\n\nevent: c\ndata: {}\n\n");
}

static void stream_flood(struct peer *peer, int fd, int number)
{
	(void)number;
	say(peer, fd, HEAD "event: a\ndata: {}\n\n");
	for (int i = 0; i < 2 * CLOUD_LINK_HELD; i++)
		peer_send(fd, "event: b\ndata: {}\n\n");
}

/* Tests. */

static void cloud_link_calls_carry_token_and_id(void)
{
	struct json_object *body = cg_json_new_object();
	struct caller caller;

	begin(&caller, answer_field);
	cg_json_put_string(body, "k", "v");
	ask(&caller, "POST", body);
	cg_json_free(body);
	CU_ASSERT_EQUAL(caller.reply.status, CG_OK);
	CU_ASSERT_EQUAL(caller.reply.http_status, 200);
	CU_ASSERT_STRING_EQUAL(caller.field, "x");
	CU_ASSERT_PTR_NOT_NULL(
		strstr(caller.peer.last, "POST /api/channels/x?a=b%20c HTTP/1.1"));
	CU_ASSERT_PTR_NOT_NULL(strstr(caller.peer.last, "authorization: Bearer " TOKEN));
	CU_ASSERT_PTR_NOT_NULL(strstr(caller.peer.last, "x-request-id: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(caller.peer.last, "{\"k\":\"v\"}"));
	finish(&caller);
}

static void cloud_link_tells_what_the_cloud_said(void)
{
	struct caller caller;

	begin(&caller, answer_limit);
	ask(&caller, "GET", NULL);
	CU_ASSERT_EQUAL(caller.reply.http_status, 429);
	CU_ASSERT_EQUAL(caller.reply.retry_after_ms, 7000);
	CU_ASSERT_STRING_EQUAL(caller.field, "y");
	finish(&caller);
	begin(&caller, answer_redirect);
	ask(&caller, "GET", NULL);
	CU_ASSERT_EQUAL(caller.reply.http_status, 302); /* and no further */
	finish(&caller);
	begin(&caller, answer_nothing);
	ask(&caller, "POST", NULL);
	CU_ASSERT_EQUAL(caller.reply.status, CG_NETWORK);
	CU_ASSERT_TRUE(caller.reply.dispatched);
	CU_ASSERT_PTR_NULL(strstr(caller.error, TOKEN));
	finish(&caller);
}

/* A proxy without its backend knows nothing of what the Cloud has. */
static void cloud_link_believes_refusals_of_the_cloud_alone(void)
{
	static const struct {
		peer_script script;
		enum cg_status status;
		int http_status;
	} rows[] = {{answer_no_backend, CG_PROTOCOL, 0}, {answer_unknown, CG_OK, 404},
		{answer_too_long, CG_OK, 413}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct caller caller;

		begin(&caller, rows[i].script);
		ask(&caller, "GET", NULL);
		CU_ASSERT_EQUAL(caller.reply.status, rows[i].status);
		CU_ASSERT_EQUAL(caller.reply.http_status, rows[i].http_status);
		finish(&caller);
		begin(&caller, rows[i].script);
		follow(&caller);
		CU_ASSERT_TRUE(turn_until(&caller, &caller.ended, 1));
		CU_ASSERT_EQUAL(caller.reply.status, rows[i].status);
		CU_ASSERT_EQUAL(caller.reply.http_status, rows[i].http_status);
		CU_ASSERT_EQUAL(caller.events, 0);
		finish(&caller);
	}
}

static void cloud_link_streams_events(void)
{
	struct caller caller;

	begin(&caller, stream_three);
	follow(&caller);
	CU_ASSERT_TRUE(turn_until(&caller, &caller.ended, 1));
	CU_ASSERT_EQUAL(caller.opened, 1);
	CU_ASSERT_TRUE(caller.alive > 0);
	CU_ASSERT_STRING_EQUAL(caller.types, "a:1 b:2 c:2 ");
	CU_ASSERT_EQUAL(caller.reply.status, CG_OK); /* a clean end */
	CU_ASSERT_EQUAL(caller.reply.http_status, 200);
	finish(&caller);
}

static void cloud_link_holds_what_comes_while_paused(void)
{
	struct caller caller;

	begin(&caller, stream_three);
	caller.pause_after = 1;
	follow(&caller);
	CU_ASSERT_TRUE(turn_until(&caller, &caller.events, 1));
	turn_until_quiet(&caller); /* the end has come, and waits with the rest */
	CU_ASSERT_EQUAL(caller.events, 1);
	CU_ASSERT_EQUAL(caller.ended, 0);
	caller.transport.resume(caller.link, caller.exchange);
	CU_ASSERT_EQUAL(caller.events, 1); /* on a later turn */
	CU_ASSERT_TRUE(turn_until(&caller, &caller.ended, 1));
	CU_ASSERT_STRING_EQUAL(caller.types, "a:1 b:2 c:2 ");
	finish(&caller);
}

static void cloud_link_drops_what_is_paused_too_long(void)
{
	struct caller caller;

	begin(&caller, stream_flood);
	caller.pause_after = 1;
	follow(&caller);
	CU_ASSERT_TRUE(turn_until(&caller, &caller.events, 1));
	turn_until_quiet(&caller); /* the connection was given up */
	caller.transport.resume(caller.link, caller.exchange);
	CU_ASSERT_TRUE(turn_until(&caller, &caller.ended, 1));
	CU_ASSERT_EQUAL(caller.events, 1 + CLOUD_LINK_HELD);
	CU_ASSERT_EQUAL(caller.reply.http_status, 200); /* come back from the cursor */
	finish(&caller);
}

static void cloud_link_can_be_cancelled_inside(void)
{
	struct caller caller;

	begin(&caller, stream_three);
	caller.cancel_after = 2;
	follow(&caller);
	CU_ASSERT_TRUE(turn_until(&caller, &caller.events, 2));
	turn_until_quiet(&caller);
	CU_ASSERT_EQUAL(caller.events, 2);
	CU_ASSERT_EQUAL(caller.ended, 0);
	finish(&caller);
}

static void cloud_link_refuses_what_is_no_stream(void)
{
	struct caller caller;

	begin(&caller, answer_page);
	follow(&caller);
	CU_ASSERT_TRUE(turn_until(&caller, &caller.ended, 1));
	CU_ASSERT_EQUAL(caller.opened, 0);
	CU_ASSERT_EQUAL(caller.reply.status, CG_PROTOCOL);
	finish(&caller);
	begin(&caller, answer_limit);
	follow(&caller);
	CU_ASSERT_TRUE(turn_until(&caller, &caller.ended, 1));
	CU_ASSERT_EQUAL(caller.opened, 0);
	CU_ASSERT_EQUAL(caller.reply.http_status, 429);
	CU_ASSERT_EQUAL(caller.reply.retry_after_ms, 7000);
	CU_ASSERT_STRING_EQUAL(caller.field, "y");
	finish(&caller);
}

static void cloud_link_judges_its_url(void)
{
	static const struct {
		const char *url;
		bool insecure, good;
	} cases[] = {
		{"https://cloud.example.org", false, true},
		{"https://cloud.example.org/under/a/path", false, true},
		{"http://localhost:8080", false, true},
		{"http://127.0.0.1:1", false, true},
		{"http://cloud.example.org", false, false},
		{"http://cloud.example.org", true, true},
		{"https://user:pass@cloud.example.org", false, false},
		{"https://cloud.example.org?x=1", false, false},
		{"ftp://cloud.example.org", true, false},
		{"", true, false},
		{NULL, true, false},
	};
	struct caller caller;
	struct cg_error err;

	begin(&caller, answer_field);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cloud_link_destroy(caller.link);
		caller.link = NULL;
		CU_ASSERT_EQUAL(make_link(&caller, cases[i].url, cases[i].insecure,
					&err) == CG_OK,
			cases[i].good);
	}
	CU_ASSERT_EQUAL(cg_secret_set(&caller.token, "a\r\nb", 4), CG_OK);
	CU_ASSERT_NOT_EQUAL(
		make_link(&caller, "https://cloud.example.org", false, &err), CG_OK);
	cg_secret_wipe(&caller.token);
	CU_ASSERT_NOT_EQUAL(
		make_link(&caller, "https://cloud.example.org", false, &err), CG_OK);
	finish(&caller);
}

static void cloud_link_needs_the_authority_that_it_is_told(void)
{
	struct cloud_link_options options = {.base_url = "https://cloud.example.org",
		.ca_file = "/nonexistent/ca.pem"};
	struct cloud_link *link = NULL;
	struct caller caller;
	struct cg_error err;

	begin(&caller, answer_field);
	options.token = &caller.token;
	CU_ASSERT_EQUAL(
		cloud_link_create(caller.loop, caller.http, &options, &link, &err),
		CG_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/ca.pem cannot be read"));
	CU_ASSERT_PTR_NULL(link);
	finish(&caller);
}

UNIT_SUITE(cloud_link, UNIT_TEST(cloud_link_calls_carry_token_and_id),
	UNIT_TEST(cloud_link_tells_what_the_cloud_said),
	UNIT_TEST(cloud_link_believes_refusals_of_the_cloud_alone),
	UNIT_TEST(cloud_link_streams_events),
	UNIT_TEST(cloud_link_holds_what_comes_while_paused),
	UNIT_TEST(cloud_link_drops_what_is_paused_too_long),
	UNIT_TEST(cloud_link_can_be_cancelled_inside),
	UNIT_TEST(cloud_link_refuses_what_is_no_stream),
	UNIT_TEST(cloud_link_judges_its_url),
	UNIT_TEST(cloud_link_needs_the_authority_that_it_is_told));
