/* SPDX-License-Identifier: Apache-2.0 */
/* The Cloud's own list of deliveries, for the operator's floor, which does not know of Clouds. */
#include "gateway/daemon/house.h"

#include "cloud-client/delivery.h"

#include <stdlib.h>

struct cloud_inquiry {
	LIST_ENTRY(cloud_inquiry) entry;
	struct cloud_call *call;
	operator_cloud_done done;
	void *arg;
};

static struct operator_cloud_answer answer_of(const struct cloud_result *result)
{
	return (struct operator_cloud_answer){
		.ok = result->error == CLOUD_OK,
		.status = result->http_status,
		.error = result->message,
	};
}

static void end(struct cloud_inquiry *inquiry, const struct operator_cloud_answer *answer)
{
	LIST_REMOVE(inquiry, entry);
	inquiry->done(inquiry->arg, answer);
	free(inquiry);
}

static void listed(void *arg, const struct cloud_result *result,
	const struct cloud_deliveries *deliveries)
{
	struct cloud_inquiry *inquiry = arg;
	struct operator_cloud_answer answer = answer_of(result);

	answer.json = deliveries == NULL ? NULL : deliveries->array;
	end(inquiry, &answer);
}

static void changed(void *arg, const struct cloud_result *result,
	const struct cloud_delivery *delivery)
{
	struct cloud_inquiry *inquiry = arg;
	struct operator_cloud_answer answer = answer_of(result);

	answer.json = delivery == NULL ? NULL : delivery->record;
	end(inquiry, &answer);
}

static struct cloud_inquiry *inquire(operator_cloud_done done, void *arg)
{
	struct cloud_inquiry *inquiry = calloc(1, sizeof(*inquiry));

	if (inquiry == NULL)
		return NULL;
	inquiry->done = done;
	inquiry->arg = arg;
	return inquiry;
}

/* Was it begun? */
static bool begun(
	struct daemon *daemon, struct cloud_inquiry *inquiry, enum cg_status status)
{
	if (status != CG_OK)
		free(inquiry);
	else
		LIST_INSERT_HEAD(&daemon->inquiries, inquiry, entry);
	return status == CG_OK;
}

bool cloud_desk_list(void *arg, const struct operator_cloud_query *query,
	operator_cloud_done done, void *done_arg)
{
	struct daemon *daemon = arg;
	struct cloud_inquiry *inquiry = inquire(done, done_arg);
	struct cloud_list_params params = {
		.delivery_id = query->delivery_id,
		.status = query->status,
		.channel_binding_id = query->channel_binding_id,
		.limit = query->limit,
	};

	if (inquiry == NULL)
		return false;
	return begun(daemon, inquiry,
		cloud_list_deliveries(
			daemon->cloud, &params, listed, inquiry, &inquiry->call));
}

bool cloud_desk_change(void *arg, enum operator_verb verb,
	const struct operator_cloud_query *query, operator_cloud_done done,
	void *done_arg)
{
	struct daemon *daemon = arg;
	struct cloud_inquiry *inquiry = inquire(done, done_arg);
	struct cloud_delivery_params params = {
		.delivery_id = query->delivery_id,
		.channel_binding_id = query->channel_binding_id,
		.last_error = query->last_error,
	};

	if (inquiry == NULL)
		return false;
	if (verb == OPERATOR_RETRY)
		return begun(daemon, inquiry,
			cloud_retry_delivery(daemon->cloud, &params, changed, inquiry,
				&inquiry->call));
	return begun(daemon, inquiry,
		cloud_dead_letter(
			daemon->cloud, &params, changed, inquiry, &inquiry->call));
}

void cloud_desk_close(struct daemon *daemon)
{
	const struct operator_cloud_answer answer = {
		.error = "the gateway is shutting down"};
	struct cloud_inquiry *inquiry;

	while ((inquiry = LIST_FIRST(&daemon->inquiries)) != NULL) {
		cloud_call_cancel(inquiry->call);
		end(inquiry, &answer);
	}
}
