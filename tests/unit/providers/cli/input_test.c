/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cli/cli.h"
#include "tests/support/rig.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct settings_pair none[] = {{NULL, NULL}};

/* One instance between two pipes. */
struct stage {
	struct rig *rig;
	struct cli *cli;
	int in, out; /* our ends: write lines, read answers; in -1: closed */
};

static struct stage stage_make(void)
{
	struct stage stage = {.rig = rig_new(cg_plugin.providers[0], none)};
	int input[2], output[2];

	CU_ASSERT_EQUAL_FATAL(rig_create(stage.rig, NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(pipe(input), 0);
	CU_ASSERT_EQUAL_FATAL(pipe(output), 0);
	stage.cli = stage.rig->self;
	stage.cli->in = input[0];
	stage.cli->out = output[1];
	stage.cli->sender.terminal = false;
	stage.in = input[1];
	stage.out = output[0];
	fcntl(stage.out, F_SETFL, O_NONBLOCK);
	fcntl(stage.cli->in, F_SETFL, O_NONBLOCK);
	return stage;
}

static enum cg_status start(struct stage *stage, struct cg_error *err)
{
	return stage->rig->provider->ops->start(stage->cli, err);
}

static struct stage stage_up(void)
{
	struct stage stage = stage_make();

	CU_ASSERT_EQUAL_FATAL(start(&stage, NULL), CG_OK);
	return stage;
}

static void stage_down(struct stage *stage)
{
	int in = stage->cli->in, out = stage->cli->out;

	rig_destroy(stage->rig);
	close(in);
	close(out);
	close(stage->out);
	if (stage->in >= 0)
		close(stage->in);
}

/* The descriptor is readable, if anybody looks. */
static void look(struct stage *stage)
{
	if (stage->rig->host->watched != NULL)
		stage->rig->host->watched(stage->rig->host->watched_arg);
}

static void type(struct stage *stage, const char *text)
{
	CU_ASSERT_EQUAL(write(stage->in, text, strlen(text)), (ssize_t)strlen(text));
	look(stage);
}

static void end(struct stage *stage)
{
	close(stage->in);
	stage->in = -1;
	look(stage);
}

static const char *said(struct stage *stage)
{
	static char text[4096];
	ssize_t count = read(stage->out, text, sizeof(text) - 1);

	text[count > 0 ? count : 0] = '\0';
	return text;
}

static void check_last(struct stage *stage, size_t count, const char *text)
{
	CU_ASSERT_EQUAL_FATAL(stage->rig->host->submission_count, count);
	CU_ASSERT_STRING_EQUAL(host_fake_last(stage->rig->host)->text, text);
}

static void lines_end_in_many_ways(void)
{
	struct stage stage = stage_up();

	type(&stage, "one\r\n\n \t\r\ntwo\nthree");
	check_last(&stage, 1, "one");
	host_fake_verdict(stage.rig->host, CG_VERDICT_COMMITTED);
	check_last(&stage, 2, "two");
	host_fake_verdict(stage.rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(stage.rig->host->submission_count, 2); /* not complete */
	type(&stage, "!");
	CU_ASSERT_EQUAL(stage.rig->host->submission_count, 2);
	end(&stage);
	check_last(&stage, 3, "three!");
	CU_ASSERT_TRUE(host_fake_last(stage.rig->host)->has_raw);
	stage_down(&stage);
}

static void a_verdict_decides_about_the_line(void)
{
	static const struct {
		enum cg_verdict verdict;
		uint64_t awaited;
		const char *complaint;
	} rows[] = {
		{CG_VERDICT_COMMITTED, 1, ""},
		{CG_VERDICT_DUPLICATE, 0, ""},
		{CG_VERDICT_CONFLICT, 0, "another message came under this id"},
		{CG_VERDICT_INVALID, 0, "the message is too large"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct stage stage = stage_up();
		const char *complaint;

		type(&stage, "one\ntwo\n");
		CU_ASSERT_PTR_NULL(stage.rig->host->watched); /* one at a time */
		host_fake_verdict(stage.rig->host, rows[i].verdict);
		complaint = said(&stage);
		CU_ASSERT_EQUAL(complaint[0] == '\0', rows[i].complaint[0] == '\0');
		CU_ASSERT_PTR_NOT_NULL(strstr(complaint, rows[i].complaint));
		CU_ASSERT_EQUAL(stage.cli->awaited, rows[i].awaited);
		check_last(&stage, 2, "two");
		stage_down(&stage);
	}
}

static void what_is_not_stored_comes_again_as_it_was(void)
{
	struct stage stage = stage_up();
	char id[128];

	type(&stage, "one\ntwo\n");
	cg_text_copy(id, sizeof(id), host_fake_last(stage.rig->host)->event_id);
	host_fake_verdict(stage.rig->host, CG_VERDICT_UNAVAILABLE);
	host_fake_pass(stage.rig->host, 999);
	CU_ASSERT_EQUAL(stage.rig->host->submission_count, 1);
	host_fake_pass(stage.rig->host, 1);
	check_last(&stage, 2, "one");
	CU_ASSERT_STRING_EQUAL(host_fake_last(stage.rig->host)->event_id, id);
	host_fake_verdict(stage.rig->host, CG_VERDICT_UNAVAILABLE);
	cli_input_stop(stage.cli); /* and not again after a stop */
	host_fake_pass(stage.rig->host, 5000);
	CU_ASSERT_EQUAL(stage.rig->host->submission_count, 2);
	stage_down(&stage);
}

static void a_number_under_a_question_is_a_press(void)
{
	static const struct cg_button buttons[] = {
		{.label = "Yes", .token = "apv:yes"}, {.label = "No", .token = "apv:no"}};
	const struct cg_outbound question = {.size = sizeof(question),
		.kind = CG_OUTBOUND_BUTTONS,
		.buttons = buttons,
		.button_count = 2};
	struct stage stage = stage_up();

	type(&stage, "2\n"); /* of no question */
	CU_ASSERT_EQUAL(host_fake_last(stage.rig->host)->type, CG_EVENT_MESSAGE);
	host_fake_verdict(stage.rig->host, CG_VERDICT_COMMITTED);
	cli_choices_set(&stage.cli->choices, &question);
	type(&stage, "2\n");
	CU_ASSERT_EQUAL(host_fake_last(stage.rig->host)->type, CG_EVENT_INTERACTION);
	CU_ASSERT_STRING_EQUAL(host_fake_last(stage.rig->host)->token, "apv:no");
	host_fake_verdict(stage.rig->host, CG_VERDICT_COMMITTED);
	type(&stage, "3\n");
	CU_ASSERT_EQUAL(host_fake_last(stage.rig->host)->type, CG_EVENT_MESSAGE);
	stage_down(&stage);
}

static void a_line_that_makes_no_sense_is_passed_over(void)
{
	struct stage stage = stage_up();

	type(&stage, "{\"text\":\ntwo\n");
	CU_ASSERT_PTR_NOT_NULL(strstr(said(&stage), "\"error\""));
	check_last(&stage, 1, "two");
	stage_down(&stage);
}

static void a_service_has_nobody_to_listen_to(void)
{
	struct stage stage = stage_make();

	close(stage.cli->in);
	stage.cli->in = open("/dev/null", O_RDONLY);
	CU_ASSERT_EQUAL(start(&stage, NULL), CG_OK);
	CU_ASSERT_EQUAL(stage.rig->host->health.inbound, CG_HEALTH_DEGRADED);
	CU_ASSERT_EQUAL(stage.rig->host->health.outbound, CG_HEALTH_UP);
	CU_ASSERT_PTR_NULL(stage.rig->host->watched);
	host_fake_pass(stage.rig->host, 120000);
	CU_ASSERT_EQUAL(stage.rig->host->quit_count, 0);
	stage_down(&stage);
}

static void without_an_input_there_is_no_start(void)
{
	struct stage stage = stage_make();
	struct cg_error err = {.text = ""};
	int in = stage.cli->in;

	stage.cli->in = -1;
	CU_ASSERT_EQUAL(start(&stage, &err), CG_IO);
	CU_ASSERT_STRING_EQUAL(err.text, "standard input is closed");
	CU_ASSERT_FALSE(stage.cli->started);
	stage.cli->in = in;
	stage_down(&stage);
}

static enum cg_status cannot_watch(
	const struct cg_host *host, int fd, cg_callback ready, void *arg)
{
	(void)host, (void)fd, (void)ready, (void)arg;
	return CG_UNSUPPORTED;
}

static void what_cannot_be_watched_is_read_on(void)
{
	struct stage stage = stage_make();

	stage.rig->host->host.watch = cannot_watch;
	CU_ASSERT_EQUAL(start(&stage, NULL), CG_OK);
	CU_ASSERT_EQUAL(write(stage.in, "one\n", 4), 4);
	close(stage.in);
	stage.in = -1;
	host_fake_pass(stage.rig->host, 0);
	check_last(&stage, 1, "one");
	host_fake_verdict(stage.rig->host, CG_VERDICT_COMMITTED);
	host_fake_pass(stage.rig->host, 0);
	CU_ASSERT_TRUE(stage.cli->ended);
	stage_down(&stage);
}

UNIT_SUITE(cli_input, UNIT_TEST(lines_end_in_many_ways),
	UNIT_TEST(a_verdict_decides_about_the_line),
	UNIT_TEST(what_is_not_stored_comes_again_as_it_was),
	UNIT_TEST(a_number_under_a_question_is_a_press),
	UNIT_TEST(a_line_that_makes_no_sense_is_passed_over),
	UNIT_TEST(a_service_has_nobody_to_listen_to),
	UNIT_TEST(without_an_input_there_is_no_start),
	UNIT_TEST(what_cannot_be_watched_is_read_on));
