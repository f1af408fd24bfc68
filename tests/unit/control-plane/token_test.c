/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/token.h"

#include "tests/faults/fault_vfs.h"
#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define TOKENS_PATH "/api/channels/tokens"
#define PLAIN "occ_tok_0123456789abcdef_0123456789012345678901234567890123456789abc"

static char shown[TOKEN_TEXT];

static const char delivery[] =
	"{\"deliveryId\":\"d1\",\"channelBindingId\":\"webhook-binding\","
	"\"agentId\":\"agent\",\"provider\":\"webhook\","
	"\"eventType\":\"notice\",\"target\":{},\"payload\":{}}";

/* Makes a token for @bindings (JSON) and shows it from now on. */
static void show_new(struct fixture *f, const char *bindings)
{
	char body[256];

	snprintf(body, sizeof(body), "{\"name\":\"far\",\"channelBindingIds\":%s}",
		bindings);
	fixture_call_as(f, PLANE_OPERATOR, "POST", TOKENS_PATH, body);
	CU_ASSERT_EQUAL_FATAL(f->status, 201);
	snprintf(shown, sizeof(shown), "%s", fixture_text(f, "plaintext"));
	f->token = shown;
}

static int ask(struct fixture *f, const char *method, const char *path, const char *body)
{
	fixture_call_as(f, PLANE_TOKEN, method, path, body);
	return f->status;
}

static void token_has_one_shape(void)
{
	static const char *const wrong[] = {NULL, "", "occ_", "occ_tok_short_secret",
		"ocw_tok_0123456789abcdef_0123456789012345678901234567890123456789abc",
		"occ_tok_0123456789abcdef.0123456789012345678901234567890123456789abc",
		"occ_tok_0123456789abcdef_0123456789012345678901234567890123456789ab/",
		PLAIN "x", " " PLAIN};
	struct token_proof proof;

	CU_ASSERT_TRUE(token_read(PLAIN, &proof));
	CU_ASSERT_STRING_EQUAL(proof.id, "tok_0123456789abcdef");
	/* The signs between the parts may be inside them too. */
	CU_ASSERT_TRUE(token_read(
		"occ_tok_______________-__-_34567890123456789012345678901234567890ab_",
		&proof));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CU_ASSERT_FALSE(token_read(wrong[i], &proof));
		CU_ASSERT_STRING_EQUAL(proof.id, "");
	}
}

static void token_opens_what_was_granted(void)
{
	struct fixture f;

	fixture_start(&f);
	show_new(&f, "[\"webhook-binding\"]");
	CU_ASSERT_EQUAL(ask(&f, "GET", "/api/channels/extensions", NULL), 200);
	/* Nobody elsewhere knows what our paths mean. */
	CU_ASSERT_PTR_NULL(strstr(cg_json_text(f.reply, NULL), ".path"));
	CU_ASSERT_EQUAL(
		ask(&f, "GET",
			"/api/channels/deliveries?channelBindingId=webhook-binding",
			NULL),
		200);
	CU_ASSERT_EQUAL(ask(&f, "GET",
				"/api/channels/deliveries?channelBindingId=telegram-"
				"binding",
				NULL),
		403);
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "code"), "channels.binding_scope_required");
	CU_ASSERT_EQUAL(ask(&f, "POST", "/api/channels/identities/resolve",
				"{\"provider\":\"webhook\",\"channelBindingId\":"
				"\"webhook-binding\","
				"\"externalUserId\":\"u\"}"),
		200);
	CU_ASSERT_EQUAL(ask(&f, "POST", "/api/channels/identities/resolve",
				"{\"provider\":\"telegram\",\"externalUserId\":\"1\"}"),
		403);
	CU_ASSERT_EQUAL(ask(&f, "POST", "/api/channels/provider-events/claim",
				"{\"provider\":\"telegram\",\"providerInstanceId\":\"t\","
				"\"providerEventId\":\"1\",\"eventType\":\"message\","
				"\"claimedBy\":\"me\"}"),
		403);
	CU_ASSERT_EQUAL(ask(&f, "GET", "/api/channels/people", NULL), 403);
	CU_ASSERT_EQUAL(ask(&f, "POST", "/api/channels/people/approve", "{}"), 403);
	CU_ASSERT_EQUAL(ask(&f, "POST", "/api/channels/people/x", "{}"), 403);
	CU_ASSERT_EQUAL(ask(&f, "POST", TOKENS_PATH, "{}"), 403);
	CU_ASSERT_EQUAL(ask(&f, "DELETE", TOKENS_PATH "/x", NULL), 403);
	CU_ASSERT_EQUAL(ask(&f, "GET", TOKENS_PATH, NULL), 403);
	CU_ASSERT_EQUAL(ask(&f, "GET", "/api/channels/nothing", NULL), 403);
	/* A thread of another channel, and its session. */
	f.token = shown;
	fixture_bind(&f, "chat");
	CU_ASSERT_EQUAL(ask(&f, "GET",
				"/api/channels/sessions/by-thread?provider=telegram"
				"&externalChatId=chat&externalThreadId=chat",
				NULL),
		403);
	fixture_finish(&f);
}

static void token_acts_on_its_own_deliveries(void)
{
	struct fixture f;

	fixture_start(&f);
	show_new(&f, "[\"webhook-binding\"]");
	fixture_call(&f, "POST", "/api/channels/deliveries", delivery);
	CU_ASSERT_EQUAL(f.status, 201);
	CU_ASSERT_EQUAL(ask(&f, "GET", "/api/channels/deliveries", NULL), 200);
	/* It has claimed none. */
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "deliveries.0.deliveryId"), "");
	CU_ASSERT_EQUAL(
		ask(&f, "POST", "/api/channels/deliveries/d1/dead-letter", "{}"), 400);
	CU_ASSERT_EQUAL(ask(&f, "POST", "/api/channels/deliveries/d1/dead-letter",
				"{\"channelBindingId\":\"telegram-binding\"}"),
		403);
	CU_ASSERT_EQUAL(
		ask(&f, "POST", "/api/channels/deliveries/d1/ack",
			"{\"channelBindingId\":\"webhook-binding\",\"claimedBy\":\"x\","
			"\"status\":\"sent\"}"),
		404);
	CU_ASSERT_EQUAL(ask(&f, "POST", "/api/channels/deliveries/d1/dead-letter",
				"{\"channelBindingId\":\"webhook-binding\"}"),
		200);
	fixture_finish(&f);
}

static void token_ends(void)
{
	struct fixture f;
	char path[64];

	fixture_start(&f);
	show_new(&f, "[\"webhook-binding\"]");
	/* Wrong in its last character. */
	shown[TOKEN_TEXT - 2] = shown[TOKEN_TEXT - 2] == 'A' ? 'B' : 'A';
	CU_ASSERT_EQUAL(ask(&f, "GET", "/api/channels/extensions", NULL), 401);
	f.token = PLAIN;
	CU_ASSERT_EQUAL(ask(&f, "GET", "/api/channels/extensions", NULL), 401);
	show_new(&f, "[\"webhook-binding\"]");
	CU_ASSERT_EQUAL(ask(&f, "GET", "/api/channels/extensions", NULL), 200);
	snprintf(path, sizeof(path), TOKENS_PATH "/%.20s", shown + 4);
	fixture_call_as(&f, PLANE_OPERATOR, "DELETE", path, NULL);
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_EQUAL(ask(&f, "GET", "/api/channels/extensions", NULL), 401);
	fixture_call_as(&f, PLANE_OPERATOR, "DELETE", TOKENS_PATH "/nobody", NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	show_new(&f, "[\"webhook-binding\"]");
	f.now += TOKEN_LIFE_MS - 1;
	CU_ASSERT_EQUAL(ask(&f, "GET", "/api/channels/extensions", NULL), 200);
	f.now += 1;
	CU_ASSERT_EQUAL(ask(&f, "GET", "/api/channels/extensions", NULL), 401);
	fixture_finish(&f);
}

/* What is open when a token ends does not go on. */
static void streams_end_with_their_token(void)
{
	static struct fixture_stream stream;
	struct fixture f;
	char events[160], path[64];
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	snprintf(events, sizeof(events), "/api/channels/sessions/%s/events", binding);
	memset(&stream, 0, sizeof(stream));
	stream.by_token = true;
	show_new(&f, "[\"webhook-binding\"]");
	fixture_open(&f, &stream, events, "after=0"); /* not its channel */
	CU_ASSERT_FALSE(stream.opened);
	CU_ASSERT_EQUAL(stream.end_status, 403);
	fixture_close(&stream);

	memset(&stream, 0, sizeof(stream));
	stream.by_token = true;
	show_new(&f, "[\"telegram-binding\"]");
	fixture_open(&f, &stream, events, "after=0");
	CU_ASSERT_TRUE(stream.opened);
	snprintf(path, sizeof(path), TOKENS_PATH "/%.20s", shown + 4);
	fixture_call_as(&f, PLANE_OPERATOR, "DELETE", path, NULL);
	fixture_settle(&f);
	CU_ASSERT_TRUE(stream.ended);
	fixture_close(&stream);

	memset(&stream, 0, sizeof(stream));
	stream.by_token = true;
	show_new(&f, "[\"telegram-binding\"]");
	fixture_open(&f, &stream, events, "after=0");
	f.now += TOKEN_LIFE_MS;
	CU_ASSERT_FALSE(stream.ended);
	stream.count = 0;
	fixture_prompt(&f, binding, "not for those whose time is over", NULL);
	CU_ASSERT_EQUAL(f.status, 202);
	fixture_settle(&f);
	CU_ASSERT_TRUE(stream.ended);
	CU_ASSERT_EQUAL(stream.count, 0);
	fixture_close(&stream);
	fixture_finish(&f);
}

static void await_health(struct fixture *f, bool healthy)
{
	for (int i = 0; i < 500 && (plane_health(f->plane, NULL) == CG_OK) != healthy;
		i++) {
		poll(NULL, 0, 10);
		fixture_settle(f);
	}
}

/* A store that fails admits nobody, and never keeps one of the two without the other. */
static void token_and_its_record_are_one(void)
{
	struct fixture f;

	fixture_start_faulty(&f);
	show_new(&f, "[\"webhook-binding\"]");
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	fixture_call_as(&f, PLANE_OPERATOR, "POST", TOKENS_PATH,
		"{\"name\":\"far\",\"channelBindingIds\":[\"webhook-binding\"]}");
	CU_ASSERT_EQUAL(f.status, 503);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "plaintext"), "");
	CU_ASSERT_EQUAL(ask(&f, "POST", "/api/channels/deliveries", delivery), 503);
	await_health(&f, false);
	fault_vfs_fail_syncs(SQLITE_OK, NULL);
	await_health(&f, true);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM api_token"), 1);
	CU_ASSERT_EQUAL(
		fixture_sql(&f, "SELECT count(*) FROM audit WHERE event = 'token.create'"
				" AND target LIKE 'tok_%'"),
		1);
	fixture_finish(&f);
}

static void token_is_not_kept(void)
{
	struct fixture f;

	fixture_start(&f);
	show_new(&f, "[\"webhook-binding\"]");
	CU_ASSERT_FALSE(fixture_stored(&f, shown));
	CU_ASSERT_FALSE(fixture_stored(&f, shown + 25)); /* its secret */
	CU_ASSERT_TRUE(fixture_stored(&f, "api_token")); /* the search works */
	fixture_call_as(&f, PLANE_OPERATOR, "GET", TOKENS_PATH, NULL);
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "tokens.0.channelBindingIds.0"), "webhook-binding");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, ""), "tokens");
	CU_ASSERT_PTR_NULL(strstr(cg_json_text(f.reply, NULL), "hash"));
	fixture_finish(&f);
}

static void token_requests_are_checked(void)
{
	static const char *const wrong[] = {"{}", "{\"name\":\"a\"}",
		"{\"name\":\"a\",\"channelBindingIds\":[]}",
		"{\"name\":\"a\",\"channelBindingIds\":[\"nowhere\"]}",
		"{\"name\":\"a\",\"channelBindingIds\":[7]}",
		"{\"name\":\" \",\"channelBindingIds\":[\"webhook-binding\"]}",
		"{\"name\":\"a\",\"channelBindingIds\":[\"webhook-binding\"],\"scopes\":["
		"\"admin\"]}",
		"{\"name\":\"a\",\"channelBindingIds\":[\"webhook-binding\"],\"scopes\":"
		"\"gateway\"}",
		"{\"name\":\"a\",\"channelBindingIds\":[\"webhook-binding\"],\"ttlMs\":"
		"0}",
		"{\"name\":\"a\",\"channelBindingIds\":[\"webhook-binding\"],"
		"\"ttlMs\":99999999999999}"};
	struct fixture f;

	fixture_start(&f);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fixture_call_as(&f, PLANE_OPERATOR, "POST", TOKENS_PATH, wrong[i]);
		CU_ASSERT_EQUAL(f.status, 400);
	}
	fixture_finish(&f);
}

static void token_number_is_bounded(void)
{
	struct fixture f;

	fixture_start(&f);
	for (int i = 0; i < TOKENS; i++)
		show_new(&f, "[\"webhook-binding\"]");
	fixture_call_as(&f, PLANE_OPERATOR, "POST", TOKENS_PATH,
		"{\"name\":\"far\",\"channelBindingIds\":[\"webhook-binding\"]}");
	CU_ASSERT_EQUAL(f.status, 409);
	f.now += TOKEN_LIFE_MS; /* those that have ended make room */
	show_new(&f, "[\"webhook-binding\"]");
	fixture_finish(&f);
}

UNIT_SUITE(token, UNIT_TEST(token_has_one_shape), UNIT_TEST(token_opens_what_was_granted),
	UNIT_TEST(token_acts_on_its_own_deliveries), UNIT_TEST(token_ends),
	UNIT_TEST(streams_end_with_their_token), UNIT_TEST(token_and_its_record_are_one),
	UNIT_TEST(token_is_not_kept), UNIT_TEST(token_requests_are_checked),
	UNIT_TEST(token_number_is_bounded));
