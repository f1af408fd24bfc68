/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing without ever waiting.  The descriptor is shared with whoever started us, so it stays in
 * the mode it has; instead it is asked whether it takes a little, and given no more than that.
 */
#include "cli.h"

#include "style.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIECE 512 /* _POSIX_PIPE_BUF: what a descriptor that is ready takes at once */
#define RETRY_MS 20
#define CLEAR_ROW "\r\033[K"

static void flush(struct cli *cli);

static void flush_again(void *arg)
{
	struct cli *cli = arg;

	cli->output_timer = NULL;
	flush(cli);
}

/* Sends whose last byte has been written have arrived. */
static void end_written(struct cli *cli)
{
	struct cg_send *send;

	LIST_FOREACH (send, &cli->sends.open, link) {
		if (send->later == 0 && send->mark <= cli->written)
			cg_send_end_later(send, &(struct cg_outcome){
							.size = sizeof(struct cg_outcome),
							.class = CG_OUTCOME_SENT,
							.retry_after_ms = -1,
							.message_id = send->message_id,
						});
	}
}

/* Nobody reads any more, and nobody will: the descriptor is gone for this process. */
static void break_off(struct cli *cli)
{
	const struct cg_outcome refused = {.size = sizeof(refused),
		.class = CG_OUTCOME_REFUSED,
		.scope = CG_SCOPE_ACCOUNT,
		.retry_after_ms = -1,
		.detail = "standard output is closed"};
	struct cg_send *send;

	cli->broken = true;
	cg_buffer_clear(&cli->output);
	LIST_FOREACH (send, &cli->sends.open, link) {
		if (send->later == 0)
			cg_send_end_later(send, &refused);
	}
	cli->host->health(cli->host, &(struct cg_health){
					     .size = sizeof(struct cg_health),
					     .inbound = CG_HEALTH_UP,
					     .outbound = CG_HEALTH_REFUSED,
					     .detail = "standard output is closed",
				     });
}

/* Bytes taken of what waits from @at on, 0: not now, -1: never again. */
static ssize_t write_piece(const struct cli *cli, size_t at)
{
	struct pollfd ready = {.fd = cli->out, .events = POLLOUT};
	size_t left = cli->output.length - at;
	ssize_t count;

	if (poll(&ready, 1, 0) <= 0)
		return 0;
	if ((ready.revents & (POLLERR | POLLNVAL)) != 0)
		return -1;
	count = write(cli->out, cli->output.bytes + at, left < PIECE ? left : PIECE);
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return count;
}

static void flush(struct cli *cli)
{
	size_t taken = 0;
	ssize_t count = 0;

	while (taken < cli->output.length && (count = write_piece(cli, taken)) > 0)
		taken += (size_t)count;
	/* Once, since all that stays is moved: it may be megabytes. */
	cli->written += taken;
	cg_buffer_drop(&cli->output, taken);
	if (count < 0) {
		break_off(cli);
		return;
	}
	end_written(cli);
	if (cli->output.length > 0 && cli->output_timer == NULL)
		cli->output_timer =
			cli->host->timer_start(cli->host, RETRY_MS, flush_again, cli);
}

/* Text that is no message: shown if there is room, else the person has enough to read. */
static void add(struct cli *cli, const char *text)
{
	if (cli->broken || cli->output.length + strlen(text) > CLI_OUTPUT_MAX)
		return;
	if (cg_buffer_text(&cli->output, text) == CG_OK)
		flush(cli);
}

static void draw_row(struct cli *cli)
{
	struct cg_buffer row;

	cg_buffer_init(&row, CLI_OUTPUT_MAX);
	editor_draw(&cli->editor, CLI_PROMPT, terminal_columns(cli->out), &row);
	add(cli, cg_buffer_string(&row));
	cg_buffer_finish(&row);
}

void cli_output_prompt(struct cli *cli)
{
	if (!cli->sender.terminal || cli->ended || !isatty(cli->in))
		return;
	if (cli->terminal.open)
		draw_row(cli);
	else if (!cli->prompt_shown)
		add(cli, CLI_PROMPT);
	cli->prompt_shown = true;
}

/* Something else comes where a person is typing: the row goes, or stays as it is. */
static void make_way(struct cli *cli, struct cg_buffer *ret)
{
	if (cli->terminal.open)
		cg_buffer_text(ret, CLEAR_ROW);
	else if (cli->prompt_shown)
		cg_buffer_char(ret, '\n');
	cli->prompt_shown = false;
}

void cli_output_typed(struct cli *cli)
{
	struct cg_buffer text;

	cg_buffer_init(&text, CLI_OUTPUT_MAX);
	cg_buffer_text(&text, CLEAR_ROW CLI_PROMPT);
	cli_style_plain(
		cg_buffer_string(&cli->editor.text), cli->editor.text.length, &text);
	cg_buffer_char(&text, '\n');
	add(cli, cg_buffer_string(&text));
	cg_buffer_finish(&text);
	cli->prompt_shown = false;
}

void cli_output_aside(struct cli *cli, const char *text, size_t length)
{
	struct cg_buffer line;

	cg_buffer_init(&line, CLI_OUTPUT_MAX);
	make_way(cli, &line);
	cli_style_plain(text, length, &line);
	if (length > 0 && text[length - 1] != '\n')
		cg_buffer_char(&line, '\n');
	add(cli, cg_buffer_string(&line));
	cg_buffer_finish(&line);
	cli_output_prompt(cli);
}

void cli_output_flush(struct cli *cli)
{
	if (!cli->broken)
		flush(cli);
}

void cli_output_error(struct cli *cli, const char *sentence)
{
	struct cg_buffer line;

	cg_buffer_init(&line, 4 * CG_ERROR_TEXT + 1024);
	if (cli->terminal.open)
		make_way(cli, &line);
	cli_wire_error(&cli->sender, sentence, &line);
	add(cli, cg_buffer_string(&line));
	cg_buffer_finish(&line);
	cli_output_prompt(cli);
}

static void end_now(struct cg_send *send, enum cg_outcome_class class,
	enum cg_outcome_scope scope, const char *detail)
{
	cg_send_end_later(send, &(struct cg_outcome){.size = sizeof(struct cg_outcome),
					.class = class,
					.scope = scope,
					.retry_after_ms = -1,
					.detail = detail});
}

/* A message that comes while a person types begins on a line of its own. */
static enum cg_status render(
	struct cli *cli, const struct cg_send *send, struct cg_buffer *ret)
{
	if (cli->sender.terminal) {
		make_way(cli, ret);
		cli->sender.columns = terminal_columns(cli->out);
	}
	return cli_wire_write(&cli->sender, send->outbound, send->message_id,
		cli->host->wall_ms(cli->host), ret);
}

void cli_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	struct cli *cli = self;
	struct cg_send *send = cg_send_open(&cli->sends, outbound, done, arg);
	struct cg_buffer line;
	enum cg_status status;

	snprintf(send->message_id, sizeof(send->message_id), "cli-%s-out-%llu",
		cli->prefix, (unsigned long long)++cli->messages);
	if (cli->broken) {
		end_now(send, CG_OUTCOME_REFUSED, CG_SCOPE_ACCOUNT,
			"standard output is closed");
		return;
	}
	if (outbound->text != NULL &&
		cg_text_measure(outbound->text, outbound->text_length,
			cli->capabilities.text_unit) > cli->capabilities.max_text) {
		cg_send_refuse(send, "the text is longer than 12000");
		return;
	}
	cg_buffer_init(&line, CLI_LINE_MAX);
	status = render(cli, send, &line);
	if (status == CG_OK)
		status = cg_buffer_status(&line);
	if (status == CG_UNSUPPORTED)
		end_now(send, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE,
			"this is nothing that a terminal can show");
	else if (status != CG_OK)
		end_now(send, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE,
			"the message is too long for a line");
	else if (cli->output.length + line.length > CLI_OUTPUT_MAX)
		end_now(send, CG_OUTCOME_NOT_DISPATCHED, CG_SCOPE_ACCOUNT,
			"nobody reads standard output");
	else
		status = cg_buffer_add(&cli->output, line.bytes, line.length);
	cg_buffer_finish(&line);
	if (send->later != 0)
		return;
	if (status != CG_OK) {
		end_now(send, CG_OUTCOME_NOT_DISPATCHED, CG_SCOPE_MESSAGE,
			"out of memory");
		return;
	}
	send->mark = cli->written + cli->output.length;
	if (outbound->kind == CG_OUTBOUND_BUTTONS)
		cli_choices_set(&cli->choices, outbound);
	cli_output_prompt(cli);
	flush(cli);
	if (outbound->kind == CG_OUTBOUND_TEXT && cli->awaited > 0)
		cli->awaited--;
	cli_consider_end(cli);
}
