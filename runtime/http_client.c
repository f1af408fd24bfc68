/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl's multi handles on the loop.  Its timer callback only sets a loop timer, and
 * exchanges end in drain() alone or by their own deadline.
 *
 * A multi handle owns its connections.  There is one for each reach, so that a connection to
 * an internal address, opened where that is allowed, cannot be reused where it is not; one
 * more each for streams, which do not count towards the cap; and one for each named pool.
 */
#include "runtime/http_client.h"

#include "runtime/http_call.h"
#include "runtime/http_gate.h"

#include <cowgate/sdk/address.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Connections that rest: in a shared pool, unless more are at work; in a named one or after
 * streams. */
#define IDLE_SHARED 16
#define IDLE_NAMED 2

/* Report what has ended.  Callbacks may start and cancel calls, this one included. */
static void drain(struct http_pool *pool)
{
	struct CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(pool->multi, &left)) != NULL) {
		struct cg_http_call *call = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		http_call_complete(call, message->data.result);
	}
}

static void on_pool_timer(void *arg)
{
	struct http_pool *pool = arg;
	int running;

	curl_multi_socket_action(pool->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	drain(pool);
}

static int on_timer_change(CURLM *multi, long delay_ms, void *arg)
{
	struct http_pool *pool = arg;

	(void)multi;
	if (delay_ms < 0)
		loop_timer_clear(&pool->timer);
	else
		loop_timer_set(&pool->timer, delay_ms);
	return 0;
}

static void on_socket_ready(evutil_socket_t fd, short what, void *arg)
{
	struct http_pool *pool = arg;
	int flags = 0, running;

	if (what & EV_READ)
		flags |= CURL_CSELECT_IN;
	if (what & EV_WRITE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(pool->multi, fd, flags, &running);
	drain(pool);
}

/* Without memory for an event the socket is not watched, and the call ends by its deadline. */
static int on_socket_change(
	CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct http_pool *pool = arg;
	struct event *event = socket_arg;
	short events = EV_PERSIST;

	(void)easy;
	if (event != NULL)
		event_free(event);
	event = NULL;
	if (what & CURL_POLL_IN)
		events |= EV_READ;
	if (what & CURL_POLL_OUT)
		events |= EV_WRITE;
	if (what != CURL_POLL_REMOVE) {
		event = event_new(
			loop_base(pool->client->loop), fd, events, on_socket_ready, pool);
		if (event != NULL)
			event_add(event, NULL);
	}
	curl_multi_assign(pool->multi, fd, event);
	return 0;
}

static void pool_finish(struct http_pool *pool)
{
	if (pool->multi != NULL)
		curl_multi_cleanup(pool->multi);
	loop_timer_finish(&pool->timer);
	*pool = (struct http_pool){0};
}

/* Make an unused pool ready. */
static enum cg_status pool_init(struct http_pool *pool, struct http_client *client,
	const struct cg_http_request *request, const char *name)
{
	bool limited = name[0] == '\0' && request->on_data == NULL;

	pool->client = client;
	pool->reach = request->reach;
	cg_text_copy(pool->name, sizeof(pool->name), name);
	pool->multi = curl_multi_init();
	if (pool->multi == NULL || loop_timer_init(&pool->timer, client->loop,
					   on_pool_timer, pool) != CG_OK) {
		pool_finish(pool);
		return CG_NOMEM;
	}
	curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, on_socket_change);
	curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
	curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
	curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
	curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_NAMED);
	if (limited)
		curl_multi_setopt(pool->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
			(long)HTTP_CLIENT_CONNECTIONS);
	return CG_OK;
}

/*
 * libcurl closes a connection after use when more than MAXCONNECTS are open, busy ones
 * included.  So in a burst that number follows the calls, lest each pay for a connection of
 * its own, and after it the first calls thin out what is left.
 */
static void pool_fit(struct http_pool *pool)
{
	size_t wanted = pool->calls;

	if (wanted < IDLE_SHARED)
		wanted = IDLE_SHARED;
	if (wanted > HTTP_CLIENT_CONNECTIONS)
		wanted = HTTP_CLIENT_CONNECTIONS;
	curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, (long)wanted);
}

static enum cg_status find_pool(struct http_client *client,
	const struct cg_http_request *request, struct http_pool **ret)
{
	struct http_pool *unused = NULL;

	if (!(request->flags & CG_HTTP_OWN_CONNECTION) || request->pool == NULL) {
		struct http_pool *pool =
			&client->shared[request->reach][request->on_data != NULL];

		*ret = pool;
		return pool->multi != NULL ? CG_OK : pool_init(pool, client, request, "");
	}
	for (size_t i = 0; i < HTTP_CLIENT_POOLS; i++) {
		struct http_pool *pool = &client->named[i];

		if (pool->multi != NULL && pool->reach == request->reach &&
			strcmp(pool->name, request->pool) == 0) {
			*ret = pool;
			return CG_OK;
		}
		/* Rather one that was never used than one that idles. */
		if (pool->calls == 0 && (unused == NULL || unused->multi != NULL))
			unused = pool;
	}
	if (unused == NULL)
		return CG_LIMIT;
	pool_finish(unused);
	*ret = unused;
	return pool_init(unused, client, request, request->pool);
}

/* Headers that would break the framing of the message or its delivery are libcurl's alone. */
static bool is_reserved(const char *name)
{
	static const char *const names[] = {
		"content-length", "transfer-encoding", "expect", "connection"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* What is wrong with the request; NULL: nothing.  Names no part of it. */
static const char *find_fault(const struct cg_http_request *request)
{
	struct cg_url url;

	if (request->size < sizeof(*request))
		return "the request has not the size of this ABI";
	if (request->method == NULL || !http_gate_token(request->method))
		return "the method is not a token";
	if (request->url == NULL || cg_url_parse(request->url, &url, NULL) != CG_OK)
		return "the URL is not an absolute http or https one";
	if (url.has_userinfo)
		return "the URL has user information";
	if (request->on_done == NULL)
		return "on_done is missing";
	if (request->timeout_ms < 0 ||
		(request->timeout_ms == 0 && request->on_data == NULL))
		return "the timeout is missing";
	if (request->connect_timeout_ms < 0 || request->silence_ms < 0)
		return "a timeout is negative";
	if ((unsigned)request->reach >= HTTP_REACHES)
		return "the reach is unknown";
	if (request->pool != NULL &&
		(request->pool[0] == '\0' || strlen(request->pool) >= HTTP_POOL_NAME))
		return "the pool's name is empty or too long";
	if ((request->body_length > 0 && request->body == NULL) ||
		(request->body_tail_length > 0 && request->body_tail == NULL))
		return "the body is missing";
	if (strcmp(request->method, "HEAD") == 0 &&
		(request->body_length > 0 || request->body_tail_length > 0 ||
			request->body_file != NULL))
		return "the body is not allowed";
	if (request->proxy != NULL &&
		(request->unix_socket != NULL ||
			cg_proxy_check(request->proxy, NULL) != CG_OK))
		return "the proxy is none, or has no place here";
	for (size_t i = 0; i < request->header_count; i++) {
		const struct cg_http_header *header = &request->headers[i];

		if (header->name == NULL || !http_gate_token(header->name) ||
			is_reserved(header->name))
			return "a header's name is not allowed";
		if (header->value == NULL || strpbrk(header->value, "\r\n") != NULL)
			return "a header's value is not allowed";
		if (strlen(header->name) + strlen(header->value) > HTTP_HEADER_LINE - 4)
			return "a header is too long";
	}
	return NULL;
}

enum cg_status http_client_start(struct http_client *client,
	const struct cg_http_request *request, struct cg_http_call **ret,
	struct cg_error *err)
{
	const char *fault = find_fault(request);
	struct http_pool *pool;
	enum cg_status status;

	if (fault != NULL)
		return cg_error_set(err, CG_INVALID, "HTTP request refused: %s", fault);
	if (client->active >= HTTP_CLIENT_CALLS)
		return cg_error_set(err, CG_LIMIT, "too many HTTP exchanges at once");
	switch (find_pool(client, request, &pool)) {
	case CG_OK:
		break;
	case CG_LIMIT:
		return cg_error_set(err, CG_LIMIT, "too many connection pools in use");
	default:
		return cg_error_nomem(err);
	}
	status = http_call_create(client, pool, request, ret, err);
	if (status != CG_OK)
		return status;
	if (pool == &client->shared[request->reach][0])
		pool_fit(pool);
	return CG_OK;
}

void http_client_cancel(struct http_client *client, struct cg_http_call *call)
{
	(void)client;
	if (call != NULL)
		http_call_cancel(call);
}

size_t http_client_active(const struct http_client *client)
{
	return client->active;
}

int64_t http_client_late_ms(const struct http_client *client)
{
	return http_calls_late_ms(client);
}

enum cg_status http_client_create(
	struct loop *loop, struct http_client **ret, struct cg_error *err)
{
	struct http_client *client;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return cg_error_set(err, CG_INTERNAL, "libcurl cannot be initialised");
	client = calloc(1, sizeof(*client));
	if (client != NULL)
		client->share = curl_share_init();
	if (client == NULL || client->share == NULL) {
		free(client);
		curl_global_cleanup();
		return cg_error_nomem(err);
	}
	client->loop = loop;
	curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	*ret = client;
	return CG_OK;
}

void http_client_destroy(struct http_client *client)
{
	if (client == NULL)
		return;
	while (client->calls != NULL)
		http_call_destroy(client->calls);
	for (size_t i = 0; i < HTTP_REACHES; i++) {
		pool_finish(&client->shared[i][0]);
		pool_finish(&client->shared[i][1]);
	}
	for (size_t i = 0; i < HTTP_CLIENT_POOLS; i++)
		pool_finish(&client->named[i]);
	curl_share_cleanup(client->share);
	curl_global_cleanup();
	free(client->ca_file);
	free(client);
}

enum cg_status http_client_trust(struct http_client *client, const char *ca_file)
{
	char *copy = NULL;

	if (ca_file != NULL) {
		if (access(ca_file, R_OK) != 0)
			return CG_NOT_FOUND;
		copy = strdup(ca_file);
		if (copy == NULL)
			return CG_NOMEM;
	}
	free(client->ca_file);
	client->ca_file = copy;
	return CG_OK;
}
