/* SPDX-License-Identifier: Apache-2.0 */
/* Files that agents made, as readers get them. */
#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void artifacts_are_kept_and_announced(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;
	char id[128], path[256];

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "make", "k1");
	fixture_open(&f, &stream, fixture_path(binding, "/events"), "after=3");
	agent_make(&f.turns[0], "one", "out/a b.txt", "some bytes", NULL);
	fixture_settle(&f);
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream), "artifact.created");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.filename"), "a b.txt");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.mime"), "text/plain");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.size"), "10");
	snprintf(id, sizeof(id), "%s", json_at(stream.last, "payload.artifactId"));
	snprintf(path, sizeof(path), "cloud-artifact://%s/a%%20b.txt", id);
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.filePath"), path);
	/* The same one again replaces it. */
	agent_make(&f.turns[0], "one", "a b.txt", "others", NULL);
	agent_end(&f, &f.turns[0]);
	CU_ASSERT_STRING_EQUAL(
		fixture_types(&stream), "artifact.created artifact.updated session.idle");
	snprintf(path, sizeof(path), "/artifacts/%s", id);
	fixture_call(&f, "GET", fixture_path(binding, path), NULL);
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "artifact.dataBase64"), "b3RoZXJz");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "artifact.contentType"), "text/plain");
	/* In memory the path will do; over HTTP it is not told. */
	snprintf(path, sizeof(path), "/artifacts/%s?transfer=path", id);
	fixture_call(&f, "GET", fixture_path(binding, path), NULL);
	CU_ASSERT_EQUAL(access(fixture_text(&f, "artifact.path"), R_OK), 0);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "artifact.dataBase64"), "");
	fixture_call_as(&f, PLANE_OPERATOR, "GET", fixture_path(binding, path), NULL);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "artifact.path"), "");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "artifact.dataBase64"), "b3RoZXJz");
	/* Another chat does not see it. */
	fixture_call(&f, "GET",
		(snprintf(path, sizeof(path), "/artifacts/%s", id),
			fixture_path(fixture_bind(&f, "c2"), path)),
		NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	fixture_call(&f, "GET", fixture_path(binding, "/snapshot"), NULL);
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "projection.view.artifacts.0.artifactId"), id);
	fixture_close(&stream);
	fixture_finish(&f);
}

static void what_is_gone_is_not_found(void)
{
	struct fixture f;
	const char *binding;
	char id[128], path[256];

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "make", "k1");
	agent_make(&f.turns[0], "one", "a", "1", NULL);
	agent_end(&f, &f.turns[0]);
	fixture_call(&f, "GET", fixture_path(binding, "/snapshot"), NULL);
	snprintf(id, sizeof(id), "%s",
		fixture_text(&f, "projection.view.artifacts.0.artifactId"));
	snprintf(path, sizeof(path), "%s.files/%s", f.path, id);
	CU_ASSERT_EQUAL(unlink(path), 0);
	snprintf(path, sizeof(path), "/artifacts/%s", id);
	fixture_call(&f, "GET", fixture_path(binding, path), NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "artifacts.not_found");
	fixture_call(&f, "GET", fixture_path(binding, "/artifacts/nothing"), NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	fixture_finish(&f);
}

UNIT_SUITE(artifacts, UNIT_TEST(artifacts_are_kept_and_announced),
	UNIT_TEST(what_is_gone_is_not_found));
