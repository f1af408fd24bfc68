/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends under way, for providers.
 *
 * Keeps the promise of ops->send(): the completion fires exactly once, never from inside
 * ops->send() itself, and never after the instance was destroyed.  Loop thread only.
 */
#ifndef COWGATE_SDK_SEND_H
#define COWGATE_SDK_SEND_H

#include <cowgate/host.h>
#include <cowgate/outbound.h>
#include <sys/queue.h>

#define CG_SEND_MESSAGE_ID 64 /* bytes of a receipt that is told later, NUL included */

/* One send.  Its count is bounded by the daemon, which waits for each. */
struct cg_send {
	LIST_ENTRY(cg_send) link;
	struct cg_sends *sends;
	const struct cg_outbound *outbound; /* borrowed until the end */
	cg_send_done done;
	void *arg;
	struct cg_http_call *call; /* the provider's exchange; NULL: none is under way */
	uint64_t mark; /* for the provider's own use, 0 at first */
	/* the turn before which the outcome below is told; 0: not decided */
	unsigned later;
	struct cg_outcome outcome;
	char message_id[CG_SEND_MESSAGE_ID];
	char detail[CG_ERROR_TEXT];
};

struct cg_sends {
	const struct cg_host *host;
	void *owner; /* the provider's instance */
	LIST_HEAD(cg_send_list, cg_send) open;
	unsigned turn; /* from 1 */
	struct cg_timer *timer; /* tells what ends on the next turn */
};

void cg_sends_init(struct cg_sends *sends, const struct cg_host *host, void *owner);
/* For ops->destroy(): forget what is open.  The host has taken exchanges and timers back. */
void cg_sends_finish(struct cg_sends *sends);

/* A new record; it lives until it is ended.  Without memory for it the process aborts: the
 * daemon waits for a completion that could never fire. */
struct cg_send *cg_send_open(struct cg_sends *sends, const struct cg_outbound *outbound,
	cg_send_done done, void *arg);

/* Tell @outcome now, from a callback, and free the record. */
void cg_send_end(struct cg_send *send, const struct cg_outcome *outcome);

/* Tell it on the next turn of the loop; its strings are copied.  For use inside ops->send(). */
void cg_send_end_later(struct cg_send *send, const struct cg_outcome *outcome);

/* End it later as refused, for this message only.  @detail is one sentence. */
void cg_send_refuse(struct cg_send *send, const char *detail);

/* For ops->cancel(): the exchange is taken back and the send ends now, AMBIGUOUS. */
void cg_sends_cancel(struct cg_sends *sends, const void *arg);

/*
 * What an exchange says about a send where the platform has no rule of its own: 2xx SENT, 429
 * RATE_LIMITED for the destination, 5xx and no answer AMBIGUOUS, everything else REFUSED for this
 * message; an address that is not allowed is REFUSED for the destination.  The detail borrows
 * from the response and is NULL when a whole response came.
 */
void cg_outcome_of_http(
	const struct cg_http_response *response, struct cg_outcome *ret_outcome);

#endif
