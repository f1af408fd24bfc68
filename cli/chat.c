/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A conversation from this terminal, through the plane of the running gateway: bind, prompt,
 * and the session's events as they come.  Lines from stdin are prompts, or answers to what the
 * agent asks; /quit or end of input ends it once the last answer is there.
 */
#include "cli/chat_ask.h"
#include "cli/command.h"
#include "cli/operator_call.h"
#include "gateway/daemon/daemon.h"
#include "runtime/http_client.h"
#include "runtime/loop.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/sse.h>
#include <cowgate/sdk/text.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHAT_LINE (64u << 10) /* bytes of one prompt */
#define CHAT_FRAME (4u << 20) /* bytes of one event */
#define CHAT_USER "terminal"
#define CHAT_PROVIDER DAEMON_CHAT

struct chat {
	const char *word;
	char socket[1100];
	char binding[300], session[300], path[1200];
	struct chat_place place;
	struct chat_asks asks;
	struct loop *loop;
	struct http_client *http;
	struct loop_watch input;
	struct loop_task file; /* reads on where stdin is one */
	struct cg_buffer line;
	bool too_long; /* that line */
	struct cg_sse sse;
	char shown_id[300]; /* the message whose text is on the screen */
	size_t shown; /* bytes of it */
	int64_t after;
	size_t waiting; /* prompts without an answer */
	bool ended, tty;
	int code;
};

static void stop(struct chat *chat, int code)
{
	chat->code = code;
	loop_stop(chat->loop);
}

static void prompt_sign(const struct chat *chat)
{
	if (chat->tty && chat->waiting == 0 && !chat->ended) {
		fputs("› ", stdout);
		fflush(stdout);
	}
}

/* Events. */

/* Print what is new of a message: the rest of a text that grew, or all of another. */
static void show_text(struct chat *chat, struct json_object *payload)
{
	const char *id = cg_json_string_or(payload, "messageId", "");
	const char *text = cg_json_string_or(payload, "content", "");
	bool append =
		strcmp(cg_json_string_or(payload, "mode", "replace"), "append") == 0;
	size_t length = strlen(text), from = 0;

	if (strcmp(chat->shown_id, id) != 0) {
		if (chat->shown > 0)
			fputs("\n", stdout);
		cg_text_copy(chat->shown_id, sizeof(chat->shown_id), id);
		chat->shown = 0;
	}
	if (!append)
		from = chat->shown < length ? chat->shown : length;
	fwrite(text + from, 1, length - from, stdout);
	fflush(stdout);
	chat->shown += length - from;
}

static void turn_over(struct chat *chat)
{
	if (chat->shown > 0)
		fputs("\n", stdout);
	chat->shown = 0;
	chat->shown_id[0] = '\0';
	if (chat->waiting > 0)
		chat->waiting--;
	fflush(stdout);
	if (chat->ended && chat->waiting == 0)
		stop(chat, CLI_OK);
	else
		prompt_sign(chat);
}

/* What may be about a question: that begins a line. */
static void take_ask(struct chat *chat, const char *type, struct json_object *payload)
{
	if (chat->shown > 0 && (strcmp(type, "permission.requested") == 0 ||
				       strcmp(type, "question.asked") == 0))
		fputs("\n", stdout);
	chat_asks_event(&chat->asks, type, payload);
}

static bool take_event(void *arg, const struct cg_sse_event *event)
{
	struct chat *chat = arg;
	struct json_object *frame = NULL, *payload;

	if (cg_json_parse(event->data, event->length, &frame, NULL) != CG_OK)
		return true;
	payload = cg_json_object(frame, "payload");
	chat->after = cg_json_int(frame, "sequence", chat->after);
	if (strcmp(event->type, "assistant.message") == 0)
		show_text(chat, payload);
	else if (strcmp(event->type, "runtime.error") == 0)
		printf("%s⚠ %s\n", chat->shown > 0 ? "\n" : "",
			cg_json_string_or(payload, "message", "the agent failed"));
	else
		take_ask(chat, event->type, payload);
	if (strcmp(event->type, "runtime.error") == 0)
		chat->shown = 0;
	if (strcmp(event->type, "session.idle") == 0 ||
		strcmp(event->type, "session.aborted") == 0 ||
		strcmp(event->type, "runtime.error") == 0)
		turn_over(chat);
	else if (chat->ended)
		chat_asks_refuse(&chat->asks, &chat->place);
	cg_json_free(frame);
	return true;
}

static bool stream_data(void *arg, const char *data, size_t length)
{
	struct chat *chat = arg;

	return cg_sse_feed(&chat->sse, data, length) == CG_OK;
}

static void stream_done(void *arg, const struct cg_http_response *response)
{
	struct chat *chat = arg;

	(void)response;
	fprintf(stderr, "cowgate %s: the gateway has gone\n", chat->word);
	stop(chat, CLI_FAILED);
}

static enum cg_status open_stream(struct chat *chat, struct cg_error *err)
{
	char url[1400];
	struct cg_http_request request = {
		.size = sizeof(request),
		.flags = CG_HTTP_OWN_CONNECTION,
		.method = "GET",
		.url = url,
		.unix_socket = chat->socket,
		.on_data = stream_data,
		.on_done = stream_done,
		.arg = chat,
	};
	struct cg_http_call *call;

	snprintf(url, sizeof(url), "http://localhost%s/events?after=%lld", chat->path,
		(long long)chat->after);
	return http_client_start(chat->http, &request, &call, err);
}

/* Prompts. */

static void prompt_done(void *arg, const struct cg_http_response *response)
{
	struct chat *chat = arg;
	struct json_object *body = NULL;

	if (response->result == CG_HTTP_DONE && response->status < 300)
		return;
	if (response->result == CG_HTTP_DONE)
		cg_json_parse(response->body, response->length, &body, NULL);
	fprintf(stderr, "cowgate %s: %s\n", chat->word,
		cg_json_string_or(body, "error", "the gateway did not take the message"));
	cg_json_free(body);
	turn_over(chat);
}

static void send_prompt(struct chat *chat, const char *text)
{
	static const struct cg_http_header headers[] = {
		{"Content-Type", "application/json"}};
	struct json_object *body = cg_json_new_object();
	struct cg_http_request request = {
		.size = sizeof(request),
		.flags = CG_HTTP_OWN_CONNECTION,
		.method = "POST",
		.url = "http://localhost/api/channels/sessions/prompt",
		.unix_socket = chat->socket,
		.headers = headers,
		.header_count = 1,
		.timeout_ms = 30000,
		.on_done = prompt_done,
		.arg = chat,
	};
	struct cg_http_call *call;
	struct cg_error err = {.text = ""};
	char key[64];

	cg_random_id(key, 16);
	cg_json_put_string(body, "bindingId", chat->binding);
	cg_json_put_string(body, "text", text);
	cg_json_put_string(body, "idempotencyKey", key);
	cg_json_put_string(body, "provider", CHAT_PROVIDER);
	cg_json_put_string(body, "externalUserId", CHAT_USER);
	request.body = cg_json_text(body, &request.body_length);
	chat->waiting++;
	if (http_client_start(chat->http, &request, &call, &err) != CG_OK) {
		fprintf(stderr, "cowgate %s: %s\n", chat->word, err.text);
		turn_over(chat);
	}
	cg_json_free(body);
}

static void end_input(struct chat *chat)
{
	chat->ended = true;
	loop_watch_finish(&chat->input);
	if (chat->waiting == 0)
		stop(chat, CLI_OK);
	else
		chat_asks_refuse(&chat->asks, &chat->place);
}

static void take_line(struct chat *chat, const char *line)
{
	if (strcmp(line, "/quit") == 0)
		end_input(chat);
	else if (cg_text_blank(line))
		prompt_sign(chat);
	else if (!chat_asks_answer(&chat->asks, &chat->place, line))
		send_prompt(chat, line);
}

/* Of a line that is too long nothing is taken, its end neither. */
static void take_bytes(struct chat *chat, const char *bytes, size_t length)
{
	while (length > 0 && !chat->ended) {
		const char *end = memchr(bytes, '\n', length);
		size_t part = end == NULL ? length : (size_t)(end - bytes);

		if (!chat->too_long && cg_buffer_add(&chat->line, bytes, part) != CG_OK) {
			fprintf(stderr, "cowgate %s: that line is too long\n",
				chat->word);
			chat->too_long = true;
		}
		if (end == NULL)
			return;
		if (!chat->too_long)
			take_line(chat, cg_buffer_string(&chat->line));
		chat->too_long = false;
		cg_buffer_clear(&chat->line);
		bytes += part + 1;
		length -= part + 1;
	}
}

static void input_ready(void *arg)
{
	struct chat *chat = arg;
	char bytes[4096];
	ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (got > 0)
		take_bytes(chat, bytes, (size_t)got);
	else if (chat->line.length > 0 && !chat->too_long)
		take_line(chat, cg_buffer_string(&chat->line));
	if (got <= 0 && !chat->ended)
		end_input(chat);
	if (!chat->ended && chat->input.event == NULL)
		loop_defer(chat->loop, &chat->file);
}

/* A file, and /dev/null, never keeps a reader waiting, and cannot be watched. */
static enum cg_status open_input(struct chat *chat)
{
	struct stat info;

	if (chat->tty || (fstat(STDIN_FILENO, &info) == 0 &&
				 (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode))))
		return loop_watch_init(
			&chat->input, chat->loop, STDIN_FILENO, false, input_ready, chat);
	loop_task_init(&chat->file, input_ready, chat);
	loop_defer(chat->loop, &chat->file);
	return CG_OK;
}

/* Beginning. */

static int bind_session(struct chat *chat, const char *name)
{
	struct json_object *body = cg_json_new_object(), *reply = NULL;
	struct json_object *projection;
	int code;

	cg_json_put_string(body, "provider", CHAT_PROVIDER);
	cg_json_put_string(body, "channelBindingId", CHAT_PROVIDER);
	cg_json_put_string(body, "externalUserId", CHAT_USER);
	code = operator_call(
		chat->word, "POST", "/api/channels/identities/resolve", body, &reply);
	cg_json_free(reply);
	if (code == CLI_OK) {
		cg_json_put_string(body, "externalChatId", name);
		cg_json_put_string(body, "externalThreadId", name);
		cg_json_put_string(body, "title", "Terminal");
		code = operator_call(
			chat->word, "POST", "/api/channels/sessions/bind", body, &reply);
	}
	if (code == CLI_OK) {
		cg_text_copy(chat->binding, sizeof(chat->binding),
			cg_json_string_or(
				cg_json_object(reply, "binding"), "bindingId", ""));
		projection =
			cg_json_object(cg_json_object(reply, "session"), "projection");
		chat->after = cg_json_int(projection, "sequence", 0);
		cg_text_copy(chat->session, sizeof(chat->session),
			cg_json_string_or(cg_json_object(cg_json_object(reply, "session"),
						  "session"),
				"sessionId", ""));
		chat->place = (struct chat_place){chat->word, CHAT_PROVIDER, CHAT_USER,
			name, chat->session, chat->binding};
		chat_asks_begin(&chat->asks, cg_json_object(projection, "view"));
		snprintf(chat->path, sizeof(chat->path), "/api/channels/sessions/");
		operator_path_add(chat->path, sizeof(chat->path), chat->binding);
		cg_json_free(reply);
	}
	cg_json_free(body);
	return code;
}

static int talk(struct chat *chat)
{
	struct cg_error err = {.text = ""};
	struct clock clock;
	enum cg_status status;

	clock_system(&clock, 0);
	cg_buffer_init(&chat->line, CHAT_LINE);
	cg_sse_init(&chat->sse, CHAT_FRAME, take_event, chat);
	status = loop_create(&clock, &chat->loop, &err);
	if (status == CG_OK)
		status = http_client_create(chat->loop, &chat->http, &err);
	if (status == CG_OK)
		status = open_stream(chat, &err);
	if (status == CG_OK)
		status = open_input(chat);
	if (status == CG_OK) {
		prompt_sign(chat);
		loop_run(chat->loop);
	} else {
		fprintf(stderr, "cowgate %s: %s\n", chat->word, err.text);
	}
	loop_watch_finish(&chat->input);
	http_client_destroy(chat->http);
	loop_destroy(chat->loop);
	chat_asks_finish(&chat->asks);
	cg_buffer_finish(&chat->line);
	cg_sse_finish(&chat->sse);
	return chat->code;
}

int cli_chat(int argc, char **argv)
{
	struct chat chat = {
		.word = argv[0], .code = CLI_FAILED, .tty = isatty(STDIN_FILENO) == 1};
	const char *name = "terminal";
	int code;

	if (argc == 3 && strcmp(argv[1], "--session") == 0)
		name = argv[2];
	else if (argc != 1)
		return cli_usage(argv[0], "it takes --session NAME and nothing else");
	if (operator_socket(argv[0], chat.socket, sizeof(chat.socket)) != CLI_OK)
		return CLI_FAILED;
	code = bind_session(&chat, name);
	return code == CLI_OK ? talk(&chat) : code;
}
