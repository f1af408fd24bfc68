/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing a plane. */
#include "control-plane/plane.h"

#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

static void plane_keeps_its_epoch(void)
{
	struct fixture f, other;
	char epoch[64];

	fixture_start(&f);
	cg_text_copy(epoch, sizeof(epoch), plane_epoch(f.plane));
	CU_ASSERT_EQUAL(strlen(epoch), 32);
	fixture_restart(&f);
	CU_ASSERT_STRING_EQUAL(plane_epoch(f.plane), epoch);
	fixture_call(&f, "GET", "/api/channels/extensions", NULL);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "epoch"), epoch);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "extensions.0"), "session.abort");
	CU_ASSERT_PTR_NOT_NULL(
		strstr(cg_json_text(f.reply, NULL), "\"attachments.path\""));
	fixture_finish(&f);
	fixture_start(&other);
	CU_ASSERT_STRING_NOT_EQUAL(plane_epoch(other.plane), epoch);
	fixture_finish(&other);
}

static void plane_says_why_it_cannot_open(void)
{
	struct fixture f;
	struct plane_options options = {
		.path = "/nonexistent/plane.db", .agent = agent_find("echo")};
	struct plane *plane = NULL;
	struct cg_error err = {0};
	FILE *file;

	fixture_start(&f);
	plane_destroy(f.plane);
	f.plane = NULL;
	CU_ASSERT_NOT_EQUAL(
		plane_create(f.loop, NULL, NULL, &options, &plane, &err), CG_OK);
	CU_ASSERT_PTR_NULL(plane);
	CU_ASSERT_STRING_NOT_EQUAL(err.text, "");
	/* A file that is no store. */
	file = fopen(f.path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	for (int i = 0; i < 1000; i++)
		fputs("this is no database\n", file);
	fclose(file);
	options.path = f.path;
	err.text[0] = '\0';
	CU_ASSERT_NOT_EQUAL(
		plane_create(f.loop, NULL, NULL, &options, &plane, &err), CG_OK);
	CU_ASSERT_STRING_NOT_EQUAL(err.text, "");
	plane_destroy(NULL);
	fixture_finish(&f);
}

static void plane_answers_with_the_echo(void)
{
	static struct fixture_stream stream;
	struct fixture f;
	struct plane_options options = {0};
	const char *binding;
	char path[160];

	memset(&stream, 0, sizeof(stream));
	fixture_start(&f);
	options.path = f.path;
	options.channels = f.channels;
	options.channel_count = f.channel_count;
	options.agent = agent_find("echo");
	plane_destroy(f.plane);
	f.plane = NULL;
	CU_ASSERT_EQUAL_FATAL(
		plane_create(f.loop, NULL, NULL, &options, &f.plane, NULL), CG_OK);
	fixture_settle(&f);
	binding = fixture_bind(&f, "c1");
	snprintf(path, sizeof(path), "/api/channels/sessions/%s/events", binding);
	fixture_open(&f, &stream, path, NULL);
	fixture_prompt(&f, binding, "Hello out there", "k1");
	CU_ASSERT_EQUAL(f.status, 202);
	for (int i = 0; i < 2000 && plane_active_turns(f.plane) > 0; i++)
		fixture_settle(&f);
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "type"), "session.idle");
	snprintf(path, sizeof(path), "/api/channels/sessions/%s/snapshot", binding);
	fixture_call(&f, "GET", path, NULL);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "projection.view.messages.1.content"),
		"Hello out there");
	fixture_close(&stream);
	fixture_finish(&f);
}

UNIT_SUITE(plane, UNIT_TEST(plane_keeps_its_epoch),
	UNIT_TEST(plane_says_why_it_cannot_open), UNIT_TEST(plane_answers_with_the_echo));
