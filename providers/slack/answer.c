/* SPDX-License-Identifier: Apache-2.0 */
/* What the Web API's answers mean. */
#include "wire.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/send.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *code;
	enum cg_outcome_class class;
	enum cg_outcome_scope scope;
} errors[] = {
#define SLACK_ERROR(code, class, scope) {code, CG_OUTCOME_##class, CG_SCOPE_##scope},
#include "errors.def"
#undef SLACK_ERROR
};

/* The same text without blocks would do. */
static const char *const dress_errors[] = {
	"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"};

/* Codes are words; anything else could be our own secrets, sent back. */
static const char *word_of(struct json_object *document, const char *key)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_:,.-";
	const char *word = cg_json_string_or(document, key, "");

	return strlen(word) <= 64 && strspn(word, allowed) == strlen(word) &&
			       strncmp(word, "xox", 3) != 0
		       ? word
		       : "";
}

void slack_answer_init(struct slack_answer *ret, const struct cg_http_response *response)
{
	struct json_object *document = NULL;

	*ret = (struct slack_answer){.error = "", .needed = ""};
	ret->status =
		response->result == CG_HTTP_DONE
			? cg_json_parse(response->body, response->length, &document, NULL)
			: CG_NETWORK;
	if (ret->status != CG_OK)
		return;
	if (!cg_json_has(document, "ok")) {
		cg_json_free(document);
		ret->status = CG_PROTOCOL;
		return;
	}
	ret->document = document;
	ret->ok = cg_json_bool(document, "ok", false);
	if (ret->ok)
		return;
	ret->error = word_of(document, "error");
	ret->needed = word_of(document, "needed");
}

void slack_answer_finish(struct slack_answer *answer)
{
	cg_json_free(answer->document);
	answer->document = NULL;
}

static void judge_ok(const struct slack_answer *answer,
	const struct cg_outbound *outbound, struct cg_outcome *outcome)
{
	const char *ts = cg_json_string(answer->document, "ts");

	outcome->class = CG_OUTCOME_SENT;
	outcome->scope = CG_SCOPE_MESSAGE;
	if (ts != NULL && ts[0] != '\0')
		outcome->message_id = ts;
	else if (outbound->kind == CG_OUTBOUND_EDIT)
		outcome->message_id = outbound->target.message_id;
}

/* A scope that only files, marks or whispers need says nothing about messages. */
static bool is_side_matter(const struct cg_outbound *outbound)
{
	return outbound->kind == CG_OUTBOUND_FILE ||
	       outbound->kind == CG_OUTBOUND_REACTION ||
	       outbound->kind == CG_OUTBOUND_ANSWER;
}

static void judge_error(const struct slack_answer *answer,
	const struct cg_outbound *outbound, struct slack_verdict *ret)
{
	struct cg_outcome *outcome = &ret->outcome;

	outcome->class = CG_OUTCOME_REFUSED;
	outcome->scope = CG_SCOPE_MESSAGE;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		if (strcmp(answer->error, errors[i].code) == 0) {
			outcome->class = errors[i].class;
			outcome->scope = errors[i].scope;
		}
	}
	if (strcmp(answer->error, "missing_scope") == 0 && is_side_matter(outbound))
		outcome->scope = CG_SCOPE_MESSAGE;
	/* Edits are counted over all channels together. */
	if (outcome->class == CG_OUTCOME_RATE_LIMITED &&
		outbound->kind != CG_OUTBOUND_TEXT &&
		outbound->kind != CG_OUTBOUND_BUTTONS)
		outcome->scope = CG_SCOPE_DESTINATION;
	for (size_t i = 0; i < sizeof(dress_errors) / sizeof(*dress_errors); i++)
		ret->undressed |= strcmp(answer->error, dress_errors[i]) == 0;
	snprintf(ret->detail, sizeof(ret->detail), "%s%s%s%s", answer->error,
		answer->needed[0] == '\0' ? "" : " (needs ", answer->needed,
		answer->needed[0] == '\0' ? "" : ")");
	outcome->detail = ret->detail[0] == '\0' ? NULL : ret->detail;
}

/*
 * A page that is not Slack's.  With a 2xx nobody knows; otherwise something on the way did not let
 * the call through, which says nothing about the token or the message, unless that was too large.
 */
static void judge_page(int status, struct cg_outcome *outcome)
{
	if (status == 413)
		return;
	outcome->class = status < 300 ? CG_OUTCOME_AMBIGUOUS : CG_OUTCOME_NOT_DISPATCHED;
	outcome->scope = CG_SCOPE_DESTINATION;
}

void slack_answer_judge(const struct slack_answer *answer,
	const struct cg_http_response *response, const struct cg_outbound *outbound,
	struct slack_verdict *ret)
{
	*ret = (struct slack_verdict){.undressed = false};
	cg_outcome_of_http(response, &ret->outcome);
	if (response->result != CG_HTTP_DONE)
		return;
	if (response->status == 429) {
		ret->outcome.scope = outbound->kind == CG_OUTBOUND_TEXT ||
						     outbound->kind == CG_OUTBOUND_BUTTONS
					     ? CG_SCOPE_CHAT
					     : CG_SCOPE_DESTINATION;
	} else if (response->status >= 500) {
		return; /* it may have been sent, whatever the body says */
	} else if (answer->document == NULL) {
		judge_page(response->status, &ret->outcome);
	} else if (answer->ok) {
		judge_ok(answer, outbound, &ret->outcome);
	} else {
		judge_error(answer, outbound, ret);
	}
}
