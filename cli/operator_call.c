/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/operator_call.h"

#include "cli/command.h"
#include "cli/http_once.h"
#include "cli/settings.h"
#include "gateway/daemon/daemon.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CALL_TIMEOUT_MS 15000
#define ENDED \
	"no gateway runs here any more: nobody answers on the socket that one has left"
#define INSIST_TIMES 30 /* a second apart */
#define CALL_RESPONSE (16u << 20)

int operator_socket(const char *word, char *ret, unsigned long size)
{
	struct config_places places;

	if (settings_places_running(&places) != CG_OK ||
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

/* What the daemon said: 0 and *@ret, or why not on stderr. */
static int judge(
	const char *word, const struct http_answer *answer, struct json_object **ret)
{
	struct json_object *body = NULL;
	struct cg_error err = {.text = ""};
	int code = CLI_FAILED;

	if (answer->result == CG_HTTP_NOT_DISPATCHED)
		fprintf(stderr,
			"cowgate %s: " ENDED
			"; start it: `cowgate run`, or the service\n",
			word);
	else if (answer->result != CG_HTTP_DONE)
		fprintf(stderr, "cowgate %s: the gateway does not answer: %s\n", word,
			answer->error);
	else if (answer->length > 0 &&
		 cg_json_parse(answer->body, answer->length, &body, &err) != CG_OK)
		fprintf(stderr,
			"cowgate %s: the gateway's answer is not understood: %s\n", word,
			err.text);
	else if (answer->status < 200 || answer->status > 299)
		fprintf(stderr, "cowgate %s: %s\n", word,
			cg_json_string_or(body, "error", "the gateway refused"));
	else
		code = CLI_OK;
	if (code == CLI_OK)
		*ret = body;
	else
		cg_json_free(body);
	return code;
}

static enum cg_status exchange(const char *socket, const char *method, const char *url,
	struct json_object *body, struct http_answer *ret, struct cg_error *err)
{
	static const struct cg_http_header headers[] = {
		{"Content-Type", "application/json"}};
	struct cg_http_request request = {.method = method,
		.url = url,
		.unix_socket = socket,
		.timeout_ms = CALL_TIMEOUT_MS,
		.response_limit = CALL_RESPONSE};

	if (body != NULL) {
		request.headers = headers;
		request.header_count = 1;
		request.body = cg_json_text(body, &request.body_length);
	}
	return http_once(&request, ret, err);
}

/* Ask until the answer is not "busy", so many times. */
static int call(const char *word, const char *method, const char *path,
	struct json_object *body, int times, struct json_object **ret)
{
	char socket[CONFIG_PATH + 32], url[4096];
	struct http_answer answer;
	struct cg_error err = {.text = ""};
	int code;

	*ret = NULL;
	if (operator_socket(word, socket, sizeof(socket)) != CLI_OK)
		return CLI_FAILED;
	if (snprintf(url, sizeof(url), "http://localhost%s", path) >= (int)sizeof(url))
		return cli_usage(word, "an argument is too long");
	for (;;) {
		if (exchange(socket, method, url, body, &answer, &err) != CG_OK) {
			fprintf(stderr, "cowgate %s: %s\n", word, err.text);
			return CLI_FAILED;
		}
		if (--times < 1 || answer.result != CG_HTTP_DONE || answer.status != 429)
			break;
		http_answer_finish(&answer);
		sleep(1);
	}
	code = judge(word, &answer, ret);
	http_answer_finish(&answer);
	return code;
}

int operator_call(const char *word, const char *method, const char *path,
	struct json_object *body, struct json_object **ret)
{
	return call(word, method, path, body, 1, ret);
}

int operator_insist(const char *word, const char *method, const char *path,
	struct json_object *body, struct json_object **ret)
{
	return call(word, method, path, body, INSIST_TIMES, ret);
}

int operator_ask(
	const char *path, struct json_object **ret, char *why, unsigned long size)
{
	char socket[CONFIG_PATH + 32], url[4096];
	struct config_places places;
	struct http_answer answer;
	struct cg_error err = {.text = ""};
	int status = 0;

	*ret = NULL;
	snprintf(url, sizeof(url), "http://localhost%s", path);
	if (settings_places_running(&places) != CG_OK ||
		daemon_socket_path(places.data_dir, socket, sizeof(socket)) != CG_OK ||
		access(socket, F_OK) != 0) {
		snprintf(why, size, "no gateway runs here");
		return 0;
	}
	if (exchange(socket, "GET", url, NULL, &answer, &err) != CG_OK) {
		snprintf(why, size, "%s", err.text);
		return 0;
	}
	if (answer.result == CG_HTTP_DONE)
		status = answer.status;
	else
		snprintf(why, size, "%s",
			answer.result == CG_HTTP_NOT_DISPATCHED ? ENDED : answer.error);
	if (status != 0)
		(void)cg_json_parse(answer.body, answer.length, ret, NULL);
	http_answer_finish(&answer);
	return status;
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
