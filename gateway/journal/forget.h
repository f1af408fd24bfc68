/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deleting what is stored of a conversation or of a person.  Of each message there stays what tells
 * a repeat of it: ids, times, how it ended; no text, no name, no place.  It goes with the retention.
 */
#ifndef COWGATE_GATEWAY_FORGET_H
#define COWGATE_GATEWAY_FORGET_H

#include "gateway/journal/journal.h"

/* A chat thread, or a person.  Borrowed during the call. */
struct journal_forget {
	const char *instance;
	const char *chat_id; /* NULL: a person */
	const char *thread_id; /* NULL where the platform has none */
	const char *keep_binding; /* of a chat thread: what is bound to it now */
	const char *sender_id; /* the person's */
};

/*
 * Of a chat thread: all but messages that are not handed over yet.  Of a person: also those, and
 * their one-to-one chats as a whole.  What waits to be sent there is not sent.  Nothing of it is
 * left in the file when @done gets OK.  BUSY: something of it is being sent, so nothing was done.
 * Repeating it is harmless.
 */
void journal_forget(struct journal *journal, const struct journal_forget *what,
	journal_done done, void *arg);

#endif
