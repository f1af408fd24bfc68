/* SPDX-License-Identifier: Apache-2.0 */
/* One mailbox: mail comes in by webhook or IMAP, answers go out by SMTP. */
#ifndef PROVIDERS_EMAIL_H
#define PROVIDERS_EMAIL_H

#include "arrival.h"
#include "guard.h"
#include "options.h"
#include "outgoing.h"

#include <cowgate/provider.h>
#include <cowgate/sdk/send.h>

extern const struct cg_capabilities email_capabilities; /* but for max_file */

struct imap;
struct ingress_wait;

struct email {
	const struct cg_host *host; /* borrowed: outlives the instance */
	struct email_settings settings;
	struct cg_sends sends;
	struct outgoing outgoing;
	struct arrivals arrivals;
	struct guard guard;
	struct imap *imap; /* owned; NULL: no mailbox is read */
	/* Requests that wait for their commit; bounded by the arrivals. */
	LIST_HEAD(ingress_waits, ingress_wait) waits;
	bool started;

	enum cg_health_state inbound, outbound; /* as told last */
	char inbound_detail[CG_ERROR_TEXT], outbound_detail[CG_ERROR_TEXT];
};

/* Tell the daemon how one way is, when it is news.  @detail NULL: all is well. */
void email_health_inbound(
	struct email *email, enum cg_health_state state, const char *detail);
void email_health_outbound(
	struct email *email, enum cg_health_state state, const char *detail);

/* ops->webhook(): check the secret, read, store; answered after the commit. */
void email_ingress(void *self, struct cg_webhook_request *request);
/* Forget the requests that still wait; the daemon answers them. */
void email_ingress_finish(struct email *email);

#endif
