/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/conversation.h"

#include "gateway/conversation/artifact_file.h"
#include "gateway/conversation/context.h"
#include "gateway/conversation/expiry.h"
#include "gateway/conversation/inbound.h"
#include "gateway/conversation/mark.h"
#include "gateway/conversation/mirror.h"
#include "gateway/conversation/rota.h"
#include "gateway/conversation/stream.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/retry.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

#define CONVERSATION_PROBE_MS 500
#define CONVERSATION_PROBE_MAX_MS 30000

/* What this room's files share. */

size_t conversation_bucket(const char *key)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *key != '\0'; key++)
		hash = (hash ^ (uint8_t)*key) * 16777619u;
	return hash % CONVERSATION_BUCKETS;
}

const struct conversation_channel *conversation_channel(
	const struct conversation *conversation, const char *instance)
{
	for (size_t i = 0; i < conversation->options.channel_count; i++) {
		if (strcmp(conversation->options.channels[i].instance, instance) == 0)
			return &conversation->options.channels[i];
	}
	return NULL;
}

int64_t conversation_wall_ms(const struct conversation *conversation)
{
	return clock_wall(loop_clock(conversation->parts.loop));
}

int64_t conversation_mono_ms(const struct conversation *conversation)
{
	return clock_mono(loop_clock(conversation->parts.loop));
}

uint64_t conversation_random(const struct conversation *conversation)
{
	return conversation->options.random(conversation->options.arg);
}

void conversation_tell(const struct conversation *conversation,
	enum conversation_fact fact, const char *instance, const char *detail)
{
	conversation->options.fact(conversation->options.arg, fact, instance, detail);
}

/* Beginning: what can the other side do, and which streams have unfinished work? */

static void streams_found(
	void *arg, enum cg_status status, const struct cursor *cursors, size_t count)
{
	struct conversation *conversation = arg;
	size_t resumed = 0;

	if (!conversation->running)
		return;
	if (status != CG_OK) {
		/* Nobody else would look for the answers that are still to come. */
		loop_timer_set(&conversation->probe_timer, CONVERSATION_PROBE_MS);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct stream *stream;

		if (stream_open(conversation, &cursors[i], &stream, NULL) == CG_OK) {
			stream_remember(stream, &cursors[i]);
			resumed++;
		}
	}
	if (conversation->resumed != NULL)
		conversation->resumed(conversation->resumed_arg, resumed);
	conversation->resumed = NULL;
	conversation->probed = true;
	if (count == conversation->options.streams)
		rota_look(conversation); /* there may be more of them */
	expiry_look(conversation);
	inbound_pump(conversation);
}

static void probed(void *arg, const struct cloud_result *result,
	const struct cloud_extensions *extensions)
{
	struct conversation *conversation = arg;

	conversation->probe = NULL;
	if (result->error != CLOUD_OK) {
		int64_t delay = cg_retry_reconnect(CONVERSATION_PROBE_MS,
			CONVERSATION_PROBE_MAX_MS, conversation->probe_failures++,
			conversation_random(conversation));

		conversation_tell(conversation,
			result->error == CLOUD_UNAUTHORIZED ? CONVERSATION_TOKEN_REFUSED
							    : CONVERSATION_WAITING,
			NULL, cloud_error_name(result->error));
		loop_timer_set(&conversation->probe_timer, delay);
		return;
	}
	cg_text_copy(conversation->epoch, sizeof(conversation->epoch), extensions->epoch);
	conversation->can_abort = cloud_extensions_have(extensions, "session.abort");
	conversation->can_status = cloud_extensions_have(extensions, "session.status");
	conversation->can_people = cloud_extensions_have(extensions, "people");
	conversation->can_attach = cloud_extensions_have(extensions, "attachments.path");
	conversation->can_path = cloud_extensions_have(extensions, "artifacts.path");
	conversation->can_always = cloud_extensions_have(extensions, "permission.always");
	conversation->can_reason =
		cloud_extensions_have(extensions, "permission.message");
	conversation->can_agents = cloud_extensions_have(extensions, "agents");
	conversation->can_forget = cloud_extensions_have(extensions, "session.forget");
	cursor_list_open(conversation->parts.journal, conversation->options.streams,
		streams_found, conversation);
}

static void probe(void *arg)
{
	struct conversation *conversation = arg;

	if (!conversation->running)
		return;
	if (cloud_probe_extensions(conversation->parts.client, probed, conversation,
		    &conversation->probe) != CG_OK)
		loop_timer_set(&conversation->probe_timer, CONVERSATION_PROBE_MS);
}

static void set_defaults(struct conversation_options *options)
{
	if (options->concurrency == 0)
		options->concurrency = 64;
	if (options->streams == 0)
		options->streams = 1024;
	if (options->handover_ms == 0)
		options->handover_ms = INT64_C(24) * 60 * 60 * 1000;
	if (options->notice_ms == 0)
		options->notice_ms = 30000;
	if (options->quiet_ms == 0)
		options->quiet_ms = 3000;
}

void conversation_change(struct conversation *conversation, size_t channel_count,
	int64_t handover_ms, const struct file_types *file_types)
{
	conversation->options.channel_count = channel_count;
	conversation->options.handover_ms = handover_ms;
	conversation->options.file_types = *file_types;
	set_defaults(&conversation->options);
}

enum cg_status conversation_create(const struct conversation_parts *parts,
	const struct conversation_options *options, struct conversation **ret,
	struct cg_error *err)
{
	struct conversation *conversation = calloc(1, sizeof(*conversation));
	enum cg_status status;

	if (conversation == NULL)
		return cg_error_nomem(err);
	conversation->parts = *parts;
	conversation->options = *options;
	set_defaults(&conversation->options);
	TAILQ_INIT(&conversation->streams);
	TAILQ_INIT(&conversation->marks.list);
	LIST_INIT(&conversation->files);
	for (size_t i = 0; i < CONVERSATION_BUCKETS; i++)
		LIST_INIT(&conversation->by_binding[i]);
	status = inbound_init(conversation);
	if (status == CG_OK)
		status = expiry_init(conversation);
	if (status == CG_OK)
		status = rota_init(conversation);
	if (status == CG_OK)
		status = mirror_init(conversation);
	if (status == CG_OK)
		status = marks_init(conversation);
	if (status == CG_OK)
		status = loop_timer_init(
			&conversation->probe_timer, parts->loop, probe, conversation);
	if (status != CG_OK) {
		conversation_destroy(conversation);
		return cg_error_set(
			err, status, "the conversation's timer cannot be made");
	}
	*ret = conversation;
	return CG_OK;
}

void conversation_destroy(struct conversation *conversation)
{
	if (conversation == NULL)
		return;
	conversation->running = false;
	cloud_call_cancel(conversation->probe);
	inbound_finish(conversation);
	while (!TAILQ_EMPTY(&conversation->streams))
		stream_destroy(TAILQ_FIRST(&conversation->streams));
	artifact_files_finish(conversation);
	rota_finish(conversation);
	mirror_finish(conversation);
	marks_finish(conversation);
	expiry_finish(conversation);
	loop_timer_finish(&conversation->probe_timer);
	free(conversation);
}

void conversation_start(struct conversation *conversation,
	void (*resumed)(void *arg, size_t streams), void *arg)
{
	conversation->running = true;
	conversation->resumed = resumed;
	conversation->resumed_arg = arg;
	marks_restore(conversation); /* before any message is read */
	probe(conversation);
	inbound_pump(conversation);
}

void conversation_stop(struct conversation *conversation)
{
	conversation->running = false;
	loop_timer_clear(&conversation->probe_timer);
	loop_timer_clear(&conversation->reread);
	loop_timer_clear(&conversation->expiry);
	loop_timer_clear(&conversation->marks.rest);
}

void conversation_shift(struct conversation *conversation, int64_t delta_ms)
{
	inbound_shift(conversation, delta_ms);
}

void conversation_retry(struct conversation *conversation)
{
	stream_ask_again_all(conversation);
}

void conversation_inbox_ready(struct conversation *conversation)
{
	conversation->more = true;
	inbound_pump(conversation);
}

void conversation_outbox_ready(struct conversation *conversation)
{
	stream_feed_all(conversation);
}

void conversation_delivered(struct conversation *conversation,
	const struct outbox_row *row, enum outbox_state state)
{
	/* A card that is redrawn says nothing. */
	if (row->purpose != OUTBOX_REDRAW &&
		(state == OUTBOX_SENDING || state == OUTBOX_SENT))
		brake_said(&conversation->brake, row->lane,
			conversation_wall_ms(conversation), state == OUTBOX_SENDING);
	mark_delivered(conversation, row->delivery_id, state);
}

void conversation_figures(
	const struct conversation *conversation, struct conversation_figures *ret)
{
	*ret = (struct conversation_figures){
		.errands = conversation->errand_count,
		.queued = conversation->queued,
		.streams = conversation->stream_count,
	};
}
