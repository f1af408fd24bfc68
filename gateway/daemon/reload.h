/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the settings again while the gateway runs (SIGHUP, `cowgate reload`).
 *
 * What was read is checked as at a start; with one error nothing changes and every error is
 * said.  Else what can be changed is: an instance whose settings differ takes nothing more to
 * send, ends what it is sending, and is made anew; the others are not touched.  What takes a
 * restart is named and stays as it was.  Loop thread only.
 */
#ifndef COWGATE_GATEWAY_RELOAD_H
#define COWGATE_GATEWAY_RELOAD_H

#include "gateway/operator/operator.h"

#define RELOAD_DRAIN_MS \
	10000 /* for the sends of instances that go; then they are cut off */

struct daemon;

/* Begin.  @done (NULL: nobody asks) follows on a later turn, with HTTP status and a body:
 * {"ok", "changed":[…], "channels":[…], "restart":[…], "error"}.  False: one is under way, or the
 * gateway stops. */
bool reload_begin(struct daemon *daemon, operator_reload_done done, void *done_arg);
/* For SIGHUP: begin, or again as soon as the one under way has ended. */
void reload_asked(void *daemon);
/* The gateway stops: whoever asked is told that it came to nothing. */
void reload_abandon(struct daemon *daemon);

#endif
