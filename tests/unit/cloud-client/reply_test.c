/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud-client/reply.h"

#include "cloud-client/request.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <string.h>

/* What the callback of the test's call got. */
static struct {
	unsigned calls, records;
	enum cloud_error error;
	char text[64];
} seen;

static void note(const struct cloud_result *result, const void *record, const char *text)
{
	seen.calls++;
	seen.records += record != NULL;
	seen.error = result->error;
	snprintf(seen.text, sizeof(seen.text), "%s", text == NULL ? "" : text);
}

static void on_identity(void *arg, const struct cloud_result *result,
	const struct cloud_identity *identity)
{
	(void)arg;
	note(result, identity, identity == NULL ? NULL : identity->identity_id);
}

static void on_extensions(void *arg, const struct cloud_result *result,
	const struct cloud_extensions *extensions)
{
	(void)arg;
	note(result, extensions, extensions == NULL ? NULL : extensions->epoch);
	if (extensions != NULL && extensions->names == NULL)
		CU_ASSERT_FALSE(cloud_extensions_have(extensions, "people"));
}

static void on_cursor(
	void *arg, const struct cloud_result *result, const struct cloud_cursor *cursor)
{
	(void)arg;
	note(result, cursor, cursor == NULL ? NULL : cursor->binding.binding_id);
	if (cursor != NULL)
		CU_ASSERT_FALSE(cursor->applied);
}

/* Deliver a reply of @status with @json (NULL: none). */
static void deliver(
	enum reply_kind kind, union reply_done done, int status, const char *json)
{
	struct cloud_reply reply = {.http_status = status, .retry_after_ms = -1};
	struct json_object *body = NULL;
	struct cloud_result result;

	if (json != NULL)
		CU_ASSERT_EQUAL_FATAL(
			cg_json_parse(json, strlen(json), &body, NULL), CG_OK);
	reply.body = body;
	request_result(&reply, &result);
	memset(&seen, 0, sizeof(seen));
	reply_deliver(kind, done, NULL, &result, body);
	cg_json_free(body);
}

static void a_success_without_its_record_is_none(void)
{
	static const char *const bodies[] = {NULL, "{}", "{\"identity\":null}",
		"{\"identity\":{\"role\":\"member\"}}"};
	const union reply_done done = {.identity = on_identity};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		deliver(REPLY_identity, done, 200, bodies[i]);
		CU_ASSERT_EQUAL(seen.calls, 1);
		CU_ASSERT_EQUAL(seen.records, 0);
		CU_ASSERT_EQUAL(seen.error, CLOUD_PROTOCOL);
	}
	deliver(REPLY_identity, done, 200, "{\"identity\":{\"identityId\":\"i\"}}");
	CU_ASSERT_EQUAL(seen.error, CLOUD_OK);
	CU_ASSERT_STRING_EQUAL(seen.text, "i");
	deliver(REPLY_identity, done, 200, "{\"person\":{\"identityId\":\"p\"}}");
	CU_ASSERT_STRING_EQUAL(seen.text, "p");
}

/* Whatever stands in the body of a refusal is no record. */
static void a_refusal_brings_no_record(void)
{
	const union reply_done done = {.identity = on_identity};

	deliver(REPLY_identity, done, 403, "{\"identity\":{\"identityId\":\"i\"}}");
	CU_ASSERT_EQUAL(seen.calls, 1);
	CU_ASSERT_EQUAL(seen.records, 0);
	CU_ASSERT_EQUAL(seen.error, CLOUD_FORBIDDEN);
}

/* Today's Cloud answers 403 to a path that it does not have. */
static void a_cloud_without_extensions_has_none(void)
{
	static const int absent[] = {403, 404, 405};
	const union reply_done done = {.extensions = on_extensions};

	for (size_t i = 0; i < 3; i++) {
		deliver(REPLY_extensions, done, absent[i],
			"{\"extensions\":[\"people\"]}");
		CU_ASSERT_EQUAL(seen.error, CLOUD_OK);
		CU_ASSERT_EQUAL(seen.records, 1);
		CU_ASSERT_STRING_EQUAL(seen.text, "");
	}
	deliver(REPLY_extensions, done, 503, NULL);
	CU_ASSERT_EQUAL(seen.error, CLOUD_SERVER);
	CU_ASSERT_EQUAL(seen.records, 0);
	deliver(REPLY_extensions, done, 200, "{\"extensions\":[],\"epoch\":\"e\"}");
	CU_ASSERT_STRING_EQUAL(seen.text, "e");
}

/* The binding stands inside the result, or beside it. */
static void a_stale_cursor_brings_what_the_cloud_has(void)
{
	const union reply_done done = {.cursor = on_cursor};

	deliver(REPLY_cursor, done, 200,
		"{\"result\":{\"ok\":false,\"binding\":{\"bindingId\":\"in\","
		"\"sessionId\":"
		"\"s\"}},\"binding\":{\"bindingId\":\"out\",\"sessionId\":\"s\"}}");
	CU_ASSERT_STRING_EQUAL(seen.text, "in");
	deliver(REPLY_cursor, done, 200,
		"{\"result\":{\"ok\":false},\"binding\":{\"bindingId\":\"out\","
		"\"sessionId\":\"s\"}}");
	CU_ASSERT_STRING_EQUAL(seen.text, "out");
	deliver(REPLY_cursor, done, 200, "{\"binding\":{\"bindingId\":\"out\"}}");
	CU_ASSERT_EQUAL(seen.error, CLOUD_PROTOCOL);
}

static void nobody_need_ask(void)
{
	deliver(REPLY_identity, (union reply_done){.identity = NULL}, 200, "{}");
	CU_ASSERT_EQUAL(seen.calls, 0);
}

UNIT_SUITE(reply, UNIT_TEST(a_success_without_its_record_is_none),
	UNIT_TEST(a_refusal_brings_no_record),
	UNIT_TEST(a_cloud_without_extensions_has_none),
	UNIT_TEST(a_stale_cursor_brings_what_the_cloud_has), UNIT_TEST(nobody_need_ask));
