/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subcommand as the program runs it: in a process of its own, with a home of its own, and with
 * a gateway (on the Unix socket of its data directory) and platforms (on a port of 127.0.0.1)
 * that the test plays.  In its arguments and its environment {port} is that port and {home} that
 * home.  What it leaks makes its exit code another one where a sanitizer looks.
 */
#ifndef COWGATE_TESTS_CLI_RIG_H
#define COWGATE_TESTS_CLI_RIG_H

#include "cli/command.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/buffer.h>
#include <stdbool.h>

#define RIG_SECONDS 60 /* that a command may take before it is ended */
#define RIG_TEXT (4u << 20) /* bytes that it may say or send */

/* Beside HTTP's own: */
#define RIG_HANG_UP 0 /* no answer at all */
#define RIG_RAW 1 /* the body is all that goes over the wire */
#define RIG_STREAM 2 /* events follow: those of .says, here and of later rows */

struct rig_answer {
	const char *request; /* method and path with its query */
	int status;
	const char *body;
	const char *says; /* then to the stream that is open, or NULL */
	const char *types; /* then as a person to stdin; "": its end */
};

#define RIG_ANSWER(of, with, what) \
	{ \
		.request = (of), .status = (with), .body = (what) \
	}
#define RIG_ANSWERS_END \
	{ \
		.request = NULL \
	}

enum rig_gateway {
	RIG_SERVES,
	RIG_ABSENT, /* there is no socket */
	RIG_ENDED, /* it is there, but nobody listens */
};

typedef int rig_command(int argc, char **argv);

struct rig {
	char directory[64]; /* home and data */
	int port; /* of the platforms, once rig_begin() is back */
	/* Set before a run.  A row answers once, the last one of its request ever after; what has
	 * none gets a 404 that says so. */
	const struct rig_answer *answers;
	const char *const
		*environment; /* NAME=value, ends with NULL; beyond the usual ones */
	const char *input; /* stdin */
	bool typing; /* stdin is a person's: it ends when a row says so */
	enum rig_gateway gateway;
	/* Of the last run: */
	const char *out, *err;
	const char *requests; /* "METHOD path[ body]\n" of each */
	const char *heads; /* all of their header lines */

	struct cg_buffer out_text, err_text, request_text, head_text;
	int unix_listener, port_listener, stream, keyboard;
	bool used[64]; /* rows */
};

void rig_begin(struct rig *rig);
void rig_end(struct rig *rig);

/* The exit code of @command with these arguments, the first being its word, up to a NULL. */
int rig_run(struct rig *rig, rig_command *command, ...) __attribute__((sentinel));

/* Path of a file in the home; a static room that the next call takes. */
const char *rig_path(const struct rig *rig, const char *name);
/* Make a file there. */
void rig_write(const struct rig *rig, const char *name, const char *text, unsigned mode);

/* Is it this text, or does it have this part?  If not, it is shown. */
bool rig_same(const char *got, const char *wanted);
bool rig_has(const char *got, const char *part);

#endif
