/* SPDX-License-Identifier: Apache-2.0 */
/* One Telegram bot: updates come in by polling or by calls, messages go out by Bot API calls. */
#ifndef PROVIDERS_TELEGRAM_H
#define PROVIDERS_TELEGRAM_H

#include "intake.h"
#include "line.h"
#include "options.h"

#include <cowgate/provider.h>
#include <cowgate/sdk/host_lock.h>
#include <cowgate/sdk/send.h>

struct telegram {
	const struct cg_host *host; /* borrowed: outlives the instance */
	struct telegram_settings settings;
	struct telegram_bot bot;
	struct cg_host_lock lock; /* one program of this host for each bot */
	struct telegram_line line;
	struct telegram_intake intake;
	struct cg_downloads downloads;
	struct cg_sends sends;
	struct { /* the chat that was limited last */
		char chat[TELEGRAM_NUMBER];
		int64_t at_ms;
	} limited;
	enum cg_health_state inbound, outbound; /* as told last */
	char detail[CG_ERROR_TEXT];
};

/* One call of a method.  The URL is secret. */
struct telegram_call {
	const char *method;
	const struct cg_buffer *body; /* NULL: none */
	const char *content_type; /* NULL: JSON */
	const char *file; /* its bytes follow the body; NULL: none */
	const struct cg_buffer *tail; /* and this follows them */
	int64_t timeout_ms;
	size_t response_limit; /* 0: the host's */
	bool poll; /* on the connection that polls */
	bool idempotent;
	cg_http_done done;
	void *arg;
};
enum cg_status telegram_call(struct telegram *telegram, const struct telegram_call *call,
	struct cg_http_call **ret_call, struct cg_error *err);

/* What every exchange with the platform has: reach, proxy, trust, and a secret URL. */
void telegram_request_init(
	const struct telegram *telegram, struct cg_http_request *request);

/* ops->send() and ops->webhook(). */
void telegram_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg);
void telegram_webhook(void *self, struct cg_webhook_request *request);

/* Key of the checkpoint that holds the next offset; the bot must be known. */
void telegram_offset_key(const struct telegram *telegram, char *ret, size_t size);

/* Tell the daemon how we are, when it is news.  @detail NULL: all is well. */
void telegram_health(struct telegram *telegram, enum cg_health_state inbound,
	enum cg_health_state outbound, const char *detail);

#endif
