/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that the agent made: fetched, then stored as an obligation.  While it is fetched the
 * stream has no credit, so that files and texts keep their order.  A Cloud sends the bytes in its
 * answer; our own plane tells where they lie.
 */
#include "gateway/conversation/artifact_file.h"
#include "gateway/conversation/card.h"
#include "gateway/conversation/stream_inside.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARTIFACT_TRIES 8 /* that were answered, before a file is given up */

static const char *artifact_id(struct json_object *payload)
{
	static const char *const keys[] = {"artifactId", "cloudArtifactId", "id"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *id = cg_json_string(payload, keys[i]);

		if (!cg_text_blank(id))
			return id;
	}
	return NULL;
}

static void forget_artifact(struct stream *stream)
{
	free(stream->artifact_id);
	free(stream->artifact_name);
	stream->artifact_id = NULL;
	stream->artifact_name = NULL;
	stream->failures = 0;
}

/* Say what cannot be sent, by its name. */
static void add_sentence(struct stream *stream, const char *id, enum words why)
{
	struct cg_buffer text;

	cg_buffer_init(&text, 1024);
	cg_buffer_text(&text, "📎 ");
	card_add_plain(&text, stream->artifact_name, 200);
	cg_buffer_text(&text, ": ");
	cg_buffer_text(&text, words_text(why));
	stream_add_text(stream, id, "", cg_buffer_string(&text), OUTBOX_NOTICE);
	cg_buffer_finish(&text);
}

static uint64_t largest(const struct stream *stream)
{
	const struct outlet *outlet = stream->conversation->parts.outlet;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};

	outlet->capabilities(outlet->self, stream->route.instance, &capabilities);
	return capabilities.max_file;
}

/* Need it not even be asked for?  @ret_why then says why. */
static bool is_hopeless(const struct stream *stream, enum words *ret_why)
{
	uint64_t limit = largest(stream);

	*ret_why = limit == 0 ? WORDS_NO_FILES : WORDS_FILE_TOO_LARGE;
	if (limit > CLOUD_ARTIFACT_BYTES && !stream->conversation->can_path)
		limit = CLOUD_ARTIFACT_BYTES;
	return limit == 0 ||
	       (stream->artifact_bytes > 0 && (uint64_t)stream->artifact_bytes > limit);
}

/* One of the few that are on their way at a time.  False: not yet. */
static bool take_place(struct stream *stream)
{
	if (stream->conversation->can_path || stream->has_place)
		return true;
	if (stream->conversation->fetching == ARTIFACT_FILES)
		return false;
	stream->conversation->fetching++;
	stream->has_place = true;
	return true;
}

static void leave_place(struct stream *stream)
{
	stream->conversation->fetching -= stream->has_place;
	stream->has_place = false;
}

/* The file at @path, or the sentence about it when there is none, is stored with the cursor. */
static void conclude(
	struct stream *stream, const char *path, const char *mime, enum words why)
{
	struct cg_file file = {
		.filename = stream->artifact_name, .mime_type = mime, .path = path};
	char id[300], delivery_id[DRAFT_ID_MAX];
	struct stat info;

	snprintf(id, sizeof(id), "%s:%lld", stream->artifact_id,
		(long long)stream->artifact_sequence);
	if (path != NULL && stat(path, &info) != 0) {
		path = NULL;
		why = WORDS_FILE_GONE;
	} else if (path != NULL && (uint64_t)info.st_size > largest(stream)) {
		path = NULL;
		why = WORDS_FILE_TOO_LARGE;
	}
	if (path == NULL) {
		add_sentence(stream, id, why);
	} else {
		file.bytes = (uint64_t)info.st_size;
		stream_make_id(stream, id, "", delivery_id);
		drafts_add_file(
			&stream->drafts, &stream->route, delivery_id, &file, NULL);
	}
	leave_place(stream);
	forget_artifact(stream);
	stream_store(stream);
}

static void saved(void *arg, enum cg_status status, const char *path, uint64_t bytes)
{
	struct stream *stream = arg;

	(void)bytes;
	stream->saving = NULL;
	if (status == CG_OK) {
		conclude(stream, path, stream->artifact_mime, WORDS_FILE_GONE);
	} else if (status != CG_INVALID && ++stream->artifact_tries < ARTIFACT_TRIES) {
		leave_place(stream);
		stream_retry_later(stream, 0); /* the disk, which others complain of */
	} else {
		conclude(stream, NULL, NULL, WORDS_FILE_GONE);
	}
}

/* Without an answer the Cloud is away, and nothing else of the session comes either. */
static bool is_worth_waiting(struct stream *stream, const struct cloud_result *result)
{
	if (result->error == CLOUD_UNAUTHORIZED || result->error == CLOUD_RATE_LIMITED)
		return true;
	if (!result->retryable)
		return false;
	return result->http_status == 0 || ++stream->artifact_tries < ARTIFACT_TRIES;
}

static void fetched(void *arg, const struct cloud_result *result,
	const struct cloud_artifact *artifact)
{
	struct stream *stream = arg;

	stream->fetch = NULL;
	if (result->error == CLOUD_TOO_LARGE) {
		conclude(stream, NULL, NULL, WORDS_FILE_TOO_LARGE);
	} else if (result->error != CLOUD_OK && is_worth_waiting(stream, result)) {
		leave_place(stream);
		stream_retry_later(stream, result->retry_after_ms);
	} else if (result->error != CLOUD_OK) {
		conclude(stream, NULL, NULL, WORDS_FILE_GONE);
	} else if (artifact->path != NULL) {
		conclude(stream, artifact->path, artifact->content_type, WORDS_FILE_GONE);
	} else {
		cg_text_copy(stream->artifact_mime, sizeof(stream->artifact_mime),
			artifact->content_type);
		if (artifact_file_write(stream->conversation, artifact, saved, stream,
			    &stream->saving) != CG_OK)
			saved(stream, CG_IO, NULL, 0);
	}
}

void stream_fetch_artifact(struct stream *stream)
{
	struct conversation *conversation = stream->conversation;
	struct cloud_artifact_params params = {
		.binding_id = stream->route.binding_id,
		.artifact_id = stream->artifact_id,
		.by_path = conversation->can_path,
		.max_bytes = conversation->can_path ? 0 : largest(stream),
	};
	enum words why;

	cloud_call_cancel(stream->fetch);
	stream->fetch = NULL;
	if (is_hopeless(stream, &why)) {
		conclude(stream, NULL, NULL, why);
		return;
	}
	if (!take_place(stream) || cloud_get_artifact(conversation->parts.client, &params,
					   fetched, stream, &stream->fetch) != CG_OK) {
		leave_place(stream);
		loop_timer_set(&stream->retry, STREAM_RETRY_MS);
	}
}

bool stream_begin_artifact(
	struct stream *stream, struct json_object *payload, int64_t sequence)
{
	const char *id = artifact_id(payload);
	const char *name = cg_json_string(payload, "filename");

	if (id == NULL || strlen(id) > 256)
		return false;
	stream_end_artifact(stream);
	stream->artifact_id = strdup(id);
	stream->artifact_name = strdup(cg_text_blank(name) ? "file" : name);
	stream->artifact_sequence = sequence;
	stream->artifact_bytes = cg_json_int(payload, "size", -1);
	stream->artifact_tries = 0;
	if (stream->artifact_id == NULL || stream->artifact_name == NULL) {
		forget_artifact(stream);
		return false;
	}
	loop_timer_set(&stream->retry, 0); /* what is stored with it is not known yet */
	return true;
}

void stream_end_artifact(struct stream *stream)
{
	cloud_call_cancel(stream->fetch);
	stream->fetch = NULL;
	artifact_file_cancel(stream->saving);
	stream->saving = NULL;
	leave_place(stream);
	forget_artifact(stream);
}
