/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups that have become supergroups.  To the daemon a chat keeps the id that it had, so its
 * conversation, its queue and what waits to be sent stay its own; only the platform hears the
 * new one.  Both directions are checkpoints, two for each group that ever moved.
 */
#ifndef PROVIDERS_TELEGRAM_CHATS_H
#define PROVIDERS_TELEGRAM_CHATS_H

#include "wire.h"

#include <cowgate/host.h>

/* What the platform calls @chat_id now, in @room; NULL: as before. */
const char *telegram_chats_now(
	const struct cg_host *host, const char *chat_id, char room[TELEGRAM_NUMBER]);

/* What the daemon knows @chat_id as, in @room; NULL: as the platform does. */
const char *telegram_chats_known(
	const struct cg_host *host, const char *chat_id, char room[TELEGRAM_NUMBER]);

/* Remember that @from is @to from now on.  @done fires twice; it may be NULL. */
void telegram_chats_move(const struct cg_host *host, const char *from, const char *to,
	cg_submit_done done, void *arg);

#endif
