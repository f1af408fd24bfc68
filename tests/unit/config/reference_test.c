/* SPDX-License-Identifier: Apache-2.0 */
#include "config/reference.h"

#include "config_rig.h"

struct fixture {
	struct rig rig; /* for its directory and files */
	struct arena arena;
	struct environment environment;
	struct cg_secret secret;
	struct cg_error err;
};

static void begin(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	rig_begin(&fixture->rig);
	rig_env(&fixture->rig, "NAMED=from the variable");
	rig_env_path(&fixture->rig, "CREDENTIALS_DIRECTORY", ".");
	environment_init(&fixture->environment, &fixture->arena, fixture->rig.variables,
		&fixture->rig.report);
}

static void end(struct fixture *fixture)
{
	cg_secret_wipe(&fixture->secret);
	arena_finish(&fixture->arena);
	rig_end(&fixture->rig);
}

static enum cg_status resolve(
	struct fixture *fixture, const char *scheme, const char *rest)
{
	char text[256];

	snprintf(text, sizeof(text), "%s%s", scheme, rest);
	return reference_resolve(
		text, &fixture->environment, &fixture->secret, &fixture->err);
}

static void texts_and_variables(void)
{
	static const struct {
		const char *text, *value;
		enum cg_status status;
	} rows[] = {
		{"plain", "plain", CG_OK},
		{"environment:x", "environment:x", CG_OK},
		{"env:NAMED", "from the variable", CG_OK},
		{"env:MISSING", NULL, CG_NOT_FOUND},
		{"env:", NULL, CG_NOT_FOUND},
		{"cred:../x", NULL, CG_INVALID},
		{"cred:", NULL, CG_INVALID},
		{"cred:missing", NULL, CG_NOT_FOUND},
		{"file:relative", NULL, CG_INVALID},
		{"file:/nonexistent/x", NULL, CG_NOT_FOUND},
		{"file:/dev/null", NULL, CG_INVALID},
		{"file:/tmp", NULL, CG_INVALID},
	};
	struct fixture fixture;

	begin(&fixture);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CU_ASSERT_EQUAL(resolve(&fixture, rows[i].text, ""), rows[i].status);
		if (rows[i].status == CG_OK)
			CU_ASSERT_STRING_EQUAL(fixture.secret.bytes, rows[i].value);
	}
	end(&fixture);
}

static void files_must_be_closed_to_others(void)
{
	static const struct {
		mode_t mode;
		enum cg_status file, credential;
	} rows[] = {
		{0600, CG_OK, CG_OK},
		{0400, CG_OK, CG_OK},
		{0640, CG_DENIED, CG_OK},
		{0440, CG_DENIED, CG_OK},
		{0604, CG_DENIED, CG_DENIED},
		{0620, CG_DENIED, CG_DENIED},
		{0644, CG_DENIED, CG_DENIED},
	};
	struct fixture fixture;
	const char *path;

	begin(&fixture);
	path = rig_file(&fixture.rig, "token", "s3cret\n", 0600);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		chmod(path, rows[i].mode);
		CU_ASSERT_EQUAL(resolve(&fixture, "file:", path), rows[i].file);
		if (rows[i].file == CG_OK)
			CU_ASSERT_STRING_EQUAL(fixture.secret.bytes, "s3cret");
		CU_ASSERT_EQUAL(resolve(&fixture, "cred:", "token"), rows[i].credential);
	}
	/* Root checks the settings of a service, whose secrets are its user's. */
	chmod(path, 0600);
	if (geteuid() == 0 && chown(path, 4711, (gid_t)-1) == 0)
		CU_ASSERT_EQUAL(resolve(&fixture, "file:", path), CG_OK);
	end(&fixture);
}

static void one_line_break_goes(void)
{
	static const struct {
		const char *text, *value;
		enum cg_status status;
	} rows[] = {
		{"abc", "abc", CG_OK},
		{"abc\n", "abc", CG_OK},
		{" abc ", " abc ", CG_OK},
		{"abc\n\n", NULL, CG_INVALID},
		{"a\nb", NULL, CG_INVALID},
		{"", NULL, CG_INVALID},
		{"\n", NULL, CG_INVALID},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fixture fixture;
		const char *path;

		begin(&fixture);
		path = rig_file(&fixture.rig, "token", rows[i].text, 0600);
		CU_ASSERT_EQUAL(resolve(&fixture, "file:", path), rows[i].status);
		if (rows[i].status == CG_OK)
			CU_ASSERT_STRING_EQUAL(fixture.secret.bytes, rows[i].value);
		end(&fixture);
	}
}

static void files_at_their_cap(void)
{
	char text[CG_SECRET_MAX + 3];
	struct fixture fixture;
	const char *path;

	begin(&fixture);
	memset(text, 'x', CG_SECRET_MAX);
	memcpy(text + CG_SECRET_MAX, "\n", 2);
	path = rig_file(&fixture.rig, "most", text, 0600);
	CU_ASSERT_EQUAL(resolve(&fixture, "file:", path), CG_OK);
	CU_ASSERT_EQUAL(fixture.secret.length, CG_SECRET_MAX);
	memcpy(text + CG_SECRET_MAX, "x\n", 3);
	path = rig_file(&fixture.rig, "more", text, 0600);
	CU_ASSERT_EQUAL(resolve(&fixture, "file:", path), CG_LIMIT);
	text[CG_SECRET_MAX + 1] = '\0';
	CU_ASSERT_EQUAL(
		reference_resolve(text, &fixture.environment, &fixture.secret, NULL),
		CG_LIMIT);
	end(&fixture);
}

static void a_pipe_does_not_block(void)
{
	struct fixture fixture;
	char path[128];

	begin(&fixture);
	snprintf(path, sizeof(path), "%s/pipe", fixture.rig.directory);
	CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
	CU_ASSERT_EQUAL(resolve(&fixture, "file:", path), CG_INVALID);
	unlink(path);
	end(&fixture);
}

static void failure_leaves_the_secret_alone(void)
{
	struct fixture fixture;

	begin(&fixture);
	cg_secret_set(&fixture.secret, "old", 3);
	CU_ASSERT_EQUAL(resolve(&fixture, "env:", "MISSING"), CG_NOT_FOUND);
	CU_ASSERT_STRING_EQUAL(fixture.secret.bytes, "old");
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.err.text, "MISSING"));
	end(&fixture);
}

static void placeholders(void)
{
	static const struct {
		const char *text;
		bool is_placeholder;
	} rows[] = {
		{"change-me", true},
		{"CHANGE-ME-now", true},
		{" replace-with-token", true},
		{"example-token", true},
		{"Demo-1", true},
		{"example", false},
		{"my-change-me", false},
		{"demotoken", false},
	};
	struct cg_secret secret = {0};

	CU_ASSERT_FALSE(reference_is_placeholder(&secret));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cg_secret_set(&secret, rows[i].text, strlen(rows[i].text));
		CU_ASSERT_EQUAL(
			reference_is_placeholder(&secret), rows[i].is_placeholder);
	}
	cg_secret_wipe(&secret);
}

UNIT_SUITE(reference, UNIT_TEST(texts_and_variables),
	UNIT_TEST(files_must_be_closed_to_others), UNIT_TEST(one_line_break_goes),
	UNIT_TEST(files_at_their_cap), UNIT_TEST(a_pipe_does_not_block),
	UNIT_TEST(failure_leaves_the_secret_alone), UNIT_TEST(placeholders));
