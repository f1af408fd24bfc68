/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outgoing HTTP on libcurl's multi interface, driven by the loop.
 *
 * The request and response shapes are <cowgate/http.h>.  All deadlines are the loop's timers.
 * A body without CG_HTTP_IDEMPOTENT is never sent twice: it is fed through a read callback
 * that cannot seek, so libcurl gives up (NO_ANSWER) where it would otherwise resend on a
 * fresh connection.  Redirects are never followed, proxies from the environment never used,
 * addresses are judged when the socket is opened.
 */
#ifndef COWGATE_RUNTIME_HTTP_CLIENT_H
#define COWGATE_RUNTIME_HTTP_CLIENT_H

#include "runtime/loop.h"

#include <cowgate/http.h>

#define HTTP_CLIENT_CALLS 1024     /* exchanges under way */
#define HTTP_CLIENT_CONNECTIONS 64 /* open at once, streams not counted */
#define HTTP_CLIENT_CONNECT_MS 10000
#define HTTP_CLIENT_RESPONSE (1u << 20)

struct http_client;

enum cg_status http_client_create(struct loop *loop, struct http_client **ret, struct cg_error *err);
/* Ends all exchanges without a call. */
void http_client_destroy(struct http_client *client);

/* An extra CA bundle for tests and private peers; NULL: the system's. */
enum cg_status http_client_trust(struct http_client *client, const char *ca_file);

/* LIMIT: too many under way.  INVALID: the request breaks a rule of <cowgate/http.h>. */
enum cg_status http_client_start(struct http_client *client, const struct cg_http_request *request,
	struct cg_http_call **ret, struct cg_error *err);
/* on_done does not fire; accepts NULL.  Safe inside on_data and on_head. */
void http_client_cancel(struct http_client *client, struct cg_http_call *call);

size_t http_client_active(const struct http_client *client);

#endif
