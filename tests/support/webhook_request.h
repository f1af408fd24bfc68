/* SPDX-License-Identifier: Apache-2.0 */
/* A request to an instance's webhook: headers by hand, the answer kept. */
#ifndef COWGATE_TESTS_WEBHOOK_REQUEST_H
#define COWGATE_TESTS_WEBHOOK_REQUEST_H

#include <cowgate/sdk/signature.h>
#include <cowgate/webhook.h>

#define WEBHOOK_REQUEST_HEADERS 8

/* All zero: without headers, not answered. */
struct webhook_request {
	struct cg_webhook_request request; /* first */
	const char *names[WEBHOOK_REQUEST_HEADERS], *values[WEBHOOK_REQUEST_HEADERS];
	int answers;
	enum cg_webhook_result result;
	char body[65536]; /* of the answer */
};

/* @name and @value are borrowed. */
void webhook_request_set(
	struct webhook_request *request, const char *name, const char *value);
/* What a provider is handed; both texts are borrowed. */
struct cg_webhook_request *webhook_request_make(struct webhook_request *request,
	const char *method, const char *body, int64_t received_at_ms);

/* What a sender adds; the signer is another one than the provider's. */
struct cg_signature_headers webhook_request_sign(
	const char *secret, const char *id, const char *body, int64_t at_ms);

#endif
