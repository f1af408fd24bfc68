/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deliveries: one signed POST a send, and what its answer means.  A receiver that does not
 * answer is left alone by the breaker; what comes meanwhile is put off, and counts no attempt.
 */
#include "webhook.h"

#include "file.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX (1u << 18)
#define DETAIL_MAX 4096
#define ID_BYTES 16

/* A file that is being read, and its delivery. */
struct webhook_upload {
	LIST_ENTRY(webhook_upload) link;
	struct webhook *webhook;
	struct cg_send *send; /* NULL: cancelled meanwhile */
	char *id; /* owned */
	struct webhook_file file;
};

static bool repeats(const struct cg_buffer *detail, const struct cg_secret *secret)
{
	return cg_secret_is_set(secret) &&
	       strstr(cg_buffer_string(detail), secret->bytes) != NULL;
}

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
	if (repeats(detail, &webhook->settings.secret) ||
		repeats(detail, &webhook->settings.second))
		return NULL;
	return cg_buffer_string(detail);
}

void webhook_report_health(const struct webhook *webhook)
{
	bool open = breaker_is_open(&webhook->breaker);

	/* A receiver that does not answer says nothing about the way in: that stays up. */
	webhook->host->health(webhook->host,
		&(struct cg_health){
			.size = sizeof(struct cg_health),
			.inbound = CG_HEALTH_UP,
			.outbound = open ? CG_HEALTH_DEGRADED : CG_HEALTH_UP,
			.detail = open ? "the receiver does not answer; deliveries wait "
					 "and one of them asks it now and then"
				       : NULL,
		});
}

/* Whatever answers is alive, however it answers: only silence and 5xx count. */
static void judge_receiver(struct webhook *webhook, const struct cg_outcome *outcome)
{
	bool silent = outcome->scope == CG_SCOPE_DESTINATION &&
		      (outcome->class == CG_OUTCOME_AMBIGUOUS ||
			      outcome->class == CG_OUTCOME_NOT_DISPATCHED);

	if (breaker_tell(
		    &webhook->breaker, !silent, webhook->host->mono_ms(webhook->host)) &&
		webhook->started)
		webhook_report_health(webhook);
}

static void answered(void *arg, const struct cg_http_response *response)
{
	struct cg_send *send = arg;
	struct webhook *webhook = send->sends->owner;
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
	judge_receiver(webhook, &outcome);
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
		.proxy = cg_secret_is_set(&webhook->settings.proxy)
				 ? webhook->settings.proxy.bytes
				 : NULL,
		.ca_file = webhook->settings.ca_file,
		.on_done = answered,
		.arg = send,
	};
	return host->http_start(host, &request, &send->call, err);
}

/* How a delivery ends that never began. */
static struct cg_outcome outcome_of(enum cg_status status, const char *detail)
{
	/* Want of memory or of a free slot says nothing against the message. */
	bool later = status == CG_NOMEM || status == CG_LIMIT || status == CG_BUSY;

	return (struct cg_outcome){.size = sizeof(struct cg_outcome),
		.class = later ? CG_OUTCOME_NOT_DISPATCHED : CG_OUTCOME_REFUSED,
		.scope = CG_SCOPE_MESSAGE,
		.retry_after_ms = -1,
		.detail = detail};
}

static void put_off(struct cg_send *send, int64_t wait_ms)
{
	char detail[128];

	snprintf(detail, sizeof(detail),
		"the receiver does not answer; it is asked again in %lld s",
		(long long)((wait_ms + 999) / 1000));
	cg_send_end_later(send, &(struct cg_outcome){.size = sizeof(struct cg_outcome),
					.class = CG_OUTCOME_RATE_LIMITED,
					.scope = CG_SCOPE_DESTINATION,
					.retry_after_ms = wait_ms,
					.detail = detail});
}

/* ---- Files ---- */

static void upload_free(struct webhook_upload *upload)
{
	LIST_REMOVE(upload, link);
	webhook_file_finish(&upload->file);
	free(upload->id);
	free(upload);
}

static void upload_encode(void *arg)
{
	struct webhook_upload *upload = arg;

	webhook_file_encode(&upload->file);
}

static void upload_encoded(void *arg)
{
	struct webhook_upload *upload = arg;
	struct webhook *webhook = upload->webhook;
	struct cg_send *send = upload->send;
	struct webhook_file *file = &upload->file;
	struct cg_outcome outcome;

	if (send != NULL && file->status == CG_OK)
		file->status = post(webhook, send, upload->id, &file->body, &file->err);
	if (send != NULL && file->status != CG_OK) {
		breaker_forget(&webhook->breaker);
		outcome = outcome_of(file->status, file->err.text);
		cg_send_end(send, &outcome);
	}
	upload_free(upload);
}

static enum cg_status upload_begin(struct webhook *webhook, struct cg_send *send,
	const char *id, const struct cg_buffer *head)
{
	struct webhook_upload *upload = calloc(1, sizeof(*upload));
	const struct cg_host *host = webhook->host;
	enum cg_status status;

	if (upload == NULL)
		return CG_NOMEM;
	upload->webhook = webhook;
	upload->send = send;
	upload->id = strdup(id);
	LIST_INSERT_HEAD(&webhook->uploads, upload, link);
	status = webhook_file_init(&upload->file, send->outbound->file,
		webhook->capabilities.max_file, head);
	if (upload->id == NULL)
		status = CG_NOMEM;
	if (status == CG_OK)
		status = host->offload(host, upload_encode, upload_encoded, upload);
	if (status != CG_OK)
		upload_free(upload);
	return status;
}

void webhook_uploads_finish(struct webhook *webhook)
{
	while (!LIST_EMPTY(&webhook->uploads))
		upload_free(LIST_FIRST(&webhook->uploads));
}

/* ---- The two operations ---- */

void webhook_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	struct webhook *webhook = self;
	struct cg_send *send = cg_send_open(&webhook->sends, outbound, done, arg);
	struct cg_outbound named = *outbound;
	char id[CG_RANDOM_ID_SIZE(ID_BYTES)];
	struct cg_error err = {.text = ""};
	struct cg_outcome outcome;
	struct cg_buffer body;
	enum cg_status status;
	int64_t wait_ms = 0;

	if (named.delivery_id == NULL) { /* typing: nobody asks for it again */
		cg_random_id(id, ID_BYTES);
		named.delivery_id = id;
	}
	cg_buffer_init(&body, BODY_MAX);
	status = webhook_wire_write(&webhook->sender, &named, &body, &err);
	if (status == CG_OK)
		wait_ms = breaker_ask(
			&webhook->breaker, webhook->host->mono_ms(webhook->host));
	if (wait_ms > 0) {
		put_off(send, wait_ms);
		goto out;
	}
	if (status == CG_OK) {
		status = outbound->kind == CG_OUTBOUND_FILE
				 ? upload_begin(webhook, send, named.delivery_id, &body)
				 : post(webhook, send, named.delivery_id, &body, &err);
		if (status != CG_OK)
			breaker_forget(&webhook->breaker);
	}
	if (status != CG_OK) {
		outcome = outcome_of(status, err.text);
		cg_send_end_later(send, &outcome);
	}

out:
	cg_buffer_finish(&body);
}

void webhook_cancel(void *self, void *arg)
{
	struct webhook *webhook = self;
	struct webhook_upload *upload;

	LIST_FOREACH (upload, &webhook->uploads, link) {
		if (upload->send != NULL && upload->send->arg == arg)
			upload->send = NULL;
	}
	/* Should it have been the probe, the next delivery is another. */
	breaker_forget(&webhook->breaker);
	cg_sends_cancel(&webhook->sends, arg);
}
