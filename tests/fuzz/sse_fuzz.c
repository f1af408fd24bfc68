/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an event stream: chunk boundaries must change nothing. */
#include <cowgate/sdk/sse.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LINE_LIMIT 512

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static bool keep(void *arg, const struct cg_sse_event *event)
{
	struct cg_buffer *log = arg;

	if (strlen(event->type) >= CG_SSE_FIELD || strlen(event->id) >= CG_SSE_FIELD ||
		event->length > LINE_LIMIT || event->data[event->length] != '\0')
		abort();
	cg_buffer_format(log, "%s|%s|%zu|", event->type, event->id, event->length);
	cg_buffer_add(log, event->data, event->length);
	return memchr(event->data, '!', event->length) == NULL;
}

/* Feed @bytes in chunks of at most @chunk bytes, each in memory of its own size. */
static enum cg_status feed(
	const char *bytes, size_t length, size_t chunk, struct cg_buffer *log)
{
	enum cg_status status = CG_OK;
	struct cg_sse sse;

	cg_sse_init(&sse, LINE_LIMIT, keep, log);
	for (size_t at = 0; at < length && status == CG_OK; at += chunk) {
		size_t step = length - at < chunk ? length - at : chunk;
		char *copy = malloc(step);

		if (copy == NULL)
			abort();
		memcpy(copy, bytes + at, step);
		status = cg_sse_feed(&sse, copy, step);
		free(copy);
	}
	cg_sse_finish(&sse);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *stream = (const char *)bytes + 1;
	struct cg_buffer whole, pieces;
	enum cg_status status;

	if (length < 2)
		return 0;
	cg_buffer_init(&whole, 1u << 24);
	cg_buffer_init(&pieces, 1u << 24);
	status = feed(stream, length - 1, length, &whole);
	if (feed(stream, length - 1, 1 + bytes[0] % 32u, &pieces) != status ||
		whole.length != pieces.length ||
		memcmp(cg_buffer_string(&whole), cg_buffer_string(&pieces),
			whole.length) != 0)
		abort();
	cg_buffer_finish(&whole);
	cg_buffer_finish(&pieces);
	return 0;
}
