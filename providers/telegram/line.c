/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include "telegram.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/retry.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CALL_TIMEOUT_MS 15000
#define POLL_WAIT_S 30 /* the platform answers by then */
#define POLL_TIMEOUT_MS 45000
#define POLL_RESPONSE_MAX (16u << 20)
#define RETRY_BASE_MS 1000
#define RETRY_CAP_MS 30000
#define CONFLICT_RETRY_MS 5000
#define CONFLICT_NORMAL_MS 40000 /* a poll that a killed process left behind */
#define DEAF_MS 90000
#define LIMITED_MS 5000 /* a 429 that names no time */
#define WATCH_MS 60000
#define BODY_MAX 8192

static void next_call(struct telegram_line *line);

static const struct cg_host *host_of(const struct telegram_line *line)
{
	return line->telegram->host;
}

static int64_t now_ms(const struct telegram_line *line)
{
	return host_of(line)->mono_ms(host_of(line));
}

int64_t telegram_line_asked(const struct telegram_line *line)
{
	return now_ms(line) - line->asked_ms;
}

/* ---- When ---- */

static void wake(void *arg)
{
	struct telegram_line *line = arg;

	line->timer = NULL;
	next_call(line);
}

static void wait_for(struct telegram_line *line, int64_t delay_ms)
{
	const struct cg_host *host = host_of(line);

	if (!line->started)
		return;
	host->timer_cancel(host, line->timer);
	line->timer = host->timer_start(host, delay_ms, wake, line);
	/* Without a timer nothing would ever happen: the daemon starts us again. */
	if (line->timer == NULL)
		telegram_health(line->telegram, CG_HEALTH_DOWN, line->telegram->outbound,
			"out of memory");
}

static void back_off(struct telegram_line *line)
{
	uint64_t random;

	host_of(line)->random(host_of(line), &random, sizeof(random));
	if (line->failures < 16)
		line->failures++;
	wait_for(line,
		cg_retry_reconnect(RETRY_BASE_MS, RETRY_CAP_MS, line->failures, random));
}

void telegram_line_go_on(struct telegram_line *line, int64_t delay_ms)
{
	if (delay_ms > 0)
		wait_for(line, delay_ms);
	else
		next_call(line);
}

/* ---- How we are ---- */

/* Nothing was heard: deaf after a while, whatever sending does meanwhile. */
static void note_silence(struct telegram_line *line, const char *why)
{
	struct telegram *telegram = line->telegram;

	if (now_ms(line) - line->heard_ms >= DEAF_MS)
		telegram_health(telegram, CG_HEALTH_DOWN, telegram->outbound, why);
}

static void note_heard(struct telegram_line *line)
{
	struct telegram *telegram = line->telegram;
	bool refused = telegram->outbound == CG_HEALTH_REFUSED;

	line->failures = 0;
	line->conflict_ms = 0;
	line->heard_ms = now_ms(line);
	telegram_health(
		telegram, CG_HEALTH_UP, refused ? CG_HEALTH_REFUSED : CG_HEALTH_UP, NULL);
}

/* Two who ask for the same updates: for a moment that is a process that has just died. */
static void take_conflict(
	struct telegram_line *line, const struct telegram_answer *answer)
{
	struct telegram *telegram = line->telegram;
	const char *why = telegram_answer_says(answer, "webhook")
				  ? "another program has set a webhook for the same bot: "
				    "stop it, or use a bot of your own"
				  : "another program polls the same bot: stop it, or use "
				    "a bot of your own";

	if (line->conflict_ms == 0)
		line->conflict_ms = now_ms(line);
	if (now_ms(line) - line->conflict_ms >= CONFLICT_NORMAL_MS &&
		telegram->inbound != CG_HEALTH_DOWN)
		telegram_health(telegram, CG_HEALTH_DEGRADED, telegram->outbound, why);
	note_silence(line, why);
	wait_for(line, CONFLICT_RETRY_MS);
}

/* Told apart by what it takes to mend it. */
static void take_error(struct telegram_line *line, const struct telegram_answer *answer)
{
	struct telegram *telegram = line->telegram;
	char detail[CG_ERROR_TEXT];

	if (answer->document != NULL && (answer->code == 401 || answer->code == 404)) {
		telegram_health(telegram, CG_HEALTH_REFUSED, CG_HEALTH_REFUSED,
			"Telegram does not know this bot's token");
		return; /* asking again would not help */
	}
	if (answer->code == 409) {
		take_conflict(line, answer);
		return;
	}
	if (answer->code == 429) {
		note_silence(line, "Telegram asks for fewer requests");
		wait_for(line,
			answer->retry_after_ms > 0 ? answer->retry_after_ms : LIMITED_MS);
		return;
	}
	if (line->step == TELEGRAM_SET_WEBHOOK && answer->code == 400)
		snprintf(detail, sizeof(detail),
			"Telegram does not accept the webhook's URL: check "
			"publicBaseUrl");
	else
		snprintf(detail, sizeof(detail), "Telegram answers with error %d",
			answer->code);
	if (line->step == TELEGRAM_SET_WEBHOOK && answer->code == 400)
		telegram_health(telegram, CG_HEALTH_DOWN, telegram->outbound, detail);
	note_silence(line, detail);
	back_off(line);
}

/* ---- The platform's calls ---- */

bool telegram_line_takes_calls(const struct telegram_line *line)
{
	return line->started && line->telegram->settings.webhook &&
	       line->telegram->bot.id != 0;
}

void telegram_line_called(struct telegram_line *line)
{
	line->called_ms = host_of(line)->wall_ms(host_of(line));
	if (line->step == TELEGRAM_WATCH)
		note_heard(line);
}

/* What the platform says about calling us. */
static void take_info(struct telegram_line *line, struct json_object *info)
{
	struct telegram *telegram = line->telegram;
	const char *url = cg_json_string_or(info, "url", "");
	const char *why = cg_json_string_or(info, "last_error_message", "");
	int64_t failed_ms = cg_json_int(info, "last_error_date", 0);
	char detail[CG_ERROR_TEXT];

	wait_for(line, WATCH_MS);
	if (strcmp(url, telegram->settings.hook_url) != 0) {
		telegram_health(telegram, CG_HEALTH_DOWN, telegram->outbound,
			url[0] == '\0' ? "another program has removed this bot's "
					 "webhook: it polls the same bot"
				       : "another program has set a webhook of its own "
					 "for this bot");
		return;
	}
	if (failed_ms < 0 || failed_ms > INT64_MAX / 2000)
		failed_ms = 0;
	failed_ms *= 1000;
	if (cg_json_int(info, "pending_update_count", 0) == 0 ||
		failed_ms <= line->called_ms) {
		note_heard(line);
		return;
	}
	/* Updates wait there, and the last try was in vain. */
	snprintf(detail, sizeof(detail), "Telegram does not reach the webhook: %.160s",
		cg_text_clean(why, strlen(why), 160) &&
				strstr(why, telegram->settings.token.bytes) == NULL
			? why
			: "it says why in getWebhookInfo");
	telegram_health(telegram,
		now_ms(line) - line->heard_ms >= DEAF_MS ? CG_HEALTH_DOWN
							 : CG_HEALTH_DEGRADED,
		telegram->outbound, detail);
}

/* ---- Answers ---- */

static void go_to(struct telegram_line *line, enum telegram_step step)
{
	line->step = step;
	next_call(line);
}

static void take_me(struct telegram_line *line, struct json_object *result)
{
	struct telegram *telegram = line->telegram;

	if (!telegram_wire_read_me(result, &telegram->bot)) {
		note_silence(line, "Telegram does not say which bot this is");
		back_off(line);
		return;
	}
	telegram_batch_load(&line->batch);
	telegram_health(telegram, telegram->inbound, CG_HEALTH_UP, NULL);
	go_to(line, telegram->settings.webhook ? TELEGRAM_SET_WEBHOOK
					       : TELEGRAM_DELETE_WEBHOOK);
}

static void take_result(struct telegram_line *line, struct json_object *result)
{
	switch (line->step) {
	case TELEGRAM_GET_ME:
		take_me(line, result);
		break;
	case TELEGRAM_DELETE_WEBHOOK:
	case TELEGRAM_SET_WEBHOOK:
		go_to(line, TELEGRAM_SET_COMMANDS);
		break;
	case TELEGRAM_SET_COMMANDS:
		go_to(line, line->telegram->settings.webhook ? TELEGRAM_WATCH
							     : TELEGRAM_GET_UPDATES);
		break;
	case TELEGRAM_GET_UPDATES:
		note_heard(line);
		line->batch.limit = TELEGRAM_BATCH;
		telegram_batch_take(&line->batch, result);
		break;
	case TELEGRAM_WATCH:
		take_info(line, result);
		break;
	}
}

/* A batch that is too much at once is asked for in smaller pieces. */
static bool ask_for_less(struct telegram_line *line)
{
	if (line->step != TELEGRAM_GET_UPDATES || line->batch.limit == 1)
		return false;
	line->batch.limit /= 2;
	next_call(line);
	return true;
}

static void answered(void *arg, const struct cg_http_response *response)
{
	struct telegram_line *line = arg;
	struct telegram_answer answer;
	char detail[CG_ERROR_TEXT];

	line->call = NULL;
	if (response->result == CG_HTTP_TOO_LARGE && ask_for_less(line))
		return;
	if (response->result != CG_HTTP_DONE) {
		/* Name resolution, connection, TLS, silence: each is mended elsewhere. */
		snprintf(detail, sizeof(detail), "Telegram cannot be reached: %.160s",
			response->error == NULL ? "no answer" : response->error);
		note_silence(line, detail);
		back_off(line);
		return;
	}
	telegram_answer_init(&answer, response);
	if (answer.ok)
		take_result(line, answer.result);
	else if (line->step == TELEGRAM_SET_COMMANDS && answer.code != 401)
		take_result(line, NULL); /* a list of commands is no reason to be deaf */
	else if (answer.status != CG_LIMIT || !ask_for_less(line))
		take_error(line, &answer);
	telegram_answer_finish(&answer);
}

/* ---- Calls ---- */

static void write_call(
	struct telegram_line *line, struct telegram_call *call, struct cg_buffer *body)
{
	const struct telegram_settings *settings = &line->telegram->settings;

	switch (line->step) {
	case TELEGRAM_SET_WEBHOOK:
		telegram_wire_write_hook(
			settings->hook_url, settings->hook_secret.bytes, body);
		break;
	case TELEGRAM_SET_COMMANDS:
		telegram_wire_write_commands(body);
		break;
	case TELEGRAM_GET_UPDATES:
		/* Until we are known to hear, the answer comes at once: a quiet bot is up, too. */
		telegram_wire_write_poll(line->batch.offset, line->batch.limit,
			line->telegram->inbound == CG_HEALTH_UP ? POLL_WAIT_S : 0, body);
		call->timeout_ms = POLL_TIMEOUT_MS;
		call->response_limit = POLL_RESPONSE_MAX;
		line->asked_ms = now_ms(line);
		break;
	case TELEGRAM_GET_ME:
	case TELEGRAM_DELETE_WEBHOOK:
	case TELEGRAM_WATCH:
		return;
	}
	call->body = body;
}

static void next_call(struct telegram_line *line)
{
	static const char *const methods[] = {
		[TELEGRAM_GET_ME] = "getMe",
		[TELEGRAM_DELETE_WEBHOOK] = "deleteWebhook",
		[TELEGRAM_SET_WEBHOOK] = "setWebhook",
		[TELEGRAM_SET_COMMANDS] = "setMyCommands",
		[TELEGRAM_GET_UPDATES] = "getUpdates",
		[TELEGRAM_WATCH] = "getWebhookInfo",
	};
	struct telegram_call call = {
		.method = methods[line->step],
		.timeout_ms = CALL_TIMEOUT_MS,
		.poll = true,
		.done = answered,
		.arg = line,
	};
	struct cg_buffer body;
	enum cg_status status;

	/* A batch of before a stop may still wait for its verdicts. */
	if (!line->started || line->call != NULL || line->batch.open > 0)
		return;
	cg_buffer_init(&body, BODY_MAX);
	write_call(line, &call, &body);
	status = cg_buffer_status(&body);
	if (status == CG_OK)
		status = telegram_call(line->telegram, &call, &line->call, NULL);
	cg_buffer_finish(&body);
	if (status != CG_OK)
		back_off(line);
}

void telegram_line_init(struct telegram_line *line, struct telegram *telegram)
{
	*line = (struct telegram_line){.telegram = telegram};
	telegram_batch_init(&line->batch, telegram);
}

void telegram_line_start(struct telegram_line *line)
{
	line->started = true;
	line->step = TELEGRAM_GET_ME;
	line->failures = 0;
	line->conflict_ms = 0;
	if (line->heard_ms == 0)
		line->heard_ms = now_ms(line);
	next_call(line);
}

void telegram_line_stop(struct telegram_line *line)
{
	const struct cg_host *host = host_of(line);

	line->started = false;
	host->timer_cancel(host, line->timer);
	line->timer = NULL;
	if (line->call != NULL)
		host->http_cancel(host, line->call);
	line->call = NULL;
}
