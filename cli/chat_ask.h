/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent asks in a terminal's chat: shown as it comes, and answered by a line.  What
 * was asked first is answered first.
 */
#ifndef COWGATE_CLI_CHAT_ASK_H
#define COWGATE_CLI_CHAT_ASK_H

#include <stdbool.h>
#include <stddef.h>

#define CHAT_ASKS 64 /* open at once; what comes beyond is not shown */

struct json_object;

/* Where answers go; all is borrowed. */
struct chat_place {
	const char *word; /* for stderr */
	const char *provider, *user, *chat; /* chat: also its thread */
	const char *session, *binding;
};

struct chat_ask {
	char *id; /* owned */
	bool question; /* else a permission */
	struct json_object *payload; /* owned: as it came */
	struct json_object *answers; /* owned: to the questions so far */
};

/* Zero is empty. */
struct chat_asks {
	struct chat_ask items[CHAT_ASKS]; /* oldest first */
	size_t count;
};

void chat_asks_finish(struct chat_asks *asks);

/* Show what @view, the projection of the session, still has open. */
void chat_asks_begin(struct chat_asks *asks, struct json_object *view);
/* An event of the session: shown and remembered, or forgotten, if it is about a question. */
void chat_asks_event(
	struct chat_asks *asks, const char *type, struct json_object *payload);

/* Whether the line is an answer; it has been sent then, or what is wrong with it was said.
 * Without anything open only the words of an answer are. */
bool chat_asks_answer(
	struct chat_asks *asks, const struct chat_place *place, const char *line);
/* Nobody is left to answer: all that is open is refused. */
void chat_asks_refuse(struct chat_asks *asks, const struct chat_place *place);

#endif
