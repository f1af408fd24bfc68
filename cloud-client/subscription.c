/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One resumable stream.
 *
 * A single timer serves all three waits: the first connection, the next attempt, and silence.
 * Handler functions run between enter() and leave(); a close from inside one of them only
 * detaches, and the last leave() frees.
 */
#include "cloud-client/subscription.h"

#include "cloud-client/call.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/retry.h>
#include <stdlib.h>
#include <string.h>

struct cloud_subscription {
	LIST_ENTRY(cloud_subscription) entry;
	struct cloud_client *client; /* borrowed: outlives it */
	struct cloud_subscription_handler handler;
	struct request request; /* without the cursor */
	bool deliveries; /* else a session's events */
	enum cloud_subscription_state state;
	struct cloud_exchange *exchange; /* NULL: not connected */
	struct cloud_timer *timer;
	int64_t cursor;
	unsigned failed; /* attempts since the last that came to something */
	int64_t opened_ms; /* monotonic; -1: not open */
	int64_t heard_ms; /* monotonic, of the last byte */
	unsigned depth; /* handler functions under way */
	bool closed;
};

static int64_t now_ms(const struct cloud_subscription *sub)
{
	return sub->client->host->mono_ms(sub->client->host->self);
}

static void timer_set(struct cloud_subscription *sub, int64_t delay_ms)
{
	sub->client->host->timer_set(sub->client->host->self, sub->timer, delay_ms);
}

static void timer_clear(struct cloud_subscription *sub)
{
	sub->client->host->timer_clear(sub->client->host->self, sub->timer);
}

static void subscription_free(struct cloud_subscription *sub)
{
	request_finish(&sub->request);
	free(sub);
}

static void enter(struct cloud_subscription *sub)
{
	sub->depth++;
}

/* False: the owner closed it meanwhile, and it may be gone. */
static bool leave(struct cloud_subscription *sub)
{
	sub->depth--;
	if (!sub->closed)
		return true;
	if (sub->depth == 0)
		subscription_free(sub);
	return false;
}

static void disconnect(struct cloud_subscription *sub)
{
	const struct cloud_transport *transport = sub->client->transport;
	struct cloud_exchange *exchange = sub->exchange;

	sub->exchange = NULL;
	sub->opened_ms = -1;
	if (exchange != NULL)
		transport->cancel(transport->self, exchange);
}

/* Whatever was, is over; connect on a later turn. */
static void reconnect(struct cloud_subscription *sub)
{
	disconnect(sub);
	sub->state = CLOUD_SUBSCRIPTION_CONNECTING;
	timer_set(sub, 0);
}

static int64_t next_delay(struct cloud_subscription *sub, int64_t retry_after_ms)
{
	const struct cloud_host *host = sub->client->host;
	int64_t delay = cg_retry_reconnect(CLOUD_RECONNECT_BASE_MS,
		CLOUD_RECONNECT_CAP_MS, sub->failed, host->random(host->self));

	if (retry_after_ms <= 0)
		return delay;
	if (retry_after_ms > CLOUD_RETRY_AFTER_CAP_MS)
		retry_after_ms = CLOUD_RETRY_AFTER_CAP_MS;
	/* The jitter comes on top: many streams are told the same time. */
	return retry_after_ms + delay;
}

/* The connection is gone.  Try again later, unless the answer was final. */
static void interrupt(struct cloud_subscription *sub, const struct cloud_result *why)
{
	const struct cloud_subscription_handler *handler = &sub->handler;
	int64_t delay;

	if (sub->opened_ms >= 0 && now_ms(sub) - sub->opened_ms >= CLOUD_RECONNECT_CAP_MS)
		sub->failed = 0;
	disconnect(sub);
	timer_clear(sub);
	enter(sub);
	if (why->error == CLOUD_UNAUTHORIZED || why->error == CLOUD_FORBIDDEN) {
		sub->state = CLOUD_SUBSCRIPTION_REFUSED;
		if (handler->refused != NULL)
			handler->refused(handler->arg, why);
	} else if (why->error == CLOUD_NOT_FOUND && !sub->deliveries) {
		sub->state = CLOUD_SUBSCRIPTION_ENDED;
		if (handler->ended != NULL)
			handler->ended(handler->arg, why);
	} else if (sub->state != CLOUD_SUBSCRIPTION_PAUSED) {
		if (sub->failed < 32)
			sub->failed++;
		delay = next_delay(sub, why->retry_after_ms);
		sub->state = CLOUD_SUBSCRIPTION_WAITING;
		timer_set(sub, delay);
		if (handler->interrupted != NULL)
			handler->interrupted(handler->arg, why, delay);
	}
	leave(sub);
}

static void interrupt_with(
	struct cloud_subscription *sub, enum cloud_error error, const char *message)
{
	struct cloud_result why = {.retry_after_ms = -1};

	request_result_set(&why, error);
	if (message != NULL)
		why.message = message;
	interrupt(sub, &why);
}

static void on_open(void *arg)
{
	struct cloud_subscription *sub = arg;

	sub->opened_ms = now_ms(sub);
	sub->heard_ms = sub->opened_ms;
	if (sub->state != CLOUD_SUBSCRIPTION_CONNECTING)
		return;
	sub->state = CLOUD_SUBSCRIPTION_OPEN;
	enter(sub);
	if (sub->handler.open != NULL)
		sub->handler.open(sub->handler.arg, sub->cursor);
	leave(sub);
}

static void on_alive(void *arg)
{
	struct cloud_subscription *sub = arg;

	sub->heard_ms = now_ms(sub);
}

static void hand_trouble(struct cloud_subscription *sub, struct json_object *data)
{
	if (sub->handler.trouble != NULL)
		sub->handler.trouble(
			sub->handler.arg, cg_json_string_or(data, "error", "unknown"));
}

/* The owner's word on an event; true for one that is not for the owner. */
static bool hand_session_event(
	struct cloud_subscription *sub, const struct cloud_event *event)
{
	struct cloud_session_event record;

	if (!cloud_session_event_read(event->data, &record))
		return true;
	/* The demand for a snapshot carries the old cursor. */
	if (record.sequence <= sub->cursor &&
		strcmp(record.type, "snapshot.required") != 0)
		return true;
	sub->failed = 0;
	return sub->handler.session_event(sub->handler.arg, &record);
}

static bool hand_delivery(struct cloud_subscription *sub, const struct cloud_event *event)
{
	struct cloud_delivery record;

	if (!cloud_delivery_read(cg_json_object(event->data, "delivery"), &record))
		return true;
	sub->failed = 0;
	return sub->handler.delivery(sub->handler.arg, &record);
}

static bool on_event(void *arg, const struct cloud_event *event)
{
	struct cloud_subscription *sub = arg;
	struct cloud_exchange *exchange = sub->exchange;
	bool more = true;

	sub->heard_ms = now_ms(sub);
	enter(sub);
	if (strcmp(event->type, "error") == 0)
		hand_trouble(sub, event->data);
	else if (sub->deliveries)
		more = hand_delivery(sub, event);
	else
		more = hand_session_event(sub, event);
	if (!leave(sub))
		return false;
	/* Closed, paused or restarted from inside: this connection is no longer ours. */
	if (sub->exchange != exchange)
		return false;
	if (!more) {
		sub->state = CLOUD_SUBSCRIPTION_PAUSED;
		timer_clear(sub);
	}
	return more;
}

static void on_end(void *arg, const struct cloud_reply *reply)
{
	struct cloud_subscription *sub = arg;
	struct cloud_result why;

	sub->exchange = NULL;
	request_result(reply, &why);
	interrupt(sub, &why);
}

static void connect_now(struct cloud_subscription *sub)
{
	const struct cloud_transport *transport = sub->client->transport;
	const struct cloud_stream_handler handler = {
		.open = on_open,
		.event = on_event,
		.alive = on_alive,
		.end = on_end,
		.arg = sub,
	};
	struct cloud_request view;
	struct cg_error err = {0};
	enum cg_status status;

	if (!sub->deliveries) {
		cg_buffer_clear(&sub->request.query);
		if (sub->cursor > 0)
			request_argument_int(&sub->request, "after", sub->cursor);
	}
	request_view(&sub->request, 0, &view);
	sub->heard_ms = now_ms(sub);
	status = request_status(&sub->request);
	if (status == CG_OK)
		status = transport->stream(
			transport->self, &view, &handler, &sub->exchange, &err);
	if (status != CG_OK) {
		sub->exchange = NULL;
		interrupt_with(sub, CLOUD_NETWORK, err.text[0] != '\0' ? err.text : NULL);
		return;
	}
	timer_set(sub, CLOUD_STREAM_SILENCE_MS);
}

static void check_silence(struct cloud_subscription *sub)
{
	int64_t silent_ms = now_ms(sub) - sub->heard_ms;

	/* Where an idle stream is silent, only the wait for its opening has an end. */
	if (sub->client->transport->quiet && sub->state == CLOUD_SUBSCRIPTION_OPEN)
		return;
	if (silent_ms < CLOUD_STREAM_SILENCE_MS)
		timer_set(sub, CLOUD_STREAM_SILENCE_MS - silent_ms);
	else
		interrupt_with(sub, CLOUD_TIMEOUT, "the stream fell silent");
}

static void on_timer(void *arg)
{
	struct cloud_subscription *sub = arg;

	switch (sub->state) {
	case CLOUD_SUBSCRIPTION_WAITING:
		sub->state = CLOUD_SUBSCRIPTION_CONNECTING;
		connect_now(sub);
		break;
	case CLOUD_SUBSCRIPTION_CONNECTING:
		if (sub->exchange == NULL)
			connect_now(sub);
		else
			check_silence(sub);
		break;
	case CLOUD_SUBSCRIPTION_OPEN:
		check_silence(sub);
		break;
	case CLOUD_SUBSCRIPTION_PAUSED:
	case CLOUD_SUBSCRIPTION_REFUSED:
	case CLOUD_SUBSCRIPTION_ENDED:
		break;
	}
}

/* @request is adopted, whatever happens. */
static enum cg_status subscription_create(struct cloud_client *client,
	struct request *request, const struct cloud_subscription_handler *handler,
	struct cloud_subscription **ret, struct cg_error *err)
{
	const struct cloud_host *host = client->host;
	struct cloud_subscription *sub = NULL;
	enum cg_status status = request_status(request);

	if (status != CG_OK) {
		cg_error_set(err, status, "%s",
			status == CG_INVALID ? "a stream needs the ids of what it follows"
					     : "out of memory");
		goto fail;
	}
	if (client->subscription_count >= CLOUD_CLIENT_SUBSCRIPTIONS) {
		status = cg_error_set(err, CG_LIMIT, "more than %d streams to the Cloud",
			CLOUD_CLIENT_SUBSCRIPTIONS);
		goto fail;
	}
	sub = calloc(1, sizeof(*sub));
	if (sub != NULL)
		sub->timer = host->timer_create(host->self, on_timer, sub);
	if (sub == NULL || sub->timer == NULL) {
		status = cg_error_nomem(err);
		goto fail;
	}
	sub->client = client;
	sub->handler = *handler;
	sub->request = *request;
	sub->opened_ms = -1;
	LIST_INSERT_HEAD(&client->subscriptions, sub, entry);
	client->subscription_count++;
	reconnect(sub);
	*ret = sub;
	return CG_OK;

fail:
	free(sub);
	request_finish(request);
	return status;
}

enum cg_status cloud_session_stream(struct cloud_client *client,
	const struct cloud_session_stream_params *params,
	const struct cloud_subscription_handler *handler, struct cloud_subscription **ret,
	struct cg_error *err)
{
	struct cloud_subscription *sub;
	struct request request;
	enum cg_status status;

	request_init(&request, "GET", "/api/channels/sessions");
	request.idempotent = true;
	request_segment(&request, params->binding_id);
	request_path(&request, "/events");
	status = subscription_create(client, &request, handler, &sub, err);
	if (status != CG_OK)
		return status;
	sub->cursor = params->after > 0 ? params->after : 0;
	*ret = sub;
	return CG_OK;
}

enum cg_status cloud_delivery_stream(struct cloud_client *client,
	const struct cloud_delivery_stream_params *params,
	const struct cloud_subscription_handler *handler, struct cloud_subscription **ret,
	struct cg_error *err)
{
	struct cloud_subscription *sub;
	struct request request;
	enum cg_status status;

	request_init(&request, "GET", "/api/channels/deliveries/stream");
	/* Every connection claims anew; what an earlier one claimed lapses or is given back. */
	request.idempotent = true;
	request.invalid = params->channel_binding_count == 0 ||
			  params->channel_binding_count > CLOUD_DELIVERY_BINDINGS;
	request_argument_id(&request, "claimedBy", cloud_client_claimed_by(client));
	request_argument_int(&request, "ttlMs",
		params->ttl_ms > 0 ? params->ttl_ms : CLOUD_DELIVERY_TTL_MS);
	for (size_t i = 0; !request.invalid && i < params->channel_binding_count; i++)
		request_argument_id(
			&request, "channelBindingId", params->channel_binding_ids[i]);
	status = subscription_create(client, &request, handler, &sub, err);
	if (status != CG_OK)
		return status;
	sub->deliveries = true;
	*ret = sub;
	return CG_OK;
}

void cloud_subscription_close(struct cloud_subscription *sub)
{
	const struct cloud_host *host;

	if (sub == NULL || sub->closed)
		return;
	host = sub->client->host;
	sub->closed = true;
	disconnect(sub);
	host->timer_destroy(host->self, sub->timer);
	LIST_REMOVE(sub, entry);
	sub->client->subscription_count--;
	if (sub->depth == 0)
		subscription_free(sub);
}

void cloud_subscription_stored(struct cloud_subscription *sub, int64_t sequence)
{
	if (sequence > sub->cursor)
		sub->cursor = sequence;
}

static bool is_final(const struct cloud_subscription *sub)
{
	return sub->state == CLOUD_SUBSCRIPTION_ENDED ||
	       sub->state == CLOUD_SUBSCRIPTION_REFUSED;
}

void cloud_subscription_pause(struct cloud_subscription *sub)
{
	if (is_final(sub))
		return;
	disconnect(sub);
	timer_clear(sub);
	sub->state = CLOUD_SUBSCRIPTION_PAUSED;
}

void cloud_subscription_resume(struct cloud_subscription *sub)
{
	const struct cloud_transport *transport = sub->client->transport;

	if (sub->state != CLOUD_SUBSCRIPTION_PAUSED)
		return;
	if (sub->exchange == NULL) {
		reconnect(sub);
		return;
	}
	sub->state = CLOUD_SUBSCRIPTION_OPEN;
	sub->heard_ms = now_ms(sub);
	timer_set(sub, CLOUD_STREAM_SILENCE_MS);
	transport->resume(transport->self, sub->exchange);
}

void cloud_subscription_restart(struct cloud_subscription *sub)
{
	if (sub->state == CLOUD_SUBSCRIPTION_ENDED)
		return;
	sub->failed = 0;
	if (sub->state == CLOUD_SUBSCRIPTION_PAUSED)
		disconnect(sub);
	else
		reconnect(sub);
}

void cloud_subscription_rewind(struct cloud_subscription *sub, int64_t sequence)
{
	sub->cursor = sequence > 0 ? sequence : 0;
	if (!is_final(sub))
		cloud_subscription_restart(sub);
}

enum cloud_subscription_state cloud_subscription_state(
	const struct cloud_subscription *sub)
{
	return sub->state;
}

int64_t cloud_subscription_cursor(const struct cloud_subscription *sub)
{
	return sub->cursor;
}
