/* SPDX-License-Identifier: Apache-2.0 */
/* Mail on its way out: what waits, what a pool thread has, and the watch over it. */
#ifndef PROVIDERS_EMAIL_OUTGOING_H
#define PROVIDERS_EMAIL_OUTGOING_H

#include <cowgate/outbound.h>
#include <sys/queue.h>

#define OUTGOING_AT_ONCE 2 /* conversations of one instance, of the pool's four threads */

struct email;
struct outgoing_mail;

struct outgoing {
	struct email *email;
	/* In order; bounded by the daemon, which waits for each. */
	TAILQ_HEAD(outgoing_mails, outgoing_mail) mails;
	unsigned running;
};

void outgoing_init(struct outgoing *outgoing, struct email *email);
/* No thread works for it any more. */
void outgoing_finish(struct outgoing *outgoing);

/* ops->send() and ops->cancel(). */
void outgoing_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg);
void outgoing_cancel(void *self, void *arg);

#endif
