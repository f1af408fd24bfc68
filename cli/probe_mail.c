/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl holds the conversation: TLS as the settings say, the login, one command that changes
 * nothing, and the farewell.
 */
#include "cli/probe_mail.h"

#include "cli/probe_inside.h"

#include <cowgate/sdk/secret.h>
#include <cowgate/sdk/text.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#define WORDS 256 /* bytes of a server's words that are shown, NUL included */
#define PLACE 300 /* host and port */
#define URL (PLACE + 40)

enum trouble {
	AWAY,
	NO_TLS,
	BAD_TLS,
	CERTIFICATE,
	AUTHORITIES,
	REFUSED,
	NO_LOGIN,
	STRANGE,
};

#define E "OPEN_COWORK_GATEWAY_EMAIL_"

static const char certificate_mend[] =
	"name the server as its certificate does, or in " E "CA_FILE a file with the "
	"authority that vouches for it";
static const char authorities_mend[] =
	"let " E "CA_FILE name a PEM file that this user may read";

static const char *const smtp_mends[] = {
	[AWAY] =
		"see that " E "SMTP_HOST and " E "SMTP_PORT are what the mail provider "
		"says, that " E "SMTP_SECURE is true for port 465 and no other, and that "
		"no firewall is between: many hosts may not use port 25",
	[NO_TLS] = "take the provider's port for programs: 587, or 465 with " E
		   "SMTP_SECURE=true",
	[BAD_TLS] = E "SMTP_SECURE=true is for a port that begins with TLS, mostly 465: "
		      "unset it for 587 and 25",
	[CERTIFICATE] = certificate_mend,
	[AUTHORITIES] = authorities_mend,
	[REFUSED] = "set " E "SMTP_USERNAME and " E "SMTP_PASSWORD; where people log in "
		    "with a second factor, the provider gives out passwords for programs",
	[NO_LOGIN] = "take the provider's port for programs, 587 or 465, or unset " E
		     "SMTP_USERNAME where mail is taken without a login",
	[STRANGE] = "see that " E "SMTP_HOST and " E "SMTP_PORT name a mail server",
};

static const char *const imap_mends[] = {
	[AWAY] =
		"see that " E "IMAP_URL is what the mail provider says, with its port if "
		"it is not 993 (imaps) or 143 (imap), and that no firewall is between",
	[NO_TLS] = "let " E "IMAP_URL begin with imaps://",
	[BAD_TLS] = "let " E "IMAP_URL begin with imap:// where the port does not begin "
		    "with TLS",
	[CERTIFICATE] = certificate_mend,
	[AUTHORITIES] = authorities_mend,
	[REFUSED] = "set " E "IMAP_USERNAME and " E "IMAP_PASSWORD, and see that the "
		    "provider has IMAP switched on for this mailbox",
	[STRANGE] = "see that " E "IMAP_URL names a mail server",
};

/* One server, and how far we came with it. */
struct dialogue {
	const char *url, *protocols;
	const char *place; /* how findings name it */
	const char *command; /* changes nothing */
	const char *ca_file; /* NULL: the system's authorities */
	const char *username; /* NULL: no login */
	struct cg_secret password; /* owned */
	long tls;
	const char *const *mends;
	bool tagged; /* its answers, as those of IMAP are */
	bool logged_in; /* it said so, in SMTP's words */
	char words[WORDS]; /* its last no; "" : it said none */
	char error[CURL_ERROR_SIZE];
};

/* Does the line say no?  SMTP does so by its number, IMAP behind the tag of a command. */
static bool is_refusal(const char *line, bool tagged)
{
	if (!tagged)
		return *line == '4' || *line == '5';
	return strncmp(line, "NO", 2) == 0 || strncmp(line, "BAD", 3) == 0;
}

/* Keep what the server says; what we say stays unseen, for the password is in it. */
static int listen_in(
	CURL *easy, curl_infotype type, char *bytes, size_t length, void *arg)
{
	struct dialogue *dialogue = arg;
	char line[WORDS];
	const char *said = line;

	(void)easy;
	while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r'))
		length--;
	if (type != CURLINFO_HEADER_IN || !cg_text_clean(bytes, length, WORDS - 1))
		return 0;
	memcpy(line, bytes, length);
	line[length] = '\0';
	if (dialogue->tagged)
		said += strcspn(said, " ") + (strchr(said, ' ') != NULL);
	else if (strncmp(line, "235", 3) == 0)
		dialogue->logged_in = true;
	if (is_refusal(said, dialogue->tagged))
		cg_text_copy(dialogue->words, sizeof(dialogue->words), said);
	return 0;
}

static size_t drop(char *bytes, size_t size, size_t count, void *arg)
{
	(void)bytes, (void)arg;
	return size * count;
}

static bool prepare(CURL *easy, struct dialogue *dialogue)
{
#define SET(option, value) (curl_easy_setopt(easy, CURLOPT_##option, value) == CURLE_OK)
	return SET(URL, dialogue->url) && SET(PROTOCOLS_STR, dialogue->protocols) &&
	       SET(USE_SSL, dialogue->tls) && SET(PROXY, "") && SET(NOSIGNAL, 1L) &&
	       SET(TIMEOUT_MS, (long)PROBE_MS) && SET(CUSTOMREQUEST, dialogue->command) &&
	       (dialogue->ca_file == NULL || SET(CAINFO, dialogue->ca_file)) &&
	       (dialogue->username == NULL ||
		       (SET(USERNAME, dialogue->username) &&
			       SET(PASSWORD, dialogue->password.bytes))) &&
	       SET(WRITEFUNCTION, drop) && SET(ERRORBUFFER, dialogue->error) &&
	       SET(VERBOSE, 1L) && SET(DEBUGFUNCTION, listen_in) &&
	       SET(DEBUGDATA, dialogue);
#undef SET
}

static enum trouble trouble_of(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
		return AWAY;
	case CURLE_USE_SSL_FAILED:
		return NO_TLS;
	case CURLE_SSL_CONNECT_ERROR:
		return BAD_TLS;
	case CURLE_PEER_FAILED_VERIFICATION:
		return CERTIFICATE;
	case CURLE_SSL_CACERT_BADFILE:
		return AUTHORITIES;
	case CURLE_LOGIN_DENIED:
		return REFUSED;
	default:
		return STRANGE;
	}
}

static void complain(const struct dialogue *dialogue, enum trouble trouble,
	const char *what, struct findings *findings)
{
	static const char *const texts[] = {
		[AWAY] = "cannot be reached",
		[NO_TLS] = "offers no TLS",
		[BAD_TLS] = "does not come to terms about TLS",
		[CERTIFICATE] = "has a certificate that is not trusted",
		[AUTHORITIES] = "cannot be judged, for the authorities cannot be read",
		[REFUSED] = "refuses the login",
		[NO_LOGIN] = "offers no login",
		[STRANGE] = "does not answer as a mail server does",
	};
	const char *why = dialogue->words[0] != '\0' ? dialogue->words : dialogue->error;

	findings_add(findings, FINDING_FAULT, what, dialogue->mends[trouble], "%s %s%s%s",
		dialogue->place, texts[trouble], why[0] == '\0' ? "" : ": ", why);
}

static void hold(struct dialogue *dialogue, const char *what, struct findings *findings)
{
	CURL *easy = curl_easy_init();
	CURLcode code = CURLE_FAILED_INIT;

	if (easy != NULL && prepare(easy, dialogue))
		code = curl_easy_perform(easy);
	if (code != CURLE_OK)
		complain(dialogue, trouble_of(code), what, findings);
	else if (dialogue->username == NULL)
		findings_add(
			findings, FINDING_OK, what, NULL, "%s answers", dialogue->place);
	else if (!dialogue->logged_in)
		complain(dialogue, NO_LOGIN, what, findings);
	else
		findings_add(findings, FINDING_OK, what, NULL, "%s takes the login of %s",
			dialogue->place, dialogue->username);
	curl_easy_cleanup(easy);
}

static bool is_secret(const struct cg_settings *settings, const char *name)
{
	size_t length = 0;

	return settings->secret(settings, name, &length) != NULL && length > 0;
}

static const char *text_of(const struct cg_settings *settings, const char *name)
{
	const char *text = settings->string(settings, name);

	return cg_text_blank(text) ? NULL : text;
}

/* Name and password of one of the two; false: it has none. */
static bool read_login(struct dialogue *dialogue, const struct cg_settings *settings,
	const char *username, const char *password)
{
	size_t length = 0;
	const char *bytes = settings->secret(settings, password, &length);

	dialogue->username = text_of(settings, username);
	if (bytes != NULL && dialogue->username != NULL)
		(void)cg_secret_set(&dialogue->password, bytes, length);
	if (!cg_secret_is_set(&dialogue->password))
		dialogue->username = NULL;
	return dialogue->username != NULL;
}

/* A password is never shown to a server without TLS, whatever mail may do. */
static long smtp_tls(const struct cg_settings *settings, bool login)
{
	const char *tls = settings->string(settings, "smtpTls");

	if (tls == NULL || strcmp(tls, "required") == 0 || login)
		return CURLUSESSL_ALL;
	return strcmp(tls, "off") == 0 ? CURLUSESSL_NONE : CURLUSESSL_TRY;
}

static void probe_smtp(
	const struct cg_settings *settings, const char *what, struct findings *findings)
{
	struct dialogue dialogue = {.protocols = "smtp,smtps",
		.command = "NOOP",
		.ca_file = text_of(settings, "caFile"),
		.mends = smtp_mends};
	bool secure = settings->boolean(settings, "smtpSecure");
	long long port = (long long)settings->integer(settings, "smtpPort");
	const char *host = text_of(settings, "smtpHost");
	char url[URL], place[PLACE];

	if (host == NULL)
		return; /* the rules of the settings have said so */
	if (port == 0)
		port = secure ? 465 : 25;
	snprintf(place, sizeof(place), "%s:%lld", host, port);
	snprintf(url, sizeof(url), "%s://%s/open-cowork-gateway",
		secure ? "smtps" : "smtp", place);
	dialogue.url = url;
	dialogue.place = place;
	dialogue.tls = smtp_tls(settings,
		read_login(&dialogue, settings, "smtpUsername", "smtpPassword"));
	hold(&dialogue, what, findings);
	cg_secret_wipe(&dialogue.password);
}

static void probe_imap(
	const struct cg_settings *settings, const char *what, struct findings *findings)
{
	struct dialogue dialogue = {.protocols = "imap,imaps",
		.url = text_of(settings, "imapUrl"),
		.command = "NOOP",
		.ca_file = text_of(settings, "caFile"),
		.tls = CURLUSESSL_ALL,
		.tagged = true,
		.logged_in = true, /* libcurl goes no further without */
		.mends = imap_mends};

	if (dialogue.url == NULL)
		return;
	dialogue.place = dialogue.url;
	if (read_login(&dialogue, settings,
		    text_of(settings, "imapUsername") == NULL ? "smtpUsername"
							      : "imapUsername",
		    is_secret(settings, "imapPassword") ? "imapPassword"
							: "smtpPassword"))
		hold(&dialogue, what, findings);
	cg_secret_wipe(&dialogue.password);
}

void probe_mail(
	const struct cg_settings *settings, const char *what, struct findings *findings)
{
	probe_smtp(settings, what, findings);
	probe_imap(settings, what, findings);
}
