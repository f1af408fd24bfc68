/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret is a type of its own: it has no print format, is compared in constant time and
 * wiped when it goes.
 */
#ifndef COWGATE_SDK_SECRET_H
#define COWGATE_SDK_SECRET_H

#include <cowgate/status.h>
#include <stdbool.h>
#include <stddef.h>

#define CG_SECRET_MAX 4096 /* bytes */

/* Zero is an unset secret.  Use the functions; the fields are not for printing. */
struct cg_secret {
	char *bytes; /* owned; NUL after length bytes */
	size_t length;
};

/* Copy @length bytes in, wiping what was there.  NULL or 0 unsets. LIMIT beyond CG_SECRET_MAX. */
enum cg_status cg_secret_set(struct cg_secret *secret, const char *bytes, size_t length);

/* Move: @to takes over and @from becomes unset. */
void cg_secret_take(struct cg_secret *to, struct cg_secret *from);

void cg_secret_wipe(struct cg_secret *secret);

static inline bool cg_secret_is_set(const struct cg_secret *secret)
{
	return secret->length > 0;
}

/* Constant time in the contents.  An unset secret equals nothing. */
bool cg_secret_equals(const struct cg_secret *secret, const char *bytes, size_t length);

/* Overwrite memory in a way that the compiler keeps. */
void cg_wipe(void *bytes, size_t length);

#endif
