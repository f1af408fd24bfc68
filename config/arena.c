/* SPDX-License-Identifier: Apache-2.0 */
#include "config/arena.h"

#include <cowgate/sdk/secret.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Payload of a block; a larger piece gets a block to itself. */
#define BLOCK_SIZE 4096

struct arena_block {
	struct arena_block *next;
	size_t size;
	size_t used;
	max_align_t bytes[];
};

void arena_finish(struct arena *arena)
{
	while (arena->blocks != NULL) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		cg_wipe(block->bytes, block->used);
		free(block);
	}
	arena->failed = false;
}

static struct arena_block *block_add(struct arena *arena, size_t size)
{
	size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
	struct arena_block *block = calloc(1, sizeof(*block) + room);

	if (block == NULL)
		return NULL;
	block->size = room;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->blocks;
	const size_t align = _Alignof(max_align_t);
	size_t room;
	void *piece;

	if (arena->failed)
		return NULL;
	if (size > SIZE_MAX / 2) {
		arena->failed = true;
		return NULL;
	}
	room = (size + align - 1) / align * align;
	if (block == NULL || block->size - block->used < room)
		block = block_add(arena, room);
	if (block == NULL) {
		arena->failed = true;
		return NULL;
	}
	piece = (char *)block->bytes + block->used;
	block->used += room;
	return piece;
}

char *arena_copy(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);

	if (copy != NULL && length > 0)
		memcpy(copy, text, length);
	return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
	return text != NULL ? arena_copy(arena, text, strlen(text)) : NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char *arena_trim(struct arena *arena, const char *text, size_t length)
{
	if (text == NULL)
		return NULL;
	while (length > 0 && is_blank(text[0])) {
		text++;
		length--;
	}
	while (length > 0 && is_blank(text[length - 1]))
		length--;
	return length > 0 ? arena_copy(arena, text, length) : NULL;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text = NULL;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, args);
	if (length >= 0)
		text = arena_alloc(arena, (size_t)length + 1);
	if (text != NULL)
		vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}
