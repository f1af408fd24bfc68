/* SPDX-License-Identifier: Apache-2.0 */
/* Error sentences: one line of clean UTF-8, whatever was formatted into it. */
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define STATUS_NAME 16 /* bytes of the longest name with its NUL */

static const char *const status_texts[] = {
#define CG_STATUS(name, text) text,
#include <cowgate/status.def>
#undef CG_STATUS
};

#define STATUS_COUNT (sizeof(status_texts) / sizeof(status_texts[0]))

/* Written once, by lower_names(). */
static char status_names[][STATUS_NAME] = {
#define CG_STATUS(name, text) #name,
#include <cowgate/status.def>
#undef CG_STATUS
};

static pthread_once_t names_once = PTHREAD_ONCE_INIT;

static void lower_names(void)
{
	for (size_t i = 0; i < STATUS_COUNT; i++) {
		for (char *c = status_names[i]; *c != '\0'; c++) {
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c - 'A' + 'a');
		}
	}
}

const char *cg_status_text(enum cg_status status)
{
	return (size_t)status < STATUS_COUNT ? status_texts[status] : "unknown status";
}

const char *cg_status_name(enum cg_status status)
{
	pthread_once(&names_once, lower_names);
	return (size_t)status < STATUS_COUNT ? status_names[status] : "unknown";
}

/* Make @text one line of valid UTF-8, in place: foreign bytes end up in logs and terminals. */
static void clean_sentence(char *text)
{
	size_t length = strlen(text);

	for (size_t at = 0; at < length;) {
		uint32_t point = 0;
		size_t step = cg_utf8_decode(text + at, length - at, &point);

		if (step == 0 && at + 4 > length && length == CG_ERROR_TEXT - 1) {
			text[at] = '\0'; /* a character cut by the end of the field */
			return;
		}
		if (step == 0)
			text[at] = '?';
		else if (cg_text_is_control(point))
			memset(text + at, ' ', step);
		at += step > 0 ? step : 1;
	}
}

enum cg_status cg_error_vset(
	struct cg_error *err, enum cg_status status, const char *format, va_list args)
{
	char text[CG_ERROR_TEXT] = {0};

	if (err == NULL)
		return status;
	/* Not straight into the field: an argument may be the old sentence. */
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		cg_text_copy(text, sizeof(text), cg_status_text(status));
	clean_sentence(text);
	err->status = (int)status;
	memcpy(err->text, text, sizeof(err->text));
	return status;
}

enum cg_status cg_error_set(
	struct cg_error *err, enum cg_status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	cg_error_vset(err, status, format, args);
	va_end(args);
	return status;
}

enum cg_status cg_error_prefix(struct cg_error *err, const char *format, ...)
{
	char prefix[CG_ERROR_TEXT];
	va_list args;

	if (err == NULL)
		return CG_INTERNAL;
	va_start(args, format);
	if (vsnprintf(prefix, sizeof(prefix), format, args) < 0)
		prefix[0] = '\0';
	va_end(args);
	return cg_error_set(
		err, (enum cg_status)err->status, "%s: %s", prefix, err->text);
}

enum cg_status cg_error_nomem(struct cg_error *err)
{
	return cg_error_set(err, CG_NOMEM, "%s", cg_status_text(CG_NOMEM));
}
