/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operator is told in a chat: once when something begins, once when it is over, and
 * never in a storm.
 *
 * The chats are those of OPEN_COWORK_GATEWAY_OPERATOR_CHAT, in order of preference; what concerns
 * a channel goes over another one.  A text is an obligation like any other.  While it cannot be
 * stored (a full disk) it is tried again, so it comes when the disk takes it.  Time is an
 * argument: whoever drives it calls alert_look() at alert_due().  Loop thread only.
 */
#ifndef COWGATE_GATEWAY_ALERT_H
#define COWGATE_GATEWAY_ALERT_H

#include "config/config.h"

#define ALERT_ENTRIES 256 /* different things at a time; more are only logged */
#define ALERT_GRACE_MS 60000 /* a channel that comes back within it was never deaf */
#define ALERT_QUIET_MS 600000 /* between two beginnings of the same thing */
#define ALERT_HOUR_MS 3600000
#define ALERT_PER_HOUR 20 /* texts; what is beyond is counted in the next one */
#define ALERT_AGAIN_MS 30000 /* before what could not be stored is tried again */
#define ALERT_TEXT 600 /* bytes of a text, its NUL included */

/* Events happen; the others begin and end. */
enum alert_kind {
	ALERT_RESTART, /* event */
	ALERT_DEAD, /* event: a message that must reach a chat was given up */
	ALERT_EXPIRED, /* event: a person's message did not reach the agent in time */
	ALERT_LOOP, /* event: in a chat two programs answer each other */
	ALERT_DEAF, /* a channel */
	ALERT_ACCOUNT, /* of a channel: its credentials are refused */
	ALERT_TOKEN, /* of the Cloud */
	ALERT_DISK,
	ALERT_KINDS,
};

struct alert;

/* Ends with @status: CG_OK, the text is stored. */
typedef void (*alert_stored)(void *arg, enum cg_status status);

struct alert_hooks {
	/* Store a text for a chat.  @done follows, never from inside. */
	void (*store)(void *arg, const char *instance, const char *chat_id,
		const char *text, alert_stored done, void *done_arg);
	/* Can it send at the moment? */
	bool (*usable)(void *arg, const char *instance);
	/* There may be something to do at alert_due(). */
	void (*wake)(void *arg);
	void *arg;
};

enum cg_status alert_create(
	const struct alert_hooks *hooks, struct alert **ret, struct cg_error *err);
/* Nothing may be at the store any more. */
void alert_destroy(struct alert *alert); /* accepts NULL */

/* Who is told; borrowed until the next call. */
void alert_set_chats(struct alert *alert, const struct config_list *chats);

/* It begins or happens.  @about: the instance that it concerns, NULL: none.  @detail: one
 * sentence, or NULL.  Again while it lasts: no news; an event is counted. */
void alert_raise(struct alert *alert, enum alert_kind kind, const char *about,
	const char *detail, int64_t now_ms);
/* It is over, if it was. */
void alert_clear(
	struct alert *alert, enum alert_kind kind, const char *about, int64_t now_ms);

/* When to look, monotonic; -1: nothing is to be said. */
int64_t alert_due(const struct alert *alert);
/* Say what is to be said by now. */
void alert_look(struct alert *alert, int64_t now_ms);

#endif
