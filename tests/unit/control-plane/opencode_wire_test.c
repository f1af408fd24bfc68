/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/agents/opencode_wire.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

static struct json_object *parse(const char *text)
{
	struct json_object *json = NULL;

	CU_ASSERT_EQUAL_FATAL(cg_json_parse(text, strlen(text), &json, NULL), CG_OK);
	return json;
}

static void expect_json(struct json_object *json, const char *wanted)
{
	const char *text = json == NULL ? "null" : cg_json_text(json, NULL);

	if (strcmp(text, wanted) != 0)
		printf("\nhas    %s\nwanted %s\n", text, wanted);
	CU_ASSERT_STRING_EQUAL(text, wanted);
	cg_json_free(json);
}

static void ids_are_the_same_every_time(void)
{
	char first[OPENCODE_ID], again[OPENCODE_ID], part[OPENCODE_ID],
		other[OPENCODE_ID];

	opencode_prompt_id("command", 0, first);
	opencode_prompt_id("command", 0, again);
	opencode_prompt_id("command", 1, part);
	opencode_prompt_id("another", 0, other);
	CU_ASSERT_STRING_EQUAL(first, again);
	CU_ASSERT_STRING_NOT_EQUAL(first, other);
	CU_ASSERT_EQUAL(strncmp(first, "msg_", 4), 0);
	CU_ASSERT_EQUAL(strncmp(part, "prt_", 4), 0);
	CU_ASSERT_TRUE(strcmp(first, "msg_1") < 0); /* before all of the server's own */
	CU_ASSERT_TRUE(opencode_id_is_plain(first));
}

static void an_id_can_be_the_next_of_the_server_s(void)
{
	static const char newest[] = "msg_0123456789ffAbCdEfGhIjKlMn";
	static const char *const others[] = {"", "msg_", "msg_0123456789f",
		"prt_0123456789ff", "msg_0123456789FFx", "msg_ffffffffffffx"};
	char id[OPENCODE_ID], again[OPENCODE_ID];

	CU_ASSERT_TRUE(opencode_next_id(newest, "command", id));
	CU_ASSERT_EQUAL(strncmp(id, "msg_012345678a00", 16), 0);
	CU_ASSERT_TRUE(strcmp(newest, id) < 0);
	CU_ASSERT_TRUE(opencode_id_is_plain(id));
	CU_ASSERT_TRUE(opencode_next_id(newest, "another", again));
	CU_ASSERT_STRING_NOT_EQUAL(id, again);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CU_ASSERT_FALSE(opencode_next_id(others[i], "command", id));
}

static void only_plain_ids_go_into_a_path(void)
{
	char long_id[OPENCODE_ID + 1];

	memset(long_id, 'a', OPENCODE_ID);
	long_id[OPENCODE_ID] = '\0';
	CU_ASSERT_TRUE(opencode_id_is_plain("per_20-X"));
	CU_ASSERT_FALSE(opencode_id_is_plain(""));
	CU_ASSERT_FALSE(opencode_id_is_plain("../x"));
	CU_ASSERT_FALSE(opencode_id_is_plain("a?b"));
	CU_ASSERT_FALSE(opencode_id_is_plain(long_id));
	long_id[OPENCODE_ID - 1] = '\0';
	CU_ASSERT_TRUE(opencode_id_is_plain(long_id));
}

static void a_prompt_names_what_was_chosen(void)
{
	struct agent_prompt prompt = {.command_id = "c", .text = "hi", .agent = "build"};
	struct json_object *body = opencode_prompt_body(&prompt, NULL, NULL);

	CU_ASSERT_FALSE(cg_json_has(body, "agent"));
	CU_ASSERT_FALSE(cg_json_has(body, "model"));
	CU_ASSERT_EQUAL(cg_json_count(cg_json_array(body, "parts")), 1);
	cg_json_free(body);
	prompt.agent = "plan";
	body = opencode_prompt_body(&prompt, "openrouter/z-ai/glm", "Be brief.");
	CU_ASSERT_STRING_EQUAL(cg_json_string(body, "agent"), "plan");
	CU_ASSERT_STRING_EQUAL(cg_json_string(body, "system"), "Be brief.");
	expect_json(cg_json_ref(cg_json_object(body, "model")),
		"{\"providerID\":\"openrouter\",\"modelID\":\"z-ai/glm\"}");
	cg_json_free(body);
}

static void a_file_that_no_model_takes_is_named(void)
{
	const struct agent_file file = {"a.zip", "application/zip", "/files/1", 9};
	const struct agent_prompt prompt = {
		.command_id = "c", .text = "hi", .files = &file, .file_count = 1};
	struct json_object *body = opencode_prompt_body(&prompt, NULL, NULL);
	struct json_object *part = cg_json_at(cg_json_array(body, "parts"), 1);

	CU_ASSERT_STRING_EQUAL(cg_json_string_or(part, "text", ""),
		"[A file was attached: a.zip, application/zip, at /files/1]");
	cg_json_free(body);
}

static enum opencode_kind read_kind(const char *text, const char *session)
{
	struct json_object *json = parse(text);
	struct opencode_event event;

	opencode_event_read(json, &event);
	CU_ASSERT_STRING_EQUAL(event.session_id, session);
	cg_json_free(json);
	return event.kind;
}

static void events_are_told_apart(void)
{
	CU_ASSERT_EQUAL(read_kind("{\"payload\":{\"type\":\"server.connected\"}}", ""),
		OPENCODE_CONNECTED);
	CU_ASSERT_EQUAL(
		read_kind("{\"type\":\"session.idle\",\"properties\":{\"sessionID\":"
			  "\"s\"}}",
			"s"),
		OPENCODE_IDLE);
	CU_ASSERT_EQUAL(read_kind("{\"type\":\"session.status\",\"properties\":{"
				  "\"sessionID\":\"s\","
				  "\"status\":{\"type\":\"idle\"}}}",
				"s"),
		OPENCODE_IDLE);
	CU_ASSERT_EQUAL(read_kind("{\"type\":\"session.status\",\"properties\":{"
				  "\"sessionID\":\"s\","
				  "\"status\":{\"type\":\"busy\"}}}",
				"s"),
		OPENCODE_OTHER);
	CU_ASSERT_EQUAL(
		read_kind(
			"{\"type\":\"session.created\",\"properties\":{\"info\":{\"id\":"
			"\"s2\",\"parentID\":\"s\"}}}",
			"s2"),
		OPENCODE_CHILD);
	CU_ASSERT_EQUAL(
		read_kind("{\"type\":\"session.created\",\"properties\":{\"info\":{"
			  "\"id\":\"s2\"}}}",
			"s2"),
		OPENCODE_OTHER);
	CU_ASSERT_EQUAL(
		read_kind("{\"payload\":{\"type\":\"sync\",\"syncEvent\":{\"type\":"
			  "\"session.idle.1\"}}}",
			""),
		OPENCODE_OTHER);
	CU_ASSERT_EQUAL(
		read_kind(
			"{\"type\":\"message.part.delta\",\"properties\":{\"sessionID\":"
			"\"s\",\"field\":\"metadata\",\"delta\":\"x\"}}",
			"s"),
		OPENCODE_OTHER);
	CU_ASSERT_EQUAL(read_kind("{\"type\":\"brand.new\"}", ""), OPENCODE_OTHER);
	CU_ASSERT_EQUAL(read_kind("[]", ""), OPENCODE_OTHER);
}

static void a_failing_model_is_counted(void)
{
	struct json_object *json = parse(
		"{\"type\":\"session.status\",\"properties\":{\"sessionID\":\"s\","
		"\"status\":"
		"{\"type\":\"retry\",\"attempt\":3,\"message\":\"boom\",\"next\":1}}}");
	struct opencode_event event;

	opencode_event_read(json, &event);
	CU_ASSERT_EQUAL(event.kind, OPENCODE_RETRY);
	CU_ASSERT_EQUAL(event.number, 3);
	CU_ASSERT_STRING_EQUAL(event.text, "boom");
	cg_json_free(json);
}

static void messages_tell_how_they_ended(void)
{
	struct json_object *json = parse(
		"{\"info\":{\"id\":\"m\",\"role\":\"assistant\",\"parentID\":\"p\","
		"\"time\":{"
		"\"created\":1,\"completed\":2},\"finish\":\"tool-calls\",\"error\":{"
		"\"name\":\"APIError\",\"data\":{\"message\":\"ill\"}}},\"parts\":[]}");
	struct json_object *open = parse(
		"{\"info\":{\"id\":\"m\",\"role\":\"user\",\"time\":{\"created\":1}}}");
	struct opencode_message message;

	opencode_message_read(json, &message);
	CU_ASSERT_TRUE(message.assistant && message.complete && message.more);
	CU_ASSERT_STRING_EQUAL(message.parent_id, "p");
	CU_ASSERT_STRING_EQUAL(message.error, "APIError");
	CU_ASSERT_STRING_EQUAL(message.error_text, "ill");
	opencode_message_read(open, &message);
	CU_ASSERT_FALSE(message.assistant || message.complete || message.more);
	CU_ASSERT_PTR_NULL(message.error);
	cg_json_free(json);
	cg_json_free(open);
}

static enum opencode_part_kind part_kind(const char *text)
{
	struct json_object *json = parse(text);
	struct opencode_part part;

	opencode_part_read(json, &part);
	cg_json_free(json);
	return part.kind;
}

static void parts_are_told_apart(void)
{
	CU_ASSERT_EQUAL(part_kind("{\"id\":\"p\",\"type\":\"text\",\"text\":\"x\"}"),
		OPENCODE_PART_TEXT);
	CU_ASSERT_EQUAL(part_kind("{\"id\":\"p\",\"type\":\"text\",\"synthetic\":true}"),
		OPENCODE_PART_OTHER);
	CU_ASSERT_EQUAL(part_kind("{\"id\":\"p\",\"type\":\"reasoning\"}"),
		OPENCODE_PART_THOUGHT);
	CU_ASSERT_EQUAL(part_kind("{\"type\":\"text\"}"), OPENCODE_PART_OTHER);
	CU_ASSERT_EQUAL(
		part_kind("{\"id\":\"p\",\"type\":\"brand-new\"}"), OPENCODE_PART_OTHER);
}

static void tools_become_events(void)
{
	struct json_object *json = parse(
		"{\"id\":\"p\",\"type\":\"tool\",\"tool\":\"bash\",\"callID\":\"c\","
		"\"state\":{\"status\":\"completed\",\"input\":{\"command\":\"ls\"},"
		"\"title\":\"ls\",\"output\":\"a\\n\"}}");
	struct opencode_part part;

	opencode_part_read(json, &part);
	expect_json(opencode_tool_payload(&part),
		"{\"id\":\"c\",\"name\":\"bash\",\"title\":\"ls\",\"input\":{\"command\":"
		"\"ls\"},\"status\":\"complete\",\"output\":\"a\\n\"}");
	cg_json_free(json);
}

static void a_card_shows_what_will_run(void)
{
	struct json_object *json = parse(
		"{\"id\":\"per_1\",\"sessionID\":\"s\",\"permission\":\"bash\","
		"\"patterns\":["
		"\"rm x\"],\"always\":[\"rm *\"],\"metadata\":{\"command\":\"rm x\"}}");

	expect_json(opencode_permission_payload(json),
		"{\"permissionId\":\"per_1\",\"id\":\"per_1\",\"sourceSessionId\":\"s\","
		"\"tool\":\"bash\",\"description\":\"bash: rm x\",\"input\":{\"command\":"
		"\"rm x\",\"resources\":[\"rm x\"],\"save\":[\"rm *\"]}}");
	cg_json_free(json);
}

static void questions_may_be_answered_in_own_words(void)
{
	struct json_object *json = parse(
		"{\"id\":\"q\",\"sessionID\":\"s\",\"questions\":[{\"question\":\"?\"},{"
		"\"question\":\"!\",\"custom\":false},7]}");

	expect_json(opencode_question_payload(json),
		"{\"requestId\":\"q\",\"id\":\"q\",\"sourceSessionId\":\"s\","
		"\"questions\":[{"
		"\"question\":\"?\",\"custom\":true},{\"question\":\"!\",\"custom\":"
		"false},"
		"7]}");
	cg_json_free(json);
}

static void files_come_as_bytes_only(void)
{
	struct json_object *data =
		parse("{\"mime\":\"image/png\",\"url\":\"data:image/png;base64,UE5H\"}");
	struct json_object *path =
		parse("{\"filename\":\"a\",\"url\":\"file:///tmp/a\"}");
	struct json_object *web = parse("{\"url\":\"https://example.org/a\"}");
	struct json_object *bad = parse("{\"url\":\"data:image/png;base64,!!\"}");
	struct opencode_file file;
	struct cg_buffer bytes;

	cg_buffer_init(&bytes, 16);
	CU_ASSERT_TRUE(opencode_file_read(data, &bytes, &file));
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&bytes), "PNG");
	CU_ASSERT_STRING_EQUAL(file.mime_type, "image/png");
	/* Whoever runs the agent may not be one who could read it. */
	CU_ASSERT_FALSE(opencode_file_read(path, &bytes, &file));
	CU_ASSERT_FALSE(opencode_file_read(web, &bytes, &file));
	CU_ASSERT_FALSE(opencode_file_read(bad, &bytes, &file));
	cg_buffer_finish(&bytes);
	cg_json_free(data);
	cg_json_free(path);
	cg_json_free(web);
	cg_json_free(bad);
}

static void expect_error(const char *json, const char *wanted)
{
	struct json_object *error = parse(json);
	char text[CG_ERROR_TEXT];

	opencode_error_text(error, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, wanted);
	cg_json_free(error);
}

static void errors_have_two_shapes(void)
{
	expect_error(
		"{\"name\":\"NotFoundError\",\"data\":{\"message\":\"gone\"}}", "gone");
	expect_error("{\"_tag\":\"BadRequest\"}", "BadRequest");
	expect_error("{\"name\":\"X\"}", "X");
	expect_error("{}", "no reason given");
}

UNIT_SUITE(opencode_wire, UNIT_TEST(ids_are_the_same_every_time),
	UNIT_TEST(an_id_can_be_the_next_of_the_server_s),
	UNIT_TEST(only_plain_ids_go_into_a_path),
	UNIT_TEST(a_prompt_names_what_was_chosen),
	UNIT_TEST(a_file_that_no_model_takes_is_named), UNIT_TEST(events_are_told_apart),
	UNIT_TEST(a_failing_model_is_counted), UNIT_TEST(messages_tell_how_they_ended),
	UNIT_TEST(parts_are_told_apart), UNIT_TEST(tools_become_events),
	UNIT_TEST(a_card_shows_what_will_run),
	UNIT_TEST(questions_may_be_answered_in_own_words),
	UNIT_TEST(files_come_as_bytes_only), UNIT_TEST(errors_have_two_shapes));
