/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon wants to be sent, as a mail that owns all its parts.  Pure but for the file. */
#ifndef PROVIDERS_EMAIL_LETTER_H
#define PROVIDERS_EMAIL_LETTER_H

#include "mime.h"
#include "options.h"

#include <cowgate/outbound.h>

#define LETTER_TEXT_MAX 20000 /* UTF-16 units */
#define LETTER_CONTEXT 1024 /* bytes of a route's context */

struct letter {
	struct mime_draft draft; /* points into what follows and into the settings */
	char to[EMAIL_ADDRESS];
	char id[EMAIL_ID], root[EMAIL_ID], parent[EMAIL_ID];
	char subject[MAIL_SUBJECT + 8];
	char filename[MAIL_FILENAME], mime_type[128];
	char *text, *html; /* owned */
	int fd; /* owned; -1: none */
};

/* INVALID, UNSUPPORTED: the mail can never be sent.  On CG_OK the caller finishes @ret. */
enum cg_status letter_init(struct letter *ret, const struct email_settings *settings,
	const struct cg_outbound *outbound, int64_t now_ms, struct cg_error *err);
/* Accepts zero. */
void letter_finish(struct letter *letter);

/* What a route keeps for an answer: the conversation's first message id, the one that is answered,
 * and the subject. */
struct letter_context {
	char root[EMAIL_ID], parent[EMAIL_ID]; /* "": unknown */
	char subject[MAIL_SUBJECT];
};

void letter_context_write(const char *root, const char *parent, const char *subject,
	char ret[LETTER_CONTEXT + 1]);
void letter_context_read(const char *context, struct letter_context *ret);

#endif
