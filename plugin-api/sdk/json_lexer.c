/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON tokens.  Strings are checked byte by byte here so that nobody has to later. */
#include "json_lexer.h"

#include <cowgate/sdk/text.h>
#include <string.h>

static struct cg_token broken(const char *problem)
{
	return (struct cg_token){.kind = CG_TOKEN_BROKEN, .problem = problem};
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The byte at the lexer, NUL at the end: no token contains NUL. */
static char peek(const struct cg_lexer *lexer)
{
	return lexer->at < lexer->length ? lexer->bytes[lexer->at] : '\0';
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Four hex digits at @text; -1 when they are none. */
static int32_t read_hex4(const char *text)
{
	int32_t value = 0;

	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(text[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* The lexer stands behind a backslash.  NULL when the escape is a good one. */
static const char *skip_escape(struct cg_lexer *lexer, struct cg_token *token)
{
	char c = peek(lexer);

	token->escaped = true;
	if (c == 'u') {
		int32_t unit = lexer->length - lexer->at >= 5
				       ? read_hex4(lexer->bytes + lexer->at + 1)
				       : -1;

		if (unit < 0)
			return "\\u needs four hex digits";
		token->has_nul |= unit == 0;
		lexer->at += 5;
		return NULL;
	}
	if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL)
		return "unknown escape";
	lexer->at++;
	return NULL;
}

/* Bytes that may follow one another in a string without a further look. */
static size_t plain_run(const char *text, size_t length)
{
	size_t at = 0;

	while (at < length) {
		uint8_t byte = (uint8_t)text[at];

		if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\')
			break;
		at++;
	}
	return at;
}

static struct cg_token read_string(struct cg_lexer *lexer)
{
	struct cg_token token = {
		.kind = CG_TOKEN_STRING, .text = lexer->bytes + ++lexer->at};
	size_t start = lexer->at;

	for (;;) {
		const char *problem;
		uint32_t point;
		size_t step;

		lexer->at +=
			plain_run(lexer->bytes + lexer->at, lexer->length - lexer->at);
		if (lexer->at >= lexer->length)
			return broken("the string does not end");
		switch (lexer->bytes[lexer->at]) {
		case '"':
			token.length = lexer->at++ - start;
			return token;
		case '\\':
			lexer->at++;
			problem = skip_escape(lexer, &token);
			if (problem != NULL)
				return broken(problem);
			break;
		default:
			if ((uint8_t)lexer->bytes[lexer->at] < 0x20)
				return broken("control character in a string");
			step = cg_utf8_decode(lexer->bytes + lexer->at,
				lexer->length - lexer->at, &point);
			if (step == 0)
				return broken("invalid UTF-8");
			lexer->at += step;
		}
	}
}

/* At least one digit; false when there is none. */
static bool skip_digits(struct cg_lexer *lexer)
{
	size_t start = lexer->at;

	while (is_digit(peek(lexer)))
		lexer->at++;
	return lexer->at > start;
}

static struct cg_token read_number(struct cg_lexer *lexer)
{
	struct cg_token token = {
		.kind = CG_TOKEN_INTEGER, .text = lexer->bytes + lexer->at};
	size_t start = lexer->at;

	if (peek(lexer) == '-')
		lexer->at++;
	if (peek(lexer) == '0') {
		lexer->at++;
		if (is_digit(peek(lexer)))
			return broken("leading zero");
	} else if (!skip_digits(lexer)) {
		return broken("digit expected");
	}
	if (peek(lexer) == '.') {
		lexer->at++;
		token.kind = CG_TOKEN_DOUBLE;
		if (!skip_digits(lexer))
			return broken("digit expected");
	}
	if (peek(lexer) == 'e' || peek(lexer) == 'E') {
		lexer->at++;
		token.kind = CG_TOKEN_DOUBLE;
		if (peek(lexer) == '+' || peek(lexer) == '-')
			lexer->at++;
		if (!skip_digits(lexer))
			return broken("digit expected");
	}
	token.length = lexer->at - start;
	return token;
}

static struct cg_token read_word(
	struct cg_lexer *lexer, const char *word, enum cg_token_kind kind)
{
	size_t length = strlen(word);

	if (lexer->length - lexer->at < length ||
		memcmp(lexer->bytes + lexer->at, word, length) != 0)
		return broken("value expected");
	lexer->at += length;
	return (struct cg_token){.kind = kind};
}

static struct cg_token read_sign(struct cg_lexer *lexer, enum cg_token_kind kind)
{
	lexer->at++;
	return (struct cg_token){.kind = kind};
}

struct cg_token cg_lexer_next(struct cg_lexer *lexer)
{
	char c = peek(lexer);

	while (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
		lexer->at++;
		c = peek(lexer);
	}
	if (lexer->at >= lexer->length)
		return (struct cg_token){.kind = CG_TOKEN_END};
	switch (c) {
	case '{':
		return read_sign(lexer, CG_TOKEN_OBJECT_OPEN);
	case '}':
		return read_sign(lexer, CG_TOKEN_OBJECT_CLOSE);
	case '[':
		return read_sign(lexer, CG_TOKEN_ARRAY_OPEN);
	case ']':
		return read_sign(lexer, CG_TOKEN_ARRAY_CLOSE);
	case ',':
		return read_sign(lexer, CG_TOKEN_COMMA);
	case ':':
		return read_sign(lexer, CG_TOKEN_COLON);
	case '"':
		return read_string(lexer);
	case 't':
		return read_word(lexer, "true", CG_TOKEN_TRUE);
	case 'f':
		return read_word(lexer, "false", CG_TOKEN_FALSE);
	case 'n':
		return read_word(lexer, "null", CG_TOKEN_NULL);
	default:
		if (c == '-' || is_digit(c))
			return read_number(lexer);
		return broken("unexpected byte");
	}
}

static char short_escape(char c)
{
	switch (c) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

/* The code point of the \uXXXX at @text (behind the backslash), with a low half if one follows. */
static uint32_t read_point(const char *text, size_t length, size_t *ret_used)
{
	uint32_t high = (uint32_t)read_hex4(text + 1);
	uint32_t low;

	*ret_used = 5;
	if (high < 0xD800 || high > 0xDBFF)
		return high;
	if (length < 11 || text[5] != '\\' || text[6] != 'u')
		return CG_UTF8_REPLACEMENT;
	low = (uint32_t)read_hex4(text + 7);
	if (low < 0xDC00 || low > 0xDFFF)
		return CG_UTF8_REPLACEMENT;
	*ret_used = 11;
	return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

enum cg_status cg_token_unescape(const struct cg_token *token, struct cg_buffer *ret)
{
	const char *at = token->text;
	const char *end = token->text + token->length;

	while (at < end) {
		const char *slash = memchr(at, '\\', (size_t)(end - at));
		size_t used = 1;

		if (slash == NULL)
			break;
		cg_buffer_add(ret, at, (size_t)(slash - at));
		at = slash + 1;
		if (*at == 'u') {
			char utf8[4];
			uint32_t point = read_point(at, (size_t)(end - at), &used);

			cg_buffer_add(ret, utf8, cg_utf8_encode(point, utf8));
		} else {
			cg_buffer_char(ret, short_escape(*at));
		}
		at += used;
	}
	return cg_buffer_add(ret, at, (size_t)(end - at));
}

/* Blank out @length bytes but for line ends, so that byte offsets stay what they were. */
static void blank_out(char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] != '\n')
			text[i] = ' ';
	}
}

/* Length of a comment at @text; 0 when there is none or it does not end. */
static size_t comment_length(const char *text, size_t length)
{
	if (length < 2 || text[0] != '/')
		return 0;
	if (text[1] == '/') {
		const char *end = memchr(text, '\n', length);

		return end != NULL ? (size_t)(end - text) : length;
	}
	if (text[1] != '*')
		return 0;
	for (size_t i = 2; i + 1 < length; i++) {
		if (text[i] == '*' && text[i + 1] == '/')
			return i + 2;
	}
	return 0;
}

static size_t string_length(const char *text, size_t length)
{
	size_t at = 1;

	while (at < length && text[at] != '"')
		at += text[at] == '\\' ? 2 : 1;
	return at + 1 < length ? at + 1 : length;
}

void cg_lexer_relax(char *text, size_t length)
{
	size_t comma = SIZE_MAX; /* where a comma stands that nothing has followed yet */
	char before = '['; /* last byte with a meaning: a comma must follow a value */

	for (size_t at = 0; at < length;) {
		size_t comment = comment_length(text + at, length - at);
		char c = text[at];

		if (comment > 0) {
			blank_out(text + at, comment);
			at += comment;
			continue;
		}
		if (c == '/')
			return; /* no JSON comes of this any more */
		if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
			at++;
			continue;
		}
		if ((c == ']' || c == '}') && comma != SIZE_MAX)
			text[comma] = ' ';
		comma = c == ',' && strchr("[{,:", before) == NULL ? at : SIZE_MAX;
		before = c;
		at += c == '"' ? string_length(text + at, length - at) : 1;
	}
}
