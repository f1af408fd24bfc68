/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of what platforms send, and the one shape that must become of each. */
#include "tests/contract/subject.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static void expect(const struct subject *subject, const struct subject_sample *sample,
	const char *what, const char *got, const char *want)
{
	bool same = strcmp(got, want == NULL ? "" : want) == 0;

	if (!same)
		fprintf(stderr, "%s, %s: %s is \"%s\"\n", subject->kind, sample->in, what,
			got);
	CU_ASSERT_TRUE(same);
}

static void check_message(const struct subject *subject,
	const struct subject_sample *sample, const struct host_fake_submission *got)
{
	CU_ASSERT_EQUAL(got->type, sample->type);
	expect(subject, sample, "event id", got->event_id, sample->event_id);
	expect(subject, sample, "chat", got->chat_id, sample->chat_id);
	expect(subject, sample, "thread", got->thread_id, sample->thread_id);
	expect(subject, sample, "person", got->sender_id, sample->user_id);
	expect(subject, sample, "text", got->text, sample->text);
	expect(subject, sample, "command", got->command, sample->command);
	expect(subject, sample, "token", got->token, sample->token);
	CU_ASSERT_EQUAL(got->is_direct, sample->is_direct);
	CU_ASSERT_EQUAL(got->is_bot, sample->is_bot);
	CU_ASSERT_EQUAL(got->attachments, sample->attachments);
}

static void samples_become_messages(void)
{
	EACH_SUBJECT(subject)
	{
		for (const struct subject_sample *sample = subject->samples;
			sample != NULL && sample->in != NULL; sample++) {
			struct rig *rig = subject_up(subject);

			subject->deliver(rig, sample);
			host_fake_pass(rig->host, 0);
			if (host_fake_open_submissions(rig->host) != !sample->ignored)
				fprintf(stderr, "%s: %s\n", subject->kind, sample->in);
			CU_ASSERT_EQUAL(
				host_fake_open_submissions(rig->host), !sample->ignored);
			if (!sample->ignored &&
				host_fake_open_submissions(rig->host) == 1) {
				check_message(subject, sample, host_fake_last(rig->host));
				host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
			}
			rig_destroy(rig);
		}
	}
}

UNIT_SUITE(inbound, UNIT_TEST(samples_become_messages));
