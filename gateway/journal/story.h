/* SPDX-License-Identifier: Apache-2.0 */
/* All that the journal knows of one message: what came, what went, and what happens next. */
#ifndef COWGATE_GATEWAY_STORY_H
#define COWGATE_GATEWAY_STORY_H

#include "gateway/journal/journal.h"

struct json_object;

#define STORY_MATCHES 10 /* rows that answer to one id, each way */
#define STORY_ANSWERS 20 /* that are listed behind a message that came in */

/*
 * {"inbound":[…],"outbound":[…]}: @id is a delivery's id or receipt, or the platform's id of an
 * event or message that came in; a platform's ids are its own, so there may be several.  Both
 * arrays empty: nothing is known, or the retention has ended.  @story is borrowed by @done, NULL
 * unless CG_OK.  Reads on a pool thread: it looks through all rows.
 */
void journal_story(struct journal *journal, const char *id,
	void (*done)(void *arg, enum cg_status status, struct json_object *story),
	void *arg);

#endif
