/* SPDX-License-Identifier: Apache-2.0 */
#include "config/roff.h"

#include <cowgate/sdk/text.h>
#include <string.h>

/* Formatters read bytes; beyond ASCII a character is named. */
static size_t add_point(struct cg_buffer *buffer, const char *text)
{
	uint32_t point = CG_UTF8_REPLACEMENT;
	size_t length = cg_utf8_decode(text, strlen(text), &point);

	cg_buffer_format(buffer, "\\[u%04X]", (unsigned)point);
	return length == 0 ? 1 : length;
}

void roff_text(struct cg_buffer *buffer, const char *text)
{
	/* A dot or an apostrophe at the beginning of a line would be a request. */
	if (text[0] == '.' || text[0] == '\'')
		cg_buffer_text(buffer, "\\&");
	while (*text != '\0') {
		if (*text == '\\')
			cg_buffer_text(buffer, "\\e");
		else if (*text == '-')
			cg_buffer_text(buffer, "\\-");
		else if ((unsigned char)*text >= 0x80)
			text += add_point(buffer, text) - 1;
		else
			cg_buffer_char(buffer, *text == '\n' ? ' ' : *text);
		text++;
	}
}
