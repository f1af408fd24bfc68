/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/request_fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void request_fake_init(struct http_request *request, const char *method, const char *path)
{
	*request = (struct http_request){.method = method,
		.path = path,
		.query = "",
		.body = "",
		.peer = "127.0.0.1",
		.uid = -1,
		.retry_after_ms = -1};
}

void request_fake_finish(struct http_request *request)
{
	free(request->reply);
	request->reply = NULL;
}

void request_fake_header(
	struct http_request *request, const char *name, const char *value)
{
	if (request->header_count == REQUEST_FAKE_HEADERS)
		abort();
	request->headers[request->header_count++] = (struct cg_http_header){name, value};
}

void request_fake_body(struct http_request *request, const char *body)
{
	request->body = body;
	request->length = strlen(body);
}

const char *http_request_method(const struct http_request *request)
{
	return request->method;
}

const char *http_request_path(const struct http_request *request)
{
	return request->path;
}

const char *http_request_query(const struct http_request *request)
{
	return request->query;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++) {
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	}
	return NULL;
}

const void *http_request_body(const struct http_request *request, size_t *ret_length)
{
	*ret_length = request->length;
	return request->body;
}

bool http_request_is_unix(const struct http_request *request)
{
	return request->is_unix;
}

const char *http_request_peer(const struct http_request *request)
{
	return request->is_unix ? "" : request->peer;
}

int64_t http_request_peer_uid(const struct http_request *request)
{
	return request->uid;
}

void http_request_reply(struct http_request *request, const struct http_reply *reply)
{
	if (request->answers++ > 0)
		abort();
	request->status = reply->status;
	snprintf(request->content_type, sizeof(request->content_type), "%s",
		reply->content_type == NULL ? "application/json; charset=utf-8"
					    : reply->content_type);
	for (size_t i = 0; i < reply->header_count; i++) {
		if (strcmp(reply->headers[i].name, "Cache-Control") == 0)
			snprintf(request->cache_control, sizeof(request->cache_control),
				"%s", reply->headers[i].value);
	}
	request->reply = malloc(reply->length + 1);
	if (request->reply == NULL)
		abort();
	if (reply->length > 0)
		memcpy(request->reply, reply->body, reply->length);
	request->reply[reply->length] = '\0';
}

/* The sentences of this program need no escapes. */
void http_request_fail(struct http_request *request, int status, const char *text,
	int64_t retry_after_ms)
{
	char body[512];
	struct http_reply reply = {.status = status, .body = body};

	reply.length = (size_t)snprintf(
		body, sizeof(body), "{\"ok\":false,\"error\":\"%s\"}", text);
	http_request_reply(request, &reply);
	request->retry_after_ms = retry_after_ms;
}
