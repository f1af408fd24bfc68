/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text, unit and limit: parts fit, are not blank, tear no character, and hold the source in
 * order.  Between what they hold of it lie only blanks, and in them beyond it only fence lines.
 */
#include <cowgate/sdk/split.h>
#include <cowgate/sdk/text.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 4096
#define PLACES_MAX 1024

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Skip to the end of the first line, its line end included. */
static size_t first_line(const struct cg_part *part)
{
	const char *end = memchr(part->text, '\n', part->length);

	return end != NULL ? (size_t)(end - part->text) + 1 : 0;
}

/* Bytes before the last line, its line end excluded. */
static size_t last_line(const struct cg_part *part)
{
	size_t at = part->length;

	while (at > 0 && part->text[at - 1] != '\n')
		at--;
	return at > 0 ? at - 1 : part->length;
}

/* Where in the source the parts so far may have ended: few, but a fence is easily mistaken. */
struct places {
	const char *at[PLACES_MAX];
	size_t count;
};

static void add_place(struct places *places, const char *at)
{
	for (size_t i = 0; i < places->count; i++) {
		if (places->at[i] == at)
			return;
	}
	require(places->count < PLACES_MAX);
	places->at[places->count++] = at;
}

/* A part is a stretch of the source, perhaps between two inserted lines, behind some blanks. */
static void match(
	const char *at, const char *end, const struct cg_part *part, struct places *ret)
{
	const size_t starts[] = {0, first_line(part)};
	const size_t stops[] = {part->length, last_line(part)};

	for (;; at++) {
		for (int i = 0; i < 4; i++) {
			size_t start = starts[i & 1];
			size_t stop = stops[i >> 1];

			if (start < stop && (size_t)(end - at) >= stop - start &&
				memcmp(at, part->text + start, stop - start) == 0)
				add_place(ret, at + (stop - start));
		}
		if (at == end || !is_blank(*at))
			return;
	}
}

static void check_parts(const char *source, size_t length, const struct cg_parts *parts)
{
	const char *end = source + length;
	struct places places = {.at = {source}, .count = 1};
	bool complete = false;

	for (size_t i = 0; i < parts->count; i++) {
		struct places next = {.count = 0};

		for (size_t j = 0; j < places.count; j++)
			match(places.at[j], end, &parts->items[i], &next);
		places = next;
	}
	for (size_t i = 0; i < places.count; i++) {
		const char *at = places.at[i];

		while (at < end && is_blank(*at))
			at++;
		complete |= at == end;
	}
	require(complete);
}

/* Blocks follow each other, and each lies in itself as it is said to. */
static void check_blocks(const char *source, size_t length)
{
	struct cg_fenced block;
	size_t from = 0;

	while (cg_fenced_next(source, length, from, &block)) {
		require(block.at >= from && block.code <= block.code_end);
		require(block.at + block.indent < block.info);
		require(block.info + block.info_length <= block.code);
		require(block.code_end < block.end && block.end <= length);
		require(source[block.code_end - 1] == '\n');
		from = block.end;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct cg_parts parts = {0};
	enum cg_text_unit unit;
	enum cg_status status;
	const char *source;
	size_t limit;

	if (length < 2)
		return 0;
	unit = (enum cg_text_unit)(bytes[0] % 3);
	limit = 32 + bytes[1];
	source = (const char *)bytes + 2;
	length -= 2;
	status = cg_split(source, length, unit, limit, PARTS_MAX, &parts);
	require(status == CG_OK || status == CG_LIMIT);
	if (status != CG_OK)
		return 0;
	for (size_t i = 0; i < parts.count; i++) {
		const struct cg_part *part = &parts.items[i];

		require(part->text[part->length] == '\0');
		require(cg_text_measure(part->text, part->length, unit) <= limit);
		require(parts.count == 1 || strspn(part->text, " \t\r\n") < part->length);
		if (cg_utf8_valid(source, length))
			require(cg_utf8_valid(part->text, part->length));
	}
	check_parts(source, length, &parts);
	cg_parts_finish(&parts);
	check_blocks(source, length);
	return 0;
}
