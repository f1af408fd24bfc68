/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/providers/email/email_fixture.h"
#include "tests/unit/providers/email/smtp_fixture.h"

#include <stdio.h>

#define POOL 8

/* A pool whose threads work when the test says so; @free of them have no work yet. */
static struct pool {
	size_t free, count;
	struct {
		cg_callback work, done;
		void *arg;
	} jobs[POOL];
} pool;

static enum cg_status offload(
	const struct cg_host *host, cg_callback work, cg_callback done, void *arg)
{
	(void)host;
	if (pool.count == pool.free)
		return CG_LIMIT;
	pool.jobs[pool.count].work = work;
	pool.jobs[pool.count].done = done;
	pool.jobs[pool.count++].arg = arg;
	return CG_OK;
}

/* The nth job is done. */
static void work(size_t n)
{
	pool.jobs[n].work(pool.jobs[n].arg);
	pool.jobs[n].done(pool.jobs[n].arg);
}

struct office {
	struct line_peer peer;
	struct settings_pair pairs[8];
	char port[8];
	struct email_fixture fixture;
	struct cg_outbound outbound;
	struct host_fake_sent sent[4];
};

/* A server as @rules say, and an instance that sends by it over @threads threads. */
static struct office *office_create(const struct line_peer_rule *rules, size_t threads)
{
	struct office *office = calloc(1, sizeof(*office));
	size_t at = 0;

	if (office == NULL)
		abort();
	office->peer.rules = rules;
	office->peer.others = smtp_fixture_rules;
	line_peer_start(&office->peer);
	snprintf(office->port, sizeof(office->port), "%d", office->peer.port);
	for (; email_fixture_settings[at].name != NULL; at++)
		office->pairs[at] = email_fixture_settings[at];
	office->pairs[at] = (struct settings_pair){"smtpPort", office->port};
	email_fixture_init(&office->fixture, office->pairs);
	email_fixture_start(&office->fixture);
	office->fixture.host->host.offload = offload;
	pool = (struct pool){.free = threads};
	office->outbound = host_fake_text("Hello");
	office->outbound.target.chat_id = "ada@example.com";
	return office;
}

static void office_destroy(struct office *office)
{
	email_fixture_finish(&office->fixture);
	line_peer_stop(&office->peer);
	free(office);
}

static void post(struct office *office, size_t n)
{
	rig_send(office->fixture.rig, &office->outbound, &office->sent[n]);
}

static void a_mail_goes_and_its_id_is_the_receipt(void)
{
	struct office *office = office_create(NULL, POOL);

	post(office, 0);
	work(0);
	CU_ASSERT_EQUAL(office->sent[0].count, 1);
	CU_ASSERT_EQUAL(office->sent[0].outcome.class, CG_OUTCOME_SENT);
	CU_ASSERT_TRUE(email_id_is_ours(office->sent[0].message_id, "example.org", NULL));
	host_fake_pass(office->fixture.host, 200000);
	CU_ASSERT_EQUAL(office->sent[0].count, 1);
	CU_ASSERT_TRUE(TAILQ_EMPTY(&office->fixture.email->outgoing.mails));
	CU_ASSERT_PTR_NOT_NULL(strstr(office->peer.heard, office->sent[0].message_id));
	office_destroy(office);
}

/* Two conversations at once leave the pool to others; the rest keep their order. */
static void the_third_waits_for_the_first(void)
{
	struct office *office = office_create(NULL, POOL);

	for (size_t i = 0; i < 4; i++)
		post(office, i);
	CU_ASSERT_EQUAL(pool.count, OUTGOING_AT_ONCE);
	work(0);
	CU_ASSERT_EQUAL(pool.count, OUTGOING_AT_ONCE + 1);
	work(1);
	work(2);
	work(3);
	for (size_t i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(office->sent[i].count, 1);
		CU_ASSERT_EQUAL(office->sent[i].outcome.class, CG_OUTCOME_SENT);
	}
	office_destroy(office);
}

/* Who waits longer than a mail may take was not sent, and is not sent later. */
static void waiting_has_an_end(void)
{
	struct office *office = office_create(NULL, 0);

	post(office, 0);
	CU_ASSERT_EQUAL(pool.count, 0);
	host_fake_pass(office->fixture.host, 19999);
	CU_ASSERT_EQUAL(office->sent[0].count, 0);
	host_fake_pass(office->fixture.host, 1);
	CU_ASSERT_EQUAL(office->sent[0].count, 1);
	CU_ASSERT_EQUAL(office->sent[0].outcome.class, CG_OUTCOME_NOT_DISPATCHED);
	CU_ASSERT_TRUE(TAILQ_EMPTY(&office->fixture.email->outgoing.mails));
	/* The setting's deadline is the shorter one here. */
	office->fixture.email->settings.smtp_timeout_ms = 500;
	post(office, 1);
	host_fake_pass(office->fixture.host, 500);
	CU_ASSERT_EQUAL(office->sent[1].count, 1);
	/* A full pool empties again: the next one asks for both. */
	office->fixture.email->settings.smtp_timeout_ms = 20000;
	post(office, 2);
	pool.free = POOL;
	post(office, 3);
	CU_ASSERT_EQUAL(pool.count, 2);
	work(0);
	work(1);
	CU_ASSERT_EQUAL(office->sent[2].outcome.class, CG_OUTCOME_SENT);
	CU_ASSERT_EQUAL(office->sent[3].outcome.class, CG_OUTCOME_SENT);
	office_destroy(office);
}

/* What was told is true: a thread that begins afterwards says nothing to the server. */
static void what_was_given_up_is_not_sent(void)
{
	struct office *office = office_create(NULL, POOL);

	post(office, 0);
	host_fake_pass(office->fixture.host, 20000);
	CU_ASSERT_EQUAL(office->sent[0].count, 1);
	CU_ASSERT_EQUAL(office->sent[0].outcome.class, CG_OUTCOME_NOT_DISPATCHED);
	post(office, 1);
	rig_cancel(office->fixture.rig, &office->sent[1]);
	CU_ASSERT_EQUAL(office->sent[1].count, 1);
	CU_ASSERT_EQUAL(office->sent[1].outcome.class, CG_OUTCOME_NOT_DISPATCHED);
	work(0);
	work(1);
	CU_ASSERT_EQUAL(office->sent[0].count + office->sent[1].count, 2);
	CU_ASSERT_EQUAL(office->peer.clients, 0);
	CU_ASSERT_EQUAL(office->fixture.email->outgoing.running, 0);
	CU_ASSERT_TRUE(TAILQ_EMPTY(&office->fixture.email->outgoing.mails));
	office_destroy(office);
}

/* The one that waits is given up alone. */
static void one_is_cancelled(void)
{
	struct office *office = office_create(NULL, 1);

	post(office, 0);
	post(office, 1);
	rig_cancel(office->fixture.rig, &office->sent[3]); /* nobody's */
	CU_ASSERT_EQUAL(office->sent[0].count + office->sent[1].count, 0);
	rig_cancel(office->fixture.rig, &office->sent[1]);
	CU_ASSERT_EQUAL(office->sent[0].count, 0);
	CU_ASSERT_EQUAL(office->sent[1].count, 1);
	work(0);
	CU_ASSERT_EQUAL(office->sent[0].outcome.class, CG_OUTCOME_SENT);
	CU_ASSERT_EQUAL(office->sent[1].count, 1);
	office_destroy(office);
}

static void what_can_never_go_is_refused_later(void)
{
	struct office *office = office_create(NULL, POOL);

	office->outbound.target.chat_id = "nobody";
	post(office, 0);
	host_fake_pass(office->fixture.host, 0);
	CU_ASSERT_EQUAL(office->sent[0].outcome.class, CG_OUTCOME_REFUSED);
	CU_ASSERT_EQUAL(office->sent[0].outcome.scope, CG_SCOPE_MESSAGE);
	/* A file that cannot be read now may be there later. */
	office->outbound.target.chat_id = "ada@example.com";
	office->outbound.kind = CG_OUTBOUND_FILE;
	office->outbound.file = &(const struct cg_file){
		.filename = "a", .path = "/nowhere/a", .bytes = 1};
	post(office, 1);
	host_fake_pass(office->fixture.host, 0);
	CU_ASSERT_EQUAL(office->sent[1].outcome.class, CG_OUTCOME_NOT_DISPATCHED);
	CU_ASSERT_EQUAL(pool.count, 0);
	office_destroy(office);
}

static void check_health(const struct line_peer_rule *rule, enum cg_health_state state)
{
	const struct line_peer_rule rules[] = {*rule, {.verb = NULL}};
	struct office *office = office_create(rules, POOL);

	post(office, 0);
	work(0);
	CU_ASSERT_EQUAL(office->sent[0].count, 1);
	CU_ASSERT_EQUAL(office->fixture.host->health.outbound, state);
	CU_ASSERT_EQUAL(
		office->fixture.host->health_detail[0] != '\0', state != CG_HEALTH_UP);
	CU_ASSERT_EQUAL(office->fixture.host->health.inbound, CG_HEALTH_UP);
	office_destroy(office);
}

/* A server that judges recipients and mails is well; one that does not come so far is not. */
static void a_server_is_judged_by_how_far_it_comes(void)
{
	check_health(&(struct line_peer_rule){.verb = ".", .reply = "250 queued\r\n"},
		CG_HEALTH_UP);
	check_health(&(struct line_peer_rule){.verb = "RCPT", .reply = "550 no\r\n"},
		CG_HEALTH_UP);
	check_health(&(struct line_peer_rule){.verb = ".", .reply = "554 spam\r\n"},
		CG_HEALTH_UP);
	check_health(&(struct line_peer_rule){.verb = "MAIL", .reply = "451 later\r\n"},
		CG_HEALTH_DEGRADED);
	check_health(&(struct line_peer_rule){.verb = "", .reply = "554 closed\r\n"},
		CG_HEALTH_DEGRADED);
	check_health(
		&(struct line_peer_rule){
			.verb = "RCPT", .reply = "", .flags = LINE_PEER_HANG_UP},
		CG_HEALTH_DEGRADED);
}

static void what_waits_at_the_end_is_forgotten(void)
{
	struct office *office = office_create(NULL, 0);

	post(office, 0);
	office_destroy(office);
}

UNIT_SUITE(email_outgoing, UNIT_TEST(a_mail_goes_and_its_id_is_the_receipt),
	UNIT_TEST(the_third_waits_for_the_first), UNIT_TEST(waiting_has_an_end),
	UNIT_TEST(what_was_given_up_is_not_sent), UNIT_TEST(one_is_cancelled),
	UNIT_TEST(what_can_never_go_is_refused_later),
	UNIT_TEST(a_server_is_judged_by_how_far_it_comes),
	UNIT_TEST(what_waits_at_the_end_is_forgotten));
