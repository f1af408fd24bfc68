/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of a mailbox: their rows and rules. */
#ifndef PROVIDERS_EMAIL_OPTIONS_H
#define PROVIDERS_EMAIL_OPTIONS_H

#include "address.h"

#include <cowgate/sdk/secret.h>
#include <cowgate/settings.h>
#include <cowgate/status.h>

#define EMAIL_OPTIONS 19
#define EMAIL_ATTACHMENT_MAX (15u << 20) /* bytes, whatever the setting says */

extern const struct cg_option email_options[EMAIL_OPTIONS];

/* How a connection to the submission server is protected. */
enum email_tls {
	EMAIL_TLS_STARTTLS, /* or nothing is sent */
	EMAIL_TLS_IMPLICIT, /* from the first byte */
	EMAIL_TLS_OPPORTUNISTIC, /* when it is offered; verified then */
	EMAIL_TLS_OFF,
};

/* Strings are borrowed from the settings, which live as long as the instance. */
struct email_settings {
	char from[EMAIL_ADDRESS]; /* bare, lower case */
	const char *from_name; /* NULL: none */
	char address[EMAIL_ADDRESS]; /* where people write to; "" when it is not said */
	const char *domain; /* of from, in it */
	const char *subject; /* for what answers nothing */
	struct cg_secret inbound_secret;

	const char *smtp_host;
	int smtp_port;
	enum email_tls smtp_tls;
	const char *smtp_username; /* NULL: no authentication */
	struct cg_secret smtp_password;
	int64_t smtp_timeout_ms;
	const char *ca_file; /* NULL: the system's */

	size_t max_attachment; /* bytes */
	bool trust_from;
	/* NULL: no Authentication-Results of a mail is believed */
	const char *authserv_id;

	const char *imap_url; /* NULL: mail comes in by webhook only */
	const char *imap_username;
	struct cg_secret imap_password;
	const char *imap_folder;

	char from_name_room[EMAIL_NAME]; /* what from_name points to */
};

/* INVALID: @err names the setting.  On failure @ret is untouched. */
enum cg_status email_settings_init(struct email_settings *ret,
	const struct cg_settings *settings, struct cg_error *err);
void email_settings_finish(struct email_settings *settings);

#endif
