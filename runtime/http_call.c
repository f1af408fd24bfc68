/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two rules keep libcurl tame here.  Its callbacks never touch a multi handle: starting and
 * cancelling only mark the call and defer its task, which runs when libcurl is not on the stack.
 * And whether an exchange was dispatched is judged by the bytes of it that were written to a
 * socket (CURLINFO_REQUEST_SIZE), never by the name of an error.
 */
#include "runtime/http_call.h"

#include "runtime/http_body.h"
#include "runtime/http_head.h"
#include "runtime/http_reach.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define POLICY_SENTENCE "the address is not allowed here"

struct cg_http_call {
	struct http_client *client;
	struct http_pool *pool;
	struct cg_http_call *next, **link; /* in client->calls */
	struct loop_task task; /* begins a new call, frees an ended one */
	struct loop_timer timer; /* the nearest of the deadlines */
	CURL *easy;
	struct curl_slist *headers;
	bool added; /* to the pool's multi handle */
	bool ended; /* on_done was called or never will be */

	int64_t timeout_ms, connect_ms, silence_ms; /* as asked for; 0: none */
	int64_t started_ms, last_byte_ms; /* monotonic */

	bool unix_socket;
	bool proxied; /* the address is the proxy's */
	bool refused; /* an address was */
	bool connected; /* once at least */
	bool idempotent;
	bool repeated; /* would have been, without leave */
	long spent; /* bytes that REQUEST_SIZE counted before */
	enum cg_http_reach reach;

	struct http_body body;

	bool secret_url;
	bool head_done;
	bool has_verdict; /* result was decided by a callback */
	enum cg_http_result verdict;
	int status;
	struct http_head head;
	struct cg_buffer response;
	char detail[CURL_ERROR_SIZE]; /* libcurl's */

	cg_http_head on_head;
	cg_http_data on_data;
	cg_http_done on_done;
	void *arg;
};

static int64_t now_ms(const struct cg_http_call *call)
{
	return clock_mono(loop_clock(call->client->loop));
}

/* Has any byte of the request left?  Repeats by libcurl itself add up. */
static bool is_dispatched(const struct cg_http_call *call)
{
	long sent = 0;

	if (!call->connected)
		return false;
	curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent);
	return sent > call->spent;
}

/*
 * The way is free, and the request itself comes next.  What a proxy was asked before, to open
 * a tunnel, counts in REQUEST_SIZE like the request, but is none of it.  A second time means
 * that libcurl would repeat what was lost with a connection; with its head sent but nothing of
 * its body it would do so even where it cannot begin the body anew.
 */
static int on_connected(
	void *arg, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct cg_http_call *call = arg;

	(void)remote_ip;
	(void)local_ip;
	(void)remote_port;
	(void)local_port;
	if (!call->idempotent && is_dispatched(call)) {
		call->repeated = true;
		return CURL_PREREQFUNC_ABORT;
	}
	if (!call->connected)
		curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &call->spent);
	call->connected = true;
	return CURL_PREREQFUNC_OK;
}

void http_call_destroy(struct cg_http_call *call)
{
	if (call == NULL)
		return;
	loop_undefer(call->client->loop, &call->task);
	loop_timer_finish(&call->timer);
	if (call->added)
		curl_multi_remove_handle(call->pool->multi, call->easy);
	if (call->easy != NULL)
		curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	if (call->pool != NULL)
		call->pool->calls--;
	if (call->link != NULL) {
		*call->link = call->next;
		if (call->next != NULL)
			call->next->link = call->link;
	}
	http_head_finish(&call->head);
	cg_buffer_finish(&call->response);
	http_body_finish(&call->body);
	free(call);
}

/* No more callbacks; the memory goes on a later turn. */
static void call_retire(struct cg_http_call *call)
{
	call->ended = true;
	call->client->active--;
	loop_timer_clear(&call->timer);
	loop_defer(call->client->loop, &call->task);
}

static void fill_response(const struct cg_http_call *call,
	struct cg_http_response *response, struct cg_http_header *headers)
{
	http_head_list(&call->head, headers);
	*response = (struct cg_http_response){
		.size = sizeof(*response),
		.result = CG_HTTP_DONE,
		.status = call->status,
		.headers = headers,
		.header_count = call->head.count,
		.body = cg_buffer_string(&call->response),
		.length = call->response.length,
		.retry_after_ms = call->head.retry_after_ms,
	};
}

/* Never called with libcurl on the stack. */
static void call_end(
	struct cg_http_call *call, enum cg_http_result result, const char *error)
{
	struct cg_http_header headers[HTTP_CLIENT_HEADERS];
	struct cg_http_response response;

	fill_response(call, &response, headers);
	response.result = result;
	response.error = error;
	call_retire(call);
	if (call->added)
		curl_multi_remove_handle(call->pool->multi, call->easy);
	call->added = false;
	call->on_done(call->arg, &response);
}

/* libcurl's sentence may hold parts of the URL, its name for the error does not. */
static void describe(
	const struct cg_http_call *call, CURLcode code, struct cg_error *ret_error)
{
	const char *text = curl_easy_strerror(code);

	if (call->body.broken)
		text = "the file changed while it was being sent";
	else if (code == CURLE_SEND_FAIL_REWIND || call->repeated)
		text = "the connection was lost, and the request is not sent twice";
	else if (!call->secret_url && call->detail[0] != '\0')
		text = call->detail;
	cg_error_set(ret_error, CG_NETWORK, "%s", text);
}

void http_call_complete(struct cg_http_call *call, CURLcode code)
{
	struct cg_error error;

	if (call->ended)
		return;
	if (call->has_verdict) {
		call_end(call, call->verdict,
			call->verdict == CG_HTTP_TOO_LARGE
				? "the answer is larger than its limit"
				: "ended by the receiver of the answer");
		return;
	}
	if (code == CURLE_OK) {
		call_end(call, CG_HTTP_DONE, NULL);
		return;
	}
	describe(call, code, &error);
	if (is_dispatched(call))
		call_end(call, CG_HTTP_NO_ANSWER, error.text);
	else if (call->refused)
		call_end(call, CG_HTTP_POLICY, POLICY_SENTENCE);
	else
		call_end(call, CG_HTTP_NOT_DISPATCHED, error.text);
}

/* Time left of a span that began at @since; 0: over. */
static int64_t left_ms(int64_t now, int64_t since, int64_t span)
{
	return now - since >= span ? 0 : span - (now - since);
}

/*
 * One timer serves all deadlines.  Bytes only note when they came; the timer finds out when it
 * fires that there is time left, and is set anew.
 */
static void on_deadline(void *arg)
{
	struct cg_http_call *call = arg;
	int64_t now = now_ms(call), next = INT64_MAX, left;
	bool dispatched = is_dispatched(call);

	if (call->timeout_ms > 0) {
		left = left_ms(now, call->started_ms, call->timeout_ms);
		if (left == 0 && dispatched) {
			call_end(call, CG_HTTP_TIMED_OUT, "no whole answer in time");
			return;
		}
		next = left;
	}
	if (!dispatched) {
		left = left_ms(now, call->started_ms, call->connect_ms);
		if (left == 0) {
			call_end(call, CG_HTTP_NOT_DISPATCHED, "no connection in time");
			return;
		}
		next = left < next ? left : next;
	}
	if (call->silence_ms > 0) {
		left = left_ms(now, call->last_byte_ms, call->silence_ms);
		if (left == 0) {
			call_end(call,
				dispatched ? CG_HTTP_TIMED_OUT : CG_HTTP_NOT_DISPATCHED,
				"the peer has fallen silent");
			return;
		}
		next = left < next ? left : next;
	}
	if (next != INT64_MAX)
		loop_timer_set(&call->timer, next);
}

/* An ended call is never late. */
static int64_t late_ms(const struct cg_http_call *call)
{
	int64_t now = now_ms(call), late = 0;

	if (call->ended)
		return 0;
	if (call->timeout_ms > 0)
		late = now - call->started_ms - call->timeout_ms;
	if (call->silence_ms > 0 && now - call->last_byte_ms - call->silence_ms > late)
		late = now - call->last_byte_ms - call->silence_ms;
	return late > 0 ? late : 0;
}

int64_t http_calls_late_ms(const struct http_client *client)
{
	int64_t latest = 0;

	for (const struct cg_http_call *call = client->calls; call != NULL;
		call = call->next) {
		int64_t late = late_ms(call);

		latest = late > latest ? late : latest;
	}
	return latest;
}

static void verdict_set(struct cg_http_call *call, enum cg_http_result result)
{
	call->has_verdict = true;
	call->verdict = result;
}

/* The empty line after the headers. */
static void head_end(struct cg_http_call *call)
{
	struct cg_http_header headers[HTTP_CLIENT_HEADERS];
	struct cg_http_response response;
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200)
		return; /* an interim answer: another head follows */
	call->status = (int)status;
	call->head_done = true;
	if (call->on_data == NULL || call->on_head == NULL)
		return;
	fill_response(call, &response, headers);
	call->on_head(call->arg, &response);
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
	struct cg_http_call *call = arg;
	size_t length = size * count, bare = length;

	if (call->ended)
		return 0;
	call->last_byte_ms = now_ms(call);
	if (call->head_done)
		return length; /* a trailer */
	while (bare > 0 && strchr("\r\n \t", line[bare - 1]) != NULL)
		bare--;
	if (bare >= 5 && memcmp(line, "HTTP/", 5) == 0)
		http_head_clear(&call->head);
	else if (bare > 0)
		http_head_add(&call->head, loop_clock(call->client->loop), line, bare);
	else
		head_end(call);
	return call->ended ? 0 : length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct cg_http_call *call = arg;
	size_t length = size * count;

	if (call->ended)
		return 0;
	call->last_byte_ms = now_ms(call);
	if (call->on_data != NULL && call->status >= 200 && call->status < 300) {
		if (!call->on_data(call->arg, bytes, length) && !call->ended)
			verdict_set(call, CG_HTTP_CANCELLED);
	} else if (cg_buffer_add(&call->response, bytes, length) != CG_OK) {
		verdict_set(call, CG_HTTP_TOO_LARGE);
	}
	return call->ended || call->has_verdict ? 0 : length;
}

static size_t on_read(char *buffer, size_t size, size_t count, void *arg)
{
	struct cg_http_call *call = arg;
	ssize_t length =
		call->ended ? -1 : http_body_read(&call->body, buffer, size * count);

	return length < 0 ? CURL_READFUNC_ABORT : (size_t)length;
}

/* Only idempotent requests have this: it is what lets libcurl send a body again. */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
	struct cg_http_call *call = arg;

	if (origin != SEEK_SET || offset < 0 ||
		!http_body_seek(&call->body, (uint64_t)offset))
		return CURL_SEEKFUNC_FAIL;
	return CURL_SEEKFUNC_OK;
}

/* Of a proxied exchange it is the proxy's address, which the operator has set. */
static bool is_reachable(const struct cg_http_call *call, const struct sockaddr *address)
{
	if (address->sa_family == AF_UNIX)
		return call->unix_socket;
	return http_reach_allows(call->proxied ? CG_REACH_ANY : call->reach, address);
}

/* The last moment before a connection, with the name resolved: here no trick of spelling or
 * of DNS is left. */
static curl_socket_t on_open(
	void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct cg_http_call *call = arg;
	int fd;

	if (purpose != CURLSOCKTYPE_IPCXN || !is_reachable(call, &address->addr)) {
		call->refused = true;
		return CURL_SOCKET_BAD;
	}
	fd = socket(address->family, address->socktype, address->protocol);
	if (fd >= 0)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static bool add_header(struct cg_http_call *call, const char *line)
{
	struct curl_slist *list = curl_slist_append(call->headers, line);

	if (list == NULL)
		return false;
	call->headers = list;
	return true;
}

static bool add_headers(struct cg_http_call *call, const struct cg_http_request *request)
{
	bool has_type = false, ok = true;
	struct cg_buffer line;

	cg_buffer_init(&line, HTTP_HEADER_LINE);
	for (size_t i = 0; i < request->header_count && ok; i++) {
		const struct cg_http_header *header = &request->headers[i];

		/* An empty value is written with a semicolon; "name:" would remove it. */
		cg_buffer_clear(&line);
		cg_buffer_text(&line, header->name);
		cg_buffer_text(&line, header->value[0] != '\0' ? ": " : ";");
		cg_buffer_text(&line, header->value);
		ok = cg_buffer_status(&line) == CG_OK && add_header(call, line.bytes);
		has_type = has_type || strcasecmp(header->name, "content-type") == 0;
	}
	cg_buffer_finish(&line);
	/* Neither a wait for "100 Continue" nor a content type that nobody asked for. */
	return ok && add_header(call, "Expect:") &&
	       (has_type || add_header(call, "Content-Type:"));
}

static bool has_upload_shape(const struct cg_http_request *request, uint64_t body_length)
{
	return body_length > 0 || strcmp(request->method, "POST") == 0 ||
	       strcmp(request->method, "PUT") == 0 ||
	       strcmp(request->method, "PATCH") == 0;
}

static bool set_request(struct cg_http_call *call, const struct cg_http_request *request)
{
	bool idempotent = call->idempotent;
	bool alone = (request->flags & CG_HTTP_OWN_CONNECTION) && request->pool == NULL;
	uint64_t length = http_body_length(&call->body);
	CURL *easy = call->easy;

	if (curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK ||
		curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers) != CURLE_OK)
		return false;
	if (strcmp(request->method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	} else {
		if (has_upload_shape(request, length))
			curl_easy_setopt(easy, CURLOPT_POST, 1L);
		if (curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) !=
			CURLE_OK)
			return false;
	}
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(easy, CURLOPT_READDATA, call);
	if (idempotent) {
		curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
		curl_easy_setopt(easy, CURLOPT_SEEKDATA, call);
	}
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
	/* A request without a body is not held back by the lack of a seek function, so it must
	 * not meet a connection that may be dying: libcurl repeats only on reused ones. */
	if (alone || (!idempotent && length == 0))
		curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	if (alone)
		curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	if (request->unix_socket != NULL)
		return curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH,
			       request->unix_socket) == CURLE_OK;
	return true;
}

static bool set_transport(struct cg_http_call *call)
{
	const struct http_client *client = call->client;
	CURL *easy = call->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(easy, CURLOPT_SHARE, client->share);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->detail);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	/* Streams live long and trickle: they need not hold the usual 16 KiB each. */
	curl_easy_setopt(
		easy, CURLOPT_BUFFERSIZE, call->on_data != NULL ? 4096L : 16384L);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_USERAGENT, "cowgate") == CURLE_OK;
}

/* The environment has no say in either proxy option. */
static bool set_proxy(struct cg_http_call *call, const char *proxy)
{
	CURL *easy = call->easy;

	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	return curl_easy_setopt(easy, CURLOPT_NOPROXY, "") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROXY, proxy != NULL ? proxy : "") ==
		       CURLE_OK;
}

static bool set_trust(struct cg_http_call *call, const char *ca_file)
{
	CURL *easy = call->easy;

	if (ca_file == NULL)
		return call->client->ca_file == NULL ||
		       curl_easy_setopt(easy, CURLOPT_CAINFO, call->client->ca_file) ==
			       CURLE_OK;
	return curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, ca_file) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL) == CURLE_OK;
}

/* The call's own task: libcurl is not on the stack. */
static void on_task(void *arg)
{
	struct cg_http_call *call = arg;

	if (call->ended) {
		http_call_destroy(call);
	} else if (call->refused) {
		call_end(call, CG_HTTP_POLICY, POLICY_SENTENCE);
	} else if (curl_multi_add_handle(call->pool->multi, call->easy) == CURLM_OK) {
		call->added = true;
		on_deadline(call);
	} else {
		call_end(call, CG_HTTP_NOT_DISPATCHED, "out of memory");
	}
}

static void call_init(struct cg_http_call *call, struct http_client *client,
	const struct cg_http_request *request)
{
	size_t limit = request->response_limit;

	call->client = client;
	loop_task_init(&call->task, on_task, call);
	call->timeout_ms = request->timeout_ms;
	call->connect_ms = request->connect_timeout_ms;
	if (call->connect_ms == 0)
		call->connect_ms = HTTP_CLIENT_CONNECT_MS;
	if (call->timeout_ms > 0 && call->connect_ms > call->timeout_ms)
		call->connect_ms = call->timeout_ms;
	call->silence_ms = request->on_data != NULL ? request->silence_ms : 0;
	call->started_ms = call->last_byte_ms = clock_mono(loop_clock(client->loop));
	call->unix_socket = request->unix_socket != NULL;
	call->proxied = request->proxy != NULL;
	call->refused =
		call->proxied && !http_reach_allows_url(request->reach, request->url);
	call->reach = request->reach;
	call->idempotent = (request->flags & CG_HTTP_IDEMPOTENT) != 0;
	call->secret_url = (request->flags & CG_HTTP_SECRET_URL) != 0;
	http_head_init(&call->head);
	cg_buffer_init(&call->response, limit > 0 ? limit : HTTP_CLIENT_RESPONSE);
	call->on_head = request->on_head;
	call->on_data = request->on_data;
	call->on_done = request->on_done;
	call->arg = request->arg;
}

enum cg_status http_call_create(struct http_client *client, struct http_pool *pool,
	const struct cg_http_request *request, struct cg_http_call **ret,
	struct cg_error *err)
{
	struct cg_http_call *call = calloc(1, sizeof(*call));
	enum cg_status status;

	if (call == NULL)
		return cg_error_nomem(err);
	call_init(call, client, request);
	status = http_body_init(&call->body, request, err);
	if (status != CG_OK)
		goto fail;
	status = cg_error_nomem(err);
	call->easy = curl_easy_init();
	if (call->easy == NULL ||
		loop_timer_init(&call->timer, client->loop, on_deadline, call) != CG_OK)
		goto fail;
	if (!add_headers(call, request) || !set_request(call, request) ||
		!set_transport(call) || !set_proxy(call, request->proxy) ||
		!set_trust(call, request->ca_file))
		goto fail;
	call->pool = pool;
	pool->calls++;
	call->next = client->calls;
	call->link = &client->calls;
	if (call->next != NULL)
		call->next->link = &call->next;
	client->calls = call;
	client->active++;
	loop_defer(client->loop, &call->task);
	*ret = call;
	return CG_OK;

fail:
	http_call_destroy(call);
	return status;
}

void http_call_cancel(struct cg_http_call *call)
{
	if (!call->ended)
		call_retire(call);
}
