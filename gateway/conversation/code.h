/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long code in an answer: a block that would fill more than CODE_MESSAGES messages of a chat is
 * taken out, to be sent as a file behind the text, which names it.  Pure.
 */
#ifndef COWGATE_GATEWAY_CODE_H
#define COWGATE_GATEWAY_CODE_H

#include "gateway/delivery/outlet.h"

#define CODE_MESSAGES 2 /* that a block may fill before it is too long */
#define CODE_FILES 8 /* of one answer; what is beyond stays in the text */
#define CODE_NAME 32 /* bytes of a name, its NUL included */
#define CODE_TYPE "text/plain"

struct code_file {
	char name[CODE_NAME]; /* "code.py", "code-2.txt" */
	char *text; /* owned */
};

struct code {
	char *text; /* owned; what is left of the answer.  NULL: all of it, nothing was taken */
	struct code_file files[CODE_FILES];
	size_t count;
};

/* NOMEM, and nothing was taken.  A channel that is no chat, takes the source or carries no files
 * gets everything in the text. */
enum cg_status code_take(const struct outlet *outlet, const char *instance,
	const char *source, struct code *ret);
void code_finish(struct code *code);

#endif
