/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to an IMAP server, logged in, over TLS in any case. */
#ifndef PROVIDERS_EMAIL_IMAP_LINK_H
#define PROVIDERS_EMAIL_IMAP_LINK_H

#include "options.h"

#define IMAP_LINK_CONNECT_MS 30000

struct imap_link;

enum imap_link_result {
	IMAP_LINK_OK,
	IMAP_LINK_WAIT, /* nothing now */
	IMAP_LINK_GONE, /* the connection ended */
	IMAP_LINK_UNREACHABLE,
	IMAP_LINK_BAD_TLS, /* not offered, or not to be trusted */
	IMAP_LINK_REFUSED, /* the login */
};

/* Blocks until it is logged in: for a pool thread.  On OK the caller owns *@ret. */
enum imap_link_result imap_link_open(
	const struct email_settings *settings, struct imap_link **ret);
/* Accepts NULL.  Does not wait for the server. */
void imap_link_close(struct imap_link *link);

/* To be watched for reading. */
int imap_link_fd(const struct imap_link *link);
/* A whole command; OK or GONE. */
enum imap_link_result imap_link_send(
	struct imap_link *link, const char *bytes, size_t length);
/* OK with at least one byte, WAIT, or GONE.  To be called until it says WAIT. */
enum imap_link_result imap_link_receive(
	struct imap_link *link, char *room, size_t size, size_t *ret_length);

#endif
