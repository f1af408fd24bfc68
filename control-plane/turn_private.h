/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a turn share.  Nobody else includes this.
 *
 * A turn belongs to its session's place among the live ones from turn_create() until its end is
 * stored.  turn.c takes prompts and stores what is said of them, turn_report.c hears the agent,
 * turn_people.c hears people, recovery.c picks up what the last process left.
 */
#ifndef COWGATE_CONTROL_PLANE_TURN_PRIVATE_H
#define COWGATE_CONTROL_PLANE_TURN_PRIVATE_H

#include "control-plane/ask.h"
#include "control-plane/record.h"
#include "control-plane/turn.h"

#include <cowgate/sdk/error.h>

enum turn_state {
	TURN_WAITS, /* for a free place */
	TURN_TAKES, /* the job that marks the prompt as running is under way */
	TURN_RUNS, /* the agent works, or has ended and its last words are being stored */
};

struct turn {
	struct plane *plane;
	struct live *live;
	struct turn *next; /* among those that wait */
	enum turn_state state;
	bool again; /* a prompt came meanwhile */

	/* The prompt, from TURN_RUNS on. */
	struct taken_prompt taken;
	struct agent_turn *agent_turn; /* NULL before its start and after its end */
	bool aborted; /* a person wants it to stop */
	bool overflow; /* it has said more than can be kept */
	bool ended;
	enum agent_end end;
	const char *end_code; /* literal: of the command, when it failed */
	char end_text[CG_ERROR_TEXT];

	struct taken_prompt after; /* taken before this one has left; text NULL: none */
	bool settling; /* of an earlier process: its fate may turn out to be unknown … */
	bool returns; /* … and then it is done anew */

	struct ask_list asked_people;
	struct loop_timer patience; /* until the first of them has waited too long */

	struct record_list said; /* not yet in a job */
	struct loop_timer timer; /* end of the window, or when the store is tried again */
	struct loop_task flush;
	bool due; /* what is collected shall be stored now */

	/* The job, taking or writing. */
	struct database_job job;
	bool in_flight;
	struct change change;
	struct record_list writing;
	struct offload_job keeping; /* its files, before the job */
	struct record_end ending;
	bool last; /* the job holds the end of the turn */
	bool opened; /* what the turn has begun, see struct record_batch */
	bool asked;
};

/* turn.c */

/* A turn for the session, which has none; NULL without memory. */
struct turn *turn_create(struct plane *plane, struct live *live);
/* Undo turn_create(): nothing of it has been stored. */
void turn_drop(struct turn *turn);
/* A report has been collected, or (@status) could not be: store it @now or with what follows. */
void turn_collect(struct turn *turn, enum cg_status status, bool now);
/* Whether reports still count. */
bool turn_listens(const struct turn *turn);
/* Have the agent stop. */
void turn_cancel(struct turn *turn);

/* turn_report.c */

extern const struct agent_sink turn_sink;

/* turn_people.c */

/* Wait for whoever was asked first, as long as is left. */
void turn_arm_patience(struct turn *turn);
/* Nobody has answered in time: a refusal in nobody's name.  Of the timer; @arg is the turn. */
void turn_impatient(void *arg);

#endif
