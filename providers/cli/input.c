/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading lines.  A line is taken off the input only when its commit is known: what cannot be
 * stored is tried again, in order, and meanwhile nothing more is read.
 */
#include "cli.h"

#include <cowgate/sdk/error.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_SIZE 16384
#define REPEAT_MS 1000

static void readable(void *arg);
static void next_line(struct cli *cli);

static void poll_again(void *arg)
{
	struct cli *cli = arg;

	cli->input_timer = NULL;
	if (cli->line > 0)
		next_line(cli);
	else
		readable(cli);
}

static void arm(struct cli *cli, int64_t delay_ms)
{
	if (cli->input_timer == NULL)
		cli->input_timer =
			cli->host->timer_start(cli->host, delay_ms, poll_again, cli);
}

/* A file cannot be watched, only read on. */
static void read_on(struct cli *cli)
{
	if (cli->watching || cli->ended || !cli->started)
		return;
	if (cli->host->watch(cli->host, cli->in, readable, cli) == CG_OK)
		cli->watching = true;
	else
		arm(cli, 0);
}

static void read_no_more(struct cli *cli)
{
	if (cli->watching)
		cli->host->watch(cli->host, cli->in, NULL, NULL);
	cli->watching = false;
}

static void drop_line(struct cli *cli)
{
	cg_buffer_drop(&cli->input, cli->line);
	cli->line = 0;
}

static void drop_message(struct cli *cli, bool keep_files)
{
	cli_message_finish(&cli->message);
	if (cli->files != NULL)
		cg_spool_inline_finish(cli->files, keep_files);
	free(cli->files);
	cli->files = NULL;
}

static void submitted(void *arg, enum cg_verdict verdict)
{
	struct cli *cli = arg;

	cli->submitting = false;
	drop_message(cli, verdict == CG_VERDICT_COMMITTED);
	switch (verdict) {
	case CG_VERDICT_UNAVAILABLE:
		if (cli->started)
			arm(cli, REPEAT_MS);
		return;
	case CG_VERDICT_COMMITTED:
		cli->awaited++;
		break;
	case CG_VERDICT_DUPLICATE:
		break;
	case CG_VERDICT_CONFLICT:
		cli_output_error(cli, "another message came under this id");
		break;
	case CG_VERDICT_INVALID:
		cli_output_error(cli, "the message is too large");
		break;
	}
	drop_line(cli);
	next_line(cli);
}

/* A number under a question that was shown: the press of its button. */
static void press(struct cli *cli, struct cli_message *message, const char *id)
{
	const char *token = cli_choices_find(&cli->choices, message->inbound.text);

	if (token == NULL || message->inbound.type != CG_EVENT_MESSAGE)
		return;
	message->parts.interaction = (struct cg_interaction){.id = id, .token = token};
	message->inbound.interaction = &message->parts.interaction;
	message->inbound.type = CG_EVENT_INTERACTION;
}

/* To the journal with the message, which was the line in front. */
static void hand_over(struct cli *cli)
{
	struct cg_inbound *inbound = &cli->message.inbound;
	char id[sizeof(cli->prefix) + 32];

	snprintf(id, sizeof(id), "cli-%s-%llu", cli->prefix,
		(unsigned long long)cli->lines);
	if (inbound->event_id == NULL)
		inbound->event_id = id;
	press(cli, &cli->message, inbound->event_id);
	inbound->message_id = inbound->event_id;
	inbound->raw = cli->input.bytes;
	inbound->raw_length = cli->message_length;
	cli->host->submit(cli->host, inbound, submitted, cli);
}

static void write_files(void *arg)
{
	struct cli *cli = arg;

	cg_spool_inline_write(cli->files);
}

static void files_written(void *arg)
{
	struct cli *cli = arg;

	if (cli->started && cli->files->status == CG_OK)
		hand_over(cli);
	else
		submitted(cli, CG_VERDICT_UNAVAILABLE);
}

/* Files that came with the line are on the disk before it is handed over. */
static void store_files(struct cli *cli)
{
	enum cg_status status;

	cli->files = calloc(1, sizeof(*cli->files));
	status = cli->files == NULL
			 ? CG_NOMEM
			 : cg_spool_inline_open(cli->files, cli->host, cli->message.body,
				   &cli->message.parts, NULL);
	if (status == CG_OK)
		status = cli->host->offload(cli->host, write_files, files_written, cli);
	if (status != CG_OK)
		submitted(cli, CG_VERDICT_UNAVAILABLE);
}

/* Take up the line in front.  Returns false when there is nothing in it to store. */
static bool submit_line(struct cli *cli, const char *line, size_t length)
{
	struct cg_error err;

	if (cg_text_blank(line)) {
		cli_output_prompt(cli);
		return false;
	}
	if (cli_wire_read(line, length, &cli->message, &err) != CG_OK) {
		drop_message(cli, false);
		cli_output_error(cli, err.text);
		return false;
	}
	cli->submitting = true;
	cli->message_length = length;
	if (cg_spool_inline_any(cli->message.body))
		store_files(cli);
	else
		hand_over(cli);
	return true;
}

static char line_end(const struct cli *cli)
{
	return cli->terminal.open ? '\0' : '\n';
}

/* Length of the first line with its end; 0: it is not complete. */
static size_t find_line(const struct cli *cli)
{
	const char *end = cli->input.length == 0 ? NULL
						 : memchr(cli->input.bytes, line_end(cli),
							   cli->input.length);

	if (end != NULL)
		return (size_t)(end - cli->input.bytes) + 1;
	return cli->ended ? cli->input.length : 0;
}

/* True when a line is at the journal, or waits to be tried again. */
static bool take_line(struct cli *cli, size_t whole)
{
	char *line = cli->input.bytes;
	size_t length = whole;
	char end;
	bool sent;

	if (length > 0 && line[length - 1] == line_end(cli))
		length--;
	if (length > 0 && line[length - 1] == '\r')
		length--;
	if (length > CLI_LINE_MAX) {
		cli_output_error(cli, "the line is too long");
		return false;
	}
	/* The line is submitted again where it lies, should it not be stored. */
	end = line[length];
	line[length] = '\0';
	sent = submit_line(cli, line, length);
	line[length] = end;
	return sent;
}

static void next_line(struct cli *cli)
{
	size_t whole = cli->line;

	if (!cli->started || cli->submitting)
		return;
	while (whole > 0 || (whole = find_line(cli)) > 0) {
		if (cli->line == 0)
			cli->lines++;
		cli->line = whole;
		if (!cli->terminal.open)
			cli->prompt_shown = false;
		if (!cli->skipping && take_line(cli, whole)) {
			read_no_more(cli);
			return;
		}
		cli->skipping = false;
		drop_line(cli);
		whole = 0;
	}
	if (cli->ended)
		cli_consider_end(cli);
	else
		read_on(cli);
}

static void end_of_input(struct cli *cli)
{
	read_no_more(cli);
	cli->ended = true;
}

/* What was typed, until a message is complete; the rest is for the next one. */
static void type(struct cli *cli, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length && !cli->ended; i++) {
		switch (editor_feed(&cli->editor, bytes[i])) {
		case EDITOR_NONE:
			break;
		case EDITOR_MESSAGE:
			cli_output_typed(cli);
			editor_take(&cli->editor, &cli->input);
			cg_buffer_char(&cli->input, '\0');
			break;
		case EDITOR_END:
			cli_output_typed(cli);
			end_of_input(cli);
			break;
		}
	}
	cli_output_prompt(cli);
}

static void log_readable(void *arg)
{
	struct cli *cli = arg;
	char bytes[4096];
	ssize_t count = read(cli->terminal.log, bytes, sizeof(bytes));

	if (count > 0)
		cli_output_aside(cli, bytes, (size_t)count);
}

static void readable(void *arg)
{
	struct cli *cli = arg;
	char bytes[READ_SIZE];
	ssize_t count = read(cli->in, bytes, sizeof(bytes));

	if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
		read_on(cli);
		return;
	}
	if (count <= 0) {
		end_of_input(cli);
	} else if (cli->terminal.open) {
		type(cli, bytes, (size_t)count);
	} else if (cg_buffer_add(&cli->input, bytes, (size_t)count) != CG_OK) {
		end_of_input(cli);
		cli_output_error(cli, "out of memory");
	} else if (cli->input.length > CLI_LINE_MAX && find_line(cli) == 0) {
		/* Forget the line so far, and the rest of it when it comes. */
		if (!cli->skipping)
			cli_output_error(cli, "the line is too long");
		cli->skipping = true;
		cg_buffer_clear(&cli->input);
	}
	next_line(cli);
}

enum cg_status cli_input_start(struct cli *cli, struct cg_error *err)
{
	struct cg_health health = {.size = sizeof(health),
		.inbound = CG_HEALTH_UP,
		.outbound = cli->broken ? CG_HEALTH_REFUSED : CG_HEALTH_UP};
	struct stat stat;

	if (fstat(cli->in, &stat) != 0)
		return cg_error_set(err, CG_IO, "standard input is closed");
	if (S_ISCHR(stat.st_mode) && !isatty(cli->in)) {
		/* A service has /dev/null here, which is no end of a conversation. */
		health.inbound = CG_HEALTH_DEGRADED;
		health.detail = "standard input is no terminal, pipe or file";
	} else {
		if (terminal_fits(cli->in, cli->out) &&
			terminal_open(&cli->terminal, cli->in, cli->out) &&
			cli->terminal.log >= 0)
			cli->host->watch(cli->host, cli->terminal.log, log_readable, cli);
		cli_output_prompt(cli);
		next_line(cli);
	}
	cli->host->health(cli->host, &health);
	return CG_OK;
}

void cli_input_finish(struct cli *cli)
{
	drop_message(cli, false);
}

void cli_input_stop(struct cli *cli)
{
	read_no_more(cli);
	cli->host->timer_cancel(cli->host, cli->input_timer);
	cli->input_timer = NULL;
	if (!cli->terminal.open)
		return;
	if (cli->terminal.log >= 0)
		cli->host->watch(cli->host, cli->terminal.log, NULL, NULL);
	cli_output_flush(cli);
	terminal_close(&cli->terminal, cli->in, cli->out);
	cli->prompt_shown = false;
}
