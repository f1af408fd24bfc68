/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server of OpenCode, played by the test.  Linked in place of
 * control-plane/agents/opencode_server.c; there is one at a time, and it is away at first.
 */
#ifndef COWGATE_TESTS_OPENCODE_SERVER_FAKE_H
#define COWGATE_TESTS_OPENCODE_SERVER_FAKE_H

#include "control-plane/agents/opencode.h"

#include <cowgate/sdk/buffer.h>

struct opencode_server_fake {
	struct opencode *opencode;
	/* "METHOD path body\n" each, since that was last cleared */
	struct cg_buffer asked;
	bool full; /* it takes no more calls */
};

extern struct opencode_server_fake opencode_server_fake;

/* Its stream of events begins; it breaks off, and what was asked gets no answer. */
void opencode_server_fake_up(void);
void opencode_server_fake_down(void);
/* Answer the oldest call whose path holds @path with JSON text, NULL for none, or refuse it with
 * @status.  False: there is no such call. */
bool opencode_server_fake_answer(const char *path, const char *json);
bool opencode_server_fake_refuse(const char *path, enum cg_status status);
/* An event, by its type and its properties. */
void opencode_server_fake_event(const char *type, const char *properties);

#endif
