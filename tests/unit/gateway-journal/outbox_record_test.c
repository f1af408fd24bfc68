/* SPDX-License-Identifier: Apache-2.0 */
/* Deliveries as the operator lists them. */
#include "tests/unit/gateway-journal/journal_rig.h"

static size_t list(struct rig *rig, const struct outbox_filter *filter)
{
	outbox_list(rig->journal, filter, rig_on_json, rig);
	rig_await(rig);
	return cg_json_count(rig->json);
}

static const char *listed_id(struct rig *rig, size_t index)
{
	return cg_json_string_or(cg_json_at(rig->json, index), "deliveryId", "");
}

static void a_record_has_the_shape_of_a_delivery(void)
{
	const struct outbox_filter all = {.limit = 10};
	const struct outbox_result result = {
		.state = OUTBOX_SENT,
		.receipt = "42",
		.outcome = "sent",
		.scope = "message",
		.platform_status = 200,
		.now_ms = RIG_NOW + 1000,
	};
	struct obligation o = rig_obligation("delivery", "chat");
	struct json_object *record;
	char text[1201];
	struct rig rig;

	rig_start(&rig);
	for (size_t i = 0; i < 600; i++)
		memcpy(text + 2 * i, "\xc3\xa9", 2);
	text[1200] = '\0';
	o.source = text;
	o.binding_id = "binding";
	o.session_id = "session";
	o.target.thread_id = "thread";
	o.target.context = "subject";
	o.target.is_direct = true;
	rig_oblige(&rig, &o, 1);
	rig_sending(&rig, 1);
	rig_settle(&rig, 1, &result);
	CU_ASSERT_EQUAL_FATAL(list(&rig, &all), 1);
	record = cg_json_at(rig.json, 0);
	CU_ASSERT_EQUAL(
		strlen(cg_json_string(cg_json_object(record, "payload"), "text")), 1024);
	cg_json_put(cg_json_object(record, "payload"), "text", NULL);
	CU_ASSERT_STRING_EQUAL(cg_json_text(record, NULL),
		"{\"deliveryId\":\"delivery\",\"orgId\":\"local\",\"agentId\":null,"
		"\"channelBindingId\":null,\"sessionBindingId\":\"binding\","
		"\"provider\":\"telegram\",\"target\":{\"chatId\":\"chat\","
		"\"threadId\":\"thread\",\"userId\":null,\"messageId\":null,"
		"\"isDirect\":true},\"eventType\":\"final\",\"payload\":{\"text\":null,"
		"\"part\":1,\"parts\":1},"
		"\"status\":\"sent\",\"attemptCount\":1,\"claimedBy\":null,"
		"\"lastClaimedBy\":null,\"claimExpiresAt\":null,\"nextAttemptAt\":null,"
		"\"lastError\":null,\"createdAt\":\"2023-11-14T22:13:20.000Z\","
		"\"updatedAt\":\"2023-11-14T22:13:21.000Z\",\"state\":\"sent\","
		"\"instance\":\"telegram\",\"sessionId\":\"session\",\"context\":"
		"\"subject\",\"outcome\":"
		"\"sent\","
		"\"scope\":\"message\",\"reason\":null,\"platformStatus\":200,"
		"\"detail\":null,\"receipt\":\"42\",\"maybeDuplicate\":false,"
		"\"deadlineAt\":\"2023-11-15T22:13:20.000Z\"}");
	rig_finish(&rig);
}

/* One row of every kind; each found by its status, newest first among all. */
static void statuses_are_found_and_sorted(void)
{
	static const struct {
		const char *status, *ids;
	} expected[] = {
		{"pending", "1"},
		{"claimed", "2"},
		{"failed", "4 3"},
		{"sent", "5"},
		{"dead", "6"},
		{NULL, "6 5 4 3 2 1"},
		{"nonsense", ""},
	};
	static const enum outbox_state states[] = {
		OUTBOX_PENDING, OUTBOX_UNKNOWN, OUTBOX_SENT, OUTBOX_DEAD};
	struct obligation final = rig_obligation("1", "8");
	struct rig rig;
	char id[8];

	rig_start(&rig);
	for (int i = 1; i <= 6; i++) {
		rig.now_ms++;
		snprintf(id, sizeof(id), "%d", i);
		rig_say(&rig, id, id);
		if (i > 1)
			rig_sending(&rig, i);
		if (i > 2)
			rig_settle_as(&rig, i, states[i - 3], rig.now_ms);
	}
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		struct outbox_filter filter = {
			.status = expected[i].status, .limit = 200};
		char ids[64] = "";
		size_t length = 0;

		list(&rig, &filter);
		CU_ASSERT_EQUAL(rig.status, CG_OK);
		for (size_t j = 0; j < cg_json_count(rig.json); j++)
			length += (size_t)snprintf(ids + length, sizeof(ids) - length,
				"%s%s", j > 0 ? " " : "", listed_id(&rig, j));
		CU_ASSERT_STRING_EQUAL(ids, expected[i].ids);
		filter.instance = "slack";
		CU_ASSERT_EQUAL(list(&rig, &filter), 0);
		filter.instance = "telegram";
		filter.limit = 1;
		CU_ASSERT_EQUAL(list(&rig, &filter), expected[i].ids[0] != '\0');
		if (expected[i].ids[0] != '\0')
			CU_ASSERT_EQUAL(listed_id(&rig, 0)[0], expected[i].ids[0]);
	}
	/* A slot that its final stands for is in no list. */
	final.slot_id = "1";
	final.delivery_id = "7";
	rig_oblige(&rig, &final, 1);
	CU_ASSERT_EQUAL(list(&rig, &(struct outbox_filter){.limit = 200}), 6);
	CU_ASSERT_EQUAL(
		list(&rig, &(struct outbox_filter){.delivery_id = "1", .limit = 1}), 1);
	CU_ASSERT_STRING_EQUAL(
		cg_json_string(cg_json_at(rig.json, 0), "reason"), "superseded");
	rig_finish(&rig);
}

static void a_list_that_is_cut_keeps_the_latest(void)
{
	const struct outbox_filter two = {.status = "sent", .limit = 2};
	struct rig rig;
	char id[8];

	rig_start(&rig);
	for (int i = 1; i <= 4; i++) {
		rig.now_ms++;
		snprintf(id, sizeof(id), "%d", i);
		rig_say(&rig, id, id);
		rig_sending(&rig, i);
	}
	for (int i = 4; i >= 1; i--) {
		rig.now_ms++;
		rig_settle_as(&rig, i, OUTBOX_SENT, 0);
	}
	CU_ASSERT_EQUAL_FATAL(list(&rig, &two), 2);
	CU_ASSERT_STRING_EQUAL(listed_id(&rig, 0), "1");
	CU_ASSERT_STRING_EQUAL(listed_id(&rig, 1), "2");
	rig_finish(&rig);
}

static void one_delivery_is_found_by_its_id(void)
{
	struct outbox_filter filter = {.delivery_id = "2", .limit = 1};
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	rig_say(&rig, "2", "a");
	CU_ASSERT_EQUAL_FATAL(list(&rig, &filter), 1);
	CU_ASSERT_STRING_EQUAL(listed_id(&rig, 0), "2");
	filter.status = "dead";
	CU_ASSERT_EQUAL(list(&rig, &filter), 0);
	filter.status = "pending";
	filter.instance = "slack";
	CU_ASSERT_EQUAL(list(&rig, &filter), 0);
	filter.instance = NULL;
	filter.delivery_id = "3";
	CU_ASSERT_EQUAL(list(&rig, &filter), 0);
	CU_ASSERT_EQUAL(rig.status, CG_OK);
	filter.limit = 0;
	list(&rig, &filter);
	CU_ASSERT_EQUAL(rig.status, CG_INVALID);
	filter.limit = 201;
	list(&rig, &filter);
	CU_ASSERT_EQUAL(rig.status, CG_INVALID);
	rig_finish(&rig);
}

UNIT_SUITE(outbox_record, UNIT_TEST(a_record_has_the_shape_of_a_delivery),
	UNIT_TEST(statuses_are_found_and_sorted),
	UNIT_TEST(a_list_that_is_cut_keeps_the_latest),
	UNIT_TEST(one_delivery_is_found_by_its_id));
