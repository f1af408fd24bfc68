/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which chat thread is bound to which session, and how far that session has been rendered.
 * Remembered locally, so that all streams with unfinished work resume after a restart.
 */
#ifndef COWGATE_GATEWAY_CURSOR_H
#define COWGATE_GATEWAY_CURSOR_H

#include "gateway/journal/journal.h"

struct cursor {
	const char *binding_id; /* session binding, the Cloud's id */
	const char *session_id;
	const char *instance;
	const char *chat_id;
	const char *thread_id; /* NULL where the platform has none */
	const char *user_id; /* last person who spoke, for channels that need one */
	const char *agent_id; /* of the binding, the Cloud's id; NULL: not known */
	const char *context; /* of the last message, the provider's own; NULL: none */
	bool is_direct;
	unsigned generation; /* grows with every /new of the chat thread */
	const char *epoch;
	int64_t sequence; /* rendered up to here */
	bool open; /* an answer is still expected: its stream resumes at start */
	int64_t active_ms;
};

/* Insert or update all but the sequence, which only outbox_store() moves (and never backwards
 * within an epoch; another epoch starts it again at what is given here). */
void cursor_store(struct journal *journal, const struct cursor *cursor, journal_done done,
	void *arg);

/* An answer is expected (true, after a prompt) or complete (false, after idle). */
void cursor_set_open(struct journal *journal, const char *binding_id, bool open,
	int64_t now_ms, journal_done done, void *arg);

/* Every open cursor, most recently active first, at most @limit.  Borrowed during the call. */
void cursor_list_open(struct journal *journal, size_t limit,
	void (*done)(void *arg, enum cg_status status, const struct cursor *cursors,
		size_t count),
	void *arg);

/* The newest generation of a chat thread; NULL cursor if none.  Borrowed during the call. */
void cursor_find(struct journal *journal, const char *instance, const char *chat_id,
	const char *thread_id,
	void (*done)(void *arg, enum cg_status status, const struct cursor *cursor),
	void *arg);

#endif
