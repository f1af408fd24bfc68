/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Webhook mode's way in.  The secret that the platform sends along is compared before anything
 * is parsed; the answer leaves after the commit, so what is not stored comes again.
 */
#include "telegram.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/json.h>
#include <string.h>

static void answer(struct cg_webhook_request *request, enum cg_webhook_result result,
	const char *sentence)
{
	request->answer(request, &(struct cg_webhook_answer){
					 .size = sizeof(struct cg_webhook_answer),
					 .result = result,
					 .body = sentence,
				 });
}

/* What breaks a limit is passed over, as in polling: refused, it would come again for ever and
 * stop its chat. */
static void judged(void *arg, enum cg_verdict verdict)
{
	answer(arg,
		verdict == CG_VERDICT_UNAVAILABLE ? CG_WEBHOOK_UNAVAILABLE
						  : CG_WEBHOOK_ACCEPTED,
		NULL);
}

/* Through digests, so that not even the length takes its time. */
static bool is_authentic(const struct telegram *telegram, const char *secret)
{
	const struct cg_secret *expected = &telegram->settings.hook_secret;
	uint8_t mine[CG_SHA256], theirs[CG_SHA256];

	if (secret == NULL || !cg_secret_is_set(expected))
		return false;
	cg_sha256(expected->bytes, expected->length, mine);
	cg_sha256(secret, strlen(secret), theirs);
	return cg_equal(mine, theirs, CG_SHA256);
}

static void take(struct telegram *telegram, struct json_object *update, void *request)
{
	switch (telegram_intake_add(&telegram->intake, &update, 1, judged, request)) {
	case TELEGRAM_ADDED:
		telegram_intake_run(&telegram->intake);
		break;
	case TELEGRAM_NOT_OURS:
		answer(request, CG_WEBHOOK_ACCEPTED, NULL);
		break;
	case TELEGRAM_FULL:
		answer(request, CG_WEBHOOK_UNAVAILABLE, NULL);
		break;
	}
}

void telegram_webhook(void *self, struct cg_webhook_request *request)
{
	struct telegram *telegram = self;
	struct json_object *update = NULL;

	if (!is_authentic(telegram,
		    request->header(request, "x-telegram-bot-api-secret-token"))) {
		answer(request, CG_WEBHOOK_DENIED, NULL);
		return;
	}
	/* Not before we know who we are, or nobody could call us by our name. */
	if (!telegram_line_takes_calls(&telegram->line)) {
		answer(request, CG_WEBHOOK_UNAVAILABLE, NULL);
		return;
	}
	telegram_line_called(&telegram->line);
	if (strcmp(request->method, "POST") != 0 ||
		cg_json_parse(request->body, request->body_length, &update, NULL) !=
			CG_OK ||
		!cg_json_is_object(update))
		answer(request, CG_WEBHOOK_BAD, "the request is no update");
	else
		take(telegram, update, request);
	cg_json_free(update);
}
