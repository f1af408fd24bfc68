/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts with files, agents by name, and messages that come while the agent works. */
#include "control-plane/file.h"
#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROMPT "/api/channels/sessions/prompt"

static const char *path_of(const char *binding, const char *what)
{
	static char path[256];

	snprintf(path, sizeof(path), "/api/channels/sessions/%s%s", binding, what);
	return path;
}

static void prompt_with(struct fixture *f, enum plane_principal_kind kind,
	const char *binding, const char *key, const char *more)
{
	char body[4096];

	snprintf(body, sizeof(body),
		"{\"bindingId\":\"%s\",\"externalUserId\":\"1\",\"idempotencyKey\":\"%s\""
		"%s}",
		binding, key, more);
	fixture_call_as(f, kind, "POST", PROMPT, body);
}

/* A file as the gateway hands it over. */
static const char *spool(const char *bytes)
{
	static char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/tmp/plane-spool-XXXXXX");
	file = fdopen(mkstemp(path), "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs(bytes, file);
	fclose(file);
	return path;
}

static int64_t kept_files(struct fixture *f)
{
	return fixture_sql(f, "SELECT count(*) FROM file");
}

static void end(struct fixture *f, struct agent_turn *turn)
{
	turn->sink.ended(turn->arg, AGENT_COMPLETED, NULL);
	fixture_settle(f);
}

static void files_reach_the_agent(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding, *path = spool("hello file");
	char more[512];

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_open(&f, &stream, path_of(binding, "/events"), "after=2");
	snprintf(more, sizeof(more),
		",\"text\":\"look\",\"attachments\":[{\"filename\":\"../a b.txt\","
		"\"mimeType\":\"text/plain\",\"bytes\":10,\"path\":\"%s\"},"
		"{\"filename\":\"b.bin\",\"data\":\"aGk=\"}]",
		path);
	prompt_with(&f, PLANE_GATEWAY, binding, "k1", more);
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "command.payload.attachments"),
		"[{\"filename\":\"a b.txt\",\"mimeType\":\"text/plain\",\"bytes\":10},"
		"{\"filename\":\"b.bin\",\"mimeType\":\"application/octet-stream\"}]");
	unlink(path); /* the gateway's own name for it goes */
	CU_ASSERT_STRING_EQUAL(f.turns[0].files, "a b.txt:text/plain:10:hello file|"
						 "b.bin:application/octet-stream:2:hi|");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.attachments"),
		"[{\"filename\":\"a b.txt\",\"mime\":\"text/plain\",\"size\":10},"
		"{\"filename\":\"b.bin\",\"mime\":\"application/"
		"octet-stream\",\"size\":2}"
		"]");
	/* A repeat is the same command, though the gateway's file is gone. */
	prompt_with(&f, PLANE_GATEWAY, binding, "k1", more);
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_EQUAL(f.turn_count, 1);
	/* And an attempt after a restart has them again. */
	f.repeatable = true;
	fixture_restart(&f);
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 2);
	CU_ASSERT_STRING_EQUAL(f.turns[1].files, f.turns[0].files);
	stream.exchange = NULL;
	fixture_close(&stream);
	fixture_finish(&f);
}

static void files_alone_are_a_prompt(void)
{
	struct fixture f;
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	prompt_with(&f, PLANE_OPERATOR, binding, "k1",
		",\"attachments\":[{\"filename\":\"a\",\"data\":\"aGk=\"}]");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_EQUAL(f.turns[0].text, "");
	prompt_with(&f, PLANE_OPERATOR, binding, "k2", ",\"attachments\":[]");
	CU_ASSERT_EQUAL(f.status, 400);
	fixture_finish(&f);
}

static void bad_files_are_refused(void)
{
	static const struct {
		const char *more;
		int status;
		const char *code;
	} table[] = {
		{"{\"filename\":\"a\",\"path\":\"/etc/hostname\"}", 403,
			"authorization.principal_denied"},
		{"{\"filename\":\"a\"}", 400, "attachments.invalid"},
		{"{\"data\":\"aGk=\"}", 400, "attachments.invalid"},
		{"{\"filename\":\"a\",\"data\":\"a!\"}", 400, "attachments.invalid"},
		{"{\"filename\":\"a\",\"data\":7}", 400, "attachments.invalid"},
		{"7", 400, "attachments.invalid"},
	};
	struct fixture f;
	const char *binding;
	char more[2048];
	size_t used;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(more, sizeof(more), ",\"text\":\"x\",\"attachments\":[%s]",
			table[i].more);
		prompt_with(&f, PLANE_OPERATOR, binding, "k1", more);
		CU_ASSERT_EQUAL(f.status, table[i].status);
		CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), table[i].code);
	}
	/* A directory, and what is not there. */
	prompt_with(&f, PLANE_GATEWAY, binding, "k1",
		",\"text\":\"x\",\"attachments\":[{\"filename\":\"a\",\"path\":\"/"
		"tmp\"}]");
	CU_ASSERT_EQUAL(f.status, 400);
	prompt_with(&f, PLANE_GATEWAY, binding, "k1",
		",\"text\":\"x\",\"attachments\":[{\"filename\":\"a\",\"path\":"
		"\"/nonexistent/x\"}]");
	CU_ASSERT_EQUAL(f.status, 400);
	used = (size_t)snprintf(more, sizeof(more), ",\"text\":\"x\",\"attachments\":[");
	for (int i = 0; i <= FILE_PROMPT; i++)
		used += (size_t)snprintf(more + used, sizeof(more) - used,
			"%s{\"filename\":\"a\",\"data\":\"aGk=\"}", i == 0 ? "" : ",");
	snprintf(more + used, sizeof(more) - used, "]");
	prompt_with(&f, PLANE_OPERATOR, binding, "k1", more);
	CU_ASSERT_EQUAL(f.status, 413);
	CU_ASSERT_EQUAL(f.turn_count, 0);
	CU_ASSERT_EQUAL(kept_files(&f), 0);
	fixture_finish(&f);
}

/* ---- what the agent makes ---- */

static void make(struct agent_turn *turn, const char *id, const char *name,
	const char *bytes, const char *path)
{
	const struct agent_artifact artifact = {.id = id,
		.filename = name,
		.mime_type = "text/plain",
		.data = bytes,
		.length = bytes == NULL ? 0 : strlen(bytes),
		.path = path};

	turn->sink.artifact(turn->arg, &artifact);
}

static void artifacts_are_kept_and_announced(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;
	char id[128], path[256];

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "make", "k1");
	fixture_open(&f, &stream, path_of(binding, "/events"), "after=3");
	make(&f.turns[0], "one", "out/a b.txt", "some bytes", NULL);
	fixture_settle(&f);
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream), "artifact.created");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.filename"), "a b.txt");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.mime"), "text/plain");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.size"), "10");
	snprintf(id, sizeof(id), "%s", json_at(stream.last, "payload.artifactId"));
	snprintf(path, sizeof(path), "cloud-artifact://%s/a%%20b.txt", id);
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.filePath"), path);
	/* The same one again replaces it. */
	make(&f.turns[0], "one", "a b.txt", "others", NULL);
	end(&f, &f.turns[0]);
	CU_ASSERT_STRING_EQUAL(
		fixture_types(&stream), "artifact.created artifact.updated session.idle");
	snprintf(path, sizeof(path), "/artifacts/%s", id);
	fixture_call(&f, "GET", path_of(binding, path), NULL);
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "artifact.dataBase64"), "b3RoZXJz");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "artifact.contentType"), "text/plain");
	/* In memory the path will do; over HTTP it is not told. */
	snprintf(path, sizeof(path), "/artifacts/%s?transfer=path", id);
	fixture_call(&f, "GET", path_of(binding, path), NULL);
	CU_ASSERT_EQUAL(access(fixture_text(&f, "artifact.path"), R_OK), 0);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "artifact.dataBase64"), "");
	fixture_call_as(&f, PLANE_OPERATOR, "GET", path_of(binding, path), NULL);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "artifact.path"), "");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "artifact.dataBase64"), "b3RoZXJz");
	/* Another chat does not see it. */
	fixture_call(&f, "GET",
		(snprintf(path, sizeof(path), "/artifacts/%s", id),
			path_of(fixture_bind(&f, "c2"), path)),
		NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	fixture_call(&f, "GET", path_of(binding, "/snapshot"), NULL);
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "projection.view.artifacts.0.artifactId"), id);
	fixture_close(&stream);
	fixture_finish(&f);
}

static void a_file_that_cannot_be_kept_is_told(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding, *path = spool("x");
	char sentence[128];

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "make", "k1");
	fixture_open(&f, &stream, path_of(binding, "/events"), "after=3");
	CU_ASSERT_EQUAL(truncate(path, AGENT_ARTIFACT + 1), 0);
	make(&f.turns[0], NULL, "large.iso", NULL, path);
	fixture_settle(&f);
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream), "assistant.message");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.content"),
		"The file large.iso could not be kept: the file is larger than 25 MiB.");
	unlink(path);
	make(&f.turns[0], NULL, "gone", NULL, path);
	fixture_settle(&f);
	snprintf(sentence, sizeof(sentence), "%.33s",
		json_at(stream.last, "payload.content"));
	CU_ASSERT_STRING_EQUAL(sentence, "The file gone could not be kept: ");
	end(&f, &f.turns[0]);
	CU_ASSERT_EQUAL(kept_files(&f), 0);
	fixture_close(&stream);
	fixture_finish(&f);
}

static void old_files_go(void)
{
	struct fixture f;
	const char *binding;
	char path[256], kept[256];

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "make", "k1");
	make(&f.turns[0], "one", "a", "1", NULL);
	fixture_settle(&f);
	fixture_call(&f, "GET", path_of(binding, "/snapshot"), NULL);
	snprintf(path, sizeof(path), "/artifacts/%s?transfer=path",
		fixture_text(&f, "projection.view.artifacts.0.artifactId"));
	fixture_call(&f, "GET", path_of(binding, path), NULL);
	snprintf(kept, sizeof(kept), "%s", fixture_text(&f, "artifact.path"));
	f.now += FILE_KEEP_MS + 1;
	fixture_call(&f, "GET", path_of(binding, path), NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	CU_ASSERT_EQUAL(access(kept, F_OK), 0);
	f.now += 60 * 60 * 1000;
	make(&f.turns[0], "two", "b", "2", NULL);
	end(&f, &f.turns[0]);
	CU_ASSERT_NOT_EQUAL(access(kept, F_OK), 0);
	CU_ASSERT_EQUAL(kept_files(&f), 1);
	fixture_finish(&f);
}

static void orphans_are_swept_at_the_start(void)
{
	struct fixture f;
	char path[256], own[256];
	const char *binding;
	FILE *file;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "make", "k1");
	make(&f.turns[0], "one", "a", "1", NULL);
	end(&f, &f.turns[0]);
	fixture_call(&f, "GET", path_of(binding, "/snapshot"), NULL);
	snprintf(own, sizeof(own), "%s.files/%s", f.path,
		fixture_text(&f, "projection.view.artifacts.0.artifactId"));
	snprintf(path, sizeof(path), "%s.files/artifact_left.part", f.path);
	file = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fclose(file);
	fixture_restart(&f);
	CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
	CU_ASSERT_EQUAL(access(own, F_OK), 0);
	fixture_finish(&f);
}

/* ---- agents ---- */

static void agents_are_chosen(void)
{
	struct fixture f;
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_call(&f, "GET", "/api/channels/agents", NULL);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "agents"),
		"[{\"name\":\"default\",\"backend\":\"script\",\"model\":\"script-1\"},"
		"{\"name\":\"other\",\"backend\":\"other-backend\",\"model\":\"o-2\"}]");
	fixture_prompt(&f, binding, "hello", "k1");
	CU_ASSERT_FALSE(f.turns[0].other);
	fixture_call(&f, "POST", path_of(binding, "/agent"), "{\"agent\":\"other\"}");
	CU_ASSERT_EQUAL(f.status, 409);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "agents.busy");
	f.turns[0].sink.bound(f.turns[0].arg, "runtime-1");
	end(&f, &f.turns[0]);
	fixture_call(&f, "POST", path_of(binding, "/agent"), "{\"agent\":\"other\"}");
	CU_ASSERT_EQUAL(f.status, 200);
	fixture_restart(&f);
	fixture_prompt(&f, binding, "hello", "k2");
	CU_ASSERT_TRUE(f.turns[1].other);
	CU_ASSERT_STRING_EQUAL(f.turns[1].runtime_session_id, "");
	CU_ASSERT_STRING_EQUAL(f.turns[1].history, ""); /* it remembers by itself */
	end(&f, &f.turns[1]);
	fixture_call(&f, "GET", path_of(binding, ""), NULL);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "agent"), "other");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "model"), "o-2");
	fixture_call(&f, "POST", path_of(binding, "/agent"), "{\"agent\":\"nobody\"}");
	CU_ASSERT_EQUAL(f.status, 404);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "error"),
		"There is no agent called nobody. Known here: default and other.");
	fixture_finish(&f);
}

static void prompts_and_channels_name_agents(void)
{
	struct fixture f;
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	prompt_with(
		&f, PLANE_GATEWAY, binding, "k1", ",\"text\":\"x\",\"agent\":\"other\"");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_TRUE(f.turns[0].other);
	CU_ASSERT_STRING_EQUAL(f.turns[0].agent, "build");
	end(&f, &f.turns[0]);
	prompt_with(
		&f, PLANE_GATEWAY, binding, "k2", ",\"text\":\"x\",\"agent\":\"plan\"");
	CU_ASSERT_EQUAL(f.status, 404);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "agents.unknown");
	f.channels[0].agent = "other"; /* which has agents of its own */
	fixture_restart(&f);
	prompt_with(
		&f, PLANE_GATEWAY, binding, "k3", ",\"text\":\"x\",\"agent\":\"plan\"");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_TRUE(f.turns[1].other);
	CU_ASSERT_STRING_EQUAL(f.turns[1].agent, "plan");
	fixture_finish(&f);
}

/* ---- a message while the agent works ---- */

static void a_message_steers_the_running_turn(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start(&f);
	f.channels[0].mode = PLANE_STEER;
	f.steers = true;
	fixture_restart(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "hello", "k1");
	fixture_open(&f, &stream, path_of(binding, "/events"), "after=3");
	fixture_prompt(&f, binding, "faster", "k2");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_EQUAL(f.turns[0].steered, "faster");
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream), "prompt.submitted");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.text"), "faster");
	/* Where it cannot be taken it waits. */
	f.steers = false;
	fixture_prompt(&f, binding, "later", "k3");
	CU_ASSERT_STRING_EQUAL(f.turns[0].steered, "faster");
	end(&f, &f.turns[0]);
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 2);
	CU_ASSERT_STRING_EQUAL(f.turns[1].text, "later");
	/* A repeat of what was taken in is no new prompt. */
	fixture_prompt(&f, binding, "faster", "k2");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "command.status"), "acked");
	CU_ASSERT_EQUAL(f.turn_count, 2);
	fixture_close(&stream);
	fixture_finish(&f);
}

static void a_message_interrupts_the_running_turn(void)
{
	struct fixture f;
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "hello", "k1");
	prompt_with(&f, PLANE_GATEWAY, binding, "k2",
		",\"text\":\"no, this\",\"mode\":\"interrupt\"");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_TRUE(f.turns[0].cancelled);
	f.turns[0].sink.ended(f.turns[0].arg, AGENT_CANCELLED, NULL);
	fixture_settle(&f);
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 2);
	CU_ASSERT_STRING_EQUAL(f.turns[1].text, "no, this");
	prompt_with(&f, PLANE_GATEWAY, binding, "k3",
		",\"text\":\"x\",\"mode\":\"sideways\"");
	CU_ASSERT_EQUAL(f.status, 400);
	fixture_prompt(&f, binding, "and this", "k4"); /* the default: it waits */
	CU_ASSERT_FALSE(f.turns[1].cancelled);
	CU_ASSERT_EQUAL(f.turn_count, 2);
	fixture_finish(&f);
}

UNIT_SUITE(prompts, UNIT_TEST(files_reach_the_agent), UNIT_TEST(files_alone_are_a_prompt),
	UNIT_TEST(bad_files_are_refused), UNIT_TEST(artifacts_are_kept_and_announced),
	UNIT_TEST(a_file_that_cannot_be_kept_is_told), UNIT_TEST(old_files_go),
	UNIT_TEST(orphans_are_swept_at_the_start), UNIT_TEST(agents_are_chosen),
	UNIT_TEST(prompts_and_channels_name_agents),
	UNIT_TEST(a_message_steers_the_running_turn),
	UNIT_TEST(a_message_interrupts_the_running_turn));
