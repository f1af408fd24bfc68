/* SPDX-License-Identifier: Apache-2.0 */
/* Fill and read a struct cg_error. */
#ifndef COWGATE_SDK_ERROR_H
#define COWGATE_SDK_ERROR_H

#include <cowgate/status.h>
#include <stdarg.h>

/*
 * Set @err (which may be NULL) to @status and a printf sentence, cut to CG_ERROR_TEXT, with
 * control characters replaced.  Returns @status, so that a caller can `return cg_error_set(…)`.
 */
enum cg_status cg_error_set(struct cg_error *err, enum cg_status status,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As cg_error_set() with an argument list. */
enum cg_status cg_error_vset(struct cg_error *err, enum cg_status status,
	const char *format, va_list args) __attribute__((format(printf, 3, 0)));

/* Put "@format: " before the sentence that is there already.  Returns its status, INTERNAL
 * when @err is NULL (which has no status to return). */
enum cg_status cg_error_prefix(struct cg_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Out of memory, said once and the same way everywhere. */
enum cg_status cg_error_nomem(struct cg_error *err);

/* Static text of a status, and its name in lower case ("not_found") for logs and JSON. */
const char *cg_status_text(enum cg_status status);
const char *cg_status_name(enum cg_status status);

#endif
