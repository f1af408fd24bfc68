/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody decides what the agent asked, by a pressed button or a typed command.
 *
 * The interaction is taken in the journal, so that a second decision finds the first one; then
 * the Cloud is given a token and its answer, which judges the person by their platform id and
 * chat; then the decision is recorded, and only then are the card redrawn and the press
 * answered.  The Cloud's token lives no longer than those two calls: none is stored.
 */
#ifndef COWGATE_GATEWAY_DECISION_H
#define COWGATE_GATEWAY_DECISION_H

#include "gateway/conversation/choice.h"
#include "gateway/conversation/errand.h"

struct decision;

/* A pressed button, or what an instance says was one.  @may: the person's role allows it. */
void decision_press(struct errand *errand, bool may);

/* /approve, /deny, /answer and /reject, with a code or without.  @otherwise, which may be NULL, goes
 * on when there is an argument and nothing in the chat has it as its code; what stands behind it is
 * the reason of a denial, and so is all of it when one thing alone is asked. */
void decision_command(struct errand *errand, enum choice_verb verb,
	void (*otherwise)(struct errand *errand));

/* A message that answers the card of a question is its answer, and so is any in a private chat where
 * the agent waits for one; else go on with @otherwise. */
void decision_reply(struct errand *errand, void (*otherwise)(struct errand *errand));

/* Accepts NULL. */
void decision_destroy(struct decision *decision);

#endif
