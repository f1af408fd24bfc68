/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/telegram/telegram.h"
#include "tests/support/rig.h"
#include "tests/support/telegram_bot.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void ignore(void *arg, const struct cg_http_response *response)
{
	(void)arg, (void)response;
}

static struct rig *up(void)
{
	struct rig *rig = rig_new(cg_plugin.providers[0], telegram_bot_settings);

	CU_ASSERT_EQUAL_FATAL(rig_create(rig, NULL), CG_OK);
	return rig;
}

static void a_call_without_a_body_is_a_bare_post(void)
{
	const struct telegram_call call = {
		.method = "getMe", .timeout_ms = 1234, .done = ignore};
	struct rig *rig = up();
	struct cg_http_call *started = NULL;

	CU_ASSERT_EQUAL(telegram_call(rig->self, &call, &started, NULL), CG_OK);
	CU_ASSERT_PTR_EQUAL_FATAL(started, host_fake_open_call(rig->host));
	CU_ASSERT_STRING_EQUAL(
		started->url, "https://api.telegram.org/bot" TELEGRAM_TOKEN "/getMe");
	CU_ASSERT_STRING_EQUAL(started->method, "POST");
	CU_ASSERT_EQUAL(started->flags, CG_HTTP_SECRET_URL); /* and not repeatable */
	CU_ASSERT_EQUAL(started->reach, CG_REACH_ANY);
	CU_ASSERT_EQUAL(started->timeout_ms, 1234);
	CU_ASSERT_EQUAL(started->response_limit, 0);
	CU_ASSERT_EQUAL(started->header_count, 0);
	CU_ASSERT_EQUAL(started->body_length, 0);
	CU_ASSERT_STRING_EQUAL(started->proxy, "");
	CU_ASSERT_STRING_EQUAL(started->ca_file, "");
	rig_destroy(rig);
}

static void a_poll_has_its_own_connection(void)
{
	const struct telegram_call call = {.method = "getUpdates",
		.timeout_ms = 1,
		.response_limit = 77,
		.poll = true,
		.idempotent = true,
		.done = ignore};
	struct rig *rig = up();
	struct cg_http_call *started = NULL;

	CU_ASSERT_EQUAL(telegram_call(rig->self, &call, &started, NULL), CG_OK);
	CU_ASSERT_PTR_EQUAL_FATAL(started, host_fake_open_poll(rig->host));
	CU_ASSERT_EQUAL(started->flags,
		CG_HTTP_SECRET_URL | CG_HTTP_OWN_CONNECTION | CG_HTTP_IDEMPOTENT);
	CU_ASSERT_STRING_EQUAL(started->pool, "telegram"); /* the instance's */
	CU_ASSERT_EQUAL(started->response_limit, 77);
	rig_destroy(rig);
}

static void a_body_is_json_unless_said_otherwise(void)
{
	struct telegram_call call = {.method = "x", .timeout_ms = 1, .done = ignore};
	char path[] = "/tmp/cowgate-api-XXXXXX";
	struct rig *rig = up();
	struct cg_http_call *started = NULL;
	struct cg_buffer body, tail;
	int fd = mkstemp(path);

	CU_ASSERT_EQUAL_FATAL(write(fd, "FILE", 4), 4);
	close(fd);
	cg_buffer_init(&body, 16);
	cg_buffer_init(&tail, 16);
	cg_buffer_text(&body, "{}");
	cg_buffer_text(&tail, "-end");
	call.body = &body;
	CU_ASSERT_EQUAL(telegram_call(rig->self, &call, &started, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(
		host_fake_header(started, "Content-Type"), "application/json");
	CU_ASSERT_STRING_EQUAL(started->body, "{}");
	call.content_type = "multipart/form-data; boundary=b";
	call.file = path;
	call.tail = &tail;
	CU_ASSERT_EQUAL(telegram_call(rig->self, &call, &started, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(host_fake_header(started, "Content-Type"),
		"multipart/form-data; boundary=b");
	CU_ASSERT_STRING_EQUAL(started->body, "{}FILE-end");
	cg_buffer_finish(&body);
	cg_buffer_finish(&tail);
	unlink(path);
	rig_destroy(rig);
}

static void what_is_not_started_says_why(void)
{
	const struct telegram_call call = {
		.method = "getMe", .timeout_ms = 1, .done = ignore};
	struct rig *rig = up();
	struct cg_http_call *started = NULL;
	struct cg_error err = {.text = ""};

	rig->host->refuse_http = true;
	CU_ASSERT_EQUAL(telegram_call(rig->self, &call, &started, &err), CG_LIMIT);
	CU_ASSERT_PTR_NULL(started);
	CU_ASSERT_STRING_NOT_EQUAL(err.text, "");
	rig_destroy(rig);
}

UNIT_SUITE(telegram_api, UNIT_TEST(a_call_without_a_body_is_a_bare_post),
	UNIT_TEST(a_poll_has_its_own_connection),
	UNIT_TEST(a_body_is_json_unless_said_otherwise),
	UNIT_TEST(what_is_not_started_says_why));
