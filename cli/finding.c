/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/finding.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const level_names[] = {
	[FINDING_OK] = "ok",
	[FINDING_WARNING] = "warning",
	[FINDING_FAULT] = "fault",
};

void findings_finish(struct findings *findings)
{
	free(findings->items);
	*findings = (struct findings){.items = NULL};
}

void findings_add(struct findings *findings, enum finding_level level, const char *what,
	const char *mend, const char *format, ...)
{
	struct finding *finding;
	va_list args;

	if (findings->items == NULL)
		findings->items = calloc(FINDINGS_MAX, sizeof(*findings->items));
	if (findings->items == NULL || findings->count == FINDINGS_MAX) {
		findings->full = true;
		return;
	}
	finding = &findings->items[findings->count++];
	finding->level = level;
	cg_text_copy(finding->what, sizeof(finding->what), what);
	cg_text_copy(finding->mend, sizeof(finding->mend), mend == NULL ? "" : mend);
	va_start(args, format);
	vsnprintf(finding->text, sizeof(finding->text), format, args);
	va_end(args);
}

bool findings_failed(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		if (findings->items[i].level == FINDING_FAULT)
			return true;
	}
	return findings->full;
}

void findings_print(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		printf("%-8s %-20s %s\n", level_names[finding->level], finding->what,
			finding->text);
		if (finding->mend[0] != '\0')
			printf("%-8s %-20s → %s\n", "", "", finding->mend);
	}
	if (findings->full)
		printf("%-8s there was more to say than fits here\n", "fault");
}

struct json_object *findings_json(const struct findings *findings)
{
	struct json_object *list = cg_json_new_array();

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];
		struct json_object *entry = cg_json_new_object();

		cg_json_put_string(entry, "level", level_names[finding->level]);
		cg_json_put_string(entry, "what", finding->what);
		cg_json_put_string(entry, "text", finding->text);
		cg_json_put_string(
			entry, "mend", finding->mend[0] == '\0' ? NULL : finding->mend);
		cg_json_append(list, entry);
	}
	return list;
}
