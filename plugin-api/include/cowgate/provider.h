/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A channel provider: constant data, checked before any code runs, and a table of functions.
 *
 * All functions run on the loop thread and must not block.
 */
#ifndef COWGATE_PROVIDER_H
#define COWGATE_PROVIDER_H

#include <cowgate/capability.h>
#include <cowgate/host.h>
#include <cowgate/outbound.h>
#include <cowgate/settings.h>
#include <cowgate/status.h>
#include <cowgate/webhook.h>

/* Answer to ops->query(). */
enum cg_query_result {
	CG_QUERY_ARRIVED,
	CG_QUERY_ABSENT,
	CG_QUERY_UNKNOWN,
};
typedef void (*cg_query_done)(
	void *arg, enum cg_query_result result, const char *message_id);

struct cg_provider_ops {
	uint32_t size;

	/* Build an instance from settings that have been checked.  On CG_OK the daemon owns *@ret_self.
	 * On failure *@ret_self is untouched and @err says what the operator should change. */
	enum cg_status (*create)(const struct cg_host *host,
		const struct cg_settings *settings, void **ret_self,
		struct cg_error *err);
	/* Release all that @self owns; accepts NULL.  No callback of the instance fires afterwards. */
	void (*destroy)(void *self);

	/* Begin and end work.  Start returns at once and reports through host->health(); it may be
	 * called again after stop.  After stop no inbound is submitted; sends may still be asked for. */
	enum cg_status (*start)(void *self, struct cg_error *err);
	void (*stop)(void *self);

	/* What this instance can do, after its settings.  Constant over its life. */
	void (*capabilities)(const void *self, struct cg_capabilities *ret);

	/* Length of @text in the platform's unit once sent in its form.  Pure. */
	uint32_t (*measure)(const void *self, const char *text, size_t length);

	/* Send.  @done fires exactly once, also after stop and on cancel. */
	void (*send)(void *self, const struct cg_outbound *outbound, cg_send_done done,
		void *arg);
	/* The daemon will not wait longer for @arg's send: end it as AMBIGUOUS or NOT_DISPATCHED. */
	void (*cancel)(void *self, void *arg);

	/* Did this delivery arrive?  NULL unless reconcile is CG_RECONCILE_QUERY. */
	void (*query)(void *self, const struct cg_outbound *outbound, cg_query_done done,
		void *arg);

	/* A request to /webhooks/<instance>.  NULL: the instance has no way in over HTTP. */
	void (*webhook)(void *self, struct cg_webhook_request *request);
};

enum cg_provider_flag {
	CG_PROVIDER_LOCAL_ONLY =
		1u << 0, /* refused when the gateway is reachable from outside */
	CG_PROVIDER_DEMO = 1u << 1, /* no authentication at all */
};

struct cg_provider {
	uint32_t size;
	uint32_t flags; /* enum cg_provider_flag */
	const char *kind; /* [a-z][a-z0-9]*, at most 32 bytes */
	const char *title; /* as a person says it: "Telegram" */
	const char *version; /* of this provider */
	const struct cg_option *options;
	uint32_t option_count;
	const struct cg_provider_ops *ops;
};

#endif
