/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of a file that lies in its row, as a file while it is sent.  Whoever dies in between
 * leaves it to the spool's broom: the row still has it.
 */
#ifndef COWGATE_GATEWAY_CONTENT_H
#define COWGATE_GATEWAY_CONTENT_H

#include "gateway/journal/outbox.h"

/* Is it such a row? */
bool content_is_in(const struct outbox_row *row);
/* @ret_path is the caller's, for content_remove().  FULL, IO or NOMEM. */
enum cg_status content_write(
	const struct outbox_row *row, const char *directory, char **ret_path);
/* Accepts NULL. */
void content_remove(char *path);

#endif
