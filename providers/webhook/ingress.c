/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way in.  The signature is checked over the raw bytes before anything is parsed; the
 * message is built on the stack out of the parsed document, since submitting copies it.
 */
#include "webhook.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/form.h>
#include <cowgate/sdk/json.h>
#include <stdlib.h>
#include <string.h>

/* A request that waits for its commit. */
struct webhook_arrival {
	LIST_ENTRY(webhook_arrival) link;
	struct cg_webhook_request *request;
};

static void answer(struct cg_webhook_request *request, enum cg_webhook_result result,
	const char *sentence)
{
	request->answer(request, &(struct cg_webhook_answer){
					 .size = sizeof(struct cg_webhook_answer),
					 .result = result,
					 .body = sentence,
				 });
}

static void submitted(void *arg, enum cg_verdict verdict)
{
	static const enum cg_webhook_result results[] = {
		[CG_VERDICT_COMMITTED] = CG_WEBHOOK_ACCEPTED,
		[CG_VERDICT_DUPLICATE] = CG_WEBHOOK_ACCEPTED,
		[CG_VERDICT_CONFLICT] = CG_WEBHOOK_CONFLICT,
		[CG_VERDICT_INVALID] = CG_WEBHOOK_BAD,
		[CG_VERDICT_UNAVAILABLE] = CG_WEBHOOK_UNAVAILABLE,
	};
	struct webhook_arrival *arrival = arg;
	struct cg_webhook_request *request = arrival->request;

	LIST_REMOVE(arrival, link);
	free(arrival);
	answer(request, results[verdict],
		verdict == CG_VERDICT_INVALID ? "the message is too large to be stored"
					      : NULL);
}

static struct cg_signed_request signed_request(const struct cg_webhook_request *request)
{
	return (struct cg_signed_request){
		.gateway_timestamp = request->header(
			request, "x-open-cowork-gateway-webhook-timestamp"),
		.gateway_signature = request->header(
			request, "x-open-cowork-gateway-webhook-signature"),
		.standard_id = request->header(request, "webhook-id"),
		.standard_timestamp = request->header(request, "webhook-timestamp"),
		.standard_signature = request->header(request, "webhook-signature"),
		.body = request->body,
		.body_length = request->body_length,
	};
}

static bool is_set(const char *header)
{
	return header != NULL && *header != '\0';
}

static bool is_standard(const struct cg_signed_request *headers)
{
	return is_set(headers->standard_id) && is_set(headers->standard_timestamp) &&
	       is_set(headers->standard_signature);
}

/*
 * What tells a repeat of this request: its own id, else the signed webhook-id, else the time and
 * signature that a repeat of the same bytes repeats.  @key is room for the last.
 */
static enum cg_status identify(struct cg_inbound *inbound,
	const struct cg_signed_request *headers, char key[2 * CG_SHA256 + 1])
{
	const char *parts[] = {headers->gateway_timestamp, headers->gateway_signature};
	uint8_t hash[CG_SHA256];

	if (inbound->event_id != NULL)
		return CG_OK;
	if (is_standard(headers)) {
		if (!cg_text_clean(headers->standard_id, strlen(headers->standard_id),
			    CG_INBOUND_EVENT_ID))
			return CG_INVALID;
		inbound->event_id = headers->standard_id;
		return CG_OK;
	}
	cg_sha256_joined(parts, 2, hash);
	cg_hex(hash, sizeof(hash), key);
	inbound->fallback_key = key;
	return CG_OK;
}

static void submit(struct webhook *webhook, struct cg_webhook_request *request,
	struct cg_inbound *inbound)
{
	struct webhook_arrival *arrival = malloc(sizeof(*arrival));

	if (arrival == NULL) {
		answer(request, CG_WEBHOOK_UNAVAILABLE, NULL);
		return;
	}
	arrival->request = request;
	LIST_INSERT_HEAD(&webhook->arrivals, arrival, link);
	inbound->raw = request->body;
	inbound->raw_length = request->body_length;
	if (inbound->received_at_ms == 0)
		inbound->received_at_ms = request->received_at_ms;
	webhook->host->submit(webhook->host, inbound, submitted, arrival);
}

static void map(struct webhook *webhook, struct cg_webhook_request *request,
	const struct cg_signed_request *headers, const char *json, size_t length)
{
	struct webhook_message message;
	struct json_object *body = NULL;
	struct cg_error err;
	char key[2 * CG_SHA256 + 1];
	enum cg_status status = cg_json_parse(json, length, &body, &err);

	if (status == CG_OK)
		status = webhook_wire_read(
			body, webhook->settings.max_attachment, &message, &err);
	if (status == CG_NOMEM)
		answer(request, CG_WEBHOOK_UNAVAILABLE, NULL);
	else if (status != CG_OK)
		answer(request, CG_WEBHOOK_BAD, err.text);
	else if (identify(&message.inbound, headers, key) != CG_OK)
		answer(request, CG_WEBHOOK_BAD,
			"webhook-id is too long or holds control characters");
	else
		submit(webhook, request, &message.inbound);
	cg_json_free(body);
}

/* The document of a form is in its field "payload". */
static void map_form(struct webhook *webhook, struct cg_webhook_request *request,
	const struct cg_signed_request *headers)
{
	struct cg_buffer payload;

	cg_buffer_init(&payload, request->body_length);
	switch (cg_form_value(request->body, request->body_length, "payload", &payload)) {
	case CG_OK:
		map(webhook, request, headers, cg_buffer_string(&payload),
			payload.length);
		break;
	case CG_NOMEM:
		answer(request, CG_WEBHOOK_UNAVAILABLE, NULL);
		break;
	default:
		answer(request, CG_WEBHOOK_BAD, "the form has no readable field payload");
		break;
	}
	cg_buffer_finish(&payload);
}

/* Many senders leave curl's default type on a JSON body, which a form never looks like. */
static bool is_form(const struct cg_webhook_request *request)
{
	const char *body = request->body;

	return cg_form_is(request->header(request, "content-type")) && body[0] != '{';
}

void webhook_ingress(void *self, struct cg_webhook_request *request)
{
	struct webhook *webhook = self;
	struct cg_signed_request headers = signed_request(request);

	if (!webhook->started) {
		answer(request, CG_WEBHOOK_UNAVAILABLE, NULL);
		return;
	}
	if (request->body_length == 0 ||
		cg_signature_verify(webhook->signer, &headers, request->received_at_ms) !=
			CG_SIGNATURE_OK) {
		answer(request, CG_WEBHOOK_DENIED, NULL);
		return;
	}
	if (strcmp(request->method, "POST") != 0) {
		answer(request, CG_WEBHOOK_BAD, "only POST is understood here");
		return;
	}
	if (is_form(request))
		map_form(webhook, request, &headers);
	else
		map(webhook, request, &headers, request->body, request->body_length);
}

void webhook_ingress_finish(struct webhook *webhook)
{
	struct webhook_arrival *arrival;

	while ((arrival = LIST_FIRST(&webhook->arrivals)) != NULL) {
		LIST_REMOVE(arrival, link);
		free(arrival);
	}
}
