/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request in the making, and what a reply means.  Private to this floor.
 *
 * Building never fails half-way: a missing or overlong part is remembered, and
 * request_status() tells once at the end.
 */
#ifndef COWGATE_CLOUD_CLIENT_REQUEST_H
#define COWGATE_CLOUD_CLIENT_REQUEST_H

#include "cloud-client/client.h"

#include <cowgate/sdk/buffer.h>

#define REQUEST_PATH 4096 /* bytes */
#define REQUEST_QUERY (256u << 10) /* bytes: a delivery stream names every binding */

struct request {
	const char *method;
	struct cg_buffer path;
	struct cg_buffer query;
	struct json_object *body; /* owned; NULL if none */
	bool idempotent;
	size_t response_limit;
	bool invalid; /* a part was missing, blank or too long */
};

/* GET, POST or DELETE of @path, which is taken as it is.  A POST has a body, {} at first. */
void request_init(struct request *request, const char *method, const char *path);
void request_finish(struct request *request);

/* Add "/" and @id as one percent-encoded segment; and text that is taken as it is. */
void request_segment(struct request *request, const char *id);
void request_path(struct request *request, const char *text);

/* Add a query argument: an id that must be there, or text of which NULL adds nothing. */
void request_argument_id(struct request *request, const char *name, const char *id);
void request_argument(struct request *request, const char *name, const char *value);
void request_argument_int(struct request *request, const char *name, int64_t value);

/* Body: an id that must be there, an id that may be NULL, text of any length that may. */
void request_require(struct request *request, const char *key, const char *id);
void request_optional(struct request *request, const char *key, const char *id);
void request_text(struct request *request, const char *key, const char *text);

/* OK, INVALID or NOMEM. */
enum cg_status request_status(const struct request *request);

/* As the transport wants it; borrowed from @request. */
void request_view(
	const struct request *request, int64_t timeout_ms, struct cloud_request *ret);

/* What @reply means.  Views into it. */
void request_result(const struct cloud_reply *reply, struct cloud_result *ret);

/* @result becomes another error, with that error's own sentence. */
void request_result_set(struct cloud_result *result, enum cloud_error error);

#endif
