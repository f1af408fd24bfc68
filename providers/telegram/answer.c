/* SPDX-License-Identifier: Apache-2.0 */
/* What the Bot API's answers mean. */
#include "wire.h"

#include <cowgate/sdk/json.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/*
 * Differences that exist as text alone: the code is 400 for all of them.  Compared in lower case,
 * anywhere in the description.
 */
static const struct {
	const char *words;
	enum text_meaning {
		MEANING_NONE,
		MEANING_DONE, /* it shows what it should show */
		MEANING_FORMATTING, /* the same text without formatting would do */
		MEANING_PHOTO, /* the same image as a document would do */
		MEANING_CHAT, /* nothing reaches this chat */
		MEANING_METHOD, /* this server does not know the method */
	} meaning;
} meanings[] = {
	{"message is not modified", MEANING_DONE},
	/* "can't parse entities", "ENTITY_BOUNDS_INVALID" */
	{"entit", MEANING_FORMATTING},
	/* "PHOTO_INVALID_DIMENSIONS", "PHOTO_EXT_INVALID", "IMAGE_PROCESS_FAILED" */
	{"photo_", MEANING_PHOTO},
	{"image_", MEANING_PHOTO},
	{"photo has", MEANING_PHOTO},
	{"chat not found", MEANING_CHAT},
	{"bot was kicked", MEANING_CHAT},
	{"bot is not a member", MEANING_CHAT},
	{"need administrator rights", MEANING_CHAT},
	{"not enough rights to send", MEANING_CHAT},
	{"no rights to send", MEANING_CHAT},
	{"chat_write_forbidden", MEANING_CHAT},
	{"user is deactivated", MEANING_CHAT},
	{"group chat was", MEANING_CHAT}, /* "... deactivated", "... upgraded" */
	{"peer_id_invalid", MEANING_CHAT},
	{"method not found", MEANING_METHOD},
};

static bool holds(const char *text, const char *words)
{
	size_t length = strlen(words);

	for (; strlen(text) >= length; text++) {
		if (strncasecmp(text, words, length) == 0)
			return true;
	}
	return false;
}

static enum text_meaning meaning_of(const char *description)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++) {
		if (holds(description, meanings[i].words))
			return meanings[i].meaning;
	}
	return MEANING_NONE;
}

void telegram_answer_init(
	struct telegram_answer *ret, const struct cg_http_response *response)
{
	struct json_object *document = NULL, *parameters;
	int64_t seconds;

	*ret = (struct telegram_answer){
		.code = response->status,
		.description = "",
		.retry_after_ms = response->retry_after_ms,
	};
	ret->status = cg_json_parse(response->body, response->length, &document, NULL);
	if (ret->status != CG_OK)
		return;
	if (!cg_json_has(document, "ok")) {
		cg_json_free(document);
		ret->status = CG_PROTOCOL;
		return;
	}
	ret->document = document;
	ret->ok = cg_json_bool(document, "ok", false);
	ret->result = ret->ok ? cg_json_member(document, "result") : NULL;
	if (ret->ok)
		return;
	ret->code = (int)cg_json_int(document, "error_code", response->status);
	ret->description = cg_json_string_or(document, "description", "");
	parameters = cg_json_object(document, "parameters");
	telegram_wire_read_id(parameters, "migrate_to_chat_id", ret->moved_to);
	seconds = cg_json_int(parameters, "retry_after", -1);
	if (seconds >= 0 && seconds <= 86400)
		ret->retry_after_ms = seconds * 1000;
}

bool telegram_answer_says(const struct telegram_answer *answer, const char *words)
{
	return holds(answer->description, words);
}

void telegram_answer_finish(struct telegram_answer *answer)
{
	cg_json_free(answer->document);
	answer->document = NULL;
}

static void judge_ok(const struct telegram_answer *answer,
	const struct cg_outbound *outbound, struct telegram_verdict *ret)
{
	int64_t id = cg_json_int(answer->result, "message_id", 0);

	ret->outcome.class = CG_OUTCOME_SENT;
	if (id != 0)
		snprintf(ret->message_id, sizeof(ret->message_id), "%" PRId64, id);
	else if (outbound->kind == CG_OUTBOUND_EDIT)
		cg_text_copy(ret->message_id, sizeof(ret->message_id),
			outbound->target.message_id);
	if (ret->message_id[0] != '\0')
		ret->outcome.message_id = ret->message_id;
}

static void judge_bad_request(const struct telegram_answer *answer,
	const struct cg_outbound *outbound, struct telegram_verdict *ret)
{
	enum text_meaning meaning = meaning_of(answer->description);

	ret->outcome.class = CG_OUTCOME_REFUSED;
	ret->outcome.scope = meaning == MEANING_CHAT || answer->moved_to[0] != '\0'
				     ? CG_SCOPE_CHAT
				     : CG_SCOPE_MESSAGE;
	if (meaning == MEANING_DONE && outbound->kind == CG_OUTBOUND_EDIT)
		judge_ok(answer, outbound, ret);
	ret->plainer = (meaning == MEANING_FORMATTING && outbound->span_count > 0) ||
		       (meaning == MEANING_PHOTO && outbound->kind == CG_OUTBOUND_FILE);
}

/*
 * A refusal that is not the Bot API's comes from something on the way, which did not let the call
 * through: a proxy that wants a password, a page to sign in at.  It says nothing about the token
 * or the message, unless that was too large for it.
 */
static bool is_turned_away(const struct telegram_answer *answer)
{
	return answer->document == NULL && answer->code >= 300 && answer->code <= 499 &&
	       answer->code != 413 && answer->code != 429;
}

void telegram_answer_judge(const struct telegram_answer *answer,
	const struct cg_outbound *outbound, struct telegram_verdict *ret)
{
	struct cg_outcome *outcome = &ret->outcome;

	*ret = (struct telegram_verdict){
		.outcome = {.size = sizeof(ret->outcome),
			.scope = CG_SCOPE_MESSAGE,
			.retry_after_ms = answer->retry_after_ms,
			.platform_status = answer->code,
			.detail = answer->description[0] == '\0' ? NULL
								 : answer->description},
	};
	if (answer->ok) {
		judge_ok(answer, outbound, ret);
	} else if (is_turned_away(answer)) {
		outcome->class = CG_OUTCOME_NOT_DISPATCHED;
		outcome->scope = CG_SCOPE_DESTINATION;
	} else if (answer->code == 429) {
		outcome->class = CG_OUTCOME_RATE_LIMITED;
		outcome->scope = CG_SCOPE_CHAT;
	} else if (answer->code == 404 &&
		   meaning_of(answer->description) == MEANING_METHOD) {
		outcome->class = CG_OUTCOME_REFUSED; /* a Bot API server of old */
	} else if (answer->code == 401 || answer->code == 404) {
		outcome->class = CG_OUTCOME_REFUSED;
		outcome->scope = CG_SCOPE_ACCOUNT; /* there is no such bot, or no more */
	} else if (answer->code == 403) {
		outcome->class = CG_OUTCOME_REFUSED;
		outcome->scope = CG_SCOPE_CHAT;
	} else if (answer->code == 400) {
		judge_bad_request(answer, outbound, ret);
	} else if (answer->code >= 300 && answer->code <= 499) {
		outcome->class = CG_OUTCOME_REFUSED;
	} else {
		/* A 5xx, or a 200 that is not the Bot API's: it may have been sent. */
		outcome->class = CG_OUTCOME_AMBIGUOUS;
		outcome->scope = CG_SCOPE_DESTINATION;
	}
}
