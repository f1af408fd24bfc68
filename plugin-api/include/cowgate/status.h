/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a call ends, and what the operator is told about it.
 *
 * A function that can fail returns enum cg_status.  When it also takes a struct cg_error,
 * it fills that with one sentence that says what to change; NULL is always accepted.
 */
#ifndef COWGATE_STATUS_H
#define COWGATE_STATUS_H

enum cg_status {
#define CG_STATUS(name, text) CG_##name,
#include <cowgate/status.def>
#undef CG_STATUS
};

/* Length of an error sentence in bytes, its final NUL included. */
#define CG_ERROR_TEXT 256

/* Part of the ABI: its size never changes. */
struct cg_error {
	int status; /* enum cg_status */
	char text[CG_ERROR_TEXT];
};

#endif
