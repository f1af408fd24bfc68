/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The screen of a terminal: keys one by one, and what else is written to it held back until
 * the row that is being typed is out of the way.
 */
#ifndef PROVIDERS_CLI_TERMINAL_H
#define PROVIDERS_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

struct terminal {
	bool open;
	struct termios before; /* what the terminal is given back with */
	int log; /* reads what goes to standard error; -1: that goes elsewhere */
	int error; /* owned: standard error as it was; -1 */
};

/* Can lines be edited on these descriptors?  Both are the terminal, and it is no dumb one. */
bool terminal_fits(int in, int out);

/*
 * Take the terminal over: no line mode and no echo, pasted texts marked.  Standard error, where
 * it is the same terminal, goes through terminal->log from now on; a log that nobody reads is
 * dropped rather than waited for.  False: nothing has changed.
 */
bool terminal_open(struct terminal *terminal, int in, int out);
/* Give everything back.  Accepts one that is not open. */
void terminal_close(struct terminal *terminal, int in, int out);

/* Width; 80 where it is not known. */
size_t terminal_columns(int out);

#endif
