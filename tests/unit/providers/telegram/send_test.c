/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/telegram/telegram.h"
#include "tests/support/rig.h"
#include "tests/support/telegram_bot.h"
#include "tests/unit/unit.h"

#include <string.h>

#define SENT "{\"ok\":true,\"result\":{\"message_id\":77}}"
#define REFUSED(code, more) "{\"ok\":false,\"error_code\":" #code more "}"
#define MOVED_TO(chat) REFUSED(400, ",\"parameters\":{\"migrate_to_chat_id\":" #chat "}")

static struct rig *up(void)
{
	struct rig *rig = rig_new(cg_plugin.providers[0], telegram_bot_settings);

	CU_ASSERT_EQUAL_FATAL(rig_create(rig, NULL), CG_OK);
	return rig;
}

static struct cg_outbound to(const char *chat)
{
	struct cg_outbound outbound = host_fake_text("hello");

	outbound.target.chat_id = chat;
	return outbound;
}

static void answer(struct rig *rig, int status, const char *body)
{
	struct cg_http_call *call = host_fake_open_call(rig->host);

	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	host_fake_answer(call, status, body);
}

static bool says(struct rig *rig, const char *text)
{
	return strstr(host_fake_open_call(rig->host)->body, text) != NULL;
}

static void a_send_takes_as_long_as_it_may(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = to("1");
	struct host_fake_sent sent;

	outbound.timeout_ms = 4321;
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_EQUAL(host_fake_open_call(rig->host)->timeout_ms, 4321);
	answer(rig, 200, SENT);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_SENT);
	CU_ASSERT_STRING_EQUAL(sent.message_id, "77");
	outbound.timeout_ms = 0;
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_EQUAL(host_fake_open_call(rig->host)->timeout_ms, 30000);
	rig_destroy(rig);
}

static void what_does_not_leave_is_told_later(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = to("1");
	struct host_fake_sent sent;

	rig->host->refuse_http = true;
	rig_send(rig, &outbound, &sent);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(sent.count, 1);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_NOT_DISPATCHED);
	CU_ASSERT_STRING_EQUAL(sent.detail, "too many exchanges are under way");
	rig->host->refuse_http = false;
	outbound.target.chat_id = "";
	rig_send(rig, &outbound, &sent);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	CU_ASSERT_EQUAL(rig->host->call_count, 0);
	rig_destroy(rig);
}

static void a_move_is_followed_once(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = to("-5");
	struct host_fake_sent sent;

	rig_send(rig, &outbound, &sent);
	CU_ASSERT_TRUE(says(rig, "\"chat_id\":-5,"));
	answer(rig, 400, MOVED_TO(-1005));
	CU_ASSERT_TRUE(says(rig, "\"chat_id\":-1005,"));
	CU_ASSERT_EQUAL(sent.count, 0);
	CU_ASSERT_STRING_EQUAL(host_fake_kept(rig->host, "moved-to:-5"), "-1005");
	answer(rig, 400, MOVED_TO(-1006)); /* round and round: no */
	CU_ASSERT_PTR_NULL(host_fake_open_call(rig->host));
	CU_ASSERT_EQUAL(sent.count, 1);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	rig_destroy(rig);
}

static void an_edit_stays_where_its_message_is(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = to("-5");
	struct host_fake_sent sent;

	outbound.kind = CG_OUTBOUND_EDIT;
	outbound.target.message_id = "7";
	rig_send(rig, &outbound, &sent);
	answer(rig, 400, MOVED_TO(-1005));
	CU_ASSERT_PTR_NULL(host_fake_open_call(rig->host));
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_MESSAGE);
	CU_ASSERT_STRING_EQUAL(host_fake_kept(rig->host, "moved-to:-5"), "-1005");
	rig_destroy(rig);
}

static void a_second_form_that_cannot_leave_was_not_sent(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = to("-5");
	struct host_fake_sent sent;

	rig_send(rig, &outbound, &sent);
	rig->host->refuse_http = true;
	answer(rig, 400, MOVED_TO(-1005));
	CU_ASSERT_EQUAL(sent.count, 1);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_NOT_DISPATCHED);
	rig_destroy(rig);
}

static enum cg_outcome_scope limited(struct rig *rig, const struct cg_outbound *outbound)
{
	struct host_fake_sent sent;

	rig_send(rig, outbound, &sent);
	answer(rig, 429, REFUSED(429, ",\"parameters\":{\"retry_after\":3}"));
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_RATE_LIMITED);
	CU_ASSERT_EQUAL(sent.outcome.retry_after_ms, 3000);
	return sent.outcome.scope;
}

static void two_chats_within_three_seconds_are_the_account(void)
{
	struct rig *rig = up();
	struct cg_outbound one = to("1"), other = to("2");

	CU_ASSERT_EQUAL(limited(rig, &one), CG_SCOPE_CHAT);
	CU_ASSERT_EQUAL(limited(rig, &one), CG_SCOPE_CHAT);
	host_fake_pass(rig->host, 3000);
	CU_ASSERT_EQUAL(limited(rig, &other), CG_SCOPE_ACCOUNT);
	host_fake_pass(rig->host, 3001);
	CU_ASSERT_EQUAL(limited(rig, &one), CG_SCOPE_CHAT);
	rig_destroy(rig);
}

static void a_detail_with_the_token_is_no_detail(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = to("1");
	struct host_fake_sent sent;

	rig_send(rig, &outbound, &sent);
	answer(rig, 400, REFUSED(400, ",\"description\":\"bad " TELEGRAM_TOKEN "\""));
	CU_ASSERT_STRING_EQUAL(sent.detail, "");
	rig_send(rig, &outbound, &sent);
	answer(rig, 400, REFUSED(400, ",\"description\":\"bad\""));
	CU_ASSERT_STRING_EQUAL(sent.detail, "bad");
	rig_destroy(rig);
}

static void what_broke_off_may_have_arrived(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = to("1");
	struct host_fake_sent sent;

	rig_send(rig, &outbound, &sent);
	host_fake_fault(host_fake_open_call(rig->host), CG_HTTP_TIMED_OUT);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_AMBIGUOUS);
	rig_send(rig, &outbound, &sent);
	host_fake_fault(host_fake_open_call(rig->host), CG_HTTP_NOT_DISPATCHED);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_NOT_DISPATCHED);
	rig_destroy(rig);
}

UNIT_SUITE(telegram_send, UNIT_TEST(a_send_takes_as_long_as_it_may),
	UNIT_TEST(what_does_not_leave_is_told_later), UNIT_TEST(a_move_is_followed_once),
	UNIT_TEST(an_edit_stays_where_its_message_is),
	UNIT_TEST(a_second_form_that_cannot_leave_was_not_sent),
	UNIT_TEST(two_chats_within_three_seconds_are_the_account),
	UNIT_TEST(a_detail_with_the_token_is_no_detail),
	UNIT_TEST(what_broke_off_may_have_arrived));
