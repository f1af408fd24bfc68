/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/providers/slack/slack_fixture.h"

#include <stdio.h>
#include <unistd.h>

struct upload {
	struct slack_fixture fixture;
	char path[64];
	struct cg_file file;
	struct cg_outbound outbound;
	struct host_fake_sent sent;
};

static void upload_init(struct upload *upload)
{
	int fd;

	*upload = (struct upload){.path = "/tmp/cowgate-upload-XXXXXX"};
	fd = mkstemp(upload->path);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, "hello", 5), 5);
	close(fd);
	slack_fixture_init(&upload->fixture);
	upload->file =
		(struct cg_file){.filename = "a.txt", .path = upload->path, .bytes = 5};
	upload->outbound = host_fake_text("");
	upload->outbound.kind = CG_OUTBOUND_FILE;
	upload->outbound.file = &upload->file;
	upload->outbound.target.chat_id = "C1";
}

static void upload_finish(struct upload *upload)
{
	slack_fixture_finish(&upload->fixture);
	unlink(upload->path);
}

static void begin(struct upload *upload)
{
	rig_send(upload->fixture.rig, &upload->outbound, &upload->sent);
}

static struct cg_http_call *call_of(struct upload *upload)
{
	return host_fake_open_call(upload->fixture.host);
}

static void place(struct upload *upload, const char *file_id)
{
	char answer[512];

	snprintf(answer, sizeof(answer),
		"{\"ok\":true,\"upload_url\":\"https://files.slack.com/up\","
		"\"file_id\":\"%s\"}",
		file_id);
	host_fake_answer(call_of(upload), 200, answer);
}

static void check_refused(struct upload *upload)
{
	begin(upload);
	CU_ASSERT_PTR_NULL(call_of(upload));
	CU_ASSERT_EQUAL(upload->sent.count, 0);
	host_fake_pass(upload->fixture.host, 0);
	CU_ASSERT_EQUAL(upload->sent.count, 1);
	CU_ASSERT_EQUAL(upload->sent.outcome.class, CG_OUTCOME_REFUSED);
	CU_ASSERT_EQUAL(upload->sent.outcome.scope, CG_SCOPE_MESSAGE);
}

static void check_begun(struct upload *upload)
{
	begin(upload);
	CU_ASSERT_PTR_NOT_NULL_FATAL(call_of(upload));
	host_fake_fault(call_of(upload), CG_HTTP_NOT_DISPATCHED);
}

static void files_have_limits(void)
{
	char name[257];
	struct upload upload;

	upload_init(&upload);
	upload.file.bytes = slack_capabilities.max_file;
	check_begun(&upload);
	upload.file.bytes++;
	check_refused(&upload);
	upload.file.bytes = 0;
	check_refused(&upload);
	upload.file.bytes = 5;
	memset(name, 'n', 256);
	name[255] = '\0';
	upload.file.filename = name;
	check_begun(&upload);
	name[255] = 'n';
	name[256] = '\0';
	check_refused(&upload);
	upload.file.filename = " ";
	check_refused(&upload);
	upload.file.filename = "a.txt";
	upload.outbound.target.chat_id = "";
	check_refused(&upload);
	upload.outbound.target.chat_id = "C1";
	upload.file.path = NULL;
	check_refused(&upload);
	upload.outbound.file = NULL;
	check_refused(&upload);
	upload_finish(&upload);
}

/* A file's id is its receipt: one that cannot be kept is none. */
static void a_receipt_fits_or_nothing_goes(void)
{
	char id[CG_SEND_MESSAGE_ID + 1];
	struct upload upload;

	upload_init(&upload);
	memset(id, 'F', sizeof(id));
	id[CG_SEND_MESSAGE_ID] = '\0';
	begin(&upload);
	place(&upload, id);
	CU_ASSERT_PTR_NULL(call_of(&upload));
	CU_ASSERT_EQUAL(upload.sent.outcome.class, CG_OUTCOME_NOT_DISPATCHED);
	CU_ASSERT_EQUAL(upload.sent.outcome.scope, CG_SCOPE_DESTINATION);
	id[CG_SEND_MESSAGE_ID - 1] = '\0';
	begin(&upload);
	place(&upload, id);
	host_fake_answer(call_of(&upload), 200, "OK");
	host_fake_answer(call_of(&upload), 200, "{\"ok\":true}");
	CU_ASSERT_EQUAL(upload.sent.outcome.class, CG_OUTCOME_SENT);
	CU_ASSERT_STRING_EQUAL(upload.sent.message_id, id);
	upload_finish(&upload);
}

/* The steps have the time of one send, and what they cannot begin was not seen. */
static void steps_share_their_time(void)
{
	struct upload upload;

	upload_init(&upload);
	begin(&upload);
	host_fake_pass(upload.fixture.host, 8000);
	place(&upload, "F1");
	CU_ASSERT_EQUAL(call_of(&upload)->timeout_ms, 12000);
	host_fake_pass(upload.fixture.host, 10000);
	host_fake_answer(call_of(&upload), 200, "OK");
	CU_ASSERT_EQUAL(call_of(&upload)->timeout_ms, 2000);
	host_fake_fault(call_of(&upload), CG_HTTP_NOT_DISPATCHED);
	CU_ASSERT_EQUAL(upload.sent.outcome.class, CG_OUTCOME_NOT_DISPATCHED);
	for (int step = 0; step < 3; step++) {
		upload.fixture.host->refuse_http = step == 0;
		begin(&upload);
		upload.fixture.host->refuse_http = step == 1;
		if (step > 0)
			place(&upload, "F1");
		upload.fixture.host->refuse_http = true;
		if (step > 1)
			host_fake_answer(call_of(&upload), 200, "OK");
		host_fake_pass(upload.fixture.host, 0);
		CU_ASSERT_EQUAL(upload.sent.count, 1);
		CU_ASSERT_EQUAL(upload.sent.outcome.class, CG_OUTCOME_NOT_DISPATCHED);
	}
	upload_finish(&upload);
}

/* Slow down is slow down wherever it is said, and a no is a no. */
static void refusals_and_limits_stay(void)
{
	struct upload upload;

	upload_init(&upload);
	begin(&upload);
	host_fake_answer_later(call_of(&upload), 429, 7000);
	CU_ASSERT_EQUAL(upload.sent.outcome.class, CG_OUTCOME_RATE_LIMITED);
	CU_ASSERT_EQUAL(upload.sent.outcome.retry_after_ms, 7000);
	begin(&upload);
	place(&upload, "F1");
	host_fake_answer_later(call_of(&upload), 429, 9000);
	CU_ASSERT_EQUAL(upload.sent.outcome.class, CG_OUTCOME_RATE_LIMITED);
	CU_ASSERT_EQUAL(upload.sent.outcome.retry_after_ms, 9000);
	begin(&upload);
	place(&upload, "F1");
	host_fake_answer(call_of(&upload), 200, "OK");
	host_fake_answer(
		call_of(&upload), 200, "{\"ok\":false,\"error\":\"not_in_channel\"}");
	CU_ASSERT_EQUAL(upload.sent.outcome.class, CG_OUTCOME_REFUSED);
	CU_ASSERT_EQUAL(upload.sent.outcome.scope, CG_SCOPE_CHAT);
	upload_finish(&upload);
}

static void check_completion(
	struct upload *upload, const char *wanted, const char *unwanted)
{
	begin(upload);
	place(upload, "F1");
	host_fake_answer(call_of(upload), 200, "OK");
	CU_ASSERT_PTR_NOT_NULL(strstr(call_of(upload)->body, wanted));
	if (unwanted != NULL)
		CU_ASSERT_PTR_NULL(strstr(call_of(upload)->body, unwanted));
	host_fake_answer(call_of(upload), 200, "{\"ok\":true}");
}

static void the_words_of_a_file_are_escaped_and_cut(void)
{
	struct upload upload;
	char *words = calloc(1, 20000);

	CU_ASSERT_PTR_NOT_NULL_FATAL(words);
	upload_init(&upload);
	/* A channel's name for a thread is the channel itself. */
	upload.outbound.target.thread_id = "C1";
	check_completion(&upload, "\"channel_id\":\"C1\"}", "thread_ts");
	upload.outbound.target.thread_id = "1.1";
	upload.outbound.text = "<!channel> & \"x\"";
	upload.outbound.text_length = strlen(upload.outbound.text);
	check_completion(&upload,
		"\"thread_ts\":\"1.1\",\"initial_comment\":\"&lt;!channel&gt; &amp; "
		"\\\"x\\\"\"}",
		NULL);
	/* One '&' is five bytes: the last is whole or left out. */
	memset(words, '&', 19999);
	upload.outbound.text = words;
	upload.outbound.text_length = 19999;
	check_completion(&upload, "&amp;\"}", NULL);
	upload_finish(&upload);
	free(words);
}

UNIT_SUITE(slack_upload, UNIT_TEST(files_have_limits),
	UNIT_TEST(a_receipt_fits_or_nothing_goes), UNIT_TEST(steps_share_their_time),
	UNIT_TEST(refusals_and_limits_stay),
	UNIT_TEST(the_words_of_a_file_are_escaped_and_cut));
