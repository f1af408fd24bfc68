/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of text/event-stream to struct cloud_event, for a transport over HTTP.
 *
 * A frame whose data is not one JSON document is skipped: a stream outlives a bad frame.
 */
#ifndef COWGATE_CLOUD_CLIENT_SSE_H
#define COWGATE_CLOUD_CLIENT_SSE_H

#include "cloud-client/transport.h"

#include <cowgate/sdk/sse.h>

#define CLOUD_SSE_FRAME \
	(8u << 20) /* bytes of one frame: attachments may come as data URLs */

struct cloud_sse {
	struct cg_sse parser;
	bool (*event)(void *arg, const struct cloud_event *event);
	void *arg;
	uint64_t skipped; /* frames whose data was no JSON object */
};

/* @event gets each frame; false stops the feed. */
void cloud_sse_init(struct cloud_sse *sse,
	bool (*event)(void *arg, const struct cloud_event *event), void *arg);
void cloud_sse_finish(struct cloud_sse *sse);

/* OK; LIMIT: a frame is too long; CANCELLED: @event said stop.  After either, no more. */
enum cg_status cloud_sse_feed(struct cloud_sse *sse, const char *bytes, size_t length);

#endif
