/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud-client/client.h"

#include "cloud-client/session.h"
#include "tests/support/cloud_fake.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct cloud_fake fake;
static struct cloud_client *client;

static void setup(void)
{
	cloud_fake_init(&fake);
	CU_ASSERT_EQUAL_FATAL(
		cloud_client_create(
			&(struct cloud_client_options){.transport = &fake.transport,
				.host = &fake.host,
				.claimed_by = "gateway:g1"},
			&client, NULL),
		CG_OK);
}

static void teardown(void)
{
	cloud_client_destroy(client);
	cloud_fake_finish(&fake);
}

static const struct cloud_session_params session = {"b1"};

struct seen {
	int calls;
	enum cloud_error error;
	struct cloud_call *call; /* cancelled from inside */
	bool again; /* call from inside */
};

static void on_status(void *arg, const struct cloud_result *result,
	const struct cloud_session_status *status)
{
	struct seen *seen = arg;

	seen->calls++;
	seen->error = result->error;
	CU_ASSERT_EQUAL(status != NULL, result->error == CLOUD_OK);
	cloud_call_cancel(seen->call);
	if (seen->again) {
		seen->again = false;
		CU_ASSERT_EQUAL(
			cloud_get_status(client, &session, on_status, seen, NULL), CG_OK);
	}
}

static void a_name_is_needed(void)
{
	struct cloud_client *none = NULL;
	struct cg_error err;

	CU_ASSERT_EQUAL(
		cloud_client_create(
			&(struct cloud_client_options){.claimed_by = " "}, &none, &err),
		CG_INVALID);
	CU_ASSERT_PTR_NULL(none);
	cloud_client_destroy(NULL);
}

static void a_call_is_answered_once(void)
{
	struct seen seen = {0};
	struct cloud_exchange *exchange;

	setup();
	CU_ASSERT_EQUAL(
		cloud_get_status(client, &session, on_status, &seen, &seen.call), CG_OK);
	CU_ASSERT_EQUAL(seen.calls, 0);
	CU_ASSERT_EQUAL(cloud_client_active(client), 1);
	exchange = cloud_fake_take(&fake);
	CU_ASSERT_STRING_EQUAL(exchange->path, "/api/channels/sessions/b1");
	CU_ASSERT_EQUAL(exchange->timeout_ms, CLOUD_CALL_TIMEOUT_MS);
	cloud_fake_answer(exchange, 200, "{\"busy\":false}");
	CU_ASSERT_EQUAL(seen.calls, 1);
	CU_ASSERT_EQUAL(seen.error, CLOUD_OK);
	CU_ASSERT_EQUAL(cloud_client_active(client), 0);
	/* To cancel a call in its own done means nothing. */
	CU_ASSERT_FALSE(exchange->cancelled);
	teardown();
}

static void a_cancelled_call_is_silent(void)
{
	struct seen seen = {0};
	struct cloud_call *call = NULL;
	struct cloud_exchange *exchange;

	setup();
	CU_ASSERT_EQUAL(
		cloud_get_status(client, &session, on_status, &seen, &call), CG_OK);
	exchange = cloud_fake_take(&fake);
	cloud_call_cancel(call);
	cloud_call_cancel(NULL);
	CU_ASSERT_TRUE(exchange->cancelled);
	CU_ASSERT_EQUAL(cloud_client_active(client), 0);
	CU_ASSERT_EQUAL(seen.calls, 0);
	teardown();
}

static void calls_end_with_the_client(void)
{
	struct seen seen = {0};
	struct cloud_exchange *first, *second;

	setup();
	CU_ASSERT_EQUAL(
		cloud_get_status(client, &session, on_status, &seen, NULL), CG_OK);
	CU_ASSERT_EQUAL(
		cloud_get_status(client, &session, on_status, &seen, NULL), CG_OK);
	first = cloud_fake_take(&fake);
	second = cloud_fake_take(&fake);
	cloud_client_destroy(client);
	CU_ASSERT_TRUE(first->cancelled);
	CU_ASSERT_TRUE(second->cancelled);
	CU_ASSERT_EQUAL(seen.calls, 0);
	cloud_fake_finish(&fake);
}

static void a_call_may_start_another(void)
{
	struct seen seen = {.again = true};

	setup();
	CU_ASSERT_EQUAL(
		cloud_get_status(client, &session, on_status, &seen, NULL), CG_OK);
	cloud_fake_fail(cloud_fake_take(&fake), CG_NETWORK, "no route");
	CU_ASSERT_EQUAL(seen.calls, 1);
	CU_ASSERT_EQUAL(seen.error, CLOUD_NETWORK);
	cloud_fake_answer(cloud_fake_take(&fake), 500, NULL);
	CU_ASSERT_EQUAL(seen.calls, 2);
	CU_ASSERT_EQUAL(seen.error, CLOUD_SERVER);
	teardown();
}

static void calls_have_a_cap(void)
{
	struct seen seen = {0};

	setup();
	for (size_t i = 0; i < CLOUD_CLIENT_CALLS; i++)
		CU_ASSERT_EQUAL_FATAL(
			cloud_get_status(client, &session, on_status, &seen, NULL),
			CG_OK);
	CU_ASSERT_EQUAL(
		cloud_get_status(client, &session, on_status, &seen, NULL), CG_LIMIT);
	/* One that ends makes room, even for a call from inside its done. */
	seen.again = true;
	cloud_fake_fail(cloud_fake_take(&fake), CG_TIMEOUT, NULL);
	CU_ASSERT_EQUAL(seen.error, CLOUD_TIMEOUT);
	CU_ASSERT_EQUAL(cloud_client_active(client), CLOUD_CLIENT_CALLS);
	teardown();
}

static void a_call_that_cannot_start_says_so(void)
{
	struct seen seen = {0};
	struct cloud_call *call = NULL;

	setup();
	fake.refuse = CG_BUSY;
	CU_ASSERT_EQUAL(
		cloud_get_status(client, &session, on_status, &seen, &call), CG_BUSY);
	CU_ASSERT_EQUAL(cloud_get_status(client, &(struct cloud_session_params){" "},
				on_status, &seen, &call),
		CG_INVALID);
	CU_ASSERT_PTR_NULL(call);
	CU_ASSERT_PTR_NULL(cloud_fake_take(&fake));
	CU_ASSERT_EQUAL(seen.calls, 0);
	teardown();
}

static void nonsense_is_a_protocol_error(void)
{
	static const char *const bodies[] = {
		NULL, "{}", "{\"status\":[]}", "{\"status\":{}}"};
	struct seen seen = {0};

	setup();
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		CU_ASSERT_EQUAL(
			cloud_get_status(client, &session, on_status, &seen, NULL),
			CG_OK);
		cloud_fake_answer(cloud_fake_take(&fake), 200, bodies[i]);
		CU_ASSERT_EQUAL(seen.error, CLOUD_PROTOCOL);
	}
	CU_ASSERT_EQUAL(seen.calls, 4);
	teardown();
}

static void nobody_has_to_ask(void)
{
	setup();
	CU_ASSERT_EQUAL(cloud_get_status(client, &session, NULL, NULL, NULL), CG_OK);
	cloud_fake_answer(
		cloud_fake_take(&fake), 200, "{\"status\":{\"state\":\"idle\"}}");
	CU_ASSERT_EQUAL(cloud_client_active(client), 0);
	CU_ASSERT_STRING_EQUAL(cloud_client_claimed_by(client), "gateway:g1");
	teardown();
}

UNIT_SUITE(client, UNIT_TEST(a_name_is_needed), UNIT_TEST(a_call_is_answered_once),
	UNIT_TEST(a_cancelled_call_is_silent), UNIT_TEST(calls_end_with_the_client),
	UNIT_TEST(a_call_may_start_another), UNIT_TEST(calls_have_a_cap),
	UNIT_TEST(a_call_that_cannot_start_says_so),
	UNIT_TEST(nonsense_is_a_protocol_error), UNIT_TEST(nobody_has_to_ask));
