/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define OPTION(kind_, name_, env_, ...) \
	{ \
		.size = sizeof(struct cg_option), .kind = CG_OPTION_##kind_, \
		.name = (name_), .env = (env_), __VA_ARGS__ \
	}

const struct cg_option email_options[EMAIL_OPTIONS] = {
	OPTION(SECRET, "inboundSecret", "EMAIL_INBOUND_SECRET",
		.flags = CG_OPTION_ACTIVATES | CG_OPTION_CREDENTIAL,
		.help = "What a relay that posts mail must know; unset: none may"),
	OPTION(STRING, "from", "EMAIL_FROM", .flags = CG_OPTION_REQUIRED,
		.help = "The address that answers come from, with or without a name"),
	OPTION(STRING, "inboundAddress", "EMAIL_ADDRESS",
		.help = "The address that people write to, when it is another"),
	OPTION(STRING, "subject", NULL, .flags = CG_OPTION_JSON_ONLY,
		.fallback = "Open Cowork update", .max = 200,
		.help = "Subject of a mail that answers none"),
	OPTION(STRING, "smtpHost", "EMAIL_SMTP_HOST", .flags = CG_OPTION_REQUIRED,
		.help = "The server that takes outgoing mail"),
	OPTION(INTEGER, "smtpPort", "EMAIL_SMTP_PORT", .fallback = "0", .max = 65535,
		.help = "Its port; 0 is 465 with smtpSecure and 25 without"),
	OPTION(BOOLEAN, "smtpSecure", "EMAIL_SMTP_SECURE", .fallback = "false",
		.help = "TLS from the first byte instead of STARTTLS"),
	OPTION(CHOICE, "smtpTls", "EMAIL_SMTP_TLS", .fallback = "required",
		.choices = "required,opportunistic,off",
		.help = "Whether mail may leave without TLS; a password never does"),
	OPTION(STRING, "smtpUsername", "EMAIL_SMTP_USERNAME",
		.help = "Name to log in with; unset: no login"),
	OPTION(SECRET, "smtpPassword", "EMAIL_SMTP_PASSWORD",
		.flags = CG_OPTION_CREDENTIAL, .help = "Password of smtpUsername"),
	OPTION(INTEGER, "smtpTimeoutMs", NULL, .flags = CG_OPTION_JSON_ONLY,
		.fallback = "30000", .min = 100, .max = 120000,
		.help = "Deadline of one mail; by default the gateway's smtpMs"),
	OPTION(STRING, "caFile", "EMAIL_CA_FILE",
		.help = "PEM file trusted instead of the system's authorities"),
	OPTION(INTEGER, "maxAttachmentBytes", "EMAIL_MAX_ATTACHMENT_BYTES",
		.fallback = "1048576", .min = 1, .max = 67108864,
		.help = "Largest attachment either way, never beyond 15 MiB; by default "
			"as large as a request"),
	OPTION(BOOLEAN, "trustFrom", "EMAIL_TRUST_FROM", .fallback = "false",
		.help = "The relay has checked every From by itself"),
	OPTION(STRING, "authservId", "EMAIL_AUTHSERV_ID",
		.help = "Name under which the receiving server writes "
			"Authentication-Results; only these are believed"),
	OPTION(STRING, "imapUrl", "EMAIL_IMAP_URL", .flags = CG_OPTION_ACTIVATES,
		.help = "Mailbox to read: imaps://host, or imap://host for STARTTLS"),
	OPTION(STRING, "imapUsername", "EMAIL_IMAP_USERNAME",
		.help = "Name to log in to the mailbox; unset: smtpUsername"),
	OPTION(SECRET, "imapPassword", "EMAIL_IMAP_PASSWORD",
		.flags = CG_OPTION_CREDENTIAL,
		.help = "Password of imapUsername; unset: smtpPassword"),
	OPTION(STRING, "imapFolder", "EMAIL_IMAP_FOLDER", .fallback = "INBOX",
		.help = "Folder that is read"),
};

static const char *text_of(const struct cg_settings *settings, const char *name)
{
	const char *text = settings->string(settings, name);

	return cg_text_blank(text) ? NULL : text;
}

/* A word that stands in a protocol's line: no blanks, no control characters. */
static bool is_word(const char *text, size_t limit)
{
	return cg_text_clean(text, strlen(text), limit) &&
	       text[strcspn(text, " \t")] == '\0';
}

static enum cg_status read_secret(struct cg_secret *ret,
	const struct cg_settings *settings, const char *name, struct cg_error *err)
{
	size_t length = 0;
	const char *bytes = settings->secret(settings, name, &length);

	if (bytes != NULL && !cg_text_clean(bytes, length, CG_SECRET_MAX))
		return cg_error_set(err, CG_INVALID,
			"%s is too long or holds control characters", name);
	return bytes == NULL ? CG_OK : cg_secret_set(ret, bytes, length);
}

static enum cg_status read_addresses(struct email_settings *ret,
	const struct cg_settings *settings, struct cg_error *err)
{
	const char *from = text_of(settings, "from");
	const char *address = text_of(settings, "inboundAddress");

	if (from == NULL)
		return cg_error_set(err, CG_INVALID, "from is required");
	if (!email_address_read(from, ret->from, ret->from_name_room))
		return cg_error_set(
			err, CG_INVALID, "from holds no mail address: agent@example.org");
	if (address != NULL && !email_address_read(address, ret->address, NULL))
		return cg_error_set(err, CG_INVALID,
			"inboundAddress is no mail address: agent@example.org");
	ret->subject = text_of(settings, "subject");
	if (ret->subject == NULL ||
		!cg_text_clean(ret->subject, strlen(ret->subject), 200))
		return cg_error_set(
			err, CG_INVALID, "subject must be one line of at most 200 bytes");
	return CG_OK;
}

static enum cg_status read_tls(struct email_settings *ret,
	const struct cg_settings *settings, struct cg_error *err)
{
	const char *tls = settings->string(settings, "smtpTls");
	bool secure = settings->boolean(settings, "smtpSecure");

	ret->smtp_tls = EMAIL_TLS_STARTTLS;
	if (tls != NULL && strcmp(tls, "opportunistic") == 0)
		ret->smtp_tls = EMAIL_TLS_OPPORTUNISTIC;
	else if (tls != NULL && strcmp(tls, "off") == 0)
		ret->smtp_tls = EMAIL_TLS_OFF;
	if (secure && ret->smtp_tls == EMAIL_TLS_OFF)
		return cg_error_set(err, CG_INVALID,
			"smtpTls is off while smtpSecure asks for TLS; drop one of them");
	if (secure)
		ret->smtp_tls = EMAIL_TLS_IMPLICIT;
	ret->smtp_port = (int)settings->integer(settings, "smtpPort");
	if (ret->smtp_port == 0)
		ret->smtp_port = secure ? 465 : 25;
	return CG_OK;
}

static enum cg_status read_smtp(struct email_settings *ret,
	const struct cg_settings *settings, struct cg_error *err)
{
	enum cg_status status;

	ret->smtp_host = text_of(settings, "smtpHost");
	if (ret->smtp_host == NULL)
		return cg_error_set(err, CG_INVALID, "smtpHost is required");
	if (!is_word(ret->smtp_host, 255) || strpbrk(ret->smtp_host, "/:@") != NULL)
		return cg_error_set(err, CG_INVALID,
			"smtpHost is a host's name alone: smtp.example.org");
	status = read_tls(ret, settings, err);
	if (status != CG_OK)
		return status;
	status = read_secret(&ret->smtp_password, settings, "smtpPassword", err);
	if (status != CG_OK)
		return status;
	ret->smtp_username = text_of(settings, "smtpUsername");
	if (ret->smtp_username != NULL && !cg_secret_is_set(&ret->smtp_password))
		return cg_error_set(
			err, CG_INVALID, "smtpPassword is missing beside smtpUsername");
	if (ret->smtp_username != NULL && ret->smtp_tls == EMAIL_TLS_OFF)
		return cg_error_set(err, CG_INVALID,
			"smtpTls is off: smtpUsername's password would be sent in clear");
	ret->smtp_timeout_ms = settings->integer(settings, "smtpTimeoutMs");
	ret->ca_file = text_of(settings, "caFile");
	return CG_OK;
}

static enum cg_status read_imap(struct email_settings *ret,
	const struct cg_settings *settings, struct cg_error *err)
{
	const char *url = text_of(settings, "imapUrl");
	const char *host;
	enum cg_status status;

	if (url == NULL)
		return CG_OK;
	host = strncasecmp(url, "imaps://", 8) == 0  ? url + 8
	       : strncasecmp(url, "imap://", 7) == 0 ? url + 7
						     : "";
	if (*host == '\0' || !is_word(url, 512) || strpbrk(host, "/@?#;") != NULL)
		return cg_error_set(err, CG_INVALID,
			"imapUrl must be imaps://host[:port] or imap://host[:port]; "
			"folder and login have settings of their own");
	ret->imap_url = url;
	ret->imap_username = text_of(settings, "imapUsername");
	if (ret->imap_username == NULL)
		ret->imap_username = ret->smtp_username;
	status = read_secret(&ret->imap_password, settings, "imapPassword", err);
	if (status == CG_OK && !cg_secret_is_set(&ret->imap_password) &&
		cg_secret_is_set(&ret->smtp_password))
		status = cg_secret_set(&ret->imap_password, ret->smtp_password.bytes,
			ret->smtp_password.length);
	if (status != CG_OK)
		return status;
	if (ret->imap_username == NULL || !cg_secret_is_set(&ret->imap_password))
		return cg_error_set(
			err, CG_INVALID, "imapUrl needs imapUsername and imapPassword");
	ret->imap_folder = text_of(settings, "imapFolder");
	if (ret->imap_folder == NULL ||
		!cg_text_clean(ret->imap_folder, strlen(ret->imap_folder), 200) ||
		strpbrk(ret->imap_folder, "\"\\") != NULL)
		return cg_error_set(err, CG_INVALID,
			"imapFolder is no folder's name; INBOX is every mailbox's own");
	return CG_OK;
}

enum cg_status email_settings_init(struct email_settings *ret,
	const struct cg_settings *settings, struct cg_error *err)
{
	struct email_settings email = {.smtp_port = 0};
	enum cg_status status = read_addresses(&email, settings, err);
	int64_t limit = settings->integer(settings, "maxAttachmentBytes");

	if (status == CG_OK)
		status = read_secret(
			&email.inbound_secret, settings, "inboundSecret", err);
	if (status == CG_OK)
		status = read_smtp(&email, settings, err);
	if (status == CG_OK)
		status = read_imap(&email, settings, err);
	if (status == CG_OK && email.imap_url == NULL &&
		!cg_secret_is_set(&email.inbound_secret))
		status = cg_error_set(err, CG_INVALID,
			"inboundSecret or imapUrl is needed: mail has no way in");
	if (status != CG_OK) {
		email_settings_finish(&email);
		return status;
	}
	email.max_attachment = limit > 0 && limit < (int64_t)EMAIL_ATTACHMENT_MAX
				       ? (size_t)limit
				       : EMAIL_ATTACHMENT_MAX;
	email.trust_from = settings->boolean(settings, "trustFrom");
	email.authserv_id = text_of(settings, "authservId");
	*ret = email;
	ret->domain = email_address_domain(ret->from);
	ret->from_name = ret->from_name_room[0] == '\0' ? NULL : ret->from_name_room;
	return CG_OK;
}

void email_settings_finish(struct email_settings *settings)
{
	cg_secret_wipe(&settings->inbound_secret);
	cg_secret_wipe(&settings->smtp_password);
	cg_secret_wipe(&settings->imap_password);
}
