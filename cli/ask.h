/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to a person at a terminal.  What they type as a secret is not shown. */
#ifndef COWGATE_CLI_ASK_H
#define COWGATE_CLI_ASK_H

#include <stdbool.h>
#include <stddef.h>

#define ASK_LINE 4096 /* bytes of an answer */

/*
 * Ask, with @fallback (may be NULL) as the answer of an empty line.  False at the end of input, and
 * for a line that does not fit, of which nothing is kept; @ret is "" then.
 */
bool ask_line(const char *question, const char *fallback, char *ret, size_t size);
bool ask_secret(const char *question, char *ret, size_t size);
/* An empty line means yes. */
bool ask_yes(const char *question);

/* One line of stdin without a question; false likewise. */
bool ask_read(char *ret, size_t size);

#endif
