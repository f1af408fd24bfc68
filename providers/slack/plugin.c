/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slack apps: descriptor and lifecycle.
 *
 * The way in is ingress.c and arrival.c, the way out api.c and upload.c, JSON is in wire_read.c,
 * wire_write.c, blocks.c and answer.c.
 */
#include "slack.h"

#include <cowgate/plugin.h>
#include <cowgate/sdk/capabilities.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/markdown.h>
#include <stdlib.h>

static bool knows_thread(const void *arg, const char *channel, const char *thread)
{
	const struct slack *slack = arg;

	return slack_threads_know(&slack->threads, channel, thread);
}

static bool allows_channel(const void *arg, const char *channel)
{
	const struct slack *slack = arg;

	return slack_settings_allow(&slack->settings, channel);
}

static const char *person_name(const void *arg, const char *user_id)
{
	const struct slack *slack = arg;

	if (strcmp(user_id, slack->bot.user_id) == 0 && slack->bot.name[0] != '\0')
		return slack->bot.name;
	return slack_people_name(&slack->people, user_id);
}

static void slack_destroy(void *self)
{
	struct slack *slack = self;

	if (slack == NULL)
		return;
	slack_arrivals_finish(slack);
	slack_ask_finish(slack);
	cg_downloads_finish(&slack->downloads);
	cg_sends_finish(&slack->sends);
	slack_settings_finish(&slack->settings);
	free(slack);
}

static enum cg_status slack_create(const struct cg_host *host,
	const struct cg_settings *settings, void **ret_self, struct cg_error *err)
{
	struct slack *slack = calloc(1, sizeof(*slack));
	enum cg_status status;

	if (slack == NULL)
		return cg_error_nomem(err);
	slack->host = host;
	cg_sends_init(&slack->sends, host, slack);
	cg_downloads_init(&slack->downloads, host);
	TAILQ_INIT(&slack->arrivals);
	LIST_INIT(&slack->queries);
	status = slack_settings_init(&slack->settings, settings, err);
	if (status != CG_OK)
		goto fail;
	slack->reader = (struct slack_reader){
		.bot = &slack->bot,
		.channels = slack->settings.channels,
		.name = person_name,
		.knows = knows_thread,
		.allows = allows_channel,
		.arg = slack,
	};
	*ret_self = slack;
	return CG_OK;

fail:
	slack_destroy(slack);
	return status;
}

static enum cg_status slack_start(void *self, struct cg_error *err)
{
	struct slack *slack = self;

	(void)err;
	slack->started = true;
	slack_threads_load(&slack->threads, slack->host);
	slack_account_start(slack);
	return CG_OK;
}

static void slack_stop(void *self)
{
	struct slack *slack = self;

	slack->started = false;
	slack_account_stop(slack);
	slack_arrivals_stop(slack);
}

static void slack_describe(const void *self, struct cg_capabilities *ret)
{
	(void)self;
	cg_capabilities_give(&slack_capabilities, ret);
}

/* As it is sent: rendered, and escaped where it stands as text. */
static uint32_t slack_measure(const void *self, const char *text, size_t length)
{
	struct cg_markdown markdown = {.text = NULL};
	uint32_t units;

	(void)self;
	if (cg_markdown_render(text, length, true, &markdown) != CG_OK)
		return slack_escaped_units(text, length);
	units = markdown.length == 0
			? slack_escaped_units(text, length)
			: slack_escaped_units(markdown.text, markdown.length);
	cg_markdown_finish(&markdown);
	return units;
}

static void slack_cancel(void *self, void *arg)
{
	struct slack *slack = self;

	if (!slack_ask_cancel(slack, arg))
		cg_sends_cancel(&slack->sends, arg);
}

static const struct cg_provider_ops slack_ops = {
	.size = sizeof(struct cg_provider_ops),
	.create = slack_create,
	.destroy = slack_destroy,
	.start = slack_start,
	.stop = slack_stop,
	.capabilities = slack_describe,
	.measure = slack_measure,
	.send = slack_send,
	.cancel = slack_cancel,
	.query = slack_ask,
	.webhook = slack_ingress,
};

static const struct cg_provider slack_provider = {
	.size = sizeof(struct cg_provider),
	.kind = "slack",
	.title = "Slack",
	.version = "1.0.0",
	.options = slack_options,
	.option_count = SLACK_OPTIONS,
	.ops = &slack_ops,
};

static const struct cg_provider *const slack_providers[] = {&slack_provider};

CG_PLUGIN_DECLARE(.name = "slack", .version = "1.0.0", .license = "Apache-2.0",
	.providers = slack_providers, .provider_count = 1);
