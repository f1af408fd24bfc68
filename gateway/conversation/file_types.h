/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files of people go to the agent, by the type and the name that they come with.  Programs are
 * a type of their own, whatever they are called: no pattern but their own word stands for them.
 * Pure.
 */
#ifndef COWGATE_GATEWAY_FILE_TYPES_H
#define COWGATE_GATEWAY_FILE_TYPES_H

#include <stdbool.h>
#include <stddef.h>

#define FILE_TYPES_PROGRAMS "programs" /* the word for them */

/* Patterns: "type/subtype", "type/" and a star, or the word above. */
struct file_types {
	const char *const *items; /* borrowed */
	size_t count; /* 0: everything is taken */
};

enum file_verdict {
	FILE_TAKEN,
	FILE_NO_PROGRAM, /* programs are not taken */
	FILE_NO_TYPE, /* this type is not taken */
};

/* @type and @name may be NULL; a file without a type is application/octet-stream. */
enum file_verdict file_types_judge(
	const struct file_types *types, const char *type, const char *name);

#endif
