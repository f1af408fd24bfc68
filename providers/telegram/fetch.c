/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch.h"

#include "telegram.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ASK_TIMEOUT_MS 10000
#define FETCH_TIMEOUT_MS 45000 /* together less than the platform waits for a webhook */
#define PATH_MAX_IN 512

#define TOO_LARGE "is larger than the 20 MB that Telegram gives to bots"
#define UNREACHABLE "could not be fetched from Telegram"
#define INCOMPLETE "came incomplete from Telegram"
#define UNSTORED "could not be stored here"

/* First bytes by which a type that was claimed is believed. */
static const struct {
	const char *mime_type;
	size_t offset;
	const char *bytes;
} marks[] = {
	{"image/jpeg", 0, "\xFF\xD8\xFF"},
	{"image/png", 0, "\x89PNG"},
	{"image/gif", 0, "GIF8"},
	{"image/webp", 8, "WEBP"},
	{"application/pdf", 0, "%PDF"},
	{"application/zip", 0, "PK"},
	{"audio/ogg", 0, "OggS"},
	{"video/mp4", 4, "ftyp"},
};

static bool is_believable(const char *mime_type, const struct cg_download_result *result)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		size_t length = strlen(marks[i].bytes);

		if (strcmp(marks[i].mime_type, mime_type) == 0)
			return result->bytes >= marks[i].offset + length &&
			       memcmp(result->head + marks[i].offset, marks[i].bytes,
				       length) == 0;
	}
	return true;
}

static void settle(struct telegram_fetch *fetch, const char *failure)
{
	fetch->state = TELEGRAM_FETCH_DONE;
	fetch->failure = failure;
}

static void end(struct telegram_fetch *fetch, const char *failure)
{
	settle(fetch, failure);
	fetch->done(fetch->arg); /* it may be gone afterwards */
}

static const char *failure_of(const struct cg_download_result *result)
{
	switch (result->status) {
	case CG_OK:
		return NULL;
	case CG_LIMIT:
		return TOO_LARGE;
	case CG_FULL:
	case CG_IO:
		return UNSTORED;
	default:
		return UNREACHABLE;
	}
}

static void fetched(void *arg, const struct cg_download_result *result)
{
	struct telegram_fetch *fetch = arg;
	const char *failure = failure_of(result);

	fetch->download = NULL;
	if (failure == NULL) {
		cg_text_copy(fetch->path, sizeof(fetch->path), result->path);
		if (fetch->bytes >= 0 && (uint64_t)fetch->bytes != result->bytes)
			failure = INCOMPLETE;
		fetch->bytes = (int64_t)result->bytes;
		if (fetch->mime_type != NULL && !is_believable(fetch->mime_type, result))
			fetch->mime_type = "application/octet-stream";
	}
	if (failure != NULL && fetch->path[0] != '\0') {
		unlink(fetch->path);
		fetch->path[0] = '\0';
	}
	end(fetch, failure);
}

/* Below the files' URL; false: it would lead elsewhere. */
static bool append_path(char *url, size_t size, const char *path)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";
	size_t at = strlen(url);

	if (cg_text_blank(path) || path[0] == '/' || strstr(path, "..") != NULL ||
		strlen(path) > PATH_MAX_IN)
		return false;
	for (; *path != '\0'; path++) {
		if (size - at < 4)
			return false;
		if (strchr(plain, *path) != NULL)
			url[at++] = *path;
		else
			at += (size_t)snprintf(
				url + at, size - at, "%%%02X", (unsigned char)*path);
	}
	url[at] = '\0';
	return true;
}

/* NULL: it runs; else why not. */
static const char *start_download(struct telegram_fetch *fetch, const char *path)
{
	struct telegram *telegram = fetch->telegram;
	char url[CG_SECRET_MAX + 3 * PATH_MAX_IN + 8];
	struct cg_http_request request;
	enum cg_status status = CG_INVALID;

	snprintf(url, sizeof(url), "%s", telegram->settings.files.bytes);
	telegram_request_init(telegram, &request);
	request.flags |= CG_HTTP_IDEMPOTENT;
	request.method = "GET";
	request.url = url;
	request.timeout_ms = FETCH_TIMEOUT_MS;
	if (append_path(url, sizeof(url), path))
		status = cg_download_start(&telegram->downloads, &request,
			TELEGRAM_FILE_IN, fetched, fetch, &fetch->download, NULL);
	cg_wipe(url, sizeof(url));
	if (status == CG_OK)
		return NULL;
	return status == CG_FULL || status == CG_IO ? UNSTORED : UNREACHABLE;
}

static void asked(void *arg, const struct cg_http_response *response)
{
	struct telegram_fetch *fetch = arg;
	const char *failure = UNREACHABLE;
	struct telegram_answer answer;

	fetch->call = NULL;
	if (response->result != CG_HTTP_DONE) {
		end(fetch, failure);
		return;
	}
	telegram_answer_init(&answer, response);
	if (answer.ok) {
		fetch->bytes = cg_json_int(answer.result, "file_size", fetch->bytes);
		if (fetch->bytes > TELEGRAM_FILE_IN)
			failure = TOO_LARGE;
		else
			failure = start_download(
				fetch, cg_json_string(answer.result, "file_path"));
	} else if (telegram_answer_says(&answer, "file is too big")) {
		failure = TOO_LARGE;
	}
	telegram_answer_finish(&answer);
	if (failure != NULL)
		end(fetch, failure);
}

void telegram_fetch_init(struct telegram_fetch *fetch, struct telegram *telegram,
	const struct telegram_message *message, void (*done)(void *arg), void *arg)
{
	*fetch = (struct telegram_fetch){
		.telegram = telegram,
		.done = done,
		.arg = arg,
		.file_id = message->attachment.file_id,
		.mime_type = message->attachment.mime_type,
		.bytes = message->attachment.bytes,
	};
	cg_text_copy(fetch->filename, sizeof(fetch->filename), message->filename);
}

void telegram_fetch_start(struct telegram_fetch *fetch)
{
	struct telegram_call call = {
		.method = "getFile",
		.timeout_ms = ASK_TIMEOUT_MS,
		.idempotent = true,
		.done = asked,
		.arg = fetch,
	};
	struct cg_buffer body;

	if (fetch->bytes > TELEGRAM_FILE_IN) {
		settle(fetch, TOO_LARGE);
		return;
	}
	fetch->state = TELEGRAM_FETCH_RUNNING;
	cg_buffer_init(&body, 4096);
	telegram_wire_write_one("file_id", fetch->file_id, &body);
	call.body = &body;
	if (cg_buffer_status(&body) != CG_OK ||
		telegram_call(fetch->telegram, &call, &fetch->call, NULL) != CG_OK)
		settle(fetch, UNREACHABLE);
	cg_buffer_finish(&body);
}

void telegram_fetch_keep(struct telegram_fetch *fetch)
{
	fetch->path[0] = '\0';
}

void telegram_fetch_finish(struct telegram_fetch *fetch)
{
	if (fetch->call != NULL)
		fetch->telegram->host->http_cancel(fetch->telegram->host, fetch->call);
	cg_download_cancel(fetch->download);
	if (fetch->path[0] != '\0')
		unlink(fetch->path);
	fetch->call = NULL;
	fetch->download = NULL;
	fetch->path[0] = '\0';
}
