/* SPDX-License-Identifier: Apache-2.0 */
/* A request to an instance's webhook: headers by hand, the answer kept.  For all who have one. */
#ifndef COWGATE_TESTS_CONTRACT_REQUEST_H
#define COWGATE_TESTS_CONTRACT_REQUEST_H

#include "tests/contract/rig.h"

#include <cowgate/sdk/signature.h>

#define REQUEST_HEADERS 8

struct request {
	struct cg_webhook_request request; /* first */
	const char *names[REQUEST_HEADERS], *values[REQUEST_HEADERS];
	int answers;
	enum cg_webhook_result result;
	char body[512]; /* of the answer */
};

/* @name and @value are borrowed. */
void request_set(struct request *request, const char *name, const char *value);
/* Hand it over now, with the rig's time. */
void request_send(
	struct rig *rig, struct request *request, const char *method, const char *body);
void request_post(struct rig *rig, struct request *request, const char *body);

/* What a sender adds; the signer is another one than the provider's. */
struct cg_signature_headers signed_at(
	const char *secret, const char *id, const char *body, int64_t at_ms);
/* Post @body under a fresh gateway signature. */
void request_post_signed(
	struct rig *rig, struct request *request, const char *secret, const char *body);

#endif
