/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud-client/sse.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct heard {
	int count;
	int64_t id;
	char type[64];
	int64_t sequence;
	int stop_at; /* 0: never */
};

static bool on_event(void *arg, const struct cloud_event *event)
{
	struct heard *heard = arg;

	heard->count++;
	heard->id = event->id;
	snprintf(heard->type, sizeof(heard->type), "%s", event->type);
	heard->sequence = cg_json_int(event->data, "sequence", -1);
	return heard->count != heard->stop_at;
}

static const char stream[] =
	": connected\n\n"
	"id: 17\nevent: session.status\ndata: {\"sequence\":17}\n\n"
	"id: d-1\nevent: channel.delivery\ndata: {\"delivery\":\ndata: {}}\n\n"
	"data: not json\n\n"
	"data: [1]\n\n"
	"data: {\"sequence\":18}\n\n";

static void frames_become_events(void)
{
	/* Whole, and cut at every byte. */
	for (size_t step = 1; step <= sizeof(stream); step += sizeof(stream) - 1) {
		struct cloud_sse sse;
		struct heard heard = {0};

		cloud_sse_init(&sse, on_event, &heard);
		for (size_t at = 0; at < sizeof(stream) - 1; at += step) {
			size_t left = sizeof(stream) - 1 - at;

			CU_ASSERT_EQUAL(cloud_sse_feed(&sse, stream + at,
						left < step ? left : step),
				CG_OK);
		}
		CU_ASSERT_EQUAL(heard.count, 3);
		CU_ASSERT_EQUAL(heard.sequence, 18);
		CU_ASSERT_STRING_EQUAL(heard.type, "");
		CU_ASSERT_EQUAL(heard.id, -1); /* the last id was a name */
		CU_ASSERT_EQUAL(sse.skipped, 2);
		cloud_sse_finish(&sse);
	}
}

static void the_handler_may_stop(void)
{
	struct cloud_sse sse;
	struct heard heard = {.stop_at = 1};

	cloud_sse_init(&sse, on_event, &heard);
	CU_ASSERT_EQUAL(cloud_sse_feed(&sse, stream, sizeof(stream) - 1), CG_CANCELLED);
	CU_ASSERT_EQUAL(heard.count, 1);
	CU_ASSERT_EQUAL(heard.id, 17);
	CU_ASSERT_STRING_EQUAL(heard.type, "session.status");
	cloud_sse_finish(&sse);
}

static void a_frame_has_a_cap(void)
{
	size_t length = CLOUD_SSE_FRAME + 64;
	char *bytes = malloc(length);
	struct cloud_sse sse;
	struct heard heard = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	memset(bytes, 'x', length);
	memcpy(bytes, "data: ", 6);
	cloud_sse_init(&sse, on_event, &heard);
	CU_ASSERT_EQUAL(cloud_sse_feed(&sse, bytes, length), CG_LIMIT);
	CU_ASSERT_EQUAL(heard.count, 0);
	cloud_sse_finish(&sse);
	free(bytes);
}

UNIT_SUITE(cloud_sse, UNIT_TEST(frames_become_events), UNIT_TEST(the_handler_may_stop),
	UNIT_TEST(a_frame_has_a_cap));
