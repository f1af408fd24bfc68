/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/request.h"
#include "tests/contract/subject.h"

#include "tests/unit/unit.h"

#include <string.h>

static const struct settings_pair settings[] = {
	{"inboundSecret", EMAIL_SECRET},
	{"from", "Agent <agent@example.org>"},
	{"smtpHost", "127.0.0.1"},
	{"smtpUsername", "agent"},
	{"smtpPassword", EMAIL_PASSWORD},
	{"authservId", "mx.example.org"},
	{NULL, NULL},
};

/* The keys of the conversations that <m1@example.com> and <root@example.com> began. */
#define KEY_M1 "15518b10f6c5d78571e376bba50af9a8"
#define KEY_ROOT "7988c5c046ac0d336fdf350285ee0a95"

#define ADA "From: =?utf-8?q?Ad=C3=A1?= <Ada@Example.com>\r\nTo: agent@example.org\r\n"
#define PASSED \
	"Authentication-Results: mx.example.org; dkim=pass header.d=example.com\r\n"
#define ID "Message-ID: <m1@example.com>\r\n"

static const struct subject_sample samples[] = {
	{.in = "{\"from\":\"Ada <Ada@Example.com>\",\"messageId\":\"<m1@example.com>\","
	       "\"text\":\"Hello\\n\\nOn Mon, 1 Jan 2024, agent@example.org wrote:\\n> "
	       "x\"}",
		.event_id = "m1@example.com",
		.chat_id = "ada@example.com",
		.thread_id = KEY_M1,
		.user_id = "unverified:ada@example.com",
		.text = "Hello",
		.is_direct = true},
	{.in = "{\"from\":{\"email\":\"ada@example.com\",\"name\":\"Ada\"},\"id\":\"r-"
	       "1\","
	       "\"body\":\"/approve abc\\nwrapped\\n\\nRegards\",\"threadId\":\"t\","
	       "\"authenticationResults\":\"mx.example.org; dmarc=pass "
	       "header.from=example.com\"}",
		.type = CG_EVENT_COMMAND,
		.event_id = "r-1",
		.chat_id = "ada@example.com",
		.thread_id = "t",
		.user_id = "ada@example.com",
		.text = "/approve abc wrapped",
		.command = "approve",
		.is_direct = true},
	{.in = "{\"from\":\"ada@example.com\",\"messageId\":\"<m1@example.com>\","
	       "\"text\":\"x\","
	       "\"references\":[\"<root@example.com>\",\"<mid@example.com>\"],"
	       "\"inReplyTo\":\"<mid@example.com>\",\"attachments\":[{\"filename\":\"a."
	       "txt\","
	       "\"contentType\":\"text/plain\",\"contentBase64\":\"aGk=\"}]}",
		.event_id = "m1@example.com",
		.chat_id = "ada@example.com",
		.thread_id = KEY_ROOT,
		.user_id = "unverified:ada@example.com",
		.text = "x",
		.is_direct = true,
		.attachments = 1},
	{.in = "{\"from\":\"nobody at "
	       "all\",\"messageId\":\"<m1@example.com>\",\"text\":\"x\"}",
		.ignored = true},
	{.in = "{\"from\":\"agent@example.org\",\"messageId\":\"<m1@example.com>\","
	       "\"text\":\"x\"}",
		.ignored = true},
	{.in = PASSED ADA ID "Subject: caf\xC3\xA9\r\n\r\nGood day\r\n-- \r\nAda\r\n",
		.event_id = "m1@example.com",
		.chat_id = "ada@example.com",
		.thread_id = KEY_M1,
		.user_id = "ada@example.com",
		.text = "Good day",
		.is_direct = true},
	{.in = ADA ID
		"References: <root@example.com> <x@example.com>\r\n\r\nGood day\r\n",
		.event_id = "m1@example.com",
		.chat_id = "ada@example.com",
		.thread_id = KEY_ROOT,
		.user_id = "unverified:ada@example.com",
		.text = "Good day",
		.is_direct = true},
	{.in = ADA ID "Auto-Submitted: auto-replied\r\n\r\nI am away\r\n",
		.ignored = true},
	{.in = ADA ID "List-Id: <l.example.com>\r\n\r\nTo all\r\n", .ignored = true},
	{.in = NULL},
};

/* JSON as it is, anything else as a raw mail. */
static void deliver(struct rig *rig, const struct subject_sample *sample)
{
	static struct webhook_request request; /* outlives the commit */

	request = (struct webhook_request){.answers = 0};
	webhook_request_set(&request, "X-Open-Cowork-Gateway-Email-Secret", EMAIL_SECRET);
	webhook_request_set(&request, "Content-Type",
		sample->in[0] == '{' ? "application/json" : "message/rfc822");
	request_post(rig, &request, sample->in);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(request.answers, sample->ignored);
}

const struct subject subject_email = {
	.kind = "email",
	.settings = settings,
	.own_server = true,
	.deliver = deliver,
	.samples = samples,
};
