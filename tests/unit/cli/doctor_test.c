/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli/rig.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#define K "OPEN_COWORK_GATEWAY_"
#define WELL \
	"{\"version\":\"" COWGATE_VERSION \
	"\",\"ready\":{\"ok\":true},\"providers\":[],\"store\":{\"state\":\"ok\"}}"

static const struct rig_answer runs[] = {
	RIG_ANSWER("GET /diagnostics", 200, WELL), RIG_ANSWERS_END};
/* Nothing of this host's service manager. */
static const char *const plain[] = {
	"PATH={home}", K "CLI_ENABLED=true", K "AGENT_BACKEND=echo", NULL};

static void begin(struct rig *rig)
{
	rig_begin(rig);
	rig->answers = runs;
	rig->environment = plain;
	rig_write(rig, "admin-token", "t", 0600);
}

static void a_sound_gateway_has_no_fault(void)
{
	struct rig rig;

	begin(&rig);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_doctor, "doctor", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.requests, "GET /diagnostics\n"));
	CU_ASSERT_PTR_NULL(strstr(rig.out, "fault "));
	CU_ASSERT_TRUE(rig_has(rig.out, "ok       settings "));
	CU_ASSERT_TRUE(rig_has(rig.out, "telegram ")); /* the modules, each by name */
	CU_ASSERT_TRUE(rig_has(rig.out, " is its owner's alone\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, "ok       clock "));
	CU_ASSERT_TRUE(rig_has(rig.out, "disk sync "));
	CU_ASSERT_TRUE(rig_has(rig.out, "ok       exposure             it listens on "
					"127.0.0.1, for this host alone\n"));
	CU_ASSERT_TRUE(rig_has(rig.out,
		"ok       service              no service manager of this user"));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_doctor, "doctor", "--json", NULL), CLI_OK);
	CU_ASSERT_EQUAL(strstr(rig.out, "{\"ok\":true,\"findings\":[{\"level\":\"ok\","),
		rig.out);
	rig_end(&rig);
}

static void what_others_can_read_is_a_fault(void)
{
	struct rig rig;

	begin(&rig);
	rig_write(&rig, "admin-token", "t", 0640);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_doctor, "doctor", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(
		rig_has(rig.out, "/admin-token can be read by others (mode 0640)\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, "→ take the rights of others away"));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_doctor, "doctor", "--json", NULL), CLI_FAILED);
	CU_ASSERT_EQUAL(strstr(rig.out, "{\"ok\":false,"), rig.out);
	rig_end(&rig);
}

static void a_store_that_is_broken_or_of_the_future_is_a_fault(void)
{
	const struct utimbuf later = {
		.actime = time(NULL) + 7200, .modtime = time(NULL) + 7200};
	struct rig rig;

	begin(&rig);
	rig_write(&rig, "journal.db", "this is no store at all, is it?", 0600);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_doctor, "doctor", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_has(rig.out, "fault    journal.db "));
	CU_ASSERT_TRUE(rig_has(rig.out, "ok       clock "));
	CU_ASSERT_EQUAL(utime(rig_path(&rig, "journal.db"), &later), 0);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_doctor, "doctor", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(
		rig_has(rig.out, "fault    clock                it is earlier than "
				 "what has been stored\n"));
	rig_end(&rig);
}

/* The platform is asked by whoever knows the token: the gateway, while it runs. */
static void only_without_a_gateway_platforms_are_asked(void)
{
	static const char *const telegram[] = {"PATH={home}", K "AGENT_BACKEND=echo",
		K "TELEGRAM_BOT_TOKEN=42:secret",
		K "TELEGRAM_API_BASE_URL=http://127.0.0.1:{port}", NULL};
	struct rig rig;

	begin(&rig);
	rig.environment = telegram;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_doctor, "doctor", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.requests, "GET /diagnostics\n"));
	rig.answers = NULL; /* nor when it does not say how it is */
	CU_ASSERT_EQUAL(rig_run(&rig, cli_doctor, "doctor", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.requests, "GET /diagnostics\n"));
	rig.gateway = RIG_ABSENT;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_doctor, "doctor", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.requests, "GET /bot42:secret/getMe\n"));
	CU_ASSERT_TRUE(
		rig_has(rig.out, "warning  gateway              no gateway runs here\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, "Telegram refuses the token: 404"));
	rig_end(&rig);
}

static void a_gateway_that_says_nothing_is_a_warning(void)
{
	static const struct rig_answer hidden[] = {
		RIG_ANSWER("GET /diagnostics", 404, "{}"), RIG_ANSWERS_END};
	struct rig rig;

	begin(&rig);
	rig.answers = hidden;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_doctor, "doctor", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.out, "warning  gateway              it runs, but says "
					"nothing of itself (404)\n"));
	rig_end(&rig);
}

static void who_can_reach_it_is_told(void)
{
	static const char *const open[] = {"PATH={home}", K "TELEGRAM_BOT_TOKEN=1:x",
		K "AGENT_BACKEND=echo", K "HOST=0.0.0.0", K "PORT=8123",
		K "ADMIN_TOKEN=0123456789abcdef0123456789abcdef", NULL};
	struct rig rig;

	begin(&rig);
	rig.environment = open;
	rig_run(&rig, cli_doctor, "doctor", NULL);
	CU_ASSERT_TRUE(rig_has(rig.out, "warning  exposure             it listens on "
					"0.0.0.0 port 8123, in clear text\n"));
	rig_end(&rig);
}

static void a_service_is_looked_at(void)
{
	struct rig rig;

	begin(&rig);
	rig_write(&rig, "systemctl",
		"#!/bin/sh\n[ \"$1\" = --user ] && shift\n"
		"[ \"$1\" = cat ] && exit 0\necho failed\nexit 3\n",
		0700);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_doctor, "doctor", NULL), CLI_OK);
	CU_ASSERT_TRUE(
		rig_has(rig.out, "warning  service              the service cowgate "
				 "is failed\n"));
	rig_write(&rig, "systemctl", "#!/bin/sh\necho active\n", 0700);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_doctor, "doctor", NULL), CLI_OK);
	CU_ASSERT_TRUE(
		rig_has(rig.out, "ok       service              cowgate is active\n"));
	rig_end(&rig);
}

static void wrong_settings_do_not_end_the_visit(void)
{
	static const char *const wrong[] = {
		"PATH={home}", K "CLI_ENABLED=true", K "AGENT_BACKEND=openai", NULL};
	static const char *const lost[] = {
		"PATH={home}", K "ENV_FILE=/nonexistent/env", NULL};
	struct rig rig;

	begin(&rig);
	rig.environment = wrong;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_doctor, "doctor", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(
		rig_has(rig.out, "fault    settings             " K "AGENT_URL: "));
	CU_ASSERT_TRUE(rig_has(rig.out, "ok       clock "));
	rig.environment = lost;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_doctor, "doctor", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(
		rig_has(rig.out, "fault    settings             they cannot be read\n"));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_doctor, "doctor", "all", NULL), CLI_USAGE);
	CU_ASSERT_TRUE(
		rig_same(rig.err, "cowgate doctor: it takes --json and nothing else\n"
				  "usage: cowgate doctor [--json]\n"));
	rig_end(&rig);
}

UNIT_SUITE(doctor, UNIT_TEST(a_sound_gateway_has_no_fault),
	UNIT_TEST(what_others_can_read_is_a_fault),
	UNIT_TEST(a_store_that_is_broken_or_of_the_future_is_a_fault),
	UNIT_TEST(only_without_a_gateway_platforms_are_asked),
	UNIT_TEST(a_gateway_that_says_nothing_is_a_warning),
	UNIT_TEST(who_can_reach_it_is_told), UNIT_TEST(a_service_is_looked_at),
	UNIT_TEST(wrong_settings_do_not_end_the_visit));
