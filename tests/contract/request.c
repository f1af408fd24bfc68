/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/request.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/text.h>
#include <string.h>
#include <strings.h>

static const char *request_header(const struct cg_webhook_request *base, const char *name)
{
	const struct request *request = (const struct request *)base;

	for (size_t i = 0; i < REQUEST_HEADERS && request->names[i] != NULL; i++) {
		if (strcasecmp(request->names[i], name) == 0)
			return request->values[i];
	}
	return NULL;
}

static void request_answer(
	struct cg_webhook_request *base, const struct cg_webhook_answer *answer)
{
	struct request *request = (struct request *)base;

	request->answers++;
	request->result = answer->result;
	cg_text_copy(request->body, sizeof(request->body),
		answer->body == NULL ? "" : answer->body);
}

void request_set(struct request *request, const char *name, const char *value)
{
	size_t i = 0;

	while (request->names[i] != NULL)
		i++;
	request->names[i] = name;
	request->values[i] = value;
}

void request_send(
	struct rig *rig, struct request *request, const char *method, const char *body)
{
	request->request = (struct cg_webhook_request){
		.size = sizeof(request->request),
		.method = method,
		.path = "",
		.query = "",
		.client = "127.0.0.1",
		.body = body,
		.body_length = strlen(body),
		.received_at_ms = rig->wall_ms,
		.header = request_header,
		.answer = request_answer,
	};
	rig->provider->ops->webhook(rig->self, &request->request);
}

void request_post(struct rig *rig, struct request *request, const char *body)
{
	request_send(rig, request, "POST", body);
}

struct cg_signature_headers signed_at(
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

void request_post_signed(
	struct rig *rig, struct request *request, const char *secret, const char *body)
{
	static struct cg_signature_headers headers;

	headers = signed_at(secret, "", body, rig->wall_ms);
	*request = (struct request){.answers = 0};
	request_set(
		request, "X-Open-Cowork-Gateway-Webhook-Timestamp", headers.timestamp);
	request_set(request, "X-Open-Cowork-Gateway-Webhook-Signature", headers.gateway);
	request_post(rig, request, body);
}
