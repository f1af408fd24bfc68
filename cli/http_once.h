/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP exchange, waited for. */
#ifndef COWGATE_CLI_HTTP_ONCE_H
#define COWGATE_CLI_HTTP_ONCE_H

#include <cowgate/http.h>
#include <cowgate/status.h>

/* What came back.  The body is owned, NUL after @length bytes, and never NULL after CG_OK. */
struct http_answer {
	enum cg_http_result result;
	int status; /* when the result is DONE */
	char *body;
	size_t length;
	int64_t date_ms; /* by the other side's clock; -1: it did not say */
	char error[CG_ERROR_TEXT]; /* one sentence when it is not */
};

/*
 * Begin @request, whose size, callbacks and connection flag are filled in here, and wait for its
 * end within its own deadline.  CG_OK also when nobody answered: @ret says so.
 */
enum cg_status http_once(const struct cg_http_request *request, struct http_answer *ret,
	struct cg_error *err);
void http_answer_finish(struct http_answer *answer);

#endif
