/* SPDX-License-Identifier: Apache-2.0 */
/* What a person wrote into a mail, apart from what the client repeated.  Pure. */
#ifndef PROVIDERS_EMAIL_QUOTE_H
#define PROVIDERS_EMAIL_QUOTE_H

#include <cowgate/sdk/buffer.h>
#include <stdbool.h>

/*
 * Append the new part of @text (valid UTF-8): without the history that clients put below or above
 * it, and without a signature behind "-- ".  Quotations with answers between them are kept, since
 * the answers mean nothing without them; so is everything that @forwarded mail carries.  When
 * nothing of one's own is left the whole text is.
 */
enum cg_status quote_cut(
	struct cg_buffer *ret, const char *text, size_t length, bool forwarded);

/* A subject that says the mail is a forwarded one, in the words of common clients. */
bool quote_is_forward(const char *subject);

/* The subject without "Re:" and its kin, within @subject. */
const char *quote_bare_subject(const char *subject);

#endif
