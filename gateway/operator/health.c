/* SPDX-License-Identifier: Apache-2.0 */
/* Liveness, readiness, metrics, diagnostics. */
#include "gateway/operator/desk.h"

#include "config/describe.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <string.h>

#define METRICS_MAX (4u << 20) /* bytes of the metrics page */

static const char *mode_name(const struct config *config)
{
	return config->product_mode == CONFIG_STANDALONE ? "standalone" : "cloud_channel";
}

static void put_branding(struct json_object *body, const struct config *config)
{
	struct json_object *branding = NULL;

	cg_json_parse(
		config->branding.json, strlen(config->branding.json), &branding, NULL);
	cg_json_put(body, "branding", branding);
}

void health_live(struct operator* operator, struct http_request * request)
{
	const struct config *config = operator->options.config;
	struct json_object *body = cg_json_new_object();

	cg_json_put_bool(body, "ok", true);
	cg_json_put_string(body, "status", "ok");
	cg_json_put_string(body, "mode", mode_name(config));
	put_branding(body, config);
	/* Where the Cloud is, is the operator's business. */
	cg_json_put_string(body, "cloudBaseUrl",
		desk_is_operator(operator, request) ? config->cloud_base_url : NULL);
	desk_reply(request, 200, body);
}

static struct json_object *providers_json(const struct operator* operator)
{
	const struct operator_host *host = &operator->options.host;
	struct json_object *list = cg_json_new_array();

	for (size_t i = 0; i < host->channel_count(host->arg); i++) {
		struct json_object *entry = cg_json_new_object();
		struct operator_channel channel;

		host->channel(host->arg, i, &channel);
		cg_json_put_string(entry, "id", channel.id);
		cg_json_put_string(entry, "kind", channel.kind);
		cg_json_put_string(entry, "provider", channel.id);
		cg_json_put_bool(entry, "started", channel.started);
		cg_json_put_bool(entry, "healthy", channel.healthy);
		cg_json_put_string(
			entry, "error", channel.error[0] == '\0' ? NULL : channel.error);
		cg_json_put_string(entry, "state", channel.state);
		cg_json_put_time(entry, "lastInboundAt", channel.last_inbound_ms);
		cg_json_append(list, entry);
	}
	return list;
}

static struct json_object *ready_json(
	const struct operator* operator, bool detail, bool *ret_ready)
{
	const struct operator_host *host = &operator->options.host;
	struct operator_degraded degraded[OPERATOR_DEGRADED];
	struct json_object *body = cg_json_new_object(), *list = cg_json_new_array();
	size_t count = 0;
	bool ready = host->ready(host->arg, degraded, &count);

	cg_json_put_bool(body, "ok", ready);
	cg_json_put_string(body, "status", ready ? "ready" : "not_ready");
	put_branding(body, operator->options.config);
	cg_json_put_string(body, "cloudBaseUrl", detail ? operator->options.config->cloud_base_url : NULL);
	for (size_t i = 0; i < count; i++) {
		struct json_object *entry = cg_json_new_object();

		cg_json_put_string(entry, "what", degraded[i].what);
		if (detail)
			cg_json_put_string(entry, "detail", degraded[i].detail);
		cg_json_append(list, entry);
	}
	cg_json_put(body, "degraded", list);
	if (detail)
		cg_json_put(body, "providers", providers_json(operator));
	*ret_ready = ready;
	return body;
}

void health_ready(struct operator* operator, struct http_request * request)
{
	bool ready;
	struct json_object *body =
		ready_json(operator, desk_is_operator(operator, request), &ready);

	desk_reply(request, ready ? 200 : 503, body);
}

static void measure(const struct operator* operator)
{
	const struct operator_options *options = &operator->options;
	int64_t up = clock_mono(loop_clock(operator->loop)) - operator->started_ms;
	struct journal_figures figures;

	journal_figures(options->journal, &figures);
	meter_set(options->meter, METER_TOTAL_UPTIME, (double)up / 1000);
	meter_set(
		options->meter, METER_TOTAL_INBOX_PENDING, (double)figures.inbox_pending);
	meter_set(options->meter, METER_TOTAL_INBOX_DEAD, (double)figures.inbox_dead);
	meter_set(options->meter, METER_TOTAL_OUTBOX_PENDING,
		(double)figures.outbox_pending);
	meter_set(options->meter, METER_TOTAL_OUTBOX_UNKNOWN,
		(double)figures.outbox_unknown);
	meter_set(options->meter, METER_TOTAL_OUTBOX_DEAD, (double)figures.outbox_dead);
	meter_set(options->meter, METER_TOTAL_WAL_BYTES, (double)figures.wal_bytes);
	meter_set(options->meter, METER_TOTAL_COMMITS, (double)figures.commits);
	meter_set(options->meter, METER_TOTAL_STORE_OK,
		journal_state(options->journal) == CG_OK);
	options->host.measure(options->host.arg);
}

void health_metrics(struct operator* operator, struct http_request * request)
{
	struct http_reply reply = {.status = 200,
		.content_type = "text/plain; version=0.0.4; charset=utf-8"};
	struct cg_buffer text;

	measure(operator);
	cg_buffer_init(&text, METRICS_MAX);
	if (meter_write(operator->options.meter, &text) == CG_OK) {
		reply.body = cg_buffer_string(&text);
		reply.length = text.length;
		http_request_reply(request, &reply);
	} else {
		http_request_fail(request, 500, "the metrics do not fit", -1);
	}
	cg_buffer_finish(&text);
}

static struct json_object *store_json(const struct operator* operator)
{
	struct json_object *store = cg_json_new_object();
	struct journal_figures figures;

	journal_figures(operator->options.journal, &figures);
	cg_json_put_string(
		store, "state", cg_status_name(journal_state(operator->options.journal)));
	cg_json_put_int(store, "inboxPending", figures.inbox_pending);
	cg_json_put_int(store, "inboxDead", figures.inbox_dead);
	cg_json_put_int(store, "outboxPending", figures.outbox_pending);
	cg_json_put_int(store, "outboxUnknown", figures.outbox_unknown);
	cg_json_put_int(store, "outboxDead", figures.outbox_dead);
	cg_json_put_int(store, "outboxSent", figures.outbox_sent);
	cg_json_put_int(store, "walBytes", figures.wal_bytes);
	cg_json_put_int(store, "commits", (int64_t)figures.commits);
	return store;
}

static struct json_object *delivery_operator_json(const struct operator* operator)
{
	const struct operator_host *host = &operator->options.host;
	struct json_object *body = cg_json_new_object(), *bindings = cg_json_new_array();

	for (size_t i = 0; i < host->channel_count(host->arg); i++) {
		struct operator_channel channel;

		host->channel(host->arg, i, &channel);
		cg_json_append(bindings, cg_json_new_string(channel.binding_id));
	}
	cg_json_put_string(body, "scope", "configured-channel-bindings");
	cg_json_put(body, "channelBindingIds", bindings);
	cg_json_put_bool(body, "listAllowed", true);
	cg_json_put_bool(body, "retryAllowed", true);
	cg_json_put_bool(body, "deadLetterAllowed", true);
	cg_json_put_null(body, "disabledReason");
	return body;
}

void health_diagnostics(struct operator* operator, struct http_request * request)
{
	int64_t up = clock_mono(loop_clock(operator->loop)) - operator->started_ms;
	struct json_object *body = cg_json_new_object();
	bool ready;

	cg_json_put_bool(body, "ok", true);
	cg_json_put_string(body, "version", operator->options.version);
	cg_json_put_int(body, "uptimeSeconds", up / 1000);
	cg_json_put(body, "config", config_describe_json(operator->options.config));
	cg_json_put(body, "ready", ready_json(operator, true, &ready));
	cg_json_put(body, "providers", providers_json(operator));
	cg_json_put(body, "store", store_json(operator));
	cg_json_put(body, "deliveryOperator", delivery_operator_json(operator));
	desk_reply(request, 200, body);
}
