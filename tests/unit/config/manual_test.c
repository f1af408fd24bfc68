/* SPDX-License-Identifier: Apache-2.0 */
#include "config/describe.h"

#include "config_rig.h"

#include "config/branding.h"
#include "config/option.h"

static void the_manual_names_everything(void)
{
	struct cg_buffer text;
	const char *page;

	cg_buffer_init(&text, 1u << 20);
	CU_ASSERT_EQUAL(config_describe_markdown(rig_kinds, RIG_KINDS, &text), CG_OK);
	page = cg_buffer_string(&text);
	for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
		CU_ASSERT_PTR_NOT_NULL(strstr(page, option_rows[i].variable));
		CU_ASSERT_PTR_NOT_NULL(strstr(page, option_rows[i].help));
		if (option_rows[i].path != NULL)
			CU_ASSERT_PTR_NOT_NULL(strstr(page, option_rows[i].path));
	}
	for (size_t i = 0; i < option_variable_count; i++)
		CU_ASSERT_PTR_NOT_NULL(strstr(page, option_variables[i].name));
	for (size_t i = 0; i < branding_row_count; i++)
		CU_ASSERT_PTR_NOT_NULL(strstr(page, branding_rows[i].variable));
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "integer, 100 to 120000"));
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "| `8790` |"));
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "one of debug,info,warn,error,silent"));
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "### Webhook (`webhook`)"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(page, "`" K "WEBHOOK_DELIVERY_URL` switches it on."));
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "`" K "CLI_ENABLED=true` switches it on."));
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "`" K "IRC_ENABLED=true` switches it on."));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(page, "| `credentials.sharedSecret` | secret | – | yes |"));
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "`" K "MAX_REQUEST_BODY_BYTES` | no |"));
	cg_buffer_finish(&text);
}

/* Every line of a table has as many cells as its head. */
static void tables_are_regular(void)
{
	struct cg_buffer text;
	size_t cells = 0, lines = 0;

	cg_buffer_init(&text, 1u << 20);
	config_describe_markdown(rig_kinds, RIG_KINDS, &text);
	for (const char *line = cg_buffer_string(&text); *line != '\0';) {
		const size_t length = strcspn(line, "\n");
		size_t bars = 0;

		for (size_t i = 0; i < length; i++)
			bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
		if (line[0] == '|' && cells != 0)
			CU_ASSERT_EQUAL(bars, cells);
		cells = line[0] == '|' ? bars : 0;
		lines++;
		line += length + (line[length] == '\n' ? 1 : 0);
	}
	CU_ASSERT_TRUE(lines > CONFIG_OPTIONS);
	cg_buffer_finish(&text);
}

static void a_small_buffer_is_told(void)
{
	struct cg_buffer text;

	cg_buffer_init(&text, 100);
	CU_ASSERT_EQUAL(config_describe_markdown(rig_kinds, RIG_KINDS, &text), CG_LIMIT);
	cg_buffer_finish(&text);
}

static void one_setting_is_found_by_any_name(void)
{
	static const struct {
		const char *name, *text; /* NULL: not found */
	} rows[] = {
		{"server.port", "default    8790"},
		{"port", "in files   server.port"},
		{"PORT", "type       port, 0 to 65535"},
		{K "PORT", "variable   " K "PORT"},
		{"OPEN_COWORK_CLOUD_BASE_URL", "a change   needs a restart"},
		{"log_level", "a change   needs a reload"},
		{"webhook.deliveryUrl", "required   yes"},
		{"WEBHOOK_DELIVERY_URL", "in files   providers[].settings.deliveryUrl"},
		{"telegram.observe", "default    false"},
		{"webhook.maxAttachmentBytes", "default    " K "MAX_REQUEST_BODY_BYTES"},
		{"webhook.nothing", NULL},
		{"", NULL},
		{"nothing", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum cg_status status;
		struct cg_buffer text;

		cg_buffer_init(&text, 4096);
		status = config_describe_setting(
			rows[i].name, rig_kinds, RIG_KINDS, &text);
		if (rows[i].text == NULL) {
			CU_ASSERT_EQUAL(status, CG_NOT_FOUND);
			CU_ASSERT_EQUAL(text.length, 0);
		} else {
			CU_ASSERT_EQUAL(status, CG_OK);
			CU_ASSERT_PTR_NOT_NULL(
				strstr(cg_buffer_string(&text), rows[i].text));
		}
		cg_buffer_finish(&text);
	}
}

UNIT_SUITE(manual, UNIT_TEST(the_manual_names_everything), UNIT_TEST(tables_are_regular),
	UNIT_TEST(a_small_buffer_is_told), UNIT_TEST(one_setting_is_found_by_any_name));
