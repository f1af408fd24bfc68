/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <cowgate/sdk/address.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <unistd.h>

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

/* Copy the secret called @name, which may be absent. */
static enum cg_status take_secret(const struct cg_settings *settings, const char *name,
	struct cg_secret *ret, struct cg_error *err)
{
	size_t length = 0;
	const char *secret = settings->secret(settings, name, &length);
	enum cg_status status;

	if (secret == NULL || length == 0)
		return CG_OK;
	if (!cg_text_clean(secret, length, CG_SECRET_MAX))
		return cg_error_set(
			err, CG_INVALID, "%s must not hold control characters", name);
	status = cg_secret_set(ret, secret, length);
	return status == CG_OK ? CG_OK
			       : cg_error_set(err, status, "%s cannot be kept", name);
}

static enum cg_status take_secrets(struct webhook_settings *webhook,
	const struct cg_settings *settings, struct cg_error *err)
{
	enum cg_status status =
		take_secret(settings, "sharedSecret", &webhook->secret, err);

	if (status == CG_OK && !cg_secret_is_set(&webhook->secret))
		return cg_error_set(err, CG_INVALID, "sharedSecret is required");
	if (status == CG_OK)
		status = take_secret(
			settings, "sharedSecretSecond", &webhook->second, err);
	if (status == CG_OK)
		status = take_secret(settings, "proxy", &webhook->proxy, err);
	if (status == CG_OK && cg_secret_is_set(&webhook->proxy)) {
		status = cg_proxy_check(webhook->proxy.bytes, err);
		if (status != CG_OK)
			cg_error_prefix(err, "proxy");
	}
	return status;
}

static enum cg_status check_trust(struct webhook_settings *webhook,
	const struct cg_settings *settings, struct cg_error *err)
{
	webhook->ca_file = settings->string(settings, "caFile");
	if (webhook->ca_file == NULL || access(webhook->ca_file, R_OK) == 0)
		return CG_OK;
	return cg_error_set(
		err, CG_INVALID, "caFile: %.100s cannot be read", webhook->ca_file);
}

enum cg_status webhook_settings_init(struct webhook_settings *ret,
	const struct cg_settings *settings, struct cg_error *err)
{
	struct webhook_settings webhook = {.delivery_url = NULL};
	enum cg_status status = check_url(&webhook, settings, err);

	if (status == CG_OK)
		status = check_trust(&webhook, settings, err);
	if (status == CG_OK)
		status = take_secrets(&webhook, settings, err);
	if (status != CG_OK) {
		webhook_settings_finish(&webhook);
		return status;
	}
	webhook.max_attachment = settings->integer(settings, "maxAttachmentBytes");
	webhook.timeout_ms = settings->integer(settings, "deliveryTimeoutMs");
	*ret = webhook;
	return CG_OK;
}

void webhook_settings_finish(struct webhook_settings *settings)
{
	cg_secret_wipe(&settings->secret);
	cg_secret_wipe(&settings->second);
	cg_secret_wipe(&settings->proxy);
}
