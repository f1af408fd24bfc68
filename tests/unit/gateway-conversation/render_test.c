/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/render.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cg_capabilities editing = {.edit = true};
static const struct cg_capabilities plain = {.edit = false};

/* A renderer, and the time and number of its next event. */
struct stage {
	struct render render;
	const struct cg_capabilities *capabilities;
	int64_t now_ms, sequence;
	struct render_result result;
};

static void stage_init(struct stage *stage)
{
	memset(stage, 0, sizeof(*stage));
	render_init(&stage->render);
	stage->capabilities = &editing;
	stage->now_ms = 5000;
}

static unsigned hear_value(
	struct stage *stage, const char *type, struct json_object *payload)
{
	const struct cloud_session_event event = {
		.sequence = ++stage->sequence, .type = type, .payload = payload};

	render_event(&stage->render, &event, stage->capabilities, stage->now_ms,
		&stage->result);
	CU_ASSERT_EQUAL(stage->result.sequence, stage->sequence);
	cg_json_free(payload);
	return stage->result.effects;
}

static unsigned hear(struct stage *stage, const char *type, const char *json)
{
	struct json_object *payload = NULL;

	if (json != NULL)
		CU_ASSERT_EQUAL_FATAL(
			cg_json_parse(json, strlen(json), &payload, NULL), CG_OK);
	return hear_value(stage, type, payload);
}

static unsigned say(
	struct stage *stage, const char *id, const char *mode, const char *text)
{
	struct json_object *payload = cg_json_new_object();

	cg_json_put_string(payload, "messageId", id);
	if (mode != NULL)
		cg_json_put_string(payload, "mode", mode);
	cg_json_put_string(payload, "content", text);
	return hear_value(stage, "assistant.message", payload);
}

static const char *final_text(struct stage *stage)
{
	return cg_buffer_string(&stage->render.final_text);
}

static void render_appends_and_replaces_byte_for_byte(void)
{
	struct stage stage;

	stage_init(&stage);
	CU_ASSERT_EQUAL(say(&stage, "m", "append", " Hel"), 0);
	CU_ASSERT_EQUAL(say(&stage, "m", "append", "lo "), 0);
	say(&stage, "m", "append", "lo\n\n"); /* no overlap is guessed at */
	say(&stage, "m", "append", "");
	CU_ASSERT(render_is_open(&stage.render));
	CU_ASSERT_EQUAL(hear(&stage, "session.idle", NULL), RENDER_FINAL | RENDER_IDLE);
	CU_ASSERT_STRING_EQUAL(final_text(&stage), " Hello lo\n\n");
	CU_ASSERT_STRING_EQUAL(stage.render.final_id, "m");
	CU_ASSERT_FALSE(render_is_open(&stage.render));

	say(&stage, "n", "append", "thrown away");
	say(&stage, "n", "replace", "A");
	say(&stage, "n", NULL, "B"); /* no mode replaces, and so does an unknown one */
	say(&stage, "n", "append", "thrown away");
	say(&stage, "n", "of tomorrow", "B");
	say(&stage, "n", "append", "C");
	hear(&stage, "session.idle", NULL);
	CU_ASSERT_STRING_EQUAL(final_text(&stage), "BC");
	render_finish(&stage.render);
}

static void render_reads_other_names(void)
{
	struct stage stage;

	stage_init(&stage);
	hear(&stage, "assistant.message", "{\"id\":\"x\",\"text\":\"one\"}");
	CU_ASSERT_STRING_EQUAL(stage.render.message_id, "x");
	/* Without an id the event's own number is one. */
	CU_ASSERT_EQUAL(
		hear(&stage, "assistant.message", "{\"message\":\"two\"}"), RENDER_FINAL);
	CU_ASSERT_STRING_EQUAL(final_text(&stage), "one");
	CU_ASSERT_STRING_EQUAL(stage.render.message_id, "assistant:2");
	render_finish(&stage.render);
}

static void render_ends_a_text_at_each_boundary(void)
{
	static const struct {
		const char *type, *json;
		unsigned effects;
	} ends[] = {
		{"session.idle", NULL, RENDER_FINAL | RENDER_IDLE},
		{"session.aborted", NULL, RENDER_FINAL | RENDER_IDLE | RENDER_ABORTED},
		{"session.status", "{\"statusType\":\"idle\"}",
			RENDER_FINAL | RENDER_IDLE},
		{"permission.requested", "{}", RENDER_FINAL | RENDER_ASK},
		{"question.asked", "{}", RENDER_FINAL | RENDER_ASK},
		{"runtime.error", "{\"message\":\"broken\"}",
			RENDER_FINAL | RENDER_ERROR},
		{"prompt.submitted", "{}", RENDER_FINAL | RENDER_BUSY | RENDER_PROMPT},
		{"assistant.message", "{\"messageId\":\"n\",\"content\":\"next\"}",
			RENDER_FINAL},
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct stage stage;

		stage_init(&stage);
		say(&stage, "m", "append", "text");
		CU_ASSERT_EQUAL(
			hear(&stage, ends[i].type, ends[i].json), ends[i].effects);
		CU_ASSERT_STRING_EQUAL(final_text(&stage), "text");
		render_finish(&stage.render);
	}
}

static void render_goes_on_through_the_rest(void)
{
	static const struct {
		const char *type, *json;
		unsigned effects;
	} rest[] = {
		{"session.status", "{\"statusType\":\"busy\"}", RENDER_BUSY},
		{"session.status", "{\"statusType\":\"running\"}", RENDER_BUSY},
		{"session.status", "{\"statusType\":\"unknown\"}", 0},
		{"session.status", NULL, 0},
		{"tool.call", "{\"name\":\"x\"}", RENDER_BUSY | RENDER_TOOL},
		{"never.heard.of", "{\"content\":7}", 0},
		{"", NULL, 0},
		{"snapshot.required", "{}", RENDER_SNAPSHOT},
	};
	struct stage stage;

	stage_init(&stage);
	say(&stage, "m", "append", "text");
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		CU_ASSERT_EQUAL(
			hear(&stage, rest[i].type, rest[i].json), rest[i].effects);
	/* Foreign shapes of what is known. */
	hear(&stage, "assistant.message", NULL);
	hear(&stage, "assistant.message", "{\"messageId\":{},\"content\":[1]}");
	hear(&stage, "runtime.error", "{\"message\":7}");
	render_finish(&stage.render);
}

static void render_shows_nothing_of_nothing(void)
{
	struct stage stage;

	stage_init(&stage);
	CU_ASSERT_EQUAL(hear(&stage, "session.idle", NULL), RENDER_IDLE);
	say(&stage, "m", "append", " \n\t");
	CU_ASSERT_EQUAL(hear(&stage, "session.idle", NULL), RENDER_IDLE);
	CU_ASSERT_FALSE(render_is_open(&stage.render));
	render_finish(&stage.render);
}

static void render_says_why_it_failed(void)
{
	struct stage stage;

	stage_init(&stage);
	CU_ASSERT_EQUAL(
		hear(&stage, "runtime.error", "{\"error\":\"no quota\"}"), RENDER_ERROR);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&stage.render.error), "no quota");
	hear(&stage, "runtime.error", NULL);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&stage.render.error),
		"The agent failed without saying why.");
	render_finish(&stage.render);
}

static void render_asks_for_a_slot_when_it_takes_long(void)
{
	struct stage stage;

	stage_init(&stage);
	say(&stage, "m", "append", "a");
	stage.now_ms += RENDER_SLOT_MS - 1;
	CU_ASSERT_EQUAL(say(&stage, "m", "append", "b"), 0);
	stage.now_ms += 1;
	CU_ASSERT_EQUAL(say(&stage, "m", "append", "c"), RENDER_SLOT);
	CU_ASSERT_EQUAL(say(&stage, "m", "append", "d"), RENDER_PREVIEW);
	CU_ASSERT_EQUAL(say(&stage, "m", "replace", "e"), RENDER_PREVIEW);
	/* The next message begins anew. */
	CU_ASSERT_EQUAL(say(&stage, "n", "append", "f"), RENDER_FINAL);
	stage.now_ms += RENDER_SLOT_MS;
	CU_ASSERT_EQUAL(say(&stage, "n", "replace", " "), 0); /* of what? */
	CU_ASSERT_EQUAL(say(&stage, "n", "append", "g"), RENDER_SLOT);
	render_reset(&stage.render);
	CU_ASSERT_FALSE(render_is_open(&stage.render));
	stage.capabilities = &plain;
	say(&stage, "o", "append", "h");
	stage.now_ms += 10 * RENDER_SLOT_MS;
	CU_ASSERT_EQUAL(say(&stage, "o", "append", "i"), 0);
	render_finish(&stage.render);
}

static void render_begins_midway(void)
{
	struct stage stage;

	stage_init(&stage);
	say(&stage, "old", "append", "gone");
	render_begin(&stage.render, "m", "Hel", stage.now_ms);
	CU_ASSERT(render_is_open(&stage.render));
	say(&stage, "m", "append", "lo");
	hear(&stage, "session.idle", NULL);
	CU_ASSERT_STRING_EQUAL(final_text(&stage), "Hello");
	render_finish(&stage.render);
}

static char *repeat(size_t length, const char *tail)
{
	char *text = malloc(length + strlen(tail) + 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	memset(text, 'x', length);
	memcpy(text + length, tail, strlen(tail) + 1);
	return text;
}

static void render_cuts_at_its_cap_and_says_so(void)
{
	char *most = repeat(RENDER_TEXT_MAX - 1, "");
	struct stage stage;

	stage_init(&stage);
	say(&stage, "m", "append", most);
	say(&stage, "m", "append", "y"); /* exactly full */
	hear(&stage, "session.idle", NULL);
	CU_ASSERT_EQUAL(stage.render.final_text.length, RENDER_TEXT_MAX);
	CU_ASSERT_EQUAL(final_text(&stage)[RENDER_TEXT_MAX - 1], 'y');

	say(&stage, "n", "append", most);
	say(&stage, "n", "append", "é"); /* one byte of its two would fit */
	say(&stage, "n", "append", "never seen");
	hear(&stage, "session.idle", NULL);
	CU_ASSERT_EQUAL(strncmp(final_text(&stage), most, RENDER_TEXT_MAX - 1), 0);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(final_text(&stage) + RENDER_TEXT_MAX - 1, "is cut here"));
	CU_ASSERT_PTR_NULL(strstr(final_text(&stage), "\xC3"));
	/* It does not stick to the next text. */
	say(&stage, "o", "append", "short");
	hear(&stage, "session.idle", NULL);
	CU_ASSERT_STRING_EQUAL(final_text(&stage), "short");
	render_finish(&stage.render);
	free(most);
}

static void render_bounds_ids_and_errors(void)
{
	char *id = repeat(400, ""), *other = repeat(400, "z");
	char *json = malloc(20000);
	struct stage stage;

	stage_init(&stage);
	say(&stage, id, "append", "a");
	CU_ASSERT_EQUAL(strlen(stage.render.message_id), RENDER_ID_MAX - 1);
	/* Two ids that are the same as far as they are kept are one message. */
	CU_ASSERT_EQUAL(say(&stage, other, "append", "b"), 0);
	hear(&stage, "session.idle", NULL);
	CU_ASSERT_STRING_EQUAL(final_text(&stage), "ab");
	snprintf(json, 20000, "{\"message\":\"%0*d\"}", 10000, 0);
	CU_ASSERT_EQUAL(hear(&stage, "runtime.error", json), RENDER_ERROR);
	CU_ASSERT(stage.render.error.length <= 4096);
	render_finish(&stage.render);
	free(id);
	free(other);
	free(json);
}

UNIT_SUITE(render, UNIT_TEST(render_appends_and_replaces_byte_for_byte),
	UNIT_TEST(render_reads_other_names),
	UNIT_TEST(render_ends_a_text_at_each_boundary),
	UNIT_TEST(render_goes_on_through_the_rest),
	UNIT_TEST(render_shows_nothing_of_nothing), UNIT_TEST(render_says_why_it_failed),
	UNIT_TEST(render_asks_for_a_slot_when_it_takes_long),
	UNIT_TEST(render_begins_midway), UNIT_TEST(render_cuts_at_its_cap_and_says_so),
	UNIT_TEST(render_bounds_ids_and_errors));
