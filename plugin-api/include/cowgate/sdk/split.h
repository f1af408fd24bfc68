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

#endif
