/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program behind an agent, played by the test.  Linked in place of control-plane/agents/child.c;
 * there is one at a time, and it starts only when it is told to.
 */
#ifndef COWGATE_TESTS_CHILD_FAKE_H
#define COWGATE_TESTS_CHILD_FAKE_H

#include "control-plane/agents/child.h"

#include <cowgate/sdk/buffer.h>

struct child_fake {
	struct child *child; /* NULL: none was made */
	struct cg_buffer read; /* all that it was told, since that was last cleared */
	bool runs;
	bool deaf; /* it does not read any more */
	unsigned restarts; /* it was to be ended for a new start */
	bool well; /* it has proved to work */
};

extern struct child_fake child_fake;

void child_fake_start(void);
void child_fake_say(const char *line);
/* It ends. */
void child_fake_die(const char *why);

#endif
