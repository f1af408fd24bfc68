/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What agents may use in a day: counted in the transaction that stores what they report, asked
 * before a prompt is begun.  A day is one of UTC; a chat is one however often it begins anew.
 * Writer thread.
 */
#ifndef COWGATE_CONTROL_PLANE_BUDGET_H
#define COWGATE_CONTROL_PLANE_BUDGET_H

#include "control-plane/change.h"
#include "control-plane/roster.h"

#define BUDGET_TEXT 256 /* bytes of a refusal */

/* The agent called @agent has used so many tokens in the session. */
enum cg_status budget_spend(
	struct change *change, int64_t session, const char *agent, int64_t tokens);

/*
 * May the seat's agent begin a turn in the session?  @ret is "" when it may, else the sentence
 * for the person.  Turns that have begun are not stopped, so what is used may go beyond the limit
 * by those that run when it is reached.
 */
enum cg_status budget_look(struct change *change, int64_t session,
	const struct seat *seat, char ret[BUDGET_TEXT]);

#endif
