/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/operator_call.h"

#include "cli/command.h"
#include "cli/settings.h"
#include "gateway/daemon/daemon.h"
#include "runtime/http_client.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CALL_TIMEOUT_MS 15000
#define CALL_RESPONSE (16u << 20)

struct call {
	const char *word;
	struct loop *loop;
	struct json_object *body;
	int code;
};

int operator_socket(const char *word, char *ret, unsigned long size)
{
	struct config_places places;

	if (settings_places(&places) != CG_OK ||
		daemon_socket_path(places.data_dir, ret, size) != CG_OK) {
		fprintf(stderr,
			"cowgate %s: the data directory is not known; "
			"set OPEN_COWORK_GATEWAY_DATA_DIR\n",
			word);
		return CLI_FAILED;
	}
	if (access(ret, F_OK) != 0) {
		fprintf(stderr,
			"cowgate %s: no gateway runs here (%s is not there); start one "
			"with `cowgate run`, "
			"or set OPEN_COWORK_GATEWAY_DATA_DIR to its data directory\n",
			word, ret);
		return CLI_FAILED;
	}
	return CLI_OK;
}

static void done(void *arg, const struct cg_http_response *response)
{
	struct call *call = arg;
	struct cg_error err = {.text = ""};

	if (response->result != CG_HTTP_DONE) {
		fprintf(stderr, "cowgate %s: the gateway does not answer: %s\n",
			call->word, response->error);
	} else if (response->length > 0 && cg_json_parse(response->body, response->length,
						   &call->body, &err) != CG_OK) {
		fprintf(stderr,
			"cowgate %s: the gateway's answer is not understood: %s\n",
			call->word, err.text);
	} else if (response->status < 200 || response->status > 299) {
		fprintf(stderr, "cowgate %s: %s\n", call->word,
			cg_json_string_or(call->body, "error", "the gateway refused"));
	} else {
		call->code = CLI_OK;
	}
	loop_stop(call->loop);
}

static enum cg_status begin(struct http_client *http, struct call *call,
	struct cg_http_request *request, struct json_object *body, struct cg_error *err)
{
	static const struct cg_http_header headers[] = {
		{"Content-Type", "application/json"}};
	struct cg_http_call *ignored;

	request->size = sizeof(*request);
	request->flags = CG_HTTP_OWN_CONNECTION;
	request->timeout_ms = CALL_TIMEOUT_MS;
	request->response_limit = CALL_RESPONSE;
	request->on_done = done;
	request->arg = call;
	if (body != NULL) {
		request->headers = headers;
		request->header_count = 1;
		request->body = cg_json_text(body, &request->body_length);
	}
	return http_client_start(http, request, &ignored, err);
}

int operator_call(const char *word, const char *method, const char *path,
	struct json_object *body, struct json_object **ret)
{
	char socket[CONFIG_PATH + 32], url[4096];
	struct cg_http_request request = {
		.method = method, .url = url, .unix_socket = socket};
	struct call call = {.word = word, .code = CLI_FAILED};
	struct http_client *http = NULL;
	struct cg_error err = {.text = ""};
	struct clock clock;
	enum cg_status status;

	*ret = NULL;
	if (operator_socket(word, socket, sizeof(socket)) != CLI_OK)
		return CLI_FAILED;
	if (snprintf(url, sizeof(url), "http://localhost%s", path) >= (int)sizeof(url))
		return cli_usage(word, "an argument is too long");
	clock_system(&clock, 0);
	status = loop_create(&clock, &call.loop, &err);
	if (status == CG_OK)
		status = http_client_create(call.loop, &http, &err);
	if (status == CG_OK)
		status = begin(http, &call, &request, body, &err);
	if (status == CG_OK)
		loop_run(call.loop);
	else
		fprintf(stderr, "cowgate %s: %s\n", word, err.text);
	http_client_destroy(http);
	loop_destroy(call.loop);
	if (call.code == CLI_OK)
		*ret = call.body;
	else
		cg_json_free(call.body);
	return call.code;
}

_Bool operator_path_add(char *path, unsigned long size, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	size_t length = strlen(path);

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (length + 4 > size)
			return 0;
		if (strchr(plain, c) != NULL) {
			path[length++] = (char)c;
		} else {
			path[length++] = '%';
			path[length++] = hex[c >> 4];
			path[length++] = hex[c & 15];
		}
		path[length] = '\0';
	}
	return 1;
}
