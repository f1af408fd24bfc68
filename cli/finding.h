/* SPDX-License-Identifier: Apache-2.0 */
/* What was looked at and found, each fault with its mend: for `doctor` and `init`. */
#ifndef COWGATE_CLI_FINDING_H
#define COWGATE_CLI_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#define FINDINGS_MAX 512
#define FINDING_TEXT 512

enum finding_level {
	FINDING_OK,
	FINDING_WARNING,
	FINDING_FAULT,
};

struct finding {
	enum finding_level level;
	char what[64]; /* "disk", "channel telegram" */
	char text[FINDING_TEXT]; /* what was found, one sentence */
	char mend[FINDING_TEXT]; /* what to do; "" when all is well */
};

struct json_object;

/* Zero is empty; what does not fit is counted as a fault and said at the end. */
struct findings {
	struct finding *items; /* owned */
	size_t count;
	bool full;
};

void findings_finish(struct findings *findings);

/* Add one; @mend may be NULL.  The texts are copied and cut. */
void findings_add(struct findings *findings, enum finding_level level, const char *what,
	const char *mend, const char *format, ...) __attribute__((format(printf, 5, 6)));

bool findings_failed(const struct findings *findings);

/* To stdout, one line each, and the mend below. */
void findings_print(const struct findings *findings);

/* An array of {level, what, text, mend}; the caller owns it. */
struct json_object *findings_json(const struct findings *findings);

#endif
