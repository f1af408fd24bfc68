/* SPDX-License-Identifier: Apache-2.0 */
#include "config/diff.h"

#include "config/loaded.h"

#include <string.h>

_Static_assert(CONFIG_CHANGES >= CONFIG_OPTIONS + 1 + 2 * CONFIG_PROVIDERS,
	"room for every change that there can be");

static void change_add(struct config_diff *diff, enum config_change_kind kind,
	const char *name, bool restart)
{
	diff->changes[diff->count++] =
		(struct config_change){.kind = kind, .name = name, .restart = restart};
	diff->restart |= restart;
}

static void diff_settings(
	const struct config *before, const struct config *after, struct config_diff *diff)
{
	const struct value *old = config_loaded(before)->values;
	const struct value *new = config_loaded(after)->values;

	for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
		const struct option_row *row = &option_rows[i];

		if (!value_equal(row->rule.kind, &old[i], &new[i]))
			change_add(diff, CONFIG_SETTING_CHANGED, row->name,
				(row->rule.flags & OPTION_RESTART) != 0);
	}
	if (strcmp(before->branding.json, after->branding.json) != 0)
		change_add(diff, CONFIG_SETTING_CHANGED, "branding", false);
	if (!agents_equal(before, after))
		change_add(diff, CONFIG_SETTING_CHANGED, "agents", true);
}

void config_diff(
	const struct config *before, const struct config *after, struct config_diff *ret)
{
	ret->count = 0;
	ret->restart = false;
	diff_settings(before, after, ret);
	for (size_t i = 0; i < before->provider_count; i++) {
		const char *id = before->providers[i].id;

		if (config_provider_find(after, id) == NULL)
			change_add(ret, CONFIG_PROVIDER_REMOVED, id, false);
	}
	for (size_t i = 0; i < after->provider_count; i++) {
		const struct config_provider *now = &after->providers[i];
		const struct config_provider *was = config_provider_find(before, now->id);

		if (was != NULL && !provider_equal(was, now))
			change_add(ret, CONFIG_PROVIDER_CHANGED, now->id, false);
	}
	for (size_t i = 0; i < after->provider_count; i++) {
		const char *id = after->providers[i].id;

		if (config_provider_find(before, id) == NULL)
			change_add(ret, CONFIG_PROVIDER_ADDED, id, false);
	}
}
