/* SPDX-License-Identifier: Apache-2.0 */
#include "smtp.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void smtp_session_init(struct smtp_session *session)
{
	pthread_mutex_init(&session->lock, NULL);
	session->fd = -1;
	session->ended = false;
	session->answered = false;
	session->report = (struct smtp_report){.stage = SMTP_CONNECTING};
}

void smtp_session_finish(struct smtp_session *session)
{
	if (session->fd >= 0)
		close(session->fd);
	session->fd = -1;
	pthread_mutex_destroy(&session->lock);
}

static bool is_down(int fd)
{
	struct pollfd connection = {.fd = fd};

	return fd >= 0 && poll(&connection, 1, 0) == 1 &&
	       (connection.revents & (POLLERR | POLLHUP)) != 0;
}

bool smtp_session_reach(struct smtp_session *session, enum smtp_stage stage)
{
	bool may;

	pthread_mutex_lock(&session->lock);
	/* Over a connection that went down before, the last piece arrives nowhere. */
	if (stage == SMTP_END && is_down(session->fd))
		session->ended = true;
	may = !session->ended;
	if (may && !session->answered && stage > session->report.stage)
		session->report.stage = stage;
	pthread_mutex_unlock(&session->lock);
	return may;
}

void smtp_session_answer(
	struct smtp_session *session, enum smtp_stage stage, int code, const char *text)
{
	pthread_mutex_lock(&session->lock);
	if (!session->answered) {
		session->answered = true;
		session->report.stage = stage;
		session->report.code = code;
		smtp_report_text(&session->report, text);
	}
	pthread_mutex_unlock(&session->lock);
}

void smtp_session_adopt(struct smtp_session *session, int fd)
{
	pthread_mutex_lock(&session->lock);
	if (session->fd >= 0)
		close(session->fd);
	session->fd = fd;
	if (session->ended && fd >= 0)
		shutdown(fd, SHUT_RDWR);
	pthread_mutex_unlock(&session->lock);
}

void smtp_session_end(struct smtp_session *session, enum smtp_trouble trouble,
	struct smtp_report *ret_report)
{
	pthread_mutex_lock(&session->lock);
	session->ended = true;
	if (session->report.trouble == SMTP_FINE)
		session->report.trouble = trouble;
	/* The duplicate names the connection, whoever has closed the original meanwhile. */
	if (session->fd >= 0)
		shutdown(session->fd, SHUT_RDWR);
	if (ret_report != NULL)
		*ret_report = session->report;
	pthread_mutex_unlock(&session->lock);
}

void smtp_session_run(struct smtp_session *session)
{
	if (!smtp_session_reach(session, SMTP_CONNECTING))
		return;
	if (session->settings->smtp_tls == EMAIL_TLS_IMPLICIT)
		smtp_implicit_run(session);
	else
		smtp_esmtp_run(session);
	smtp_session_end(session, SMTP_BROKEN, NULL);
}
