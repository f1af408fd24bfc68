/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/webhook_request.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/text.h>
#include <string.h>
#include <strings.h>

static const char *request_header(const struct cg_webhook_request *base, const char *name)
{
	const struct webhook_request *request = (const struct webhook_request *)base;

	for (size_t i = 0; i < WEBHOOK_REQUEST_HEADERS && request->names[i] != NULL;
		i++) {
		if (strcasecmp(request->names[i], name) == 0)
			return request->values[i];
	}
	return NULL;
}

static void request_answer(
	struct cg_webhook_request *base, const struct cg_webhook_answer *answer)
{
	struct webhook_request *request = (struct webhook_request *)base;

	request->answers++;
	request->result = answer->result;
	cg_text_copy(request->body, sizeof(request->body),
		answer->body == NULL ? "" : answer->body);
}

void webhook_request_set(
	struct webhook_request *request, const char *name, const char *value)
{
	size_t i = 0;

	while (request->names[i] != NULL)
		i++;
	request->names[i] = name;
	request->values[i] = value;
}

struct cg_webhook_request *webhook_request_make(struct webhook_request *request,
	const char *method, const char *body, int64_t received_at_ms)
{
	request->request = (struct cg_webhook_request){
		.size = sizeof(request->request),
		.method = method,
		.path = "",
		.query = "",
		.client = "127.0.0.1",
		.body = body,
		.body_length = strlen(body),
		.received_at_ms = received_at_ms,
		.header = request_header,
		.answer = request_answer,
	};
	return &request->request;
}

struct cg_signature_headers webhook_request_sign(
	const char *secret, const char *id, const char *body, int64_t at_ms)
{
	struct cg_secret key = {NULL, 0};
	struct cg_signer *signer = NULL;
	struct cg_signature_headers headers;

	CU_ASSERT_EQUAL_FATAL(cg_secret_set(&key, secret, strlen(secret)), CG_OK);
	CU_ASSERT_EQUAL_FATAL(cg_signer_create(&key, &signer, NULL), CG_OK);
	cg_signature_sign(signer, id, body, strlen(body), at_ms, &headers);
	cg_signer_destroy(signer);
	cg_secret_wipe(&key);
	return headers;
}
