/* SPDX-License-Identifier: Apache-2.0 */
/* A request to an instance's webhook: what hands it over. */
#ifndef COWGATE_TESTS_CONTRACT_REQUEST_H
#define COWGATE_TESTS_CONTRACT_REQUEST_H

#include "tests/contract/module.h"
#include "tests/support/webhook_request.h"

/* Hand it over now, with the rig's time. */
void request_send(struct rig *rig, struct webhook_request *request, const char *method,
	const char *body);
void request_post(struct rig *rig, struct webhook_request *request, const char *body);

/* Post @body under a fresh gateway signature. */
void request_post_signed(struct rig *rig, struct webhook_request *request,
	const char *secret, const char *body);

#endif
