/* SPDX-License-Identifier: Apache-2.0 */
/* The fake channel: descriptor, lifecycle and scripted sends. */
#include "fake.h"

#include <cowgate/plugin.h>
#include <cowgate/sdk/capabilities.h>
#include <cowgate/sdk/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_WAIT_MS 1000

static const struct cg_option fake_options[] = {
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_STRING,
		.flags = CG_OPTION_JSON_ONLY,
		.name = "outboxFile",
		.help = "A file to which each delivery is appended as a JSON line"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_STRING,
		.flags = CG_OPTION_JSON_ONLY,
		.name = "faults",
		.help = "What becomes of sends, in turn: sent, not_dispatched, refused, "
			"rate_limited:ms, ambiguous, lost"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_CHOICE,
		.flags = CG_OPTION_JSON_ONLY,
		.name = "reconcile",
		.fallback = "none",
		.choices = "none,key",
		.help = "How an ambiguous send is settled: key repeats it under its "
			"delivery id"},
};

static const struct cg_capabilities fake_capabilities = {
	.size = sizeof(struct cg_capabilities),
	.text_unit = CG_UNIT_UTF16,
	.text_form = CG_FORM_PLAIN,
	.reconcile = CG_RECONCILE_NONE,
	.max_text = 4096,
	.max_buttons = 8,
	.max_button_rows = 4,
	.max_button_token = 128,
	.max_button_label = 64,
	.max_file = 1u << 20,
	.edit = true,
	.answer = true,
	.inbound = true,
};

static void fake_destroy(void *self)
{
	struct fake *fake = self;

	if (fake == NULL)
		return;
	fake_webhook_finish(fake);
	cg_sends_finish(&fake->sends);
	fake_outbox_finish(fake);
	free(fake);
}

static enum cg_status fake_create(const struct cg_host *host,
	const struct cg_settings *settings, void **ret_self, struct cg_error *err)
{
	const char *reconcile = settings->string(settings, "reconcile");
	struct fake *fake = calloc(1, sizeof(*fake));
	enum cg_status status;

	if (fake == NULL)
		return cg_error_nomem(err);
	fake->host = host;
	fake->capabilities = fake_capabilities;
	if (reconcile != NULL && strcmp(reconcile, "key") == 0)
		fake->capabilities.reconcile = CG_RECONCILE_IDEMPOTENCY_KEY;
	fake->outbox_path = settings->string(settings, "outboxFile");
	cg_random_id(fake->prefix, FAKE_PREFIX_BYTES);
	cg_sends_init(&fake->sends, host, fake);
	LIST_INIT(&fake->arrivals);
	status = fake_script_parse(
		settings->string(settings, "faults"), &fake->script, err);
	if (status != CG_OK)
		goto fail;
	*ret_self = fake;
	return CG_OK;

fail:
	fake_destroy(fake);
	return status;
}

static enum cg_status fake_start(void *self, struct cg_error *err)
{
	struct fake *fake = self;

	(void)err;
	fake->started = true;
	fake->host->health(fake->host, &(struct cg_health){
					       .size = sizeof(struct cg_health),
					       .inbound = CG_HEALTH_UP,
					       .outbound = CG_HEALTH_UP,
				       });
	return CG_OK;
}

static void fake_stop(void *self)
{
	struct fake *fake = self;

	fake->started = false;
}

static void fake_describe(const void *self, struct cg_capabilities *ret)
{
	const struct fake *fake = self;

	cg_capabilities_give(&fake->capabilities, ret);
}

static uint32_t fake_measure(const void *self, const char *text, size_t length)
{
	const struct fake *fake = self;

	return (uint32_t)cg_text_measure(text, length, fake->capabilities.text_unit);
}

/* What the script says, done: what arrives is in the outbox before anyone is told. */
static void play(struct fake *fake, const struct cg_outbound *outbound,
	struct cg_outcome *outcome, char *message_id, struct cg_error *err)
{
	struct fake_step step = fake_script_next(&fake->script);

	outcome->class = step.class;
	outcome->retry_after_ms = -1;
	if (step.class == CG_OUTCOME_RATE_LIMITED)
		outcome->retry_after_ms = step.number < 0 ? DEFAULT_WAIT_MS : step.number;
	if (step.class != CG_OUTCOME_SENT)
		outcome->detail = "as scripted";
	if (step.lost)
		return;
	if (fake_outbox_add(fake, outbound, message_id, err) != CG_OK) {
		outcome->class = CG_OUTCOME_AMBIGUOUS;
		outcome->detail = err->text;
	} else if (step.class == CG_OUTCOME_SENT) {
		outcome->message_id = message_id;
	}
}

static void fake_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	struct fake *fake = self;
	struct cg_send *send = cg_send_open(&fake->sends, outbound, done, arg);
	struct cg_outcome outcome = {.size = sizeof(outcome), .scope = CG_SCOPE_MESSAGE};
	char message_id[CG_SEND_MESSAGE_ID];
	struct cg_error err;

	if (outbound->text != NULL &&
		fake_measure(fake, outbound->text, outbound->text_length) >
			fake->capabilities.max_text) {
		cg_send_refuse(send, "the text is longer than 4096");
		return;
	}
	if (outbound->kind == CG_OUTBOUND_TYPING ||
		outbound->kind == CG_OUTBOUND_REACTION) {
		cg_send_refuse(send, "this channel shows no typing and no reactions");
		return;
	}
	if (outbound->kind == CG_OUTBOUND_EDIT && outbound->target.message_id == NULL) {
		cg_send_refuse(send, "an edit needs the message that it changes");
		return;
	}
	snprintf(message_id, sizeof(message_id), "fake-%s-%llu", fake->prefix,
		(unsigned long long)fake->delivered + 1);
	if (outbound->kind == CG_OUTBOUND_EDIT)
		cg_text_copy(message_id, sizeof(message_id), outbound->target.message_id);
	play(fake, outbound, &outcome, message_id, &err);
	cg_send_end_later(send, &outcome);
}

static void fake_cancel(void *self, void *arg)
{
	struct fake *fake = self;

	cg_sends_cancel(&fake->sends, arg);
}

static const struct cg_provider_ops fake_ops = {
	.size = sizeof(struct cg_provider_ops),
	.create = fake_create,
	.destroy = fake_destroy,
	.start = fake_start,
	.stop = fake_stop,
	.capabilities = fake_describe,
	.measure = fake_measure,
	.send = fake_send,
	.cancel = fake_cancel,
	.webhook = fake_webhook,
};

static const struct cg_provider fake_provider = {
	.size = sizeof(struct cg_provider),
	.flags = CG_PROVIDER_DEMO,
	.kind = "fake",
	.title = "Fake",
	.version = "1.0.0",
	.options = fake_options,
	.option_count = sizeof(fake_options) / sizeof(*fake_options),
	.ops = &fake_ops,
};

static const struct cg_provider *const fake_providers[] = {&fake_provider};

CG_PLUGIN_DECLARE(.name = "fake", .version = "1.0.0", .license = "Apache-2.0",
	.providers = fake_providers, .provider_count = 1);
