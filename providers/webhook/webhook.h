/* SPDX-License-Identifier: Apache-2.0 */
/* One webhook instance: requests come in by ops->webhook(), answers go out by HTTP POST. */
#ifndef PROVIDERS_WEBHOOK_H
#define PROVIDERS_WEBHOOK_H

#include "breaker.h"
#include "kinds.h"
#include "options.h"
#include "wire.h"

#include <cowgate/provider.h>
#include <cowgate/sdk/send.h>
#include <cowgate/sdk/signature.h>

struct webhook_arrival;
struct webhook_upload;

struct webhook {
	const struct cg_host *host; /* borrowed: outlives the instance */
	struct webhook_settings settings;
	struct cg_capabilities capabilities; /* of the kind, under these settings */
	struct webhook_wire_sender sender;
	struct cg_signer *signer; /* owned */
	struct cg_sends sends;
	struct breaker breaker;
	LIST_HEAD(webhook_uploads, webhook_upload) uploads; /* each belongs to a send */
	/* Requests that wait for their commit; bounded by the daemon, which lets in so many. */
	LIST_HEAD(webhook_arrivals, webhook_arrival) arrivals;
	bool started;
};

/* ops->webhook(): check, map, submit; answered after the commit. */
void webhook_ingress(void *self, struct cg_webhook_request *request);
/* Forget the requests that still wait; the daemon answers them. */
void webhook_ingress_finish(struct webhook *webhook);

/* ops->send() and cancel(): one signed POST, signed anew on every attempt. */
void webhook_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg);
void webhook_cancel(void *self, void *arg);
void webhook_uploads_finish(struct webhook *webhook);

/* Tell the daemon how the instance is. */
void webhook_report_health(const struct webhook *webhook);

#endif
