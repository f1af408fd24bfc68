/* SPDX-License-Identifier: Apache-2.0 */
/* One Telegram bot: updates come in by long polling, messages go out by Bot API calls. */
#ifndef PROVIDERS_TELEGRAM_H
#define PROVIDERS_TELEGRAM_H

#include "options.h"
#include "poll.h"

#include <cowgate/provider.h>
#include <cowgate/sdk/send.h>

struct telegram {
	const struct cg_host *host; /* borrowed: outlives the instance */
	struct telegram_settings settings;
	struct telegram_bot bot;
	struct telegram_poll poll;
	struct cg_sends sends;
	enum cg_health_state inbound, outbound; /* as told last */
	char detail[CG_ERROR_TEXT];
};

/* One call of a method.  JSON in and out; the URL is secret. */
struct telegram_call {
	const char *method;
	const struct cg_buffer *body; /* NULL: none */
	int64_t timeout_ms;
	size_t response_limit; /* 0: the host's */
	bool poll; /* on the connection that polls */
	cg_http_done done;
	void *arg;
};
enum cg_status telegram_call(struct telegram *telegram, const struct telegram_call *call,
	struct cg_http_call **ret_call, struct cg_error *err);

/* ops->send(). */
void telegram_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg);

/* Tell the daemon how we are, when it is news.  @detail NULL: all is well. */
void telegram_health(struct telegram *telegram, enum cg_health_state inbound,
	enum cg_health_state outbound, const char *detail);

#endif
