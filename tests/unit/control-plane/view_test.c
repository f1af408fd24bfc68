/* SPDX-License-Identifier: Apache-2.0 */
/* A session as its readers see it. */
#include "control-plane/projection.h"
#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void snapshot(struct fixture *f, const char *binding)
{
	char path[160];

	fixture_settle(f);
	snprintf(path, sizeof(path), "/api/channels/sessions/%s/snapshot", binding);
	fixture_call(f, "GET", path, NULL);
	CU_ASSERT_EQUAL(f->status, 200);
}

static const char *view(struct fixture *f, const char *path)
{
	char full[160];

	snprintf(full, sizeof(full), "projection.view.%s", path);
	return fixture_text(f, full);
}

static void begin(struct fixture *f, const char **ret_binding)
{
	fixture_start(f);
	*ret_binding = fixture_bind(f, "c1");
	fixture_prompt(f, *ret_binding, "hello", "k1");
}

static void view_has_the_shape_of_the_cloud(void)
{
	struct fixture f;
	const char *binding;

	begin(&f, &binding);
	snapshot(&f, binding);
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, ""), "session projection");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, "projection.view"),
		"sessionId title status profileName isGenerating sessionCost "
		"sessionTokens "
		"lastInputTokens todos lastError origin projectSource updatedAt messages "
		"toolCalls taskRuns pendingApprovals pendingQuestions resolvedApprovals "
		"resolvedQuestions artifacts errors");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, "projection.view.sessionTokens"),
		"input output reasoning cacheRead cacheWrite");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, "projection.view.messages.0"),
		"id role content createdAt order");
	CU_ASSERT_STRING_EQUAL(view(&f, "messages.0.role"), "user");
	CU_ASSERT_STRING_EQUAL(view(&f, "title"), "a chat");
	CU_ASSERT_STRING_EQUAL(view(&f, "status"), "running");
	fixture_finish(&f);
}

static void view_is_bounded(void)
{
	struct fixture f;
	const char *binding;
	char id[24], path[32];

	begin(&f, &binding);
	for (int i = 0; i < PROJECTION_MESSAGES + 10; i++) {
		snprintf(id, sizeof(id), "m%d", i);
		f.turns[0].sink.replace(f.turns[0].arg, id, id, strlen(id));
	}
	snapshot(&f, binding);
	snprintf(id, sizeof(id), "m%d", PROJECTION_MESSAGES + 9);
	snprintf(path, sizeof(path), "messages.%d.content", PROJECTION_MESSAGES - 1);
	CU_ASSERT_STRING_EQUAL(view(&f, path), id);
	CU_ASSERT_STRING_EQUAL(view(&f, "messages.0.content"), "m10");
	snprintf(path, sizeof(path), "messages.%d", PROJECTION_MESSAGES);
	CU_ASSERT_STRING_EQUAL(view(&f, path), "");
	fixture_finish(&f);
}

UNIT_SUITE(view, UNIT_TEST(view_has_the_shape_of_the_cloud), UNIT_TEST(view_is_bounded));
