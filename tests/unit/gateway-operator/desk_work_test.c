/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator's program asks to be done. */
#include "gateway/operator/desk.h"

#include "tests/unit/gateway-operator/operator_rig.h"

static int forget(struct desk *desk, struct http_request *request, const char *body)
{
	request_fake_init(request, "POST", "/people/forget");
	desk_as_operator(request);
	request_fake_body(request, body);
	desk_handle(desk, request);
	return desk_await(desk, request);
}

static void work_forgets_a_person(void)
{
	static const char person[] = "{\"provider\":\"telegram\",\"userId\":\"user\"}";
	struct http_request request;
	struct desk desk;

	desk_init(&desk);
	CU_ASSERT_EQUAL(
		rig_store_message(&desk.rig, "e1", "their words"), CG_VERDICT_COMMITTED);
	request_fake_init(&request, "POST", "/people/forget");
	request_fake_body(&request, person);
	desk_handle(&desk, &request);
	CU_ASSERT_EQUAL(request.status, 401); /* nobody's but the operator's */
	request_fake_finish(&request);
	CU_ASSERT_EQUAL(forget(&desk, &request, "{\"provider\":\"telegram\"}"), 400);
	request_fake_finish(&request);
	CU_ASSERT_EQUAL(rig_number(&desk.rig,
				"SELECT count(*) FROM inbox WHERE text IS NOT NULL"),
		1);
	CU_ASSERT_EQUAL(forget(&desk, &request, person), 200);
	request_fake_finish(&request);
	CU_ASSERT_EQUAL(rig_number(&desk.rig,
				"SELECT count(*) FROM inbox WHERE text IS NOT NULL"),
		0);
	desk_finish(&desk);
}

/* What is being sent has to end first. */
static void work_waits_for_what_is_being_sent(void)
{
	static const char person[] = "{\"provider\":\"telegram\",\"userId\":\"user\"}";
	struct cg_inbound inbound = rig_message("e1", "their words");
	struct http_request request;
	struct desk desk;

	desk_init(&desk);
	inbound.target.is_direct = true;
	CU_ASSERT_EQUAL(
		rig_submit(&desk.rig, "telegram", &inbound), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_say(&desk.rig, "d1", "chat"), CG_OK);
	CU_ASSERT_EQUAL(rig_sending(&desk.rig, 1), CG_OK);
	CU_ASSERT_EQUAL(forget(&desk, &request, person), 429);
	CU_ASSERT_TRUE(request.retry_after_ms > 0);
	request_fake_finish(&request);
	desk_finish(&desk);
}

UNIT_SUITE(desk_work, UNIT_TEST(work_forgets_a_person),
	UNIT_TEST(work_waits_for_what_is_being_sent));
