/* SPDX-License-Identifier: Apache-2.0 */
/* Text as the formatter of manual pages wants it. */
#ifndef COWGATE_CONFIG_ROFF_H
#define COWGATE_CONFIG_ROFF_H

#include <cowgate/sdk/buffer.h>

/* Append @text so that it reads as it is, wherever it stands in a line. */
void roff_text(struct cg_buffer *buffer, const char *text);

#endif
