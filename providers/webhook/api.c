/* SPDX-License-Identifier: Apache-2.0 */
/* Deliveries: one signed POST a send, and what its answer means. */
#include "webhook.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <string.h>

#define BODY_MAX (1u << 18)
#define DETAIL_MAX 4096
#define ID_BYTES 16

/*
 * The receiver's own words for the operator, repaired and cut; NULL when there are none, or when
 * they repeat our secret.
 */
static const char *describe(const struct webhook *webhook,
	const struct cg_http_response *response, struct cg_buffer *detail)
{
	size_t length =
		response->length < DETAIL_MAX / 3 ? response->length : DETAIL_MAX / 3;

	/* A byte that is no UTF-8 becomes three. */
	cg_utf8_repair(detail, response->body, length);
	if (detail->length == 0)
		return NULL;
	return strstr(cg_buffer_string(detail), webhook->settings.secret.bytes) == NULL
		       ? cg_buffer_string(detail)
		       : NULL;
}

static void answered(void *arg, const struct cg_http_response *response)
{
	struct cg_send *send = arg;
	const struct webhook *webhook = send->sends->owner;
	char receipt[CG_INBOUND_ID + 1];
	struct cg_outcome outcome;
	struct cg_buffer detail;

	cg_buffer_init(&detail, DETAIL_MAX);
	cg_outcome_of_http(response, &outcome);
	if (outcome.class == CG_OUTCOME_SENT) {
		webhook_wire_receipt(response->body, response->length, receipt);
		outcome.message_id = receipt[0] == '\0' ? NULL : receipt;
	} else if (outcome.detail == NULL) {
		outcome.detail = describe(webhook, response, &detail);
	}
	if (outcome.platform_status == 410)
		outcome.scope = CG_SCOPE_DESTINATION; /* the receiver is gone for good */
	cg_send_end(send, &outcome);
	cg_buffer_finish(&detail);
}

static enum cg_status post(struct webhook *webhook, struct cg_send *send, const char *id,
	const struct cg_buffer *body, struct cg_error *err)
{
	const struct cg_host *host = webhook->host;
	int64_t timeout_ms = webhook->settings.timeout_ms;
	struct cg_signature_headers signature;

	cg_signature_sign(webhook->signer, id, body->bytes, body->length,
		host->wall_ms(host), &signature);
	if (send->outbound->timeout_ms > 0 && send->outbound->timeout_ms < timeout_ms)
		timeout_ms = send->outbound->timeout_ms;

	const struct cg_http_header headers[] = {
		{"content-type", "application/json"},
		{"x-open-cowork-gateway-delivery-id", id},
		{"x-open-cowork-gateway-webhook-timestamp", signature.timestamp},
		{"x-open-cowork-gateway-webhook-signature", signature.gateway},
		{"webhook-id", id},
		{"webhook-timestamp", signature.timestamp},
		{"webhook-signature", signature.standard},
	};
	const struct cg_http_request request = {
		.size = sizeof(request),
		/* The path of such a URL is often the only key to the receiver. */
		.flags = CG_HTTP_SECRET_URL,
		.method = "POST",
		.url = webhook->settings.delivery_url,
		.headers = headers,
		.header_count = sizeof(headers) / sizeof(*headers),
		.body = body->bytes,
		.body_length = body->length,
		.timeout_ms = timeout_ms,
		.response_limit = WEBHOOK_ANSWER_MAX,
		.reach = webhook->settings.reach,
		.on_done = answered,
		.arg = send,
	};
	return host->http_start(host, &request, &send->call, err);
}

static void refuse(struct cg_send *send, enum cg_status status, const char *detail)
{
	/* Want of memory or of a free slot says nothing against the message. */
	bool later = status == CG_NOMEM || status == CG_LIMIT || status == CG_BUSY;

	cg_send_end_later(send,
		&(struct cg_outcome){.size = sizeof(struct cg_outcome),
			.class = later ? CG_OUTCOME_NOT_DISPATCHED : CG_OUTCOME_REFUSED,
			.scope = CG_SCOPE_MESSAGE,
			.retry_after_ms = -1,
			.detail = detail});
}

void webhook_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	struct webhook *webhook = self;
	struct cg_send *send = cg_send_open(&webhook->sends, outbound, done, arg);
	struct cg_outbound named = *outbound;
	char id[CG_RANDOM_ID_SIZE(ID_BYTES)];
	struct cg_error err = {.text = ""};
	struct cg_buffer body;
	enum cg_status status;

	if (named.delivery_id == NULL) { /* typing: nobody asks for it again */
		cg_random_id(id, ID_BYTES);
		named.delivery_id = id;
	}
	cg_buffer_init(&body, BODY_MAX);
	status = webhook_wire_write(&webhook->sender, &named, &body, &err);
	if (status == CG_OK)
		status = post(webhook, send, named.delivery_id, &body, &err);
	if (status != CG_OK)
		refuse(send, status, err.text);
	cg_buffer_finish(&body);
}
