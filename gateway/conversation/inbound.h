/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored messages in, errands out: in order within a chat thread, side by side across threads.
 * The gateway's own commands skip the queue of their thread.
 *
 * Memory holds a window of the inbox; the rest waits on disk.
 */
#ifndef COWGATE_GATEWAY_INBOUND_H
#define COWGATE_GATEWAY_INBOUND_H

#include "gateway/conversation/errand.h"

/* On failure inbound_finish() is still to be called. */
enum cg_status inbound_init(struct conversation *conversation);
void inbound_finish(struct conversation *conversation);

/* There may be something to do: new messages, a finished errand. */
void inbound_pump(struct conversation *conversation);

/* For conversation_shift(). */
void inbound_shift(struct conversation *conversation, int64_t delta_ms);

/* An errand has ended: its thread's next message may begin. */
void inbound_errand_over(struct errand *errand);

/* May it be said in its thread that messages wait?  Once, until none does. */
bool inbound_may_notice(struct errand *errand);

#endif
