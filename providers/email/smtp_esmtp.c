/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation over libesmtp, which has habits to be guarded against:
 *
 * - smtp_start_session() succeeds whatever the server said: only the status of the mail and of
 *   its recipient count, and what was seen going over the wire.
 * - A login that the server does not offer is left out without a word.  So every command is looked
 *   at before it leaves: no MAIL without the login and the TLS that were asked for.
 * - With TLS 1.3 it may wait for ever for an answer to a command that it has not sent, when the
 *   server's session tickets come first.  So TLS 1.2 is the highest.
 * - Its deadlines are per step, its connection cannot be had, and it cannot be told to stop.  So
 *   we look for the connection when it has just been made, keep a duplicate, and end it by that.
 */
#include <auth-client.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <libesmtp.h>

#include "smtp.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STEP_MS 15000 /* one answer; the whole has its own deadline */
#define DESCRIPTORS 65536
#define PIECE 8192 /* bytes of the mail handed over at once */
#define KNOWN 16 /* connections of conversations that are held now */

struct known {
	dev_t device;
	ino_t inode; /* 0: none */
};

/*
 * One conversation at a time makes its connection, so that the one without an owner is its own.
 * The lock guards the gate and the connections that have an owner.
 */
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_free = PTHREAD_COND_INITIALIZER;
static bool gate_taken;
static struct known known[KNOWN];

struct talk {
	struct smtp_session *session;
	smtp_recipient_t recipient;
	size_t at; /* bytes of the mail handed over */
	bool has_gate;
	struct known key; /* of our connection */
	bool tls, login_sent, logged_in;
	enum smtp_stage stage; /* of the last command */
	int code; /* of the last reply that was a no; 0: none */
	enum smtp_stage code_stage;
	char code_text[SMTP_TEXT];
	char line[SMTP_TEXT]; /* of a reply, as far as it has come */
	size_t line_length;
};

void smtp_library_init(void)
{
	static bool begun;

	if (!begun)
		auth_client_init();
	begun = true;
}

/* ---- The connection ---- */

/* False: not within the conversation's time. */
static bool gate_enter(struct talk *talk)
{
	struct timespec until;
	int result = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)(talk->session->timeout_ms / 1000) + 1;
	pthread_mutex_lock(&gate_lock);
	while (gate_taken && result == 0)
		result = pthread_cond_timedwait(&gate_free, &gate_lock, &until);
	talk->has_gate = !gate_taken;
	gate_taken = true;
	pthread_mutex_unlock(&gate_lock);
	return talk->has_gate;
}

static void gate_leave(struct talk *talk)
{
	if (!talk->has_gate)
		return;
	talk->has_gate = false;
	pthread_mutex_lock(&gate_lock);
	gate_taken = false;
	pthread_cond_signal(&gate_free);
	pthread_mutex_unlock(&gate_lock);
}

static bool is_connected_to(int fd, int port)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage room;
	} peer;
	socklen_t length = sizeof(peer);

	if (getpeername(fd, &peer.any, &length) != 0)
		return false;
	if (peer.any.sa_family == AF_INET)
		return ntohs(peer.v4.sin_port) == port;
	return peer.any.sa_family == AF_INET6 && ntohs(peer.v6.sin6_port) == port;
}

/* Under the lock.  False: it has an owner, or there is no room to remember it. */
static bool claim(int fd, struct known *key)
{
	struct known *room = NULL;
	struct stat status;

	if (fstat(fd, &status) != 0)
		return false;
	for (size_t i = 0; i < KNOWN; i++) {
		if (known[i].inode == 0)
			room = &known[i];
		else if (known[i].inode == status.st_ino &&
			 known[i].device == status.st_dev)
			return false;
	}
	if (room == NULL)
		return false;
	*room = *key = (struct known){.device = status.st_dev, .inode = status.st_ino};
	return true;
}

static void disown(struct talk *talk)
{
	pthread_mutex_lock(&gate_lock);
	for (size_t i = 0; i < KNOWN && talk->key.inode != 0; i++) {
		if (known[i].inode == talk->key.inode &&
			known[i].device == talk->key.device)
			known[i].inode = 0;
	}
	talk->key.inode = 0;
	pthread_mutex_unlock(&gate_lock);
}

static void find_connection(struct talk *talk)
{
	int port = talk->session->settings->smtp_port, found = -1;
	long limit = sysconf(_SC_OPEN_MAX);

	if (limit < 0 || limit > DESCRIPTORS)
		limit = DESCRIPTORS;
	disown(talk); /* of an address that did not work */
	pthread_mutex_lock(&gate_lock);
	for (int fd = 0; fd < limit && found < 0; fd++) {
		if (is_connected_to(fd, port) && claim(fd, &talk->key))
			found = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
	pthread_mutex_unlock(&gate_lock);
	gate_leave(talk);
	smtp_session_adopt(talk->session, found);
	/* One that cannot be ended from outside may go any way. */
	if (found < 0)
		smtp_session_reach(talk->session, SMTP_END);
}

/* ---- What goes over the wire ---- */

static void take_reply(struct talk *talk)
{
	const char *line = talk->line;

	talk->line[talk->line_length] = '\0';
	talk->line_length = 0;
	if (strspn(line, "0123456789") != 3 || line[3] == '-')
		return;
	if (strncmp(line, "235", 3) == 0 && talk->login_sent)
		talk->logged_in = true;
	if (line[0] == '4' || line[0] == '5') {
		talk->code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
		talk->code_stage = talk->stage;
		memcpy(talk->code_text, line, sizeof(talk->code_text));
	}
}

static enum smtp_stage stage_of(const char *command, int length, enum smtp_stage last)
{
	static const struct {
		const char *verb;
		enum smtp_stage stage;
	} verbs[] = {
		{"EHLO", SMTP_GREETING},
		{"HELO", SMTP_GREETING},
		{"STAR", SMTP_GREETING},
		{"AUTH", SMTP_LOGIN},
		{"MAIL", SMTP_SENDER},
		{"RCPT", SMTP_RECIPIENT},
		{"DATA", SMTP_CONTENT},
		{"BDAT", SMTP_CONTENT},
	};

	for (size_t i = 0; length >= 4 && i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (strncasecmp(command, verbs[i].verb, 4) == 0)
			return verbs[i].stage;
	}
	return last;
}

/* Every command is seen here before it leaves: the place to stop one that must not. */
static void look_at_command(struct talk *talk, const char *bytes, int length)
{
	const struct email_settings *settings = talk->session->settings;
	enum smtp_trouble trouble = SMTP_FINE;

	if (talk->stage >= SMTP_CONTENT)
		return; /* it is the mail by now */
	talk->stage = stage_of(bytes, length, talk->stage);
	if (talk->stage == SMTP_LOGIN) {
		talk->login_sent = true;
		if (!talk->tls)
			trouble = SMTP_CLEAR_LOGIN;
	} else if (talk->stage == SMTP_SENDER) {
		if (settings->smtp_tls == EMAIL_TLS_STARTTLS && !talk->tls)
			trouble = SMTP_NO_TLS;
		else if (settings->smtp_username != NULL && !talk->logged_in)
			trouble = talk->tls ? SMTP_NO_LOGIN : SMTP_CLEAR_LOGIN;
	}
	if (trouble != SMTP_FINE)
		smtp_session_end(talk->session, trouble, NULL);
	smtp_session_reach(talk->session, talk->stage);
}

static void monitor(const char *bytes, int length, int writing, void *arg)
{
	struct talk *talk = arg;

	if (writing == SMTP_CB_WRITING) {
		look_at_command(talk, bytes, length);
		return;
	}
	for (int i = 0; writing == SMTP_CB_READING && i < length; i++) {
		if (bytes[i] == '\n')
			take_reply(talk);
		else if (talk->line_length < sizeof(talk->line) - 1)
			talk->line[talk->line_length++] = bytes[i];
	}
}

/* ---- TLS ---- */

static void tls_info(const SSL *ssl, int where, int result)
{
	struct talk *talk = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	/* Whoever is at fault, no mail goes over a connection that was not agreed upon. */
	if ((where & SSL_CB_ALERT) != 0 && (result >> 8) == SSL3_AL_FATAL)
		smtp_session_end(talk->session, SMTP_BAD_TLS, NULL);
}

static SSL_CTX *tls_context(struct talk *talk)
{
	const struct email_settings *settings = talk->session->settings;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	X509_VERIFY_PARAM *param;
	bool good;

	if (context == NULL)
		return NULL;
	param = SSL_CTX_get0_param(context);
	/* A numeric host is looked for among the certificate's addresses. */
	good = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) == 1 &&
	       (X509_VERIFY_PARAM_set1_ip_asc(param, settings->smtp_host) == 1 ||
		       X509_VERIFY_PARAM_set1_host(param, settings->smtp_host, 0) == 1) &&
	       (settings->ca_file != NULL
			       ? SSL_CTX_load_verify_locations(
					 context, settings->ca_file, NULL)
			       : SSL_CTX_set_default_verify_paths(context)) == 1;
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_app_data(context, talk);
	SSL_CTX_set_info_callback(context, tls_info);
	if (!good) {
		SSL_CTX_free(context);
		return NULL;
	}
	return context;
}

/* ---- libesmtp's callbacks ---- */

/*
 * A recipient who was refused is what counts: DATA follows all the same, and some servers take
 * the mail then, for nobody.
 */
static bool tell_recipient(struct talk *talk)
{
	const smtp_status_t *person = smtp_recipient_status(talk->recipient);

	if (person == NULL || person->code < 400)
		return false;
	smtp_session_answer(talk->session, SMTP_RECIPIENT, person->code, person->text);
	return true;
}

static void tell_sent(struct talk *talk, smtp_message_t message)
{
	const smtp_status_t *status = smtp_message_transfer_status(message);

	if (!tell_recipient(talk) && status != NULL && status->code >= 200)
		smtp_session_answer(talk->session,
			talk->at == 0 ? SMTP_CONTENT : SMTP_END, status->code,
			status->text);
}

static void happened(smtp_session_t library, int event, void *arg, ...)
{
	struct talk *talk = arg;
	va_list arguments;
	int *accept;

	(void)library;
	va_start(arguments, arg);
	switch (event) {
	case SMTP_EV_CONNECT:
		talk->stage = SMTP_GREETING;
		smtp_session_reach(talk->session, SMTP_GREETING);
		find_connection(talk);
		break;
	case SMTP_EV_STARTTLS_OK:
		talk->tls = true;
		break;
	case SMTP_EV_EXTNA_STARTTLS:
		if (talk->session->settings->smtp_tls == EMAIL_TLS_STARTTLS)
			smtp_session_end(talk->session, SMTP_NO_TLS, NULL);
		break;
	case SMTP_EV_INVALID_PEER_CERTIFICATE:
	case SMTP_EV_NO_PEER_CERTIFICATE:
		smtp_session_end(talk->session, SMTP_BAD_TLS, NULL);
		break;
	case SMTP_EV_WRONG_PEER_CERTIFICATE:
		/* OpenSSL has compared the name, or the address, which libesmtp does not know. */
		accept = va_arg(arguments, int *);
		*accept = 1;
		break;
	case SMTP_EV_WEAK_CIPHER:
		(void)va_arg(arguments, long);
		accept = va_arg(arguments, int *);
		*accept = 0;
		smtp_session_end(talk->session, SMTP_BAD_TLS, NULL);
		break;
	case SMTP_EV_MESSAGESENT:
		tell_sent(talk, va_arg(arguments, smtp_message_t));
		break;
	default:
		break;
	}
	va_end(arguments);
}

static const char *hand_over(void **context, int *length, void *arg)
{
	struct talk *talk = arg;
	struct smtp_session *session = talk->session;
	size_t left = session->length - talk->at, piece = left < PIECE ? left : PIECE;
	const char *bytes = session->bytes + talk->at;

	(void)context;
	if (length == NULL) { /* from the beginning */
		talk->at = 0;
		return NULL;
	}
	*length = 0;
	/* When it was ended, the connection is down: what is missing cannot be taken for the end.
	 * The library writes on whatever becomes of it. */
	if (left == 0 ||
		!smtp_session_reach(session, piece == left ? SMTP_END : SMTP_CONTENT))
		return NULL;
	talk->at += piece;
	*length = (int)piece;
	return bytes;
}

static int log_in(auth_client_request_t request, char **result, int fields, void *arg)
{
	const struct email_settings *settings = ((struct talk *)arg)->session->settings;
	union {
		const char *from;
		char *to;
	} user = {.from = settings->smtp_username};

	for (int i = 0; i < fields; i++) {
		result[i] = NULL;
		if ((request[i].flags & AUTH_USER) != 0)
			result[i] = user.to;
		else if ((request[i].flags & AUTH_PASS) != 0)
			result[i] = settings->smtp_password.bytes;
	}
	return 1;
}

/* ---- The conversation ---- */

static void set_deadlines(smtp_session_t library, int64_t timeout_ms)
{
	static const int steps[] = {Timeout_GREETING, Timeout_ENVELOPE, Timeout_DATA,
		Timeout_TRANSFER, Timeout_DATA2};
	long step = timeout_ms < STEP_MS ? (long)timeout_ms : STEP_MS;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		smtp_set_timeout(library, steps[i] | Timeout_OVERRIDE_RFC2822_MINIMUM,
			steps[i] == Timeout_DATA2 ? (long)timeout_ms : step);
}

/* What was said, where no event has told it yet. */
static void conclude(struct talk *talk, smtp_message_t message)
{
	const smtp_status_t *sender = smtp_reverse_path_status(message);
	struct smtp_session *session = talk->session;

	if (sender != NULL && sender->code >= 400)
		smtp_session_answer(session, SMTP_SENDER, sender->code, sender->text);
	else if (tell_recipient(talk))
		return;
	else if (sender != NULL && sender->code == 0 && talk->code != 0)
		smtp_session_answer(
			session, talk->code_stage, talk->code, talk->code_text + 4);
	else if (talk->code != 0 && talk->code_stage >= SMTP_CONTENT)
		smtp_session_answer(
			session, talk->code_stage, talk->code, talk->code_text + 4);
	else if (talk->stage == SMTP_CONNECTING)
		smtp_session_end(session, SMTP_UNREACHABLE, NULL);
}

static bool prepare(
	struct talk *talk, smtp_session_t library, SSL_CTX *context, auth_context_t login)
{
	const struct email_settings *settings = talk->session->settings;
	char server[300];

	snprintf(server, sizeof(server), "%s:%d", settings->smtp_host,
		settings->smtp_port);
	set_deadlines(library, talk->session->timeout_ms);
	smtp_set_eventcb(library, happened, talk);
	smtp_set_monitorcb(library, monitor, talk, 0);
	if (smtp_set_server(library, server) == 0 ||
		smtp_set_hostname(library, "open-cowork-gateway") == 0)
		return false;
	if (login != NULL) {
		auth_set_mechanism_flags(login, AUTH_PLUGIN_PLAIN, 0);
		auth_set_interact_cb(login, log_in, talk);
		if (smtp_auth_set_context(library, login) == 0)
			return false;
	}
	if (context == NULL)
		return settings->smtp_tls == EMAIL_TLS_OFF;
	return smtp_starttls_enable(library, settings->smtp_tls == EMAIL_TLS_STARTTLS
						     ? Starttls_REQUIRED
						     : Starttls_ENABLED) != 0 &&
	       smtp_starttls_set_ctx(library, context) != 0;
}

void smtp_esmtp_run(struct smtp_session *session)
{
	const struct email_settings *settings = session->settings;
	struct talk talk = {.session = session, .stage = SMTP_CONNECTING};
	smtp_session_t library = smtp_create_session();
	smtp_message_t message = library == NULL ? NULL : smtp_add_message(library);
	smtp_recipient_t recipient =
		message == NULL ? NULL : smtp_add_recipient(message, session->to);
	auth_context_t login =
		settings->smtp_username == NULL ? NULL : auth_create_context();
	SSL_CTX *context =
		settings->smtp_tls == EMAIL_TLS_OFF ? NULL : tls_context(&talk);

	if (recipient == NULL || (settings->smtp_username != NULL && login == NULL) ||
		!prepare(&talk, library, context, login) ||
		smtp_set_reverse_path(message, session->from) == 0 ||
		smtp_set_messagecb(message, hand_over, &talk) == 0) {
		smtp_session_end(session, SMTP_LOCAL, NULL);
	} else if (gate_enter(&talk)) {
		talk.recipient = recipient;
		smtp_start_session(library);
		conclude(&talk, message);
	}
	gate_leave(&talk);
	disown(&talk);
	if (library != NULL)
		smtp_destroy_session(library);
	if (login != NULL)
		auth_destroy_context(login);
	SSL_CTX_free(context);
}
