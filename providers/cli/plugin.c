/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line as a channel: descriptor and lifecycle.
 *
 * Lines are read in input.c and written in output.c; what they mean is in wire.c.  At a
 * terminal they are typed into editor.c, and shown as style.c says.
 */
#include "cli.h"

#include <cowgate/plugin.h>
#include <cowgate/sdk/capabilities.h>
#include <cowgate/sdk/error.h>
#include <stdlib.h>
#include <unistd.h>

#define END_GRACE_MS 500 /* an answer may have a second part */
#define END_DEADLINE_MS 60000 /* for an answer that does not come */

static void end_now(void *arg)
{
	struct cli *cli = arg;

	cli->end_timer = NULL;
	if (cli->output.length > 0 && !cli->broken)
		cli_consider_end(cli);
	else
		cli->host->quit(cli->host);
}

void cli_consider_end(struct cli *cli)
{
	if (!cli->started || !cli->ended || cli->line > 0)
		return;
	cli->host->timer_cancel(cli->host, cli->end_timer);
	cli->end_timer = cli->host->timer_start(cli->host,
		cli->awaited == 0 ? END_GRACE_MS : END_DEADLINE_MS, end_now, cli);
}

static void cli_destroy(void *self)
{
	struct cli *cli = self;

	if (cli == NULL)
		return;
	cli_input_finish(cli);
	cg_sends_finish(&cli->sends);
	editor_finish(&cli->editor);
	cg_buffer_finish(&cli->input);
	cg_buffer_finish(&cli->output);
	free(cli);
}

static void describe(struct cli *cli)
{
	bool terminal = cli->sender.terminal;

	cli->capabilities = (struct cg_capabilities){
		.size = sizeof(struct cg_capabilities),
		.text_unit = CG_UNIT_UTF16,
		.text_form = terminal ? CG_FORM_RENDERED : CG_FORM_SOURCE,
		.reconcile = CG_RECONCILE_NONE,
		.max_text = 12000,
		.max_buttons = terminal ? CLI_CHOICES : 0,
		.max_button_rows = terminal ? CLI_CHOICES : 0,
		.max_button_token = terminal ? CG_INBOUND_TOKEN : 0,
		.max_button_label = terminal ? 60 : 0,
		.max_file = 10 << 20,
		.threads = true,
		.answer = true,
		.inbound = true,
	};
}

static enum cg_status cli_create(const struct cg_host *host,
	const struct cg_settings *settings, void **ret_self, struct cg_error *err)
{
	struct cli *cli = calloc(1, sizeof(*cli));

	if (cli == NULL)
		return cg_error_nomem(err);
	cli->host = host;
	cli->in = STDIN_FILENO;
	cli->out = STDOUT_FILENO;
	cli->sender = (struct cli_sender){
		.instance_id = host->instance_id,
		.kind = settings->kind,
		.terminal = isatty(cli->out) == 1,
	};
	describe(cli);
	cg_random_id(cli->prefix, CLI_PREFIX_BYTES);
	cg_buffer_init(&cli->input, CLI_INPUT_MAX);
	editor_init(&cli->editor, CLI_LINE_MAX);
	cg_buffer_init(&cli->output, CLI_OUTPUT_MAX);
	cg_sends_init(&cli->sends, host, cli);
	*ret_self = cli;
	return CG_OK;
}

static enum cg_status cli_start(void *self, struct cg_error *err)
{
	struct cli *cli = self;
	enum cg_status status;

	cli->started = true;
	status = cli_input_start(cli, err);
	cli->started = status == CG_OK;
	return status;
}

static void cli_stop(void *self)
{
	struct cli *cli = self;

	cli->started = false;
	cli_input_stop(cli);
	cli->host->timer_cancel(cli->host, cli->end_timer);
	cli->end_timer = NULL;
}

static void cli_capabilities(const void *self, struct cg_capabilities *ret)
{
	const struct cli *cli = self;

	cg_capabilities_give(&cli->capabilities, ret);
}

static uint32_t cli_measure(const void *self, const char *text, size_t length)
{
	const struct cli *cli = self;

	return (uint32_t)cg_text_measure(text, length, cli->capabilities.text_unit);
}

static void cli_cancel(void *self, void *arg)
{
	struct cli *cli = self;

	cg_sends_cancel(&cli->sends, arg);
}

static const struct cg_provider_ops cli_ops = {
	.size = sizeof(struct cg_provider_ops),
	.create = cli_create,
	.destroy = cli_destroy,
	.start = cli_start,
	.stop = cli_stop,
	.capabilities = cli_capabilities,
	.measure = cli_measure,
	.send = cli_send,
	.cancel = cli_cancel,
};

static const struct cg_provider cli_provider = {
	.size = sizeof(struct cg_provider),
	.flags = CG_PROVIDER_LOCAL_ONLY,
	.kind = "cli",
	.title = "Command line",
	.version = "1.0.0",
	.ops = &cli_ops,
};

static const struct cg_provider *const cli_providers[] = {&cli_provider};

CG_PLUGIN_DECLARE(.name = "cli", .version = "1.0.0", .license = "Apache-2.0",
	.providers = cli_providers, .provider_count = 1);
