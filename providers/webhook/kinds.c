/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <cowgate/sdk/message_json.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

/* The same rows for each kind, under variables of its own. */
#define OPTIONS(KIND) \
	{ \
		{.size = sizeof(struct cg_option), \
			.kind = CG_OPTION_URL, \
			.flags = CG_OPTION_REQUIRED | CG_OPTION_ACTIVATES, \
			.name = "deliveryUrl", \
			.env = KIND "_DELIVERY_URL", \
			.help = "Where answers are posted to"}, \
			{.size = sizeof(struct cg_option), \
				.kind = CG_OPTION_SECRET, \
				.flags = CG_OPTION_REQUIRED | CG_OPTION_CREDENTIAL, \
				.name = "sharedSecret", \
				.env = KIND "_SHARED_SECRET", \
				.help = "Signs requests in both directions; whsec_… is " \
					"Standard Webhooks' base64"}, \
			{.size = sizeof(struct cg_option), \
				.kind = CG_OPTION_SECRET, \
				.flags = CG_OPTION_CREDENTIAL, \
				.name = "sharedSecretSecond", \
				.env = KIND "_SHARED_SECRET_SECOND", \
				.help = "A second secret that is good as well, while " \
					"one " \
					"takes the other's place"}, \
			{.size = sizeof(struct cg_option), \
				.kind = CG_OPTION_LIST, \
				.name = "deliveryUrlAllowedHosts", \
				.env = KIND "_DELIVERY_ALLOWED_HOSTS", \
				.help = "Hosts that deliveryUrl may name, *.suffix for " \
					"subdomains; empty allows any"}, \
			{.size = sizeof(struct cg_option), \
				.kind = CG_OPTION_BOOLEAN, \
				.name = "allowPrivateDelivery", \
				.env = KIND "_ALLOW_PRIVATE_DELIVERY", \
				.fallback = "false", \
				.help = "Deliver to private addresses as well"}, \
			{.size = sizeof(struct cg_option), \
				.kind = CG_OPTION_INTEGER, \
				.name = "maxAttachmentBytes", \
				.env = KIND "_MAX_ATTACHMENT_BYTES", \
				.fallback = "1048576", \
				.min = 1, \
				.max = 67108864, \
				.help = "Largest file in either direction; by default " \
					"as " \
					"large as a request"}, \
			{.size = sizeof(struct cg_option), \
				.kind = CG_OPTION_SECRET, \
				.flags = CG_OPTION_CREDENTIAL, \
				.name = "proxy", \
				.env = KIND "_PROXY", \
				.help = "Proxy for deliveries: http, https or socks5h " \
					"URL, " \
					"perhaps with user and password"}, \
			{.size = sizeof(struct cg_option), \
				.kind = CG_OPTION_STRING, \
				.name = "caFile", \
				.env = KIND "_CA_FILE", \
				.help = "PEM file with the authorities that deliveries " \
					"trust " \
					"instead of the system's"}, \
			{.size = sizeof(struct cg_option), \
				.kind = CG_OPTION_INTEGER, \
				.flags = CG_OPTION_JSON_ONLY, \
				.name = "deliveryTimeoutMs", \
				.fallback = "15000", \
				.min = 100, \
				.max = 120000, \
				.help = "Deadline of one delivery; by default the " \
					"gateway's " \
					"webhookDeliveryMs"}, \
	}

const struct webhook_kind webhook_kind_webhook = {
	.kind = "webhook",
	.parse_mode = "plain",
	.capabilities =
		{
			.size = sizeof(struct cg_capabilities),
			.text_unit = CG_UNIT_UTF16,
			.text_form = CG_FORM_SOURCE,
			.reconcile = CG_RECONCILE_IDEMPOTENCY_KEY,
			.max_text = 4096,
			.max_buttons = 8,
			.max_button_rows = 4,
			.max_button_token = CG_INBOUND_TOKEN,
			.max_button_label = 64,
			.max_file = 25 * MIB,
			.edit = true,
			.typing = true,
			.threads = true,
			.answer = true,
			.inbound = true,
			.retry = CG_RETRY_WEBHOOK,
		},
	.options = OPTIONS("WEBHOOK"),
};

const struct webhook_kind webhook_kind_discord = {
	.kind = "discord",
	.parse_mode = "markdown",
	.capabilities =
		{
			.size = sizeof(struct cg_capabilities),
			.text_unit = CG_UNIT_CODE_POINTS,
			.text_form = CG_FORM_SOURCE,
			.reconcile = CG_RECONCILE_IDEMPOTENCY_KEY,
			.max_text = 2000,
			.max_buttons = 25,
			.max_button_rows = 5,
			.max_button_token = CG_INBOUND_TOKEN,
			.max_button_label = 80,
			.max_file = 8 * MIB,
			.edit = true,
			.typing = true,
			.threads = true,
			.answer = true,
			.inbound = true,
			.retry = CG_RETRY_WEBHOOK,
			.chat = true,
		},
	.options = OPTIONS("DISCORD"),
};

const struct webhook_kind webhook_kind_whatsapp = {
	.kind = "whatsapp",
	.parse_mode = "plain",
	.capabilities =
		{
			.size = sizeof(struct cg_capabilities),
			.text_unit = CG_UNIT_UTF16,
			.text_form = CG_FORM_SOURCE,
			.reconcile = CG_RECONCILE_IDEMPOTENCY_KEY,
			.max_text = 4096,
			.max_buttons = 3,
			.max_button_rows = 1,
			.max_button_token = CG_INBOUND_TOKEN,
			.max_button_label = 20,
			.max_file = 16 * MIB,
			.typing = true,
			.answer = true,
			.inbound = true,
			.retry = CG_RETRY_WEBHOOK,
			.chat = true,
		},
	.options = OPTIONS("WHATSAPP"),
};

const struct webhook_kind webhook_kind_signal = {
	.kind = "signal",
	.parse_mode = "plain",
	.capabilities =
		{
			.size = sizeof(struct cg_capabilities),
			.text_unit = CG_UNIT_UTF16,
			.text_form = CG_FORM_SOURCE,
			.reconcile = CG_RECONCILE_IDEMPOTENCY_KEY,
			.max_text = 4096,
			.max_file = 64 * MIB,
			.typing = true,
			.inbound = true,
			.retry = CG_RETRY_WEBHOOK,
			.chat = true,
		},
	.options = OPTIONS("SIGNAL"),
};

const struct webhook_kind *webhook_kind_find(const char *kind)
{
	static const struct webhook_kind *const kinds[] = {&webhook_kind_webhook,
		&webhook_kind_discord, &webhook_kind_whatsapp, &webhook_kind_signal};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i]->kind, kind) == 0)
			return kinds[i];
	}
	return NULL;
}
