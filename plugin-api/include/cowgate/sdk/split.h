/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cut a long text into messages without tearing a code fence, a character or a span.
 *
 * The unit and limit are the platform's.  Cuts prefer a blank line, then a line, then a space.
 * Inside a fenced block of a Markdown source each part closes the fence and the next opens it
 * again, with the same language.
 */
#ifndef COWGATE_SDK_SPLIT_H
#define COWGATE_SDK_SPLIT_H

#include <cowgate/capability.h>
#include <cowgate/status.h>
#include <stdbool.h>
#include <stddef.h>

struct cg_part {
	char *text; /* owned, NUL-ended */
	size_t length;
};

struct cg_parts {
	struct cg_part *items; /* owned */
	size_t count;
};

/*
 * @limit in @unit, at least 32, else INVALID.  @max_parts bounds the count: LIMIT beyond it.
 * A text within the limit is one part as it is; an empty one has no parts.  Otherwise nothing
 * but blanks and line ends at the cuts is lost, and a text of nothing but blanks has no parts.
 * A fence whose own marks would fill a quarter of a part is left torn.
 */
enum cg_status cg_split(const char *source, size_t length, enum cg_text_unit unit,
	size_t limit, size_t max_parts, struct cg_parts *ret);
void cg_parts_finish(struct cg_parts *parts);

/* A fenced block, in bytes from the start of the source. */
struct cg_fenced {
	size_t at, end; /* with the lines of its fence, without the last line's end */
	size_t code, code_end; /* the lines between, each with its end */
	size_t indent; /* blanks before the fence */
	size_t info,
		info_length; /* what stands behind the marks that open it: a language */
};

/* The next block at @from, where a line outside of any block begins or ends, or behind it.
 * False: there is none that has an end. */
bool cg_fenced_next(
	const char *source, size_t length, size_t from, struct cg_fenced *ret);

#endif
