/* SPDX-License-Identifier: Apache-2.0 */
/* The front door: who may come in, what is refused and how. */
#include "control-plane/transport.h"

#include "control-plane/interior.h"
#include "control-plane/routes/router.h"
#include "tests/faults/fault_vfs.h"
#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every route: who is let in at all. */
static const struct {
	const char *method;
	const char *path;
	bool operator_only;
} doors[] = {
	{"POST", "provider-events/claim", false},
	{"POST", "provider-events/x/complete", false},
	{"POST", "identities/resolve", false},
	{"POST", "sessions/bind", false},
	{"POST", "sessions/forget", false},
	{"GET", "sessions/by-thread", false},
	{"POST", "sessions/prompt", false},
	{"GET", "sessions/x", false},
	{"POST", "sessions/x/abort", false},
	{"POST", "sessions/x/agent", false},
	{"GET", "sessions/x/snapshot", false},
	{"GET", "sessions/x/artifacts/y", false},
	{"POST", "cursor", false},
	{"POST", "interactions", false},
	{"POST", "interactions/resolve", false},
	{"GET", "deliveries", false},
	{"POST", "deliveries", false},
	{"POST", "deliveries/x/ack", false},
	{"POST", "deliveries/x/retry", false},
	{"POST", "deliveries/x/dead-letter", false},
	{"GET", "extensions", false},
	{"GET", "agents", false},
	{"POST", "people/approve", false},
	{"POST", "people/deny", false},
	{"GET", "people", true},
	{"POST", "people/x", true},
	{"DELETE", "people/x", true},
	{"GET", "tokens", true},
	{"POST", "tokens", true},
	{"DELETE", "tokens/x", true},
};

/* Streams are opened elsewhere, and one route is nobody's to forget. */
static void every_route_is_a_door(void)
{
	static const unsigned flags[] = {
#define ROUTE(method, pattern, function, flags) flags,
#include "control-plane/routes/routes.def"
#undef ROUTE
	};
	size_t streams = 0;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		streams += (flags[i] & ROUTE_STREAM) != 0;
	CU_ASSERT_EQUAL(sizeof(doors) / sizeof(doors[0]) + streams,
		sizeof(flags) / sizeof(flags[0]));
	for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
		char path[96], id[2][CALL_FIELD + 1];
		const struct route *route;

		snprintf(path, sizeof(path), "/api/channels/%s", doors[i].path);
		route = router_find(doors[i].method, path, id);
		CU_ASSERT_PTR_NOT_NULL_FATAL(route);
		for (size_t j = 0; j < i; j++)
			CU_ASSERT_FALSE(strcmp(doors[i].method, doors[j].method) == 0 &&
					strcmp(doors[i].path, doors[j].path) == 0);
	}
}

static void transport_judges_the_principal(void)
{
	struct fixture f;
	char path[96];

	fixture_start(&f);
	for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
		snprintf(path, sizeof(path), "/api/channels/%s", doors[i].path);
		fixture_call_as(&f, PLANE_ANONYMOUS, doors[i].method, path, "{}");
		CU_ASSERT_EQUAL(f.status, 401);
		fixture_call_as(&f, PLANE_TOKEN, doors[i].method, path, "{}");
		CU_ASSERT_EQUAL(f.status, 401); /* none was shown */
		fixture_call_as(&f, PLANE_GATEWAY, doors[i].method, path, "{}");
		CU_ASSERT_EQUAL(f.status == 403, doors[i].operator_only);
		CU_ASSERT_TRUE(f.status < 500);
		fixture_call_as(&f, PLANE_OPERATOR, doors[i].method, path, "{}");
		CU_ASSERT_TRUE(f.status != 401 && f.status != 403 && f.status < 500);
	}
	fixture_finish(&f);
}

static void transport_has_the_error_shape(void)
{
	struct fixture f;

	fixture_start(&f);
	fixture_call(&f, "GET", "/api/channels/nothing", NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, ""), "error code verdict");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, "verdict"), "allowed reason policyCode");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "verdict.allowed"), "false");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "route.not_found");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "verdict.policyCode"), "route.not_found");
	/* Unknown is 404 only for those who are known. */
	fixture_call_as(&f, PLANE_ANONYMOUS, "GET", "/api/channels/nothing", NULL);
	CU_ASSERT_EQUAL(f.status, 401);
	fixture_call(&f, "GET", "/api/sessions", NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	fixture_call(&f, "PATCH", "/api/channels/cursor", NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	fixture_finish(&f);
}

static void transport_tells_its_health_to_anyone(void)
{
	struct fixture f;

	fixture_start(&f);
	fixture_call_as(&f, PLANE_ANONYMOUS, "GET", "/livez", NULL);
	CU_ASSERT_EQUAL(f.status, 200);
	fixture_call_as(&f, PLANE_ANONYMOUS, "GET", "/readyz", NULL);
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "ok"), "true");
	fixture_finish(&f);
}

static void transport_never_fails_on_foreign_input(void)
{
	static const char *const bodies[] = {NULL, "null", "[]", "7", "\"text\"",
		"{\"a\":1}",
		"{\"provider\":[],\"bindingId\":{},\"token\":1,\"status\":2,\"code\":[],"
		"\"kind\":1,\"sessionId\":{},\"claimedBy\":true,\"channelBindingId\":3}",
		"{\"provider\":\"\\u0000\",\"bindingId\":\"\\u0000x\",\"token\":"
		"\"\\u0000\","
		"\"status\":\"sent\\u0000\",\"code\":\"\\u0000\"}"};
	struct fixture f;
	char path[96];

	fixture_start(&f);
	for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
		snprintf(path, sizeof(path), "/api/channels/%s", doors[i].path);
		for (size_t j = 0; j < sizeof(bodies) / sizeof(bodies[0]); j++) {
			fixture_call_as(
				&f, PLANE_OPERATOR, doors[i].method, path, bodies[j]);
			CU_ASSERT_TRUE(f.status >= 200 && f.status < 500);
		}
	}
	fixture_finish(&f);
}

static void ignore_reply(void *arg, const struct plane_reply *reply)
{
	(void)reply;
	(*(int *)arg)++;
}

static void transport_cancels(void)
{
	const struct plane_request known = {.method = "GET",
		.path = "/api/channels/extensions",
		.principal = {.kind = PLANE_GATEWAY}};
	const struct plane_request unknown = {.method = "GET",
		.path = "/api/channels/nothing",
		.principal = {.kind = PLANE_GATEWAY}};
	struct plane_exchange *first, *second;
	struct fixture f;
	int answers = 0;

	fixture_start(&f);
	CU_ASSERT_EQUAL(
		plane_call(f.plane, &known, ignore_reply, &answers, &first, NULL), CG_OK);
	CU_ASSERT_EQUAL(
		plane_call(f.plane, &unknown, ignore_reply, &answers, &second, NULL),
		CG_OK);
	plane_cancel(f.plane, first);
	plane_cancel(f.plane, second);
	fixture_settle(&f);
	CU_ASSERT_EQUAL(answers, 0);
	CU_ASSERT_EQUAL(f.plane->exchange_count, 0);
	/* And a plane may go with requests under way: they end without a call. */
	CU_ASSERT_EQUAL(
		plane_call(f.plane, &known, ignore_reply, &answers, &first, NULL), CG_OK);
	CU_ASSERT_EQUAL(
		plane_call(f.plane, &unknown, ignore_reply, &answers, &second, NULL),
		CG_OK);
	fixture_restart(&f);
	CU_ASSERT_EQUAL(answers, 0);
	fixture_finish(&f);
}

static void transport_is_bounded(void)
{
	const struct plane_request request = {.method = "GET",
		.path = "/api/channels/nothing",
		.principal = {.kind = PLANE_GATEWAY}};
	struct plane_exchange *exchange;
	struct fixture f;
	int answers = 0;

	fixture_start(&f);
	for (int i = 0; i < PLANE_EXCHANGES; i++)
		CU_ASSERT_EQUAL_FATAL(plane_call(f.plane, &request, ignore_reply,
					      &answers, &exchange, NULL),
			CG_OK);
	CU_ASSERT_EQUAL(
		plane_call(f.plane, &request, ignore_reply, &answers, &exchange, NULL),
		CG_LIMIT);
	fixture_settle(&f);
	CU_ASSERT_EQUAL(answers, PLANE_EXCHANGES);
	CU_ASSERT_EQUAL(
		plane_call(f.plane, &request, ignore_reply, &answers, &exchange, NULL),
		CG_OK);
	fixture_finish(&f);
}

static void transport_answers_503_when_nothing_can_be_kept(void)
{
	struct fixture f;
	const char *binding;

	fixture_start_faulty(&f);
	binding = fixture_bind(&f, "c1");
	fixture_sql(
		&f, "SELECT 1"); /* the binding is answered early: wait for its commit */
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	fixture_prompt(&f, binding, "hello", "k1");
	CU_ASSERT_EQUAL(f.status, 503);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "store.unavailable");
	CU_ASSERT_TRUE(f.retry_after_ms > 0);
	CU_ASSERT_EQUAL(f.turn_count, 0); /* what was not kept is not acted upon */
	CU_ASSERT_NOT_EQUAL(plane_health(f.plane, NULL), CG_OK);
	fault_vfs_fail_syncs(SQLITE_OK, NULL);
	for (int i = 0; i < 200 && f.status != 202; i++) {
		poll(NULL, 0, 20);
		fixture_prompt(&f, binding, "hello", "k1");
	}
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_EQUAL(f.turn_count, 1);
	fixture_finish(&f);
}

/* The disk fails at the very start, and works later: no restart is needed. */
static void a_store_that_could_not_be_prepared_is_prepared_later(void)
{
	struct fixture f;

	fixture_start_faulty(&f);
	/* The disk is full a little later each time, until the plane can be made. */
	for (unsigned i = 0; i < 100 && strstr(f.notices, "store.unprepared") == NULL;
		i++) {
		fault_vfs_fail_writes(SQLITE_FULL, "-wal", i);
		if (!fixture_try_restart(&f))
			continue;
		for (int j = 0; j < 100 && plane_health(f.plane, NULL) == CG_OK; j++)
			fixture_settle(&f);
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(strstr(f.notices, "store.unprepared"));
	fixture_call(&f, "GET", "/api/channels/agents", NULL);
	CU_ASSERT_EQUAL(f.status, 503);
	fault_vfs_fail_writes(SQLITE_OK, NULL, 0);
	for (int i = 0; i < 500 && plane_health(f.plane, NULL) != CG_OK; i++) {
		poll(NULL, 0, 10);
		fixture_settle(&f);
	}
	fixture_prompt(&f, fixture_bind(&f, "c1"), "hello", "k1");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_EQUAL(f.turn_count, 1);
	fixture_finish(&f);
}

static void a_binding_is_answered_when_it_is_kept(void)
{
	struct fixture f;

	fixture_start_faulty(&f);
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	for (int i = 0; i < 2; i++) { /* nothing is built on what was not kept */
		fixture_call(&f, "POST", "/api/channels/sessions/bind",
			"{\"channelBindingId\":\"telegram-binding\",\"provider\":"
			"\"telegram\",\"externalChatId\":\"c1\",\"externalThreadId\":"
			"\"c1\",\"externalUserId\":\"1\"}");
		CU_ASSERT_EQUAL(f.status, 503);
	}
	for (int i = 0; i < 500 && plane_health(f.plane, NULL) == CG_OK; i++) {
		poll(NULL, 0, 10);
		fixture_settle(&f);
	}
	fault_vfs_fail_syncs(SQLITE_OK, NULL);
	for (int i = 0; i < 500 && plane_health(f.plane, NULL) != CG_OK; i++) {
		poll(NULL, 0, 10);
		fixture_settle(&f);
	}
	fixture_prompt(&f, fixture_bind(&f, "c1"), "hello", "k1");
	CU_ASSERT_EQUAL(f.status, 202);
	fixture_finish(&f);
}

static void transport_knows_its_streams(void)
{
	CU_ASSERT_TRUE(plane_is_stream("GET", "/api/channels/sessions/b1/events"));
	CU_ASSERT_TRUE(plane_is_stream("GET", "/api/channels/deliveries/stream"));
	CU_ASSERT_FALSE(plane_is_stream("POST", "/api/channels/sessions/b1/events"));
	CU_ASSERT_FALSE(plane_is_stream("GET", "/api/channels/sessions/b1/snapshot"));
	CU_ASSERT_FALSE(plane_is_stream("GET", "/api/channels/sessions//events"));
	CU_ASSERT_FALSE(plane_is_stream("GET", "/api/channels/sessions/b%00/events"));
}

UNIT_SUITE(transport, UNIT_TEST(every_route_is_a_door),
	UNIT_TEST(transport_judges_the_principal),
	UNIT_TEST(transport_has_the_error_shape),
	UNIT_TEST(transport_tells_its_health_to_anyone),
	UNIT_TEST(transport_never_fails_on_foreign_input), UNIT_TEST(transport_cancels),
	UNIT_TEST(transport_is_bounded),
	UNIT_TEST(transport_answers_503_when_nothing_can_be_kept),
	UNIT_TEST(a_binding_is_answered_when_it_is_kept),
	UNIT_TEST(a_store_that_could_not_be_prepared_is_prepared_later),
	UNIT_TEST(transport_knows_its_streams));
