/* SPDX-License-Identifier: Apache-2.0 */
#include "config/value.h"

#include "config/directory.h"
#include "config/reference.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* What one call of value_read() works on. */
struct reader {
	const struct source *source;
	const struct option_rule *rule;
	const char *where;
	struct config_report *report;
	struct value *value;
};

bool value_parse_boolean(const char *text, bool *ret)
{
	static const char *const names[] = {"true", "1", "yes", "false", "0", "no"};
	size_t length;

	text += strspn(text, " \t\r\n");
	length = strcspn(text, " \t\r\n");
	if (text[length + strspn(text + length, " \t\r\n")] != '\0')
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strlen(names[i]) == length &&
			strncasecmp(names[i], text, length) == 0) {
			*ret = i < 3;
			return true;
		}
	}
	return false;
}

/* A JSON scalar as text, trimmed; NULL for null, blanks, arrays and objects. */
static const char *scalar_text(struct arena *arena, struct json_object *json)
{
	size_t length;
	const char *text;

	if (json == NULL || cg_json_is_array(json) || cg_json_is_object(json))
		return NULL;
	text = cg_json_is_string(json) ? cg_json_value_string(json, &length)
				       : cg_json_text(json, &length);
	return arena_trim(arena, text, length);
}

static const char *found_text(
	const struct reader *reader, const struct source_value *found)
{
	struct arena *arena = reader->rule->kind == OPTION_SECRET
				      ? reader->source->scratch
				      : reader->source->kept;

	if (found->text != NULL)
		return arena_trim(arena, found->text, strlen(found->text));
	return scalar_text(arena, found->json);
}

/* The row's default, or unset. */
static void use_default(const struct reader *reader)
{
	if (reader->rule->fallback != NULL)
		value_set_default(reader->source, reader->rule, reader->rule->fallback,
			reader->value);
	else
		*reader->value = (struct value){0};
}

/* A value that does not fit its kind but has a harmless default. */
static void warn_unusable(
	const struct reader *reader, const char *text, const char *wanted)
{
	config_report_warning(reader->report, reader->where, NULL,
		"\"%.64s\" is not %s: %s counts instead", text, wanted,
		reader->rule->fallback != NULL ? reader->rule->fallback : "the default");
	use_default(reader);
}

static void read_integer(const struct reader *reader, const char *text)
{
	const struct option_rule *rule = reader->rule;
	const bool bounded = rule->min != 0 || rule->max != 0;
	int64_t number;

	if (!cg_parse_int(text, &number)) {
		warn_unusable(reader, text, "a whole number");
		return;
	}
	reader->value->number = number;
	if (!bounded || (number >= rule->min && number <= rule->max))
		return;
	reader->value->number = number < rule->min ? rule->min : rule->max;
	config_report_warning(reader->report, reader->where, NULL,
		"%" PRId64 " is not between %" PRId64 " and %" PRId64 ": %" PRId64
		" counts instead",
		number, rule->min, rule->max, reader->value->number);
}

/* A port beyond its range is a mistake, not a wish for the nearest one. */
static void read_port(const struct reader *reader, const char *text)
{
	int64_t number;

	if (!cg_parse_int(text, &number) || number < reader->rule->min ||
		number > reader->rule->max)
		warn_unusable(reader, text, "a port");
	else
		reader->value->number = number;
}

static void read_boolean(const struct reader *reader, const char *text)
{
	bool on;

	if (value_parse_boolean(text, &on))
		reader->value->number = on;
	else
		warn_unusable(reader, text, "true or false");
}

static void read_choice(const struct reader *reader, const char *text)
{
	const struct option_rule *rule = reader->rule;
	int64_t index = 0;

	for (const char *choice = rule->choices; choice != NULL; index++) {
		size_t length = strcspn(choice, ",");

		if (strlen(text) == length && strncmp(choice, text, length) == 0) {
			reader->value->text = text;
			reader->value->number = index;
			return;
		}
		choice = choice[length] == ',' ? choice + length + 1 : NULL;
	}
	if ((rule->flags & OPTION_LENIENT) != 0) {
		warn_unusable(reader, text, rule->choices);
		return;
	}
	config_report_error(reader->report, reader->where, NULL,
		"\"%.64s\" is not one of %s", text, rule->choices);
	use_default(reader);
}

static bool is_clean(const char *text, bool multiline)
{
	size_t length = strlen(text);

	if (!multiline)
		return cg_text_clean(text, length, length);
	if (!cg_utf8_valid(text, length))
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && strchr("\t\n\r", c) == NULL) || c == 0x7f)
			return false;
	}
	return true;
}

/* The checks that every text stands: length and characters. */
static bool text_is_fit(const struct reader *reader, const char *text)
{
	const struct option_rule *rule = reader->rule;
	const size_t most = rule->kind != OPTION_LIST && rule->max > 0 ? (size_t)rule->max
								       : CONFIG_TEXT;
	const size_t least =
		rule->kind != OPTION_LIST && rule->min > 0 ? (size_t)rule->min : 0;

	if (strlen(text) > most) {
		config_report_error(reader->report, reader->where, NULL,
			"longer than %zu bytes", most);
		return false;
	}
	if (strlen(text) < least) {
		config_report_error(reader->report, reader->where, NULL,
			"shorter than %zu bytes", least);
		return false;
	}
	if (!is_clean(text, (rule->flags & OPTION_MULTILINE) != 0)) {
		config_report_error(reader->report, reader->where, "remove them",
			"it holds control characters, or is not UTF-8");
		return false;
	}
	return true;
}

static void read_url(const struct reader *reader, const char *text)
{
	struct arena *arena = reader->source->kept;
	size_t length = strlen(text);
	struct cg_error err = {0};
	struct cg_url url;

	if (cg_url_parse(text, &url, &err) != CG_OK) {
		config_report_error(reader->report, reader->where,
			"write an absolute http or https URL", "%s", err.text);
		return;
	}
	if ((reader->rule->flags & OPTION_BASE) != 0) {
		if (url.has_userinfo || strpbrk(text, "?#") != NULL) {
			config_report_error(reader->report, reader->where, NULL,
				"a base URL has no user, query or fragment");
			return;
		}
		while (length > 0 && text[length - 1] == '/')
			length--;
	}
	reader->value->text = arena_copy(arena, text, length);
}

static void read_path(const struct reader *reader, const char *text)
{
	char path[CONFIG_PATH];

	if (directory_join(reader->source->input->cwd, text, path, sizeof(path)) != CG_OK)
		config_report_error(
			reader->report, reader->where, NULL, "the path is too long");
	else
		reader->value->text = arena_text(reader->source->kept, path);
}

static void read_secret(const struct reader *reader, const char *text)
{
	struct cg_error err = {0};
	enum cg_status status = reference_resolve(
		text, &reader->source->environment, &reader->value->secret, &err);

	if (status != CG_OK) {
		config_report_error(reader->report, reader->where, NULL, "%s", err.text);
		return;
	}
	if ((int64_t)reader->value->secret.length < reader->rule->min)
		config_report_error(reader->report, reader->where, NULL,
			"shorter than %" PRId64 " bytes", reader->rule->min);
	if (reader->rule->max > 0 &&
		(int64_t)reader->value->secret.length > reader->rule->max)
		config_report_error(reader->report, reader->where, NULL,
			"longer than %" PRId64 " bytes", reader->rule->max);
}

static void read_one(const struct reader *reader, const char *text)
{
	switch (reader->rule->kind) {
	case OPTION_INTEGER:
		read_integer(reader, text);
		break;
	case OPTION_PORT:
		read_port(reader, text);
		break;
	case OPTION_BOOLEAN:
		read_boolean(reader, text);
		break;
	case OPTION_CHOICE:
		read_choice(reader, text);
		break;
	case OPTION_SECRET:
		read_secret(reader, text);
		break;
	case OPTION_URL:
		if (text_is_fit(reader, text))
			read_url(reader, text);
		break;
	case OPTION_PATH:
		if (text_is_fit(reader, text))
			read_path(reader, text);
		break;
	default:
		if (text_is_fit(reader, text))
			reader->value->text = text;
		break;
	}
}

/* Items under way.  The array has room for CONFIG_LIST_ITEMS or for all of the source's. */
struct items {
	const char **texts;
	size_t count;
};

static bool items_add(const struct reader *reader, struct items *items, const char *text)
{
	if (text == NULL && reader->rule->kind == OPTION_ARGV)
		text = "";
	if (text == NULL)
		return true;
	if (items->count == CONFIG_LIST_ITEMS) {
		config_report_error(reader->report, reader->where, NULL,
			"more than %d entries", CONFIG_LIST_ITEMS);
		return false;
	}
	if (!text_is_fit(reader, text))
		return false;
	items->texts[items->count++] = text;
	return true;
}

static bool split_text(const struct reader *reader, const char *text, struct items *items)
{
	while (*text != '\0') {
		size_t length = strcspn(text, ",");

		if (!items_add(reader, items,
			    arena_trim(reader->source->kept, text, length)))
			return false;
		text += length + (text[length] == ',' ? 1 : 0);
	}
	return true;
}

/* Strings of a JSON array.  A command's arguments keep their blanks. */
static bool split_array(
	const struct reader *reader, struct json_object *array, struct items *items)
{
	struct arena *arena = reader->source->kept;

	for (size_t i = 0; i < cg_json_count(array); i++) {
		size_t length = 0;
		const char *text = cg_json_value_string(cg_json_at(array, i), &length);

		if (text == NULL || strlen(text) != length) {
			config_report_error(reader->report, reader->where,
				"write an array of strings", "entry %zu is not a text",
				i + 1);
			return false;
		}
		text = reader->rule->kind == OPTION_ARGV
			       ? arena_copy(arena, text, length)
			       : arena_trim(arena, text, length);
		if (!items_add(reader, items, text))
			return false;
	}
	return true;
}

/* What an entry of a list of addresses means; one that means nothing never matches. */
static void keep_cidrs(const struct reader *reader, const struct items *items)
{
	struct cg_cidr *cidrs =
		arena_alloc(reader->source->kept, (items->count + 1) * sizeof(*cidrs));
	size_t count = 0;

	for (size_t i = 0; cidrs != NULL && i < items->count; i++) {
		if (cg_cidr_parse(items->texts[i], &cidrs[count]))
			count++;
		else
			config_report_warning(reader->report, reader->where,
				"write an address or a network such as 10.0.0.0/8",
				"\"%.64s\" is neither and matches nothing",
				items->texts[i]);
	}
	reader->value->cidrs = (struct config_cidrs){.items = cidrs, .count = count};
}

static void keep_items(const struct reader *reader, const struct items *items)
{
	const char **texts;

	if (reader->rule->kind == OPTION_CIDRS) {
		keep_cidrs(reader, items);
		return;
	}
	texts = arena_alloc(reader->source->kept, (items->count + 1) * sizeof(*texts));
	if (texts == NULL)
		return;
	if (items->count > 0)
		memcpy(texts, items->texts, items->count * sizeof(*texts));
	texts[items->count] = NULL;
	reader->value->list = (struct config_list){.items = texts, .count = items->count};
}

static void read_items(const struct reader *reader, const struct source_value *found)
{
	struct json_object *parsed = NULL;
	struct json_object *array = found->json;
	struct cg_error err = {0};
	struct items items = {0};
	bool fine;

	items.texts = arena_alloc(
		reader->source->scratch, CONFIG_LIST_ITEMS * sizeof(*items.texts));
	if (items.texts == NULL)
		return;
	if (reader->rule->kind == OPTION_ARGV && found->text != NULL) {
		if (cg_json_parse(found->text, strlen(found->text), &parsed, &err) !=
			CG_OK) {
			config_report_error(reader->report, reader->where,
				"write [\"program\", \"argument\"]",
				"not a JSON array of strings (%s)", err.text);
			return;
		}
		array = parsed;
	}
	if (cg_json_is_array(array)) {
		fine = split_array(reader, array, &items);
	} else if (reader->rule->kind == OPTION_ARGV) {
		config_report_error(reader->report, reader->where,
			"write [\"program\", \"argument\"]", "not an array of strings");
		fine = false;
	} else {
		const char *text = found_text(reader, found);

		fine = split_text(reader, text != NULL ? text : "", &items);
	}
	if (fine)
		keep_items(reader, &items);
	cg_json_free(parsed);
}

static bool is_list(enum option_kind kind)
{
	return kind == OPTION_LIST || kind == OPTION_CIDRS || kind == OPTION_ARGV;
}

/* Texts are written as JSON strings; numbers and booleans may be either. */
static bool takes_scalar(enum option_kind kind)
{
	return kind == OPTION_INTEGER || kind == OPTION_PORT || kind == OPTION_BOOLEAN;
}

static bool has_nul(struct json_object *json)
{
	size_t length;
	const char *text = cg_json_value_string(json, &length);

	return text != NULL && strlen(text) != length;
}

static void read_found(const struct reader *reader, const struct source_value *found)
{
	const char *text;

	reader->value->source = found->where;
	if (is_list(reader->rule->kind)) {
		read_items(reader, found);
		return;
	}
	if (found->json != NULL && !cg_json_is_string(found->json) &&
		!(takes_scalar(reader->rule->kind) &&
			scalar_text(reader->source->scratch, found->json) != NULL)) {
		config_report_error(reader->report, reader->where, NULL, "not a %s",
			takes_scalar(reader->rule->kind) ? "single value" : "text");
		return;
	}
	if (has_nul(found->json)) {
		config_report_error(
			reader->report, reader->where, "remove it", "it holds a NUL");
		return;
	}
	text = found_text(reader, found);
	if (text != NULL)
		read_one(reader, text);
	else
		use_default(reader);
}

void value_set_default(const struct source *source, const struct option_rule *rule,
	const char *text, struct value *ret)
{
	struct source_value found = {.where = VALUE_DEFAULT, .text = text};
	struct option_rule plain = *rule;
	struct reader reader = {
		.source = source,
		.rule = &plain,
		.where = VALUE_DEFAULT,
		.report = source->report,
		.value = ret,
	};

	/* A default that does not fit its own rule must not ask for itself. */
	plain.fallback = NULL;
	*ret = (struct value){0};
	read_found(&reader, &found);
}

void value_read(const struct source *source, const struct option_rule *rule,
	const struct source_value *found, const char *missing, struct value *ret)
{
	struct reader reader = {
		.source = source,
		.rule = rule,
		.where = found != NULL ? found->where : missing,
		.report = source->report,
		.value = ret,
	};

	*ret = (struct value){0};
	if (found != NULL)
		read_found(&reader, found);
	else
		use_default(&reader);
	if (ret->source == NULL && (rule->flags & OPTION_REQUIRED) != 0)
		config_report_error(
			source->report, missing, NULL, "required, but not set");
}

void value_finish(const struct option_rule *rule, struct value *value)
{
	if (rule->kind == OPTION_SECRET)
		cg_secret_wipe(&value->secret);
}

static bool text_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool list_equal(const struct config_list *a, const struct config_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	}
	return true;
}

static bool cidrs_equal(const struct config_cidrs *a, const struct config_cidrs *b)
{
	return a->count == b->count &&
	       (a->count == 0 ||
		       memcmp(a->items, b->items, a->count * sizeof(*a->items)) == 0);
}

static bool secret_equal(const struct cg_secret *a, const struct cg_secret *b)
{
	if (!cg_secret_is_set(a) || !cg_secret_is_set(b))
		return cg_secret_is_set(a) == cg_secret_is_set(b);
	return cg_secret_equals(a, b->bytes, b->length);
}

bool value_equal(enum option_kind kind, const struct value *a, const struct value *b)
{
	switch (kind) {
	case OPTION_INTEGER:
	case OPTION_PORT:
	case OPTION_BOOLEAN:
		return (a->source == NULL) == (b->source == NULL) &&
		       a->number == b->number;
	case OPTION_LIST:
	case OPTION_ARGV:
		return list_equal(&a->list, &b->list);
	case OPTION_CIDRS:
		return cidrs_equal(&a->cidrs, &b->cidrs);
	case OPTION_SECRET:
		return secret_equal(&a->secret, &b->secret);
	default:
		return text_equal(a->text, b->text);
	}
}
