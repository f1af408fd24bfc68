/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that the agent made: fetched, then stored as an obligation.  While it is fetched the
 * stream has no credit, so that files and texts keep their order.
 */
#include "gateway/conversation/card.h"
#include "gateway/conversation/stream_inside.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
}

/* Say what cannot be sent, by its name. */
static void add_sentence(struct stream *stream, const char *id, const char *why)
{
	struct cg_buffer text;

	cg_buffer_init(&text, 1024);
	cg_buffer_text(&text, "📎 ");
	card_add_plain(&text, stream->artifact_name, 200);
	cg_buffer_text(&text, ": ");
	cg_buffer_text(&text, why);
	stream_add_text(stream, id, "", cg_buffer_string(&text), OUTBOX_NOTICE);
	cg_buffer_finish(&text);
}

static void add_file(
	struct stream *stream, const char *id, const struct cloud_artifact *artifact)
{
	const struct outlet *outlet = stream->conversation->parts.outlet;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	struct cg_file file = {.filename = stream->artifact_name,
		.mime_type = artifact->content_type,
		.path = artifact->path};
	char delivery_id[DRAFT_ID_MAX];
	struct stat info;

	outlet->capabilities(outlet->self, stream->route.instance, &capabilities);
	if (capabilities.max_file == 0) {
		add_sentence(stream, id, words_text(WORDS_NO_FILES));
	} else if (file.path == NULL) {
		add_sentence(stream, id, words_text(WORDS_FILE_ELSEWHERE));
	} else if (stat(file.path, &info) != 0) {
		add_sentence(stream, id, words_text(WORDS_FILE_GONE));
	} else if ((uint64_t)info.st_size > capabilities.max_file) {
		add_sentence(stream, id, words_text(WORDS_FILE_TOO_LARGE));
	} else {
		file.bytes = (uint64_t)info.st_size;
		stream_make_id(stream, id, "", delivery_id);
		drafts_add_file(&stream->drafts, &stream->route, delivery_id, &file);
	}
}

static void fetched(void *arg, const struct cloud_result *result,
	const struct cloud_artifact *artifact)
{
	struct stream *stream = arg;
	char id[300];

	stream->fetch = NULL;
	if (result->retryable || result->error == CLOUD_UNAUTHORIZED) {
		loop_timer_set(&stream->retry, STREAM_RETRY_MS);
		return;
	}
	snprintf(id, sizeof(id), "%s:%lld", stream->artifact_id,
		(long long)stream->artifact_sequence);
	if (result->error != CLOUD_OK)
		add_sentence(stream, id, words_text(WORDS_FILE_GONE));
	else
		add_file(stream, id, artifact);
	forget_artifact(stream);
	stream_store(stream);
}

void stream_fetch_artifact(struct stream *stream)
{
	struct conversation *conversation = stream->conversation;
	struct cloud_artifact_params params = {
		.binding_id = stream->route.binding_id,
		.artifact_id = stream->artifact_id,
		.by_path = conversation->can_path,
	};

	cloud_call_cancel(stream->fetch);
	stream->fetch = NULL;
	if (cloud_get_artifact(conversation->parts.client, &params, fetched, stream,
		    &stream->fetch) != CG_OK)
		loop_timer_set(&stream->retry, STREAM_RETRY_MS);
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
	if (stream->artifact_id == NULL || stream->artifact_name == NULL) {
		forget_artifact(stream);
		return false;
	}
	stream_fetch_artifact(stream);
	return true;
}

void stream_end_artifact(struct stream *stream)
{
	cloud_call_cancel(stream->fetch);
	stream->fetch = NULL;
	forget_artifact(stream);
}
