/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, queries and bodies on the way out; typed errors on the way in. */
#include "cloud-client/request.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <string.h>

static const struct {
	const char *name;
	bool retryable;
	const char *text;
} error_rows[] = {
#define CLOUD_ERROR(error, name, retryable, text) {name, retryable, text},
#include "cloud-client/error.def"
#undef CLOUD_ERROR
};

const char *cloud_error_name(enum cloud_error error)
{
	return error_rows[error].name;
}

const char *cloud_error_text(enum cloud_error error)
{
	return error_rows[error].text;
}

void request_init(struct request *request, const char *method, const char *path)
{
	memset(request, 0, sizeof(*request));
	request->method = method;
	cg_buffer_init(&request->path, REQUEST_PATH);
	cg_buffer_init(&request->query, REQUEST_QUERY);
	request_path(request, path);
	if (strcmp(method, "POST") == 0)
		request->body = cg_json_new_object();
}

void request_finish(struct request *request)
{
	cg_buffer_finish(&request->path);
	cg_buffer_finish(&request->query);
	cg_json_free(request->body);
	request->body = NULL;
}

static void add_encoded(struct cg_buffer *buffer, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || strchr("-._~", c) != NULL;

		if (!plain) {
			cg_buffer_char(buffer, '%');
			cg_buffer_char(buffer, digits[c >> 4]);
			c = (unsigned char)digits[c & 15];
		}
		cg_buffer_char(buffer, (char)c);
	}
}

/* "." and ".." would be folded away by whoever normalises the path. */
static bool id_usable(const char *id)
{
	size_t length;

	if (cg_text_blank(id) || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return false;
	length = strlen(id);
	return cg_utf8_valid(id, length) &&
	       cg_text_measure(id, length, CG_UNIT_UTF16) <= CLOUD_ID_MAX;
}

void request_segment(struct request *request, const char *id)
{
	if (!id_usable(id)) {
		request->invalid = true;
		return;
	}
	cg_buffer_char(&request->path, '/');
	add_encoded(&request->path, id);
}

void request_path(struct request *request, const char *text)
{
	cg_buffer_text(&request->path, text);
}

void request_argument(struct request *request, const char *name, const char *value)
{
	if (value == NULL)
		return;
	if (request->query.length > 0)
		cg_buffer_char(&request->query, '&');
	cg_buffer_text(&request->query, name);
	cg_buffer_char(&request->query, '=');
	add_encoded(&request->query, value);
}

void request_argument_id(struct request *request, const char *name, const char *id)
{
	if (!id_usable(id))
		request->invalid = true;
	else
		request_argument(request, name, id);
}

void request_argument_int(struct request *request, const char *name, int64_t value)
{
	if (request->query.length > 0)
		cg_buffer_char(&request->query, '&');
	cg_buffer_format(&request->query, "%s=%lld", name, (long long)value);
}

void request_require(struct request *request, const char *key, const char *id)
{
	if (!id_usable(id))
		request->invalid = true;
	else
		cg_json_put_string(request->body, key, id);
}

void request_optional(struct request *request, const char *key, const char *id)
{
	if (id != NULL)
		request_require(request, key, id);
}

void request_text(struct request *request, const char *key, const char *text)
{
	if (text == NULL)
		return;
	if (!cg_utf8_valid(text, strlen(text)))
		request->invalid = true;
	else
		cg_json_put_string(request->body, key, text);
}

enum cg_status request_status(const struct request *request)
{
	enum cg_status status = cg_buffer_status(&request->path);

	if (request->invalid)
		return CG_INVALID;
	if (status == CG_OK)
		status = cg_buffer_status(&request->query);
	/* Longer than any request that makes sense. */
	return status == CG_LIMIT ? CG_INVALID : status;
}

void request_view(
	const struct request *request, int64_t timeout_ms, struct cloud_request *ret)
{
	*ret = (struct cloud_request){
		.method = request->method,
		.path = cg_buffer_string(&request->path),
		.query = request->query.length > 0 ? cg_buffer_string(&request->query)
						   : NULL,
		.body = request->body,
		.idempotent = request->idempotent,
		.timeout_ms = timeout_ms,
		.response_limit = request->response_limit,
	};
}

static enum cloud_error error_of_http(int status)
{
	switch (status) {
	case 401:
		return CLOUD_UNAUTHORIZED;
	case 402:
		return CLOUD_PAYMENT_REQUIRED;
	case 403:
		return CLOUD_FORBIDDEN;
	case 404:
		return CLOUD_NOT_FOUND;
	case 408:
		return CLOUD_TIMEOUT;
	case 409:
		return CLOUD_CONFLICT;
	case 429:
		return CLOUD_RATE_LIMITED;
	default:
		break;
	}
	if (status >= 200 && status < 300)
		return CLOUD_OK;
	if (status >= 500 && status < 600)
		return CLOUD_SERVER;
	return status >= 400 && status < 500 ? CLOUD_INVALID : CLOUD_PROTOCOL;
}

/* Whatever else kept the transport from an answer, trying again is the right thing. */
static enum cloud_error error_of_transport(enum cg_status status)
{
	switch (status) {
	case CG_TIMEOUT:
		return CLOUD_TIMEOUT;
	case CG_PROTOCOL:
		return CLOUD_PROTOCOL;
	case CG_LIMIT:
		return CLOUD_TOO_LARGE;
	case CG_INVALID:
		return CLOUD_INVALID;
	default:
		return CLOUD_NETWORK;
	}
}

/* Clouds put the code at the top, in the verdict, or in both. */
static const char *policy_code(struct json_object *body)
{
	const char *code = cg_json_string(body, "code");

	if (code == NULL)
		code = cg_json_string(cg_json_object(body, "verdict"), "policyCode");
	return code != NULL ? code : "";
}

static const char *error_sentence(const struct cloud_reply *reply, enum cloud_error error)
{
	const char *text = cg_json_string(reply->body, "error");

	if (cg_text_blank(text))
		text = reply->error;
	return cg_text_blank(text) ? cloud_error_text(error) : text;
}

void request_result(const struct cloud_reply *reply, struct cloud_result *ret)
{
	enum cloud_error error = reply->status == CG_OK
					 ? error_of_http(reply->http_status)
					 : error_of_transport(reply->status);
	int64_t retry_after_ms = reply->retry_after_ms;

	if (retry_after_ms < 0 && error != CLOUD_OK)
		retry_after_ms = cg_json_int(reply->body, "retryAfterMs", -1);
	*ret = (struct cloud_result){
		.error = error,
		.http_status = reply->status == CG_OK ? reply->http_status : 0,
		.retryable = error_rows[error].retryable,
		.dispatched = reply->dispatched,
		.retry_after_ms = retry_after_ms < 0 ? -1 : retry_after_ms,
		.policy_code = error == CLOUD_OK ? "" : policy_code(reply->body),
		.message = error == CLOUD_OK ? "" : error_sentence(reply, error),
	};
}

void request_result_set(struct cloud_result *result, enum cloud_error error)
{
	result->error = error;
	result->retryable = error_rows[error].retryable;
	result->policy_code = "";
	result->message = error == CLOUD_OK ? "" : cloud_error_text(error);
}
