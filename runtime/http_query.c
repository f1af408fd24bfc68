/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-decoding of query strings and path segments. */
#include "runtime/http_server.h"

#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The character at *@at, which moves behind it; -1 for a bad escape or NUL. */
static int decode_next(const char **at, const char *end, bool plus_is_blank)
{
	const char *text = *at;
	int high, low;

	if (*text != '%') {
		*at = text + 1;
		if (*text == '\0')
			return -1;
		return plus_is_blank && *text == '+' ? ' ' : (unsigned char)*text;
	}
	if (end - text < 3)
		return -1;
	high = hex_digit(text[1]);
	low = hex_digit(text[2]);
	if (high < 0 || low < 0 || high + low == 0)
		return -1;
	*at = text + 3;
	return high * 16 + low;
}

static char *decode(const char *text, const char *end, bool plus_is_blank)
{
	char *decoded = malloc((size_t)(end - text) + 1);
	size_t length = 0;

	if (decoded == NULL)
		return NULL;
	while (text < end) {
		int c = decode_next(&text, end, plus_is_blank);

		if (c < 0) {
			free(decoded);
			return NULL;
		}
		decoded[length++] = (char)c;
	}
	decoded[length] = '\0';
	return decoded;
}

static bool decodes_to(const char *text, const char *end, const char *name)
{
	while (text < end) {
		int c = decode_next(&text, end, true);

		if (c < 0 || c != (unsigned char)*name++)
			return false;
	}
	return *name == '\0';
}

char *http_query_get_at(const char *query, const char *name, size_t index)
{
	while (*query != '\0') {
		const char *end = query + strcspn(query, "&");
		const char *equals = memchr(query, '=', (size_t)(end - query));
		const char *name_end = equals != NULL ? equals : end;

		if (decodes_to(query, name_end, name) && index-- == 0)
			return decode(equals != NULL ? equals + 1 : end, end, true);
		query = *end == '&' ? end + 1 : end;
	}
	return NULL;
}

char *http_query_get(const char *query, const char *name)
{
	return http_query_get_at(query, name, 0);
}

char *http_path_decode(const char *segment, size_t length)
{
	return decode(segment, segment + length, false);
}
