/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/request.h"

void request_send(struct rig *rig, struct webhook_request *request, const char *method,
	const char *body)
{
	rig->provider->ops->webhook(rig->self,
		webhook_request_make(request, method, body, rig->host->wall_ms));
}

void request_post(struct rig *rig, struct webhook_request *request, const char *body)
{
	request_send(rig, request, "POST", body);
}

void request_post_signed(struct rig *rig, struct webhook_request *request,
	const char *secret, const char *body)
{
	static struct cg_signature_headers headers;

	headers = webhook_request_sign(secret, "", body, rig->host->wall_ms);
	*request = (struct webhook_request){.answers = 0};
	webhook_request_set(
		request, "X-Open-Cowork-Gateway-Webhook-Timestamp", headers.timestamp);
	webhook_request_set(
		request, "X-Open-Cowork-Gateway-Webhook-Signature", headers.gateway);
	request_post(rig, request, body);
}
