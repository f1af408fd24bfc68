/* SPDX-License-Identifier: Apache-2.0 */
/* Telegram's webhook mode, the lock, and what else only this kind has. */
#include "tests/contract/subject.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECRET "hook-Secret_1"
#define URL "https://gateway.example.org/webhooks/telegram"
#define UPDATE(update) \
	"{\"update_id\":" #update ",\"message\":{\"message_id\":5,\"chat\":{\"id\":9," \
	"\"type\":\"private\"},\"from\":{\"id\":9,\"first_name\":\"A\"},\"text\":" \
	"\"hi\"}}"

static const struct settings_pair hook_settings[] = {
	{"botToken", TELEGRAM_TOKEN},
	{"mode", "webhook"},
	{"webhookSecret", SECRET},
	{"publicBaseUrl", "https://gateway.example.org/"},
	{"lockDirectory", "."},
	{NULL, NULL},
};

/* One request, and how it was answered. */
static struct {
	struct cg_webhook_request request;
	const char *secret;
	int answers;
	enum cg_webhook_result result;
} visit;

static const char *header(const struct cg_webhook_request *request, const char *name)
{
	(void)request;
	return strcmp(name, "x-telegram-bot-api-secret-token") == 0 ? visit.secret : NULL;
}

static void answer(
	struct cg_webhook_request *request, const struct cg_webhook_answer *given)
{
	CU_ASSERT_PTR_EQUAL(request, &visit.request);
	visit.answers++;
	visit.result = given->result;
}

static void call_us(struct rig *rig, const char *secret, const char *body)
{
	visit.request = (struct cg_webhook_request){.size = sizeof(visit.request),
		.method = "POST",
		.path = "",
		.query = "",
		.client = "149.154.167.1",
		.body = body,
		.body_length = strlen(body),
		.header = header,
		.answer = answer};
	visit.secret = secret;
	visit.answers = 0;
	rig->provider->ops->webhook(rig->self, &visit.request);
}

static void check_visit(struct rig *rig, const char *secret, const char *body,
	enum cg_webhook_result result)
{
	call_us(rig, secret, body);
	CU_ASSERT_EQUAL(visit.answers, 1);
	CU_ASSERT_EQUAL(visit.result, result);
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 0);
}

static void yes(struct rig *rig, const char *method)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(host_fake_open_poll(rig->host));
	CU_ASSERT_PTR_NOT_NULL(strstr(host_fake_open_poll(rig->host)->url, method));
	host_fake_answer(
		host_fake_open_poll(rig->host), 200, "{\"ok\":true,\"result\":true}");
}

static void info(struct rig *rig, const char *more)
{
	char body[512];

	CU_ASSERT_PTR_NOT_NULL_FATAL(host_fake_open_poll(rig->host));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_poll(rig->host)->url, "/getWebhookInfo"));
	snprintf(body, sizeof(body), "{\"ok\":true,\"result\":{\"url\":\"%s}}", more);
	host_fake_answer(host_fake_open_poll(rig->host), 200, body);
}

static struct rig *up(void)
{
	struct rig *rig = module_rig("telegram", hook_settings);

	rig_up(rig);
	host_fake_answer(host_fake_open_poll(rig->host), 200,
		"{\"ok\":true,\"result\":{\"id\":42,\"username\":\"CowBot\"}}");
	return rig;
}

static struct rig *listening(void)
{
	struct rig *rig = up();

	yes(rig, "/setWebhook");
	yes(rig, "/setMyCommands");
	info(rig, URL "\",\"pending_update_count\":0");
	return rig;
}

static void the_webhook_is_set_with_its_secret(void)
{
	struct rig *rig = up();

	CU_ASSERT_STRING_EQUAL(host_fake_open_poll(rig->host)->body,
		"{\"url\":\"" URL "\",\"secret_token\":\"" SECRET
		"\",\"allowed_updates\":[\"message\",\"channel_post\",\"callback_query\"]"
		"}");
	yes(rig, "/setWebhook");
	yes(rig, "/setMyCommands");
	CU_ASSERT_TRUE(rig->host->health.inbound != CG_HEALTH_UP);
	info(rig, URL "\",\"pending_update_count\":0");
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
	rig_destroy(rig);
}

static void only_the_secret_opens(void)
{
	struct rig *rig = listening();

	check_visit(rig, NULL, UPDATE(1), CG_WEBHOOK_DENIED);
	check_visit(rig, "", UPDATE(1), CG_WEBHOOK_DENIED);
	check_visit(rig, "hook-Secret_", UPDATE(1), CG_WEBHOOK_DENIED);
	check_visit(rig, "hook-Secret_2", UPDATE(1), CG_WEBHOOK_DENIED);
	check_visit(rig, SECRET "x", UPDATE(1), CG_WEBHOOK_DENIED);
	check_visit(rig, SECRET, "no JSON", CG_WEBHOOK_BAD);
	check_visit(rig, SECRET, "[]", CG_WEBHOOK_BAD);
	check_visit(rig, SECRET, "{\"update_id\":1}", CG_WEBHOOK_ACCEPTED);
	rig_destroy(rig);
	/* Polling has no secret, so it has no way in. */
	rig = subject_up(&subject_telegram);
	check_visit(rig, NULL, UPDATE(1), CG_WEBHOOK_DENIED);
	check_visit(rig, "", UPDATE(1), CG_WEBHOOK_DENIED);
	rig_destroy(rig);
}

static void the_answer_waits_for_the_commit(void)
{
	static const struct {
		enum cg_verdict verdict;
		enum cg_webhook_result result;
	} ends[] = {
		{CG_VERDICT_COMMITTED, CG_WEBHOOK_ACCEPTED},
		{CG_VERDICT_DUPLICATE, CG_WEBHOOK_ACCEPTED},
		{CG_VERDICT_UNAVAILABLE, CG_WEBHOOK_UNAVAILABLE},
		/* Refused, it would come again for ever. */
		{CG_VERDICT_INVALID, CG_WEBHOOK_ACCEPTED},
	};
	struct rig *rig = listening();

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		call_us(rig, SECRET, UPDATE(1));
		CU_ASSERT_EQUAL(visit.answers, 0);
		host_fake_verdict(rig->host, ends[i].verdict);
		CU_ASSERT_EQUAL(visit.answers, 1);
		CU_ASSERT_EQUAL(visit.result, ends[i].result);
	}
	rig_destroy(rig);
}

static void nobody_waits_for_a_gateway_that_goes(void)
{
	struct rig *rig = up();

	/* Before it knows its own name. */
	rig->provider->ops->stop(rig->self);
	check_visit(rig, SECRET, UPDATE(1), CG_WEBHOOK_UNAVAILABLE);
	rig_destroy(rig);
	rig = listening();
	call_us(rig, SECRET, UPDATE(1));
	rig_destroy(rig);
	CU_ASSERT_EQUAL(visit.answers, 1);
	CU_ASSERT_EQUAL(visit.result, CG_WEBHOOK_UNAVAILABLE);
}

static void what_telegram_says_is_believed(void)
{
	struct rig *rig = listening();
	char more[256];

	for (int i = 0; i < 3; i++) {
		host_fake_pass(rig->host, 60000);
		snprintf(more, sizeof(more),
			URL "\",\"pending_update_count\":3,\"last_error_date\":%lld,"
			    "\"last_error_message\":\"Connection refused\"",
			(long long)(rig->host->wall_ms / 1000));
		info(rig, more);
		CU_ASSERT_EQUAL(rig->host->health.inbound,
			i == 0 ? CG_HEALTH_DEGRADED : CG_HEALTH_DOWN);
		CU_ASSERT_PTR_NOT_NULL(
			strstr(rig->host->health_detail, "Connection refused"));
	}
	call_us(rig, SECRET, UPDATE(1));
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	host_fake_pass(rig->host, 60000);
	info(rig, "\"");
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_DOWN);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig->host->health_detail, "removed"));
	host_fake_pass(rig->host, 60000);
	info(rig, "https://other.example.org/\"");
	CU_ASSERT_PTR_NOT_NULL(strstr(rig->host->health_detail, "of its own"));
	rig_destroy(rig);
}

static void a_url_that_is_refused_is_said(void)
{
	struct rig *rig = up();

	host_fake_answer(host_fake_open_poll(rig->host), 400,
		"{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: bad "
		"webhook\"}");
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_DOWN);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig->host->health_detail, "publicBaseUrl"));
	rig_destroy(rig);
}

static void check_create(const char *name, const char *value, enum cg_status expected)
{
	struct settings_pair pairs[sizeof(hook_settings) / sizeof(*hook_settings) + 1];
	struct cg_error err = {.text = ""};
	struct rig *rig;
	size_t count = 0;

	for (; hook_settings[count].name != NULL; count++) {
		pairs[count] = hook_settings[count];
		if (strcmp(pairs[count].name, name) == 0)
			pairs[count].value = value;
	}
	pairs[count++] = (struct settings_pair){name, value};
	pairs[count] = (struct settings_pair){NULL, NULL};
	rig = module_rig("telegram", pairs);
	CU_ASSERT_EQUAL(rig_create(rig, &err), expected);
	CU_ASSERT_TRUE(expected == CG_OK || strstr(err.text, name) != NULL);
	rig_destroy(rig);
}

static void settings_of_the_way_are_judged(void)
{
	check_create("webhookSecret", "", CG_INVALID);
	check_create("webhookSecret", "with space", CG_INVALID);
	check_create("publicBaseUrl", "", CG_INVALID);
	check_create("publicBaseUrl", "http://gateway.example.org", CG_INVALID);
	check_create("publicBaseUrl", "https://127.0.0.1", CG_INVALID);
	check_create("publicBaseUrl", "https://gateway.example.org:8443/x", CG_OK);
	check_create("proxy", "ftp://proxy.example.org", CG_INVALID);
	check_create("proxy", "socks5h://u:p@proxy.example.org:1080", CG_OK);
	check_create("caFile", "/nonexistent.pem", CG_NOT_FOUND);
	check_create("lockDirectory", "/nonexistent", CG_NOT_FOUND);
}

static void proxy_and_trust_go_with_every_exchange(void)
{
	const struct settings_pair pairs[] = {
		{"botToken", TELEGRAM_TOKEN},
		{"proxy", "http://user:proxy-pass@proxy.example.org:3128"},
		{"caFile", "/dev/null"},
		{"lockDirectory", "."},
		{NULL, NULL},
	};
	struct rig *rig = module_rig("telegram", pairs);
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	rig_up(rig);
	CU_ASSERT_STRING_EQUAL(host_fake_open_poll(rig->host)->proxy, pairs[1].value);
	CU_ASSERT_STRING_EQUAL(host_fake_open_poll(rig->host)->ca_file, "/dev/null");
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_STRING_EQUAL(host_fake_open_call(rig->host)->proxy, pairs[1].value);
	CU_ASSERT_STRING_EQUAL(host_fake_open_call(rig->host)->ca_file, "/dev/null");
	rig_destroy(rig);
}

/* Another process of this host with the same bot: it is told by whom. */
static void one_process_of_a_host_has_the_bot(void)
{
	struct rig *rig = subject_up(&subject_telegram);
	struct cg_error err = {.text = ""};
	char expected[64];
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		struct rig *other = module_rig("telegram", subject_telegram.settings);

		snprintf(expected, sizeof(expected), "process %ld ", (long)getppid());
		if (rig_create(other, NULL) != CG_OK ||
			other->provider->ops->start(other->self, &err) != CG_BUSY ||
			strstr(err.text, expected) == NULL)
			_exit(1);
		_exit(0);
	}
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
	rig->provider->ops->stop(rig->self);
	child = fork();
	if (child == 0) {
		struct rig *other = module_rig("telegram", subject_telegram.settings);

		if (rig_create(other, NULL) != CG_OK ||
			other->provider->ops->start(other->self, &err) != CG_OK)
			_exit(1);
		other->provider->ops->stop(other->self);
		_exit(0);
	}
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
	rig_destroy(rig);
}

UNIT_SUITE(telegram_hook, UNIT_TEST(the_webhook_is_set_with_its_secret),
	UNIT_TEST(only_the_secret_opens), UNIT_TEST(the_answer_waits_for_the_commit),
	UNIT_TEST(nobody_waits_for_a_gateway_that_goes),
	UNIT_TEST(what_telegram_says_is_believed),
	UNIT_TEST(a_url_that_is_refused_is_said),
	UNIT_TEST(settings_of_the_way_are_judged),
	UNIT_TEST(proxy_and_trust_go_with_every_exchange),
	UNIT_TEST(one_process_of_a_host_has_the_bot));
