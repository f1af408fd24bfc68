/* SPDX-License-Identifier: Apache-2.0 */
/* What a server's answer, or the want of one, says about a mail. */
#include "smtp.h"

#include <cowgate/sdk/text.h>
#include <string.h>

#define LATER_MS 60000 /* after a first "not now", as greylisting wants it */
#define MUCH_LATER_MS 300000

void smtp_report_text(struct smtp_report *report, const char *text)
{
	size_t used = 0, length = text == NULL ? 0 : strcspn(text, "\r\n");

	for (size_t at = 0; at < length;) {
		uint32_t point;
		size_t step = cg_utf8_decode(text + at, length - at, &point);

		if (step > 0 && used + step < sizeof(report->text) &&
			!cg_text_is_control(point)) {
			memcpy(report->text + used, text + at, step);
			used += step;
		}
		at += step == 0 ? 1 : step;
	}
	report->text[used] = '\0';
}

static const char *trouble_text(enum smtp_trouble trouble)
{
	static const char *const texts[] = {
		[SMTP_FINE] = NULL,
		[SMTP_UNREACHABLE] = "the mail server cannot be reached",
		[SMTP_NO_TLS] =
			("the mail server offers no TLS; set EMAIL_SMTP_SECURE for "
			 "its TLS port, or EMAIL_SMTP_TLS if clear text is meant"),
		[SMTP_BAD_TLS] =
			"the mail server's certificate is not valid for its name",
		[SMTP_NO_LOGIN] = "the mail server offers no login that is understood",
		[SMTP_CLEAR_LOGIN] =
			"the mail server offers no TLS and wants the password",
		[SMTP_BROKEN] = "the mail server ended the connection",
		[SMTP_TIMED_OUT] = "the mail server did not answer in time",
		[SMTP_LOCAL] = "the mail could not be handed over",
	};

	return texts[trouble];
}

/* A definite no at some stage: whom does it concern? */
static void judge_refusal(const struct smtp_report *report, struct cg_outcome *ret)
{
	ret->class = CG_OUTCOME_REFUSED;
	switch (report->stage) {
	case SMTP_CONNECTING:
	case SMTP_GREETING:
		/* It speaks to nobody now; that says nothing against the mail. */
		ret->class = CG_OUTCOME_NOT_DISPATCHED;
		ret->scope = CG_SCOPE_DESTINATION;
		break;
	case SMTP_LOGIN:
		ret->scope = CG_SCOPE_ACCOUNT;
		break;
	case SMTP_SENDER:
		/* Too large, or a mail that is not liked; else it is who sends it. */
		ret->scope = report->code == 552 || report->code == 554 ||
					     report->code == 555 || report->code == 501
				     ? CG_SCOPE_MESSAGE
				     : CG_SCOPE_ACCOUNT;
		break;
	case SMTP_RECIPIENT:
		ret->scope = report->code == 530 ? CG_SCOPE_ACCOUNT : CG_SCOPE_CHAT;
		break;
	case SMTP_CONTENT:
	case SMTP_END:
		ret->scope = CG_SCOPE_MESSAGE;
		break;
	}
}

static void judge_delay(
	const struct smtp_report *report, uint32_t attempt, struct cg_outcome *ret)
{
	ret->class = CG_OUTCOME_RATE_LIMITED;
	ret->retry_after_ms = attempt <= 3 ? LATER_MS : MUCH_LATER_MS;
	switch (report->stage) {
	case SMTP_CONNECTING:
	case SMTP_GREETING:
		ret->scope = CG_SCOPE_DESTINATION;
		break;
	case SMTP_LOGIN:
	case SMTP_SENDER:
		ret->scope = CG_SCOPE_ACCOUNT;
		break;
	case SMTP_RECIPIENT:
		ret->scope = CG_SCOPE_CHAT;
		break;
	case SMTP_CONTENT:
	case SMTP_END:
		ret->scope = CG_SCOPE_MESSAGE;
		break;
	}
}

void smtp_judge(
	const struct smtp_report *report, uint32_t attempt, struct cg_outcome *ret)
{
	*ret = (struct cg_outcome){
		.size = sizeof(*ret),
		.class = CG_OUTCOME_NOT_DISPATCHED,
		.scope = CG_SCOPE_MESSAGE,
		.retry_after_ms = -1,
		.platform_status = report->code,
		.detail = report->text[0] != '\0' ? report->text
						  : trouble_text(report->trouble),
	};
	if (report->code >= 500 && report->code <= 599) {
		judge_refusal(report, ret);
	} else if (report->code >= 400) {
		judge_delay(report, attempt, ret);
	} else if (report->stage == SMTP_END) {
		ret->class = report->code >= 200 && report->code <= 299
				     ? CG_OUTCOME_SENT
				     : CG_OUTCOME_AMBIGUOUS;
		if (ret->class == CG_OUTCOME_SENT)
			ret->detail = NULL;
	} else {
		ret->scope = CG_SCOPE_DESTINATION;
	}
}
