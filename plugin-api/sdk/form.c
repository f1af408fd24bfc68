/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of a URL-encoded form. */
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/form.h>
#include <string.h>
#include <strings.h>

#define FORM_TYPE "application/x-www-form-urlencoded"

bool cg_form_is(const char *content_type)
{
	size_t length = sizeof(FORM_TYPE) - 1;

	return content_type != NULL &&
	       strncasecmp(content_type, FORM_TYPE, length) == 0 &&
	       strchr("; \t", content_type[length]) != NULL; /* also at the end */
}

static enum cg_status decode(const char *text, size_t length, struct cg_buffer *ret)
{
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = (uint8_t)text[i];

		if (byte == '+') {
			byte = ' ';
		} else if (byte == '%') {
			if (length - i < 3 || !cg_unhex(text + i + 1, 2, &byte))
				return CG_INVALID;
			i += 2;
		}
		cg_buffer_char(ret, (char)byte);
	}
	return cg_buffer_status(ret);
}

enum cg_status cg_form_value(
	const char *body, size_t length, const char *name, struct cg_buffer *ret)
{
	size_t name_length = strlen(name);

	while (length > 0) {
		const char *end = memchr(body, '&', length);
		size_t field = end == NULL ? length : (size_t)(end - body);

		if (field > name_length && body[name_length] == '=' &&
			memcmp(body, name, name_length) == 0)
			return decode(
				body + name_length + 1, field - name_length - 1, ret);
		field += end != NULL;
		body += field;
		length -= field;
	}
	return CG_NOT_FOUND;
}
