/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cli/cli.h"
#include "tests/support/rig.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct settings_pair none[] = {{NULL, NULL}};

/* One instance that writes into a pipe, and reads nothing. */
struct stage {
	struct rig *rig;
	struct cli *cli;
	int out; /* our end; -1: closed */
};

static struct stage stage_up(void)
{
	struct stage stage = {.rig = rig_new(cg_plugin.providers[0], none)};
	int output[2];

	CU_ASSERT_EQUAL_FATAL(rig_create(stage.rig, NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(pipe(output), 0);
	stage.cli = stage.rig->self;
	stage.cli->in = -1;
	stage.cli->out = output[1];
	stage.cli->sender.terminal = false;
	stage.out = output[0];
	fcntl(stage.out, F_SETFL, O_NONBLOCK);
	return stage;
}

static void stage_down(struct stage *stage)
{
	int out = stage->cli->out;

	rig_destroy(stage->rig);
	close(out);
	if (stage->out >= 0)
		close(stage->out);
}

/* What was written meanwhile. */
static const char *said(struct stage *stage)
{
	static char text[16384];
	ssize_t count = read(stage->out, text, sizeof(text) - 1);

	text[count > 0 ? count : 0] = '\0';
	return text;
}

static void a_send_ends_when_its_bytes_are_out(void)
{
	struct cg_outbound outbound = host_fake_text("hello");
	struct stage stage = stage_up();
	struct host_fake_sent sent;
	char first[64];

	stage.cli->awaited = 1;
	rig_send(stage.rig, &outbound, &sent);
	host_fake_pass(stage.rig->host, 0);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_SENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(said(&stage), "\"hello\""));
	CU_ASSERT_EQUAL(stage.cli->awaited, 0);
	cg_text_copy(first, sizeof(first), sent.message_id);
	CU_ASSERT_STRING_NOT_EQUAL(first, "");
	rig_send(stage.rig, &outbound, &sent);
	host_fake_pass(stage.rig->host, 0);
	CU_ASSERT_STRING_NOT_EQUAL(sent.message_id, first);
	CU_ASSERT_EQUAL(stage.cli->awaited, 0); /* never below */
	stage_down(&stage);
}

static void four_megabytes_wait_and_no_more(void)
{
	static char text[12001];
	static struct host_fake_sent sent[400];
	struct cg_outbound outbound;
	struct stage stage = stage_up();
	size_t count = 0;

	memset(text, 'x', sizeof(text) - 1);
	outbound = host_fake_text(text);
	do {
		CU_ASSERT_TRUE_FATAL(count < 400);
		rig_send(stage.rig, &outbound, &sent[count]);
		host_fake_pass(stage.rig->host, 0);
		count++;
	} while (sent[count - 1].count == 0 ||
		 sent[count - 1].outcome.class == CG_OUTCOME_SENT);
	CU_ASSERT_EQUAL(sent[count - 1].outcome.class, CG_OUTCOME_NOT_DISPATCHED);
	CU_ASSERT_STRING_EQUAL(sent[count - 1].detail, "nobody reads standard output");
	CU_ASSERT_TRUE(stage.cli->output.length <= CLI_OUTPUT_MAX);
	CU_ASSERT_TRUE(stage.cli->output.length > CLI_OUTPUT_MAX - 13000);
	CU_ASSERT_EQUAL(sent[count - 2].count, 0); /* it waits */
	cli_output_error(stage.cli, "a complaint has room still");
	while (said(&stage)[0] != '\0')
		host_fake_pass(stage.rig->host, 20);
	CU_ASSERT_EQUAL(stage.cli->output.length, 0);
	CU_ASSERT_EQUAL(sent[count - 2].outcome.class, CG_OUTCOME_SENT);
	stage_down(&stage);
}

static void who_went_is_not_written_to(void)
{
	struct cg_outbound outbound = host_fake_text("hello");
	struct stage stage = stage_up();
	struct host_fake_sent sent;

	close(stage.out);
	stage.out = -1;
	for (int i = 0; i < 2; i++) {
		rig_send(stage.rig, &outbound, &sent);
		host_fake_pass(stage.rig->host, 0);
		CU_ASSERT_EQUAL(sent.count, 1);
		CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
		CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_ACCOUNT);
		CU_ASSERT_STRING_EQUAL(sent.detail, "standard output is closed");
	}
	CU_ASSERT_EQUAL(stage.rig->host->health.outbound, CG_HEALTH_REFUSED);
	CU_ASSERT_EQUAL(stage.rig->host->health_count, 1);
	cli_output_error(stage.cli, "nobody hears it");
	CU_ASSERT_EQUAL(stage.cli->output.length, 0);
	stage_down(&stage);
}

static void what_has_no_room_in_a_line_is_refused(void)
{
	struct stage stage = stage_up();
	struct cg_outbound outbound = host_fake_text("");
	struct host_fake_sent sent;
	char *source = malloc(CLI_LINE_MAX);

	CU_ASSERT_PTR_NOT_NULL_FATAL(source);
	memset(source, 'x', CLI_LINE_MAX - 1);
	source[CLI_LINE_MAX - 1] = '\0';
	outbound.source = source;
	outbound.source_length = CLI_LINE_MAX - 1;
	rig_send(stage.rig, &outbound, &sent);
	host_fake_pass(stage.rig->host, 0);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_MESSAGE);
	CU_ASSERT_STRING_EQUAL(sent.detail, "the message is too long for a line");
	CU_ASSERT_STRING_EQUAL(said(&stage), "");
	free(source);
	stage_down(&stage);
}

static void an_aside_steers_no_screen(void)
{
	struct stage stage = stage_up();
	const char *text;

	stage.cli->sender.terminal = true;
	stage.cli->prompt_shown = true;
	cli_output_aside(stage.cli, "a\033[2Jb", 6);
	text = said(&stage);
	CU_ASSERT_EQUAL(text[0], '\n'); /* the row of the prompt stands */
	CU_ASSERT_PTR_NULL(strchr(text, '\033'));
	CU_ASSERT_EQUAL(text[strlen(text) - 1], '\n');
	CU_ASSERT_FALSE(stage.cli->prompt_shown); /* no terminal to type at */
	cli_output_error(stage.cli, "c\033[2Jd");
	CU_ASSERT_PTR_NULL(strchr(said(&stage), '\033'));
	stage_down(&stage);
}

static void questions_are_remembered_by_number(void)
{
	static const struct cg_button buttons[] = {
		{.label = "Yes", .token = "apv:yes"}, {.label = "No", .token = "apv:no"}};
	struct cg_outbound outbound = host_fake_text("Shall I?");
	struct stage stage = stage_up();
	struct host_fake_sent sent;

	outbound.kind = CG_OUTBOUND_BUTTONS;
	outbound.buttons = buttons;
	outbound.button_count = 2;
	rig_send(stage.rig, &outbound, &sent); /* a program has no numbers to type */
	host_fake_pass(stage.rig->host, 0);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	CU_ASSERT_PTR_NULL(cli_choices_find(&stage.cli->choices, "2"));
	stage.cli->sender.terminal = true;
	stage.cli->awaited = 1;
	rig_send(stage.rig, &outbound, &sent);
	CU_ASSERT_PTR_NOT_NULL_FATAL(cli_choices_find(&stage.cli->choices, "2"));
	CU_ASSERT_STRING_EQUAL(cli_choices_find(&stage.cli->choices, "2"), "apv:no");
	CU_ASSERT_EQUAL(stage.cli->awaited, 1); /* a question is no answer */
	stage_down(&stage);
}

UNIT_SUITE(cli_output, UNIT_TEST(a_send_ends_when_its_bytes_are_out),
	UNIT_TEST(four_megabytes_wait_and_no_more), UNIT_TEST(who_went_is_not_written_to),
	UNIT_TEST(what_has_no_room_in_a_line_is_refused),
	UNIT_TEST(an_aside_steers_no_screen),
	UNIT_TEST(questions_are_remembered_by_number));
