/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of the type application/x-www-form-urlencoded. */
#ifndef COWGATE_SDK_FORM_H
#define COWGATE_SDK_FORM_H

#include <cowgate/sdk/buffer.h>
#include <stdbool.h>

/* A Content-Type header (NULL: absent) that names the form type, whatever its parameters. */
bool cg_form_is(const char *content_type);

/*
 * Append the first value of @name, decoded, to @ret.  NOT_FOUND: no such field; INVALID: a broken
 * escape in it; LIMIT or NOMEM of the buffer.
 */
enum cg_status cg_form_value(
	const char *body, size_t length, const char *name, struct cg_buffer *ret);

#endif
