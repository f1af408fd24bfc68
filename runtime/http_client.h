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

#define HTTP_CLIENT_CALLS 1024 /* exchanges under way */
#define HTTP_CLIENT_CONNECTIONS 64 /* open at once, streams not counted */
#define HTTP_CLIENT_POOLS 16 /* named ones; an idle one makes room for a new name */
#define HTTP_CLIENT_CONNECT_MS 10000
#define HTTP_CLIENT_RESPONSE (1u << 20)
#define HTTP_CLIENT_HEADERS \
	64 /* of a response; what goes beyond is dropped, here and below */
#define HTTP_CLIENT_HEAD (1u << 14) /* bytes of their names and values */

struct http_client;

enum cg_status http_client_create(
	struct loop *loop, struct http_client **ret, struct cg_error *err);
/* Ends all exchanges without a call.  Not from inside a callback of an exchange. */
void http_client_destroy(struct http_client *client);

/*
 * An extra CA bundle for calls started from now on, for tests and private peers; NULL: the
 * system's alone.  NOT_FOUND when it cannot be read.  A libcurl that was built with a bundle
 * but without a directory of certificates trusts this file instead of its own.
 */
enum cg_status http_client_trust(struct http_client *client, const char *ca_file);

/*
 * LIMIT: too many under way.  INVALID: the request breaks a rule of <cowgate/http.h>.
 *
 * The time of an exchange begins here.  The head of a stream is reported whatever its status;
 * a status other than 2xx comes with its body in on_done, and on_data is not called.  Headers
 * that frame the message (Content-Length, Transfer-Encoding, Expect, Connection) are refused.
 */
enum cg_status http_client_start(struct http_client *client,
	const struct cg_http_request *request, struct cg_http_call **ret,
	struct cg_error *err);
/* No callback fires any more; accepts NULL.  Safe inside every callback of any exchange. */
void http_client_cancel(struct http_client *client, struct cg_http_call *call);

/* A date of HTTP in wall milliseconds; -1: it is none. */
int64_t http_client_date(const char *value);

size_t http_client_active(const struct http_client *client);

/* How long ago the latest exchange should have ended by its own deadline or silence; 0: none is late. */
#define HTTP_CLIENT_LATE_MS 600000 /* something is wrong beyond it */
int64_t http_client_late_ms(const struct http_client *client);

#endif
