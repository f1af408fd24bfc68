/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mailbox that is read: what is new is fetched in order, one mail at a time, and the server tells
 * when there is more (IDLE), or is asked now and then.
 *
 * How far it was read (UIDVALIDITY and the last UID) is stored in the transaction that stores the
 * mail; the mail is marked as seen only after that.  A mailbox that is met for the first time is
 * read from its end.  When its numbers begin anew, the mail of the last days is read once more:
 * what was stored already is known by its Message-ID.
 */
#ifndef PROVIDERS_EMAIL_IMAP_H
#define PROVIDERS_EMAIL_IMAP_H

#include <cowgate/status.h>

struct email;
struct imap;

enum cg_status imap_create(struct email *email, struct imap **ret, struct cg_error *err);
/* Accepts NULL.  No thread works for it any more. */
void imap_destroy(struct imap *imap);

void imap_start(struct imap *imap);
void imap_stop(struct imap *imap);

#endif
