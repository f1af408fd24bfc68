/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/subject.h"

#include "tests/unit/unit.h"

#include <stdio.h>

static const struct rig_pair webhook_settings[] = {
	{"deliveryUrl", "https://receiver.example.org/hook/path-key"},
	{"sharedSecret", WEBHOOK_SECRET},
	{NULL, NULL},
};

static const struct rig_pair telegram_settings[] = {
	{"botToken", TELEGRAM_TOKEN},
	{NULL, NULL},
};

static const struct rig_pair no_settings[] = {{NULL, NULL}};

static const char *webhook_answer(int status)
{
	return status == 200 ? "{\"messageId\":\"77\"}"
			     : "{\"error\":\"no\",\"echo\":\"" WEBHOOK_SECRET "\"}";
}

static const char *telegram_answer(int status)
{
	static char body[256];

	if (status == 200)
		return "{\"ok\":true,\"result\":{\"message_id\":77}}";
	snprintf(body, sizeof(body),
		"{\"ok\":false,\"error_code\":%d,\"description\":\"No: " TELEGRAM_TOKEN
		"\"}",
		status);
	return body;
}

const struct subject subjects[] = {
	{"webhook", webhook_settings, true, webhook_answer},
	{"telegram", telegram_settings, true, telegram_answer},
	{"cli", no_settings, false, NULL},
	{"fake", no_settings, false, NULL},
};
const size_t subject_count = sizeof(subjects) / sizeof(*subjects);

void subject_settle(const struct subject *subject, struct rig *rig)
{
	struct cg_http_call *call;

	if (subject->answer != telegram_answer)
		return;
	call = rig_open_poll(rig);
	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	rig_answer(rig, call, 200,
		"{\"ok\":true,\"result\":{\"id\":42,\"is_bot\":true,\"username\":"
		"\"CowBot\"}}");
	call = rig_open_poll(rig);
	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	rig_answer(rig, call, 200, "{\"ok\":true,\"result\":true}");
	call = rig_open_poll(rig);
	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	rig_pass(rig, 30000); /* as long as there is nothing */
	rig_answer(rig, call, 200, "{\"ok\":true,\"result\":[]}");
	CU_ASSERT_PTR_NOT_NULL(rig_open_poll(rig));
}
