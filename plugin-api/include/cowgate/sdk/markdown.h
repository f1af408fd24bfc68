/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Markdown into readable text and spans, once, by md4c (CommonMark plus strikethrough, tables
 * and bare URLs).  Any input gives a valid result: what md4c does not understand is text.
 */
#ifndef COWGATE_SDK_MARKDOWN_H
#define COWGATE_SDK_MARKDOWN_H

#include <cowgate/outbound.h>
#include <cowgate/status.h>

struct cg_markdown {
	char *text; /* owned, NUL-ended */
	size_t length;
	struct cg_span *spans; /* owned; details are owned too */
	size_t span_count;
};

#define CG_MARKDOWN_MAX (1u << 20) /* bytes of source and of text */
#define CG_MARKDOWN_SPANS 4096

/*
 * LIMIT beyond the size, and for a table of more than 65536 cells; NOMEM.  Beyond the cap of
 * spans the text stays whole.  Links to http, https, mailto and tg become spans; others, and
 * all of them when @spans is false, are written out: "name (url)".
 */
enum cg_status cg_markdown_render(
	const char *source, size_t length, bool spans, struct cg_markdown *ret);
void cg_markdown_finish(struct cg_markdown *markdown);

#endif
