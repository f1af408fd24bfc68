/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange of the HTTP client, from its libcurl handle to its response.  Private to
 * http_client.c and http_call.c, which share the client's own shape.
 */
#ifndef COWGATE_RUNTIME_HTTP_CALL_H
#define COWGATE_RUNTIME_HTTP_CALL_H

#include "runtime/http_client.h"

#include <curl/curl.h>

#define HTTP_POOL_NAME 64 /* bytes with NUL */
#define HTTP_REACHES 4
#define HTTP_HEADER_LINE 8192 /* of a request, name and value */

/* Connections that may be used for one another's exchanges. */
struct http_pool {
	struct http_client *client;
	CURLM *multi; /* owned; NULL until the first call */
	struct loop_timer timer;
	size_t calls;
	enum cg_http_reach reach;
	char name[HTTP_POOL_NAME]; /* "": shared */
};

struct http_client {
	struct loop *loop;
	CURLSH *share; /* TLS sessions, so that a new connection need not begin from nothing */
	char *ca_file;
	struct cg_http_call *calls;
	size_t active; /* of calls, those that have not ended */
	struct http_pool shared[HTTP_REACHES][2]; /* [1]: streams */
	struct http_pool named[HTTP_CLIENT_POOLS];
};

/*
 * A call in @pool for a request that has been judged.  It is linked to the client, counts as
 * active, and begins on the next turn.  Fails without memory or without the body's file.
 */
enum cg_status http_call_create(struct http_client *client, struct http_pool *pool,
	const struct cg_http_request *request, struct cg_http_call **ret,
	struct cg_error *err);

/* At once and without a callback, which libcurl must not be inside. */
void http_call_destroy(struct cg_http_call *call);

/* No callback any more; the call goes on a later turn. */
void http_call_cancel(struct cg_http_call *call);

/* libcurl has done its part: report.  Nothing when the call has ended before. */
void http_call_complete(struct cg_http_call *call, CURLcode code);

/* As http_client_late_ms(), of the client's calls. */
int64_t http_calls_late_ms(const struct http_client *client);

#endif
