/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures of webhooks, computed over the raw bytes and compared in constant time.
 *
 * Two schemes, either accepted inbound and both sent outbound:
 *   gateway   x-open-cowork-gateway-webhook-timestamp: <unix seconds>
 *             x-open-cowork-gateway-webhook-signature: v1=<hex HMAC-SHA256("v1:" ts ":" body)>
 *   standard  webhook-id, webhook-timestamp, webhook-signature: v1,<base64 HMAC-SHA256(id "." ts
 *             "." body)>, several separated by spaces (Standard Webhooks 1.0.0).  A secret that
 *             begins with whsec_ is base64; any other is used as it is.
 */
#ifndef COWGATE_SDK_SIGNATURE_H
#define COWGATE_SDK_SIGNATURE_H

#include <cowgate/sdk/secret.h>
#include <stdint.h>

#define CG_SIGNATURE_TOLERANCE_MS 300000
#define CG_SIGNER_SECRETS 2 /* alive at once, while one takes the other's place */

struct cg_signer;

enum cg_status cg_signer_create(
	const struct cg_secret *secret, struct cg_signer **ret, struct cg_error *err);
/*
 * One more secret.  Inbound any of them will do.  Outbound the gateway's header is signed with
 * the first, and Standard Webhooks' header has a signature for each.
 */
enum cg_status cg_signer_add(
	struct cg_signer *signer, const struct cg_secret *secret, struct cg_error *err);
void cg_signer_destroy(struct cg_signer *signer);

enum cg_signature_verdict {
	CG_SIGNATURE_OK,
	CG_SIGNATURE_MISSING, /* no complete set of headers */
	CG_SIGNATURE_STALE, /* authentic, but outside the tolerance */
	CG_SIGNATURE_WRONG,
};

/* What came with a request; absent headers are NULL. */
struct cg_signed_request {
	const char *gateway_timestamp;
	const char *gateway_signature;
	const char *standard_id;
	const char *standard_timestamp;
	const char *standard_signature;
	const void *body;
	size_t body_length;
};

/* Prefers the standard set when it is complete.  @now_ms is the wall clock. */
enum cg_signature_verdict cg_signature_verify(struct cg_signer *signer,
	const struct cg_signed_request *request, int64_t now_ms);

/* Headers for a body that is about to be sent, for attempt time @now_ms. */
struct cg_signature_headers {
	char timestamp[24]; /* both schemes */
	char gateway[3 + 64 + 1]; /* "v1=" and hex */
	/* "v1," and base64 for each secret, a space between them */
	char standard[CG_SIGNER_SECRETS * (3 + 44 + 1)];
};
void cg_signature_sign(struct cg_signer *signer, const char *id, const void *body,
	size_t length, int64_t now_ms, struct cg_signature_headers *ret);

#endif
