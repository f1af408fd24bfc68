/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Incoming HTTP/1.1 on evhttp, behind a gate that refuses what evhttp lets through.
 *
 * Every request passes the gate (http_gate.h) before its handler sees it.  A handler answers
 * at once or later, exactly once.  A request whose client has gone still has to be answered;
 * the answer is dropped then.
 */
#ifndef COWGATE_RUNTIME_HTTP_SERVER_H
#define COWGATE_RUNTIME_HTTP_SERVER_H

#include "runtime/loop.h"

#include <cowgate/http.h>

struct http_server;
struct http_request;

typedef void (*http_handler)(void *arg, struct http_request *request);

struct http_server_limits {
	size_t body; /* bytes; 413 beyond */
	size_t headers; /* bytes of request line and header lines; 431 beyond */
	size_t header_count; /* header lines; 431 beyond */
	/* TCP: accepting pauses at this many.  Unix sockets have 64 places of their own, so that
	 * a flood never locks the operator out. */
	size_t connections;
	/* To the end of the headers: from accept, or from the first byte of a later request. */
	int64_t header_ms;
	/* To the end of the body, from the first byte; and the period for which a reader of an
	 * answer has to keep the pace, the first one aside. */
	int64_t request_ms;
	size_t pace; /* bytes a second */
	int64_t idle_ms; /* keep-alive between requests */
	size_t stream_output; /* bytes a slow stream reader may owe before it is dropped */
	size_t streams; /* open event streams */
};

/* 1 MiB, 16 KiB, 64, 1024, 15 s, 30 s, 1 KiB/s, 10 s, 1 MiB, 64 */
extern const struct http_server_limits http_server_defaults;

enum cg_status http_server_create(struct loop *loop,
	const struct http_server_limits *limits, http_handler handler, void *arg,
	struct http_server **ret, struct cg_error *err);
/* Open requests are closed; their later answers are dropped. */
void http_server_destroy(struct http_server *server);

struct http_tls; /* runtime/tls.h */

/* @port 0 picks a free one; *@ret_port tells.  @tls may be NULL. */
enum cg_status http_server_listen(struct http_server *server, const char *host, int port,
	struct http_tls *tls, int *ret_port, struct cg_error *err);
/*
 * The same on a TCP socket that is bound already, as a service manager hands one over.  Adopts
 * @fd, also on failure; @ret_host is the numeric address that it is bound to.  INVALID: not such
 * a socket.
 */
enum cg_status http_server_listen_fd(struct http_server *server, int fd,
	struct http_tls *tls, char ret_host[46], int *ret_port, struct cg_error *err);
/* Mode 0600; replaces a socket that nobody answers on, BUSY when somebody does. */
enum cg_status http_server_listen_unix(
	struct http_server *server, const char *path, struct cg_error *err);

/* Close the listening sockets and idle connections; open requests go on, each the last of its
 * connection (drain). */
void http_server_pause(struct http_server *server);

/* The request.  All pointers are borrowed until it is answered, also when the client or the
 * server goes away before that. */
const char *http_request_method(const struct http_request *request); /* "GET" … */
/* Still percent-encoded; begins with exactly one slash. */
const char *http_request_path(const struct http_request *request);
/* Without '?', "" if there is none. */
const char *http_request_query(const struct http_request *request);
/* The first of that name in any case, or NULL. */
const char *http_request_header(const struct http_request *request, const char *name);
const void *http_request_body(const struct http_request *request, size_t *ret_length);
bool http_request_is_unix(const struct http_request *request);
/* Numeric address of the socket peer, IPv4 as such also on a dual-stack socket; "" for a Unix
 * socket. */
const char *http_request_peer(const struct http_request *request);
/* User id of a Unix peer, -1 when unknown. */
int64_t http_request_peer_uid(const struct http_request *request);
/* False once the client is known to have gone; it often is noticed only by answering. */
bool http_request_is_open(const struct http_request *request);
void *http_request_data(const struct http_request *request);
void http_request_set_data(struct http_request *request, void *data);

struct http_reply {
	int status;
	const char *content_type; /* NULL: application/json; charset=utf-8 */
	const struct cg_http_header *headers;
	size_t header_count;
	const void *body;
	size_t length;
};

/* The request is gone afterwards.  Headers whose name is no token, whose value has a line end,
 * or that would change framing or connection are left out. */
void http_request_reply(struct http_request *request, const struct http_reply *reply);
/* {"ok":false,"error":text}, with Retry-After when @retry_after_ms >= 0. */
void http_request_fail(struct http_request *request, int status, const char *text,
	int64_t retry_after_ms);

/*
 * An event stream.  begin sends the head; LIMIT at too many streams and CLOSED without a client
 * leave the request still to be answered.  write appends bytes: LIMIT when the reader owes too
 * much (the stream is then closed, and @closed follows), CLOSED when @closed is about to come.
 * @closed fires once when the client has gone, never from inside these calls, and the request
 * is gone afterwards.  end closes it from our side; @closed does not fire then.
 */
enum cg_status http_request_stream(struct http_request *request, const char *content_type,
	const struct cg_http_header *headers, size_t header_count,
	void (*closed)(void *arg), void *arg);
enum cg_status http_request_stream_write(
	struct http_request *request, const void *bytes, size_t length);
void http_request_stream_end(struct http_request *request);

/* Parameters of a query string, percent-decoded; "" for a bare name, NULL if absent.  Owned by
 * the caller (free).  False NUL bytes and bad escapes give NULL. */
char *http_query_get(const char *query, const char *name);
/* The n-th value of a repeated name. */
char *http_query_get_at(const char *query, const char *name, size_t index);
/* Percent-decode one path segment; NULL on a bad escape or NUL; owned by the caller. */
char *http_path_decode(const char *segment, size_t length);

size_t http_server_connections(const struct http_server *server);

#endif
