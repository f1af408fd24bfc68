/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/webhook_request.h"
#include "tests/unit/providers/email/email_fixture.h"

#include <stdio.h>

#define JSON "{\"from\":\"ada@example.com\",\"id\":\"m1\",\"text\":\"Hello\"}"
#define RAW "From: ada@example.com\r\nMessage-ID: <m1@example.com>\r\n\r\nHello\r\n"
#define FORM "from=ada%40example.com&id=m1&text=Hello"

static void post(struct email_fixture *fixture, struct webhook_request *request,
	const char *method, const char *type, const char *body)
{
	*request = (struct webhook_request){.answers = 0};
	webhook_request_set(request, "authorization", "Bearer " EMAIL_FIXTURE_SECRET);
	webhook_request_set(request, "content-type", type);
	email_ingress(fixture->email,
		webhook_request_make(request, method, body, fixture->host->wall_ms));
	host_fake_pass(fixture->host, 0);
}

static void up(struct email_fixture *fixture)
{
	email_fixture_init(fixture, email_fixture_settings);
	email_fixture_start(fixture);
}

/* Many senders leave curl's default type on a JSON body. */
static void the_type_says_how_to_read(void)
{
	static const struct {
		const char *type, *body;
		bool good;
	} rows[] = {
		{"application/json", JSON, true},
		{"application/x-www-form-urlencoded", JSON, true},
		{"application/x-www-form-urlencoded; charset=utf-8", FORM, true},
		{"message/rfc822", RAW, true},
		{"Message/RFC822; charset=utf-8", RAW, true},
		{"message/rfc822 ; x=y", RAW, true},
		{"message/rfc8222", RAW, false},
		{"text/plain", RAW, false},
		{"application/json", FORM, false},
		{"application/json", "[]", false},
	};
	struct email_fixture fixture;
	struct webhook_request request;

	up(&fixture);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		post(&fixture, &request, "POST", rows[i].type, rows[i].body);
		CU_ASSERT_EQUAL(request.answers, !rows[i].good);
		if (!rows[i].good) {
			CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_BAD);
			CU_ASSERT_TRUE(request.body[0] != '\0');
			continue;
		}
		CU_ASSERT_STRING_EQUAL(host_fake_last(fixture.host)->text, "Hello");
		host_fake_verdict(fixture.host, CG_VERDICT_COMMITTED);
		CU_ASSERT_EQUAL(request.answers, 1);
		CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_ACCEPTED);
	}
	email_fixture_finish(&fixture);
}

/* Who is told what, in this order: nobody learns more who does not know the secret. */
static void requests_are_judged_in_order(void)
{
	struct email_fixture fixture;
	struct webhook_request request = {.answers = 0};

	email_fixture_init(&fixture, email_fixture_settings);
	post(&fixture, &request, "POST", "application/json", JSON);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_UNAVAILABLE);
	email_fixture_start(&fixture);
	request = (struct webhook_request){.answers = 0};
	email_ingress(fixture.email, webhook_request_make(&request, "GET", "", 0));
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_DENIED);
	post(&fixture, &request, "GET", "application/json", JSON);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_BAD);
	CU_ASSERT_PTR_NOT_NULL(strstr(request.body, "POST"));
	post(&fixture, &request, "POST", "application/json", "");
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_BAD);
	CU_ASSERT_EQUAL(fixture.host->submission_count, 0);
	email_fixture_finish(&fixture);
}

/* Without a secret of ours there is none that could be known. */
static void no_secret_opens_nothing(void)
{
	static const struct settings_pair pairs[] = {{"from", "agent@example.org"},
		{"smtpHost", "127.0.0.1"}, {"imapUrl", "imaps://127.0.0.1:1"},
		{"imapUsername", "agent"}, {"imapPassword", "open sesame"}, {NULL, NULL}};
	static const char *const values[] = {"Bearer ", "Bearer", "Bearer  ", ""};
	struct email_fixture fixture;

	email_fixture_init(&fixture, pairs);
	fixture.email->started = true;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		struct webhook_request request = {.answers = 0};

		webhook_request_set(&request, "authorization", values[i]);
		webhook_request_set(&request, "x-open-cowork-gateway-email-secret", "");
		email_ingress(
			fixture.email, webhook_request_make(&request, "POST", JSON, 0));
		CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_DENIED);
	}
	email_fixture_finish(&fixture);
}

static void an_end_has_its_answer(void)
{
	struct email_fixture fixture;
	struct webhook_request request;

	up(&fixture);
	/* From nobody: there is nothing to be done, and nothing to be sent again. */
	post(&fixture, &request, "POST", "application/json",
		"{\"id\":\"1\",\"text\":\"x\"}");
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_ACCEPTED);
	for (int i = 0; i < GUARD_MAILS; i++) {
		post(&fixture, &request, "POST", "application/json", JSON);
		host_fake_verdict(fixture.host, CG_VERDICT_DUPLICATE);
		CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_ACCEPTED);
	}
	post(&fixture, &request, "POST", "application/json", JSON);
	CU_ASSERT_EQUAL(request.answers, 1);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_UNAVAILABLE);
	email_fixture_finish(&fixture);
}

/* As many as may be under way wait; the next comes again, in either form. */
static void too_many_come_again(void)
{
	struct webhook_request *requests = calloc(ARRIVALS_MAX, sizeof(*requests));
	struct email_fixture fixture;
	struct webhook_request request;
	char body[128];

	CU_ASSERT_PTR_NOT_NULL_FATAL(requests);
	up(&fixture);
	for (int i = 0; i < ARRIVALS_MAX; i++) {
		snprintf(body, sizeof(body),
			"{\"from\":\"a%d@example.com\",\"id\":\"%d\",\"text\":\"x\"}", i,
			i);
		post(&fixture, &requests[i], "POST", "application/json", body);
		CU_ASSERT_EQUAL(requests[i].answers, 0);
	}
	post(&fixture, &request, "POST", "application/json", JSON);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_UNAVAILABLE);
	CU_ASSERT_EQUAL(request.answers, 1);
	post(&fixture, &request, "POST", "message/rfc822", RAW);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_UNAVAILABLE);
	CU_ASSERT_EQUAL(request.answers, 1);
	/* Those that wait at the end are the daemon's to answer. */
	email_ingress_finish(fixture.email);
	arrivals_finish(&fixture.email->arrivals);
	for (int i = 0; i < ARRIVALS_MAX; i++)
		CU_ASSERT_EQUAL(requests[i].answers, 0);
	email_fixture_finish(&fixture);
	free(requests);
}

UNIT_SUITE(email_ingress, UNIT_TEST(the_type_says_how_to_read),
	UNIT_TEST(requests_are_judged_in_order), UNIT_TEST(no_secret_opens_nothing),
	UNIT_TEST(an_end_has_its_answer), UNIT_TEST(too_many_come_again));
