/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mail as bytes: GMime's part of the work.  Everything here may run on a pool thread, once
 * mime_library_init() was called on the loop.
 */
#ifndef PROVIDERS_EMAIL_MIME_H
#define PROVIDERS_EMAIL_MIME_H

#include "mail.h"

#include <cowgate/sdk/buffer.h>

#define MIME_PARTS 128 /* containers in one mail, so that no nesting is deeper */
#define MIME_MESSAGE_MAX (24u << 20) /* bytes of a whole mail, either way */

/* As often as wanted.  GMime cannot begin anew after an end, so it has none. */
void mime_library_init(void);

/* How a mail is to be read. */
struct mime_reading {
	const char *domain; /* of our own message ids */
	const char *own_address; /* what we send from */
	struct mail_trust trust;
	size_t max_file; /* bytes of one attachment */
	bool truncated; /* the end is missing: attachments cannot be believed */
};

/*
 * Read a whole mail of at most MIME_MESSAGE_MAX bytes.  INVALID: it is none, or nested beyond
 * reason; LIMIT: too long.  On CG_OK the caller finishes @ret.
 */
enum cg_status mime_read(const char *bytes, size_t length,
	const struct mime_reading *reading, struct mail *ret, struct cg_error *err);

/* A mail to be written.  Strings are UTF-8; ids are without brackets; NULL where there is none. */
struct mime_draft {
	const char *from, *from_name, *to;
	const char *subject;
	const char *id;
	const char *in_reply_to;
	const char *references[2]; /* oldest first */
	int64_t at_ms; /* wall clock */
	const char *text, *html;
	int fd; /* attachment, read from its beginning; -1: none */
	const char *filename, *mime_type;
};

/* Append the mail with CRLF line ends.  LIMIT or NOMEM of the buffer; IO: the file cannot be read. */
enum cg_status mime_write(
	const struct mime_draft *draft, struct cg_buffer *ret, struct cg_error *err);

#endif
