/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is given back all at once and wiped first, since settings hold secrets.
 *
 * Out of memory is remembered: an allocation gives NULL then, and so does every later one.
 */
#ifndef COWGATE_CONFIG_ARENA_H
#define COWGATE_CONFIG_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	bool failed;
};

/* A zeroed struct arena is an empty one. */
void arena_finish(struct arena *arena);

/* Zeroed bytes, aligned for anything. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of @length bytes with a NUL behind it, and of a whole string (NULL gives NULL). */
char *arena_copy(struct arena *arena, const char *text, size_t length);
char *arena_text(struct arena *arena, const char *text);

/* A copy without blanks at either end; NULL when nothing is left or @text is NULL. */
char *arena_trim(struct arena *arena, const char *text, size_t length);

char *arena_format(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
