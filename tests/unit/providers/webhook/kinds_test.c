/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/webhook/kinds.h"
#include "tests/unit/unit.h"

#include <cowgate/outbound.h>
#include <string.h>

static const struct {
	const char *kind, *prefix;
} names[] = {
	{"webhook", "WEBHOOK_"},
	{"discord", "DISCORD_"},
	{"whatsapp", "WHATSAPP_"},
	{"signal", "SIGNAL_"},
};

static void a_kind_is_found_by_its_whole_name(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct webhook_kind *kind = webhook_kind_find(names[i].kind);

		CU_ASSERT_PTR_NOT_NULL_FATAL(kind);
		CU_ASSERT_STRING_EQUAL(kind->kind, names[i].kind);
	}
	CU_ASSERT_PTR_NULL(webhook_kind_find("web"));
	CU_ASSERT_PTR_NULL(webhook_kind_find("Discord"));
	CU_ASSERT_PTR_NULL(webhook_kind_find(""));
}

static void the_rows_are_the_same_under_other_variables(void)
{
	const struct cg_option *model = webhook_kind_webhook.options;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct webhook_kind *kind = webhook_kind_find(names[i].kind);
		const size_t prefix = strlen(names[i].prefix);

		for (size_t at = 0; at < WEBHOOK_OPTIONS; at++) {
			const struct cg_option *option = &kind->options[at];
			const bool hidden = (option->flags & CG_OPTION_JSON_ONLY) != 0;

			CU_ASSERT_EQUAL(option->size, sizeof(*option));
			CU_ASSERT_STRING_EQUAL(option->name, model[at].name);
			CU_ASSERT_EQUAL(option->env == NULL, hidden);
			if (hidden)
				continue;
			CU_ASSERT_EQUAL(strncmp(option->env, names[i].prefix, prefix), 0);
			CU_ASSERT_STRING_EQUAL(option->env + prefix,
				model[at].env + strlen(names[0].prefix));
		}
	}
}

/* Deliveries carry their key: whatever the kind, a repeat is no second message. */
static void every_kind_repeats_by_its_key(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct cg_capabilities *can =
			&webhook_kind_find(names[i].kind)->capabilities;

		CU_ASSERT_EQUAL(can->size, sizeof(*can));
		CU_ASSERT_EQUAL(can->reconcile, CG_RECONCILE_IDEMPOTENCY_KEY);
		CU_ASSERT_EQUAL(can->text_form, CG_FORM_SOURCE);
		CU_ASSERT_EQUAL(can->retry, CG_RETRY_WEBHOOK);
		CU_ASSERT_TRUE(can->inbound);
		CU_ASSERT_TRUE(can->max_file <= 64u << 20); /* maxAttachmentBytes */
		CU_ASSERT_EQUAL(can->max_buttons == 0, can->max_button_rows == 0);
		CU_ASSERT_EQUAL(can->max_buttons == 0, !can->answer);
	}
}

UNIT_SUITE(webhook_kinds, UNIT_TEST(a_kind_is_found_by_its_whole_name),
	UNIT_TEST(the_rows_are_the_same_under_other_variables),
	UNIT_TEST(every_kind_repeats_by_its_key));
