/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks on people's messages (seen, done, failed) that are not concluded, kept with the message, so
 * that what a person sees becomes true also after a restart.
 *
 *   unmarked -> seen or prompted (the message is closed) -> running -> ended or failed -> unmarked
 *
 * Running, ended and failed are stored in the transaction that moves the session's cursor past the
 * event that told them.
 */
#ifndef COWGATE_GATEWAY_INBOX_MARK_H
#define COWGATE_GATEWAY_INBOX_MARK_H

#include "gateway/journal/journal.h"

#define INBOX_MARKED 1024 /* that are read back, the newest */

enum inbox_mark_state {
	INBOX_UNMARKED,
	INBOX_MARK_SEEN,
	INBOX_MARK_PROMPTED, /* it became a command */
	INBOX_MARK_RUNNING, /* its turn has begun */
	INBOX_MARK_ENDED, /* it is over; the last of what it said may be on its way */
	INBOX_MARK_FAILED, /* the same, with an error */
};

struct inbox_mark {
	enum inbox_mark_state state;
	/* NULL: none.  The session binding and the command that the message became; the delivery id
	 * of the last of what was said. */
	const char *binding_id, *command_id, *answer_id;
};

/* Messages whose marks move together. */
struct inbox_mark_move {
	const int64_t *ids;
	size_t count; /* at most INBOX_MARKED */
	enum inbox_mark_state state;
	const char *answer_id; /* NULL: stays as it is */
};

/* As it was read back; everything is borrowed. */
struct inbox_marked {
	int64_t id;
	struct inbox_mark mark;
	bool closed, dead; /* the message */
	bool decided; /* … answered what the agent had asked */
	bool open; /* its session is known to have something to say still */
	bool is_direct;
	const char *instance, *chat_id, *thread_id, *user_id, *context, *message_id;
};

/* Those that are not concluded, oldest first.  Borrowed during the call. */
void inbox_list_marked(struct journal *journal,
	void (*done)(void *arg, enum cg_status status,
		const struct inbox_marked *const *marked, size_t count),
	void *arg);

/* They are concluded.  Nobody waits for it: a mark that is shown twice does no harm. */
void inbox_unmark(struct journal *journal, const int64_t *ids, size_t count);

#endif
