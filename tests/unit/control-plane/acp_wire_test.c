/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/agents/acp_wire.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static enum acp_kind kind_of(const char *text)
{
	struct json_object *json = parse(text);
	struct acp_message message;

	acp_message_read(json, &message);
	cg_json_free(json);
	return message.kind;
}

static void messages_are_told_apart(void)
{
	CU_ASSERT_EQUAL(kind_of("{\"id\":\"a-b\",\"method\":\"m\"}"), ACP_REQUEST);
	CU_ASSERT_EQUAL(
		kind_of("{\"id\":0,\"method\":\"m\",\"params\":{}}"), ACP_REQUEST);
	CU_ASSERT_EQUAL(kind_of("{\"method\":\"m\"}"), ACP_NOTICE);
	CU_ASSERT_EQUAL(kind_of("{\"result\":{},\"id\":3}"), ACP_RESPONSE);
	CU_ASSERT_EQUAL(kind_of("{\"result\":{},\"id\":\"3\"}"), ACP_NONSENSE);
	CU_ASSERT_EQUAL(kind_of("{}"), ACP_NONSENSE);
	CU_ASSERT_EQUAL(kind_of("[]"), ACP_NONSENSE);
	CU_ASSERT_EQUAL(kind_of("null"), ACP_NONSENSE);
}

static void ids_go_back_as_they_came(void)
{
	struct json_object *id = parse("\"8428-x\"");
	struct cg_buffer line;

	cg_buffer_init(&line, ACP_LINE);
	acp_write_result(&line, id, acp_permission_result("ok"));
	acp_write_error(&line, id, ACP_METHOD_NOT_FOUND, "no");
	acp_write_request(&line, 7, "session/new", NULL);
	acp_write_notice(&line, "session/cancel", NULL);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&line),
		"{\"jsonrpc\":\"2.0\",\"id\":\"8428-x\",\"result\":{\"outcome\":"
		"{\"outcome\":\"selected\",\"optionId\":\"ok\"}}}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":\"8428-x\",\"error\":{\"code\":-32601,"
		"\"message\":\"no\"}}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"session/"
		"new\",\"params\":{}}\n"
		"{\"jsonrpc\":\"2.0\",\"method\":\"session/cancel\",\"params\":{}}\n");
	cg_buffer_finish(&line);
	cg_json_free(id);
}

static void expect_error(const char *json, const char *wanted)
{
	struct json_object *error = parse(json);
	char text[CG_ERROR_TEXT];

	acp_error_text(error, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, wanted);
	cg_json_free(error);
}

static void errors_become_a_sentence(void)
{
	expect_error("{\"code\":1,\"message\":\"bad\"}", "bad");
	expect_error("{\"message\":\"bad\",\"data\":\"worse\"}", "bad: worse");
	expect_error(
		"{\"message\":\"bad\",\"data\":{\"details\":\"worse\"}}", "bad: worse");
	expect_error("{\"message\":\"bad\",\"data\":{\"message\":\"bad\"}}", "bad");
	expect_error("{}", "no reason given");
}

static void nothing_is_offered_that_is_not_there(void)
{
	expect_json(acp_initialize_params("9"),
		"{\"protocolVersion\":1,\"clientCapabilities\":{\"fs\":{\"readTextFile\":"
		"false,\"writeTextFile\":false},\"terminal\":false},\"clientInfo\":{"
		"\"name\":\"cowgate\",\"title\":\"Cowgate\",\"version\":\"9\"}}");
}

static void abilities_default_to_none(void)
{
	struct json_object *all = parse(
		"{\"protocolVersion\":1,\"agentCapabilities\":{\"loadSession\":true,"
		"\"promptCapabilities\":{\"image\":true,\"embeddedContext\":true}}}");
	struct json_object *none = parse("{\"protocolVersion\":1}");
	struct json_object *later = parse("{\"protocolVersion\":2}");
	struct acp_abilities abilities;

	CU_ASSERT_TRUE(acp_initialize_read(all, &abilities));
	CU_ASSERT_TRUE(abilities.load_session && abilities.images && abilities.embedded);
	CU_ASSERT_TRUE(acp_initialize_read(none, &abilities));
	CU_ASSERT_FALSE(abilities.load_session || abilities.images || abilities.embedded);
	CU_ASSERT_FALSE(acp_initialize_read(later, &abilities));
	CU_ASSERT_FALSE(acp_initialize_read(NULL, &abilities));
	cg_json_free(all);
	cg_json_free(none);
	cg_json_free(later);
}

static void expect_update(
	const char *json, enum acp_update_kind kind, const char *payload)
{
	struct json_object *update = parse(json);
	struct acp_update read;

	acp_update_read(update, &read);
	CU_ASSERT_EQUAL(read.kind, kind);
	if (payload != NULL)
		expect_json(cg_json_ref(read.payload), payload);
	acp_update_finish(&read);
	cg_json_free(update);
}

static void updates_become_events(void)
{
	expect_update("{\"sessionUpdate\":\"agent_message_chunk\",\"content\":{\"type\":"
		      "\"text\",\"text\":\"hi\"}}",
		ACP_UPDATE_TEXT, NULL);
	expect_update("{\"sessionUpdate\":\"agent_message_chunk\",\"content\":{\"type\":"
		      "\"text\",\"text\":\"\"}}",
		ACP_UPDATE_OTHER, NULL);
	expect_update("{\"sessionUpdate\":\"agent_thought_chunk\",\"content\":{\"type\":"
		      "\"text\",\"text\":\"hm\"}}",
		ACP_UPDATE_THOUGHT, NULL);
	expect_update("{\"sessionUpdate\":\"available_commands_update\"}",
		ACP_UPDATE_OTHER, NULL);
	expect_update("{\"sessionUpdate\":\"tool_call\"}", ACP_UPDATE_OTHER, NULL);
	expect_update("{\"sessionUpdate\":\"plan\",\"entries\":[{\"content\":\"a\","
		      "\"status\":\"in_progress\",\"priority\":\"low\"}]}",
		ACP_UPDATE_TODOS,
		"{\"todos\":[{\"id\":\"1\",\"content\":\"a\",\"status\":\"in_progress\","
		"\"priority\":\"low\"}]}");
	expect_update("{\"sessionUpdate\":\"usage_update\",\"used\":8,\"size\":9}",
		ACP_UPDATE_OTHER, NULL);
}

static void tools_keep_what_is_not_told_again(void)
{
	expect_update("{\"sessionUpdate\":\"tool_call\",\"toolCallId\":\"c\",\"title\":"
		      "\"ls\",\"kind\":\"execute\",\"rawInput\":{\"command\":\"ls\"}}",
		ACP_UPDATE_TOOL,
		"{\"id\":\"c\",\"name\":\"ls\",\"kind\":\"execute\",\"input\":{"
		"\"command\":"
		"\"ls\"},\"status\":\"running\"}");
	expect_update("{\"sessionUpdate\":\"tool_call_update\",\"toolCallId\":\"c\","
		      "\"status\":\"completed\",\"content\":[{\"type\":\"content\","
		      "\"content\":{\"type\":\"text\",\"text\":\"made\"}},{\"type\":"
		      "\"diff\",\"path\":\"a.c\"}]}",
		ACP_UPDATE_TOOL,
		"{\"id\":\"c\",\"status\":\"complete\",\"output\":\"made\\nchanged "
		"a.c\"}");
	expect_update("{\"sessionUpdate\":\"tool_call_update\",\"toolCallId\":\"c\"}",
		ACP_UPDATE_TOOL, "{\"id\":\"c\"}");
	expect_update("{\"sessionUpdate\":\"tool_call_update\",\"toolCallId\":\"c\","
		      "\"status\":\"failed\",\"rawOutput\":{\"error\":\"no\"}}",
		ACP_UPDATE_TOOL, "{\"id\":\"c\",\"status\":\"error\",\"error\":\"no\"}");
}

static void long_output_is_cut(void)
{
	char *text = malloc(2 * ACP_OUTPUT);
	struct json_object *update = cg_json_new_object(), *content = cg_json_new_array();
	struct json_object *outer = cg_json_new_object(), *inner = cg_json_new_object();
	struct acp_update read;

	memset(text, 'x', 2 * ACP_OUTPUT);
	cg_json_put_string(inner, "type", "text");
	cg_json_put(inner, "text", cg_json_new_string_length(text, 2 * ACP_OUTPUT));
	cg_json_put_string(outer, "type", "content");
	cg_json_put(outer, "content", inner);
	cg_json_append(content, outer);
	cg_json_put_string(update, "sessionUpdate", "tool_call_update");
	cg_json_put_string(update, "toolCallId", "c");
	cg_json_put(update, "content", content);
	acp_update_read(update, &read);
	CU_ASSERT_EQUAL(
		strlen(cg_json_string_or(read.payload, "output", "")), ACP_OUTPUT);
	acp_update_finish(&read);
	cg_json_free(update);
	free(text);
}

static void options_are_chosen_by_kind(void)
{
	struct json_object *all =
		parse("{\"options\":[{\"optionId\":\"p\",\"kind\":\"allow_always\"},{"
		      "\"optionId\":"
		      "\"q\",\"kind\":\"allow_once\"},{\"optionId\":\"r\",\"kind\":"
		      "\"reject_once\"}]}");
	struct json_object *broad =
		parse("{\"options\":[{\"optionId\":\"p\",\"kind\":\"allow_always\"}]}");

	CU_ASSERT_STRING_EQUAL(acp_permission_option(all, "always"), "p");
	CU_ASSERT_STRING_EQUAL(acp_permission_option(all, "once"), "q");
	CU_ASSERT_STRING_EQUAL(acp_permission_option(all, "reject"), "r");
	CU_ASSERT_PTR_NULL(acp_permission_option(all, "whatever"));
	/* "Once" is never made "always", and nothing is a refusal too. */
	CU_ASSERT_PTR_NULL(acp_permission_option(broad, "once"));
	CU_ASSERT_PTR_NULL(acp_permission_option(broad, "reject"));
	CU_ASSERT_PTR_NULL(acp_permission_option(NULL, "once"));
	expect_json(
		acp_permission_result(NULL), "{\"outcome\":{\"outcome\":\"cancelled\"}}");
	cg_json_free(all);
	cg_json_free(broad);
}

static void a_card_shows_what_will_run(void)
{
	struct json_object *params = parse(
		"{\"toolCall\":{\"title\":\"rm x\",\"kind\":\"execute\",\"rawInput\":"
		"{\"command\":\"rm x\"},\"locations\":[{\"path\":\"/w/x\"}]}}");

	expect_json(acp_permission_payload(params, "p1"),
		"{\"permissionId\":\"p1\",\"id\":\"p1\",\"tool\":\"execute\","
		"\"description\":\"rm x\",\"input\":{\"command\":\"rm x\",\"resources\":["
		"\"/w/x\"]}}");
	cg_json_free(params);
	expect_json(acp_permission_payload(NULL, "p1"),
		"{\"permissionId\":\"p1\",\"id\":\"p1\",\"tool\":\"tool\","
		"\"description\":"
		"\"use a tool\",\"input\":{\"resources\":[]}}");
}

static void usage_is_told_once_it_is_known(void)
{
	struct json_object *result =
		parse("{\"usage\":{\"inputTokens\":11,\"outputTokens\":7}}");

	expect_json(acp_usage_payload(result, 0.5, "c1"),
		"{\"id\":\"c1\",\"cost\":0.5,\"tokens\":{\"input\":11,\"output\":7,"
		"\"reasoning\":0,\"cache\":{\"read\":0,\"write\":0}}}");
	CU_ASSERT_PTR_NULL(acp_usage_payload(NULL, 0, "c1"));
	cg_json_free(result);
}

/* One file with these bytes, in the form that goes out. */
static void expect_file(const char *bytes, const char *filename, const char *type,
	const struct acp_abilities *abilities, const char *wanted)
{
	char path[] = "/tmp/cowgate-acp-XXXXXX";
	int fd = mkstemp(path);
	struct agent_file file = {filename, type, path, strlen(bytes)};
	struct agent_prompt prompt = {.text = "see", .files = &file, .file_count = 1};
	struct json_object *params, *block;

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	close(fd);
	params = acp_prompt_params("s", &prompt, NULL, abilities);
	CU_ASSERT_EQUAL(cg_json_count(cg_json_array(params, "prompt")), 2);
	block = cg_json_at(cg_json_array(params, "prompt"), 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(block);
	if (cg_json_string(block, "uri") != NULL)
		cg_json_put_string(block, "uri", "here");
	if (cg_json_object(block, "resource") != NULL)
		cg_json_put_string(cg_json_object(block, "resource"), "uri", "here");
	expect_json(cg_json_ref(block), wanted);
	cg_json_free(params);
	unlink(path);
}

static void files_go_in_the_best_form(void)
{
	const struct acp_abilities all = {.images = true, .embedded = true}, none = {0};

	expect_file("PNG", "a.png", "image/png", &all,
		"{\"type\":\"image\",\"mimeType\":\"image/png\",\"data\":\"UE5H\"}");
	expect_file("PNG", "a.png", "image/png", &none,
		"{\"type\":\"resource_link\",\"uri\":\"here\",\"name\":\"a.png\","
		"\"mimeType\":\"image/png\",\"size\":3}");
	expect_file("hi", "a.txt", "text/plain", &all,
		"{\"type\":\"resource\",\"resource\":{\"uri\":\"here\",\"mimeType\":"
		"\"text/plain\",\"text\":\"hi\"}}");
	expect_file("\xff", "a.txt", "text/plain", &all,
		"{\"type\":\"resource_link\",\"uri\":\"here\",\"name\":\"a.txt\","
		"\"mimeType\":\"text/plain\",\"size\":1}");
	expect_file("x", "a.bin", NULL, &all,
		"{\"type\":\"resource_link\",\"uri\":\"here\",\"name\":\"a.bin\","
		"\"size\":1}");
}

UNIT_SUITE(acp_wire, UNIT_TEST(messages_are_told_apart),
	UNIT_TEST(ids_go_back_as_they_came), UNIT_TEST(errors_become_a_sentence),
	UNIT_TEST(nothing_is_offered_that_is_not_there),
	UNIT_TEST(abilities_default_to_none), UNIT_TEST(updates_become_events),
	UNIT_TEST(tools_keep_what_is_not_told_again), UNIT_TEST(long_output_is_cut),
	UNIT_TEST(options_are_chosen_by_kind), UNIT_TEST(a_card_shows_what_will_run),
	UNIT_TEST(usage_is_told_once_it_is_known), UNIT_TEST(files_go_in_the_best_form));
