/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON from bytes.  json-c's own parser takes single quotes, NaN and raw control characters,
 * cuts keys at NUL, clamps large numbers and keeps the last of two equal keys, and none of that
 * can be switched off.  So the bytes go through the lexer beside this file, and the values are
 * built from its tokens in the same pass.
 */
#include "json_lexer.h"
#include "json_number.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ARRAY 4 /* elements that a new one has room for */

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
	double value;

	cg_buffer_clear(&parser->text);
	if (cg_buffer_add(&parser->text, token->text, token->length) != CG_OK)
		return cg_error_nomem(parser->err);
	value = cg_number_read(cg_buffer_string(&parser->text));
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
