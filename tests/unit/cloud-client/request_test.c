/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud-client/request.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <string.h>

static void segments_are_encoded(void)
{
	struct request request;

	request_init(&request, "GET", "/api/channels/sessions");
	request_segment(&request, "a/b ?#%\xc3\xa9~-._Z9");
	request_path(&request, "/events");
	CU_ASSERT_EQUAL(request_status(&request), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&request.path),
		"/api/channels/sessions/a%2Fb%20%3F%23%25%C3%A9~-._Z9/events");
	CU_ASSERT_PTR_NULL(request.body);
	request_finish(&request);
}

static enum cg_status status_of_segment(const char *id)
{
	struct request request;
	enum cg_status status;

	request_init(&request, "GET", "/api");
	request_segment(&request, id);
	status = request_status(&request);
	request_finish(&request);
	return status;
}

static void bad_ids_are_refused(void)
{
	char id[2 * CLOUD_ID_MAX + 3];

	CU_ASSERT_EQUAL(status_of_segment("a"), CG_OK);
	CU_ASSERT_EQUAL(status_of_segment(NULL), CG_INVALID);
	CU_ASSERT_EQUAL(status_of_segment(""), CG_INVALID);
	CU_ASSERT_EQUAL(status_of_segment("  "), CG_INVALID);
	CU_ASSERT_EQUAL(status_of_segment("."), CG_INVALID);
	CU_ASSERT_EQUAL(status_of_segment(".."), CG_INVALID);
	CU_ASSERT_EQUAL(status_of_segment("..."), CG_OK);
	CU_ASSERT_EQUAL(status_of_segment("\xff"), CG_INVALID);

	memset(id, 'x', sizeof(id));
	id[CLOUD_ID_MAX] = '\0';
	CU_ASSERT_EQUAL(status_of_segment(id), CG_OK);
	id[CLOUD_ID_MAX] = 'x';
	id[CLOUD_ID_MAX + 1] = '\0';
	CU_ASSERT_EQUAL(status_of_segment(id), CG_INVALID);

	/* The cap counts UTF-16 units, as the Cloud does, not bytes. */
	for (size_t i = 0; i < CLOUD_ID_MAX; i++)
		memcpy(id + 2 * i, "\xc3\xa9", 2);
	id[2 * CLOUD_ID_MAX] = '\0';
	CU_ASSERT_EQUAL(status_of_segment(id), CG_OK);
	strncpy(id + 2 * CLOUD_ID_MAX, "x", 2);
	CU_ASSERT_EQUAL(status_of_segment(id), CG_INVALID);
}

static void query_is_encoded(void)
{
	struct request request;
	struct cloud_request view;

	request_init(&request, "GET", "/api/x");
	request_view(&request, 5, &view);
	CU_ASSERT_PTR_NULL(view.query);
	request_argument(&request, "none", NULL);
	request_argument(&request, "a", "1&2=3");
	request_argument_int(&request, "after", 17);
	request_argument_id(&request, "b", "x y");
	request_view(&request, 5, &view);
	CU_ASSERT_STRING_EQUAL(view.query, "a=1%262%3D3&after=17&b=x%20y");
	CU_ASSERT_EQUAL(view.timeout_ms, 5);
	request_argument_id(&request, "c", NULL);
	CU_ASSERT_EQUAL(request_status(&request), CG_INVALID);
	request_finish(&request);
}

static void query_has_a_cap(void)
{
	static char value[REQUEST_QUERY + 1];
	struct request request;

	memset(value, 'x', sizeof(value) - 1);
	request_init(&request, "GET", "/api/x");
	request_argument(&request, "a", value);
	CU_ASSERT_EQUAL(request_status(&request), CG_INVALID);
	request_finish(&request);
}

static void body_takes_what_is_there(void)
{
	struct request request;

	request_init(&request, "POST", "/api/x");
	request_require(&request, "a", "1");
	request_optional(&request, "b", NULL);
	request_optional(&request, "c", "3");
	request_text(&request, "d", NULL);
	request_text(&request, "e", "");
	CU_ASSERT_EQUAL(request_status(&request), CG_OK);
	CU_ASSERT_STRING_EQUAL(
		cg_json_text(request.body, NULL), "{\"a\":\"1\",\"c\":\"3\",\"e\":\"\"}");
	request_text(&request, "f", "\xc3");
	CU_ASSERT_EQUAL(request_status(&request), CG_INVALID);
	request_finish(&request);
}

static struct cloud_result result_of(int http_status)
{
	struct cloud_result result;

	request_result(&(struct cloud_reply){.dispatched = true,
			       .http_status = http_status,
			       .retry_after_ms = -1},
		&result);
	return result;
}

static void http_statuses_have_meanings(void)
{
	static const struct {
		int status;
		enum cloud_error error;
		bool retryable;
	} rows[] = {
		{200, CLOUD_OK, false},
		{202, CLOUD_OK, false},
		{302, CLOUD_PROTOCOL, true},
		{400, CLOUD_INVALID, false},
		{401, CLOUD_UNAUTHORIZED, false},
		{402, CLOUD_PAYMENT_REQUIRED, false},
		{403, CLOUD_FORBIDDEN, false},
		{404, CLOUD_NOT_FOUND, false},
		{408, CLOUD_TIMEOUT, true},
		{409, CLOUD_CONFLICT, false},
		{413, CLOUD_INVALID, false},
		{429, CLOUD_RATE_LIMITED, true},
		{500, CLOUD_SERVER, true},
		{503, CLOUD_SERVER, true},
		{999, CLOUD_PROTOCOL, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cloud_result result = result_of(rows[i].status);

		CU_ASSERT_EQUAL(result.error, rows[i].error);
		CU_ASSERT_EQUAL(result.retryable, rows[i].retryable);
		CU_ASSERT_EQUAL(result.http_status, rows[i].status);
		CU_ASSERT_EQUAL(result.message[0] == '\0', rows[i].error == CLOUD_OK);
		CU_ASSERT_TRUE(result.dispatched);
	}
}

static void transport_failures_have_meanings(void)
{
	static const struct {
		enum cg_status status;
		enum cloud_error error;
	} rows[] = {
		{CG_TIMEOUT, CLOUD_TIMEOUT},
		{CG_NETWORK, CLOUD_NETWORK},
		{CG_CLOSED, CLOUD_NETWORK},
		{CG_NOMEM, CLOUD_NETWORK},
		{CG_PROTOCOL, CLOUD_PROTOCOL},
		{CG_LIMIT, CLOUD_TOO_LARGE},
		{CG_INVALID, CLOUD_INVALID},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cloud_reply reply = {
			.status = rows[i].status,
			.http_status = 200,
			.retry_after_ms = -1,
			.error = "it broke",
		};
		struct cloud_result result;

		request_result(&reply, &result);
		CU_ASSERT_EQUAL(result.error, rows[i].error);
		CU_ASSERT_EQUAL(result.http_status, 0);
		CU_ASSERT_STRING_EQUAL(result.message, "it broke");
	}
}

static struct cloud_result result_of_json(
	const char *json, int64_t retry_after_ms, struct json_object **ret)
{
	struct cloud_result result;

	CU_ASSERT_EQUAL_FATAL(cg_json_parse(json, strlen(json), ret, NULL), CG_OK);
	request_result(&(struct cloud_reply){.http_status = 429,
			       .body = *ret,
			       .retry_after_ms = retry_after_ms},
		&result);
	return result;
}

static void policy_code_is_found_at_both_places(void)
{
	struct json_object *body;
	struct cloud_result result;

	result = result_of_json("{\"error\":\"Quota.\",\"retryAfterMs\":42000,"
				"\"verdict\":{\"policyCode\":\"quota.x\"}}",
		-1, &body);
	CU_ASSERT_STRING_EQUAL(result.policy_code, "quota.x");
	CU_ASSERT_STRING_EQUAL(result.message, "Quota.");
	CU_ASSERT_EQUAL(result.retry_after_ms, 42000);
	cg_json_free(body);

	result = result_of_json("{\"code\":\"quota.y\",\"retryAfterMs\":9}", 3000, &body);
	CU_ASSERT_STRING_EQUAL(result.policy_code, "quota.y");
	CU_ASSERT_STRING_EQUAL(result.message, cloud_error_text(CLOUD_RATE_LIMITED));
	CU_ASSERT_EQUAL(result.retry_after_ms, 3000);
	cg_json_free(body);

	result = result_of_json("{\"retryAfterMs\":-7,\"code\":5}", -1, &body);
	CU_ASSERT_STRING_EQUAL(result.policy_code, "");
	CU_ASSERT_EQUAL(result.retry_after_ms, -1);
	cg_json_free(body);
}

static void errors_have_names(void)
{
	CU_ASSERT_STRING_EQUAL(cloud_error_name(CLOUD_OK), "ok");
	CU_ASSERT_STRING_EQUAL(cloud_error_name(CLOUD_RATE_LIMITED), "rate_limited");
	CU_ASSERT_STRING_EQUAL(cloud_error_name(CLOUD_INVALID), "invalid");
}

UNIT_SUITE(request, UNIT_TEST(segments_are_encoded), UNIT_TEST(bad_ids_are_refused),
	UNIT_TEST(query_is_encoded), UNIT_TEST(query_has_a_cap),
	UNIT_TEST(body_takes_what_is_there), UNIT_TEST(http_statuses_have_meanings),
	UNIT_TEST(transport_failures_have_meanings),
	UNIT_TEST(policy_code_is_found_at_both_places), UNIT_TEST(errors_have_names));
