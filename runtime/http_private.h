/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the HTTP server share.  Nobody else includes this.
 *
 * A connection is ours from accept on: its gate reads the raw bytes, its phase and deadline
 * drive the sweep.  evhttp owns the parsing and the socket.  A request object belongs to its
 * connection until the connection dies, and then to whoever still has to answer it.
 */
#ifndef COWGATE_RUNTIME_HTTP_PRIVATE_H
#define COWGATE_RUNTIME_HTTP_PRIVATE_H

#include "runtime/http_gate.h"
#include "runtime/http_server.h"

#include <sys/queue.h>

struct bufferevent;
struct evbuffer;
struct evbuffer_cb_entry;
struct evhttp;
struct evhttp_bound_socket;
struct evhttp_connection;
struct evhttp_request;

#define HTTP_NEVER INT64_MAX
/* How long a refused client may take to read its answer before the socket is shut. */
#define HTTP_LINGER_MS 1000
/* Unix connections are counted apart, so that a flood on TCP never locks the operator out. */
#define HTTP_UNIX_CONNECTIONS 64

enum http_phase {
	HTTP_PHASE_READING, /* idle, or a request is coming in: the gate knows */
	HTTP_PHASE_HANDLER, /* waits for http_request_reply(); evhttp does not read */
	HTTP_PHASE_WRITING, /* the answer is on its way out */
	HTTP_PHASE_STREAM,
	HTTP_PHASE_REFUSED, /* answered by us past evhttp; what still comes in is dropped */
};

struct http_connection {
	LIST_ENTRY(http_connection) all;
	LIST_ENTRY(http_connection) bucket;
	struct http_listener *listener; /* borrowed */
	struct bufferevent *event; /* one reference */
	struct evbuffer_cb_entry *tap; /* on the input of event */
	struct evhttp_connection *evhttp; /* NULL until the first request */
	struct http_request *request; /* the one in hand, until its answer is out */
	struct http_gate gate;
	enum http_phase phase;
	bool killed;
	int64_t first_byte; /* of the request being read */
	int64_t deadline; /* monotonic; HTTP_NEVER */
	size_t owed; /* of an answer: output at the last look; SIZE_MAX: none yet */
	int64_t peer_uid;
	struct loop_task refuse;
};

enum http_request_state {
	HTTP_REQUEST_OPEN, /* the handler has it */
	HTTP_REQUEST_STREAM,
	HTTP_REQUEST_SENT, /* answered; evhttp writes */
};

struct http_request {
	LIST_ENTRY(http_request)
	doomed; /* of server->doomed: sent, but the connection died */
	struct evhttp_request *evhttp;
	struct http_connection *connection; /* NULL: the client has gone */
	enum http_request_state state;
	bool is_unix;
	int64_t peer_uid;
	void *data;
	struct loop *loop;
	void (*closed)(void *arg);
	void *closed_arg;
	struct loop_task close; /* calls closed */
	char peer[64];
};

struct http_listener {
	LIST_ENTRY(http_listener) all; /* of its server */
	LIST_ENTRY(http_listener) open; /* of the process, while bound */
	struct http_server *server; /* borrowed */
	struct evhttp *evhttp;
	struct evhttp_bound_socket *bound; /* evhttp's; NULL once closed */
	struct http_tls *tls; /* borrowed, or NULL */
	char *unix_path; /* NULL: TCP */
	bool enabled;
};

LIST_HEAD(http_connection_list, http_connection);

struct http_server {
	struct loop *loop; /* borrowed */
	struct http_server_limits limits;
	http_handler handler;
	void *arg;
	LIST_HEAD(, http_listener) listeners;
	struct http_connection_list connections;
	struct http_connection_list *buckets; /* by the address of the bufferevent */
	size_t bucket_count; /* a power of two */
	size_t tcp_connections, unix_connections;
	size_t streams;
	bool paused;
	bool starved; /* accept() failed; the next sweep tries again */
	struct loop_timer sweep;
	int64_t sweep_at; /* HTTP_NEVER: not armed */
	LIST_HEAD(, http_request) doomed;
	struct loop_task bury; /* frees the doomed */
	struct evbuffer *scratch; /* of stream writes */
};

/* http_server.c */

/* Have the sweep look no later than at @deadline. */
void http_server_arm(struct http_server *server, int64_t deadline);
/* There is a connection whose death evhttp would not tell: look before long. */
void http_server_watch(struct http_server *server);
/* Accept or not, as the counts say. */
void http_server_balance(struct http_server *server);
/* The descriptor table is full: stop accepting for a while. */
void http_server_starve(struct http_server *server);

/* http_listener.c */

struct http_listener *http_listener_create(struct http_server *server);
void http_listener_destroy(struct http_listener *listener);
/* Bind, listen, and hand the socket to evhttp.  @host and @port, or a path. */
enum cg_status http_listener_bind(struct http_listener *listener, const char *host,
	int port, int *ret_port, struct cg_error *err);
/* Adopts @fd, also on failure.  The address that it listens on is written to @ret_host. */
enum cg_status http_listener_adopt(struct http_listener *listener, int fd,
	char ret_host[46], int *ret_port, struct cg_error *err);
enum cg_status http_listener_bind_unix(
	struct http_listener *listener, const char *path, struct cg_error *err);
void http_listener_enable(struct http_listener *listener, bool on);
/* Close the listening socket; connections stay. */
void http_listener_close(struct http_listener *listener);

/* http_connection.c */

/* evhttp's callback for a new connection: its bufferevent.  @arg is the listener. */
struct bufferevent *http_connection_accept(struct event_base *base, void *arg);
/* The connection that @request came on; on its first request it learns about evhttp's side. */
struct http_connection *http_connection_of(
	struct http_listener *listener, struct evhttp_request *request);
/* The answer is about to be queued.  False when the connection must end with it. */
bool http_connection_answer(struct http_connection *connection);
/* The answer is out. */
void http_connection_sent(struct http_connection *connection);
/* The answer is a stream: no deadline, and what comes in is dropped. */
void http_connection_stream(struct http_connection *connection);
/* The stream has ended; what it owes must be read in time. */
void http_connection_end_stream(struct http_connection *connection);
/* Shut the socket; evhttp notices on a later turn. */
void http_connection_kill(struct http_connection *connection);
/* Its deadline has passed. */
void http_connection_expire(struct http_connection *connection, int64_t now);
/* evhttp has freed its side without telling (only before a first request). */
bool http_connection_is_gone(const struct http_connection *connection);
/* Forget it; evhttp's side is gone or about to go. */
void http_connection_drop(struct http_connection *connection);
size_t http_connection_output(const struct http_connection *connection);

/* http_request.c */

/* evhttp's callback for a whole request.  @arg is the listener. */
void http_request_dispatch(struct evhttp_request *evhttp, void *arg);
/* The connection died. */
void http_request_orphan(struct http_request *request, struct http_server *server);
/* Free it with evhttp's side. */
void http_request_release(struct http_request *request);
/* The answer is complete but for its bytes on the wire. */
void http_request_expect_sent(struct http_request *request);
/* Set the reply's headers but for those that the server decides about. */
void http_request_put_headers(struct http_request *request, const char *content_type,
	const struct cg_http_header *headers, size_t count);
/* The connection ends with this answer. */
void http_request_close_after(struct http_request *request);
/* Of a status; NULL: evhttp knows one. */
const char *http_reason(int status);

#endif
