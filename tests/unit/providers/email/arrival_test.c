/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/email/mime.h"
#include "tests/unit/providers/email/email_fixture.h"

#include <cowgate/sdk/crypto.h>
#include <stdio.h>
#include <unistd.h>

#define ADA "From: Ada <Ada@Example.com>\r\n"
#define ID "Message-ID: <m1@example.com>\r\n"
#define SIGNED \
	"Authentication-Results: mx.example.org; dkim=pass header.d=example.com\r\n"
#define WITH_FILE \
	ADA ID "Content-Type: application/x\r\nContent-Disposition: attachment; " \
	       "filename=\"a b\"\r\n\r\nbytes"

struct ended {
	int count;
	enum arrival_end end;
	char why[CG_ERROR_TEXT];
};

static void arrived(void *arg, enum arrival_end end, const char *why)
{
	struct ended *ended = arg;

	ended->count++;
	ended->end = end;
	snprintf(ended->why, sizeof(ended->why), "%s", why == NULL ? "" : why);
}

static char *copy_of(const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		abort();
	return copy;
}

/* It is judged when this returns: it waits for its commit, or has ended. */
static void arrive(
	struct email_fixture *fixture, const char *raw, struct ended *ret_ended)
{
	const struct arrival_origin origin = {.done = arrived, .arg = ret_ended};

	*ret_ended = (struct ended){.count = 0};
	CU_ASSERT_TRUE(arrival_begin_raw(
		&fixture->email->arrivals, copy_of(raw), strlen(raw), &origin));
	CU_ASSERT_EQUAL(ret_ended->count, 0);
	host_fake_pass(fixture->host, 0);
}

static void a_mail_becomes_a_message(void)
{
	struct email_fixture fixture;
	const struct host_fake_submission *message;
	char key[] = "place", value[] = "9 5";
	struct ended ended = {.count = 0};
	const struct arrival_origin origin = {.checkpoint_key = key,
		.checkpoint_value = value,
		.done = arrived,
		.arg = &ended};
	static const char raw[] = SIGNED ADA ID "Subject: Plans\r\n\r\nHello\r\n";

	email_fixture_init(&fixture, email_fixture_settings);
	CU_ASSERT_TRUE_FATAL(arrival_begin_raw(
		&fixture.email->arrivals, copy_of(raw), strlen(raw), &origin));
	key[0] = value[0] = 'x'; /* they were copied */
	host_fake_pass(fixture.host, 0);
	CU_ASSERT_EQUAL_FATAL(fixture.host->submission_count, 1);
	message = host_fake_last(fixture.host);
	CU_ASSERT_STRING_EQUAL(message->event_id, "m1@example.com");
	CU_ASSERT_STRING_EQUAL(message->message_id, "m1@example.com");
	CU_ASSERT_STRING_EQUAL(message->chat_id, "ada@example.com");
	CU_ASSERT_STRING_EQUAL(message->user_id, "ada@example.com");
	CU_ASSERT_STRING_EQUAL(message->name, "Ada");
	CU_ASSERT_STRING_EQUAL(message->text, "Hello");
	CU_ASSERT_TRUE(message->is_direct);
	CU_ASSERT_STRING_EQUAL(message->checkpoint_key, "place");
	CU_ASSERT_STRING_EQUAL(message->checkpoint, "9 5");
	CU_ASSERT_EQUAL(ended.count, 0);
	host_fake_verdict(fixture.host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(ended.count, 1);
	CU_ASSERT_EQUAL(ended.end, ARRIVAL_STORED);
	CU_ASSERT_EQUAL(fixture.email->arrivals.count, 0);
	CU_ASSERT_EQUAL(fixture.email->arrivals.bytes, 0);
	email_fixture_finish(&fixture);
}

/* A name that nobody has signed for is another name. */
static void who_is_not_known_is_another(void)
{
	struct email_fixture fixture;
	struct ended ended;

	email_fixture_init(&fixture, email_fixture_settings);
	arrive(&fixture, ADA ID "\r\nHello\r\n", &ended);
	CU_ASSERT_STRING_EQUAL(
		host_fake_last(fixture.host)->user_id, "unverified:ada@example.com");
	CU_ASSERT_STRING_EQUAL(
		host_fake_last(fixture.host)->sender_id, "unverified:ada@example.com");
	CU_ASSERT_STRING_EQUAL(host_fake_last(fixture.host)->chat_id, "ada@example.com");
	fixture.email->settings.trust_from = true;
	arrive(&fixture, ADA ID "\r\nHello\r\n", &ended);
	CU_ASSERT_STRING_EQUAL(host_fake_last(fixture.host)->user_id, "ada@example.com");
	email_fixture_finish(&fixture);
}

static void what_needs_no_answer_is_ignored(void)
{
	static const char *const mails[] = {
		"Subject: x\r\n" ID "\r\nHello\r\n",
		"From: a@example.com, b@example.com\r\n" ID "\r\nHello\r\n",
		ADA ID "Auto-Submitted: auto-replied\r\n\r\nHello\r\n",
		"From: agent@example.org\r\n" ID "\r\nHello\r\n",
		ADA ID "\r\n \r\n",
	};
	struct email_fixture fixture;
	struct ended ended;

	email_fixture_init(&fixture, email_fixture_settings);
	for (size_t i = 0; i < sizeof(mails) / sizeof(*mails); i++) {
		arrive(&fixture, mails[i], &ended);
		CU_ASSERT_EQUAL(ended.count, 1);
		CU_ASSERT_EQUAL(ended.end, ARRIVAL_IGNORED);
		CU_ASSERT_EQUAL(fixture.host->log_count, (int)i + 1);
	}
	CU_ASSERT_EQUAL(fixture.host->submission_count, 0);
	email_fixture_finish(&fixture);
}

static void a_subject_may_say_it_all(void)
{
	struct email_fixture fixture;
	struct ended ended;

	email_fixture_init(&fixture, email_fixture_settings);
	arrive(&fixture, ADA ID "Subject: Re: call me\r\n\r\n\r\n", &ended);
	CU_ASSERT_STRING_EQUAL(host_fake_last(fixture.host)->text, "call me");
	/* Clients wrap what is long, and people close with a greeting. */
	arrive(&fixture, ADA ID "\r\n/approve abc\r\nwrapped\r\n\r\nRegards, Ada\r\n",
		&ended);
	CU_ASSERT_EQUAL(host_fake_last(fixture.host)->type, CG_EVENT_COMMAND);
	CU_ASSERT_STRING_EQUAL(host_fake_last(fixture.host)->command, "approve");
	CU_ASSERT_STRING_EQUAL(host_fake_last(fixture.host)->args, "abc wrapped");
	CU_ASSERT_STRING_EQUAL(
		host_fake_last(fixture.host)->text, "/approve abc wrapped");
	email_fixture_finish(&fixture);
}

/* The same mail is the same event, whatever its id is worth. */
static void each_mail_has_an_event(void)
{
	struct email_fixture fixture;
	struct ended ended;
	char raw[1024], hash[2 * CG_SHA256 + 1], id[400];
	uint8_t bytes[CG_SHA256];

	email_fixture_init(&fixture, email_fixture_settings);
	cg_sha256(ADA "\r\nHello\r\n", strlen(ADA "\r\nHello\r\n"), bytes);
	cg_hex(bytes, sizeof(bytes), hash);
	arrive(&fixture, ADA "\r\nHello\r\n", &ended);
	CU_ASSERT_STRING_EQUAL(host_fake_last(fixture.host)->event_id, "");
	CU_ASSERT_STRING_EQUAL(host_fake_last(fixture.host)->fallback_key, hash);
	for (size_t length = CG_INBOUND_EVENT_ID; length <= CG_INBOUND_EVENT_ID + 1;
		length++) {
		memset(id, 'i', sizeof(id));
		snprintf(id + length - 12, 13, "@example.com");
		snprintf(raw, sizeof(raw), ADA "Message-ID: <%s>\r\n\r\nHello\r\n", id);
		cg_sha256(raw, strlen(raw), bytes);
		cg_hex(bytes, sizeof(bytes), hash);
		arrive(&fixture, raw, &ended);
		CU_ASSERT_STRING_EQUAL(host_fake_last(fixture.host)->event_id,
			length > CG_INBOUND_EVENT_ID ? hash : id);
		CU_ASSERT_STRING_EQUAL(host_fake_last(fixture.host)->message_id, id);
	}
	email_fixture_finish(&fixture);
}

static void a_verdict_has_its_end(void)
{
	static const struct {
		enum cg_verdict verdict;
		enum arrival_end end;
		bool says_why;
		bool keeps;
	} rows[] = {
		{CG_VERDICT_COMMITTED, ARRIVAL_STORED, false, true},
		{CG_VERDICT_DUPLICATE, ARRIVAL_STORED, false, false},
		{CG_VERDICT_CONFLICT, ARRIVAL_CONFLICT, false, false},
		{CG_VERDICT_INVALID, ARRIVAL_BAD, true, false},
		{CG_VERDICT_UNAVAILABLE, ARRIVAL_UNAVAILABLE, false, false},
	};
	struct email_fixture fixture;
	struct ended ended;

	email_fixture_init(&fixture, email_fixture_settings);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *path;

		arrive(&fixture, WITH_FILE, &ended);
		path = host_fake_last(fixture.host)->files[0].spool_path;
		CU_ASSERT_EQUAL(access(path, R_OK), 0);
		host_fake_verdict(fixture.host, rows[i].verdict);
		CU_ASSERT_EQUAL(ended.count, 1);
		CU_ASSERT_EQUAL(ended.end, rows[i].end);
		CU_ASSERT_EQUAL(ended.why[0] != '\0', rows[i].says_why);
		/* Only what a message refers to stays. */
		CU_ASSERT_EQUAL(access(path, R_OK) == 0, rows[i].keeps);
	}
	email_fixture_finish(&fixture);
}

static void what_is_left_out_is_said(void)
{
	struct email_fixture fixture;
	struct ended ended;

	email_fixture_init(&fixture, email_fixture_settings);
	arrive(&fixture,
		ADA ID
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n"
		"--b\r\nContent-Disposition: attachment; filename=big\r\n\r\n"
		"0123456789012345678901234567890123456789012345678901234567890123x"
		"\r\n--b--\r\n",
		&ended);
	CU_ASSERT_EQUAL_FATAL(fixture.host->submission_count, 1);
	CU_ASSERT_EQUAL(host_fake_last(fixture.host)->attachments, 0);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_last(fixture.host)->text, "Hello\n\n[1 "));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_last(fixture.host)->text, "larger than 64 bytes]"));
	email_fixture_finish(&fixture);
}

static void what_cannot_be_kept_comes_again(void)
{
	struct email_fixture fixture;
	struct ended ended;

	email_fixture_init(&fixture, email_fixture_settings);
	fixture.host->refuse_spool = true;
	arrive(&fixture, WITH_FILE, &ended);
	CU_ASSERT_EQUAL(ended.end, ARRIVAL_UNAVAILABLE);
	CU_ASSERT_EQUAL(fixture.host->submission_count, 0);
	email_fixture_finish(&fixture);
}

static void what_is_no_mail_is_told(void)
{
	enum { DEPTH = 2 * MIME_PARTS };
	char *raw = calloc(DEPTH + 1, 96);
	struct email_fixture fixture;
	struct ended ended;
	size_t used = (size_t)snprintf(raw, 96, ADA ID);

	email_fixture_init(&fixture, email_fixture_settings);
	for (int i = 0; i < DEPTH; i++)
		used += (size_t)snprintf(raw + used, 96,
			"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i,
			i);
	arrive(&fixture, raw, &ended);
	CU_ASSERT_EQUAL(ended.count, 1);
	CU_ASSERT_EQUAL(ended.end, ARRIVAL_BAD);
	CU_ASSERT_TRUE(ended.why[0] != '\0');
	email_fixture_finish(&fixture);
	free(raw);
}

static void a_loop_of_mails_ends(void)
{
	struct email_fixture fixture;
	struct ended ended;

	email_fixture_init(&fixture, email_fixture_settings);
	for (int i = 0; i < GUARD_MAILS; i++) {
		arrive(&fixture, ADA ID "\r\nHello\r\n", &ended);
		host_fake_verdict(fixture.host, CG_VERDICT_COMMITTED);
		CU_ASSERT_EQUAL(ended.end, ARRIVAL_STORED);
	}
	arrive(&fixture, ADA ID "\r\nHello\r\n", &ended);
	CU_ASSERT_EQUAL(ended.end, ARRIVAL_TOO_FAST);
	host_fake_pass(fixture.host, GUARD_WINDOW_MS);
	arrive(&fixture, ADA ID "\r\nHello\r\n", &ended);
	CU_ASSERT_EQUAL(ended.count, 0);
	email_fixture_finish(&fixture);
}

static void so_many_are_under_way(void)
{
	struct email_fixture fixture;
	struct ended ended[ARRIVALS_MAX], none = {.count = 0};
	const struct arrival_origin origin = {.done = arrived, .arg = &none};
	struct mail mail = {.file_count = 0};
	char raw[128];

	email_fixture_init(&fixture, email_fixture_settings);
	for (int i = 0; i < ARRIVALS_MAX; i++) {
		snprintf(raw, sizeof(raw), "From: a%d@example.com\r\n\r\nHello\r\n", i);
		arrive(&fixture, raw, &ended[i]);
	}
	CU_ASSERT_EQUAL(host_fake_open_submissions(fixture.host), ARRIVALS_MAX);
	/* What is turned away is freed. */
	CU_ASSERT_FALSE(arrival_begin_raw(
		&fixture.email->arrivals, copy_of(raw), strlen(raw), &origin));
	mail.text = copy_of("Hello");
	CU_ASSERT_FALSE(arrival_begin_mail(&fixture.email->arrivals, &mail, &origin));
	host_fake_verdict(fixture.host, CG_VERDICT_COMMITTED);
	CU_ASSERT_TRUE(arrival_begin_raw(
		&fixture.email->arrivals, copy_of(raw), strlen(raw), &origin));
	CU_ASSERT_EQUAL(none.count, 0);
	email_fixture_finish(&fixture);
}

static void so_many_bytes_are_under_way(void)
{
	static const char raw[] = ADA ID "\r\nHello\r\n";
	size_t length = strlen(raw);
	struct email_fixture fixture;
	struct ended ended;
	const struct arrival_origin origin = {.done = arrived, .arg = &ended};

	email_fixture_init(&fixture, email_fixture_settings);
	fixture.email->arrivals.bytes = ARRIVALS_BYTES - length + 1;
	CU_ASSERT_FALSE(arrival_begin_raw(
		&fixture.email->arrivals, copy_of(raw), length, &origin));
	fixture.email->arrivals.bytes--;
	arrive(&fixture, raw, &ended);
	CU_ASSERT_EQUAL(fixture.email->arrivals.bytes, ARRIVALS_BYTES);
	host_fake_verdict(fixture.host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(fixture.email->arrivals.bytes, ARRIVALS_BYTES - length);
	email_fixture_finish(&fixture);
}

/* What is in a commit may come to need its files: the daemon knows better. */
static void an_end_forgets_but_keeps_the_files(void)
{
	struct email_fixture fixture;
	struct ended ended;

	email_fixture_init(&fixture, email_fixture_settings);
	arrive(&fixture, WITH_FILE, &ended);
	arrivals_finish(&fixture.email->arrivals);
	CU_ASSERT_EQUAL(ended.count, 0);
	CU_ASSERT_EQUAL(
		access(host_fake_last(fixture.host)->files[0].spool_path, R_OK), 0);
	CU_ASSERT_EQUAL(fixture.email->arrivals.count, 0);
	email_fixture_finish(&fixture);
}

UNIT_SUITE(email_arrival, UNIT_TEST(a_mail_becomes_a_message),
	UNIT_TEST(who_is_not_known_is_another),
	UNIT_TEST(what_needs_no_answer_is_ignored), UNIT_TEST(a_subject_may_say_it_all),
	UNIT_TEST(each_mail_has_an_event), UNIT_TEST(a_verdict_has_its_end),
	UNIT_TEST(what_is_left_out_is_said), UNIT_TEST(what_cannot_be_kept_comes_again),
	UNIT_TEST(what_is_no_mail_is_told), UNIT_TEST(a_loop_of_mails_ends),
	UNIT_TEST(so_many_are_under_way), UNIT_TEST(so_many_bytes_are_under_way),
	UNIT_TEST(an_end_forgets_but_keeps_the_files));
