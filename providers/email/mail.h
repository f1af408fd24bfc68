/* SPDX-License-Identifier: Apache-2.0 */
/* One mail that came in, in whatever form, and what its headers say about it. */
#ifndef PROVIDERS_EMAIL_MAIL_H
#define PROVIDERS_EMAIL_MAIL_H

#include "address.h"

#include <cowgate/sdk/message_json.h>
#include <cowgate/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAIL_TEXT_MAX (512u << 10) /* bytes of text that are kept; the rest is cut */
#define MAIL_SUBJECT 601
#define MAIL_FILES CG_INBOUND_ATTACHMENTS
#define MAIL_FILENAME 256

struct mail_file {
	char filename[MAIL_FILENAME];
	char mime_type[128];
	char *bytes; /* owned; NULL when it is known by name only */
	size_t length;
	int64_t told; /* the length that was told, -1: unknown; for one without bytes */
};

struct mail {
	char from[EMAIL_ADDRESS]; /* "": no single valid sender */
	char name[EMAIL_NAME];
	char id[EMAIL_ID]; /* its Message-ID; "": none */
	char thread[EMAIL_ID]; /* the conversation's key; see mail_find_thread() */
	char root[EMAIL_ID]; /* the conversation's first message id; "" unknown */
	char subject[MAIL_SUBJECT];
	char *text; /* owned: what is new in it */
	struct mail_file files[MAIL_FILES];
	size_t file_count;
	size_t left_out; /* attachments beyond a cap */
	/* static: why nobody may answer it; NULL: a person wrote it */
	const char *automatic;
	bool authenticated; /* the sender's domain has signed for it, as a trusted host says */
};

/* Frees what is owned; accepts zero and NULL. */
void mail_finish(struct mail *mail);

/*
 * Find the conversation that a mail belongs to: the one that an id of ours names, else the first of
 * @references, else @in_reply_to, else the mail itself.  Either header may be NULL.
 */
void mail_find_thread(struct mail *mail, const char *references, const char *in_reply_to,
	const char *domain);

/* A clean file name without a path; "attachment" when nothing is left of it. */
void mail_filename(const char *name, char ret[MAIL_FILENAME]);

/* Copy @text (NULL: "") as one line without control characters and broken UTF-8, cut to @size. */
void mail_clean(char *ret, size_t size, const char *text);

/*
 * Why a mail is nothing that a person wrote to us, and must not be answered: a program sent it, a
 * list did, it is a report, or it is our own.  NULL: a person may have written it.  @header gives
 * the value of a header or NULL.
 */
const char *mail_automatic(const struct mail *mail,
	const char *(*header)(void *arg, const char *name), void *arg, const char *domain,
	const char *own_address);

/* Which results of authentication count. */
struct mail_trust {
	const char *authserv_id; /* NULL: see @any */
	bool any; /* whoever reports it is believed: the relay is */
};

/*
 * Does one value of Authentication-Results speak for the domain of @address?  That is DMARC passed
 * for it, or a DKIM signature that passed of it or of a domain above it.
 */
bool mail_results_pass(
	const char *value, const struct mail_trust *trust, const char *address);
/* Is it written by the host that is trusted? */
bool mail_results_trusted(const char *value, const struct mail_trust *trust);

#endif
