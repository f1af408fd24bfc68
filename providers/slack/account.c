/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are and how we do.  The way in needs nothing of this: events say for whom they are meant,
 * and are taken while Slack's Web API cannot be reached.
 */
#include "slack.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/retry.h>
#include <stdio.h>
#include <string.h>

#define AUTH_TIMEOUT_MS 20000
#define AUTH_RETRY_MS 2000
#define AUTH_RETRY_MAX_MS 300000
/* Strangers knock at every door of the Internet; a wrong secret fails each time. */
#define WRONG_IN_A_ROW 3

static void ask_who_we_are(void *arg);

static bool is_news(const struct slack *slack, const struct cg_health *health)
{
	return slack->told.inbound != health->inbound ||
	       slack->told.outbound != health->outbound ||
	       strcmp(slack->told_detail, health->detail == NULL ? "" : health->detail) !=
		       0;
}

static void tell(struct slack *slack)
{
	bool wrong = slack->unsigned_requests >= WRONG_IN_A_ROW;
	struct cg_health health = {
		.size = sizeof(health),
		.inbound = wrong ? CG_HEALTH_DEGRADED : CG_HEALTH_UP,
		.outbound = slack->outbound,
		.detail =
			slack->outbound_detail[0] == '\0' ? NULL : slack->outbound_detail,
	};

	if (slack->outbound == CG_HEALTH_REFUSED)
		health.inbound = slack->told.inbound; /* the worst is said already */
	else if (wrong)
		health.detail = "requests come with a wrong signature: is signingSecret "
				"that of this app?";
	if (!is_news(slack, &health))
		return;
	slack->told = health;
	cg_text_copy(slack->told_detail, sizeof(slack->told_detail),
		health.detail == NULL ? "" : health.detail);
	slack->host->health(slack->host, &health);
}

void slack_outbound(struct slack *slack, enum cg_health_state state, const char *detail)
{
	slack->outbound = state;
	cg_text_copy(slack->outbound_detail, sizeof(slack->outbound_detail),
		detail == NULL ? "" : detail);
	tell(slack);
}

void slack_signature_seen(struct slack *slack, bool right)
{
	if (right)
		slack->unsigned_requests = 0;
	else if (slack->unsigned_requests < WRONG_IN_A_ROW)
		slack->unsigned_requests++;
	tell(slack);
}

static void ask_again(struct slack *slack, int64_t retry_after_ms)
{
	uint64_t random;
	int64_t delay;

	slack->host->random(slack->host, &random, sizeof(random));
	delay = cg_retry_reconnect(
		AUTH_RETRY_MS, AUTH_RETRY_MAX_MS, ++slack->auth_failures, random);
	slack->auth_timer = slack->host->timer_start(slack->host,
		retry_after_ms > delay ? retry_after_ms : delay, ask_who_we_are, slack);
}

/* Without this one nothing can be said at all. */
static bool may_write(const struct cg_http_response *response)
{
	for (size_t i = 0; i < response->header_count; i++) {
		if (strcmp(response->headers[i].name, "x-oauth-scopes") == 0)
			return strstr(response->headers[i].value, "chat:write") != NULL;
	}
	return true; /* it is not always said */
}

static void greeted(struct slack *slack, const struct slack_answer *answer,
	const struct cg_http_response *response)
{
	char text[CG_ERROR_TEXT];

	slack->auth_failures = 0;
	snprintf(text, sizeof(text), "this is the app @%.60s in the workspace %.100s",
		slack->bot.name,
		cg_json_string_or(answer->document, "team", slack->bot.team_id));
	slack->host->log(slack->host, CG_LOG_INFO, text);
	if (may_write(response))
		slack_outbound(slack, CG_HEALTH_UP, NULL);
	else
		slack_outbound(slack, CG_HEALTH_DEGRADED,
			"the app lacks the scope chat:write: add it and install the app "
			"again");
}

static void told_who_we_are(void *arg, const struct cg_http_response *response)
{
	static const struct cg_outbound text = {.kind = CG_OUTBOUND_TEXT};
	struct slack *slack = arg;
	struct slack_verdict verdict;
	struct slack_answer answer;
	char detail[CG_ERROR_TEXT];

	slack->auth = NULL;
	slack_answer_init(&answer, response);
	slack_answer_judge(&answer, response, &text, &verdict);
	if (answer.ok && slack_wire_read_auth(answer.document, &slack->bot)) {
		greeted(slack, &answer, response);
	} else if (verdict.outcome.class == CG_OUTCOME_REFUSED &&
		   verdict.outcome.scope == CG_SCOPE_ACCOUNT) {
		snprintf(detail, sizeof(detail), "Slack refuses the bot token: %s",
			answer.error);
		slack_outbound(slack, CG_HEALTH_REFUSED, detail);
	} else {
		snprintf(detail, sizeof(detail),
			"Slack's Web API cannot be reached at the moment: %.160s",
			response->error == NULL ? "a page that is not Slack's"
						: response->error);
		slack_outbound(slack, CG_HEALTH_DEGRADED, detail);
		ask_again(slack, verdict.outcome.retry_after_ms);
	}
	slack_answer_finish(&answer);
}

static void ask_who_we_are(void *arg)
{
	struct slack *slack = arg;
	struct slack_call call = {
		.method = "auth.test",
		.type = SLACK_FORM,
		.timeout_ms = AUTH_TIMEOUT_MS,
		.done = told_who_we_are,
		.arg = slack,
	};

	slack->auth_timer = NULL;
	if (slack_call(slack, &call, &slack->auth, NULL) != CG_OK) {
		slack->auth = NULL;
		ask_again(slack, 0);
	}
}

void slack_account_start(struct slack *slack)
{
	slack->unsigned_requests = 0;
	slack->auth_failures = 0;
	slack->marks_refused = false;
	slack->told = (struct cg_health){.inbound = CG_HEALTH_STARTING};
	slack_outbound(slack, CG_HEALTH_STARTING, NULL);
	ask_who_we_are(slack);
}

void slack_account_stop(struct slack *slack)
{
	slack->host->timer_cancel(slack->host, slack->auth_timer);
	slack->auth_timer = NULL;
	if (slack->auth != NULL)
		slack->host->http_cancel(slack->host, slack->auth);
	slack->auth = NULL;
}
