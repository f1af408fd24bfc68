/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <cowgate/sdk/address.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>

const struct cg_option webhook_options[WEBHOOK_OPTIONS] = {
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_URL,
		.flags = CG_OPTION_REQUIRED | CG_OPTION_ACTIVATES,
		.name = "deliveryUrl",
		.env = "WEBHOOK_DELIVERY_URL",
		.help = "Where answers are posted to"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_SECRET,
		.flags = CG_OPTION_REQUIRED | CG_OPTION_CREDENTIAL,
		.name = "sharedSecret",
		.env = "WEBHOOK_SHARED_SECRET",
		.help = "Signs requests in both directions; whsec_… is Standard "
			"Webhooks' base64"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_LIST,
		.name = "deliveryUrlAllowedHosts",
		.env = "WEBHOOK_DELIVERY_ALLOWED_HOSTS",
		.help = "Hosts that deliveryUrl may name, *.suffix for subdomains; empty "
			"allows any"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_BOOLEAN,
		.name = "allowPrivateDelivery",
		.env = "WEBHOOK_ALLOW_PRIVATE_DELIVERY",
		.fallback = "false",
		.help = "Deliver to private addresses as well"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_INTEGER,
		.name = "maxAttachmentBytes",
		.env = "WEBHOOK_MAX_ATTACHMENT_BYTES",
		.fallback = "1048576",
		.min = 1,
		.max = 67108864,
		.help = "Largest attachment that is accepted; by default as large as a "
			"request"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_INTEGER,
		.flags = CG_OPTION_JSON_ONLY,
		.name = "deliveryTimeoutMs",
		.fallback = "15000",
		.min = 100,
		.max = 120000,
		.help = "Deadline of one delivery; by default the gateway's "
			"webhookDeliveryMs"},
};

static enum cg_status check_listed(
	const struct cg_settings *settings, const char *host, struct cg_error *err)
{
	size_t count = settings->count(settings, "deliveryUrlAllowedHosts");

	for (size_t i = 0; i < count; i++) {
		if (cg_host_matches(
			    host, settings->item(settings, "deliveryUrlAllowedHosts", i)))
			return CG_OK;
	}
	return count == 0 ? CG_OK
			  : cg_error_set(err, CG_INVALID,
				    "deliveryUrl: the host %.100s is not in "
				    "deliveryUrlAllowedHosts",
				    host);
}

static enum cg_status check_url(struct webhook_settings *webhook,
	const struct cg_settings *settings, struct cg_error *err)
{
	bool allow_private = settings->boolean(settings, "allowPrivateDelivery");
	struct cg_address address;
	struct cg_url url;
	enum cg_status status;
	bool local;

	webhook->delivery_url = settings->string(settings, "deliveryUrl");
	if (cg_text_blank(webhook->delivery_url))
		return cg_error_set(err, CG_INVALID, "deliveryUrl is required");
	status = cg_url_parse(webhook->delivery_url, &url, err);
	if (status != CG_OK) {
		cg_error_prefix(err, "deliveryUrl");
		return status;
	}
	local = cg_host_is_loopback(url.host);
	if (url.has_userinfo)
		return cg_error_set(err, CG_INVALID,
			"deliveryUrl must not hold a user name or password");
	if (cg_host_is_metadata(url.host))
		return cg_error_set(err, CG_INVALID,
			"deliveryUrl must not name a cloud metadata service");
	if (!url.https && !local)
		return cg_error_set(err, CG_INVALID,
			"deliveryUrl must begin with https://, but on this host itself");
	webhook->reach = allow_private ? CG_REACH_PRIVATE
				       : (local ? CG_REACH_LOOPBACK : CG_REACH_PUBLIC);
	if (cg_address_parse(url.host, &address) &&
		!cg_address_reachable(&address, webhook->reach))
		return cg_error_set(err, CG_INVALID,
			"deliveryUrl names a private address; set "
			"allowPrivateDelivery if that is meant");
	return local ? CG_OK : check_listed(settings, url.host, err);
}

enum cg_status webhook_settings_init(struct webhook_settings *ret,
	const struct cg_settings *settings, struct cg_error *err)
{
	struct webhook_settings webhook = {.delivery_url = NULL};
	enum cg_status status = check_url(&webhook, settings, err);
	size_t length = 0;
	const char *secret = settings->secret(settings, "sharedSecret", &length);

	if (status != CG_OK)
		return status;
	if (secret == NULL || length == 0)
		return cg_error_set(err, CG_INVALID, "sharedSecret is required");
	if (!cg_text_clean(secret, length, CG_SECRET_MAX))
		return cg_error_set(
			err, CG_INVALID, "sharedSecret must not hold control characters");
	status = cg_secret_set(&webhook.secret, secret, length);
	if (status != CG_OK)
		return cg_error_set(err, status, "sharedSecret cannot be kept");
	webhook.max_attachment = settings->integer(settings, "maxAttachmentBytes");
	webhook.timeout_ms = settings->integer(settings, "deliveryTimeoutMs");
	*ret = webhook;
	return CG_OK;
}

void webhook_settings_finish(struct webhook_settings *settings)
{
	cg_secret_wipe(&settings->secret);
}
