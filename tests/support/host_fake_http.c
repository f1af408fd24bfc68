/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/host_fake_private.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void append(struct cg_http_call *call, const void *bytes, size_t length)
{
	call->body = host_fake_must(realloc(call->body, call->body_length + length + 1));
	if (length > 0)
		memcpy(call->body + call->body_length, bytes, length);
	call->body_length += length;
	call->body[call->body_length] = '\0';
}

/* What goes over the wire: body, the bytes of the file, tail. */
static void keep_body(struct cg_http_call *call, const struct cg_http_request *request)
{
	char piece[4096];
	size_t length;
	FILE *file;

	append(call, request->body, request->body_length);
	if (request->body_file != NULL) {
		file = host_fake_must(fopen(request->body_file, "rb"));
		while ((length = fread(piece, 1, sizeof(piece), file)) > 0)
			append(call, piece, length);
		fclose(file);
	}
	append(call, request->body_tail, request->body_tail_length);
}

enum cg_status host_fake_http_start(const struct cg_host *host,
	const struct cg_http_request *request, struct cg_http_call **ret_call,
	struct cg_error *err)
{
	struct host_fake *fake = host_fake_of(host);
	struct cg_http_call *call = &fake->calls[fake->call_count % HOST_FAKE_SLOTS];

	if (fake->refuse_http) {
		if (err != NULL)
			COPY(err->text, "too many exchanges are under way");
		return CG_LIMIT;
	}
	fake->call_count++;
	CU_ASSERT_FALSE(call->open);
	CU_ASSERT_TRUE(request->size == sizeof(*request));
	CU_ASSERT_TRUE(request->timeout_ms > 0);
	free(call->body);
	*call = (struct cg_http_call){.open = true,
		.flags = request->flags,
		.reach = request->reach,
		.response_limit = request->response_limit,
		.header_count = request->header_count,
		.timeout_ms = request->timeout_ms,
		.data = request->on_data,
		.done = request->on_done,
		.arg = request->arg};
	COPY(call->url, request->url);
	COPY(call->method, request->method);
	COPY(call->pool, request->pool);
	for (size_t i = 0; i < request->header_count && i < 16; i++) {
		COPY(call->names[i], request->headers[i].name);
		COPY(call->values[i], request->headers[i].value);
	}
	COPY(call->proxy, request->proxy);
	COPY(call->ca_file, request->ca_file);
	keep_body(call, request);
	*ret_call = call;
	return CG_OK;
}

void host_fake_http_cancel(const struct cg_host *host, struct cg_http_call *call)
{
	(void)host;
	CU_ASSERT_TRUE(call->open);
	call->open = false;
	call->cancelled = true;
}

static struct cg_http_call *open_call(struct host_fake *fake, bool own_connection)
{
	struct cg_http_call *open = NULL;

	for (size_t i = 0; i < HOST_FAKE_SLOTS; i++) {
		struct cg_http_call *call = &fake->calls[i];

		if (!call->open ||
			own_connection != ((call->flags & CG_HTTP_OWN_CONNECTION) != 0))
			continue;
		CU_ASSERT_PTR_NULL(open);
		open = call;
	}
	return open;
}

struct cg_http_call *host_fake_open_call(struct host_fake *fake)
{
	return open_call(fake, false);
}

struct cg_http_call *host_fake_open_poll(struct host_fake *fake)
{
	return open_call(fake, true);
}

const char *host_fake_header(const struct cg_http_call *call, const char *name)
{
	for (size_t i = 0; i < call->header_count; i++) {
		if (strcasecmp(call->names[i], name) == 0)
			return call->values[i];
	}
	return NULL;
}

static void respond(struct cg_http_call *call, struct cg_http_response *response)
{
	response->size = sizeof(*response);
	call->open = false;
	call->done(call->arg, response);
}

void host_fake_answer(struct cg_http_call *call, int status, const char *body)
{
	respond(call, &(struct cg_http_response){.result = CG_HTTP_DONE,
			      .status = status,
			      .body = body,
			      .length = strlen(body),
			      .retry_after_ms = -1});
}

void host_fake_answer_later(struct cg_http_call *call, int status, int64_t retry_after_ms)
{
	respond(call, &(struct cg_http_response){.result = CG_HTTP_DONE,
			      .status = status,
			      .body = "",
			      .retry_after_ms = retry_after_ms});
}

void host_fake_fault(struct cg_http_call *call, enum cg_http_result result)
{
	respond(call, &(struct cg_http_response){.result = result,
			      .status = result == CG_HTTP_TOO_LARGE ? 200 : 0,
			      .body = "",
			      .retry_after_ms = -1,
			      .error = "as scripted"});
}

bool host_fake_stream(struct cg_http_call *call, const char *data, size_t length)
{
	if (call->data(call->arg, data, length))
		return true;
	host_fake_fault(call, CG_HTTP_CANCELLED);
	return false;
}

struct cg_http_call *host_fake_nth_call(struct host_fake *fake, size_t n)
{
	for (size_t i = 0; i < HOST_FAKE_SLOTS; i++) {
		struct cg_http_call *call =
			&fake->calls[(fake->call_count + i) % HOST_FAKE_SLOTS];

		if (call->open && (call->flags & CG_HTTP_OWN_CONNECTION) == 0 && n-- == 0)
			return call;
	}
	return NULL;
}
