/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The narrow way from delivery and conversation to the providers.  The daemon fills it in.
 * Loop thread only; completions never fire from inside the call.
 */
#ifndef COWGATE_GATEWAY_OUTLET_H
#define COWGATE_GATEWAY_OUTLET_H

#include <cowgate/capability.h>
#include <cowgate/outbound.h>
#include <cowgate/provider.h>
#include <cowgate/sdk/retry.h>

struct outlet {
	void *self;
	/* NOT_FOUND: no such instance.  BUSY: it exists but cannot send now (restarting, account
	 * refused): rows wait.  @ret may be NULL. */
	enum cg_status (*capabilities)(
		void *self, const char *instance, struct cg_capabilities *ret);
	/* Length of a text as the instance would send it. */
	uint32_t (*measure)(
		void *self, const char *instance, const char *text, size_t length);
	/* Schedule and lifetime of obligations to this instance. */
	const struct cg_retry_schedule *(*schedule)(
		void *self, const char *instance, int64_t *ret_lifetime_ms);
	/* On failure @done is not called and nothing left this host. */
	enum cg_status (*send)(void *self, const char *instance,
		const struct cg_outbound *outbound, cg_send_done done, void *arg);
	void (*cancel)(void *self, const char *instance, void *arg);
	enum cg_status (*query)(void *self, const char *instance,
		const struct cg_outbound *outbound, cg_query_done done, void *arg);
};

#endif
