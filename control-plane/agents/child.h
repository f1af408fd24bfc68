/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program behind an agent: started, heard, and started again when it ends.
 *
 * It gets PATH, HOME, LANG, LC_ALL, TERM, TMPDIR and TZ as we have them, what the agent's
 * settings list, and nothing else.  A program that ends is started again after a delay that
 * grows from one failure to the next.  What it says on stderr goes to the operator.
 */
#ifndef COWGATE_CONTROL_PLANE_CHILD_H
#define COWGATE_CONTROL_PLANE_CHILD_H

#include "control-plane/agents/agent.h"
#include "runtime/process.h"

#define CHILD_BACKOFF_MS 500
#define CHILD_BACKOFF_CAP_MS 60000
#define CHILD_VARIABLES 64 /* of its environment */
#define CHILD_ERROR_LINES 200 /* of its stderr that are passed on between two starts */

struct child_options {
	const char *const *argv; /* NULL-ended; used at every start, so it must stay */
	const char *const
		*extra; /* "NAME=value" of our own, NULL-ended; must stay; or NULL */
	size_t line_limit;
	void (*on_start)(void *arg); /* it was started; it may not have come far */
	void (*on_line)(void *arg, const char *line, size_t length, bool whole);
	/* It is gone, and @why says how, in a sentence without a full stop. */
	void (*on_down)(void *arg, const char *why);
	void *arg;
};

struct child {
	const struct agent_host *host; /* borrowed, as the next */
	const struct agent_options *settings;
	struct child_options options;
	struct process *process; /* NULL: not there */
	struct loop_timer restart;
	struct loop_task fallen; /* the process has ended and is to be buried */
	unsigned failures; /* since it last did well */
	size_t error_lines;
	char why[CG_ERROR_TEXT]; /* how it ended the last time */
};

/* Starts it on a later turn of the loop.  NOT_FOUND, INVALID: what the settings name is not
 * there, so it would be of no use to try. */
enum cg_status child_init(struct child *child, const struct agent_host *host,
	const struct agent_options *settings, const struct child_options *options,
	struct cg_error *err);
/* Kills it; no call any more.  Zero-initialised memory may be passed. */
void child_finish(struct child *child);

/* It has proved to work: the next failure is the first again. */
void child_does_well(struct child *child);
/* Kill it, to be started again.  on_down follows on a later turn. */
void child_restart(struct child *child);

/* NETWORK when it is not there. */
enum cg_status child_write(struct child *child, const char *bytes, size_t length);

/* What the child would get as its environment; NULL-ended, freed with child_environment_free().
 * INVALID: a setting names one of our own variables, or there are too many. */
enum cg_status child_environment(const struct agent_options *settings,
	const char *const *extra, char ***ret, struct cg_error *err);
void child_environment_free(char **environment);

#endif
