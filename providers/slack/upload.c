/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files out: Slack names a place, the bytes go there, and a last call shows the file in the
 * conversation.  Nobody sees anything before that, so whatever fails earlier may be repeated.
 *
 * The send's own message id holds the file's until the end: it is its receipt.
 */
#include "slack.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BODY_MAX 8192
#define UPLOAD_ANSWER_MAX 4096

/* Nothing is to be seen yet: what was not refused did not happen. */
static void end_unseen(struct cg_send *send, const struct slack_answer *answer,
	struct slack_verdict *verdict)
{
	if (verdict->outcome.class == CG_OUTCOME_AMBIGUOUS)
		verdict->outcome.class = CG_OUTCOME_NOT_DISPATCHED;
	slack_conclude(send, answer, verdict);
}

static void end_protocol(struct cg_send *send, const char *detail)
{
	cg_send_end(send, &(struct cg_outcome){.size = sizeof(struct cg_outcome),
				  .class = CG_OUTCOME_NOT_DISPATCHED,
				  .scope = CG_SCOPE_DESTINATION,
				  .retry_after_ms = -1,
				  .detail = detail});
}

/* ---- Third: show it ---- */

static void shown(void *arg, const struct cg_http_response *response)
{
	struct cg_send *send = arg;
	struct slack_verdict verdict;
	struct slack_answer answer;

	send->call = NULL;
	slack_answer_init(&answer, response);
	slack_answer_judge(&answer, response, send->outbound, &verdict);
	if (verdict.outcome.class == CG_OUTCOME_SENT)
		verdict.outcome.message_id = send->message_id;
	slack_conclude(send, &answer, &verdict);
	slack_answer_finish(&answer);
}

static void write_completion(const struct cg_send *send, struct cg_buffer *json)
{
	const struct cg_outbound *outbound = send->outbound;
	const struct cg_target *target = &outbound->target;
	struct cg_buffer escaped;

	cg_buffer_text(json, "{\"files\":[{\"id\":");
	cg_json_write_string(json, send->message_id, strlen(send->message_id));
	cg_buffer_text(json, ",\"title\":");
	cg_json_write_string(
		json, outbound->file->filename, strlen(outbound->file->filename));
	cg_buffer_text(json, "}],\"channel_id\":");
	cg_json_write_string(json, target->chat_id, strlen(target->chat_id));
	if (target->thread_id != NULL &&
		strcmp(target->thread_id, target->chat_id) != 0) {
		cg_buffer_text(json, ",\"thread_ts\":");
		cg_json_write_string(json, target->thread_id, strlen(target->thread_id));
	}
	if (!cg_text_blank(outbound->text)) {
		cg_buffer_init(&escaped, BODY_MAX);
		slack_escape(&escaped, outbound->text,
			slack_escaped_prefix(
				outbound->text, outbound->text_length, BODY_MAX / 2));
		cg_buffer_text(json, ",\"initial_comment\":");
		cg_json_write_string(json, cg_buffer_string(&escaped), escaped.length);
		cg_buffer_finish(&escaped);
	}
	cg_buffer_char(json, '}');
}

static enum cg_status show(struct cg_send *send)
{
	struct slack_call call = {
		.method = "files.completeUploadExternal",
		.type = SLACK_JSON,
		.timeout_ms = slack_mark_left_ms(send),
		.done = shown,
		.arg = send,
	};
	struct cg_buffer body;
	enum cg_status status;

	cg_buffer_init(&body, 4 * BODY_MAX);
	write_completion(send, &body);
	call.body = &body;
	status = cg_buffer_status(&body);
	if (status == CG_OK)
		status = slack_call(send->sends->owner, &call, &send->call, NULL);
	cg_buffer_finish(&body);
	return status;
}

/* ---- Second: the bytes ---- */

static void uploaded(void *arg, const struct cg_http_response *response)
{
	static const struct slack_answer none = {.error = "", .needed = ""};
	struct cg_send *send = arg;
	struct slack_verdict verdict = {.undressed = false};

	send->call = NULL;
	cg_outcome_of_http(response, &verdict.outcome);
	if (verdict.outcome.class != CG_OUTCOME_SENT)
		end_unseen(send, &none, &verdict);
	else if (show(send) != CG_OK)
		end_protocol(send, "the upload could not be completed");
}

/* The place is secret for as long as it can be used, and needs no token. */
static enum cg_status put_bytes(struct cg_send *send, const char *url)
{
	static const struct cg_http_header headers[] = {
		{"content-type", "application/octet-stream"}};
	const struct slack *slack = send->sends->owner;
	struct cg_http_request request = {
		.flags = CG_HTTP_SECRET_URL,
		.method = "POST",
		.url = url,
		.headers = headers,
		.header_count = 1,
		.body_file = send->outbound->file->path,
		.timeout_ms = slack_mark_left_ms(send),
		.response_limit = UPLOAD_ANSWER_MAX,
		.on_done = uploaded,
		.arg = send,
	};

	if (!slack_settings_trust(&slack->settings, url))
		return CG_DENIED;
	slack_route(slack, &request);
	return slack->host->http_start(slack->host, &request, &send->call, NULL);
}

/* ---- First: a place ---- */

static void placed(void *arg, const struct cg_http_response *response)
{
	struct cg_send *send = arg;
	struct slack_verdict verdict;
	struct slack_answer answer;
	const char *url, *file;

	send->call = NULL;
	slack_answer_init(&answer, response);
	slack_answer_judge(&answer, response, send->outbound, &verdict);
	url = cg_json_string(answer.document, "upload_url");
	file = cg_json_string(answer.document, "file_id");
	if (verdict.outcome.class != CG_OUTCOME_SENT) {
		end_unseen(send, &answer, &verdict);
	} else if (url == NULL || cg_text_blank(file) ||
		   strlen(file) >= sizeof(send->message_id)) {
		end_protocol(send, "Slack named no place for the file");
	} else {
		cg_text_copy(send->message_id, sizeof(send->message_id), file);
		if (put_bytes(send, url) != CG_OK)
			end_protocol(send, "the file could not be sent to where Slack "
					   "wants it");
	}
	slack_answer_finish(&answer);
}

static enum cg_status check(const struct cg_outbound *outbound, struct cg_error *err)
{
	const struct cg_file *file = outbound->file;

	if (file == NULL || cg_text_blank(file->filename) || file->path == NULL)
		return cg_error_set(err, CG_INVALID, "there is no file to send");
	if (cg_text_blank(outbound->target.chat_id))
		return cg_error_set(err, CG_INVALID, "the conversation is not named");
	if (strlen(file->filename) > 255)
		return cg_error_set(err, CG_INVALID, "the file's name is too long");
	if (file->bytes == 0)
		return cg_error_set(err, CG_INVALID, "Slack takes no empty files");
	if (file->bytes > slack_capabilities.max_file)
		return cg_error_set(err, CG_INVALID, "the file is larger than 20 MiB");
	return CG_OK;
}

void slack_upload(struct cg_send *send)
{
	const struct cg_outbound *outbound = send->outbound;
	struct slack_call call = {
		.method = "files.getUploadURLExternal",
		.type = SLACK_FORM,
		.timeout_ms = slack_mark_left_ms(send),
		.done = placed,
		.arg = send,
	};
	struct cg_error err = {.text = ""};
	enum cg_status status = check(outbound, &err);
	struct cg_buffer form;
	char length[24];

	cg_buffer_init(&form, BODY_MAX);
	if (status == CG_OK) {
		snprintf(length, sizeof(length), "%" PRIu64, outbound->file->bytes);
		slack_form_add(&form, "filename", outbound->file->filename);
		slack_form_add(&form, "length", length);
		call.body = &form;
		status = cg_buffer_status(&form);
	}
	if (status == CG_OK)
		status = slack_call(send->sends->owner, &call, &send->call, &err);
	if (status != CG_OK)
		slack_not_begun(send, status, err.text);
	cg_buffer_finish(&form);
}
