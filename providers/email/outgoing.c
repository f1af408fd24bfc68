/* SPDX-License-Identifier: Apache-2.0 */
#include "outgoing.h"

#include "email.h"
#include "letter.h"
#include "smtp.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>

struct outgoing_mail {
	TAILQ_ENTRY(outgoing_mail) link;
	struct outgoing *outgoing;
	struct cg_send *send; /* NULL once it was told what became of it */
	struct cg_timer *timer; /* the watch; NULL: none, or it has fired */
	uint32_t attempt;
	bool running;
	struct letter letter;
	struct cg_buffer bytes; /* the thread's until it is done */
	struct smtp_session session;
};

static void run_next(struct outgoing *outgoing);

static const struct cg_host *host_of(const struct outgoing_mail *mail)
{
	return mail->outgoing->email->host;
}

static void mail_free(struct outgoing_mail *mail)
{
	host_of(mail)->timer_cancel(host_of(mail), mail->timer);
	TAILQ_REMOVE(&mail->outgoing->mails, mail, link);
	smtp_session_finish(&mail->session);
	cg_buffer_finish(&mail->bytes);
	letter_finish(&mail->letter);
	free(mail);
}

/* ---- What became of it ---- */

static void note_health(struct email *email, const struct smtp_report *report)
{
	const char *detail = report->text[0] != '\0' ? report->text : NULL;
	struct cg_outcome outcome;

	smtp_judge(report, 1, &outcome);
	if (detail == NULL)
		detail = outcome.detail;
	/* A server that judges recipients and mails is well. */
	if ((report->stage >= SMTP_RECIPIENT && report->code != 0) ||
		report->trouble == SMTP_LOCAL)
		email_health_outbound(email, CG_HEALTH_UP, NULL);
	else if (report->stage == SMTP_LOGIN && report->code >= 500)
		email_health_outbound(email, CG_HEALTH_REFUSED, detail);
	else
		email_health_outbound(email, CG_HEALTH_DEGRADED, detail);
}

/* Tell it, once.  The mail stays while a thread has it. */
static void tell(struct outgoing_mail *mail, const struct smtp_report *report)
{
	struct cg_send *send = mail->send;
	struct cg_outcome outcome;

	if (send == NULL)
		return;
	mail->send = NULL;
	note_health(mail->outgoing->email, report);
	smtp_judge(report, mail->attempt, &outcome);
	if (outcome.class == CG_OUTCOME_SENT)
		outcome.message_id = mail->letter.id;
	cg_send_end(send, &outcome);
}

/* Its time is over, or nobody wants to wait any longer: what it did is final. */
static void give_up(struct outgoing_mail *mail)
{
	struct smtp_report report = {.stage = SMTP_CONNECTING, .trouble = SMTP_TIMED_OUT};

	if (mail->running)
		smtp_session_end(&mail->session, SMTP_TIMED_OUT, &report);
	tell(mail, &report);
	if (!mail->running)
		mail_free(mail);
}

static void watch(void *arg)
{
	struct outgoing_mail *mail = arg;

	mail->timer = NULL;
	give_up(mail);
}

/* ---- The thread ---- */

static void work(void *arg)
{
	struct outgoing_mail *mail = arg;
	struct cg_error err = {.text = ""};

	if (mime_write(&mail->letter.draft, &mail->bytes, &err) != CG_OK) {
		smtp_session_end(&mail->session, SMTP_LOCAL, NULL);
		return;
	}
	mail->session.bytes = mail->bytes.bytes;
	mail->session.length = mail->bytes.length;
	smtp_session_run(&mail->session);
}

static void worked(void *arg)
{
	struct outgoing_mail *mail = arg;
	struct outgoing *outgoing = mail->outgoing;
	struct smtp_report report;

	mail->running = false;
	outgoing->running--;
	smtp_session_end(&mail->session, SMTP_BROKEN, &report);
	tell(mail, &report);
	mail_free(mail);
	run_next(outgoing);
}

static void run_next(struct outgoing *outgoing)
{
	const struct cg_host *host = outgoing->email->host;
	struct outgoing_mail *mail;

	TAILQ_FOREACH (mail, &outgoing->mails, link) {
		if (outgoing->running == OUTGOING_AT_ONCE)
			return;
		if (mail->running || mail->send == NULL)
			continue;
		/* A full pool empties again: the next to end asks once more, or the watch. */
		if (host->offload(host, work, worked, mail) != CG_OK)
			return;
		mail->running = true;
		outgoing->running++;
	}
}

/* ---- The daemon's side ---- */

static void refuse(struct cg_send *send, enum cg_status status, const char *detail)
{
	bool later = status == CG_NOMEM || status == CG_IO;

	cg_send_end_later(send,
		&(struct cg_outcome){.size = sizeof(struct cg_outcome),
			.class = later ? CG_OUTCOME_NOT_DISPATCHED : CG_OUTCOME_REFUSED,
			.scope = CG_SCOPE_MESSAGE,
			.retry_after_ms = -1,
			.detail = detail});
}

void outgoing_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	struct email *email = self;
	struct cg_send *send = cg_send_open(&email->sends, outbound, done, arg);
	struct outgoing_mail *mail = calloc(1, sizeof(*mail));
	int64_t timeout_ms = email->settings.smtp_timeout_ms;
	struct cg_error err = {.text = ""};
	enum cg_status status = CG_NOMEM;

	if (mail != NULL)
		status = letter_init(&mail->letter, &email->settings, outbound,
			email->host->wall_ms(email->host), &err);
	if (status != CG_OK) {
		free(mail);
		refuse(send, status, err.text);
		return;
	}
	if (outbound->timeout_ms > 0 && outbound->timeout_ms < timeout_ms)
		timeout_ms = outbound->timeout_ms;
	mail->outgoing = &email->outgoing;
	mail->send = send;
	mail->attempt = outbound->attempt;
	cg_buffer_init(&mail->bytes, MIME_MESSAGE_MAX);
	smtp_session_init(&mail->session);
	mail->session.settings = &email->settings;
	mail->session.from = email->settings.from;
	mail->session.to = mail->letter.to;
	mail->session.timeout_ms = timeout_ms;
	TAILQ_INSERT_TAIL(&email->outgoing.mails, mail, link);
	mail->timer = email->host->timer_start(email->host, timeout_ms, watch, mail);
	if (mail->timer == NULL) {
		mail->send = NULL;
		mail_free(mail);
		refuse(send, CG_NOMEM, "out of memory");
		return;
	}
	run_next(&email->outgoing);
}

void outgoing_cancel(void *self, void *arg)
{
	struct email *email = self;
	struct outgoing_mail *mail;

	TAILQ_FOREACH (mail, &email->outgoing.mails, link) {
		if (mail->send != NULL && mail->send->arg == arg) {
			give_up(mail);
			return;
		}
	}
	cg_sends_cancel(&email->sends, arg);
}

void outgoing_init(struct outgoing *outgoing, struct email *email)
{
	*outgoing = (struct outgoing){.email = email};
	TAILQ_INIT(&outgoing->mails);
}

void outgoing_finish(struct outgoing *outgoing)
{
	struct outgoing_mail *mail;

	while ((mail = TAILQ_FIRST(&outgoing->mails)) != NULL) {
		mail->timer = NULL; /* the host has taken it back */
		mail_free(mail);
	}
}
