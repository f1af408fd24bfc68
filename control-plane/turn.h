/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns: the prompts of a session, one after the other, through the agent.
 *
 * Sessions take turns first in, first out, and several run side by side.  A prompt is
 * marked running and committed before the agent hears of it.  What the agent reports is
 * collected (deltas for a moment) and stored in one job at a time; while that commits,
 * more collects, up to a cap beyond which the turn fails.  The last job holds the end
 * of the turn.  Loop thread.
 */
#ifndef COWGATE_CONTROL_PLANE_TURN_H
#define COWGATE_CONTROL_PLANE_TURN_H

#include "control-plane/change.h"
#include "control-plane/command.h"
#include "control-plane/history.h"
#include "control-plane/interior.h"

#define TURN_RUNNING 32 /* turns at once */
#define TURN_SESSIONS 4096 /* sessions with a turn or waiting for one */
#define TURN_WINDOW_MS 60 /* deltas are collected for so long … */
#define TURN_WINDOW_BYTES 4096 /* … or until they are so many */
#define TURN_BUFFER (1024 * 1024) /* bytes reported and not yet stored */
#define TURN_RECORDS 4096 /* … and reports */
#define TURN_LOST_TEXT \
	"The answer was lost when the gateway stopped while the agent was working. " \
	"Please send your message again."
#define TURN_PAYLOAD (256 * 1024) /* bytes of one event */

/* The session has a new prompt. */
void turn_wake(struct plane *plane, int64_t session);
/* A prompt of the session has been taken already, and its transaction is committed.  Moves
 * @taken. */
void turn_adopt(struct plane *plane, int64_t session, struct taken_prompt *taken);
/* Stop the running turn of the session, if there is one. */
void turn_abort(struct plane *plane, int64_t session);
/* Hand a person's answer to the turn that asked.  Takes over what @answer holds. */
void turn_answer(struct plane *plane, struct answer *answer);

/* Offer a message to the running turn; where it cannot be taken, it waits as a prompt. */
void turn_steer(struct plane *plane, const struct steer *steer);

/* At the start: settle what was running when the process died, then look for what waits.
 * Adopts @lost. */
void turn_recover(struct plane *plane, struct lost_command *lost);
/* Wake the next session that had a prompt waiting when the process started, if there
 * is room. */
void turn_scan(struct plane *plane);

/* Free all turns; the database and the agent have gone already. */
void turn_destroy_all(struct plane *plane);

#endif
