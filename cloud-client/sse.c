/* SPDX-License-Identifier: Apache-2.0 */
/* The SSE parser of the sdk, with JSON on top. */
#include "cloud-client/sse.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>

static bool on_frame(void *arg, const struct cg_sse_event *frame)
{
	struct cloud_sse *sse = arg;
	struct cloud_event event = {.id = -1, .type = frame->type};
	struct json_object *data = NULL;
	int64_t id;
	bool more;

	if (cg_json_parse(frame->data, frame->length, &data, NULL) != CG_OK ||
		!cg_json_is_object(data)) {
		cg_json_free(data);
		sse->skipped++;
		return true;
	}
	/* A delivery's id is a name, not a sequence. */
	if (cg_parse_int(frame->id, &id) && id >= 0)
		event.id = id;
	event.data = data;
	more = sse->event(sse->arg, &event);
	cg_json_free(data);
	return more;
}

void cloud_sse_init(struct cloud_sse *sse,
	bool (*event)(void *arg, const struct cloud_event *event), void *arg)
{
	sse->event = event;
	sse->arg = arg;
	sse->skipped = 0;
	cg_sse_init(&sse->parser, CLOUD_SSE_FRAME, on_frame, sse);
}

void cloud_sse_finish(struct cloud_sse *sse)
{
	cg_sse_finish(&sse->parser);
}

enum cg_status cloud_sse_feed(struct cloud_sse *sse, const char *bytes, size_t length)
{
	return cg_sse_feed(&sse->parser, bytes, length);
}
