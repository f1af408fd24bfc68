/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way in.  The signature is checked over the raw bytes before anything is parsed.  Files
 * that came inside a message are on the disk before the message is submitted.
 */
#include "webhook.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/form.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/spool.h>
#include <stdlib.h>
#include <string.h>

/* A request that waits for its files, then for its commit. */
struct webhook_arrival {
	LIST_ENTRY(webhook_arrival) link;
	struct webhook *webhook;
	struct cg_webhook_request *request;
	struct json_object *body; /* owned; what the message borrows from */
	struct webhook_message message;
	char key[2 * CG_SHA256 + 1]; /* in place of an event id */
	struct cg_spool_inline *files; /* owned; NULL: none came with it */
};

static void arrival_free(struct webhook_arrival *arrival, bool keep_files)
{
	LIST_REMOVE(arrival, link);
	if (arrival->files != NULL)
		cg_spool_inline_finish(arrival->files, keep_files);
	free(arrival->files);
	cg_json_free(arrival->body);
	free(arrival);
}

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

	/* Those of a duplicate are stored already, under other names. */
	arrival_free(arrival, verdict == CG_VERDICT_COMMITTED);
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

static void refuse(struct webhook_arrival *arrival, enum cg_webhook_result result,
	const char *sentence)
{
	struct cg_webhook_request *request = arrival->request;

	arrival_free(arrival, false);
	answer(request, result, sentence);
}

static void submit(struct webhook_arrival *arrival)
{
	struct cg_webhook_request *request = arrival->request;
	struct cg_inbound *inbound = &arrival->message.inbound;
	const struct cg_host *host = arrival->webhook->host;

	inbound->raw = request->body;
	inbound->raw_length = request->body_length;
	if (inbound->received_at_ms == 0)
		inbound->received_at_ms = request->received_at_ms;
	host->submit(host, inbound, submitted, arrival);
}

static void write_files(void *arg)
{
	struct webhook_arrival *arrival = arg;

	cg_spool_inline_write(arrival->files);
}

static void files_written(void *arg)
{
	struct webhook_arrival *arrival = arg;

	if (arrival->files->status != CG_OK || !arrival->webhook->started)
		refuse(arrival, CG_WEBHOOK_UNAVAILABLE, NULL);
	else
		submit(arrival);
}

static void store_files(struct webhook_arrival *arrival)
{
	const struct cg_host *host = arrival->webhook->host;
	enum cg_status status;

	arrival->files = calloc(1, sizeof(*arrival->files));
	status = arrival->files == NULL
			 ? CG_NOMEM
			 : cg_spool_inline_open(arrival->files, host, arrival->body,
				   &arrival->message.parts, NULL);
	if (status == CG_OK)
		status = host->offload(host, write_files, files_written, arrival);
	if (status != CG_OK)
		refuse(arrival, CG_WEBHOOK_UNAVAILABLE, NULL);
}

/* @arrival has its document. */
static void map(struct webhook_arrival *arrival, const struct cg_signed_request *headers)
{
	struct webhook_message *message = &arrival->message;
	struct cg_error err;
	enum cg_status status = webhook_wire_read(
		arrival->body, arrival->webhook->settings.max_attachment, message, &err);

	if (status == CG_NOMEM)
		refuse(arrival, CG_WEBHOOK_UNAVAILABLE, NULL);
	else if (status != CG_OK)
		refuse(arrival, CG_WEBHOOK_BAD, err.text);
	else if (identify(&message->inbound, headers, arrival->key) != CG_OK)
		refuse(arrival, CG_WEBHOOK_BAD,
			"webhook-id is too long or holds control characters");
	else if (message->inbound.sender.is_bot)
		refuse(arrival, CG_WEBHOOK_ACCEPTED, NULL); /* two bots never end */
	else if (cg_spool_inline_any(arrival->body))
		store_files(arrival);
	else
		submit(arrival);
}

static void parse(struct webhook *webhook, struct cg_webhook_request *request,
	const struct cg_signed_request *headers, const char *json, size_t length)
{
	struct webhook_arrival *arrival = calloc(1, sizeof(*arrival));
	struct cg_error err;
	enum cg_status status;

	if (arrival == NULL) {
		answer(request, CG_WEBHOOK_UNAVAILABLE, NULL);
		return;
	}
	arrival->webhook = webhook;
	arrival->request = request;
	LIST_INSERT_HEAD(&webhook->arrivals, arrival, link);
	status = cg_json_parse(json, length, &arrival->body, &err);
	if (status == CG_OK)
		map(arrival, headers);
	else if (status == CG_NOMEM)
		refuse(arrival, CG_WEBHOOK_UNAVAILABLE, NULL);
	else
		refuse(arrival, CG_WEBHOOK_BAD, err.text);
}

/* The document of a form is in its field "payload". */
static void parse_form(struct webhook *webhook, struct cg_webhook_request *request,
	const struct cg_signed_request *headers)
{
	struct cg_buffer payload;

	cg_buffer_init(&payload, request->body_length);
	switch (cg_form_value(request->body, request->body_length, "payload", &payload)) {
	case CG_OK:
		parse(webhook, request, headers, cg_buffer_string(&payload),
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
		parse_form(webhook, request, &headers);
	else
		parse(webhook, request, &headers, request->body, request->body_length);
}

void webhook_ingress_finish(struct webhook *webhook)
{
	while (!LIST_EMPTY(&webhook->arrivals))
		arrival_free(LIST_FIRST(&webhook->arrivals), false);
}
