/* SPDX-License-Identifier: Apache-2.0 */
#include "poll.h"

#include "telegram.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/retry.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CALL_TIMEOUT_MS 15000
#define POLL_TIMEOUT_MS 45000 /* the platform answers after 30 s at the latest */
#define POLL_RESPONSE_MAX (16u << 20)
#define RETRY_BASE_MS 1000
#define RETRY_CAP_MS 30000
#define CONFLICT_RETRY_MS 5000
#define CONFLICT_NORMAL_MS 40000 /* a poll that a killed process left behind */
#define DEAF_MS 90000
#define STORE_RETRY_MS 2000
#define EMPTY_MS 500 /* before a server that does not wait is asked again */
#define LIMITED_MS 5000 /* a 429 that names no time */

static void next_call(struct telegram_poll *poll);

static const struct cg_host *host_of(const struct telegram_poll *poll)
{
	return poll->telegram->host;
}

static int64_t now_ms(const struct telegram_poll *poll)
{
	return host_of(poll)->mono_ms(host_of(poll));
}

/* ---- When ---- */

static void wake(void *arg)
{
	struct telegram_poll *poll = arg;

	poll->timer = NULL;
	next_call(poll);
}

static void wait_for(struct telegram_poll *poll, int64_t delay_ms)
{
	const struct cg_host *host = host_of(poll);

	if (!poll->started)
		return;
	host->timer_cancel(host, poll->timer);
	poll->timer = host->timer_start(host, delay_ms, wake, poll);
	/* Without a timer nothing would ever happen: the daemon starts us again. */
	if (poll->timer == NULL)
		telegram_health(poll->telegram, CG_HEALTH_DOWN, poll->telegram->outbound,
			"out of memory");
}

static void back_off(struct telegram_poll *poll)
{
	uint64_t random;

	host_of(poll)->random(host_of(poll), &random, sizeof(random));
	if (poll->failures < 16)
		poll->failures++;
	wait_for(poll,
		cg_retry_reconnect(RETRY_BASE_MS, RETRY_CAP_MS, poll->failures, random));
}

/* Nothing was heard: deaf after a while, whatever sending does meanwhile. */
static void note_silence(struct telegram_poll *poll, const char *why)
{
	struct telegram *telegram = poll->telegram;

	if (now_ms(poll) - poll->heard_ms >= DEAF_MS)
		telegram_health(telegram, CG_HEALTH_DOWN, telegram->outbound, why);
}

static void note_heard(struct telegram_poll *poll)
{
	struct telegram *telegram = poll->telegram;
	bool refused = telegram->outbound == CG_HEALTH_REFUSED;

	poll->failures = 0;
	poll->conflict_ms = 0;
	poll->heard_ms = now_ms(poll);
	telegram_health(
		telegram, CG_HEALTH_UP, refused ? CG_HEALTH_REFUSED : CG_HEALTH_UP, NULL);
}

/* ---- A batch ---- */

static void key_of(const struct telegram_poll *poll, char *ret, size_t size)
{
	snprintf(ret, size, "offset:%" PRId64, poll->telegram->bot.id);
}

static void load_offset(struct telegram_poll *poll)
{
	char key[TELEGRAM_NUMBER + 8], value[TELEGRAM_NUMBER];

	key_of(poll, key, sizeof(key));
	poll->offset = 0;
	if (host_of(poll)->checkpoint_load(host_of(poll), key, value, sizeof(value)) &&
		!cg_parse_int(value, &poll->offset))
		poll->offset = 0;
}

/* All verdicts are in.  Nothing beyond a held update is confirmed, here or at Telegram. */
static void end_batch(struct telegram_poll *poll)
{
	char key[TELEGRAM_NUMBER + 8], value[TELEGRAM_NUMBER];
	const struct cg_checkpoint checkpoint = {.key = key, .value = value};
	int64_t offset = poll->held != 0 ? poll->held : poll->end;

	if (offset != poll->offset && poll->rode && poll->held == 0) {
		poll->offset = offset;
	} else if (offset != poll->offset) {
		poll->offset = offset;
		key_of(poll, key, sizeof(key));
		snprintf(value, sizeof(value), "%" PRId64, offset);
		/* Should it be lost, the batch comes again and is found to be known. */
		host_of(poll)->checkpoint(host_of(poll), &checkpoint, NULL, NULL);
	}
	if (poll->held != 0)
		wait_for(poll, STORE_RETRY_MS);
	else if (poll->empty && now_ms(poll) - poll->asked_ms < EMPTY_MS)
		wait_for(poll, EMPTY_MS);
	else
		next_call(poll);
}

static void submitted(void *arg, enum cg_verdict verdict)
{
	struct telegram_pending *pending = arg;
	struct telegram_poll *poll = pending->poll;

	if (verdict == CG_VERDICT_UNAVAILABLE &&
		(poll->held == 0 || pending->update_id < poll->held))
		poll->held = pending->update_id;
	if (verdict == CG_VERDICT_INVALID || verdict == CG_VERDICT_CONFLICT)
		host_of(poll)->log(host_of(poll), CG_LOG_WARN,
			"an update breaks the limits of a message and is passed over");
	poll->open--;
	if (poll->open == 0)
		end_batch(poll);
}

/* One update on its way to the journal; false: it is not for us. */
static bool submit(struct telegram_poll *poll, struct json_object *update,
	int64_t update_id, bool alone)
{
	struct telegram_pending *pending = &poll->pending[poll->open];
	struct telegram_message message;
	char key[TELEGRAM_NUMBER + 8], value[TELEGRAM_NUMBER];
	const struct cg_checkpoint checkpoint = {.key = key, .value = value};

	if (!telegram_wire_read(&poll->telegram->bot, update, &message))
		return false;
	/*
	 * The offset rides in the transaction of an update that came alone, which is nearly always.
	 * Among several it could pass one that fails beside it, so it follows the last verdict.
	 */
	if (alone) {
		key_of(poll, key, sizeof(key));
		snprintf(value, sizeof(value), "%" PRId64, update_id + 1);
		message.inbound.checkpoint = &checkpoint;
	}
	*pending = (struct telegram_pending){.poll = poll, .update_id = update_id};
	poll->open++;
	host_of(poll)->submit(host_of(poll), &message.inbound, submitted, pending);
	return true;
}

static void take_batch(struct telegram_poll *poll, struct json_object *updates)
{
	size_t count = cg_json_count(updates);
	int64_t update_id;

	poll->held = 0;
	poll->rode = false;
	poll->empty = count == 0;
	/* Numbers begin anew after a quiet week, so what came last counts, not what is largest. */
	poll->end = count == 0 ? poll->offset : 0;
	for (size_t i = 0; i < count && i < TELEGRAM_BATCH; i++) {
		struct json_object *update = cg_json_at(updates, i);

		update_id = cg_json_int(update, "update_id", -1);
		if (update_id < 0 || update_id == INT64_MAX)
			continue;
		if (update_id >= poll->end)
			poll->end = update_id + 1;
		if (submit(poll, update, update_id, count == 1))
			poll->rode = count == 1;
	}
	if (poll->end == 0)
		poll->end = poll->offset; /* nothing in it was an update */
	if (poll->open == 0)
		end_batch(poll);
}

/* ---- Answers ---- */

/* Told apart by what it takes to mend it. */
static void take_error(struct telegram_poll *poll, const struct telegram_answer *answer)
{
	struct telegram *telegram = poll->telegram;
	char detail[CG_ERROR_TEXT];

	snprintf(detail, sizeof(detail), "Telegram answers with error %d", answer->code);
	if (answer->code == 401 || answer->code == 404) {
		telegram_health(telegram, CG_HEALTH_REFUSED, CG_HEALTH_REFUSED,
			"Telegram does not know this bot's token");
		return; /* asking again would not help */
	}
	if (answer->code == 429) {
		note_silence(poll, "Telegram asks for fewer requests");
		wait_for(poll,
			answer->retry_after_ms > 0 ? answer->retry_after_ms : LIMITED_MS);
		return;
	}
	if (answer->code != 409) {
		note_silence(poll, detail);
		back_off(poll);
		return;
	}
	if (poll->conflict_ms == 0)
		poll->conflict_ms = now_ms(poll);
	if (now_ms(poll) - poll->conflict_ms >= CONFLICT_NORMAL_MS)
		telegram_health(telegram, CG_HEALTH_DEGRADED, telegram->outbound,
			"another program polls the same bot: stop it, or use a bot of "
			"your own");
	wait_for(poll, CONFLICT_RETRY_MS);
}

static void take_result(struct telegram_poll *poll, struct json_object *result)
{
	switch (poll->step) {
	case TELEGRAM_GET_ME:
		if (!telegram_wire_read_me(result, &poll->telegram->bot)) {
			note_silence(poll, "Telegram does not say which bot this is");
			back_off(poll);
			return;
		}
		load_offset(poll);
		poll->step = TELEGRAM_DELETE_WEBHOOK;
		telegram_health(
			poll->telegram, poll->telegram->inbound, CG_HEALTH_UP, NULL);
		next_call(poll);
		break;
	case TELEGRAM_DELETE_WEBHOOK:
		poll->step = TELEGRAM_GET_UPDATES;
		next_call(poll);
		break;
	case TELEGRAM_GET_UPDATES:
		note_heard(poll);
		poll->limit = TELEGRAM_BATCH;
		take_batch(poll, result);
		break;
	}
}

/* A batch that is too much at once is asked for in smaller pieces. */
static bool ask_for_less(struct telegram_poll *poll)
{
	if (poll->step != TELEGRAM_GET_UPDATES || poll->limit == 1)
		return false;
	poll->limit /= 2;
	next_call(poll);
	return true;
}

static void answered(void *arg, const struct cg_http_response *response)
{
	struct telegram_poll *poll = arg;
	struct telegram_answer answer;

	poll->call = NULL;
	if (response->result == CG_HTTP_TOO_LARGE && ask_for_less(poll))
		return;
	if (response->result != CG_HTTP_DONE) {
		note_silence(poll, "Telegram cannot be reached");
		back_off(poll);
		return;
	}
	telegram_answer_init(&answer, response);
	if (answer.ok)
		take_result(poll, answer.result);
	else if (answer.status != CG_LIMIT || !ask_for_less(poll))
		take_error(poll, &answer);
	telegram_answer_finish(&answer);
}

static void next_call(struct telegram_poll *poll)
{
	static const char *const methods[] = {
		[TELEGRAM_GET_ME] = "getMe",
		[TELEGRAM_DELETE_WEBHOOK] = "deleteWebhook",
		[TELEGRAM_GET_UPDATES] = "getUpdates",
	};
	struct telegram_call call = {
		.method = methods[poll->step],
		.timeout_ms = CALL_TIMEOUT_MS,
		.poll = true,
		.done = answered,
		.arg = poll,
	};
	struct cg_buffer body;
	enum cg_status status;

	/* A batch of before a stop may still wait for its verdicts. */
	if (!poll->started || poll->call != NULL || poll->open > 0)
		return;
	cg_buffer_init(&body, 1024);
	if (poll->step == TELEGRAM_GET_UPDATES) {
		telegram_wire_write_poll(poll->offset, poll->limit, &body);
		call.body = &body;
		call.timeout_ms = POLL_TIMEOUT_MS;
		call.response_limit = POLL_RESPONSE_MAX;
		poll->asked_ms = now_ms(poll);
	}
	status = telegram_call(poll->telegram, &call, &poll->call, NULL);
	cg_buffer_finish(&body);
	if (status != CG_OK)
		back_off(poll);
}

void telegram_poll_init(struct telegram_poll *poll, struct telegram *telegram)
{
	*poll = (struct telegram_poll){.telegram = telegram, .limit = TELEGRAM_BATCH};
}

void telegram_poll_start(struct telegram_poll *poll)
{
	poll->started = true;
	poll->step = TELEGRAM_GET_ME;
	poll->failures = 0;
	if (poll->heard_ms == 0)
		poll->heard_ms = now_ms(poll);
	next_call(poll);
}

void telegram_poll_stop(struct telegram_poll *poll)
{
	const struct cg_host *host = host_of(poll);

	poll->started = false;
	host->timer_cancel(host, poll->timer);
	poll->timer = NULL;
	if (poll->call != NULL)
		host->http_cancel(host, poll->call);
	poll->call = NULL;
}
