/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/probe.h"
#include "cli/settings.h"
#include "tests/unit/cli/rig.h"

#include <string.h>

#define K "OPEN_COWORK_GATEWAY_"
#define ASKED "GET /cloud/api/channels/deliveries?limit=1"
#define NOBODY "{\"error\":\"No.\"}"

static int probe(int argc, char **argv)
{
	struct findings findings = {.items = NULL};
	struct settings settings;

	(void)argc;
	(void)argv;
	if (settings_load_used(&settings) == CG_OK && settings_report(&settings))
		probe_cloud(settings.config, &findings);
	findings_print(&findings);
	findings_finish(&findings);
	settings_finish(&settings);
	return 0;
}

/* Two channels, of which one rests. */
static const char *const environment[] = {
	"OPEN_COWORK_CLOUD_BASE_URL=http://127.0.0.1:{port}/cloud",
	K "SERVICE_TOKEN=token-of-a-service", K "ADMIN_TOKEN=0123456789abcdef",
	K "PROVIDERS=["
	  "{\"id\":\"cli-desk\",\"kind\":\"cli\",\"channelBindingId\":\"b/1\"},"
	  "{\"id\":\"cli-rests\",\"kind\":\"cli\",\"channelBindingId\":\"b-2\","
	  "\"enabled\":false}]",
	NULL};

static void the_cloud_is_asked_and_then_for_each_channel(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER(ASKED, 200, "{\"deliveries\":[]}"),
		RIG_ANSWER(ASKED "&channelBindingId=b%2F1", 403, NOBODY),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = environment;
	rig.answers = answers;
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "probe", NULL), 0);
	CU_ASSERT_TRUE(
		rig_same(rig.requests, ASKED "\n" ASKED "&channelBindingId=b%2F1\n"));
	CU_ASSERT_TRUE(
		rig_has(rig.heads, "Authorization: Bearer token-of-a-service\r\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, "ok       cloud "));
	CU_ASSERT_TRUE(rig_has(rig.out, "fault    cloud cli-desk "));
	CU_ASSERT_PTR_NULL(strstr(rig.out, "rests"));
	CU_ASSERT_PTR_NULL(strstr(rig.out, "token-of-a-service"));
	rig_end(&rig);
}

static void who_is_refused_does_not_ask_further(void)
{
	static const struct rig_answer refused[] = {
		RIG_ANSWER(ASKED, 401, NOBODY), RIG_ANSWERS_END};
	static const struct rig_answer silent[] = {
		RIG_ANSWER(ASKED, RIG_HANG_UP, NULL), RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = environment;
	rig.answers = refused;
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "probe", NULL), 0);
	CU_ASSERT_TRUE(rig_same(rig.requests, ASKED "\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, "fault    cloud "));
	rig.answers = silent;
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "probe", NULL), 0);
	CU_ASSERT_TRUE(rig_same(rig.requests, ASKED "\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, "fault    cloud "));
	rig_end(&rig);
}

/* Its clock is judged where it told the time. */
static void a_clock_that_is_wrong_is_seen(void)
{
	static const char body[] =
		"HTTP/1.1 200 OK\r\nDate: Wed, 01 Jan 2020 00:00:00 GMT\r\n"
		"Connection: close\r\nContent-Length: 17\r\n\r\n{\"deliveries\":[]}";
	static const struct rig_answer answers[] = {
		RIG_ANSWER(ASKED, RIG_RAW, body), RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = environment;
	rig.answers = answers;
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "probe", NULL), 0);
	CU_ASSERT_TRUE(rig_has(rig.out, "clock"));
	rig_end(&rig);
}

static void plain_http_is_warned_of(void)
{
	static const char *const insecure[] = {
		"OPEN_COWORK_CLOUD_BASE_URL=http://127.0.0.1:{port}/cloud",
		K "SERVICE_TOKEN=token-of-a-service", K "ADMIN_TOKEN=0123456789abcdef",
		K "ALLOW_INSECURE_HTTP=true", K "CLI_ENABLED=true", NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = insecure;
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "probe", NULL), 0);
	CU_ASSERT_EQUAL(
		strstr(rig.out, "warning  cloud                plain http is allowed: "
				"whoever is on the way reads the token\n"),
		rig.out);
	rig_end(&rig);
}

UNIT_SUITE(probe_cloud, UNIT_TEST(the_cloud_is_asked_and_then_for_each_channel),
	UNIT_TEST(who_is_refused_does_not_ask_further),
	UNIT_TEST(a_clock_that_is_wrong_is_seen), UNIT_TEST(plain_http_is_warned_of));
