/* SPDX-License-Identifier: Apache-2.0 */
/* Text with spans as HTML, and HTML as text.  Pure. */
#ifndef PROVIDERS_EMAIL_PAGE_H
#define PROVIDERS_EMAIL_PAGE_H

#include <cowgate/outbound.h>
#include <cowgate/sdk/buffer.h>

#define PAGE_DEPTH 32 /* spans open at once; deeper ones are text */

/*
 * Append a whole HTML page that shows @text with @spans.  Everything is escaped, links lead to
 * http, https and mailto only, tags are balanced whatever the spans are.  LIMIT or NOMEM of the
 * buffer.
 */
enum cg_status page_write(struct cg_buffer *html, const char *text, size_t length,
	const struct cg_span *spans, size_t count);

/*
 * Append what a person would read of @html: no scripts, no styles, nothing that is hidden;
 * links keep their address, quotations their mark ("> ").  Valid UTF-8 in gives valid UTF-8 out.
 */
enum cg_status page_read(struct cg_buffer *text, const char *html, size_t length);

#endif
