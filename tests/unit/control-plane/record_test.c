/* SPDX-License-Identifier: Apache-2.0 */
/* What a turn has said waits within bounds. */
#include "control-plane/record.h"

#include "control-plane/turn.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdlib.h>
#include <string.h>

static void deltas_of_a_message_grow_together(void)
{
	struct record_list list = {0}, taken = {0};

	CU_ASSERT_EQUAL(record_text(&list, RECORD_APPEND, "m1", "one", 3), CG_OK);
	CU_ASSERT_EQUAL(record_text(&list, RECORD_APPEND, "m1", " two", 4), CG_OK);
	CU_ASSERT_EQUAL(list.count, 1);
	CU_ASSERT_EQUAL(list.bytes, 7);
	CU_ASSERT_TRUE(list.opened);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&list.first->text), "one two");
	CU_ASSERT_EQUAL(record_text(&list, RECORD_APPEND, "m2", "x", 1), CG_OK);
	CU_ASSERT_EQUAL(record_text(&list, RECORD_REPLACE, "m2", "y", 1), CG_OK);
	CU_ASSERT_EQUAL(record_text(&list, RECORD_APPEND, "m2", "z", 1), CG_OK);
	CU_ASSERT_EQUAL(list.count, 2); /* nobody has seen x */
	CU_ASSERT_EQUAL(list.bytes, 9);
	CU_ASSERT_EQUAL(list.last->kind, RECORD_REPLACE);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&list.last->text), "yz");
	/* Nothing grows across another report. */
	CU_ASSERT_EQUAL(record_event(&list, "session.status", NULL), CG_OK);
	CU_ASSERT_EQUAL(record_text(&list, RECORD_APPEND, "m2", "!", 1), CG_OK);
	CU_ASSERT_EQUAL(list.count, 4);
	CU_ASSERT_EQUAL(list.last->kind, RECORD_APPEND);
	record_list_take(&taken, &list);
	CU_ASSERT_PTR_NULL(list.first);
	CU_ASSERT_FALSE(list.opened);
	CU_ASSERT_EQUAL(taken.count, 4);
	record_list_finish(&taken);
	record_list_finish(&taken);
}

/* What is whole when it is stored has not to be closed at the end. */
static void whole_texts_open_nothing(void)
{
	struct record_list list = {0};

	CU_ASSERT_EQUAL(record_text(&list, RECORD_REPLACE, "m1", "one", 3), CG_OK);
	CU_ASSERT_EQUAL(record_text(&list, RECORD_APPEND, "m1", " two", 4), CG_OK);
	CU_ASSERT_EQUAL(list.count, 1);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&list.first->text), "one two");
	CU_ASSERT_FALSE(list.opened);
	record_list_finish(&list);
}

static void bytes_are_bounded(void)
{
	struct record_list list = {0};
	char *text = calloc(1, TURN_BUFFER);

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_EQUAL(
		record_text(&list, RECORD_APPEND, "m", text, TURN_BUFFER - 1), CG_OK);
	CU_ASSERT_EQUAL(record_text(&list, RECORD_APPEND, "m", text, 2), CG_LIMIT);
	CU_ASSERT_EQUAL(list.bytes, TURN_BUFFER - 1);
	CU_ASSERT_EQUAL(record_text(&list, RECORD_APPEND, "m", text, 1), CG_OK);
	CU_ASSERT_EQUAL(record_text(&list, RECORD_REPLACE, "n", text, 1), CG_LIMIT);
	record_list_finish(&list);
	free(text);
}

static void reports_are_bounded(void)
{
	struct record_list list = {0};

	for (int i = 0; i < TURN_RECORDS; i++)
		CU_ASSERT_EQUAL(record_event(&list, "session.status", NULL), CG_OK);
	CU_ASSERT_EQUAL(record_event(&list, "session.status", NULL), CG_LIMIT);
	CU_ASSERT_EQUAL(record_command(&list, RECORD_ACK, "c"), CG_LIMIT);
	record_list_finish(&list);
}

static void large_events_are_cut(void)
{
	struct record_list list = {0};
	struct json_object *payload = cg_json_new_object();
	char *text = malloc(TURN_PAYLOAD + 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	memset(text, 'x', TURN_PAYLOAD);
	text[TURN_PAYLOAD] = '\0';
	cg_json_put_string(payload, "id", "call-1");
	cg_json_put_string(payload, "output", text);
	CU_ASSERT_EQUAL(record_event(&list, "tool.call", payload), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_json_text(list.first->payload, NULL),
		"{\"id\":\"call-1\",\"output\":\"[TRUNCATED_RUNTIME_VALUE]\"}");
	CU_ASSERT_FALSE(list.asked);
	CU_ASSERT_EQUAL(record_event(&list, "question.asked", NULL), CG_OK);
	CU_ASSERT_TRUE(list.asked);
	cg_json_free(payload);
	record_list_finish(&list);
	free(text);
}

UNIT_SUITE(record, UNIT_TEST(deltas_of_a_message_grow_together),
	UNIT_TEST(whole_texts_open_nothing), UNIT_TEST(bytes_are_bounded),
	UNIT_TEST(reports_are_bounded), UNIT_TEST(large_events_are_cut));
