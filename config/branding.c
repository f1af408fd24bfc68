/* SPDX-License-Identifier: Apache-2.0 */
#include "config/branding.h"

#include "config/members.h"

#include <cowgate/sdk/address.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <string.h>

#define K CONFIG_PREFIX

const struct branding_row branding_rows[] = {
	{"productName", K "BRAND_NAME", false, false, "Name of the product"},
	{"shortName", K "BRAND_SHORT_NAME", false, false, "Its short form"},
	{"logoUrl", K "BRAND_LOGO_URL", true, false, "Its logo, https"},
	{"supportUrl", K "SUPPORT_URL", true, true,
		"Where people find help, https or mailto"},
	{"privacyUrl", K "PRIVACY_URL", true, false, "Privacy statement, https"},
	{"securityUrl", K "SECURITY_URL", true, false, "Security contact, https"},
	{"legalUrl", K "LEGAL_URL", true, false, "Legal notice, https"},
};
const size_t branding_row_count = sizeof(branding_rows) / sizeof(*branding_rows);

static const char defaults[] =
	"{\"productName\":\"Open Cowork Cloud\",\"shortName\":\"OC\",\"supportUrl\":\"\","
	"\"privacyUrl\":\"\",\"securityUrl\":\"\",\"legalUrl\":\"\",\"theme\":{},"
	"\"dashboard\":{},"
	"\"managedOrgConnectionLabels\":{\"desktopToken\":\"Desktop token\","
	"\"gatewayToken\":\"Gateway token\",\"apiToken\":\"API "
	"token\",\"cloudUrl\":\"Cloud URL\"}}";

static struct json_object *make_defaults(void)
{
	struct json_object *object = NULL;

	if (cg_json_parse(defaults, strlen(defaults), &object, NULL) != CG_OK)
		object = cg_json_new_object();
	return object;
}

static void merge_layers(const struct source *source, struct json_object *branding)
{
	for (size_t i = 0; i < source->layer_count; i++) {
		const struct source_layer *layer = &source->layers[i];
		struct json_object *theirs = cg_json_member(layer->root, "branding");

		if (cg_json_is_object(theirs))
			members_merge(branding, theirs);
		else if (theirs != NULL)
			config_report_error(source->report, layer->label, NULL,
				"\"%sbranding\" is not an object", layer->prefix);
	}
}

static void merge_variable(const struct source *source, struct json_object *branding)
{
	static const char name[] = K "PUBLIC_BRANDING_JSON";
	struct json_object *theirs = NULL;
	struct source_value found;
	struct cg_error err = {0};

	if (!source_variable(source, name, &found))
		return;
	if (cg_json_parse(found.text, strlen(found.text), &theirs, &err) != CG_OK)
		config_report_error(source->report, found.where, NULL, "%s", err.text);
	else if (!cg_json_is_object(theirs))
		config_report_error(
			source->report, found.where, NULL, "not a JSON object");
	else
		members_merge(branding, theirs);
	cg_json_free(theirs);
}

static bool link_is_fit(const struct branding_row *row, const char *link)
{
	struct cg_url url;

	if (row->mailto && strncmp(link, "mailto:", 7) == 0)
		return cg_text_clean(link, strlen(link), CONFIG_TEXT);
	return cg_url_parse(link, &url, NULL) == CG_OK && url.https;
}

/* Bring one member into shape: a clean text, or its default. */
static void settle(const struct source *source, const struct branding_row *row,
	struct json_object *standard, struct json_object *branding)
{
	const char *fallback = cg_json_string(standard, row->key);
	struct source_value found;
	const char *text = cg_json_string(branding, row->key);
	const char *where = "branding";

	if (source_variable(source, row->variable, &found)) {
		text = found.text;
		where = found.where;
	}
	text = text != NULL ? arena_trim(source->kept, text, strlen(text)) : NULL;
	if (text != NULL && row->url && !link_is_fit(row, text)) {
		config_report_warning(source->report, where, NULL,
			"%s is left out: not an https%s link", row->key,
			row->mailto ? " or mailto" : "");
		text = NULL;
	}
	if (text != NULL && !cg_text_clean(text, strlen(text), CONFIG_TEXT)) {
		config_report_warning(source->report, where, NULL,
			"%s is left out: control characters, or too long", row->key);
		text = NULL;
	}
	if (text != NULL)
		cg_json_put_string(branding, row->key, text);
	else if (fallback != NULL)
		cg_json_put_string(branding, row->key, fallback);
	else if (cg_json_has(branding, row->key))
		cg_json_put_string(branding, row->key, "");
}

void branding_read(const struct source *source, struct config_branding *ret)
{
	struct json_object *standard = make_defaults();
	struct json_object *branding = cg_json_copy(standard);
	size_t length;
	const char *text;

	merge_layers(source, branding);
	merge_variable(source, branding);
	for (size_t i = 0; i < branding_row_count; i++)
		settle(source, &branding_rows[i], standard, branding);
	text = cg_json_text(branding, &length);
	if (length > BRANDING_LIMIT)
		config_report_error(source->report, "branding", "shorten it",
			"longer than %d bytes", BRANDING_LIMIT);
	ret->json = arena_copy(source->kept, text, length);
	ret->product_name =
		arena_text(source->kept, cg_json_string(branding, "productName"));
	ret->short_name = arena_text(source->kept, cg_json_string(branding, "shortName"));
	cg_json_free(branding);
	cg_json_free(standard);
}
