/* SPDX-License-Identifier: Apache-2.0 */
/* The command line over pipes that stand in for standard input and output. */
#include "tests/contract/module.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct settings_pair none[] = {{NULL, NULL}};

/* The test's own descriptors while pipes are in their place. */
struct stage {
	struct rig *rig;
	int in, out; /* our ends: write lines, read answers */
	int saved_in, saved_out;
};

static struct stage stage_up(void)
{
	struct stage stage = {.rig = module_rig("cli", none)};
	int input[2], output[2];

	fflush(stdout);
	CU_ASSERT_EQUAL_FATAL(pipe(input), 0);
	CU_ASSERT_EQUAL_FATAL(pipe(output), 0);
	stage.saved_in = dup(STDIN_FILENO);
	stage.saved_out = dup(STDOUT_FILENO);
	dup2(input[0], STDIN_FILENO);
	dup2(output[1], STDOUT_FILENO);
	close(input[0]);
	close(output[1]);
	stage.in = input[1];
	stage.out = output[0];
	fcntl(stage.out, F_SETFL, O_NONBLOCK);
	rig_up(stage.rig);
	return stage;
}

static void stage_down(struct stage *stage)
{
	rig_destroy(stage->rig);
	dup2(stage->saved_in, STDIN_FILENO);
	dup2(stage->saved_out, STDOUT_FILENO);
	close(stage->saved_in);
	close(stage->saved_out);
	if (stage->in >= 0)
		close(stage->in);
	if (stage->out >= 0)
		close(stage->out);
}

static void type(struct stage *stage, const char *text)
{
	ssize_t written = write(stage->in, text, strlen(text));

	CU_ASSERT_EQUAL(written, (ssize_t)strlen(text));
	if (stage->rig->host->watched != NULL)
		stage->rig->host->watched(stage->rig->host->watched_arg);
}

static void end_input(struct stage *stage)
{
	close(stage->in);
	stage->in = -1;
	if (stage->rig->host->watched != NULL)
		stage->rig->host->watched(stage->rig->host->watched_arg);
}

static size_t read_output(struct stage *stage, char *ret, size_t size)
{
	size_t length = 0;
	ssize_t count;

	while (length < size - 1 &&
		(count = read(stage->out, ret + length, size - 1 - length)) > 0)
		length += (size_t)count;
	ret[length] = '\0';
	return length;
}

static void a_line_is_a_message(void)
{
	struct stage stage = stage_up();
	struct rig *rig = stage.rig;
	char first[512];

	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
	CU_ASSERT_EQUAL(rig->host->watched_fd, STDIN_FILENO);
	type(&stage, "hello\r\n");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text, "hello");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->chat_id, "local-cli");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->sender_id, "cli-user");
	CU_ASSERT_TRUE(host_fake_last(rig->host)->is_direct);
	snprintf(first, sizeof(first), "%s", host_fake_last(rig->host)->event_id);
	CU_ASSERT_EQUAL(rig->host->watched_fd, -1); /* one at a time */
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig->host->watched_fd, STDIN_FILENO);
	type(&stage, "/New now\n\n  \n");
	CU_ASSERT_EQUAL(host_fake_last(rig->host)->type, CG_EVENT_COMMAND);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->command, "new");
	CU_ASSERT_STRING_NOT_EQUAL(host_fake_last(rig->host)->event_id, first);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig->host->submission_count, 2);
	stage_down(&stage);
}

static void files_come_with_a_json_line(void)
{
	static const char line[] =
		"{\"id\":\"q\",\"text\":\"look\",\"attachments\":[{\"filename\":"
		"\"a.txt\",\"bufferBase64\":\"aGVsbG8=\"}]}\n";
	struct stage stage = stage_up();
	struct rig *rig = stage.rig;
	char content[16] = "";
	FILE *file;

	rig->host->refuse_spool = true;
	type(&stage, line);
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	rig->host->refuse_spool = false;
	host_fake_pass(rig->host, 1000); /* there is room again */
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL_FATAL(host_fake_open_submissions(rig->host), 1);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "q");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text, "look");
	file = fopen(host_fake_last(rig->host)->files[0].spool_path, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(fread(content, 1, sizeof(content), file), 5);
	CU_ASSERT_STRING_EQUAL(content, "hello");
	fclose(file);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(access(host_fake_last(rig->host)->files[0].spool_path, F_OK), 0);
	type(&stage, line);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(
		host_fake_open_submissions(rig->host), 1); /* and one that goes with it */
	stage_down(&stage);
}

static void a_line_that_is_not_stored_is_tried_again(void)
{
	struct stage stage = stage_up();
	struct rig *rig = stage.rig;
	char id[512];

	type(&stage, "one\ntwo\n");
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 1);
	snprintf(id, sizeof(id), "%s", host_fake_last(rig->host)->event_id);
	host_fake_verdict(rig->host, CG_VERDICT_UNAVAILABLE);
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 0);
	host_fake_pass(rig->host, 1000);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text, "one");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, id);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text, "two");
	stage_down(&stage);
}

static void a_json_line_has_members(void)
{
	struct stage stage = stage_up();
	struct rig *rig = stage.rig;
	char output[2048];

	type(&stage,
		"{\"id\":\"x1\",\"chatId\":\"c\",\"threadId\":\"t\",\"userId\":\"u\","
		"\"text\":\"hi\"}\n");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "x1");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->chat_id, "c");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->thread_id, "t");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	type(&stage, "{\"text\":7}\n{broken\n\xFF\n");
	CU_ASSERT_EQUAL(rig->host->submission_count, 1);
	read_output(&stage, output, sizeof(output));
	CU_ASSERT_PTR_NOT_NULL(strstr(output,
		"{\"provider\":\"cli\",\"providerKind\":\"cli\",\"type\":\"error\","
		"\"error\":\"text must be a string\"}\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(output, "UTF-8"));
	stage_down(&stage);
}

static void a_line_beyond_the_limit_is_dropped_whole(void)
{
	struct stage stage = stage_up();
	struct rig *rig = stage.rig;
	char piece[16385], output[4096];

	memset(piece, 'x', sizeof(piece) - 1);
	piece[sizeof(piece) - 1] = '\0';
	for (int i = 0; i < 80; i++) /* 1.25 MiB */
		type(&stage, piece);
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	type(&stage, "tail\nnext\n");
	CU_ASSERT_EQUAL(rig->host->submission_count, 1);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text, "next");
	read_output(&stage, output, sizeof(output));
	CU_ASSERT_PTR_NOT_NULL(strstr(output, "too long"));
	stage_down(&stage);
}

static void answers_are_json_lines(void)
{
	struct stage stage = stage_up();
	struct rig *rig = stage.rig;
	struct cg_outbound outbound = host_fake_text("**hi**\n");
	struct host_fake_sent sent;
	char output[2048];

	rig_send(rig, &outbound, &sent);
	read_output(&stage, output, sizeof(output));
	CU_ASSERT_PTR_NOT_NULL(strstr(output, "\"type\":\"text\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(output, "\"text\":\"**hi**\\n\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(output, "\"providerDeliveryId\":\"delivery-1\""));
	CU_ASSERT_EQUAL(output[strlen(output) - 1], '\n');
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(sent.count, 1);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_SENT);
	CU_ASSERT_TRUE(strncmp(sent.message_id, "cli-", 4) == 0);
	outbound.kind = CG_OUTBOUND_EDIT;
	rig_send(rig, &outbound, &sent);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_MESSAGE);
	stage_down(&stage);
}

/* A reader that is slow is waited for, in order, and everything comes out whole. */
static void a_full_pipe_is_waited_for(void)
{
	struct stage stage = stage_up();
	struct rig *rig = stage.rig;
	static char text[12001], output[262144];
	struct cg_outbound outbound;
	struct host_fake_sent sent[10];
	size_t length = 0;

	memset(text, 'x', sizeof(text) - 1);
	outbound = host_fake_text(text);
	for (int i = 0; i < 10; i++)
		rig_send(rig, &outbound, &sent[i]);
	host_fake_pass(rig->host, 100);
	CU_ASSERT_EQUAL(sent[0].count, 1);
	CU_ASSERT_EQUAL(sent[9].count, 0);
	for (int i = 0; i < 100 && sent[9].count == 0; i++) {
		length += read_output(&stage, output, sizeof(output));
		host_fake_pass(rig->host, 20);
	}
	length += read_output(&stage, output, sizeof(output));
	CU_ASSERT_EQUAL(sent[9].count, 1);
	CU_ASSERT_EQUAL(sent[9].outcome.class, CG_OUTCOME_SENT);
	CU_ASSERT_TRUE(length > 120000);
	stage_down(&stage);
}

static void text_ends_at_its_limit(void)
{
	struct stage stage = stage_up();
	static char text[12002];
	struct cg_outbound outbound;
	struct host_fake_sent sent;

	for (size_t length = 12000; length <= 12001; length++) {
		memset(text, 'x', length);
		outbound = host_fake_text(text);
		rig_send(stage.rig, &outbound, &sent);
		host_fake_pass(stage.rig->host, 0);
		CU_ASSERT_EQUAL(sent.outcome.class,
			length == 12000 ? CG_OUTCOME_SENT : CG_OUTCOME_REFUSED);
	}
	stage_down(&stage);
}

static void a_closed_pipe_refuses_for_good(void)
{
	struct stage stage = stage_up();
	struct rig *rig = stage.rig;
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	close(stage.out);
	stage.out = -1;
	for (int i = 0; i < 2; i++) {
		rig_send(rig, &outbound, &sent);
		host_fake_pass(rig->host, 0);
		CU_ASSERT_EQUAL(sent.count, 1);
		CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
		CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_ACCOUNT);
	}
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_REFUSED);
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
	stage_down(&stage);
}

static void the_end_waits_for_the_answer(void)
{
	struct stage stage = stage_up();
	struct rig *rig = stage.rig;
	struct cg_outbound outbound = host_fake_text("answer");
	struct host_fake_sent sent;

	type(&stage, "question");
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	end_input(&stage);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text, "question");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	host_fake_pass(rig->host, 30000);
	CU_ASSERT_EQUAL(rig->host->quit_count, 0);
	rig_send(rig, &outbound, &sent);
	host_fake_pass(rig->host, 499);
	CU_ASSERT_EQUAL(rig->host->quit_count, 0);
	host_fake_pass(rig->host, 1);
	CU_ASSERT_EQUAL(rig->host->quit_count, 1);
	stage_down(&stage);
}

static void the_end_does_not_wait_for_ever(void)
{
	struct stage stage = stage_up();
	struct rig *rig = stage.rig;

	type(&stage, "question\n");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	end_input(&stage);
	host_fake_pass(rig->host, 59999);
	CU_ASSERT_EQUAL(rig->host->quit_count, 0);
	host_fake_pass(rig->host, 1);
	CU_ASSERT_EQUAL(rig->host->quit_count, 1);
	stage_down(&stage);
}

static void stop_and_start_again(void)
{
	struct stage stage = stage_up();
	struct rig *rig = stage.rig;

	type(&stage, "one\ntwo\n");
	rig->provider->ops->stop(rig->self);
	CU_ASSERT_EQUAL(rig->host->watched_fd, -1);
	CU_ASSERT_EQUAL(rig->provider->ops->start(rig->self, NULL), CG_OK);
	/* The first line's verdict is still to come: it is not submitted twice. */
	CU_ASSERT_EQUAL(rig->host->submission_count, 1);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text, "two");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig->host->watched_fd, STDIN_FILENO);
	stage_down(&stage);
}

UNIT_SUITE(cli, UNIT_TEST(a_line_is_a_message), UNIT_TEST(files_come_with_a_json_line),
	UNIT_TEST(a_line_that_is_not_stored_is_tried_again),
	UNIT_TEST(a_json_line_has_members),
	UNIT_TEST(a_line_beyond_the_limit_is_dropped_whole),
	UNIT_TEST(answers_are_json_lines), UNIT_TEST(a_full_pipe_is_waited_for),
	UNIT_TEST(text_ends_at_its_limit), UNIT_TEST(a_closed_pipe_refuses_for_good),
	UNIT_TEST(the_end_waits_for_the_answer),
	UNIT_TEST(the_end_does_not_wait_for_ever), UNIT_TEST(stop_and_start_again));
