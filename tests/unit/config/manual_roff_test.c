/* SPDX-License-Identifier: Apache-2.0 */
/* The manual page of the settings. */
#include "config/describe.h"

#include "config_rig.h"

#include "config/branding.h"
#include "config/option.h"
#include "config/roff.h"

/* The page names every setting, as its formatter spells it. */
static bool names(const char *page, const char *variable)
{
	struct cg_buffer line;
	bool found;

	cg_buffer_init(&line, 256);
	cg_buffer_text(&line, ".B ");
	roff_text(&line, variable);
	cg_buffer_char(&line, '\n');
	found = strstr(page, cg_buffer_string(&line)) != NULL;
	cg_buffer_finish(&line);
	return found;
}

static void the_page_names_everything(void)
{
	struct cg_buffer text;
	const char *page;

	cg_buffer_init(&text, 1u << 20);
	CU_ASSERT_EQUAL(
		config_describe_roff("\"\" \"cowgate 9.8\"", rig_kinds, RIG_KINDS, &text),
		CG_OK);
	page = cg_buffer_string(&text);
	CU_ASSERT_PTR_EQUAL(
		strstr(page, ".TH COWGATE.CONF 5 \"\" \"cowgate 9.8\"\n"), page);
	for (size_t i = 0; i < CONFIG_OPTIONS; i++)
		CU_ASSERT_TRUE(names(page, option_rows[i].variable));
	for (size_t i = 0; i < option_variable_count; i++)
		CU_ASSERT_TRUE(names(page, option_variables[i].name));
	for (size_t i = 0; i < branding_row_count; i++)
		CU_ASSERT_TRUE(names(page, branding_rows[i].variable));
	CU_ASSERT_TRUE(names(page, K "WEBHOOK_DELIVERY_URL"));
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "Type: URL; required.\n"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(page, "Type: one of polling,webhook; default polling.\n"));
	/* What only files know has no variable here. */
	CU_ASSERT_PTR_NULL(strstr(page, "observe"));
	cg_buffer_finish(&text);
}

/* A line that begins with a dot is one of the requests that are meant. */
static void no_line_is_taken_for_a_request(void)
{
	static const char *const requests[] = {
		".TH ", ".SH ", ".SS ", ".TP\n", ".B ", ".BR "};
	struct cg_buffer text;

	cg_buffer_init(&text, 1u << 20);
	config_describe_roff("x", rig_kinds, RIG_KINDS, &text);
	for (const char *line = cg_buffer_string(&text); *line != '\0';
		line += strcspn(line, "\n") + 1) {
		bool known = line[0] != '.' && line[0] != '\'';

		for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
			known |= strncmp(line, requests[i], strlen(requests[i])) == 0;
		CU_ASSERT_TRUE(known);
	}
	cg_buffer_finish(&text);
}

static void a_small_buffer_is_told(void)
{
	struct cg_buffer text;

	cg_buffer_init(&text, 100);
	CU_ASSERT_EQUAL(config_describe_roff("x", rig_kinds, RIG_KINDS, &text), CG_LIMIT);
	cg_buffer_finish(&text);
}

UNIT_SUITE(manual_roff, UNIT_TEST(the_page_names_everything),
	UNIT_TEST(no_line_is_taken_for_a_request), UNIT_TEST(a_small_buffer_is_told));
