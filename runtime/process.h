/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child process that talks in lines over its standard streams.
 *
 * It runs below a keeper (keeper/main.c), a small process of its own that ends it and
 * everything that came of it when it is told to, and also when this process is gone, whatever
 * ended that.  The child gets the environment that is listed and no descriptor but the three.
 *
 * Loop thread.  A process must not be destroyed inside its own callbacks.
 */
#ifndef COWGATE_RUNTIME_PROCESS_H
#define COWGATE_RUNTIME_PROCESS_H

#include "runtime/loop.h"

#include <cowgate/status.h>
#include <stdbool.h>
#include <stddef.h>

#define PROCESS_INPUT (32u << 20) /* bytes that the child has not read yet */
#define PROCESS_ERROR_LINE 1024 /* bytes of a line on stderr; the rest of it is dropped */
#define PROCESS_ARGUMENTS 256
#define PROCESS_LIMITS 16

struct process;

struct process_exit {
	bool ran; /* else text says why not */
	int code; /* when no signal ended it */
	int signal; /* 0: none */
	char text[CG_ERROR_TEXT]; /* how it ended, a part of a sentence */
};

struct process_options {
	const char *keeper; /* path of cowgate-keeper */
	const char *const *argv; /* NULL-ended */
	const char *const *environment; /* "NAME=value", NULL-ended: all that it gets */
	const char *directory; /* NULL: ours */
	const char *user; /* NULL: ours; else see platform_may_switch_user() */
	const char *const *limits; /* "nofile=4096", NULL-ended; may be NULL */
	size_t line_limit; /* bytes of a line on stdout */
	/* Each line of stdout; @whole is false when it was longer and has been cut. */
	void (*on_line)(void *arg, const char *line, size_t length, bool whole);
	/* Each line of stderr, cut where it is too long. */
	void (*on_error)(void *arg, const char *line, size_t length);
	/* Exactly once and last, unless it is destroyed before: all of it is dead. */
	void (*on_exit)(void *arg, const struct process_exit *exit);
	void *arg;
};

/* Everything in @options is used during the call only, but for the functions and arg.  That a
 * program cannot be run is told by on_exit. */
enum cg_status process_create(struct loop *loop, const struct process_options *options,
	struct process **ret, struct cg_error *err);

/* Kills it and all that came of it, and waits until they are dead, which takes a moment. */
void process_destroy(struct process *process);

/* Write to its stdin when it reads.  LIMIT: too much waits; NETWORK: stdin is closed. */
enum cg_status process_write(struct process *process, const char *bytes, size_t length);
size_t process_unwritten(const struct process *process);

/* SIGTERM, and SIGKILL after two seconds; SIGKILL at once.  on_exit tells when it is done. */
void process_end(struct process *process);
void process_kill(struct process *process);

#endif
