/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/settings_fake.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

static const struct settings_fake *fake_of(const struct cg_settings *settings)
{
	return (const struct settings_fake *)(const void *)settings;
}

static const struct cg_option *find_option(
	const struct settings_fake *fake, const char *name)
{
	for (size_t i = 0; i < fake->option_count; i++) {
		if (strcmp(fake->options[i].name, name) == 0)
			return &fake->options[i];
	}
	CU_FAIL("a setting is read that was not declared");
	return NULL;
}

static const char *raw(const struct cg_settings *settings, const char *name)
{
	const struct settings_fake *fake = fake_of(settings);
	const struct cg_option *option = find_option(fake, name);

	for (const struct settings_pair *pair = fake->pairs; pair->name != NULL; pair++) {
		if (strcmp(pair->name, name) == 0)
			return pair->value;
	}
	return option == NULL ? NULL : option->fallback;
}

static int64_t get_integer(const struct cg_settings *settings, const char *name)
{
	int64_t number = 0;
	const char *text = raw(settings, name);

	CU_ASSERT_TRUE(text == NULL || cg_parse_int(text, &number));
	return number;
}

static bool get_boolean(const struct cg_settings *settings, const char *name)
{
	const char *text = raw(settings, name);

	return text != NULL && strcmp(text, "true") == 0;
}

static size_t get_count(const struct cg_settings *settings, const char *name)
{
	const char *text = raw(settings, name);
	size_t count = text != NULL;

	for (; text != NULL && *text != '\0'; text++)
		count += *text == ',';
	return count;
}

static const char *get_item(
	const struct cg_settings *settings, const char *name, size_t index)
{
	static char item[256];
	const char *text = raw(settings, name);

	for (; index > 0; index--)
		text = strchr(text, ',') + 1;
	snprintf(item, sizeof(item), "%.*s", (int)strcspn(text, ","), text);
	return item;
}

static const char *get_secret(
	const struct cg_settings *settings, const char *name, size_t *length)
{
	const char *text = raw(settings, name);

	*length = text == NULL ? 0 : strlen(text);
	return text;
}

void settings_fake_init(struct settings_fake *fake, const char *kind,
	const struct cg_option *options, size_t option_count,
	const struct settings_pair *pairs)
{
	*fake = (struct settings_fake){.options = options,
		.option_count = option_count,
		.pairs = pairs,
		.settings = {.size = sizeof(struct cg_settings),
			.instance_id = kind,
			.kind = kind,
			.string = raw,
			.integer = get_integer,
			.boolean = get_boolean,
			.count = get_count,
			.item = get_item,
			.secret = get_secret}};
}

bool settings_fake_leaks(const struct settings_fake *fake, const char *text)
{
	for (const struct settings_pair *pair = fake->pairs; pair->name != NULL; pair++) {
		const struct cg_option *option = find_option(fake, pair->name);

		if (option != NULL && option->kind == CG_OPTION_SECRET && text != NULL &&
			pair->value[0] != '\0' && strstr(text, pair->value) != NULL)
			return true;
	}
	return false;
}
