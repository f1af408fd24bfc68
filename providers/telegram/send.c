/* SPDX-License-Identifier: Apache-2.0 */
/* Sends: one call each, and once more in another form where the platform has said a clear no. */
#include "chats.h"
#include "telegram.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <stdio.h>
#include <string.h>

#define BODY_MAX (1u << 18)
#define SEND_TIMEOUT_MS 30000
#define LIMITED_TOGETHER_MS 3000 /* two chats limited in this time: it is the account */
#define BOUNDARY_BYTES 12

/* What send->mark holds: how a send has changed on its way. */
enum {
	PLAIN = 1u << 0,
	MOVED = 1u << 1,
};

static void answered(void *arg, const struct cg_http_response *response);

static void make_boundary(
	const struct telegram *telegram, char ret[2 * BOUNDARY_BYTES + 1])
{
	uint8_t bytes[BOUNDARY_BYTES];

	telegram->host->random(telegram->host, bytes, sizeof(bytes));
	cg_hex(bytes, sizeof(bytes), ret);
}

/* On failure nothing was started.  @chat_id NULL: look up where the chat is now. */
static enum cg_status call_for(
	struct cg_send *send, const char *chat_id, struct cg_error *err)
{
	struct telegram *telegram = send->sends->owner;
	const struct cg_outbound *outbound = send->outbound;
	char room[TELEGRAM_NUMBER], boundary[2 * BOUNDARY_BYTES + 1], type[96];
	struct telegram_form form = {
		.chat_id = chat_id,
		.plain = (send->mark & PLAIN) != 0,
		.boundary = boundary,
	};
	struct telegram_written written = {.method = NULL};
	struct telegram_call call = {
		.timeout_ms =
			outbound->timeout_ms > 0 ? outbound->timeout_ms : SEND_TIMEOUT_MS,
		.body = &written.body,
		.done = answered,
		.arg = send,
	};
	enum cg_status status;

	if (form.chat_id == NULL && outbound->target.chat_id != NULL)
		form.chat_id = telegram_chats_now(
			telegram->host, outbound->target.chat_id, room);
	make_boundary(telegram, boundary);
	cg_buffer_init(&written.body, BODY_MAX);
	cg_buffer_init(&written.tail, BODY_MAX);
	status = telegram_wire_write(outbound, &form, &written, err);
	call.method = written.method;
	if (outbound->kind == CG_OUTBOUND_FILE && status == CG_OK) {
		snprintf(
			type, sizeof(type), "multipart/form-data; boundary=%s", boundary);
		call.content_type = type;
		call.file = outbound->file->path;
		call.tail = &written.tail;
	}
	if (status == CG_OK)
		status = telegram_call(telegram, &call, &send->call, err);
	cg_buffer_finish(&written.body);
	cg_buffer_finish(&written.tail);
	return status;
}

/* The description, unless it repeats the token. */
static const char *safe_detail(
	const struct telegram *telegram, const char *detail, char *room, size_t size)
{
	if (detail == NULL || strstr(detail, telegram->settings.token.bytes) != NULL)
		return NULL;
	cg_text_copy(room, size, detail);
	return room;
}

/* The platform does not say whose limit it was: two chats at about the same time are no accident. */
static enum cg_outcome_scope scope_of_limit(
	struct telegram *telegram, const struct cg_outbound *outbound)
{
	int64_t now = telegram->host->mono_ms(telegram->host);
	const char *chat = outbound->target.chat_id;
	bool account;

	if (outbound->kind == CG_OUTBOUND_ANSWER || chat == NULL)
		return CG_SCOPE_ACCOUNT;
	account = telegram->limited.chat[0] != '\0' &&
		  now - telegram->limited.at_ms <= LIMITED_TOGETHER_MS &&
		  strcmp(telegram->limited.chat, chat) != 0;
	cg_text_copy(telegram->limited.chat, sizeof(telegram->limited.chat), chat);
	telegram->limited.at_ms = now;
	return account ? CG_SCOPE_ACCOUNT : CG_SCOPE_CHAT;
}

/*
 * A definite no, so nothing was sent and another form is no repeat.  True: it is under way.
 * An edit does not follow its chat: over there the number is another message's.
 */
static bool try_otherwise(struct cg_send *send, const struct telegram_answer *answer,
	const struct telegram_verdict *verdict, bool *ret_failed)
{
	struct telegram *telegram = send->sends->owner;
	const struct cg_outbound *outbound = send->outbound;
	const char *chat = NULL;

	*ret_failed = false;
	if (answer->moved_to[0] != '\0' && (send->mark & MOVED) == 0) {
		telegram_chats_move(telegram->host, outbound->target.chat_id,
			answer->moved_to, NULL, NULL);
		if (outbound->kind == CG_OUTBOUND_EDIT ||
			outbound->kind == CG_OUTBOUND_REACTION)
			return false;
		send->mark |= MOVED;
		chat = answer->moved_to;
	} else if (verdict->plainer && (send->mark & PLAIN) == 0) {
		send->mark |= PLAIN;
	} else {
		return false;
	}
	send->call = NULL;
	*ret_failed = call_for(send, chat, NULL) != CG_OK;
	return !*ret_failed;
}

static void answered_whole(struct cg_send *send, const struct cg_http_response *response)
{
	struct telegram *telegram = send->sends->owner;
	struct telegram_verdict verdict;
	struct telegram_answer answer;
	char detail[CG_ERROR_TEXT];
	bool failed;

	telegram_answer_init(&answer, response);
	telegram_answer_judge(&answer, send->outbound, &verdict);
	if (try_otherwise(send, &answer, &verdict, &failed)) {
		telegram_answer_finish(&answer);
		return;
	}
	if (failed)
		verdict.outcome.class = CG_OUTCOME_NOT_DISPATCHED;
	if (answer.moved_to[0] != '\0' && !failed)
		verdict.outcome.scope = CG_SCOPE_MESSAGE; /* the chat itself goes on */
	if (verdict.outcome.class == CG_OUTCOME_RATE_LIMITED)
		verdict.outcome.scope = scope_of_limit(telegram, send->outbound);
	verdict.outcome.detail =
		safe_detail(telegram, verdict.outcome.detail, detail, sizeof(detail));
	if (verdict.outcome.class == CG_OUTCOME_REFUSED &&
		verdict.outcome.scope == CG_SCOPE_ACCOUNT)
		telegram_health(telegram, telegram->inbound, CG_HEALTH_REFUSED,
			"Telegram does not know this bot's token");
	cg_send_end(send, &verdict.outcome);
	telegram_answer_finish(&answer);
}

static void answered(void *arg, const struct cg_http_response *response)
{
	struct cg_send *send = arg;
	struct cg_outcome outcome;

	if (response->result == CG_HTTP_DONE) {
		answered_whole(send, response);
		return;
	}
	cg_outcome_of_http(response, &outcome);
	cg_send_end(send, &outcome);
}

void telegram_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	struct telegram *telegram = self;
	struct cg_send *send = cg_send_open(&telegram->sends, outbound, done, arg);
	struct cg_error err = {.text = ""};
	enum cg_status status = call_for(send, NULL, &err);

	if (status == CG_INVALID || status == CG_UNSUPPORTED)
		cg_send_refuse(send, err.text);
	else if (status != CG_OK)
		cg_send_end_later(
			send, &(struct cg_outcome){.size = sizeof(struct cg_outcome),
				      .class = CG_OUTCOME_NOT_DISPATCHED,
				      .retry_after_ms = -1,
				      .detail = err.text});
}
