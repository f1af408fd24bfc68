/* SPDX-License-Identifier: Apache-2.0 */
#include "config/roff.h"

void roff_text(struct cg_buffer *buffer, const char *text)
{
	/* A dot or an apostrophe at the beginning of a line would be a request. */
	if (text[0] == '.' || text[0] == '\'')
		cg_buffer_text(buffer, "\\&");
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			cg_buffer_text(buffer, "\\e");
		else if (*text == '-')
			cg_buffer_text(buffer, "\\-");
		else
			cg_buffer_char(buffer, *text == '\n' ? ' ' : *text);
	}
}
