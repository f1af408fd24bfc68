/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON values are json-c's; reading them from bytes is not.  json-c's own parser takes single
 * quotes, NaN and raw control characters, cuts keys at NUL, clamps large numbers and keeps the
 * last of two equal keys, and none of that can be switched off.  So the bytes go through the
 * lexer beside this file, and the values are built from its tokens in the same pass.
 */
#include "json_lexer.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
#define DOUBLE_TEXT 32 /* bytes of any double at 17 digits */
#define FIRST_ARRAY 4

static pthread_once_t locale_once = PTHREAD_ONCE_INIT;
static locale_t plain_locale; /* "C": a decimal point is a point */

static void make_locale(void)
{
	plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (plain_locale == (locale_t)0)
		abort();
}

/* Switch to the plain locale; give the result back to uselocale(). */
static locale_t enter_locale(void)
{
	pthread_once(&locale_once, make_locale);
	return uselocale(plain_locale);
}

/* ---- Parsing ---- */

enum expect {
	EXPECT_VALUE,
	EXPECT_VALUE_OR_CLOSE,
	EXPECT_KEY,
	EXPECT_KEY_OR_CLOSE,
	EXPECT_COLON,
	EXPECT_COMMA_OR_CLOSE,
	EXPECT_END,
};

struct parser {
	struct cg_lexer lexer;
	enum expect expect;
	struct json_object *root; /* owned */
	struct json_object *containers[CG_JSON_DEPTH]; /* borrowed from root */
	size_t depth;
	size_t values;
	struct cg_buffer key; /* of the member being read */
	struct cg_buffer text; /* scratch */
	struct cg_error *err;
};

static enum cg_status refuse(
	struct parser *parser, enum cg_status status, const char *problem)
{
	return cg_error_set(
		parser->err, status, "JSON: %s at byte %zu", problem, parser->lexer.at);
}

static bool in_object(const struct parser *parser)
{
	return parser->depth > 0 &&
	       json_object_is_type(
		       parser->containers[parser->depth - 1], json_type_object);
}

static void expect_after_value(struct parser *parser)
{
	parser->expect = parser->depth > 0 ? EXPECT_COMMA_OR_CLOSE : EXPECT_END;
}

/* Put a value where it belongs.  Adopts @value, also on failure. */
static enum cg_status place(struct parser *parser, struct json_object *value)
{
	struct json_object *parent;
	int count;

	if (++parser->values > CG_JSON_KEYS) {
		json_object_put(value);
		return refuse(parser, CG_LIMIT, "too many values");
	}
	if (parser->depth == 0) {
		parser->root = value;
		return CG_OK;
	}
	parent = parser->containers[parser->depth - 1];
	if (!in_object(parser)) {
		if (json_object_array_add(parent, value) == 0)
			return CG_OK;
		json_object_put(value);
		return cg_error_nomem(parser->err);
	}
	count = json_object_object_length(parent);
	if (json_object_object_add(parent, cg_buffer_string(&parser->key), value) != 0) {
		json_object_put(value);
		return cg_error_nomem(parser->err);
	}
	if (json_object_object_length(parent) == count)
		return refuse(parser, CG_INVALID, "duplicate key");
	return CG_OK;
}

/* As place(), for a value that json-c has just made: NULL means no memory. */
static enum cg_status place_new(struct parser *parser, struct json_object *value)
{
	enum cg_status status;

	if (value == NULL)
		return cg_error_nomem(parser->err);
	status = place(parser, value);
	expect_after_value(parser);
	return status;
}

static enum cg_status open_container(struct parser *parser, bool object)
{
	struct json_object *value;
	enum cg_status status;

	if (parser->depth == CG_JSON_DEPTH)
		return refuse(parser, CG_LIMIT, "nested too deep");
	value = object ? json_object_new_object()
		       : json_object_new_array_ext(FIRST_ARRAY);
	status = place_new(parser, value);
	if (status != CG_OK)
		return status;
	parser->containers[parser->depth++] = value;
	parser->expect = object ? EXPECT_KEY_OR_CLOSE : EXPECT_VALUE_OR_CLOSE;
	return CG_OK;
}

static enum cg_status place_string(struct parser *parser, const struct cg_token *token)
{
	const char *text = token->text;
	size_t length = token->length;

	if (token->escaped) {
		cg_buffer_clear(&parser->text);
		if (cg_token_unescape(token, &parser->text) != CG_OK)
			return cg_error_nomem(parser->err);
		text = cg_buffer_string(&parser->text);
		length = parser->text.length;
	}
	return place_new(parser, json_object_new_string_len(text, (int)length));
}

static enum cg_status place_integer(struct parser *parser, const struct cg_token *token)
{
	bool negative = token->text[0] == '-';
	uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : UINT64_MAX;
	uint64_t value = 0;

	for (size_t i = negative; i < token->length; i++) {
		uint64_t digit = (uint64_t)(token->text[i] - '0');

		if (value > (limit - digit) / 10)
			return refuse(parser, CG_INVALID, "integer beyond 64 bits");
		value = value * 10 + digit;
	}
	if (negative) /* in two's complement, also for the smallest of all */
		return place_new(parser,
			json_object_new_int64(value > 0 ? -(int64_t)(value - 1) - 1 : 0));
	if (value > INT64_MAX)
		return place_new(parser, json_object_new_uint64(value));
	return place_new(parser, json_object_new_int64((int64_t)value));
}

/* The source text is kept, so that the number is written again as it came. */
static enum cg_status place_double(struct parser *parser, const struct cg_token *token)
{
	locale_t outer;
	double value;

	cg_buffer_clear(&parser->text);
	if (cg_buffer_add(&parser->text, token->text, token->length) != CG_OK)
		return cg_error_nomem(parser->err);
	outer = enter_locale();
	value = strtod(cg_buffer_string(&parser->text), NULL);
	uselocale(outer);
	if (!isfinite(value))
		return refuse(parser, CG_INVALID, "number out of range");
	return place_new(
		parser, json_object_new_double_s(value, cg_buffer_string(&parser->text)));
}

static enum cg_status take_value(struct parser *parser, const struct cg_token *token)
{
	switch (token->kind) {
	case CG_TOKEN_OBJECT_OPEN:
		return open_container(parser, true);
	case CG_TOKEN_ARRAY_OPEN:
		return open_container(parser, false);
	case CG_TOKEN_STRING:
		return place_string(parser, token);
	case CG_TOKEN_INTEGER:
		return place_integer(parser, token);
	case CG_TOKEN_DOUBLE:
		return place_double(parser, token);
	case CG_TOKEN_TRUE:
		return place_new(parser, json_object_new_boolean(1));
	case CG_TOKEN_FALSE:
		return place_new(parser, json_object_new_boolean(0));
	case CG_TOKEN_NULL:
		expect_after_value(parser);
		return place(parser, NULL);
	default:
		return refuse(parser, CG_INVALID, "value expected");
	}
}

static enum cg_status take_key(struct parser *parser, const struct cg_token *token)
{
	if (token->kind != CG_TOKEN_STRING)
		return refuse(parser, CG_INVALID, "key expected");
	if (token->has_nul)
		return refuse(parser, CG_INVALID, "NUL in a key");
	cg_buffer_clear(&parser->key);
	if (cg_token_unescape(token, &parser->key) != CG_OK)
		return cg_error_nomem(parser->err);
	parser->expect = EXPECT_COLON;
	return CG_OK;
}

/* A closing bracket that fits the innermost container. */
static bool take_close(struct parser *parser, enum cg_token_kind kind)
{
	if (parser->depth == 0 || kind != (in_object(parser) ? CG_TOKEN_OBJECT_CLOSE
							     : CG_TOKEN_ARRAY_CLOSE))
		return false;
	parser->depth--;
	expect_after_value(parser);
	return true;
}

static enum cg_status take_token(struct parser *parser, const struct cg_token *token)
{
	switch (parser->expect) {
	case EXPECT_VALUE_OR_CLOSE:
		if (take_close(parser, token->kind))
			return CG_OK;
		return take_value(parser, token);
	case EXPECT_VALUE:
		return take_value(parser, token);
	case EXPECT_KEY_OR_CLOSE:
		if (take_close(parser, token->kind))
			return CG_OK;
		return take_key(parser, token);
	case EXPECT_KEY:
		return take_key(parser, token);
	case EXPECT_COLON:
		if (token->kind != CG_TOKEN_COLON)
			return refuse(parser, CG_INVALID, "colon expected");
		parser->expect = EXPECT_VALUE;
		return CG_OK;
	case EXPECT_COMMA_OR_CLOSE:
		if (take_close(parser, token->kind))
			return CG_OK;
		if (token->kind != CG_TOKEN_COMMA)
			return refuse(parser, CG_INVALID, "comma or end expected");
		parser->expect = in_object(parser) ? EXPECT_KEY : EXPECT_VALUE;
		return CG_OK;
	case EXPECT_END:
		break;
	}
	return refuse(parser, CG_INVALID, "text after the value");
}

enum cg_status cg_json_parse(
	const char *bytes, size_t length, struct json_object **ret, struct cg_error *err)
{
	struct parser parser = {
		.lexer = {.bytes = bytes, .length = length},
		.expect = EXPECT_VALUE,
		.err = err,
	};
	enum cg_status status = CG_OK;

	if (length > INT_MAX)
		return cg_error_set(
			err, CG_LIMIT, "JSON: %zu bytes are too many", length);
	cg_buffer_init(&parser.key, length);
	cg_buffer_init(&parser.text, length);
	while (status == CG_OK) {
		struct cg_token token = cg_lexer_next(&parser.lexer);

		if (token.kind == CG_TOKEN_BROKEN) {
			status = refuse(&parser, CG_INVALID, token.problem);
		} else if (token.kind == CG_TOKEN_END) {
			if (parser.expect != EXPECT_END)
				status = refuse(&parser, CG_INVALID, "unexpected end");
			break;
		} else {
			status = take_token(&parser, &token);
		}
	}
	cg_buffer_finish(&parser.key);
	cg_buffer_finish(&parser.text);
	if (status != CG_OK) {
		json_object_put(parser.root);
		return status;
	}
	*ret = parser.root;
	return CG_OK;
}

enum cg_status cg_json_parse_relaxed(
	const char *bytes, size_t length, struct json_object **ret, struct cg_error *err)
{
	enum cg_status status;
	char *copy = malloc(length + 1);

	if (copy == NULL)
		return cg_error_nomem(err);
	if (length > 0)
		memcpy(copy, bytes, length);
	cg_lexer_relax(copy, length);
	status = cg_json_parse(copy, length, ret, err);
	free(copy);
	return status;
}

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
	char text[DOUBLE_TEXT];
	locale_t outer;

	if (!isfinite(value)) {
		cg_json_put_null(object, key); /* JSON has no such number */
		return;
	}
	outer = enter_locale();
	for (int digits = 1; digits <= 17; digits++) {
		double back;

		snprintf(text, sizeof(text), "%.*g", digits, value);
		back = strtod(text, NULL);
		if (memcmp(&back, &value, sizeof(back)) == 0)
			break;
	}
	uselocale(outer);
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
