/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server behind the agent: where it is, what is asked of it, and the one stream of all its
 * events.  The stream has no memory, so whoever missed some of it has to ask.
 */
#include "control-plane/agents/opencode.h"

#include <cowgate/host.h>
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/retry.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LISTENING "listening on http://" /* what a server says when it is up */
#define LINE_LIMIT 4096
#define PASSWORD_BYTES 24
#define RECONNECT_MS 200
#define RECONNECT_CAP_MS 10000

static void notice(struct opencode *opencode, int level, const char *event,
	const char *key, const char *value)
{
	if (opencode->host.notice != NULL)
		opencode->host.notice(opencode->host.arg, level, event, key, value);
}

/* ---- calls ---- */

static void call_remove(struct opencode_call *call)
{
	LIST_REMOVE(call, entry);
	call->opencode->call_count--;
	free(call);
}

void opencode_drop(struct opencode_call *call)
{
	if (call == NULL)
		return;
	http_client_cancel(call->opencode->host.http, call->http);
	call_remove(call);
}

/* The server answers unknown paths with a page for people, and 200. */
static bool is_json(const struct cg_http_response *response)
{
	static const char type[] = "application/json";

	for (size_t i = 0; i < response->header_count; i++) {
		if (strcmp(response->headers[i].name, "content-type") == 0)
			return strncasecmp(response->headers[i].value, type,
				       sizeof(type) - 1) == 0;
	}
	return false;
}

static enum cg_status judge(const struct cg_http_response *response,
	struct json_object **ret, char *ret_text, size_t size)
{
	bool json = is_json(response);

	ret_text[0] = '\0';
	if (response->result == CG_HTTP_TOO_LARGE) {
		cg_text_copy(ret_text, size, "its answer is too long");
		return CG_LIMIT;
	}
	if (response->result != CG_HTTP_DONE) {
		cg_text_copy(ret_text, size,
			response->error == NULL ? "no answer" : response->error);
		return CG_NETWORK;
	}
	if (json && response->length > 0 &&
		cg_json_parse(response->body, response->length, ret, NULL) != CG_OK)
		json = false;
	if (response->status >= 200 && response->status < 300) {
		if (json || response->length == 0)
			return CG_OK;
		cg_text_copy(ret_text, size,
			"it does not know the request: is it a server of OpenCode?");
		return CG_INVALID;
	}
	if (response->status == 401)
		cg_text_copy(ret_text, size, "it refused the password");
	else
		opencode_error_text(*ret, ret_text, size);
	return response->status == 404 ? CG_NOT_FOUND : CG_INVALID;
}

static void on_called(void *arg, const struct cg_http_response *response)
{
	struct opencode_call *call = arg;
	struct opencode_call taken = *call;
	struct json_object *json = NULL;
	char text[CG_ERROR_TEXT];
	enum cg_status status = judge(response, &json, text, sizeof(text));

	call_remove(call);
	taken.done(taken.arg, status, json, text);
	cg_json_free(json);
}

static enum cg_status start_call(struct opencode_call *call, const char *method,
	const char *path, struct json_object *body)
{
	struct opencode *opencode = call->opencode;
	struct cg_http_header headers[] = {{"accept", "application/json"},
		{"authorization", opencode->authorization},
		{"content-type", "application/json"}};
	struct cg_http_request request = {
		.size = sizeof(request),
		.flags =
			CG_HTTP_IDEMPOTENT, /* prompts have ids, answers are taken once */
		.method = method,
		.headers = headers,
		.header_count = 2,
		.timeout_ms = OPENCODE_CALL_MS,
		.response_limit = OPENCODE_ANSWER,
		.reach = CG_REACH_ANY,
		.on_done = on_called,
		.arg = call,
	};
	struct cg_buffer url;
	enum cg_status status;

	if (opencode->authorization[0] == '\0') {
		headers[1] = headers[2];
		request.header_count = 1;
	}
	if (body != NULL) {
		request.body = cg_json_text(body, &request.body_length);
		request.header_count++;
		if (request.body_length > OPENCODE_REQUEST)
			return CG_LIMIT;
	}
	cg_buffer_init(&url, sizeof(opencode->query) + 4096);
	cg_buffer_format(&url, "%s%s%c%s", opencode->base, path,
		strchr(path, '?') == NULL ? '?' : '&', opencode->query);
	request.url = cg_buffer_string(&url);
	status = cg_buffer_status(&url);
	if (status == CG_OK)
		status = http_client_start(
			opencode->host.http, &request, &call->http, NULL);
	cg_buffer_finish(&url);
	return status;
}

enum cg_status opencode_call(struct opencode *opencode, const char *method,
	const char *path, struct json_object *body, opencode_done done, void *arg,
	struct opencode_call **ret)
{
	struct opencode_call *call = NULL;
	enum cg_status status = CG_OK;

	if (opencode->base[0] == '\0')
		status = CG_NETWORK;
	else if (opencode->call_count == OPENCODE_CALLS)
		status = CG_LIMIT;
	if (status == CG_OK) {
		call = calloc(1, sizeof(*call));
		status = call == NULL ? CG_NOMEM : CG_OK;
	}
	if (status == CG_OK) {
		call->opencode = opencode;
		call->done = done;
		call->arg = arg;
		status = start_call(call, method, path, body);
	}
	cg_json_free(body);
	if (status != CG_OK) {
		free(call);
		return status;
	}
	LIST_INSERT_HEAD(&opencode->calls, call, entry);
	opencode->call_count++;
	*ret = call;
	return CG_OK;
}

/* ---- events ---- */

static void stream_later(struct opencode *opencode)
{
	uint64_t random;

	cg_random(&random, sizeof(random));
	loop_timer_set(
		&opencode->reconnect, cg_retry_reconnect(RECONNECT_MS, RECONNECT_CAP_MS,
					      ++opencode->failures, random));
}

static bool on_frame(void *arg, const struct cg_sse_event *frame)
{
	struct opencode *opencode = arg;
	struct json_object *json = NULL;
	struct opencode_event event;

	/* One that cannot be read is one that is not known. */
	if (cg_json_parse(frame->data, frame->length, &json, NULL) != CG_OK)
		return true;
	opencode_event_read(json, &event);
	if (event.kind == OPENCODE_CONNECTED && !opencode->ready) {
		opencode->ready = true;
		opencode->failures = 0;
		opencode->why[0] = '\0';
		if (opencode->owns)
			child_does_well(&opencode->child);
		notice(opencode, CG_LOG_INFO, "agent.ready", "url", opencode->base);
		opencode_turns_ready(opencode);
	} else if (event.kind != OPENCODE_OTHER) {
		opencode_turns_event(opencode, &event);
	}
	cg_json_free(json);
	return true;
}

static bool on_data(void *arg, const char *data, size_t length)
{
	struct opencode *opencode = arg;

	return cg_sse_feed(&opencode->sse, data, length) == CG_OK;
}

static void on_stream_done(void *arg, const struct cg_http_response *response)
{
	struct opencode *opencode = arg;

	opencode->stream = NULL;
	opencode->ready = false;
	if (response->result == CG_HTTP_DONE && response->status == 401)
		cg_text_copy(opencode->why, sizeof(opencode->why),
			"the server of OpenCode refused the password");
	else
		snprintf(opencode->why, sizeof(opencode->why),
			"the server of OpenCode cannot be reached%s%.150s",
			response->error != NULL ? ": " : "",
			response->error != NULL ? response->error : "");
	if (opencode->base[0] != '\0')
		stream_later(opencode);
	opencode_turns_gone(opencode);
}

static void on_reconnect(void *arg)
{
	struct opencode *opencode = arg;
	struct cg_http_header headers[] = {{"accept", "text/event-stream"},
		{"authorization", opencode->authorization}};
	struct cg_http_request request = {
		.size = sizeof(request),
		.flags = CG_HTTP_OWN_CONNECTION,
		.method = "GET",
		.headers = headers,
		.header_count = opencode->authorization[0] == '\0' ? 1 : 2,
		.silence_ms = OPENCODE_SILENCE_MS,
		.reach = CG_REACH_ANY,
		.on_data = on_data,
		.on_done = on_stream_done,
		.arg = opencode,
	};
	struct cg_buffer url;

	if (opencode->stream != NULL || opencode->base[0] == '\0')
		return;
	cg_sse_reset(&opencode->sse);
	cg_buffer_init(&url, 1024);
	cg_buffer_format(&url, "%s/global/event", opencode->base);
	request.url = cg_buffer_string(&url);
	if (http_client_start(opencode->host.http, &request, &opencode->stream, NULL) !=
		CG_OK) {
		opencode->stream = NULL;
		stream_later(opencode);
	}
	cg_buffer_finish(&url);
}

/* ---- a server of our own ---- */

static void on_start(void *arg)
{
	(void)arg; /* it says itself when it listens */
}

static void on_line(void *arg, const char *line, size_t length, bool whole)
{
	struct opencode *opencode = arg;
	const char *found = strstr(line, LISTENING);
	size_t address;

	(void)length;
	if (found == NULL || !whole || opencode->base[0] != '\0')
		return;
	found += strlen(LISTENING) - strlen("http://");
	address = strspn(found, "abcdefghijklmnopqrstuvwxyz0123456789.:/[]");
	if (address >= sizeof(opencode->base))
		return;
	snprintf(opencode->base, sizeof(opencode->base), "%.*s", (int)address, found);
	opencode->failures = 0;
	loop_timer_set(&opencode->reconnect, 0);
}

static void on_down(void *arg, const char *why)
{
	struct opencode *opencode = arg;

	opencode->base[0] = '\0'; /* the next one listens elsewhere */
	opencode->ready = false;
	http_client_cancel(opencode->host.http, opencode->stream);
	opencode->stream = NULL;
	loop_timer_clear(&opencode->reconnect);
	cg_text_copy(opencode->why, sizeof(opencode->why), why);
	opencode_turns_gone(opencode);
}

static enum cg_status set_authorization(
	struct opencode *opencode, const char *password, size_t length)
{
	char encoded[4 * ((CG_SECRET_MAX + 16) / 3 + 1) + 1];
	struct cg_buffer plain, header;

	cg_buffer_init(&plain, CG_SECRET_MAX + 16);
	cg_buffer_text(&plain, "opencode:");
	cg_buffer_add(&plain, password, length);
	cg_base64(cg_buffer_string(&plain), plain.length, encoded);
	cg_buffer_init(&header, sizeof(encoded) + 16);
	cg_buffer_format(&header, "Basic %s", encoded);
	opencode->authorization = cg_buffer_take(&header, NULL);
	cg_wipe(encoded, sizeof(encoded));
	cg_wipe(plain.bytes, plain.length);
	cg_buffer_finish(&plain);
	cg_buffer_finish(&header);
	return opencode->authorization == NULL ? CG_NOMEM : CG_OK;
}

static enum cg_status init_own(struct opencode *opencode, struct cg_error *err)
{
	static const char *const tail[] = {
		"serve", "--hostname", "127.0.0.1", "--port", "0", NULL};
	const char *const *command = opencode->options->command;
	const struct child_options options = {
		.argv = opencode->argv,
		.extra = opencode->extra,
		.line_limit = LINE_LIMIT,
		.on_start = on_start,
		.on_line = on_line,
		.on_down = on_down,
		.arg = opencode,
	};
	char password[CG_RANDOM_ID_SIZE(PASSWORD_BYTES)];
	size_t count = 0;

	opencode->owns = true;
	while (command != NULL && command[count] != NULL &&
		count < PROCESS_ARGUMENTS - sizeof(tail) / sizeof(tail[0])) {
		opencode->argv[count] = command[count];
		count++;
	}
	if (count == 0)
		opencode->argv[count++] = "opencode";
	memcpy(opencode->argv + count, tail, sizeof(tail));
	cg_random_id(password, PASSWORD_BYTES);
	snprintf(opencode->password, sizeof(opencode->password),
		"OPENCODE_SERVER_PASSWORD=%s", password);
	opencode->extra[0] = opencode->password;
	if (set_authorization(opencode, password, strlen(password)) != CG_OK)
		return cg_error_nomem(err);
	cg_wipe(password, sizeof(password));
	return child_init(
		&opencode->child, &opencode->host, opencode->options, &options, err);
}

static enum cg_status init_other(struct opencode *opencode, struct cg_error *err)
{
	const struct cg_secret *key = opencode->options->api_key;
	size_t length = strlen(opencode->options->url);

	while (length > 0 && opencode->options->url[length - 1] == '/')
		length--;
	if (length >= sizeof(opencode->base))
		return cg_error_set(err, CG_INVALID, "the agent's URL is too long");
	memcpy(opencode->base, opencode->options->url, length);
	if (key != NULL && cg_secret_is_set(key)) {
		if (set_authorization(opencode, key->bytes, key->length) != CG_OK)
			return cg_error_nomem(err);
	} else {
		opencode->authorization = strdup("");
	}
	if (opencode->authorization == NULL)
		return cg_error_nomem(err);
	loop_timer_set(&opencode->reconnect, 0);
	return CG_OK;
}

static void write_query(struct opencode *opencode)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~/";
	char *at = opencode->query +
		   snprintf(opencode->query, sizeof(opencode->query), "directory=");

	for (const char *c = opencode->directory; *c != '\0'; c++) {
		if (strchr(plain, *c) != NULL)
			*at++ = *c;
		else
			at += snprintf(at, 4, "%%%02X", (unsigned char)*c);
	}
	*at = '\0';
}

enum cg_status opencode_server_init(struct opencode *opencode, struct cg_error *err)
{
	cg_sse_init(&opencode->sse, OPENCODE_FRAME, on_frame, opencode);
	LIST_INIT(&opencode->calls);
	write_query(opencode);
	if (loop_timer_init(&opencode->reconnect, opencode->host.loop, on_reconnect,
		    opencode) != CG_OK)
		return cg_error_nomem(err);
	return cg_text_blank(opencode->options->url) ? init_own(opencode, err)
						     : init_other(opencode, err);
}

void opencode_server_finish(struct opencode *opencode)
{
	struct opencode_call *call;

	while ((call = LIST_FIRST(&opencode->calls)) != NULL)
		opencode_drop(call);
	http_client_cancel(opencode->host.http, opencode->stream);
	child_finish(&opencode->child);
	loop_timer_finish(&opencode->reconnect);
	cg_sse_finish(&opencode->sse);
	if (opencode->authorization != NULL)
		cg_wipe(opencode->authorization, strlen(opencode->authorization));
	free(opencode->authorization);
	cg_wipe(opencode->password, sizeof(opencode->password));
}
