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

static void files_reach_the_agent(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding, *path = spool("hello file");
	char more[512];

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_open(&f, &stream, fixture_path(binding, "/events"), "after=2");
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
	fixture_call(
		&f, "POST", fixture_path(binding, "/agent"), "{\"agent\":\"other\"}");
	CU_ASSERT_EQUAL(f.status, 409);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "agents.busy");
	f.turns[0].sink.bound(f.turns[0].arg, "runtime-1");
	agent_end(&f, &f.turns[0]);
	fixture_call(
		&f, "POST", fixture_path(binding, "/agent"), "{\"agent\":\"other\"}");
	CU_ASSERT_EQUAL(f.status, 200);
	fixture_restart(&f);
	fixture_prompt(&f, binding, "hello", "k2");
	CU_ASSERT_TRUE(f.turns[1].other);
	CU_ASSERT_STRING_EQUAL(f.turns[1].runtime_session_id, "");
	CU_ASSERT_STRING_EQUAL(f.turns[1].history, ""); /* it remembers by itself */
	agent_end(&f, &f.turns[1]);
	fixture_call(&f, "GET", fixture_path(binding, ""), NULL);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "agent"), "other");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "model"), "o-2");
	fixture_call(
		&f, "POST", fixture_path(binding, "/agent"), "{\"agent\":\"nobody\"}");
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
	agent_end(&f, &f.turns[0]);
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

UNIT_SUITE(prompts, UNIT_TEST(files_reach_the_agent), UNIT_TEST(files_alone_are_a_prompt),
	UNIT_TEST(bad_files_are_refused), UNIT_TEST(agents_are_chosen),
	UNIT_TEST(prompts_and_channels_name_agents));
