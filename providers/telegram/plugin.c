/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telegram bots: descriptor and lifecycle.
 *
 * line.c finds out who we are and asks for updates (batch.c) or has them sent (hook.c); intake.c
 * fetches their files (fetch.c) and submits them.  send.c sends.  JSON is in wire_*.c, entities.c
 * and answer.c, which know neither time nor network.
 */
#include "telegram.h"

#include <cowgate/plugin.h>
#include <cowgate/sdk/capabilities.h>
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void telegram_health(struct telegram *telegram, enum cg_health_state inbound,
	enum cg_health_state outbound, const char *detail)
{
	if (detail == NULL)
		detail = "";
	if (telegram->inbound == inbound && telegram->outbound == outbound &&
		strcmp(telegram->detail, detail) == 0)
		return;
	telegram->inbound = inbound;
	telegram->outbound = outbound;
	cg_text_copy(telegram->detail, sizeof(telegram->detail), detail);
	telegram->host->health(telegram->host,
		&(struct cg_health){
			.size = sizeof(struct cg_health),
			.inbound = inbound,
			.outbound = outbound,
			.detail = telegram->detail[0] == '\0' ? NULL : telegram->detail,
		});
}

static void telegram_destroy(void *self)
{
	struct telegram *telegram = self;

	if (telegram == NULL)
		return;
	telegram_intake_finish(&telegram->intake);
	cg_downloads_finish(&telegram->downloads);
	cg_sends_finish(&telegram->sends);
	cg_host_lock_drop(&telegram->lock);
	telegram_settings_finish(&telegram->settings);
	free(telegram);
}

static enum cg_status telegram_create(const struct cg_host *host,
	const struct cg_settings *settings, void **ret_self, struct cg_error *err)
{
	struct telegram *telegram = calloc(1, sizeof(*telegram));
	enum cg_status status;

	if (telegram == NULL)
		return cg_error_nomem(err);
	telegram->host = host;
	cg_sends_init(&telegram->sends, host, telegram);
	cg_downloads_init(&telegram->downloads, host);
	cg_host_lock_init(&telegram->lock);
	telegram_line_init(&telegram->line, telegram);
	telegram_intake_init(&telegram->intake, telegram);
	status = telegram_settings_init(&telegram->settings, settings, err);
	if (status != CG_OK)
		goto fail;
	telegram->bot.groups = telegram->settings.groups;
	*ret_self = telegram;
	return CG_OK;

fail:
	telegram_destroy(telegram);
	return status;
}

/* Two programs that ask for one bot's updates take them away from each other. */
static enum cg_status take_bot(struct telegram *telegram, struct cg_error *err)
{
	const struct cg_secret *base = &telegram->settings.base;
	uint8_t hash[CG_SHA256];
	char name[sizeof("telegram-") + 2 * 16], who[32] = "another process";
	long holder = 0;

	/* Half of the hash is enough for a name, and says nothing about the token. */
	cg_sha256(base->bytes, base->length, hash);
	memcpy(name, "telegram-", sizeof("telegram-"));
	cg_hex(hash, 16, name + strlen(name));
	if (cg_host_lock_take(&telegram->lock, telegram->settings.lock_directory, name,
		    &holder) == CG_OK)
		return CG_OK;
	if (holder > 0)
		snprintf(who, sizeof(who), "process %ld", holder);
	return cg_error_set(err, CG_BUSY,
		"%s on this host uses the same bot: stop it, or use a bot of your own",
		who);
}

static enum cg_status telegram_start(void *self, struct cg_error *err)
{
	struct telegram *telegram = self;
	enum cg_status status = take_bot(telegram, err);

	if (status != CG_OK)
		return status;
	telegram->inbound = telegram->outbound = CG_HEALTH_STARTING;
	telegram->detail[0] = '\0';
	telegram_line_start(&telegram->line);
	return CG_OK;
}

static void telegram_stop(void *self)
{
	struct telegram *telegram = self;

	telegram_line_stop(&telegram->line);
	telegram_intake_stop(&telegram->intake);
	cg_host_lock_drop(&telegram->lock);
}

static void telegram_describe(const void *self, struct cg_capabilities *ret)
{
	const struct telegram *telegram = self;
	uint32_t percent = telegram->settings.rate_percent;
	struct cg_capabilities own = telegram_capabilities;

	own.account_rate.per_minute = own.account_rate.per_minute * percent / 100;
	own.chat_rate.per_minute = own.chat_rate.per_minute * percent / 100;
	own.group_rate.per_minute = own.group_rate.per_minute * percent / 100;
	own.edit_interval_ms = own.edit_interval_ms * 100 / percent;
	own.polls = !telegram->settings.webhook;
	cg_capabilities_give(&own, ret);
}

static uint32_t telegram_measure(const void *self, const char *text, size_t length)
{
	(void)self;
	return (uint32_t)cg_text_measure(text, length, telegram_capabilities.text_unit);
}

static void telegram_cancel(void *self, void *arg)
{
	struct telegram *telegram = self;

	cg_sends_cancel(&telegram->sends, arg);
}

static const struct cg_provider_ops telegram_ops = {
	.size = sizeof(struct cg_provider_ops),
	.create = telegram_create,
	.destroy = telegram_destroy,
	.start = telegram_start,
	.stop = telegram_stop,
	.capabilities = telegram_describe,
	.measure = telegram_measure,
	.send = telegram_send,
	.cancel = telegram_cancel,
	.webhook = telegram_webhook,
};

static const struct cg_provider telegram_provider = {
	.size = sizeof(struct cg_provider),
	.kind = "telegram",
	.title = "Telegram",
	.version = "1.0.0",
	.options = telegram_options,
	.option_count = TELEGRAM_OPTIONS,
	.ops = &telegram_ops,
};

static const struct cg_provider *const telegram_providers[] = {&telegram_provider};

CG_PLUGIN_DECLARE(.name = "telegram", .version = "1.0.0", .license = "Apache-2.0",
	.providers = telegram_providers, .provider_count = 1);
