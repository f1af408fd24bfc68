/* SPDX-License-Identifier: Apache-2.0 */
/* Mail addresses and message ids, as they come in headers.  Pure. */
#ifndef PROVIDERS_EMAIL_ADDRESS_H
#define PROVIDERS_EMAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#define EMAIL_ADDRESS 321 /* bytes of an address, NUL included: 64 @ 255 */
#define EMAIL_NAME 257 /* bytes of a display name that is kept, NUL included */
#define EMAIL_ID 513 /* bytes of a message id that is kept, NUL included */

/*
 * The address in "Name <a@b>", "mailto:a@b", "a@b, c@d" and the like, lower case.  Only plain
 * ASCII of at least two labels behind the @ is one.  @ret_name may be NULL; it becomes "" when
 * there is no name.  False: no address in it.
 */
bool email_address_read(
	const char *text, char ret[EMAIL_ADDRESS], char ret_name[EMAIL_NAME]);

/* An address that may stand in SMTP commands and headers as it is. */
bool email_address_valid(const char *address);

/* The part behind the @ of a valid address. */
const char *email_address_domain(const char *address);

/*
 * The next "<…>" of a header at *@at, without the brackets; a bare word with an @ counts as well.
 * Ids beyond the room or with odd characters are passed over.  False: there is none left.
 */
bool email_id_next(const char **at, char ret[EMAIL_ID]);

/*
 * Our own message ids: <cg.THREAD.DELIVERY@domain>, both parts 32 hexadecimal digits, so that the
 * same delivery has the same id on each attempt, and an answer to it names its thread even when
 * the client has dropped every older reference.
 */
#define EMAIL_KEY 33 /* bytes of such a part, NUL included */

/* The key of a thread: @root itself when it is one, else its hash. */
void email_thread_key(const char *root, char ret[EMAIL_KEY]);

/* Without brackets.  @thread may be NULL. */
void email_id_make(const char *thread, const char *delivery_id, const char *domain,
	char ret[EMAIL_ID]);

/* Is @id one of ours?  @ret_thread, which may be NULL, gets its thread's key. */
bool email_id_is_ours(const char *id, const char *domain, char ret_thread[EMAIL_KEY]);

#endif
