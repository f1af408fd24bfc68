/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that is wrong with the settings, said at once: where, what, and what to change. */
#ifndef COWGATE_CONFIG_REPORT_H
#define COWGATE_CONFIG_REPORT_H

#include <cowgate/sdk/buffer.h>
#include <stdbool.h>
#include <stddef.h>

/* Issues that are kept.  More are counted only; an error among them still counts as one. */
#define CONFIG_ISSUES 128

enum config_severity {
	CONFIG_WARNING,
	CONFIG_ERROR,
};

struct config_issue {
	enum config_severity severity;
	char *where; /* owned: a variable, or a file and the path in it; never NULL */
	char *what; /* owned: one sentence, without secrets; never NULL */
	char *mend; /* owned: what to change; NULL when @what says it */
};

struct config_report {
	struct config_issue issues[CONFIG_ISSUES];
	size_t count;
	size_t errors; /* seen, kept or not */
	size_t warnings; /* seen, kept or not */
};

void config_report_init(struct config_report *report);
void config_report_finish(struct config_report *report);

/*
 * Add one issue.  @where and @mend (which may be NULL) are copied, control characters are
 * replaced, and a text is cut at CG_ERROR_TEXT.  The same issue twice is kept once.
 */
void config_report_error(struct config_report *report, const char *where,
	const char *mend, const char *format, ...) __attribute__((format(printf, 4, 5)));
void config_report_warning(struct config_report *report, const char *where,
	const char *mend, const char *format, ...) __attribute__((format(printf, 4, 5)));

static inline bool config_report_failed(const struct config_report *report)
{
	return report->errors > 0;
}

/* "error: WHERE: what\n    mend" for each issue, then how many were not kept. */
enum cg_status config_report_write(
	const struct config_report *report, struct cg_buffer *buffer);

#endif
