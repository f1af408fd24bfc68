/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/agents/echo_script.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ECHO_PARTS 4 /* in which an answer comes */
#define ECHO_LISTING (64 * 1024) /* bytes that tell of attached files */

/* One more step; its text is a copy, its payload is adopted. */
static struct echo_step *step(struct echo_script *script, enum echo_kind kind,
	const char *text, struct json_object *payload)
{
	struct echo_step *next = &script->steps[script->count++];

	next->kind = kind;
	next->text = text == NULL ? NULL : strdup(text);
	next->payload = payload;
	next->count = 1;
	return next;
}

/* In a few pieces, and then once more as a whole. */
static void answer(struct echo_script *script, const char *text)
{
	step(script, ECHO_PIECES, text, NULL)->count = ECHO_PARTS;
	step(script, ECHO_WHOLE, text, NULL);
}

/* "N REST": the number from 1 to @most and where the rest begins; false when there is
 * none. */
static bool read_count(
	const char *args, int64_t most, int64_t *ret_count, const char **ret_rest)
{
	char *end;
	long count = strtol(args, &end, 10);

	if (count < 1 || count > most || (*end != ' ' && *end != '\0'))
		return false;
	*ret_count = count;
	*ret_rest = *end == ' ' ? end + 1 : end;
	return true;
}

/* ---- the words: false when the rest is not what the word needs ---- */

static bool plan_fail(struct echo_script *script, const char *args)
{
	step(script, ECHO_FAIL, args, NULL);
	return true;
}

static bool plan_slow(struct echo_script *script, const char *args)
{
	struct echo_step *dots;
	int64_t seconds;

	if (!read_count(args, ECHO_SLOW_MAX, &seconds, &args))
		return false;
	dots = step(script, ECHO_REPEAT, ".", NULL);
	dots->count = seconds * 1000 / ECHO_SLOW_STEP_MS;
	dots->pause_ms = ECHO_SLOW_STEP_MS;
	step(script, ECHO_WHOLE, *args == '\0' ? "done" : args, NULL);
	return true;
}

static bool plan_stream(struct echo_script *script, const char *args)
{
	struct echo_step *pieces;
	int64_t count;

	if (!read_count(args, ECHO_STREAM_MAX, &count, &args) || *args == '\0')
		return false;
	pieces = step(script, ECHO_PIECES, args, NULL);
	pieces->count = count;
	pieces->pause_ms = ECHO_STREAM_STEP_MS;
	return true;
}

static struct json_object *array_of(const char *text)
{
	struct json_object *array = cg_json_new_array();

	cg_json_append(array, cg_json_new_string(text));
	return array;
}

static bool plan_ask(struct echo_script *script, const char *args)
{
	struct json_object *payload = cg_json_new_object();
	struct json_object *input = cg_json_new_object();
	char pattern[64];

	snprintf(pattern, sizeof(pattern), "%.*s *",
		(int)cg_text_prefix(args, strcspn(args, " "), CG_UNIT_BYTES, 60), args);
	cg_json_put(input, "resources", array_of(args));
	cg_json_put(input, "save", array_of(pattern));
	cg_json_put_string(input, "command", args);
	cg_json_put_string(payload, "permissionId", script->asked);
	cg_json_put_string(payload, "id", script->asked);
	cg_json_put_string(payload, "tool", "bash");
	cg_json_put_string(payload, "title", "Run a command");
	cg_json_put(payload, "input", input);
	cg_json_put_string(payload, "description", args);
	step(script, ECHO_ASK, NULL, payload)->type = "permission.requested";
	return true;
}

static void add_option(struct json_object *options, const char *label, const char *about)
{
	struct json_object *option = cg_json_new_object();

	cg_json_put_string(option, "label", label);
	cg_json_put_string(option, "description", about);
	cg_json_append(options, option);
}

static struct json_object *question(const char *header, const char *text, bool multiple)
{
	struct json_object *question = cg_json_new_object();
	struct json_object *options = cg_json_new_array();

	add_option(options, multiple ? "red" : "yes", "the first");
	add_option(options, multiple ? "green" : "no", "the second");
	add_option(options, multiple ? "blue" : "later", "the third");
	cg_json_put_string(question, "header", header);
	cg_json_put_string(question, "question", text);
	cg_json_put(question, "options", options);
	cg_json_put_bool(question, "multiple", multiple);
	cg_json_put_bool(question, "custom", !multiple);
	return question;
}

static void ask_questions(struct echo_script *script, struct json_object *questions)
{
	struct json_object *payload = cg_json_new_object();

	cg_json_put_string(payload, "requestId", script->asked);
	cg_json_put_string(payload, "id", script->asked);
	cg_json_put(payload, "questions", questions);
	step(script, ECHO_ASK, NULL, payload)->type = "question.asked";
}

static bool plan_question(struct echo_script *script, const char *args)
{
	struct json_object *questions = cg_json_new_array();

	cg_json_append(questions, question("Choice", args, false));
	ask_questions(script, questions);
	return true;
}

static bool plan_questions(struct echo_script *script, const char *args)
{
	struct json_object *questions = cg_json_new_array();

	cg_json_append(questions, question("Choice", args, false));
	cg_json_append(questions, question("Colours", "Which colours?", true));
	ask_questions(script, questions);
	return true;
}

static void tool_step(struct echo_script *script, const char *status, const char *args)
{
	struct json_object *payload = cg_json_new_object();
	struct json_object *input = cg_json_new_object();
	bool complete = strcmp(status, "complete") == 0;

	if (!complete)
		cg_json_put_string(input, "command", args);
	cg_json_put_string(payload, "id", script->asked);
	if (!complete)
		cg_json_put_string(payload, "name", "bash");
	cg_json_put(payload, "input", input);
	cg_json_put_string(payload, "status", status);
	if (complete)
		cg_json_put_string(payload, "output", args);
	step(script, ECHO_EVENT, NULL, payload)->type = "tool.call";
}

static bool plan_tool(struct echo_script *script, const char *args)
{
	struct cg_buffer text;

	tool_step(script, "pending", args);
	tool_step(script, "running", args);
	tool_step(script, "complete", args);
	cg_buffer_init(&text, SIZE_MAX);
	cg_buffer_format(&text, "The tool said: %s", args);
	answer(script, cg_buffer_string(&text));
	cg_buffer_finish(&text);
	return true;
}

static void todo_step(struct echo_script *script, const char *const states[3])
{
	static const char *const what[] = {"look", "think", "answer"};
	struct json_object *payload = cg_json_new_object();
	struct json_object *todos = cg_json_new_array();

	for (size_t i = 0; i < 3; i++) {
		struct json_object *todo = cg_json_new_object();

		cg_json_put_string(todo, "id", what[i]);
		cg_json_put_string(todo, "content", what[i]);
		cg_json_put_string(todo, "status", states[i]);
		cg_json_put_string(todo, "priority", "medium");
		cg_json_append(todos, todo);
	}
	cg_json_put(payload, "todos", todos);
	step(script, ECHO_EVENT, NULL, payload)->type = "todos.updated";
}

static bool plan_todo(struct echo_script *script, const char *args)
{
	(void)args;
	todo_step(script, (const char *const[]){"in_progress", "pending", "pending"});
	todo_step(script, (const char *const[]){"completed", "completed", "in_progress"});
	answer(script, "Two of three are done.");
	return true;
}

static bool plan_cost(struct echo_script *script, const char *args)
{
	struct json_object *payload = cg_json_new_object();
	struct json_object *tokens = cg_json_new_object();

	(void)args;
	cg_json_put_int(tokens, "input", 900);
	cg_json_put_int(tokens, "output", 40);
	cg_json_put_int(tokens, "reasoning", 0);
	cg_json_put_string(payload, "id", script->asked);
	cg_json_put_double(payload, "cost", 0.0021);
	cg_json_put(payload, "tokens", tokens);
	step(script, ECHO_EVENT, NULL, payload)->type = "cost.updated";
	answer(script, "That was 0.0021 for 940 tokens.");
	return true;
}

/* The name ends where the bytes begin: cuts the script's own text. */
static bool plan_file(struct echo_script *script, const char *args)
{
	char *name = script->prompt + (args - script->prompt);
	char *bytes = strchr(name, ' ');
	struct cg_buffer text;

	if (bytes == NULL || bytes == name)
		return false;
	*bytes++ = '\0';
	step(script, ECHO_FILE, bytes, NULL)->type = name;
	cg_buffer_init(&text, SIZE_MAX);
	cg_buffer_format(&text, "%s has %zu bytes.", name, strlen(bytes));
	answer(script, cg_buffer_string(&text));
	cg_buffer_finish(&text);
	return true;
}

static const struct {
	const char *word;
	bool (*plan)(struct echo_script *script, const char *args);
	bool alone; /* needs nothing behind it */
} words[] = {
	{"ask", plan_ask, false},
	{"cost", plan_cost, true},
	{"fail", plan_fail, false},
	{"file", plan_file, false},
	{"question", plan_question, false},
	{"questions", plan_questions, false},
	{"slow", plan_slow, false},
	{"stream", plan_stream, false},
	{"todo", plan_todo, true},
	{"tool", plan_tool, false},
};

/* ---- attachments ---- */

static void list_files(struct echo_script *script, const struct agent_prompt *prompt)
{
	struct cg_buffer text;
	struct stat about;

	cg_buffer_init(&text, ECHO_LISTING);
	for (size_t i = 0; i < prompt->file_count; i++) {
		const struct agent_file *file = &prompt->files[i];

		cg_buffer_format(&text, "%s%s (%s, ", i == 0 ? "" : "\n", file->filename,
			file->mime_type);
		if (stat(file->path, &about) == 0)
			cg_buffer_format(
				&text, "%" PRIu64 " bytes)", (uint64_t)about.st_size);
		else
			cg_buffer_text(&text, "not readable)");
	}
	answer(script, cg_buffer_string(&text));
	cg_buffer_finish(&text);
}

static void plan(struct echo_script *script, const struct agent_prompt *prompt)
{
	size_t length = strcspn(script->prompt, " ");
	const char *args = script->prompt + length;

	if (prompt->file_count > 0) {
		list_files(script, prompt);
		return;
	}
	if (*args == ' ')
		args++;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].word) == length &&
			strncmp(script->prompt, words[i].word, length) == 0 &&
			(words[i].alone ? *args == '\0' : *args != '\0') &&
			words[i].plan(script, args))
			return;
	}
	answer(script, script->prompt);
}

static bool complete(const struct echo_script *script)
{
	for (size_t i = 0; i < script->count; i++) {
		const struct echo_step *one = &script->steps[i];

		if (one->text == NULL && one->payload == NULL)
			return false;
	}
	return true;
}

enum cg_status echo_script_init(
	struct echo_script *script, const struct agent_prompt *prompt)
{
	struct cg_buffer id;

	memset(script, 0, sizeof(*script));
	cg_buffer_init(&id, 1024);
	cg_buffer_format(&id, "%s:echo", prompt->command_id);
	script->asked = cg_buffer_take(&id, NULL);
	cg_buffer_finish(&id);
	script->prompt = strdup(prompt->text);
	if (script->asked != NULL && script->prompt != NULL) {
		plan(script, prompt);
		if (complete(script))
			return CG_OK;
	}
	echo_script_finish(script);
	return CG_NOMEM;
}

void echo_script_finish(struct echo_script *script)
{
	for (size_t i = 0; i < script->count; i++) {
		free(script->steps[i].text);
		cg_json_free(script->steps[i].payload);
	}
	free(script->asked);
	free(script->prompt);
	memset(script, 0, sizeof(*script));
}
