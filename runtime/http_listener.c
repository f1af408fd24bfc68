/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets: TCP (either family, dual-stack on "::") and Unix. */
#include "runtime/http_private.h"

#include <cowgate/sdk/error.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

/*
 * The open listeners of the process, all of one loop thread.  libevent hands its error callback
 * the argument of the accept callback, which is evhttp's, and evhttp leads nowhere else.
 */
static LIST_HEAD(, http_listener) open_listeners = LIST_HEAD_INITIALIZER(open_listeners);

struct http_listener *http_listener_create(struct http_server *server)
{
	struct http_listener *listener = calloc(1, sizeof(*listener));

	if (listener == NULL)
		return NULL;
	listener->server = server;
	listener->evhttp = evhttp_new(loop_base(server->loop));
	if (listener->evhttp == NULL) {
		free(listener);
		return NULL;
	}
	/* The same limits as the gate's: a second fence, should the two ever disagree.  evhttp
	 * would then send an HTML page of its own, which this version offers no way to change. */
	evhttp_set_max_body_size(listener->evhttp, (ev_ssize_t)server->limits.body);
	evhttp_set_max_headers_size(listener->evhttp, (ev_ssize_t)server->limits.headers);
	evhttp_set_default_content_type(listener->evhttp, NULL);
	evhttp_set_allowed_methods(listener->evhttp,
		EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
			EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS);
	evhttp_set_bevcb(listener->evhttp, http_connection_accept, listener);
	evhttp_set_gencb(listener->evhttp, http_request_dispatch, listener);
	return listener;
}

void http_listener_close(struct http_listener *listener)
{
	if (listener->bound != NULL) {
		evhttp_del_accept_socket(listener->evhttp, listener->bound);
		listener->bound = NULL;
		LIST_REMOVE(listener, open);
		if (listener->unix_path != NULL)
			unlink(listener->unix_path);
	}
}

void http_listener_destroy(struct http_listener *listener)
{
	struct http_connection *connection, *next;

	if (listener == NULL)
		return;
	http_listener_close(listener);
	evhttp_free(listener->evhttp);
	/* evhttp has told about those that had made a request; here are the rest. */
	for (connection = LIST_FIRST(&listener->server->connections); connection != NULL;
		connection = next) {
		next = LIST_NEXT(connection, all);
		if (connection->listener == listener)
			http_connection_drop(connection);
	}
	free(listener->unix_path);
	free(listener);
}

void http_listener_enable(struct http_listener *listener, bool on)
{
	struct evconnlistener *socket;

	if (listener->bound == NULL || listener->enabled == on)
		return;
	listener->enabled = on;
	socket = evhttp_bound_socket_get_listener(listener->bound);
	if (on)
		evconnlistener_enable(socket);
	else
		evconnlistener_disable(socket);
}

/* accept() failed, most likely for want of descriptors; it would fail again at once. */
static void accept_failed(struct evconnlistener *socket, void *evhttp)
{
	struct http_listener *listener;

	(void)socket;
	LIST_FOREACH (listener, &open_listeners, open) {
		if (listener->evhttp == evhttp)
			http_server_starve(listener->server);
	}
}

/* Adopts @fd, also on failure. */
static enum cg_status start(struct http_listener *listener, int fd, struct cg_error *err)
{
	struct evconnlistener *socket =
		evconnlistener_new(loop_base(listener->server->loop), NULL, NULL,
			LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, fd);

	if (socket == NULL) {
		enum cg_status status = cg_error_set(
			err, CG_NETWORK, "cannot listen: %s", strerror(errno));

		close(fd);
		return status;
	}
	listener->bound = evhttp_bind_listener(listener->evhttp, socket);
	if (listener->bound == NULL) {
		evconnlistener_free(socket);
		return cg_error_nomem(err);
	}
	evconnlistener_set_error_cb(socket, accept_failed);
	listener->enabled = true;
	LIST_INSERT_HEAD(&open_listeners, listener, open);
	return CG_OK;
}

static int new_socket(int family)
{
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0)
		return -1;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* -1 with errno. */
static int bind_address(const struct addrinfo *address)
{
	int fd = new_socket(address->ai_family);
	int on = 1, off = 0, saved;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* Head and body of an answer leave as two writes under TLS; Nagle would hold the second
	 * until the client's delayed acknowledgement.  Accepted sockets inherit it on Linux. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (address->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, address->ai_addr, address->ai_addrlen) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int bound_port(int fd)
{
	union {
		struct sockaddr_storage storage;
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
	socklen_t length = sizeof(address);

	if (getsockname(fd, &address.any, &length) != 0)
		return -1;
	return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port
						       : address.v4.sin_port);
}

/* "[::1]" is what people copy from URLs. */
static const char *without_brackets(const char *host, char *copy, size_t size)
{
	size_t length = strlen(host);

	if (length < 3 || length > size || host[0] != '[' || host[length - 1] != ']')
		return host;
	memcpy(copy, host + 1, length - 2);
	copy[length - 2] = '\0';
	return copy;
}

enum cg_status http_listener_bind(struct http_listener *listener, const char *host,
	int port, int *ret_port, struct cg_error *err)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM};
	struct addrinfo *addresses = NULL;
	char service[16], copy[64];
	enum cg_status status;
	int fd = -1, chosen, code;

	if (port < 0 || port > 65535)
		return cg_error_set(err, CG_INVALID, "port %d is out of range", port);
	snprintf(service, sizeof(service), "%d", port);
	code = getaddrinfo(
		without_brackets(host, copy, sizeof(copy)), service, &hints, &addresses);
	if (code != 0)
		return cg_error_set(err, CG_INVALID, "cannot listen on '%s': %s", host,
			gai_strerror(code));
	for (struct addrinfo *each = addresses; each != NULL && fd < 0;
		each = each->ai_next)
		fd = bind_address(each);
	freeaddrinfo(addresses);
	if (fd < 0)
		return cg_error_set(err, errno == EADDRINUSE ? CG_BUSY : CG_NETWORK,
			"cannot listen on '%s' port %d: %s", host, port, strerror(errno));
	chosen = bound_port(fd);
	status = start(listener, fd, err);
	if (status == CG_OK && ret_port != NULL)
		*ret_port = chosen;
	return status;
}

enum cg_status http_listener_adopt(struct http_listener *listener, int fd,
	char ret_host[46], int *ret_port, struct cg_error *err)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address), size = sizeof(int);
	char host[46];
	enum cg_status status;
	int type = 0, on = 1, port;

	if (getsockname(fd, (struct sockaddr *)&address, &length) != 0 ||
		(address.ss_family != AF_INET && address.ss_family != AF_INET6) ||
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
		type != SOCK_STREAM ||
		getnameinfo((struct sockaddr *)&address, length, host, sizeof(host), NULL,
			0, NI_NUMERICHOST) != 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
		fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		close(fd);
		return cg_error_set(err, CG_INVALID,
			"the socket that was handed over is no bound TCP socket");
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	port = bound_port(fd);
	status = start(listener, fd, err);
	if (status != CG_OK)
		return status;
	memcpy(ret_host, host, sizeof(host));
	*ret_port = port;
	return CG_OK;
}

/* Somebody accepts connections on this path. */
static bool is_alive(const struct sockaddr_un *address)
{
	int fd = new_socket(AF_UNIX);
	bool alive;

	if (fd < 0)
		return true; /* cannot tell, so leave it alone */
	alive = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
		(errno != ECONNREFUSED && errno != ENOENT);
	close(fd);
	return alive;
}

/* Make room for a socket at the path: only a socket that nobody answers on is removed. */
static enum cg_status clear_path(const struct sockaddr_un *address, struct cg_error *err)
{
	struct stat info;

	if (lstat(address->sun_path, &info) != 0) {
		if (errno == ENOENT)
			return CG_OK;
		return cg_error_set(err, CG_IO, "cannot look at '%s': %s",
			address->sun_path, strerror(errno));
	}
	if (!S_ISSOCK(info.st_mode))
		return cg_error_set(err, CG_EXISTS, "'%s' exists and is no socket",
			address->sun_path);
	if (is_alive(address))
		return cg_error_set(err, CG_BUSY, "another process listens on '%s'",
			address->sun_path);
	if (unlink(address->sun_path) != 0 && errno != ENOENT)
		return cg_error_set(err, CG_IO, "cannot replace '%s': %s",
			address->sun_path, strerror(errno));
	return CG_OK;
}

enum cg_status http_listener_bind_unix(
	struct http_listener *listener, const char *path, struct cg_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	enum cg_status status;
	mode_t mask;
	int fd, result, saved;

	if (strlen(path) == 0 || strlen(path) >= sizeof(address.sun_path))
		return cg_error_set(err, CG_INVALID,
			"socket path '%s' must have 1 to %zu bytes", path,
			sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	status = clear_path(&address, err);
	if (status != CG_OK)
		return status;
	listener->unix_path = strdup(path);
	if (listener->unix_path == NULL)
		return cg_error_nomem(err);
	fd = new_socket(AF_UNIX);
	if (fd < 0)
		return cg_error_set(
			err, CG_NETWORK, "cannot make a socket: %s", strerror(errno));

	/* Nobody else may connect, not even between bind() and a chmod(). */
	mask = umask(0177);
	result = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	saved = errno;
	umask(mask);
	if (result != 0) {
		close(fd);
		return cg_error_set(err, saved == EADDRINUSE ? CG_BUSY : CG_NETWORK,
			"cannot bind '%s': %s", path, strerror(saved));
	}
	status = start(listener, fd, err);
	if (status != CG_OK)
		unlink(path);
	return status;
}
