/* SPDX-License-Identifier: Apache-2.0 */
/* The client and its calls: started, answered, cancelled. */
#include "cloud-client/client.h"

#include "cloud-client/call.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

struct cloud_call {
	LIST_ENTRY(cloud_call) entry;
	struct cloud_client *client;
	struct cloud_exchange *exchange; /* the transport's */
	enum reply_kind kind;
	union reply_done done;
	void *arg;
	bool answered; /* inside its own done */
};

void cloud_client_set_timeout(struct cloud_client *client, int64_t call_timeout_ms)
{
	client->call_timeout_ms =
		call_timeout_ms > 0 ? call_timeout_ms : CLOUD_CALL_TIMEOUT_MS;
}

enum cg_status cloud_client_create(const struct cloud_client_options *options,
	struct cloud_client **ret, struct cg_error *err)
{
	struct cloud_client *client;

	if (cg_text_blank(options->claimed_by))
		return cg_error_set(
			err, CG_INVALID, "a Cloud client needs a name to claim under");
	client = calloc(1, sizeof(*client));
	if (client == NULL)
		return cg_error_nomem(err);
	client->transport = options->transport;
	client->host = options->host;
	cloud_client_set_timeout(client, options->call_timeout_ms);
	LIST_INIT(&client->calls);
	LIST_INIT(&client->subscriptions);
	client->claimed_by = strdup(options->claimed_by);
	if (client->claimed_by == NULL) {
		cloud_client_destroy(client);
		return cg_error_nomem(err);
	}
	*ret = client;
	return CG_OK;
}

void cloud_client_destroy(struct cloud_client *client)
{
	struct cloud_call *call;
	struct cloud_subscription *subscription;

	if (client == NULL)
		return;
	while ((subscription = LIST_FIRST(&client->subscriptions)) != NULL)
		cloud_subscription_close(subscription);
	while ((call = LIST_FIRST(&client->calls)) != NULL)
		cloud_call_cancel(call);
	free(client->claimed_by);
	free(client);
}

size_t cloud_client_active(const struct cloud_client *client)
{
	return client->call_count;
}

const char *cloud_client_claimed_by(const struct cloud_client *client)
{
	return client->claimed_by;
}

static void call_unlink(struct cloud_call *call)
{
	LIST_REMOVE(call, entry);
	call->client->call_count--;
}

void cloud_call_cancel(struct cloud_call *call)
{
	const struct cloud_transport *transport;

	if (call == NULL || call->answered)
		return;
	transport = call->client->transport;
	transport->cancel(transport->self, call->exchange);
	call_unlink(call);
	free(call);
}

static void on_reply(void *arg, const struct cloud_reply *reply)
{
	struct cloud_call *call = arg;
	struct cloud_result result;

	/* Out of the list first: done may start calls, up to the cap. */
	call_unlink(call);
	call->answered = true;
	request_result(reply, &result);
	reply_deliver(call->kind, call->done, call->arg, &result, reply->body);
	free(call);
}

enum cg_status call_send(struct cloud_client *client, struct request *request,
	const struct call_target *target)
{
	const struct cloud_transport *transport = client->transport;
	struct cloud_request view;
	struct cloud_call *call = NULL;
	enum cg_status status = request_status(request);

	if (status == CG_OK && client->call_count >= CLOUD_CLIENT_CALLS)
		status = CG_LIMIT;
	if (status != CG_OK)
		goto out;
	call = calloc(1, sizeof(*call));
	if (call == NULL) {
		status = CG_NOMEM;
		goto out;
	}
	call->client = client;
	call->kind = target->kind;
	call->done = target->done;
	call->arg = target->arg;
	request_view(request, client->call_timeout_ms, &view);
	status = transport->call(
		transport->self, &view, on_reply, call, &call->exchange, NULL);
	if (status != CG_OK)
		goto out;
	LIST_INSERT_HEAD(&client->calls, call, entry);
	client->call_count++;
	if (target->ret != NULL)
		*target->ret = call;
	call = NULL;
out:
	free(call);
	request_finish(request);
	return status;
}
