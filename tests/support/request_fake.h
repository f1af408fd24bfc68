/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Incoming requests without a server: a test makes them, handlers answer them, and what they
 * answered can be read.  It stands in for runtime/http_request.c in the programs that link it.
 */
#ifndef COWGATE_TESTS_REQUEST_FAKE_H
#define COWGATE_TESTS_REQUEST_FAKE_H

#include "runtime/http_server.h"

#define REQUEST_FAKE_HEADERS 16

struct http_request {
	const char *method, *path, *query, *body;
	size_t length; /* of the body */
	struct cg_http_header headers[REQUEST_FAKE_HEADERS];
	size_t header_count;
	const char *peer;
	bool is_unix;
	int64_t uid;
	/* The answer. */
	unsigned answers; /* more than one is a bug of the handler, and aborts */
	int status;
	char content_type[64];
	char cache_control[32]; /* "" none */
	char *reply; /* owned, ended with NUL */
	int64_t retry_after_ms;
};

/* From 127.0.0.1.  Strings are borrowed. */
void request_fake_init(
	struct http_request *request, const char *method, const char *path);
void request_fake_finish(struct http_request *request);

void request_fake_header(
	struct http_request *request, const char *name, const char *value);
void request_fake_body(struct http_request *request, const char *body);

#endif
