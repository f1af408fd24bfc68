/* SPDX-License-Identifier: Apache-2.0 */
/* What a module says about itself, and how its instances come and go. */
#include "tests/contract/subject.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/text.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool kind_is_plain(const char *kind)
{
	return strlen(kind) <= 32 && islower((unsigned char)kind[0]) &&
	       strspn(kind, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(kind);
}

static void descriptor_is_complete(void)
{
	EACH_SUBJECT(subject)
	{
		const struct cg_plugin *plugin = module_plugin(subject->kind);
		const struct cg_provider *provider = module_provider(subject->kind);
		const struct cg_provider_ops *ops = provider->ops;

		CU_ASSERT_EQUAL(plugin->magic, CG_PLUGIN_MAGIC);
		CU_ASSERT_EQUAL(plugin->size, sizeof(struct cg_plugin));
		CU_ASSERT_EQUAL(plugin->abi, CG_PLUGIN_ABI);
		CU_ASSERT_TRUE(plugin->abi_min >= 1 && plugin->abi_min <= plugin->abi);
		CU_ASSERT_STRING_EQUAL(plugin->license, "Apache-2.0");
		CU_ASSERT_TRUE(plugin->provider_count >= 1);
		CU_ASSERT_EQUAL(provider->size, sizeof(struct cg_provider));
		CU_ASSERT_EQUAL(ops->size, sizeof(struct cg_provider_ops));
		CU_ASSERT_TRUE(kind_is_plain(provider->kind));
		CU_ASSERT_STRING_EQUAL(provider->kind, subject->kind);
		CU_ASSERT_FALSE(cg_text_blank(provider->title));
		CU_ASSERT_FALSE(cg_text_blank(provider->version));
	}
}

static bool is_choice(const char *choices, const char *word)
{
	size_t length = strlen(word);

	while (choices != NULL) {
		if (strncmp(choices, word, length) == 0 &&
			(choices[length] == ',' || choices[length] == '\0'))
			return true;
		choices = strchr(choices, ',');
		choices = choices == NULL ? NULL : choices + 1;
	}
	return false;
}

static void check_option(const struct cg_option *option)
{
	bool json_only = (option->flags & CG_OPTION_JSON_ONLY) != 0;
	size_t help = strlen(option->help);

	CU_ASSERT_EQUAL(option->size, sizeof(*option));
	CU_ASSERT_TRUE(islower((unsigned char)option->name[0]));
	CU_ASSERT_EQUAL(option->env == NULL, json_only);
	CU_ASSERT_TRUE(help > 0 && help < 120 && option->help[help - 1] != '.');
	if (option->kind == CG_OPTION_CHOICE)
		CU_ASSERT_TRUE(is_choice(option->choices, option->fallback));
	if (option->kind == CG_OPTION_SECRET)
		CU_ASSERT_TRUE((option->flags & CG_OPTION_CREDENTIAL) != 0);
	if ((option->flags & CG_OPTION_REQUIRED) != 0)
		CU_ASSERT_PTR_NULL(option->fallback);
}

static void options_are_well_formed(void)
{
	EACH_SUBJECT(subject)
	{
		const struct cg_provider *provider = module_provider(subject->kind);

		for (uint32_t i = 0; i < provider->option_count; i++) {
			check_option(&provider->options[i]);
			for (uint32_t j = 0; j < i; j++)
				CU_ASSERT_STRING_NOT_EQUAL(provider->options[i].name,
					provider->options[j].name);
		}
	}
}

static void destroy_accepts_nothing(void)
{
	EACH_SUBJECT(subject)
	module_provider(subject->kind)->ops->destroy(NULL);
}

static void create_and_destroy_without_a_start(void)
{
	EACH_SUBJECT(subject)
	{
		struct rig *rig = module_rig(subject->kind, subject->settings);

		CU_ASSERT_EQUAL(rig_create(rig, NULL), CG_OK);
		CU_ASSERT_PTR_NOT_NULL(rig->self);
		CU_ASSERT_EQUAL(rig->host->call_count, 0);
		CU_ASSERT_EQUAL(rig->host->timer_count, 0);
		rig_destroy(rig);
	}
}

/* The good settings without one of them. */
static void check_missing(const struct subject *subject, const char *name)
{
	struct settings_pair pairs[16];
	struct cg_error err = {.text = ""};
	struct rig *rig;
	size_t count = 0;

	for (const struct settings_pair *pair = subject->settings; pair->name != NULL;
		pair++) {
		if (strcmp(pair->name, name) != 0)
			pairs[count++] = *pair;
	}
	pairs[count] = (struct settings_pair){NULL, NULL};
	rig = module_rig(subject->kind, pairs);
	CU_ASSERT_NOT_EQUAL(rig_create(rig, &err), CG_OK);
	CU_ASSERT_PTR_NULL(rig->self);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, name));
	rig_destroy(rig);
}

static void missing_settings_are_named(void)
{
	EACH_SUBJECT(subject)
	{
		const struct cg_provider *provider = module_provider(subject->kind);

		for (uint32_t i = 0; i < provider->option_count; i++) {
			if ((provider->options[i].flags & CG_OPTION_REQUIRED) == 0)
				continue;
			check_missing(subject, provider->options[i].name);
		}
	}
}

static void start_stop_start(void)
{
	EACH_SUBJECT(subject)
	{
		struct rig *rig;

		if (subject->takes_stdio)
			continue;
		rig = subject_up(subject);
		CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
		CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_UP);
		CU_ASSERT_STRING_EQUAL(rig->host->health_detail, "");
		rig->provider->ops->stop(rig->self);
		CU_ASSERT_PTR_NULL(host_fake_open_call(rig->host));
		CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
		rig->host->health_count = 0;
		CU_ASSERT_EQUAL(rig->provider->ops->start(rig->self, NULL), CG_OK);
		subject_settle(subject, rig);
		CU_ASSERT_TRUE(rig->host->health_count > 0);
		CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
		rig_destroy(rig);
	}
}

static void capabilities_are_sane(void)
{
	EACH_SUBJECT(subject)
	{
		struct rig *rig = module_rig(subject->kind, subject->settings);
		struct cg_capabilities first = {.size = sizeof(first)};
		struct cg_capabilities second = {.size = sizeof(second)};
		const struct cg_provider_ops *ops = rig->provider->ops;

		CU_ASSERT_EQUAL(rig_create(rig, NULL), CG_OK);
		ops->capabilities(rig->self, &first);
		ops->capabilities(rig->self, &second);
		CU_ASSERT_EQUAL(memcmp(&first, &second, sizeof(first)), 0);
		CU_ASSERT_EQUAL(first.size, sizeof(first));
		CU_ASSERT_TRUE(first.max_text >= 100);
		CU_ASSERT_EQUAL(
			ops->query != NULL, first.reconcile == CG_RECONCILE_QUERY);
		CU_ASSERT_EQUAL(first.max_buttons > 0, first.max_button_rows > 0);
		CU_ASSERT_EQUAL(first.max_buttons > 0, first.max_button_token > 0);
		CU_ASSERT_TRUE(first.max_button_rows <= first.max_buttons);
		CU_ASSERT_TRUE(first.edit || first.edit_interval_ms == 0);
		CU_ASSERT_TRUE(first.inbound);
		rig_destroy(rig);
	}
}

/* An older daemon has a shorter struct: what lies behind it is not ours. */
static void capabilities_respect_an_older_daemon(void)
{
	EACH_SUBJECT(subject)
	{
		struct rig *rig = module_rig(subject->kind, subject->settings);
		struct cg_capabilities small;

		memset(&small, 0xA5, sizeof(small));
		small.size = offsetof(struct cg_capabilities, max_file);
		CU_ASSERT_EQUAL(rig_create(rig, NULL), CG_OK);
		rig->provider->ops->capabilities(rig->self, &small);
		CU_ASSERT_EQUAL(small.size, offsetof(struct cg_capabilities, max_file));
		CU_ASSERT_TRUE(small.max_text >= 100);
		CU_ASSERT_EQUAL(small.max_file, UINT64_C(0xA5A5A5A5A5A5A5A5));
		rig_destroy(rig);
	}
}

static void measure_is_pure(void)
{
	/* Nothing that a form would change: some measure what is sent. */
	static const char text[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x90\x84 b";

	EACH_SUBJECT(subject)
	{
		struct rig *rig = module_rig(subject->kind, subject->settings);
		struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
		const struct cg_provider_ops *ops = rig->provider->ops;
		uint32_t length;

		CU_ASSERT_EQUAL(rig_create(rig, NULL), CG_OK);
		ops->capabilities(rig->self, &capabilities);
		length = ops->measure(rig->self, text, sizeof(text) - 1);
		CU_ASSERT_EQUAL(length,
			cg_text_measure(text, sizeof(text) - 1, capabilities.text_unit));
		CU_ASSERT_EQUAL(length, ops->measure(rig->self, text, sizeof(text) - 1));
		CU_ASSERT_EQUAL(ops->measure(rig->self, "", 0), 0);
		CU_ASSERT_EQUAL(rig->host->call_count + rig->host->timer_count, 0);
		rig_destroy(rig);
	}
}

UNIT_SUITE(descriptor, UNIT_TEST(descriptor_is_complete),
	UNIT_TEST(options_are_well_formed), UNIT_TEST(destroy_accepts_nothing),
	UNIT_TEST(create_and_destroy_without_a_start),
	UNIT_TEST(missing_settings_are_named), UNIT_TEST(start_stop_start),
	UNIT_TEST(capabilities_are_sane), UNIT_TEST(capabilities_respect_an_older_daemon),
	UNIT_TEST(measure_is_pure));
