/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The turn is over and everything of it is stored: is anything else expected?  Asked only when
 * nothing has come for a while, so that no event of a finished turn is still on its way.
 */
#include "gateway/conversation/stream_inside.h"

#include <cowgate/sdk/json.h>
#include <string.h>

void stream_watch_quiet(struct stream *stream)
{
	if (stream->open && stream->idle)
		loop_timer_set(&stream->quiet, stream->conversation->options.quiet_ms);
}

static bool is_quiet(const struct stream *stream)
{
	return stream->expected == 0 && stream->call == NULL &&
	       stream->artifact_id == NULL && !stream->storing &&
	       stream->drafts.count == 0 && !render_is_open(&stream->render) &&
	       cloud_subscription_state(stream->subscription) == CLOUD_SUBSCRIPTION_OPEN;
}

static void settle(struct stream *stream, const struct cloud_result *result, bool over)
{
	stream->call = NULL;
	if (result->error == CLOUD_OK && over && stream->news == stream->asked &&
		is_quiet(stream)) {
		stream->open = false;
		stream_end_turn(stream, true);
		cursor_set_open(stream->conversation->parts.journal,
			stream->route.binding_id, false,
			conversation_wall_ms(stream->conversation), NULL, NULL);
		return;
	}
	if (result->error == CLOUD_OK && !over && stream->news == stream->asked)
		stream->idle = false; /* an event will tell when it is */
	stream_watch_quiet(stream);
}

static void status_came(void *arg, const struct cloud_result *result,
	const struct cloud_session_status *status)
{
	settle(arg, result, status != NULL && !status->busy && status->queued == 0);
}

bool stream_is_running(const struct cloud_session_snapshot *snapshot)
{
	return cg_json_bool(snapshot->view, "isGenerating", false) ||
	       (snapshot->status != NULL && strcmp(snapshot->status, "running") == 0);
}

/* For a Cloud that tells no status. */
static void standing_came(void *arg, const struct cloud_result *result,
	const struct cloud_session_snapshot *snapshot)
{
	const struct stream *stream = arg;

	settle(arg, result,
		snapshot != NULL && !stream_is_running(snapshot) &&
			snapshot->sequence <= stream->seen);
}

void stream_quiet_came(void *arg)
{
	struct stream *stream = arg;
	struct cloud_session_params params = {.binding_id = stream->route.binding_id};
	const struct conversation *conversation = stream->conversation;
	enum cg_status status;

	if (!is_quiet(stream)) {
		stream_watch_quiet(stream);
		return;
	}
	stream->asked = stream->news;
	if (conversation->can_status)
		status = cloud_get_status(conversation->parts.client, &params,
			status_came, stream, &stream->call);
	else
		status = cloud_snapshot(conversation->parts.client, &params,
			standing_came, stream, &stream->call);
	if (status != CG_OK) {
		stream->call = NULL;
		stream_watch_quiet(stream);
	}
}
