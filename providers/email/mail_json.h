/* SPDX-License-Identifier: Apache-2.0 */
/* A mail as a relay posts it: a JSON object, or the fields of a form.  Pure. */
#ifndef PROVIDERS_EMAIL_MAIL_JSON_H
#define PROVIDERS_EMAIL_MAIL_JSON_H

#include "mail.h"

struct json_object;

struct mail_json_reading {
	const char *domain; /* of our own message ids */
	const char *own_address;
	const char *authserv_id; /* NULL: what the relay reports is believed as it is */
	size_t max_file; /* bytes */
};

/*
 *   from, sender        address, "Name <address>", or {email, name}
 *   messageId, id       required
 *   text, body, html    the first that is there
 *   threadId            the conversation's own key; else from references and inReplyTo
 *   subject
 *   references          string or array of message ids
 *   authenticationResults  what the relay's server found out about the sender
 *   headers             {name: value} of the mail, to tell machines
 *   attachments         [{filename|name, mimeType|contentType, sizeBytes|size,
 *                         contentBase64|bufferBase64}]
 *
 * INVALID: @err names what is wrong.  On CG_OK the caller finishes @ret; its from is empty when
 * there is no valid sender.
 */
enum cg_status mail_json_read(struct json_object *body,
	const struct mail_json_reading *reading, struct mail *ret, struct cg_error *err);

/* The same from a form: every field above but headers and attachments, as strings. */
enum cg_status mail_form_read(const char *body, size_t length,
	const struct mail_json_reading *reading, struct mail *ret, struct cg_error *err);

#endif
