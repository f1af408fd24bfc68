/* SPDX-License-Identifier: Apache-2.0 */
#include "config/report.h"

#include <cowgate/sdk/error.h>
#include <stdlib.h>
#include <string.h>

void config_report_init(struct config_report *report)
{
	memset(report, 0, sizeof(*report));
}

static void issue_finish(struct config_issue *issue)
{
	free(issue->where);
	free(issue->what);
	free(issue->mend);
	memset(issue, 0, sizeof(*issue));
}

void config_report_finish(struct config_report *report)
{
	if (report == NULL)
		return;
	for (size_t i = 0; i < report->count; i++)
		issue_finish(&report->issues[i]);
	config_report_init(report);
}

/* A copy that is safe on a terminal: cg_error_set() replaces control characters and cuts. */
static char *clean_copy(const char *text)
{
	struct cg_error clean;

	cg_error_set(&clean, CG_INVALID, "%s", text);
	return strdup(clean.text);
}

static bool has_issue(const struct config_report *report, enum config_severity severity,
	const char *where, const char *what)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct config_issue *issue = &report->issues[i];

		if (issue->severity == severity && strcmp(issue->where, where) == 0 &&
			strcmp(issue->what, what) == 0)
			return true;
	}
	return false;
}

static void issue_add(struct config_report *report, enum config_severity severity,
	const char *where, const char *mend, const char *what)
{
	struct config_issue issue = {.severity = severity};
	struct cg_error clean;
	size_t *counter = severity == CONFIG_ERROR ? &report->errors : &report->warnings;

	cg_error_set(&clean, CG_INVALID, "%s", where);
	if (has_issue(report, severity, clean.text, what))
		return;
	(*counter)++;
	if (report->count == CONFIG_ISSUES)
		return;
	issue.where = strdup(clean.text);
	issue.what = strdup(what);
	issue.mend = mend != NULL ? clean_copy(mend) : NULL;
	if (issue.where == NULL || issue.what == NULL ||
		(mend != NULL && issue.mend == NULL)) {
		issue_finish(&issue);
		return;
	}
	report->issues[report->count++] = issue;
}

void config_report_error(struct config_report *report, const char *where,
	const char *mend, const char *format, ...)
{
	struct cg_error what;
	va_list args;

	va_start(args, format);
	cg_error_vset(&what, CG_INVALID, format, args);
	va_end(args);
	issue_add(report, CONFIG_ERROR, where, mend, what.text);
}

void config_report_warning(struct config_report *report, const char *where,
	const char *mend, const char *format, ...)
{
	struct cg_error what;
	va_list args;

	va_start(args, format);
	cg_error_vset(&what, CG_INVALID, format, args);
	va_end(args);
	issue_add(report, CONFIG_WARNING, where, mend, what.text);
}

enum cg_status config_report_write(
	const struct config_report *report, struct cg_buffer *buffer)
{
	size_t lost = report->errors + report->warnings - report->count;

	for (size_t i = 0; i < report->count; i++) {
		const struct config_issue *issue = &report->issues[i];

		cg_buffer_format(buffer, "%s: %s: %s\n",
			issue->severity == CONFIG_ERROR ? "error" : "warning",
			issue->where, issue->what);
		if (issue->mend != NULL)
			cg_buffer_format(buffer, "    %s\n", issue->mend);
	}
	if (lost > 0)
		cg_buffer_format(buffer, "and %zu more\n", lost);
	return cg_buffer_status(buffer);
}
