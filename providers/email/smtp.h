/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One mail to one person by way of a submission server.
 *
 * The conversation with the server blocks and runs on a pool thread; the loop watches its deadline
 * and can end it from outside at any moment.  Whatever ends it, what is told is true: until the
 * last byte of the mail was handed over, nothing was sent, and nothing will be.
 */
#ifndef PROVIDERS_EMAIL_SMTP_H
#define PROVIDERS_EMAIL_SMTP_H

#include "options.h"

#include <cowgate/outbound.h>
#include <pthread.h>

#define SMTP_TEXT 256 /* bytes of a server's words that are kept, NUL included */

/* How far a conversation came. */
enum smtp_stage {
	SMTP_CONNECTING,
	SMTP_GREETING, /* greeting, EHLO, STARTTLS */
	SMTP_LOGIN,
	SMTP_SENDER, /* MAIL */
	SMTP_RECIPIENT, /* RCPT */
	SMTP_CONTENT, /* DATA, and the mail but for its last piece */
	SMTP_END, /* the last piece is on its way: the mail may have arrived */
};

/* Why it ended without an answer that decides. */
enum smtp_trouble {
	SMTP_FINE, /* see the code */
	SMTP_UNREACHABLE,
	SMTP_NO_TLS, /* required, and not offered */
	SMTP_BAD_TLS, /* a certificate that is not the server's, or no common ground */
	SMTP_NO_LOGIN, /* wanted, and not offered or not confirmed */
	SMTP_CLEAR_LOGIN, /* the password would have gone in clear */
	SMTP_BROKEN, /* the connection ended */
	SMTP_TIMED_OUT,
	SMTP_LOCAL, /* it could not be begun */
};

struct smtp_report {
	enum smtp_stage stage;
	enum smtp_trouble trouble;
	int code; /* of the reply that decided; 0: none did */
	char text[SMTP_TEXT]; /* the server's words, one clean line */
};

/*
 * What a report means.  Pure.  The detail borrows from @report or is static; @attempt counts from
 * 1 and says how patient to be.
 */
void smtp_judge(
	const struct smtp_report *report, uint32_t attempt, struct cg_outcome *ret);

/* Set text from a server's reply: first line, clean, cut. */
void smtp_report_text(struct smtp_report *report, const char *text);

/*
 * A conversation that a pool thread holds and the loop may end.  Fields above the lock are set
 * before the thread begins and only read then.
 */
struct smtp_session {
	const struct email_settings *settings; /* borrowed */
	const char *from, *to;
	const char *bytes; /* the mail with CRLF line ends */
	size_t length;
	int64_t timeout_ms;

	pthread_mutex_t lock; /* guards what follows */
	int fd; /* our own duplicate of the connection's; -1: none yet */
	bool ended; /* nothing may be handed over any more */
	bool answered; /* the report has what decides */
	struct smtp_report report;
};

void smtp_session_init(struct smtp_session *session);
void smtp_session_finish(struct smtp_session *session);

/* On the pool thread: hold the conversation to its end. */
void smtp_session_run(struct smtp_session *session);

/* From any thread: end it now, because of @trouble unless that is known already.  Nothing goes
 * further than @ret_report (which may be NULL) says. */
void smtp_session_end(struct smtp_session *session, enum smtp_trouble trouble,
	struct smtp_report *ret_report);

/* For those who hold the conversation.  False: it was ended and must stop; so it is when the end is
 * to be reached over a connection that is down. */
bool smtp_session_reach(struct smtp_session *session, enum smtp_stage stage);
/* The answer that decides, unless one was there before. */
void smtp_session_answer(
	struct smtp_session *session, enum smtp_stage stage, int code, const char *text);
/* Adopts @fd, by which the conversation can be ended from outside. */
void smtp_session_adopt(struct smtp_session *session, int fd);

/* Over libesmtp: STARTTLS, opportunistic, or without TLS. */
void smtp_esmtp_run(struct smtp_session *session);
/* Over libcurl: implicit TLS, which libesmtp does not have. */
void smtp_implicit_run(struct smtp_session *session);

/* As often as wanted, on the loop. */
void smtp_library_init(void);

#endif
