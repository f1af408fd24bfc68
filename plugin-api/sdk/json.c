/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values: json-c's, with what is safe to ask of them, and how they are built and written. */
#include "json_number.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
#define FIRST_ARRAY 4 /* elements that a new one has room for */

/* ---- Values ---- */

void cg_json_free(struct json_object *value)
{
	json_object_put(value);
}

struct json_object *cg_json_ref(struct json_object *value)
{
	return json_object_get(value);
}

const char *cg_json_text(struct json_object *value, size_t *ret_length)
{
	size_t length = 0;
	const char *text = json_object_to_json_string_length(value, TEXT_FLAGS, &length);

	if (text == NULL)
		abort();
	if (ret_length != NULL)
		*ret_length = length;
	return text;
}

struct json_object *cg_json_copy(struct json_object *value)
{
	struct json_object *copy = NULL;

	if (value != NULL && json_object_deep_copy(value, &copy, NULL) != 0)
		abort();
	return copy;
}

/* ---- Readers ---- */

struct json_object *cg_json_member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(object, json_type_object))
		return NULL;
	json_object_object_get_ex(object, key, &value);
	return value;
}

bool cg_json_has(struct json_object *object, const char *key)
{
	return json_object_is_type(object, json_type_object) &&
	       json_object_object_get_ex(object, key, NULL);
}

const char *cg_json_value_string(struct json_object *value, size_t *ret_length)
{
	if (!json_object_is_type(value, json_type_string))
		return NULL;
	if (ret_length != NULL)
		*ret_length = (size_t)json_object_get_string_len(value);
	return json_object_get_string(value);
}

const char *cg_json_string(struct json_object *object, const char *key)
{
	size_t length = 0;
	const char *text = cg_json_value_string(cg_json_member(object, key), &length);

	/* With a NUL inside, a C string would silently be another one. */
	return text != NULL && memchr(text, '\0', length) == NULL ? text : NULL;
}

const char *cg_json_string_or(
	struct json_object *object, const char *key, const char *fallback)
{
	const char *text = cg_json_string(object, key);

	return text != NULL ? text : fallback;
}

bool cg_json_value_int(struct json_object *value, int64_t *ret)
{
	if (!json_object_is_type(value, json_type_int) ||
		json_object_get_uint64(value) > INT64_MAX)
		return false;
	*ret = json_object_get_int64(value);
	return true;
}

int64_t cg_json_int(struct json_object *object, const char *key, int64_t fallback)
{
	int64_t value;

	return cg_json_value_int(cg_json_member(object, key), &value) ? value : fallback;
}

bool cg_json_bool(struct json_object *object, const char *key, bool fallback)
{
	struct json_object *value = cg_json_member(object, key);

	return json_object_is_type(value, json_type_boolean)
		       ? json_object_get_boolean(value) != 0
		       : fallback;
}

double cg_json_double(struct json_object *object, const char *key, double fallback)
{
	struct json_object *value = cg_json_member(object, key);

	/* JSON has one kind of number: 1 is a good double. */
	return json_object_is_type(value, json_type_double) ||
			       json_object_is_type(value, json_type_int)
		       ? json_object_get_double(value)
		       : fallback;
}

struct json_object *cg_json_object(struct json_object *object, const char *key)
{
	struct json_object *value = cg_json_member(object, key);

	return cg_json_is_object(value) ? value : NULL;
}

struct json_object *cg_json_array(struct json_object *object, const char *key)
{
	struct json_object *value = cg_json_member(object, key);

	return cg_json_is_array(value) ? value : NULL;
}

size_t cg_json_count(struct json_object *array)
{
	return cg_json_is_array(array) ? json_object_array_length(array) : 0;
}

struct json_object *cg_json_at(struct json_object *array, size_t index)
{
	return index < cg_json_count(array) ? json_object_array_get_idx(array, index)
					    : NULL;
}

bool cg_json_is_object(struct json_object *value)
{
	return json_object_is_type(value, json_type_object) != 0;
}

bool cg_json_is_array(struct json_object *value)
{
	return json_object_is_type(value, json_type_array) != 0;
}

bool cg_json_is_string(struct json_object *value)
{
	return json_object_is_type(value, json_type_string) != 0;
}

/* ---- Builders ---- */

static struct json_object *made(struct json_object *value)
{
	if (value == NULL)
		abort();
	return value;
}

struct json_object *cg_json_new_object(void)
{
	return made(json_object_new_object());
}

struct json_object *cg_json_new_array(void)
{
	return made(json_object_new_array_ext(FIRST_ARRAY));
}

struct json_object *cg_json_new_string_length(const char *text, size_t length)
{
	struct json_object *value;
	struct cg_buffer repaired;

	if (length > INT_MAX / 4)
		abort();
	if (cg_utf8_valid(text, length))
		return made(json_object_new_string_len(text, (int)length));
	cg_buffer_init(&repaired, INT_MAX);
	if (cg_utf8_repair(&repaired, text, length) != CG_OK)
		abort();
	value = json_object_new_string_len(
		cg_buffer_string(&repaired), (int)repaired.length);
	cg_buffer_finish(&repaired);
	return made(value);
}

struct json_object *cg_json_new_string(const char *text)
{
	return text != NULL ? cg_json_new_string_length(text, strlen(text)) : NULL;
}

void cg_json_put(struct json_object *object, const char *key, struct json_object *value)
{
	if (json_object_object_add(object, key, value) != 0)
		abort();
}

void cg_json_append(struct json_object *array, struct json_object *value)
{
	if (json_object_array_add(array, value) != 0)
		abort();
}

void cg_json_put_string(struct json_object *object, const char *key, const char *text)
{
	cg_json_put(object, key, cg_json_new_string(text));
}

void cg_json_put_time(struct json_object *object, const char *key, int64_t wall_ms)
{
	char text[CG_TIME_TEXT];

	if (wall_ms > 0)
		cg_time_format(wall_ms, text);
	cg_json_put_string(object, key, wall_ms > 0 ? text : NULL);
}

void cg_json_put_int(struct json_object *object, const char *key, int64_t value)
{
	cg_json_put(object, key, made(json_object_new_int64(value)));
}

void cg_json_put_bool(struct json_object *object, const char *key, bool value)
{
	cg_json_put(object, key, made(json_object_new_boolean(value)));
}

void cg_json_put_null(struct json_object *object, const char *key)
{
	cg_json_put(object, key, NULL);
}

void cg_json_put_double(struct json_object *object, const char *key, double value)
{
	char text[CG_NUMBER_TEXT];

	if (!isfinite(value)) {
		cg_json_put_null(object, key); /* JSON has no such number */
		return;
	}
	cg_number_write(value, text);
	cg_json_put(object, key, made(json_object_new_double_s(value, text)));
}

/* The two-character escape of @c, or NULL. */
static const char *short_escape(char c)
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\b':
		return "\\b";
	case '\f':
		return "\\f";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		return NULL;
	}
}

enum cg_status cg_json_write_string(
	struct cg_buffer *buffer, const char *text, size_t length)
{
	size_t good = 0; /* start of what has not been copied */

	cg_buffer_char(buffer, '"');
	for (size_t at = 0; at < length;) {
		uint8_t byte = (uint8_t)text[at];
		uint32_t point;
		size_t step = 1;

		if (byte >= 0x80)
			step = cg_utf8_decode(text + at, length - at, &point);
		if (step > 0 && byte >= 0x20 && byte != '"' && byte != '\\') {
			at += step;
			continue;
		}
		cg_buffer_add(buffer, text + good, at - good);
		if (step == 0)
			cg_buffer_text(buffer, CG_UTF8_REPLACEMENT_TEXT);
		else if (short_escape(text[at]) != NULL)
			cg_buffer_text(buffer, short_escape(text[at]));
		else
			cg_buffer_format(buffer, "\\u%04x", (unsigned)byte);
		good = ++at;
	}
	cg_buffer_add(buffer, text + good, length - good);
	return cg_buffer_char(buffer, '"');
}
