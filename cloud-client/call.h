/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a client: calls under way and open subscriptions.  Private to this floor. */
#ifndef COWGATE_CLOUD_CLIENT_CALL_H
#define COWGATE_CLOUD_CLIENT_CALL_H

#include "cloud-client/reply.h"
#include "cloud-client/request.h"
#include "cloud-client/subscription.h"

#include <sys/queue.h>

LIST_HEAD(call_list, cloud_call);
LIST_HEAD(subscription_list, cloud_subscription);

struct cloud_client {
	const struct cloud_transport *transport; /* borrowed */
	const struct cloud_host *host; /* borrowed */
	char *claimed_by;
	int64_t call_timeout_ms;
	struct call_list calls; /* at most CLOUD_CLIENT_CALLS */
	size_t call_count;
	struct subscription_list subscriptions; /* at most CLOUD_CLIENT_SUBSCRIPTIONS */
	size_t subscription_count;
};

/* Where the reply goes. */
struct call_target {
	enum reply_kind kind;
	union reply_done done; /* the member of @kind */
	void *arg;
	struct cloud_call **ret; /* may be NULL */
};

/* Send @request, which is finished here whatever happens. */
enum cg_status call_send(struct cloud_client *client, struct request *request,
	const struct call_target *target);

#endif
