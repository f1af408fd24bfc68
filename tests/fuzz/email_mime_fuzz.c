/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a mail: what comes out keeps to every cap and is clean UTF-8. */
#include "providers/email/mime.h"

#include <cowgate/sdk/text.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_line(const char *text, size_t limit)
{
	if (!cg_text_clean(text, strlen(text), limit))
		abort();
}

static void check(const struct mail *mail, const struct mime_reading *reading)
{
	if (mail->from[0] != '\0' && !email_address_valid(mail->from))
		abort();
	if (mail->text == NULL || !cg_utf8_valid(mail->text, strlen(mail->text)) ||
		strlen(mail->text) > 2 * MAIL_TEXT_MAX)
		abort();
	check_line(mail->name, EMAIL_NAME);
	check_line(mail->subject, MAIL_SUBJECT);
	check_line(mail->id, EMAIL_ID);
	check_line(mail->thread, EMAIL_ID);
	if (mail->thread[0] == '\0' || mail->file_count > MAIL_FILES)
		abort();
	for (size_t i = 0; i < mail->file_count; i++) {
		const struct mail_file *file = &mail->files[i];

		check_line(file->filename, MAIL_FILENAME);
		if (file->filename[0] == '\0' || file->length > reading->max_file ||
			strchr(file->filename, '/') != NULL)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const struct mime_reading reading = {
		.domain = "example.org",
		.own_address = "agent@example.org",
		.trust = {.authserv_id = "mx.example.org"},
		.max_file = 4096,
		.truncated = length > 0 && bytes[0] == 'T',
	};
	struct mail mail;

	mime_library_init();
	if (mime_read((const char *)bytes, length, &reading, &mail, NULL) != CG_OK)
		return 0;
	check(&mail, &reading);
	mail_finish(&mail);
	return 0;
}
