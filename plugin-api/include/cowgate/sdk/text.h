/* SPDX-License-Identifier: Apache-2.0 */
/* Pure functions on UTF-8 text. */
#ifndef COWGATE_SDK_TEXT_H
#define COWGATE_SDK_TEXT_H

#include <cowgate/capability.h>
#include <cowgate/sdk/buffer.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Strict UTF-8: no overlong forms, surrogates, or code points beyond U+10FFFF. */
bool cg_utf8_valid(const char *text, size_t length);

#define CG_UTF8_REPLACEMENT 0xFFFDu
#define CG_UTF8_REPLACEMENT_TEXT "\xEF\xBF\xBD"

/* The code point at the start of @text and the bytes it takes; 0 when they are not strict UTF-8. */
size_t cg_utf8_decode(const char *text, size_t length, uint32_t *ret);

/* Write a code point, U+FFFD for what is none; returns its bytes.  No NUL is added. */
size_t cg_utf8_encode(uint32_t point, char ret[4]);

/* Append @text with each byte that is not part of strict UTF-8 replaced by U+FFFD. */
enum cg_status cg_utf8_repair(struct cg_buffer *buffer, const char *text, size_t length);

/* Bytes of the character at the start of @text; a byte that is no UTF-8 counts as one. */
size_t cg_text_step(const char *text, size_t length);

/* Length of valid UTF-8 in a platform's unit. */
size_t cg_text_measure(const char *text, size_t length, enum cg_text_unit unit);

/* Largest prefix of at most @limit units that ends between characters; bytes. */
size_t cg_text_prefix(
	const char *text, size_t length, enum cg_text_unit unit, size_t limit);

/* C0, DEL and C1. */
bool cg_text_is_control(uint32_t point);

/* No control characters (C0, DEL, C1 encoded) and valid UTF-8, at most @limit bytes. */
bool cg_text_clean(const char *text, size_t length, size_t limit);

/* Blank or NULL. */
bool cg_text_blank(const char *text);

/* Copy at most size-1 bytes, cut between characters, always ended with NUL. */
void cg_text_copy(char *ret, size_t size, const char *text);

/* ISO 8601 UTC with milliseconds, "2026-11-22T03:04:05.678Z", 25 bytes with NUL.  Times outside
 * the years 1 to 9999 are moved to the nearest end. */
#define CG_TIME_TEXT 25
void cg_time_format(int64_t wall_ms, char ret[CG_TIME_TEXT]);
/* And back, also without or with a longer fraction and with a zone offset instead of Z. */
bool cg_time_parse(const char *text, int64_t *ret_wall_ms);

/* Decimal integer over the whole string, no sign but '-', no space.  False otherwise. */
bool cg_parse_int(const char *text, int64_t *ret);

/* A chat command: "/name[@bot] args".  False when @text is none. */
struct cg_command {
	char name[64]; /* lower case, [a-z][a-z0-9_-]* */
	char mention[64]; /* after '@', "" if absent */
	const char *args; /* into the text, leading blanks skipped */
};
bool cg_command_parse(const char *text, struct cg_command *ret);

#endif
