/* SPDX-License-Identifier: Apache-2.0 */
#include "config/branding.h"

#include "config_rig.h"

static void defaults_are_complete(void)
{
	struct rig rig;

	rig_begin(&rig);
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "defaults");
	CU_ASSERT_STRING_EQUAL(rig.config->branding.product_name, "Open Cowork Cloud");
	CU_ASSERT_STRING_EQUAL(rig.config->branding.short_name, "OC");
	CU_ASSERT_STRING_EQUAL(rig.config->branding.json,
		"{\"productName\":\"Open Cowork "
		"Cloud\",\"shortName\":\"OC\",\"supportUrl\":\"\","
		"\"privacyUrl\":\"\",\"securityUrl\":\"\",\"legalUrl\":\"\",\"theme\":{},"
		"\"dashboard\":{},\"managedOrgConnectionLabels\":{\"desktopToken\":"
		"\"Desktop token\","
		"\"gatewayToken\":\"Gateway token\",\"apiToken\":\"API token\","
		"\"cloudUrl\":\"Cloud URL\"}}");
	rig_end(&rig);
}

static void later_sources_win(void)
{
	static const struct {
		const char *variable, *product, *theme;
	} rows[] = {
		{K "CONFIG_JSON={\"branding\":{\"productName\":\"File\",\"theme\":{\"a\":"
		   "1,\"b\":2}}}",
			"File", "\"theme\":{\"a\":1,\"b\":2}"},
		{K "PUBLIC_BRANDING_JSON={\"productName\":\"Json\",\"theme\":{\"b\":3,"
		   "\"__proto__\":{}}}",
			"Json", "\"theme\":{\"a\":1,\"b\":3}"},
		{K "BRAND_NAME= Variable ", "Variable", "\"theme\":{\"a\":1,\"b\":3}"},
	};
	struct rig rig;

	rig_begin(&rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		rig_env(&rig, rows[i].variable);
		RIG_CHECK(&rig, rig_load(&rig) == CG_OK, rows[i].variable);
		CU_ASSERT_STRING_EQUAL(
			rig.config->branding.product_name, rows[i].product);
		CU_ASSERT_PTR_NOT_NULL(strstr(rig.config->branding.json, rows[i].theme));
		rig_drop(&rig);
	}
	rig_end(&rig);
}

static void links_are_https(void)
{
	static const struct {
		const char *variable, *shown;
		bool warned;
	} rows[] = {
		{K "SUPPORT_URL=https://h/s", "\"supportUrl\":\"https://h/s\"", false},
		{K "SUPPORT_URL=mailto:a@example.org",
			"\"supportUrl\":\"mailto:a@example.org\"", false},
		{K "SUPPORT_URL=http://h/s", "\"supportUrl\":\"\"", true},
		{K "PRIVACY_URL=mailto:a@example.org", "\"privacyUrl\":\"\"", true},
		{K "SECURITY_URL=https://h/x", "\"securityUrl\":\"https://h/x\"", false},
		{K "LEGAL_URL=javascript:x", "\"legalUrl\":\"\"", true},
		{K "BRAND_LOGO_URL=https://h/l.png", "\"logoUrl\":\"https://h/l.png\"",
			false},
		{K "CONFIG_JSON={\"branding\":{\"logoUrl\":\"http://h\"}}",
			"\"logoUrl\":\"\"", true},
		{K "BRAND_SHORT_NAME=a\tb", "\"shortName\":\"OC\"", true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;

		rig_begin(&rig);
		rig_env(&rig, rows[i].variable);
		RIG_CHECK(&rig, rig_load(&rig) == CG_OK, rows[i].variable);
		RIG_CHECK(&rig, strstr(rig.config->branding.json, rows[i].shown) != NULL,
			rig.config->branding.json);
		CU_ASSERT_EQUAL(
			rig_has(&rig, CONFIG_WARNING, "", "is left out"), rows[i].warned);
		rig_end(&rig);
	}
}

static void broken_branding_is_fatal(void)
{
	static const char *const variables[] = {K "PUBLIC_BRANDING_JSON={",
		K "PUBLIC_BRANDING_JSON=[]", K "CONFIG_JSON={\"branding\":\"x\"}"};

	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
		struct rig rig;

		rig_begin(&rig);
		rig_env(&rig, variables[i]);
		CU_ASSERT_EQUAL(rig_load(&rig), CG_INVALID);
		rig_end(&rig);
	}
}

static void branding_at_its_cap(void)
{
	char *text = malloc(BRANDING_LIMIT + 64);
	struct rig rig;
	size_t head;

	rig_begin(&rig);
	head = (size_t)snprintf(text, 64, K "PUBLIC_BRANDING_JSON={\"theme\":{\"x\":\"");
	memset(text + head, 'x', BRANDING_LIMIT - 1000);
	memcpy(text + head + BRANDING_LIMIT - 1000, "\"}}", 4);
	rig_env(&rig, text);
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "below the cap");
	rig_drop(&rig);
	memset(text + head, 'x', BRANDING_LIMIT);
	memcpy(text + head + BRANDING_LIMIT, "\"}}", 4);
	free(rig.variables[--rig.variable_count]);
	rig.variables[rig.variable_count] = NULL;
	rig_env(&rig, text);
	rig_load(&rig);
	CU_ASSERT_TRUE(rig_has(&rig, CONFIG_ERROR, "branding", "longer than"));
	rig_end(&rig);
	free(text);
}

UNIT_SUITE(branding, UNIT_TEST(defaults_are_complete), UNIT_TEST(later_sources_win),
	UNIT_TEST(links_are_https), UNIT_TEST(broken_branding_is_fatal),
	UNIT_TEST(branding_at_its_cap));
