/* SPDX-License-Identifier: Apache-2.0 */
/* A rendered text as a terminal shows it: its spans as colours, links readable, lines wrapped
 * between words.  Pure. */
#ifndef PROVIDERS_CLI_STYLE_H
#define PROVIDERS_CLI_STYLE_H

#include <cowgate/outbound.h>
#include <cowgate/sdk/buffer.h>

/*
 * Append @outbound's text for a terminal of @columns (0: lines are not wrapped).  What a model
 * or a person wrote must not steer the terminal: control characters other than line end and tab
 * are shown as U+FFFD.
 */
void cli_style(const struct cg_outbound *outbound, size_t columns, struct cg_buffer *ret);

/* Append @text without any style, cleaned likewise. */
void cli_style_plain(const char *text, size_t length, struct cg_buffer *ret);

#endif
