/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way in: the signature is checked over the raw bytes before anything is parsed, then it is
 * told apart what came.  Slack waits three seconds for an answer, which needs the commit alone.
 */
#include "slack.h"

#include <cowgate/sdk/form.h>
#include <cowgate/sdk/json.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE_S 300
#define SIGNATURE_MARK "v0="
#define SIGNATURE_MARK_LENGTH 3
#define CHALLENGE_MAX 1024

void slack_refuse(struct cg_webhook_request *request, enum cg_webhook_result result,
	const char *sentence)
{
	request->answer(request, &(struct cg_webhook_answer){
					 .size = sizeof(struct cg_webhook_answer),
					 .result = result,
					 .body = sentence,
				 });
}

/* With a body it is a plain 200, which is what Slack calls an acknowledgement. */
void slack_reply(struct cg_webhook_request *request, enum slack_reply reply)
{
	slack_refuse(request, CG_WEBHOOK_ACCEPTED,
		reply == SLACK_REPLY_EVENT ? "{\"ok\":true}" : "");
}

/* ---- Signatures ---- */

static bool matches(struct cg_hmac *signer, const char *timestamp,
	const struct cg_webhook_request *request, const uint8_t given[CG_SHA256])
{
	const struct cg_hmac_part parts[] = {
		{"v0:", 3},
		{timestamp, strlen(timestamp)},
		{":", 1},
		{request->body, request->body_length},
	};
	uint8_t mac[CG_SHA256];

	cg_hmac_sign(signer, parts, sizeof(parts) / sizeof(*parts), mac);
	return cg_equal(mac, given, CG_SHA256);
}

/* Looks like Slack's headers, fresh and complete. */
static bool read_headers(const struct cg_webhook_request *request,
	const char **ret_timestamp, uint8_t ret_mac[CG_SHA256])
{
	const char *timestamp = request->header(request, "x-slack-request-timestamp");
	const char *signature = request->header(request, "x-slack-signature");
	int64_t now = request->received_at_ms / 1000, seconds;

	if (timestamp == NULL || signature == NULL || timestamp[0] == '-' ||
		!cg_parse_int(timestamp, &seconds) || seconds < now - TOLERANCE_S ||
		seconds > now + TOLERANCE_S)
		return false;
	*ret_timestamp = timestamp;
	return strlen(signature) == SIGNATURE_MARK_LENGTH + 2 * CG_SHA256 &&
	       memcmp(signature, SIGNATURE_MARK, SIGNATURE_MARK_LENGTH) == 0 &&
	       cg_unhex(signature + SIGNATURE_MARK_LENGTH, 2 * CG_SHA256, ret_mac);
}

static bool is_authentic(struct slack *slack, const struct cg_webhook_request *request)
{
	uint8_t given[CG_SHA256];
	const char *timestamp;
	bool right = false;

	if (request->body_length == 0 || !read_headers(request, &timestamp, given))
		return false;
	for (size_t i = 0; i < SLACK_SIGNERS; i++) {
		if (slack->settings.signers[i] != NULL)
			right |= matches(
				slack->settings.signers[i], timestamp, request, given);
	}
	slack_signature_seen(slack, right);
	return right;
}

/* ---- What came ---- */

static void challenge(
	struct slack *slack, struct cg_webhook_request *request, struct json_object *body)
{
	const char *text = cg_json_string(body, "challenge");
	struct cg_buffer json;

	if (text == NULL || strlen(text) > CHALLENGE_MAX) {
		slack_refuse(request, CG_WEBHOOK_BAD, "there is no challenge");
		return;
	}
	slack->host->log(slack->host, CG_LOG_INFO, "Slack has verified the request URL");
	cg_buffer_init(&json, 8 * CHALLENGE_MAX);
	cg_buffer_text(&json, "{\"challenge\":");
	cg_json_write_string(&json, text, strlen(text));
	cg_buffer_char(&json, '}');
	slack_refuse(request, CG_WEBHOOK_ACCEPTED, cg_buffer_string(&json));
	cg_buffer_finish(&json);
}

/* Takes @message and @document. */
static void judge(struct slack *slack, struct cg_webhook_request *request,
	enum slack_reply reply, enum cg_status status, struct slack_message *message,
	struct json_object *document)
{
	if (status == CG_OK) {
		slack_arrive(slack, request, reply, message, document);
		return;
	}
	if (status == CG_NOT_FOUND)
		slack_reply(request, reply);
	else if (status == CG_NOMEM)
		slack_refuse(request, CG_WEBHOOK_UNAVAILABLE, NULL);
	else
		slack_refuse(request, CG_WEBHOOK_BAD,
			"this is not what Slack sends, or it is too large");
	slack_message_finish(message);
	free(message);
	cg_json_free(document);
}

/* Takes @document. */
static void take_document(struct slack *slack, struct cg_webhook_request *request,
	struct json_object *document)
{
	const char *type = cg_json_string_or(document, "type", "");
	bool event = strcmp(type, "event_callback") == 0;
	bool press = strcmp(type, "block_actions") == 0;
	struct slack_message *message;

	if (strcmp(type, "url_verification") == 0) {
		challenge(slack, request, document);
		cg_json_free(document);
		return;
	}
	if (!event && !press) { /* shortcuts, dialogs, and what is yet to be invented */
		slack_reply(request, SLACK_REPLY_EMPTY);
		cg_json_free(document);
		return;
	}
	message = calloc(1, sizeof(*message));
	if (message == NULL) {
		slack_refuse(request, CG_WEBHOOK_UNAVAILABLE, NULL);
		cg_json_free(document);
	} else if (event) {
		judge(slack, request, SLACK_REPLY_EVENT,
			slack_wire_read_event(&slack->reader, document, message), message,
			document);
	} else {
		judge(slack, request, SLACK_REPLY_EMPTY,
			slack_wire_read_press(&slack->reader, document, message), message,
			document);
	}
}

static void take_json(struct slack *slack, struct cg_webhook_request *request,
	const char *json, size_t length)
{
	struct json_object *document = NULL;
	struct cg_error err = {.text = ""};

	switch (cg_json_parse(json, length, &document, &err)) {
	case CG_OK:
		take_document(slack, request, document);
		break;
	case CG_NOMEM:
		slack_refuse(request, CG_WEBHOOK_UNAVAILABLE, NULL);
		break;
	default:
		slack_refuse(request, CG_WEBHOOK_BAD, err.text);
	}
}

static void take_command(struct slack *slack, struct cg_webhook_request *request)
{
	struct slack_message *message = calloc(1, sizeof(*message));

	if (message == NULL) {
		slack_refuse(request, CG_WEBHOOK_UNAVAILABLE, NULL);
		return;
	}
	judge(slack, request, SLACK_REPLY_EMPTY,
		slack_wire_read_command(
			&slack->reader, request->body, request->body_length, message),
		message, NULL);
}

/* Presses are JSON in a form's field; a command is the form itself. */
static void take_form(struct slack *slack, struct cg_webhook_request *request)
{
	struct cg_buffer field;

	cg_buffer_init(&field, request->body_length);
	switch (cg_form_value(request->body, request->body_length, "payload", &field)) {
	case CG_OK:
		take_json(slack, request, cg_buffer_string(&field), field.length);
		break;
	case CG_NOT_FOUND:
		if (cg_form_value(request->body, request->body_length, "command",
			    &field) == CG_OK)
			take_command(slack, request);
		else /* ssl_check=1, and what is yet to be invented */
			slack_reply(request, SLACK_REPLY_EMPTY);
		break;
	case CG_NOMEM:
		slack_refuse(request, CG_WEBHOOK_UNAVAILABLE, NULL);
		break;
	default:
		slack_refuse(request, CG_WEBHOOK_BAD, "the form is not readable");
	}
	cg_buffer_finish(&field);
}

void slack_ingress(void *self, struct cg_webhook_request *request)
{
	struct slack *slack = self;

	/* By a wrong clock every request is stale, or none. */
	if (!slack->started || !slack->host->clock_sane(slack->host)) {
		slack_refuse(request, CG_WEBHOOK_UNAVAILABLE, NULL);
		return;
	}
	if (!is_authentic(slack, request)) {
		slack_refuse(request, CG_WEBHOOK_DENIED, NULL);
		return;
	}
	if (cg_form_is(request->header(request, "content-type")))
		take_form(slack, request);
	else
		take_json(slack, request, request->body, request->body_length);
}
