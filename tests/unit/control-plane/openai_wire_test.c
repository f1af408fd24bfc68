/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/agents/openai_wire.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <string.h>

static struct cg_buffer body;

static const char *built(
	const struct agent_options *options, const struct agent_prompt *prompt)
{
	cg_buffer_finish(&body);
	cg_buffer_init(&body, OPENAI_REQUEST);
	CU_ASSERT_EQUAL(openai_request(options, prompt, false, &body), CG_OK);
	return cg_buffer_string(&body);
}

static struct agent_message said(enum agent_role role, const char *text)
{
	return (struct agent_message){role, text, strlen(text)};
}

static void requests_are_small(void)
{
	struct agent_options options = {0};
	struct agent_prompt prompt = {.text = "hi \"you\""};

	CU_ASSERT_STRING_EQUAL(built(&options, &prompt),
		"{\"messages\":[{\"role\":\"user\",\"content\":\"hi \\\"you\\\"\"}],"
		"\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
	openai_request_plain(&body);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&body),
		"{\"messages\":[{\"role\":\"user\",\"content\":\"hi \\\"you\\\"\"}],"
		"\"stream\":true}");
	openai_request_plain(&body); /* once is enough */
	CU_ASSERT_EQUAL(body.bytes[body.length - 1], '}');
	CU_ASSERT_EQUAL(body.bytes[body.length - 2], 'e');
	cg_buffer_finish(&body);
}

static void history_is_told_in_order(void)
{
	struct agent_message history[] = {
		said(AGENT_ROLE_USER, "q1"), said(AGENT_ROLE_ASSISTANT, "a1"),
		said(AGENT_ROLE_USER, "lost"), /* was never answered */
	};
	struct agent_file file = {"a.pdf", "application/pdf", "/x", 12};
	struct agent_options options = {.model = "m", .system_prompt = "be kind"};
	struct agent_prompt prompt = {
		.text = "q2",
		.history = history,
		.history_count = 3,
		.files = &file,
		.file_count = 1,
	};

	CU_ASSERT_STRING_EQUAL(built(&options, &prompt),
		"{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"be "
		"kind\"},"
		"{\"role\":\"user\",\"content\":\"q1\"},{\"role\":\"assistant\","
		"\"content\":"
		"\"a1\"},{\"role\":\"user\",\"content\":\"lost\\n\\nq2\\n\\n[A file was "
		"attached "
		"that you cannot see: a.pdf, application/pdf, 12 "
		"bytes.]\"}],\"stream\":true,"
		"\"stream_options\":{\"include_usage\":true}}");
	cg_buffer_finish(&body);
}

static size_t told(const struct agent_options *options, const struct agent_prompt *prompt)
{
	struct json_object *json = NULL;
	const char *text = built(options, prompt);
	size_t count;

	CU_ASSERT_EQUAL_FATAL(cg_json_parse(text, strlen(text), &json, NULL), CG_OK);
	count = cg_json_count(cg_json_array(json, "messages"));
	cg_json_free(json);
	cg_buffer_finish(&body);
	return count;
}

static void old_history_is_left_out(void)
{
	/* Five tokens and what a message costs: nine each. */
	struct agent_message history[] = {
		said(AGENT_ROLE_USER, "0123456789abcdef"),
		said(AGENT_ROLE_ASSISTANT, "0123456789abcdef"),
		said(AGENT_ROLE_USER, "0123456789abcdef"),
		said(AGENT_ROLE_ASSISTANT, "0123456789abcdef"),
	};
	struct agent_options options = {.history_tokens = 36};
	struct agent_prompt prompt = {
		.text = "q", .history = history, .history_count = 4};

	CU_ASSERT_EQUAL(told(&options, &prompt), 5);
	options.history_tokens = 35;
	/* The oldest does not fit, and an answer does not stand without its question. */
	CU_ASSERT_EQUAL(told(&options, &prompt), 3);
	options.history_tokens = 9;
	CU_ASSERT_EQUAL(told(&options, &prompt), 1);
	options.history_tokens = 0;
	CU_ASSERT_EQUAL(told(&options, &prompt), 5);
}

static void tokens_are_guessed_high(void)
{
	CU_ASSERT_EQUAL(openai_tokens("", 0), 1);
	CU_ASSERT_EQUAL(openai_tokens("12345678", 8), 3);
	CU_ASSERT_EQUAL(openai_tokens("\xe4\xbd\xa0\xe5\xa5\xbd", 6), 3);
}

static void a_request_has_a_cap(void)
{
	static char text[OPENAI_REQUEST + 1];
	struct agent_options options = {0};
	struct agent_prompt prompt = {.text = text};

	memset(text, 'x', sizeof(text) - 1);
	cg_buffer_init(&body, OPENAI_REQUEST);
	CU_ASSERT_EQUAL(openai_request(&options, &prompt, false, &body), CG_LIMIT);
	cg_buffer_finish(&body);
}

static struct json_object *parsed;

static struct openai_chunk read_chunk(const char *json)
{
	struct openai_chunk chunk;

	cg_json_free(parsed);
	parsed = NULL;
	CU_ASSERT_EQUAL_FATAL(cg_json_parse(json, strlen(json), &parsed, NULL), CG_OK);
	openai_chunk_read(parsed, &chunk);
	return chunk;
}

static void chunks_are_read(void)
{
	struct openai_chunk chunk =
		read_chunk("{\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}");

	CU_ASSERT_STRING_EQUAL(chunk.text, "Hi");
	CU_ASSERT_EQUAL(chunk.length, 2);
	CU_ASSERT_EQUAL(chunk.finish, OPENAI_UNFINISHED);
	CU_ASSERT_FALSE(chunk.has_usage);
	CU_ASSERT_PTR_NULL(chunk.error);

	chunk = read_chunk(
		"{\"choices\":[{\"message\":{\"content\":null,\"refusal\":\"No.\"},"
		"\"finish_reason\":\"stop\"}]}");
	CU_ASSERT_STRING_EQUAL(chunk.text, "No.");
	CU_ASSERT_EQUAL(chunk.finish, OPENAI_STOP);

	chunk = read_chunk(
		"{\"choices\":[],\"usage\":{\"prompt_tokens\":9,"
		"\"completion_tokens\":4,\"cost\":0.5,\"prompt_tokens_details\":"
		"{\"cached_tokens\":3},\"completion_tokens_details\":"
		"{\"reasoning_tokens\":2}}}");
	CU_ASSERT_TRUE(chunk.has_usage);
	CU_ASSERT_EQUAL(chunk.usage.input, 9);
	CU_ASSERT_EQUAL(chunk.usage.cached, 3);
	CU_ASSERT_EQUAL(chunk.usage.output, 4);
	CU_ASSERT_EQUAL(chunk.usage.reasoning, 2);
	CU_ASSERT_EQUAL(chunk.usage.cost, 0.5);

	chunk = read_chunk("{\"error\":{\"message\":\"busy\",\"code\":503}}");
	CU_ASSERT_STRING_EQUAL(chunk.error, "busy");
	CU_ASSERT_EQUAL(chunk.error_code, 503);
	chunk = read_chunk("{\"error\":\"broken\"}");
	CU_ASSERT_STRING_EQUAL(chunk.error, "broken");
	chunk = read_chunk("{\"error\":{}}");
	CU_ASSERT_STRING_EQUAL(chunk.error, "no reason given");
	chunk = read_chunk(
		"{\"error\":null,\"choices\":[{\"delta\":{\"content\":\"\"}}]}");
	CU_ASSERT_PTR_NULL(chunk.error);
	CU_ASSERT_PTR_NULL(chunk.text);
	chunk = read_chunk("[7]");
	CU_ASSERT_PTR_NULL(chunk.text);
	cg_json_free(parsed);
	parsed = NULL;
}

static void finishes_are_told_apart(void)
{
	static const struct {
		const char *json;
		enum openai_finish finish;
	} rows[] = {
		{"{\"choices\":[{\"finish_reason\":null}]}", OPENAI_UNFINISHED},
		{"{\"choices\":[{\"finish_reason\":\"stop\"}]}", OPENAI_STOP},
		{"{\"choices\":[{\"finish_reason\":\"eos\"}]}", OPENAI_STOP},
		{"{\"choices\":[{\"finish_reason\":\"length\"}]}", OPENAI_LENGTH},
		{"{\"choices\":[{\"finish_reason\":\"content_filter\"}]}", OPENAI_FILTER},
		{"{\"choices\":[{\"finish_reason\":\"tool_calls\"}]}", OPENAI_TOOL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CU_ASSERT_EQUAL(read_chunk(rows[i].json).finish, rows[i].finish);
	cg_json_free(parsed);
	parsed = NULL;
}

static void refusals_are_judged(void)
{
	static const struct {
		int status;
		bool passing;
		enum cg_status judged;
		const char *word; /* must be in the sentence */
	} rows[] = {
		{302, false, CG_PROTOCOL, "AGENT_URL"},
		{400, false, CG_INVALID, "too long"},
		{401, false, CG_DENIED, "OPEN_COWORK_GATEWAY_AGENT_API_KEY"},
		{402, false, CG_DENIED, "payment"},
		{403, false, CG_DENIED, "OPEN_COWORK_GATEWAY_AGENT_API_KEY"},
		{404, false, CG_NOT_FOUND, "\"gpt\""},
		{422, false, CG_INVALID, "too long"},
		{429, true, CG_BUSY, "429: too long"},
		{500, true, CG_BUSY, "500"},
		{503, true, CG_BUSY, "503"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cg_error err;

		CU_ASSERT_EQUAL(openai_refusal(rows[i].status, "gpt", "too long", &err),
			rows[i].passing);
		CU_ASSERT_EQUAL((enum cg_status)err.status, rows[i].judged);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, rows[i].word));
	}
}

static void usage_is_a_cost_event(void)
{
	struct openai_usage usage = {0.25, 900, 40, 8, 100};
	struct json_object *payload = openai_usage_payload(&usage, "c1");

	CU_ASSERT_STRING_EQUAL(cg_json_text(payload, NULL),
		"{\"id\":\"c1\",\"cost\":0.25,\"tokens\":{\"input\":900,\"output\":40,"
		"\"reasoning\":8,\"cache\":{\"read\":100,\"write\":0}}}");
	cg_json_free(payload);
}

UNIT_SUITE(openai_wire, UNIT_TEST(requests_are_small),
	UNIT_TEST(history_is_told_in_order), UNIT_TEST(old_history_is_left_out),
	UNIT_TEST(tokens_are_guessed_high), UNIT_TEST(a_request_has_a_cap),
	UNIT_TEST(chunks_are_read), UNIT_TEST(finishes_are_told_apart),
	UNIT_TEST(refusals_are_judged), UNIT_TEST(usage_is_a_cost_event));
