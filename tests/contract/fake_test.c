/* SPDX-License-Identifier: Apache-2.0 */
/* The fake channel does what its script says, and its file tells what was delivered. */
#include "tests/contract/request.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct rig *up(const struct settings_pair *pairs)
{
	struct rig *rig = module_rig("fake", pairs);

	rig_up(rig);
	return rig;
}

static void a_script_repeats_itself(void)
{
	static const struct settings_pair pairs[] = {
		{"faults",
			"sent, rate_limited:200,not_dispatched,refused,ambiguous,lost"},
		{NULL, NULL},
	};
	static const enum cg_outcome_class classes[] = {CG_OUTCOME_SENT,
		CG_OUTCOME_RATE_LIMITED, CG_OUTCOME_NOT_DISPATCHED, CG_OUTCOME_REFUSED,
		CG_OUTCOME_AMBIGUOUS, CG_OUTCOME_AMBIGUOUS};
	struct rig *rig = up(pairs);
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	for (size_t i = 0; i < 12; i++) {
		rig_send(rig, &outbound, &sent);
		host_fake_pass(rig->host, 0);
		CU_ASSERT_EQUAL(sent.count, 1);
		CU_ASSERT_EQUAL(sent.outcome.class, classes[i % 6]);
		CU_ASSERT_EQUAL(sent.outcome.retry_after_ms, i % 6 == 1 ? 200 : -1);
		CU_ASSERT_EQUAL(sent.message_id[0] != '\0', i % 6 == 0);
	}
	rig_destroy(rig);
}

static void a_script_that_is_none_is_refused(void)
{
	static const char *const scripts[] = {"perhaps", "sent,,sent", "rate_limited:x"};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		const struct settings_pair pairs[] = {
			{"faults", scripts[i]}, {NULL, NULL}};
		struct cg_error err = {.text = ""};
		struct rig *rig = module_rig("fake", pairs);

		CU_ASSERT_EQUAL(rig_create(rig, &err), CG_INVALID);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "faults"));
		rig_destroy(rig);
	}
}

/* What is ambiguous arrives, what is lost does not; refusals never do. */
static void the_file_tells_what_arrived(void)
{
	char path[] = "/tmp/cowgate-fake-XXXXXX", lines[4096] = "";
	int fd = mkstemp(path);
	const struct settings_pair pairs[] = {
		{"outboxFile", path},
		{"faults", "sent,ambiguous,lost,refused"},
		{NULL, NULL},
	};
	struct rig *rig;
	struct host_fake_sent sent;
	int count = 0;

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	rig = up(pairs);
	for (int i = 0; i < 4; i++) {
		const char *texts[] = {"one", "two", "three", "four"};
		struct cg_outbound outbound = host_fake_text(texts[i]);

		rig_send(rig, &outbound, &sent);
	}
	host_fake_pass(rig->host, 0);
	CU_ASSERT_TRUE(read(fd, lines, sizeof(lines) - 1) > 0);
	for (const char *at = lines; *at != '\0'; at++)
		count += *at == '\n';
	CU_ASSERT_EQUAL(count, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(lines, "\"text\":\"one\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(lines, "\"text\":\"two\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(lines, "\"deliveryId\":\"delivery-1\""));
	rig_destroy(rig);
	close(fd);
	unlink(path);
}

static void a_file_that_cannot_be_written_is_no_delivery(void)
{
	static const struct settings_pair pairs[] = {
		{"outboxFile", "/nowhere/at/all"},
		{NULL, NULL},
	};
	struct rig *rig = up(pairs);
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	rig_send(rig, &outbound, &sent);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_AMBIGUOUS);
	rig_destroy(rig);
}

static void reconcile_is_a_choice(void)
{
	static const struct settings_pair key[] = {{"reconcile", "key"}, {NULL, NULL}};
	static const struct settings_pair none[] = {{NULL, NULL}};
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	struct rig *rig = up(key);

	rig->provider->ops->capabilities(rig->self, &capabilities);
	CU_ASSERT_EQUAL(capabilities.reconcile, CG_RECONCILE_IDEMPOTENCY_KEY);
	rig_destroy(rig);
	rig = up(none);
	rig->provider->ops->capabilities(rig->self, &capabilities);
	CU_ASSERT_EQUAL(capabilities.reconcile, CG_RECONCILE_NONE);
	rig_destroy(rig);
}

static void ask(struct rig *rig, struct webhook_request *request, const char *method,
	const char *body)
{
	*request = (struct webhook_request){.answers = 0};
	request_send(rig, request, method, body);
}

static void messages_come_in_unchecked(void)
{
	static const struct settings_pair none[] = {{NULL, NULL}};
	struct rig *rig = up(none);
	static struct webhook_request request;

	ask(rig, &request, "POST", "{\"text\":\"hi\"}");
	CU_ASSERT_EQUAL(request.answers, 0);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->chat_id, "fake-chat");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->sender_id, "fake-user");
	CU_ASSERT_TRUE(strncmp(host_fake_last(rig->host)->event_id, "fake-", 5) == 0);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_ACCEPTED);
	ask(rig, &request, "POST",
		"{\"id\":\"i1\",\"interaction\":{\"id\":\"p\",\"token\":\"apv:x\","
		"\"kind\":\"button\"}}");
	CU_ASSERT_EQUAL(host_fake_last(rig->host)->type, CG_EVENT_INTERACTION);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->token, "apv:x");
	CU_ASSERT_FALSE(host_fake_last(rig->host)->pressed_by_command);
	host_fake_verdict(rig->host, CG_VERDICT_CONFLICT);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_CONFLICT);
	ask(rig, &request, "POST", "nonsense");
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_BAD);
	ask(rig, &request, "DELETE", "");
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_BAD);
	rig_destroy(rig);
}

/* The memory is a ring: what is older has been forgotten. */
static void the_memory_keeps_the_latest(void)
{
	static const struct settings_pair none[] = {{NULL, NULL}};
	struct rig *rig = up(none);
	static struct webhook_request request;
	struct host_fake_sent sent;
	int count = 0;

	for (int i = 0; i < 260; i++) {
		char text[32];
		struct cg_outbound outbound;

		snprintf(text, sizeof(text), "text %d.", i);
		outbound = host_fake_text(text);
		rig_send(rig, &outbound, &sent);
		host_fake_pass(rig->host, 0);
	}
	ask(rig, &request, "GET", "");
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_ACCEPTED);
	for (const char *at = request.body; (at = strstr(at, "\"type\"")) != NULL; at++)
		count++;
	CU_ASSERT_EQUAL(count, 256);
	CU_ASSERT_PTR_NULL(strstr(request.body, "text 3."));
	CU_ASSERT_PTR_NOT_NULL(strstr(request.body, "text 4."));
	CU_ASSERT_PTR_NOT_NULL(strstr(request.body, "text 259."));
	rig_destroy(rig);
}

UNIT_SUITE(fake, UNIT_TEST(a_script_repeats_itself),
	UNIT_TEST(a_script_that_is_none_is_refused),
	UNIT_TEST(the_file_tells_what_arrived),
	UNIT_TEST(a_file_that_cannot_be_written_is_no_delivery),
	UNIT_TEST(reconcile_is_a_choice), UNIT_TEST(messages_come_in_unchecked),
	UNIT_TEST(the_memory_keeps_the_latest));
