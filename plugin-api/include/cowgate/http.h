/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One outgoing HTTP exchange, as providers and the daemon's own clients ask for it.
 *
 * The request is copied before the call returns, but for the body, which is copied too.
 * Callbacks run on the loop thread, never from inside the call that started the exchange.
 */
#ifndef COWGATE_HTTP_H
#define COWGATE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cg_http_header {
	const char *name;
	const char *value;
};

/* Which addresses may be connected to, judged at connect time on the address itself. */
enum cg_http_reach {
	CG_REACH_ANY, /* wherever the operator's own setting points */
	CG_REACH_PUBLIC, /* no loopback, private, link-local, multicast or metadata address */
	CG_REACH_LOOPBACK, /* loopback only */
	CG_REACH_PRIVATE, /* anything but cloud metadata addresses */
};

enum cg_http_flag {
	CG_HTTP_IDEMPOTENT = 1u
			     << 0, /* may be sent again on a fresh connection by itself */
	CG_HTTP_SECRET_URL = 1u << 1, /* the URL's path must never be shown */
	CG_HTTP_OWN_CONNECTION =
		1u << 2, /* shares a connection with nobody but its own pool */
};

/* How far an exchange came. */
enum cg_http_result {
	CG_HTTP_DONE, /* a whole response: look at status */
	CG_HTTP_NOT_DISPATCHED, /* resolving, connecting or TLS failed: no byte of the request left */
	CG_HTTP_NO_ANSWER, /* bytes were sent, then a reset, a close or a protocol error */
	CG_HTTP_TIMED_OUT, /* bytes were sent and the deadline passed */
	CG_HTTP_TOO_LARGE, /* the response is larger than response_limit */
	CG_HTTP_POLICY, /* the address is not allowed: no byte left */
	CG_HTTP_CANCELLED,
};

struct cg_http_response {
	uint32_t size;
	enum cg_http_result result;
	int status;
	const struct cg_http_header *headers; /* names in lower case */
	size_t header_count;
	const char *body; /* NUL after length bytes; empty for a stream */
	size_t length;
	int64_t retry_after_ms; /* from Retry-After in either form; -1: absent */
	const char *error; /* one sentence when result is not DONE; no secrets */
};

/* Each non-NULL.  @data is borrowed during the call. */
typedef void (*cg_http_done)(void *arg, const struct cg_http_response *response);
/* One piece of a streamed body.  False ends the exchange as CANCELLED. */
typedef bool (*cg_http_data)(void *arg, const char *data, size_t length);
/* The head of a streamed response has come: status and headers are set. */
typedef void (*cg_http_head)(void *arg, const struct cg_http_response *head);

struct cg_http_request {
	uint32_t size;
	uint32_t flags; /* enum cg_http_flag */
	const char *method;
	const char *url; /* http or https; no userinfo */
	const char *unix_socket; /* NULL: TCP */
	const struct cg_http_header *headers;
	size_t header_count;
	const void *body;
	size_t body_length;
	/* The bytes of this file follow @body, and @body_tail follows them: an upload that never
	 * lies in memory.  Opened before the call returns, and as long as it is then; a file that
	 * changes while it is being sent ends the exchange before its last byte.  NULL: none. */
	const char *body_file;
	const void *body_tail;
	size_t body_tail_length;
	int64_t timeout_ms; /* connect, headers and body together; 0 only for a stream */
	int64_t connect_timeout_ms; /* 0: 10 s, never beyond timeout_ms */
	int64_t silence_ms; /* stream: no byte for so long ends it; 0: never */
	size_t response_limit; /* bytes of body; 0: 1 MiB; for a stream of its error body */
	enum cg_http_reach reach;
	/* with OWN_CONNECTION: connections are reused within this name */
	const char *pool;
	/*
	 * http, https or socks5h URL, perhaps with a user and password; NULL: straight, whatever
	 * the environment says.  The proxy resolves the URL's name, so that @reach is judged on
	 * what the URL itself says: an address, or a name that is known to be one.  The proxy
	 * itself may lie anywhere.
	 */
	const char *proxy;
	/* PEM file trusted instead of the system's, for the URL's host and an https proxy alike;
	 * NULL: the system's.  One that cannot be read ends the exchange as NOT_DISPATCHED. */
	const char *ca_file;
	cg_http_head on_head; /* stream only; may be NULL */
	cg_http_data on_data; /* non-NULL makes it a stream */
	cg_http_done on_done; /* exactly once, last */
	void *arg;
};

/* An exchange under way.  Opaque. */
struct cg_http_call;

#endif
