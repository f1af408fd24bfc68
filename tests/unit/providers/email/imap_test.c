/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/email/imap_private.h"
#include "tests/support/line_peer.h"
#include "tests/unit/providers/email/email_fixture.h"

#include <poll.h>
#include <stdio.h>

#define MAIL "From: ada@example.com\r\nMessage-ID: <m5@example.com>\r\n\r\nHello\r\n"
#define MAIL_LENGTH "62"
#define FETCHED(uid) \
	"* 1 FETCH (UID " uid " RFC822.SIZE " MAIL_LENGTH " BODY[]<0> {" MAIL_LENGTH \
	"}\r\n" MAIL ")\r\n$ OK\r\n"
#define SELECTED(access) \
	"* 3 EXISTS\r\n* OK [UIDVALIDITY 9] valid\r\n* OK [UIDNEXT 5] next\r\n" \
	"$ OK [" access "] done\r\n"

static const struct line_peer_rule server[] = {
	{.verb = "", .reply = "* OK ready\r\n"},
	{.verb = "CAPABILITY", .reply = "* CAPABILITY IMAP4rev1 IDLE\r\n$ OK\r\n"},
	{.verb = "LOGIN", .reply = "$ OK\r\n"},
	{.verb = "SELECT", .reply = SELECTED("READ-WRITE")},
	{.verb = "UID SEARCH", .reply = "* SEARCH\r\n$ OK\r\n"},
	{.verb = "UID FETCH 5 ", .reply = FETCHED("5")},
	{.verb = "UID STORE", .reply = "$ OK\r\n"},
	{.verb = "IDLE", .reply = "+ idling\r\n"},
	{.verb = "DONE", .reply = "$ OK\r\n"},
	{.verb = NULL},
};

struct mailbox {
	struct line_peer peer;
	struct settings_pair pairs[8];
	char url[64];
	struct email_fixture fixture;
	struct host_fake *host;
	struct imap *imap;
};

/* A mailbox that was read up to @place, which may be NULL; connecting. */
static struct mailbox *mailbox_create(
	const struct line_peer_rule *rules, const char *place)
{
	struct mailbox *mailbox = calloc(1, sizeof(*mailbox));

	if (mailbox == NULL)
		abort();
	mailbox->peer.rules = rules;
	mailbox->peer.others = server;
	mailbox->peer.tagged = mailbox->peer.tls = true;
	line_peer_start(&mailbox->peer);
	snprintf(mailbox->url, sizeof(mailbox->url), "imaps://127.0.0.1:%d",
		mailbox->peer.port);
	mailbox->pairs[0] = (struct settings_pair){"from", "agent@example.org"};
	mailbox->pairs[1] = (struct settings_pair){"smtpHost", "127.0.0.1"};
	mailbox->pairs[2] = (struct settings_pair){"imapUrl", mailbox->url};
	mailbox->pairs[3] = (struct settings_pair){"imapUsername", "agent"};
	mailbox->pairs[4] = (struct settings_pair){"imapPassword", "open sesame"};
	mailbox->pairs[5] = (struct settings_pair){"caFile", mailbox->peer.ca_file};
	email_fixture_init(&mailbox->fixture, mailbox->pairs);
	mailbox->host = mailbox->fixture.host;
	mailbox->imap = mailbox->fixture.email->imap;
	if (place != NULL)
		host_fake_keep(mailbox->host, mailbox->imap->key, place);
	email_fixture_start(&mailbox->fixture);
	return mailbox;
}

/* What the server heard is left in @heard, which may be NULL. */
static void mailbox_destroy(struct mailbox *mailbox, char heard[LINE_PEER_HEARD])
{
	email_fixture_finish(&mailbox->fixture);
	line_peer_stop(&mailbox->peer);
	if (heard != NULL)
		memcpy(heard, mailbox->peer.heard, LINE_PEER_HEARD);
	free(mailbox);
}

/* Let it read what the server says until it is there. */
static void until(struct mailbox *mailbox, enum imap_state state)
{
	for (int turn = 0; turn < 1000; turn++) {
		struct pollfd wanted = {.events = POLLIN};

		host_fake_pass(mailbox->host, 0);
		if (mailbox->imap->state == state)
			return;
		wanted.fd = mailbox->host->watched_fd;
		if (wanted.fd < 0 || poll(&wanted, 1, 10000) != 1)
			break;
		mailbox->host->watched(mailbox->host->watched_arg);
	}
	CU_ASSERT_EQUAL_FATAL(mailbox->imap->state, state);
}

static const char *place_of(struct mailbox *mailbox)
{
	const char *place = host_fake_kept(mailbox->host, mailbox->imap->key);

	return place == NULL ? "" : place;
}

static size_t count(const char *heard, const char *what)
{
	size_t found = 0;

	for (; (heard = strstr(heard, what)) != NULL; heard += strlen(what))
		found++;
	return found;
}

#define FIND(uid, again) \
	{ \
		.verb = "UID SEARCH UID " again ":*", \
		.reply = "* SEARCH " uid "\r\n$ OK\r\n", .flags = LINE_PEER_FIRST \
	}

/* ---- Where it begins ---- */

static void a_mailbox_that_is_met_is_read_from_its_end(void)
{
	char heard[LINE_PEER_HEARD];
	struct mailbox *mailbox = mailbox_create(NULL, NULL);

	until(mailbox, STORING_BEGIN);
	CU_ASSERT_STRING_EQUAL(place_of(mailbox), "9 4");
	host_fake_verdict(mailbox->host, CG_VERDICT_COMMITTED);
	until(mailbox, IDLING);
	CU_ASSERT_EQUAL(mailbox->host->health.inbound, CG_HEALTH_UP);
	mailbox_destroy(mailbox, heard);
	CU_ASSERT_PTR_NOT_NULL(strstr(heard, "SELECT \"INBOX\"\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(heard, "UID SEARCH UID 5:*\r\n"));
	CU_ASSERT_EQUAL(count(heard, "FETCH"), 0);
}

static void a_place_that_is_not_stored_is_no_place(void)
{
	struct mailbox *mailbox = mailbox_create(NULL, NULL);

	until(mailbox, STORING_BEGIN);
	host_fake_verdict(mailbox->host, CG_VERDICT_UNAVAILABLE);
	CU_ASSERT_EQUAL(mailbox->imap->state, OFF);
	CU_ASSERT_PTR_NULL(mailbox->imap->link);
	CU_ASSERT_EQUAL(mailbox->host->health.inbound, CG_HEALTH_DEGRADED);
	mailbox_destroy(mailbox, NULL);
}

static void a_new_numbering_is_looked_through(void)
{
	char heard[LINE_PEER_HEARD];
	struct mailbox *mailbox = mailbox_create(NULL, "8 100");

	until(mailbox, STORING_BEGIN);
	CU_ASSERT_STRING_EQUAL(place_of(mailbox), "9 4");
	host_fake_verdict(mailbox->host, CG_VERDICT_COMMITTED);
	until(mailbox, IDLING);
	mailbox_destroy(mailbox, heard);
	CU_ASSERT_PTR_NOT_NULL(strstr(heard, "UID SEARCH UID 1:* SINCE 11-Nov-2023\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(heard, "UID SEARCH UID 5:*\r\n"));
}

/* ---- One mail ---- */

static void a_mail_is_marked_once_it_is_stored(void)
{
	static const struct line_peer_rule rules[] = {FIND("5", "5"), {.verb = NULL}};
	char heard[LINE_PEER_HEARD];
	struct mailbox *mailbox = mailbox_create(rules, "9 4");

	until(mailbox, STORING);
	CU_ASSERT_STRING_EQUAL(place_of(mailbox), "9 4");
	CU_ASSERT_STRING_EQUAL(host_fake_last(mailbox->host)->event_id, "m5@example.com");
	CU_ASSERT_STRING_EQUAL(host_fake_last(mailbox->host)->text, "Hello");
	CU_ASSERT_STRING_EQUAL(host_fake_last(mailbox->host)->checkpoint, "9 5");
	host_fake_verdict(mailbox->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(mailbox->imap->state, MARKING);
	until(mailbox, IDLING);
	CU_ASSERT_STRING_EQUAL(place_of(mailbox), "9 5");
	mailbox_destroy(mailbox, heard);
	CU_ASSERT_PTR_NOT_NULL(strstr(heard, "UID STORE 5 +FLAGS.SILENT (\\Seen)\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(heard, "UID SEARCH UID 6:*\r\n"));
}

static void a_mailbox_that_may_only_be_read_is_not_marked(void)
{
	static const struct line_peer_rule rules[] = {FIND("5", "5"),
		{.verb = "SELECT", .reply = SELECTED("READ-ONLY")}, {.verb = NULL}};
	char heard[LINE_PEER_HEARD];
	struct mailbox *mailbox = mailbox_create(rules, "9 4");

	until(mailbox, STORING);
	host_fake_verdict(mailbox->host, CG_VERDICT_COMMITTED);
	until(mailbox, IDLING);
	mailbox_destroy(mailbox, heard);
	CU_ASSERT_EQUAL(count(heard, "STORE"), 0);
}

/* Nothing behind it is touched before it is in the journal. */
static void a_mail_that_is_not_stored_is_fetched_again(void)
{
	static const struct line_peer_rule rules[] = {FIND("5 6", "5"), {.verb = NULL}};
	char heard[LINE_PEER_HEARD];
	struct mailbox *mailbox = mailbox_create(rules, "9 4");

	until(mailbox, STORING);
	host_fake_verdict(mailbox->host, CG_VERDICT_UNAVAILABLE);
	CU_ASSERT_EQUAL(mailbox->imap->state, HOLDING);
	host_fake_pass(mailbox->host, 2999);
	CU_ASSERT_EQUAL(mailbox->imap->state, HOLDING);
	host_fake_pass(mailbox->host, 1);
	until(mailbox, STORING);
	CU_ASSERT_STRING_EQUAL(place_of(mailbox), "9 4");
	mailbox_destroy(mailbox, heard);
	CU_ASSERT_EQUAL(count(heard, "UID FETCH 5 "), 2);
	CU_ASSERT_EQUAL(count(heard, "UID FETCH 6 "), 0);
	CU_ASSERT_EQUAL(count(heard, "STORE"), 0);
}

/* What cannot be understood, or is gone meanwhile, stops nothing. */
static void a_mail_that_is_none_is_passed_over(void)
{
	static const struct line_peer_rule rules[] = {FIND("5 6 7", "5"),
		{.verb = "UID FETCH 5 ", .reply = "$ OK\r\n"},
		{.verb = "UID FETCH 6 ",
			.reply =
				"* 1 FETCH (UID 6 RFC822.SIZE 4 BODY[]<0> {4}\r\n\r\n\r\n"
				")\r\n$ OK\r\n"},
		{.verb = "UID FETCH 7 ", .reply = FETCHED("7")}, {.verb = NULL}};
	struct mailbox *mailbox = mailbox_create(rules, "9 4");

	until(mailbox, STORING);
	for (int i = 0; i < 9 && mailbox->host->submission_count == 0; i++) {
		host_fake_pass(mailbox->host, 0);
		until(mailbox, STORING);
	}
	CU_ASSERT_STRING_EQUAL(place_of(mailbox), "9 6");
	CU_ASSERT_STRING_EQUAL(host_fake_last(mailbox->host)->checkpoint, "9 7");
	host_fake_verdict(mailbox->host, CG_VERDICT_CONFLICT);
	until(mailbox, IDLING);
	CU_ASSERT_STRING_EQUAL(place_of(mailbox), "9 7");
	mailbox_destroy(mailbox, NULL);
}

/* Five times within a minute, then it is let be, aloud. */
static void a_mail_that_is_denied_is_asked_for_again(void)
{
	static const struct line_peer_rule rules[] = {FIND("5", "5"),
		{.verb = "UID FETCH 5 ", .reply = "$ NO not now\r\n"}, {.verb = NULL}};
	static const int64_t waits[] = {3000, 6000, 12000, 24000};
	char heard[LINE_PEER_HEARD];
	struct mailbox *mailbox = mailbox_create(rules, "9 4");
	int said;

	for (size_t i = 0; i < 4; i++) {
		until(mailbox, HOLDING);
		CU_ASSERT_EQUAL(mailbox->host->health.inbound, CG_HEALTH_DEGRADED);
		CU_ASSERT_STRING_EQUAL(place_of(mailbox), "9 4");
		host_fake_pass(mailbox->host, waits[i] - 1);
		CU_ASSERT_EQUAL(mailbox->imap->state, HOLDING);
		host_fake_pass(mailbox->host, 1);
		CU_ASSERT_EQUAL(mailbox->imap->state, FETCHING);
	}
	said = mailbox->host->log_count;
	until(mailbox, IDLING);
	CU_ASSERT_EQUAL(mailbox->host->log_count, said + 1);
	CU_ASSERT_STRING_EQUAL(place_of(mailbox), "9 5");
	mailbox_destroy(mailbox, heard);
	CU_ASSERT_EQUAL(count(heard, "UID FETCH 5 "), 5);
}

/* ---- Waiting ---- */

static void news_end_the_waiting(void)
{
	static const struct line_peer_rule rules[] = {
		{.verb = "UID SEARCH",
			.reply = "* SEARCH\r\n$ OK\r\n",
			.flags = LINE_PEER_FIRST},
		{.verb = "IDLE",
			.reply = "+ idling\r\n* 4 EXISTS\r\n",
			.flags = LINE_PEER_FIRST},
		FIND("5", "5"), {.verb = NULL}};
	char heard[LINE_PEER_HEARD];
	struct mailbox *mailbox = mailbox_create(rules, "9 4");

	until(mailbox, STORING);
	mailbox_destroy(mailbox, heard);
	CU_ASSERT_EQUAL(count(heard, "IDLE\r\n"), 1);
	CU_ASSERT_EQUAL(count(heard, "DONE\r\n"), 1);
	CU_ASSERT_EQUAL(count(heard, "UID SEARCH UID 5:*"), 2);
}

/* Routers forget a silent connection. */
static void waiting_is_renewed(void)
{
	char heard[LINE_PEER_HEARD];
	struct mailbox *mailbox = mailbox_create(NULL, "9 4");

	until(mailbox, IDLING);
	host_fake_pass(mailbox->host, 539999);
	CU_ASSERT_EQUAL(mailbox->imap->state, IDLING);
	host_fake_pass(mailbox->host, 1);
	CU_ASSERT_EQUAL(mailbox->imap->state, LEAVING);
	until(mailbox, IDLING);
	mailbox_destroy(mailbox, heard);
	CU_ASSERT_EQUAL(count(heard, "IDLE\r\n"), 2);
}

static void without_idle_it_is_asked_each_minute(void)
{
	static const struct line_peer_rule rules[] = {
		{.verb = "CAPABILITY", .reply = "* CAPABILITY IMAP4rev1\r\n$ OK\r\n"},
		{.verb = NULL}};
	char heard[LINE_PEER_HEARD];
	struct mailbox *mailbox = mailbox_create(rules, "9 4");

	until(mailbox, POLLING);
	host_fake_pass(mailbox->host, 59999);
	CU_ASSERT_EQUAL(mailbox->imap->state, POLLING);
	host_fake_pass(mailbox->host, 1);
	CU_ASSERT_EQUAL(mailbox->imap->state, SEARCHING);
	until(mailbox, POLLING);
	mailbox_destroy(mailbox, heard);
	CU_ASSERT_EQUAL(count(heard, "IDLE"), 0);
}

/* ---- The end of a connection ---- */

/* Let time pass until the server has its nth client. */
static void meet(struct mailbox *mailbox, unsigned n)
{
	for (int i = 0; i < 60 && mailbox->peer.clients < n; i++)
		host_fake_pass(mailbox->host, 1000);
	CU_ASSERT_EQUAL_FATAL(mailbox->peer.clients, n);
}

static void a_lost_server_is_met_again(void)
{
	static const struct line_peer_rule rules[] = {
		{.verb = "UID SEARCH",
			.reply = "* SEARCH 5",
			.flags = LINE_PEER_FIRST | LINE_PEER_HANG_UP},
		{.verb = "UID SEARCH",
			.reply = "* no such {999999999}\r\n",
			.flags = LINE_PEER_FIRST},
		{.verb = "UID SEARCH", .reply = "", .flags = LINE_PEER_FIRST},
		{.verb = "UID SEARCH", .reply = "* BYE\r\n", .flags = LINE_PEER_FIRST},
		{.verb = NULL}};
	struct mailbox *mailbox = mailbox_create(rules, "9 4");

	for (unsigned i = 0; i < 4; i++) {
		meet(mailbox, i + 1);
		if (i == 2) { /* it says nothing at all */
			until(mailbox, SEARCHING);
			/* It was asked within the last second. */
			host_fake_pass(mailbox->host, 58999);
			CU_ASSERT_PTR_NOT_NULL(mailbox->imap->link);
			host_fake_pass(mailbox->host, 1001);
		} else {
			until(mailbox, OFF);
		}
		CU_ASSERT_PTR_NULL(mailbox->imap->link);
		CU_ASSERT_EQUAL(mailbox->host->health.inbound, CG_HEALTH_DEGRADED);
	}
	meet(mailbox, 5);
	until(mailbox, IDLING);
	CU_ASSERT_EQUAL(mailbox->host->health.inbound, CG_HEALTH_UP);
	CU_ASSERT_STRING_EQUAL(place_of(mailbox), "9 4");
	CU_ASSERT_EQUAL(mailbox->peer.clients, 5);
	mailbox_destroy(mailbox, NULL);
}

static void a_refused_login_is_not_hammered(void)
{
	static const struct line_peer_rule rules[] = {
		{.verb = "LOGIN", .reply = "$ NO wrong\r\n"}, {.verb = NULL}};
	struct mailbox *mailbox = mailbox_create(rules, "9 4");

	host_fake_pass(mailbox->host, 599999);
	CU_ASSERT_EQUAL(mailbox->peer.clients, 1);
	CU_ASSERT_EQUAL(mailbox->host->health.inbound, CG_HEALTH_REFUSED);
	host_fake_pass(mailbox->host, 1);
	CU_ASSERT_EQUAL(mailbox->peer.clients, 2);
	mailbox_destroy(mailbox, NULL);
}

static void a_stop_says_goodbye(void)
{
	char heard[LINE_PEER_HEARD];
	struct mailbox *mailbox = mailbox_create(NULL, "9 4");

	until(mailbox, IDLING);
	imap_stop(mailbox->imap);
	CU_ASSERT_PTR_NULL(mailbox->imap->link);
	CU_ASSERT_EQUAL(mailbox->host->watched_fd, -1);
	host_fake_pass(mailbox->host, 3600000);
	CU_ASSERT_EQUAL(mailbox->imap->state, OFF);
	CU_ASSERT_EQUAL(mailbox->peer.clients, 1);
	mailbox_destroy(mailbox, heard);
	CU_ASSERT_PTR_NOT_NULL(strstr(heard, "DONE\r\n"));
}

/* What is in the journal's hands stays there: its place is stored with it. */
static void a_stop_waits_for_no_mail(void)
{
	static const struct line_peer_rule rules[] = {FIND("5", "5"), {.verb = NULL}};
	struct mailbox *mailbox = mailbox_create(rules, "9 4");

	until(mailbox, STORING);
	imap_stop(mailbox->imap);
	host_fake_verdict(mailbox->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_STRING_EQUAL(place_of(mailbox), "9 5");
	CU_ASSERT_EQUAL(mailbox->imap->state, OFF);
	mailbox_destroy(mailbox, NULL);
}

UNIT_SUITE(email_imap, UNIT_TEST(a_mailbox_that_is_met_is_read_from_its_end),
	UNIT_TEST(a_place_that_is_not_stored_is_no_place),
	UNIT_TEST(a_new_numbering_is_looked_through),
	UNIT_TEST(a_mail_is_marked_once_it_is_stored),
	UNIT_TEST(a_mailbox_that_may_only_be_read_is_not_marked),
	UNIT_TEST(a_mail_that_is_not_stored_is_fetched_again),
	UNIT_TEST(a_mail_that_is_none_is_passed_over),
	UNIT_TEST(a_mail_that_is_denied_is_asked_for_again),
	UNIT_TEST(news_end_the_waiting), UNIT_TEST(waiting_is_renewed),
	UNIT_TEST(without_idle_it_is_asked_each_minute),
	UNIT_TEST(a_lost_server_is_met_again), UNIT_TEST(a_refused_login_is_not_hammered),
	UNIT_TEST(a_stop_says_goodbye), UNIT_TEST(a_stop_waits_for_no_mail));
