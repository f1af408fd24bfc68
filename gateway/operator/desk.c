/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/operator/desk.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define RELOAD_RETRY_MS 1000

/* A failure is counted behind the fact, so the 20th of a window begins the block. */
static const struct limiter_rule token_rule = {
	.limit = 19, .window_ms = 60000, .block_ms = 60000};

void desk_reply(struct http_request *request, int status, struct json_object *body)
{
	/* What it says is the operator's, and true for a moment. */
	static const struct cg_http_header headers[] = {{"Cache-Control", "no-store"}};
	struct http_reply reply = {
		.status = status, .headers = headers, .header_count = 1};

	reply.body = cg_json_text(body, &reply.length);
	http_request_reply(request, &reply);
	cg_json_free(body);
}

void desk_origin(const struct operator* operator, const struct http_request * request,
	char ret[ORIGIN_TEXT])
{
	const struct config *config = operator->options.config;
	struct origin_trust trust = {
		.enabled = config->trust_proxy_headers,
		.cidrs = config->trusted_proxies.items,
		.count = config->trusted_proxies.count,
	};

	origin_find(&trust, http_request_peer(request),
		http_request_header(request, "forwarded"),
		http_request_header(request, "x-forwarded-for"), ret);
}

static uint64_t token_key(
	const struct operator* operator, const struct http_request * request)
{
	char source[ORIGIN_TEXT];

	desk_origin(operator, request, source);
	return limiter_key(operator->limiter, "token", source, "");
}

static int64_t token_wait(
	const struct operator* operator, const struct http_request * request)
{
	return limiter_peek(operator->limiter, token_key(operator, request),
		clock_mono(loop_clock(operator->loop)));
}

void operator_count_refusal(
	struct operator* operator, const struct http_request * request)
{
	limiter_hit(operator->limiter, token_key(operator, request), &token_rule,
		clock_mono(loop_clock(operator->loop)));
}

/* A bearer token, or the gateway's own header.  Either may be right; each is compared whole.
 * While its source is shut out, not even the right one counts: or guessing would go on. */
static bool has_token(struct operator* operator, const struct http_request * request)
{
	const struct cg_secret *token = operator->options.admin_token;
	const char *bearer = http_request_header(request, "authorization");
	const char *own =
		http_request_header(request, "x-open-cowork-gateway-admin-token");
	bool right = false;

	if ((bearer == NULL && own == NULL) || token_wait(operator, request) > 0)
		return false;
	if (bearer != NULL && strncasecmp(bearer, "bearer ", 7) == 0) {
		bearer += 7;
		bearer += strspn(bearer, " ");
		right = cg_secret_equals(token, bearer, strlen(bearer));
	}
	if (own != NULL)
		right = cg_secret_equals(token, own, strlen(own)) || right;
	if (!right)
		operator_count_refusal(operator, request);
	return right;
}

static bool host_header_is_loopback(const struct http_request *request)
{
	const char *header = http_request_header(request, "host");
	struct cg_address address;
	char host[256];
	size_t length;

	if (header == NULL)
		return false;
	if (cg_address_parse(header, &address))
		return cg_address_is_loopback(&address);
	length = strcspn(header, ":");
	if (length >= sizeof(host))
		return false;
	memcpy(host, header, length);
	host[length] = '\0';
	return cg_host_is_loopback(host);
}

static bool may_bypass(
	const struct operator* operator, const struct http_request * request)
{
	static const char *const forwarding[] = {
		"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"};
	struct cg_address peer;

	if (!operator->options.config->operator_bypass)
		return false;
	for (size_t i = 0; i < sizeof(forwarding) / sizeof(forwarding[0]); i++) {
		if (http_request_header(request, forwarding[i]) != NULL)
			return false;
	}
	return cg_address_parse(http_request_peer(request), &peer) &&
	       cg_address_is_loopback(&peer) && host_header_is_loopback(request);
}

bool desk_is_operator(struct operator* operator, struct http_request * request)
{
	if (http_request_is_unix(request)) {
		int64_t uid = http_request_peer_uid(request);

		return uid == 0 || uid == (int64_t)geteuid();
	}
	if (cg_secret_is_set(operator->options.admin_token))
		return has_token(operator, request);
	return may_bypass(operator, request);
}

bool desk_admits(struct operator* operator, struct http_request * request)
{
	int64_t wait = token_wait(operator, request); /* before this one is counted */

	if (desk_is_operator(operator, request))
		return true;
	if (wait > 0)
		http_request_fail(request, 429, "too many wrong tokens", wait);
	else
		http_request_fail(
			request, 401, "the admin token is missing or wrong", -1);
	return false;
}

/* Routing. */

static void not_found(struct http_request *request)
{
	http_request_fail(request, 404, "there is nothing here", -1);
}

static bool is_get(const struct http_request *request)
{
	const char *method = http_request_method(request);

	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static const struct route {
	const char *path;
	void (*run)(struct operator* operator, struct http_request * request);
	bool operators_only;
} routes[] = {
	{"/health", health_live, false},
	{"/ready", health_ready, false},
	{"/metrics", health_metrics, true},
	{"/diagnostics", health_diagnostics, true},
	{"/deliveries", deliveries_list, true},
};

static bool is_served(const struct operator* operator, const struct route * route)
{
	const struct config *config = operator->options.config;

	if (route->run == health_metrics)
		return config->metrics_enabled;
	if (route->run == health_diagnostics)
		return config->diagnostics_enabled;
	return true;
}

/* /explain/ID: any id, so that what is behind the slash is one segment. */
static bool take_explain(struct operator* operator, struct http_request * request)
{
	static const char prefix[] = "/explain/";
	const char *id = http_request_path(request) + sizeof(prefix) - 1;

	if (strncmp(http_request_path(request), prefix, sizeof(prefix) - 1) != 0 ||
		strchr(id, '/') != NULL)
		return false;
	if (desk_admits(operator, request))
		work_explain(operator, request, id, strlen(id));
	return true;
}

static void take_get(struct operator* operator, struct http_request * request)
{
	const char *path = http_request_path(request);

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		const struct route *route = &routes[i];

		if (strcmp(path, route->path) != 0 || !is_served(operator, route))
			continue;
		if (!route->operators_only || desk_admits(operator, request))
			route->run(operator, request);
		return;
	}
	if (!take_explain(operator, request))
		not_found(request);
}

/* POST /deliveries, /deliveries/recover, /people/forget, /channels/ID/pause and /resume.  False: none
 * of them. */
static bool take_work(struct operator* operator, struct http_request * request)
{
	static const char channels[] = "/channels/";
	const char *path = http_request_path(request);
	const char *name = path + sizeof(channels) - 1, *slash = NULL;
	bool say = strcmp(path, "/deliveries") == 0;
	bool recover = strcmp(path, "/deliveries/recover") == 0;
	bool forget = strcmp(path, "/people/forget") == 0;

	if (strncmp(path, channels, sizeof(channels) - 1) == 0)
		slash = strchr(name, '/');
	if (slash != NULL && strcmp(slash, "/pause") != 0 &&
		strcmp(slash, "/resume") != 0)
		slash = NULL;
	if (!say && !recover && !forget && slash == NULL)
		return false;
	if (!desk_admits(operator, request))
		return true;
	if (say)
		work_say(operator, request);
	else if (recover)
		work_recover(operator, request);
	else if (forget)
		work_forget(operator, request);
	else
		work_pause(operator, request, name, (size_t)(slash - name),
			strcmp(slash, "/pause") == 0);
	return true;
}

static void reload_done(void *arg, int status, struct json_object *body)
{
	desk_reply(arg, status, body);
}

static void take_reload(struct operator* operator, struct http_request * request)
{
	const struct operator_host *host = &operator->options.host;

	if (desk_admits(operator, request) &&
		!host->reload(host->arg, reload_done, request))
		http_request_fail(request, 409,
			"the settings are being read again already, or the gateway stops",
			RELOAD_RETRY_MS);
}

static void take_post(struct operator* operator, struct http_request * request)
{
	static const char webhooks[] = "/webhooks/", deliveries[] = "/deliveries/";
	const char *path = http_request_path(request), *name, *slash;

	if (take_work(operator, request))
		return;

	if (strncmp(path, webhooks, sizeof(webhooks) - 1) == 0) {
		name = path + sizeof(webhooks) - 1;
		ingress_take(operator, request, name, strcspn(name, "/"));
		return;
	}
	if (strcmp(path, "/reload") == 0) {
		take_reload(operator, request);
		return;
	}
	if (strncmp(path, deliveries, sizeof(deliveries) - 1) != 0) {
		not_found(request);
		return;
	}
	name = path + sizeof(deliveries) - 1;
	slash = strchr(name, '/');
	if (slash == NULL ||
		(strcmp(slash, "/retry") != 0 && strcmp(slash, "/dead-letter") != 0))
		not_found(request);
	else if (desk_admits(operator, request))
		deliveries_change(operator, request, name, (size_t)(slash - name),
			slash + 1);
}

/* Over TCP it is the plane that judges the token; who is shut out does not get that far. */
static void take_api(struct operator* operator, struct http_request * request)
{
	const struct operator_host *host = &operator->options.host;
	bool local = http_request_is_unix(request);
	bool may = local ? desk_is_operator(operator, request) :
			 operator->options.config->plane_channels.count> 0;
	int64_t wait = may && !local ? token_wait(operator, request) : 0;

	if (wait > 0)
		http_request_fail(request, 429, "too many wrong tokens", wait);
	else if (!may || !host->api(host->arg, request))
		not_found(request);
}

void operator_handle(void *arg, struct http_request *request)
{
	struct operator* operator= arg;
	const char *path = http_request_path(request);

	if (strncmp(path, "/api/", 5) == 0) {
		take_api(operator, request);
	} else if (is_get(request)) {
		take_get(operator, request);
	} else if (strcmp(http_request_method(request), "POST") == 0) {
		take_post(operator, request);
	} else {
		not_found(request);
	}
}

/* Life. */

enum cg_status operator_create(struct loop *loop, const struct operator_options *options,
	struct operator** ret, struct cg_error *err)
{
	struct operator* operator= calloc(1, sizeof(*operator));
	enum cg_status status;

	if (operator== NULL)
		return cg_error_nomem(err);
	operator->loop = loop;
	operator->options = * options;
	operator->started_ms = clock_mono(loop_clock(loop));
	LIST_INIT(&operator->ingresses);
	LIST_INIT(&operator->waits);
	LIST_INIT(&operator->works);
	status = limiter_create(options->seed, &operator->limiter, err);
	if (status != CG_OK) {
		free(operator);
		return status;
	}
	*ret = operator;
	return CG_OK;
}

void operator_destroy(struct operator* operator)
{
	if (operator== NULL)
		return;
	ingress_abandon(operator, NULL);
	deliveries_abandon(operator);
	work_abandon(operator);
	limiter_destroy(operator->limiter);
	free(operator);
}

void operator_set_config(struct operator* operator, const struct config * config)
{
	operator->options.config = config;
}

void operator_abandon(struct operator* operator, const char * instance)
{
	ingress_abandon(operator, instance);
}

size_t operator_open_webhooks(const struct operator* operator)
{
	return operator->ingress_count;
}
