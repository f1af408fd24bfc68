/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed webhooks in both directions: descriptors and lifecycle.  Bridges to other platforms
 * speak the same webhooks under limits of their own, which are in kinds.c.
 *
 * The way in is ingress.c, the way out api.c, JSON is in wire.c.
 */
#include "webhook.h"

#include <cowgate/plugin.h>
#include <cowgate/sdk/capabilities.h>
#include <cowgate/sdk/error.h>
#include <stdlib.h>

static void webhook_destroy(void *self)
{
	struct webhook *webhook = self;

	if (webhook == NULL)
		return;
	webhook_ingress_finish(webhook);
	webhook_uploads_finish(webhook);
	cg_sends_finish(&webhook->sends);
	cg_signer_destroy(webhook->signer);
	webhook_settings_finish(&webhook->settings);
	free(webhook);
}

static enum cg_status make_signer(struct webhook *webhook, struct cg_error *err)
{
	enum cg_status status =
		cg_signer_create(&webhook->settings.secret, &webhook->signer, err);

	if (status != CG_OK) {
		cg_error_prefix(err, "sharedSecret");
		return status;
	}
	if (!cg_secret_is_set(&webhook->settings.second))
		return CG_OK;
	status = cg_signer_add(webhook->signer, &webhook->settings.second, err);
	if (status != CG_OK)
		cg_error_prefix(err, "sharedSecretSecond");
	return status;
}

static void describe(struct webhook *webhook, const struct webhook_kind *kind)
{
	uint64_t largest = (uint64_t)webhook->settings.max_attachment;

	webhook->capabilities = kind->capabilities;
	if (webhook->capabilities.max_file > largest)
		webhook->capabilities.max_file = largest;
	webhook->sender = (struct webhook_wire_sender){
		.instance_id = webhook->host->instance_id,
		.kind = kind->kind,
		.parse_mode = kind->parse_mode,
		.capabilities = &webhook->capabilities,
	};
}

static enum cg_status webhook_create(const struct cg_host *host,
	const struct cg_settings *settings, void **ret_self, struct cg_error *err)
{
	struct webhook *webhook = calloc(1, sizeof(*webhook));
	enum cg_status status;

	if (webhook == NULL)
		return cg_error_nomem(err);
	webhook->host = host;
	cg_sends_init(&webhook->sends, host, webhook);
	LIST_INIT(&webhook->arrivals);
	LIST_INIT(&webhook->uploads);

	status = webhook_settings_init(&webhook->settings, settings, err);
	if (status == CG_OK)
		status = make_signer(webhook, err);
	if (status != CG_OK) {
		webhook_destroy(webhook);
		return status;
	}
	describe(webhook, webhook_kind_find(settings->kind));

	*ret_self = webhook;
	return CG_OK;
}

static enum cg_status webhook_start(void *self, struct cg_error *err)
{
	struct webhook *webhook = self;

	(void)err;
	webhook->started = true;
	webhook_report_health(webhook);
	return CG_OK;
}

static void webhook_stop(void *self)
{
	struct webhook *webhook = self;

	webhook->started = false;
}

static void webhook_describe(const void *self, struct cg_capabilities *ret)
{
	const struct webhook *webhook = self;

	cg_capabilities_give(&webhook->capabilities, ret);
}

static uint32_t webhook_measure(const void *self, const char *text, size_t length)
{
	const struct webhook *webhook = self;

	return (uint32_t)cg_text_measure(text, length, webhook->capabilities.text_unit);
}

static const struct cg_provider_ops webhook_ops = {
	.size = sizeof(struct cg_provider_ops),
	.create = webhook_create,
	.destroy = webhook_destroy,
	.start = webhook_start,
	.stop = webhook_stop,
	.capabilities = webhook_describe,
	.measure = webhook_measure,
	.send = webhook_send,
	.cancel = webhook_cancel,
	.webhook = webhook_ingress,
};

#define PROVIDER(name, label) \
	{ \
		.size = sizeof(struct cg_provider), .kind = #name, .title = label, \
		.version = "1.0.0", .options = webhook_kind_##name.options, \
		.option_count = WEBHOOK_OPTIONS, .ops = &webhook_ops, \
	}

static const struct cg_provider providers[] = {
	PROVIDER(webhook, "Webhook"),
	PROVIDER(discord, "Discord bridge"),
	PROVIDER(whatsapp, "WhatsApp bridge"),
	PROVIDER(signal, "Signal bridge"),
};

static const struct cg_provider *const webhook_providers[] = {
	&providers[0],
	&providers[1],
	&providers[2],
	&providers[3],
};

CG_PLUGIN_DECLARE(.name = "webhook", .version = "1.0.0", .license = "Apache-2.0",
	.providers = webhook_providers, .provider_count = 4);
