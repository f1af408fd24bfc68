/* SPDX-License-Identifier: Apache-2.0 */
/* Readers get every event once, in order, or are told that they must look at a snapshot. */
#include "control-plane/event.h"
#include "control-plane/interior.h"
#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A turn with @count events between its first two and its last. */
static void run(struct fixture *f, const char *binding, int count)
{
	struct json_object *payload = cg_json_new_object();
	struct agent_turn *turn;
	char id[24];

	fixture_prompt(f, binding, "go", NULL);
	CU_ASSERT_EQUAL_FATAL(f->status, 202);
	turn = &f->turns[(f->turn_count - 1) % FIXTURE_TURNS];
	for (int i = 0; i < count; i++) {
		snprintf(id, sizeof(id), "call-%d", i);
		cg_json_put_string(payload, "id", id);
		cg_json_put_string(payload, "name", "bash");
		cg_json_put_string(payload, "status", "running");
		turn->sink.event(turn->arg, "tool.call", payload);
		if (i % 500 == 499)
			fixture_settle(f);
	}
	cg_json_free(payload);
	turn->sink.ended(turn->arg, AGENT_COMPLETED, NULL);
	fixture_settle(f);
}

static void in_order(const struct fixture_stream *stream, int64_t first)
{
	for (size_t i = 0; i < stream->count; i++)
		CU_ASSERT_EQUAL(stream->ids[i], first + (int64_t)i);
}

static void stream_replays_then_follows(void)
{
	static struct fixture_stream stream;
	struct fixture f;
	const char *binding;

	memset(&stream, 0, sizeof(stream));
	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	run(&f, binding, 3 * EVENT_PAGE);
	fixture_open(&f, &stream, fixture_path(binding, "/events"), "after=10");
	CU_ASSERT_EQUAL(stream.count, 3 * EVENT_PAGE + 4 - 10);
	run(&f, binding, 5);
	CU_ASSERT_EQUAL(stream.count, 3 * EVENT_PAGE + 4 - 10 + 8);
	in_order(&stream, 11);
	CU_ASSERT_FALSE(stream.ended);
	fixture_close(&stream);
	CU_ASSERT_EQUAL(f.plane->stream_count, 0);
	fixture_finish(&f);
}

static void stream_event_has_the_shape_of_the_cloud(void)
{
	static struct fixture_stream stream;
	struct fixture f;
	const char *binding;
	char id[128];

	memset(&stream, 0, sizeof(stream));
	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_open(&f, &stream, fixture_path(binding, "/events"), NULL);
	cg_json_free(f.reply);
	f.reply = cg_json_copy(stream.last); /* to look at it with the same eyes */
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, ""),
		"tenantId sessionId eventId sequence type createdAt payload");
	snprintf(id, sizeof(id), "%s:1", json_at(stream.last, "sessionId"));
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "eventId"), id);
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.title"), "a chat");
	fixture_close(&stream);
	fixture_finish(&f);
}

static void stream_pauses_without_loss(void)
{
	static struct fixture_stream stream;
	struct fixture f;
	const char *binding;

	memset(&stream, 0, sizeof(stream));
	stream.pause_after = 2;
	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	run(&f, binding, 100);
	fixture_open(&f, &stream, fixture_path(binding, "/events"), NULL);
	CU_ASSERT_EQUAL(stream.count, 2);
	run(&f, binding, 100); /* it misses these for the moment */
	CU_ASSERT_EQUAL(stream.count, 2);
	stream.pause_after = 50;
	plane_resume(f.plane, stream.exchange);
	fixture_settle(&f);
	CU_ASSERT_EQUAL(stream.count, 50);
	stream.pause_after = 0;
	plane_resume(f.plane, stream.exchange);
	fixture_settle(&f);
	CU_ASSERT_EQUAL(stream.count, 207);
	in_order(&stream, 1);
	run(&f, binding, 1);
	CU_ASSERT_EQUAL(stream.count, 211);
	fixture_close(&stream);
	fixture_finish(&f);
}

static void stream_says_that_events_are_gone(void)
{
	static struct fixture_stream stream, late;
	struct fixture f;
	const char *binding;

	memset(&stream, 0, sizeof(stream));
	memset(&late, 0, sizeof(late));
	late.pause_after = 1;
	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_open(
		&f, &late, fixture_path(binding, "/events"), NULL); /* falls asleep */
	run(&f, binding, EVENT_HISTORY + 2 * EVENT_PRUNE);
	fixture_open(&f, &stream, fixture_path(binding, "/events"), "after=3");
	CU_ASSERT_STRING_EQUAL(stream.types[0], "snapshot.required");
	CU_ASSERT_EQUAL(stream.ids[0], 3);
	CU_ASSERT_TRUE(stream.ids[1] > 4);
	CU_ASSERT_STRING_EQUAL(
		stream.types[1], "tool.call"); /* the event that showed it */
	CU_ASSERT_TRUE(stream.count - 1 >= EVENT_HISTORY);
	CU_ASSERT_TRUE(stream.count - 1 <= EVENT_HISTORY + EVENT_PRUNE);
	for (size_t i = 2; i < stream.count; i++)
		CU_ASSERT_EQUAL(stream.ids[i], stream.ids[i - 1] + 1);
	/* And one that was behind all the time is told too. */
	late.pause_after = 2;
	plane_resume(f.plane, late.exchange);
	fixture_settle(&f);
	CU_ASSERT_STRING_EQUAL(fixture_types(&late), "session.created snapshot.required");
	CU_ASSERT_STRING_EQUAL(
		json_at(late.last, "payload.reason"), "event_retention_gap");
	fixture_close(&late);
	fixture_close(&stream);
	fixture_finish(&f);
}

static void stream_does_not_believe_foreign_cursors(void)
{
	static struct fixture_stream stream;
	struct fixture f;
	const char *binding;
	char query[128];

	memset(&stream, 0, sizeof(stream));
	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	run(&f, binding, 2);
	fixture_open(&f, &stream, fixture_path(binding, "/events"), "after=100");
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream), "snapshot.required");
	CU_ASSERT_EQUAL(stream.ids[0], 6);
	CU_ASSERT_STRING_EQUAL(
		json_at(stream.last, "payload.reason"), "cursor_beyond_head");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.latestSequence"), "6");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.afterSequence"), "100");
	run(&f, binding, 0); /* it goes on from the head */
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream),
		"snapshot.required session.status prompt.submitted session.idle");
	fixture_close(&stream);
	memset(&stream, 0, sizeof(stream));
	fixture_open(
		&f, &stream, fixture_path(binding, "/events"), "after=2&epoch=another");
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream), "snapshot.required");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.reason"), "epoch_changed");
	fixture_close(&stream);
	memset(&stream, 0, sizeof(stream));
	snprintf(query, sizeof(query), "after=8&epoch=%s", plane_epoch(f.plane));
	fixture_open(&f, &stream, fixture_path(binding, "/events"), query);
	CU_ASSERT_EQUAL(stream.count, 1);
	CU_ASSERT_EQUAL(stream.ids[0], 9);
	fixture_close(&stream);
	fixture_finish(&f);
}

static void stream_is_refused_at_the_end(void)
{
	static struct fixture_stream stream;
	struct fixture f;

	memset(&stream, 0, sizeof(stream));
	fixture_start(&f);
	fixture_open(&f, &stream, fixture_path("nope", "/events"), NULL);
	CU_ASSERT_FALSE(stream.opened);
	CU_ASSERT_TRUE(stream.ended);
	CU_ASSERT_EQUAL(stream.end_status, 404);
	CU_ASSERT_EQUAL(f.plane->exchange_count, 0);
	fixture_close(&stream);
	fixture_finish(&f);
}

static void stream_count_is_bounded(void)
{
	static struct fixture_stream streams[PLANE_STREAMS + 1];
	struct fixture f;
	const char *binding;

	memset(streams, 0, sizeof(streams));
	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	for (size_t i = 0; i < PLANE_STREAMS; i++) {
		fixture_open(
			&f, &streams[i], fixture_path(binding, "/events"), "after=1");
		CU_ASSERT_TRUE(streams[i].opened);
	}
	fixture_open(&f, &streams[PLANE_STREAMS], fixture_path(binding, "/events"), NULL);
	CU_ASSERT_EQUAL(streams[PLANE_STREAMS].end_status, 429);
	run(&f, binding, 0);
	for (size_t i = 0; i < PLANE_STREAMS; i++)
		CU_ASSERT_EQUAL(streams[i].count, 3);
	plane_cancel(f.plane, streams[0].exchange);
	streams[0].exchange = NULL;
	fixture_settle(&f);
	memset(&streams[PLANE_STREAMS], 0, sizeof(streams[0]));
	fixture_open(
		&f, &streams[PLANE_STREAMS], fixture_path(binding, "/events"), "after=4");
	CU_ASSERT_TRUE(streams[PLANE_STREAMS].opened);
	for (size_t i = 0; i <= PLANE_STREAMS; i++)
		cg_json_free(streams[i].last);
	fixture_finish(&f); /* the plane goes with its streams open: nobody is called */
}

UNIT_SUITE(stream, UNIT_TEST(stream_replays_then_follows),
	UNIT_TEST(stream_event_has_the_shape_of_the_cloud),
	UNIT_TEST(stream_pauses_without_loss),
	UNIT_TEST(stream_says_that_events_are_gone),
	UNIT_TEST(stream_does_not_believe_foreign_cursors),
	UNIT_TEST(stream_is_refused_at_the_end), UNIT_TEST(stream_count_is_bounded));
