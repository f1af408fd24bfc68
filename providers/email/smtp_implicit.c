/* SPDX-License-Identifier: Apache-2.0 */
/* The conversation over libcurl, for servers that speak TLS from the first byte. */
#include "smtp.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define REPLIES_MAX 65536 /* bytes of answers; more is no mail server */

struct talk {
	struct smtp_session *session;
	size_t at; /* bytes of the mail handed over */
	size_t heard;
	bool login_sent, logged_in;
	bool leaving; /* QUIT was said: what is answered to that decides nothing */
	enum smtp_stage stage; /* of the last command */
	int code; /* of the last reply */
	char text[SMTP_TEXT];
};

static void look_at_command(struct talk *talk, const char *bytes, size_t length)
{
	static const struct {
		const char *verb;
		enum smtp_stage stage;
	} verbs[] = {
		{"AUTH", SMTP_LOGIN},
		{"MAIL", SMTP_SENDER},
		{"RCPT", SMTP_RECIPIENT},
		{"DATA", SMTP_CONTENT},
	};

	for (size_t i = 0; i < 4 && length >= 4; i++) {
		if (strncasecmp(bytes, verbs[i].verb, 4) == 0)
			talk->stage = verbs[i].stage;
	}
	if (length >= 4 && strncasecmp(bytes, "QUIT", 4) == 0)
		talk->leaving = true;
	talk->login_sent = talk->login_sent || talk->stage == SMTP_LOGIN;
	smtp_session_reach(talk->session, talk->stage);
}

static void take_reply(struct talk *talk, const char *bytes, size_t length)
{
	talk->heard += length;
	if (talk->leaving || length < 4 || strspn(bytes, "0123456789") != 3 ||
		bytes[3] == '-')
		return;
	talk->code = (bytes[0] - '0') * 100 + (bytes[1] - '0') * 10 + bytes[2] - '0';
	snprintf(talk->text, sizeof(talk->text), "%.*s", (int)(length - 4), bytes + 4);
	if (talk->code == 235 && talk->login_sent)
		talk->logged_in = true;
	/* What has ended with an answer has ended, whatever becomes of QUIT. */
	if (talk->stage == SMTP_END)
		smtp_session_answer(talk->session, SMTP_END, talk->code, talk->text);
}

static int listen_in(
	CURL *easy, curl_infotype type, char *bytes, size_t length, void *arg)
{
	char line[SMTP_TEXT];

	(void)easy;
	if (type == CURLINFO_HEADER_OUT) {
		look_at_command(arg, bytes, length);
	} else if (type == CURLINFO_HEADER_IN) {
		snprintf(line, sizeof(line), "%.*s", (int)length, bytes);
		take_reply(arg, line, strlen(line));
	}
	return 0;
}

static size_t hand_over(char *room, size_t size, size_t count, void *arg)
{
	struct talk *talk = arg;
	struct smtp_session *session = talk->session;
	size_t left = session->length - talk->at;
	size_t piece = left < size * count ? left : size * count;
	enum smtp_stage stage = piece == left ? SMTP_END : SMTP_CONTENT;

	/* A login that the server does not offer is left out without a word: then nothing goes. */
	if (session->settings->smtp_username != NULL && !talk->logged_in) {
		smtp_session_end(session, SMTP_NO_LOGIN, NULL);
		return CURL_READFUNC_ABORT;
	}
	if (!smtp_session_reach(session, stage))
		return CURL_READFUNC_ABORT;
	talk->stage = stage;
	memcpy(room, session->bytes + talk->at, piece);
	talk->at += piece;
	return piece;
}

static int may_go_on(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct talk *talk = arg;

	(void)a, (void)b, (void)c, (void)d;
	return talk->heard > REPLIES_MAX ||
	       !smtp_session_reach(talk->session, SMTP_CONNECTING);
}

static void conclude(struct talk *talk, CURLcode result)
{
	struct smtp_session *session = talk->session;

	switch (result) {
	case CURLE_OK:
		smtp_session_answer(session, SMTP_END, talk->code, talk->text);
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		smtp_session_end(session, SMTP_UNREACHABLE, NULL);
		break;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		smtp_session_end(session, SMTP_BAD_TLS, NULL);
		break;
	case CURLE_OPERATION_TIMEDOUT:
		smtp_session_end(session, SMTP_TIMED_OUT, NULL);
		break;
	default:
		if (talk->code >= 400 && talk->stage < SMTP_END)
			smtp_session_answer(session, talk->stage, talk->code, talk->text);
		else if (result == CURLE_LOGIN_DENIED)
			smtp_session_end(session, SMTP_NO_LOGIN, NULL);
		break;
	}
}

static bool prepare(struct talk *talk, CURL *easy, struct curl_slist *to)
{
	const struct smtp_session *session = talk->session;
	const struct email_settings *settings = session->settings;
	char url[400], from[EMAIL_ADDRESS + 2];

	snprintf(url, sizeof(url), "smtps://%s:%d/open-cowork-gateway",
		settings->smtp_host, settings->smtp_port);
	snprintf(from, sizeof(from), "<%s>", session->from);
#define SET(option, value) (curl_easy_setopt(easy, CURLOPT_##option, value) == CURLE_OK)
	return SET(URL, url) && SET(PROTOCOLS_STR, "smtps") && SET(PROXY, "") &&
	       SET(NOSIGNAL, 1L) && SET(TIMEOUT_MS, (long)session->timeout_ms) &&
	       (settings->ca_file == NULL || SET(CAINFO, settings->ca_file)) &&
	       (settings->smtp_username == NULL ||
		       (SET(USERNAME, settings->smtp_username) &&
			       SET(PASSWORD, settings->smtp_password.bytes))) &&
	       SET(MAIL_FROM, from) && SET(MAIL_RCPT, to) && SET(UPLOAD, 1L) &&
	       SET(INFILESIZE_LARGE, (curl_off_t)session->length) &&
	       SET(READFUNCTION, hand_over) && SET(READDATA, talk) && SET(VERBOSE, 1L) &&
	       SET(DEBUGFUNCTION, listen_in) && SET(DEBUGDATA, talk) &&
	       SET(NOPROGRESS, 0L) && SET(XFERINFOFUNCTION, may_go_on) &&
	       SET(XFERINFODATA, talk);
#undef SET
}

void smtp_implicit_run(struct smtp_session *session)
{
	struct talk talk = {.session = session, .stage = SMTP_GREETING};
	CURL *easy = curl_easy_init();
	char to[EMAIL_ADDRESS + 2];
	struct curl_slist *list;

	snprintf(to, sizeof(to), "<%s>", session->to);
	list = curl_slist_append(NULL, to);
	if (easy == NULL || list == NULL || !prepare(&talk, easy, list))
		smtp_session_end(session, SMTP_LOCAL, NULL);
	else
		conclude(&talk, curl_easy_perform(easy));
	curl_slist_free_all(list);
	curl_easy_cleanup(easy);
}
