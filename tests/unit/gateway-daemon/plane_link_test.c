/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/house.h"
#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

struct caller {
	unsigned answers;
	int status;
	bool dispatched;
	enum cg_status outcome;
	char field[64]; /* "epoch", or "error" */
	/* Of a stream. */
	unsigned opened, events, ended;
	unsigned pause_after; /* 0: never */
	struct cloud_transport *transport; /* with cancel_after */
	struct cloud_exchange *exchange;
	unsigned cancel_after;
	int64_t last_id;
	char last_type[32];
};

static void on_done(void *arg, const struct cloud_reply *reply)
{
	struct caller *caller = arg;
	const char *error = cg_json_string_or(reply->body, "error", "");

	caller->answers++;
	caller->status = reply->http_status;
	caller->dispatched = reply->dispatched;
	caller->outcome = reply->status;
	snprintf(caller->field, sizeof(caller->field), "%s",
		cg_json_string_or(reply->body, "epoch", error));
}

static void on_open(void *arg)
{
	((struct caller *)arg)->opened++;
}

static bool on_event(void *arg, const struct cloud_event *event)
{
	struct caller *caller = arg;

	caller->events++;
	caller->last_id = event->id;
	snprintf(caller->last_type, sizeof(caller->last_type), "%s", event->type);
	CU_ASSERT_PTR_NOT_NULL(event->data);
	if (caller->events == caller->cancel_after)
		caller->transport->cancel(caller->transport->self, caller->exchange);
	return caller->events != caller->pause_after;
}

static void on_alive(void *arg)
{
	(void)arg;
	CU_FAIL("an idle stream in memory says nothing");
}

static void on_end(void *arg, const struct cloud_reply *reply)
{
	struct caller *caller = arg;

	caller->ended++;
	caller->status = reply->http_status;
}

static struct cloud_exchange *ask(struct cloud_transport *transport, const char *method,
	const char *path, struct json_object *body, struct caller *caller)
{
	const struct cloud_request request = {
		.method = method, .path = path, .body = body};
	struct cloud_exchange *exchange = NULL;

	*caller = (struct caller){.status = -1};
	CU_ASSERT_EQUAL_FATAL(transport->call(transport->self, &request, on_done, caller,
				      &exchange, NULL),
		CG_OK);
	CU_ASSERT_EQUAL(caller->answers, 0); /* never before it returns */
	return exchange;
}

static void follow(struct cloud_transport *transport, const char *path, const char *query,
	struct caller *caller)
{
	const struct cloud_request request = {
		.method = "GET", .path = path, .query = query};
	const struct cloud_stream_handler handler = {.open = on_open,
		.event = on_event,
		.alive = on_alive,
		.end = on_end,
		.arg = caller};

	caller->transport = transport;
	CU_ASSERT_EQUAL_FATAL(transport->stream(transport->self, &request, &handler,
				      &caller->exchange, NULL),
		CG_OK);
	CU_ASSERT_EQUAL(caller->opened + caller->ended, 0);
}

static void plane_link_carries_calls(void)
{
	struct cloud_transport transport;
	struct fixture fixture;
	struct caller caller;

	fixture_start(&fixture);
	plane_link(fixture.plane, &transport);
	CU_ASSERT(transport.quiet);
	ask(&transport, "GET", "/api/channels/extensions", NULL, &caller);
	fixture_settle(&fixture);
	CU_ASSERT_EQUAL(caller.answers, 1);
	CU_ASSERT_EQUAL(caller.status, 200);
	CU_ASSERT_EQUAL(caller.outcome, CG_OK);
	CU_ASSERT(caller.dispatched);
	CU_ASSERT(caller.field[0] != '\0'); /* its epoch */
	ask(&transport, "GET", "/api/channels/nothing", NULL, &caller);
	fixture_settle(&fixture);
	CU_ASSERT_EQUAL(caller.answers, 1);
	CU_ASSERT_EQUAL(caller.status, 404);
	fixture_finish(&fixture);
}

static void plane_link_speaks_for_the_gateway(void)
{
	struct json_object *body = cg_json_new_object();
	struct cloud_transport transport;
	struct fixture fixture;
	struct caller caller;

	fixture_start(&fixture);
	plane_link(fixture.plane, &transport);
	/* What a gateway may: claim.  What only an operator may: change people. */
	cg_json_put_string(body, "provider", "telegram");
	cg_json_put_string(body, "providerInstanceId", "telegram");
	cg_json_put_string(body, "providerEventId", "e1");
	cg_json_put_string(body, "eventType", "message");
	cg_json_put_string(body, "claimedBy", "gateway:test");
	ask(&transport, "POST", "/api/channels/provider-events/claim", body, &caller);
	fixture_settle(&fixture);
	CU_ASSERT_EQUAL(caller.status, 200);
	ask(&transport, "DELETE", "/api/channels/people/somebody", NULL, &caller);
	fixture_settle(&fixture);
	CU_ASSERT_EQUAL(caller.status, 403);
	cg_json_free(body);
	fixture_finish(&fixture);
}

static void plane_link_takes_a_call_back(void)
{
	struct cloud_transport transport;
	struct cloud_exchange *exchange;
	struct fixture fixture;
	struct caller caller;

	fixture_start(&fixture);
	plane_link(fixture.plane, &transport);
	exchange = ask(&transport, "GET", "/api/channels/extensions", NULL, &caller);
	transport.cancel(transport.self, exchange);
	fixture_settle(&fixture);
	CU_ASSERT_EQUAL(caller.answers, 0);
	fixture_finish(&fixture);
}

/* A session with three events at least; the path of its stream. */
static const char *talk(struct fixture *fixture)
{
	static char path[256];
	char binding[128];

	snprintf(binding, sizeof(binding), "%s", fixture_bind(fixture, "chat"));
	fixture_prompt(fixture, binding, "hello", NULL);
	fixture_settle(fixture);
	snprintf(path, sizeof(path), "/api/channels/sessions/%s/events", binding);
	return path;
}

static void plane_link_carries_streams(void)
{
	struct caller caller = {.status = -1}, later = {.status = -1};
	struct cloud_transport transport;
	struct fixture fixture;
	const char *path;
	char after[64];

	fixture_start(&fixture);
	plane_link(fixture.plane, &transport);
	path = talk(&fixture);
	follow(&transport, path, NULL, &caller);
	fixture_settle(&fixture);
	CU_ASSERT_EQUAL(caller.opened, 1);
	CU_ASSERT(caller.events >= 2);
	CU_ASSERT_EQUAL(caller.ended, 0);
	/* From a cursor. */
	snprintf(after, sizeof(after), "after=%lld", (long long)caller.last_id - 1);
	follow(&transport, path, after, &later);
	fixture_settle(&fixture);
	CU_ASSERT_EQUAL(later.events, 1);
	CU_ASSERT_EQUAL(later.last_id, caller.last_id);
	CU_ASSERT_STRING_EQUAL(later.last_type, caller.last_type);
	transport.cancel(transport.self, caller.exchange);
	transport.cancel(transport.self, later.exchange);
	fixture_finish(&fixture);
}

static void plane_link_gives_no_event_without_credit(void)
{
	struct caller caller = {.pause_after = 1};
	struct cloud_transport transport;
	struct fixture fixture;

	fixture_start(&fixture);
	plane_link(fixture.plane, &transport);
	follow(&transport, talk(&fixture), NULL, &caller);
	fixture_settle(&fixture);
	CU_ASSERT_EQUAL(caller.events, 1);
	transport.resume(transport.self, caller.exchange);
	fixture_settle(&fixture);
	CU_ASSERT(caller.events >= 2);
	transport.cancel(transport.self, caller.exchange);
	fixture_finish(&fixture);
}

static void plane_link_may_be_cancelled_inside_an_event(void)
{
	struct caller caller = {.cancel_after = 1};
	struct cloud_transport transport;
	struct fixture fixture;

	fixture_start(&fixture);
	plane_link(fixture.plane, &transport);
	follow(&transport, talk(&fixture), NULL, &caller);
	fixture_settle(&fixture);
	CU_ASSERT_EQUAL(caller.events, 1);
	CU_ASSERT_EQUAL(caller.ended, 0);
	fixture_finish(&fixture);
}

static void plane_link_ends_a_stream_of_nothing(void)
{
	struct caller caller = {.status = -1};
	struct cloud_transport transport;
	struct fixture fixture;

	fixture_start(&fixture);
	plane_link(fixture.plane, &transport);
	follow(&transport, "/api/channels/sessions/nobody/events", NULL, &caller);
	fixture_settle(&fixture);
	CU_ASSERT_EQUAL(caller.opened, 0);
	CU_ASSERT_EQUAL(caller.ended, 1);
	CU_ASSERT_EQUAL(caller.status, 404);
	fixture_finish(&fixture);
}

UNIT_SUITE(plane_link, UNIT_TEST(plane_link_carries_calls),
	UNIT_TEST(plane_link_speaks_for_the_gateway),
	UNIT_TEST(plane_link_takes_a_call_back), UNIT_TEST(plane_link_carries_streams),
	UNIT_TEST(plane_link_gives_no_event_without_credit),
	UNIT_TEST(plane_link_may_be_cancelled_inside_an_event),
	UNIT_TEST(plane_link_ends_a_stream_of_nothing));
