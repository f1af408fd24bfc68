/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed webhooks in both directions: descriptor and lifecycle.
 *
 * The way in is ingress.c, the way out api.c, JSON is in wire.c.
 */
#include "webhook.h"

#include <cowgate/plugin.h>
#include <cowgate/sdk/capabilities.h>
#include <cowgate/sdk/error.h>
#include <stdlib.h>

const struct cg_capabilities webhook_capabilities = {
	.size = sizeof(struct cg_capabilities),
	.text_unit = CG_UNIT_UTF16,
	.text_form = CG_FORM_SOURCE,
	.reconcile = CG_RECONCILE_IDEMPOTENCY_KEY,
	.max_text = 4096,
	.max_buttons = 8,
	.max_button_rows = 4,
	.max_button_token = CG_INBOUND_TOKEN,
	.max_button_label = 64,
	.edit = true,
	.typing = true,
	.threads = true,
	.answer = true,
	.inbound = true,
};

static void webhook_destroy(void *self)
{
	struct webhook *webhook = self;

	if (webhook == NULL)
		return;
	webhook_ingress_finish(webhook);
	cg_sends_finish(&webhook->sends);
	cg_signer_destroy(webhook->signer);
	webhook_settings_finish(&webhook->settings);
	free(webhook);
}

static enum cg_status webhook_create(const struct cg_host *host,
	const struct cg_settings *settings, void **ret_self, struct cg_error *err)
{
	struct webhook *webhook = calloc(1, sizeof(*webhook));
	enum cg_status status;

	if (webhook == NULL)
		return cg_error_nomem(err);
	webhook->host = host;
	webhook->sender = (struct webhook_wire_sender){
		.instance_id = host->instance_id,
		.kind = settings->kind,
		.capabilities = &webhook_capabilities,
	};
	cg_sends_init(&webhook->sends, host, webhook);
	LIST_INIT(&webhook->arrivals);

	status = webhook_settings_init(&webhook->settings, settings, err);
	if (status != CG_OK)
		goto fail;
	status = cg_signer_create(&webhook->settings.secret, &webhook->signer, err);
	if (status != CG_OK) {
		cg_error_prefix(err, "sharedSecret");
		goto fail;
	}

	*ret_self = webhook;
	return CG_OK;

fail:
	webhook_destroy(webhook);
	return status;
}

static enum cg_status webhook_start(void *self, struct cg_error *err)
{
	struct webhook *webhook = self;

	(void)err;
	webhook->started = true;
	/* A receiver that refuses says nothing about the way in: it stays up. */
	webhook->host->health(webhook->host, &(struct cg_health){
						     .size = sizeof(struct cg_health),
						     .inbound = CG_HEALTH_UP,
						     .outbound = CG_HEALTH_UP,
					     });
	return CG_OK;
}

static void webhook_stop(void *self)
{
	struct webhook *webhook = self;

	webhook->started = false;
}

static void webhook_describe(const void *self, struct cg_capabilities *ret)
{
	(void)self;
	cg_capabilities_give(&webhook_capabilities, ret);
}

static uint32_t webhook_measure(const void *self, const char *text, size_t length)
{
	(void)self;
	return (uint32_t)cg_text_measure(text, length, webhook_capabilities.text_unit);
}

static void webhook_cancel(void *self, void *arg)
{
	struct webhook *webhook = self;

	cg_sends_cancel(&webhook->sends, arg);
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

static const struct cg_provider webhook_provider = {
	.size = sizeof(struct cg_provider),
	.kind = "webhook",
	.title = "Webhook",
	.version = "1.0.0",
	.options = webhook_options,
	.option_count = WEBHOOK_OPTIONS,
	.ops = &webhook_ops,
};

static const struct cg_provider *const webhook_providers[] = {&webhook_provider};

CG_PLUGIN_DECLARE(.name = "webhook", .version = "1.0.0", .license = "Apache-2.0",
	.providers = webhook_providers, .provider_count = 1);
