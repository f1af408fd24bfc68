/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-operator/operator_rig.h"

static struct json_object *list(struct desk *desk, const char *query)
{
	struct http_request request;
	struct json_object *json;

	request_fake_init(&request, "GET", "/deliveries");
	request.query = query;
	desk_as_operator(&request);
	desk_handle(desk, &request);
	CU_ASSERT_EQUAL_FATAL(desk_await(desk, &request), 200);
	json = desk_json(&request);
	CU_ASSERT(cg_json_bool(json, "ok", false));
	return json;
}

/* How many are listed. */
static size_t count(struct desk *desk, const char *query)
{
	struct json_object *json = list(desk, query);
	size_t number = cg_json_count(cg_json_array(json, "deliveries"));

	cg_json_free(json);
	return number;
}

static void store(struct desk *desk, const char *id, const char *instance)
{
	struct obligation o = rig_obligation(id, id);

	o.instance = instance;
	CU_ASSERT_EQUAL(rig_oblige(&desk->rig, &o, 1), CG_OK);
	desk->rig.now_ms += 10;
}

static void deliveries_are_listed_and_filtered(void)
{
	struct json_object *json, *entry;
	struct desk desk;

	desk_init(&desk);
	store(&desk, "a", "telegram");
	store(&desk, "b", "hook");
	store(&desk, "c", "telegram");
	rig_due(&desk.rig);
	rig_sending(&desk.rig, desk.rig.rows[0]->id); /* "a" */
	rig_free_rows(&desk.rig);
	json = list(&desk, "");
	CU_ASSERT_EQUAL(cg_json_count(cg_json_array(json, "deliveries")), 3);
	/* The newest change first. */
	entry = cg_json_at(cg_json_array(json, "deliveries"), 0);
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(entry, "deliveryId", ""), "a");
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(entry, "status", ""), "claimed");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(entry, "channelBindingId", ""), "b-telegram");
	cg_json_free(json);
	CU_ASSERT_EQUAL(count(&desk, "status=pending"), 2);
	CU_ASSERT_EQUAL(count(&desk, "status=claimed"), 1);
	CU_ASSERT_EQUAL(count(&desk, "status=dead"), 0);
	CU_ASSERT_EQUAL(count(&desk, "status=nonsense"), 3); /* as if not said */
	CU_ASSERT_EQUAL(count(&desk, "deliveryId=b"), 1);
	CU_ASSERT_EQUAL(count(&desk, "deliveryId=nobody"), 0);
	CU_ASSERT_EQUAL(count(&desk, "channelBindingId=b-telegram"), 2);
	CU_ASSERT_EQUAL(count(&desk, "channelBindingId=b-hook&status=pending"), 1);
	CU_ASSERT_EQUAL(count(&desk, "channelBindingId=b-foreign"), 0);
	desk_finish(&desk);
}

static void deliveries_are_limited(void)
{
	struct desk desk;
	char id[16];

	desk_init(&desk);
	for (int i = 0; i < 205; i++) {
		snprintf(id, sizeof(id), "d%d", i);
		store(&desk, id, "telegram");
	}
	CU_ASSERT_EQUAL(count(&desk, ""), 50);
	CU_ASSERT_EQUAL(count(&desk, "limit=7"), 7);
	CU_ASSERT_EQUAL(count(&desk, "limit=200"), 200);
	CU_ASSERT_EQUAL(count(&desk, "limit=100000"), 200);
	CU_ASSERT_EQUAL(count(&desk, "limit=0"), 50);
	CU_ASSERT_EQUAL(count(&desk, "limit=-3"), 50);
	CU_ASSERT_EQUAL(count(&desk, "limit=7x"), 50);
	CU_ASSERT_EQUAL(count(&desk, "limit=99999999999999999999"), 50);
	desk_finish(&desk);
}

static int change(struct desk *desk, struct http_request *request, const char *path,
	const char *body)
{
	request_fake_init(request, "POST", path);
	if (body != NULL)
		request_fake_body(request, body);
	desk_as_operator(request);
	desk_handle(desk, request);
	return desk_await(desk, request);
}

static void deliveries_are_given_up_and_tried_again(void)
{
	struct http_request request;
	struct json_object *json, *entry;
	struct desk desk;

	desk_init(&desk);
	store(&desk, "s:m/1", "hook");
	CU_ASSERT_EQUAL(change(&desk, &request, "/deliveries/s:m%2F1/dead-letter",
				"{\"lastError\":\"not wanted\"}"),
		200);
	json = desk_json(&request);
	entry = cg_json_object(json, "delivery");
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(entry, "status", ""), "dead");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(entry, "channelBindingId", ""), "b-hook");
	cg_json_free(json);
	CU_ASSERT_EQUAL(rig_number(&desk.rig, "SELECT count(*) FROM outbox WHERE reason ="
					      " 'not wanted' AND state = 4"),
		1);
	CU_ASSERT_EQUAL(desk.wakes, 1);
	CU_ASSERT_EQUAL(change(&desk, &request, "/deliveries/s:m%2F1/retry", NULL), 200);
	json = desk_json(&request);
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(cg_json_object(json, "delivery"), "status", ""),
		"pending");
	cg_json_free(json);
	CU_ASSERT_EQUAL(desk.wakes, 2);
	desk_finish(&desk);
}

static void deliveries_that_cannot_be_changed(void)
{
	static const struct {
		const char *path, *body;
		int status;
	} cases[] = {
		{"/deliveries/nobody/retry", NULL, 404},
		{"/deliveries/nobody/dead-letter", NULL, 404},
		{"/deliveries/%zz/retry", NULL, 404},
		{"/deliveries/a/retry", "{\"channelBindingId\":\"b-foreign\"}", 404},
		{"/deliveries/a/retry", "not json", 400},
		{"/deliveries/a/retry", "[1]", 400},
		{"/deliveries/a/retry", NULL, 409}, /* it is being sent */
		{"/deliveries/a/dead-letter", "{}", 409},
	};
	struct http_request request;
	struct desk desk;

	desk_init(&desk);
	store(&desk, "a", "telegram");
	rig_due(&desk.rig);
	rig_sending(&desk.rig, desk.rig.rows[0]->id);
	rig_free_rows(&desk.rig);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(change(&desk, &request, cases[i].path, cases[i].body),
			cases[i].status);
		CU_ASSERT_PTR_NOT_NULL(strstr(request.reply, "{\"ok\":false,\"error\":"));
		request_fake_finish(&request);
	}
	request_fake_init(&request, "POST", "/deliveries/a/retry");
	request.query = "channelBindingId=b-foreign";
	desk_as_operator(&request);
	desk_handle(&desk, &request);
	CU_ASSERT_EQUAL(desk_await(&desk, &request), 404);
	request_fake_finish(&request);
	CU_ASSERT_EQUAL(desk.wakes, 0);
	desk_finish(&desk);
}

static int change_one(struct desk *desk, const char *path)
{
	struct http_request request;
	int status;

	request_fake_init(&request, "POST", path);
	desk_as_operator(&request);
	desk_handle(desk, &request);
	status = desk_await(desk, &request);
	request_fake_finish(&request);
	return status;
}

static void deliveries_of_the_cloud_are_part_of_the_list(void)
{
	struct operator_cloud_answer answer = {.ok = true, .status = 200};
	struct json_object *json;
	struct desk desk;

	desk_init(&desk);
	store(&desk, "a", "telegram");
	json = list(&desk, "");
	CU_ASSERT_FALSE(
		cg_json_bool(cg_json_object(json, "cloud"), "ok", true)); /* not asked */
	cg_json_free(json);
	CU_ASSERT_EQUAL_FATAL(
		cg_json_parse("[{\"deliveryId\":\"far\"}]", 22, &answer.json, NULL),
		CG_OK);
	desk.cloud = &answer;
	json = list(&desk, "");
	CU_ASSERT_EQUAL(cg_json_count(cg_json_array(json, "deliveries")), 2);
	CU_ASSERT_TRUE(cg_json_bool(cg_json_object(json, "cloud"), "ok", false));
	cg_json_free(json);
	/* What it cannot tell does not hide what is here. */
	cg_json_free(answer.json);
	answer = (struct operator_cloud_answer){.status = 503, .error = "it is away"};
	json = list(&desk, "");
	CU_ASSERT_EQUAL(cg_json_count(cg_json_array(json, "deliveries")), 1);
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(cg_json_object(json, "cloud"), "error", ""),
		"it is away");
	cg_json_free(json);
	desk_finish(&desk);
}

static void deliveries_that_are_not_here_are_the_clouds_to_change(void)
{
	struct operator_cloud_answer answer = {.ok = true, .status = 200};
	static const char one[] =
		"[{\"deliveryId\":\"far\",\"channelBindingId\":\"b-hook\"}]";
	static const char two[] =
		"[{\"deliveryId\":\"far\",\"channelBindingId\":\"b-hook\"},"
		"{\"deliveryId\":\"far\",\"channelBindingId\":\"b-telegram\"}]";
	struct desk desk;

	desk_init(&desk);
	CU_ASSERT_EQUAL(change_one(&desk, "/deliveries/far/retry"), 404);
	CU_ASSERT_EQUAL_FATAL(cg_json_parse(one, strlen(one), &answer.json, NULL), CG_OK);
	desk.cloud = &answer;
	CU_ASSERT_EQUAL(change_one(&desk, "/deliveries/far/retry"), 200);
	CU_ASSERT_STRING_EQUAL(desk.asked, "retry far b-hook");
	CU_ASSERT_EQUAL(change_one(&desk, "/deliveries/far/dead-letter"), 200);
	CU_ASSERT_STRING_EQUAL(desk.asked, "dead far b-hook");
	/* Two channels have such an id: which is meant? */
	cg_json_free(answer.json);
	CU_ASSERT_EQUAL_FATAL(cg_json_parse(two, strlen(two), &answer.json, NULL), CG_OK);
	desk.asked[0] = '\0';
	CU_ASSERT_EQUAL(change_one(&desk, "/deliveries/far/retry"), 404);
	CU_ASSERT_STRING_EQUAL(desk.asked, "");
	cg_json_free(answer.json);
	answer = (struct operator_cloud_answer){.status = 500, .error = "it fails"};
	CU_ASSERT_EQUAL(change_one(&desk, "/deliveries/far/retry"), 503);
	desk_finish(&desk);
}

/* As the daemon ends: the operator's floor goes before the journal. */
static void deliveries_asked_for_at_the_end(void)
{
	struct http_request list, retry;
	struct desk desk;

	desk_init(&desk);
	store(&desk, "a", "telegram");
	request_fake_init(&list, "GET", "/deliveries");
	request_fake_init(&retry, "POST", "/deliveries/a/dead-letter");
	desk_as_operator(&list);
	desk_as_operator(&retry);
	desk_handle(&desk, &list);
	desk_handle(&desk, &retry);
	CU_ASSERT_EQUAL(list.answers + retry.answers, 0);
	operator_destroy(desk.operator);
	desk.operator= NULL;
	CU_ASSERT_EQUAL(list.status, 503);
	CU_ASSERT_EQUAL(retry.status, 503);
	rig_close(&desk.rig); /* it answers now, and nobody is there */
	CU_ASSERT_EQUAL(list.answers, 1);
	CU_ASSERT_EQUAL(retry.answers, 1);
	CU_ASSERT_EQUAL(desk.wakes, 0);
	request_fake_finish(&list);
	request_fake_finish(&retry);
	desk_finish(&desk);
}

UNIT_SUITE(deliveries, UNIT_TEST(deliveries_asked_for_at_the_end),
	UNIT_TEST(deliveries_of_the_cloud_are_part_of_the_list),
	UNIT_TEST(deliveries_that_are_not_here_are_the_clouds_to_change),
	UNIT_TEST(deliveries_are_listed_and_filtered), UNIT_TEST(deliveries_are_limited),
	UNIT_TEST(deliveries_are_given_up_and_tried_again),
	UNIT_TEST(deliveries_that_cannot_be_changed));
