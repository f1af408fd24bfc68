/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Email: descriptor and lifecycle.
 *
 * Mail comes in through ingress.c (webhook) and imap.c, becomes a message in arrival.c; answers go
 * out through outgoing.c.  GMime is met in mime_read.c and mime_write.c only.
 */
#include "email.h"
#include "imap.h"
#include "letter.h"
#include "mime.h"
#include "smtp.h"

#include <cowgate/plugin.h>
#include <cowgate/sdk/capabilities.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

const struct cg_capabilities email_capabilities = {
	.size = sizeof(struct cg_capabilities),
	.text_unit = CG_UNIT_UTF16,
	.text_form = CG_FORM_RENDERED,
	.reconcile = CG_RECONCILE_REPEAT_ONCE,
	.max_text = LETTER_TEXT_MAX,
	.threads = true,
	.inbound = true,
};

/* ---- Health ---- */

static void tell_health(struct email *email)
{
	char detail[CG_ERROR_TEXT];
	const char *in = email->inbound_detail, *out = email->outbound_detail;

	cg_text_copy(detail, sizeof(detail), in[0] != '\0' ? in : out);
	email->host->health(
		email->host, &(struct cg_health){
				     .size = sizeof(struct cg_health),
				     .inbound = email->inbound,
				     .outbound = email->outbound,
				     .detail = detail[0] == '\0' ? NULL : detail,
			     });
}

static void set_health(struct email *email, enum cg_health_state *state, char *detail,
	enum cg_health_state now, const char *why)
{
	if (why == NULL)
		why = "";
	if (*state == now && strncmp(detail, why, CG_ERROR_TEXT - 1) == 0)
		return;
	*state = now;
	cg_text_copy(detail, CG_ERROR_TEXT, why);
	if (email->started)
		tell_health(email);
}

void email_health_inbound(
	struct email *email, enum cg_health_state state, const char *detail)
{
	set_health(email, &email->inbound, email->inbound_detail, state, detail);
}

void email_health_outbound(
	struct email *email, enum cg_health_state state, const char *detail)
{
	set_health(email, &email->outbound, email->outbound_detail, state, detail);
}

/* ---- Life ---- */

static void email_destroy(void *self)
{
	struct email *email = self;

	if (email == NULL)
		return;
	imap_destroy(email->imap);
	email_ingress_finish(email);
	arrivals_finish(&email->arrivals);
	outgoing_finish(&email->outgoing);
	cg_sends_finish(&email->sends);
	email_settings_finish(&email->settings);
	free(email);
}

static enum cg_status email_create(const struct cg_host *host,
	const struct cg_settings *settings, void **ret_self, struct cg_error *err)
{
	struct email *email = calloc(1, sizeof(*email));
	enum cg_status status;

	if (email == NULL)
		return cg_error_nomem(err);
	mime_library_init();
	smtp_library_init();
	email->host = host;
	LIST_INIT(&email->waits);
	cg_sends_init(&email->sends, host, email);
	outgoing_init(&email->outgoing, email);
	arrivals_init(&email->arrivals, email);
	status = email_settings_init(&email->settings, settings, err);
	if (status == CG_OK && email->settings.imap_url != NULL)
		status = imap_create(email, &email->imap, err);
	if (status != CG_OK) {
		email_destroy(email);
		return status;
	}
	*ret_self = email;
	return CG_OK;
}

static enum cg_status email_start(void *self, struct cg_error *err)
{
	struct email *email = self;

	(void)err;
	email->started = true;
	/* A webhook listens at once; a mailbox says itself when it does. */
	email->inbound = email->imap == NULL ? CG_HEALTH_UP : CG_HEALTH_STARTING;
	email->outbound = CG_HEALTH_UP;
	email->inbound_detail[0] = email->outbound_detail[0] = '\0';
	tell_health(email);
	if (email->imap != NULL)
		imap_start(email->imap);
	return CG_OK;
}

static void email_stop(void *self)
{
	struct email *email = self;

	email->started = false;
	if (email->imap != NULL)
		imap_stop(email->imap);
}

static void email_describe(const void *self, struct cg_capabilities *ret)
{
	const struct email *email = self;
	struct cg_capabilities capabilities = email_capabilities;

	capabilities.max_file = email->settings.max_attachment;
	cg_capabilities_give(&capabilities, ret);
}

static uint32_t email_measure(const void *self, const char *text, size_t length)
{
	(void)self;
	return (uint32_t)cg_text_measure(text, length, email_capabilities.text_unit);
}

static const struct cg_provider_ops email_ops = {
	.size = sizeof(struct cg_provider_ops),
	.create = email_create,
	.destroy = email_destroy,
	.start = email_start,
	.stop = email_stop,
	.capabilities = email_describe,
	.measure = email_measure,
	.send = outgoing_send,
	.cancel = outgoing_cancel,
	.webhook = email_ingress,
};

static const struct cg_provider email_provider = {
	.size = sizeof(struct cg_provider),
	.kind = "email",
	.title = "Email",
	.version = "1.0.0",
	.options = email_options,
	.option_count = EMAIL_OPTIONS,
	.ops = &email_ops,
};

static const struct cg_provider *const email_providers[] = {&email_provider};

CG_PLUGIN_DECLARE(.name = "email", .version = "1.0.0", .license = "Apache-2.0",
	.providers = email_providers, .provider_count = 1);
