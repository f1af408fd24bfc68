/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <cowgate/sdk/address.h>
#include <cowgate/sdk/error.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define BASE_MAX 1024

const struct cg_option telegram_options[TELEGRAM_OPTIONS] = {
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_SECRET,
		.flags = CG_OPTION_REQUIRED | CG_OPTION_ACTIVATES | CG_OPTION_CREDENTIAL,
		.name = "botToken",
		.env = "TELEGRAM_BOT_TOKEN",
		.help = "The token that BotFather gave"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_SECRET,
		.flags = CG_OPTION_CREDENTIAL,
		.name = "webhookSecret",
		.env = "TELEGRAM_WEBHOOK_SECRET",
		.help = "Webhook mode: what Telegram must send along, 1 to 256 letters, "
			"digits, - and _"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_CHOICE,
		.name = "mode",
		.env = "TELEGRAM_MODE",
		.fallback = "polling",
		.choices = "polling,webhook",
		.help = "How updates come in: by asking for them, or by calls to "
			"/webhooks/<instance>"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_URL,
		.name = "publicBaseUrl",
		.env = "TELEGRAM_PUBLIC_URL",
		.help = "Webhook mode: https URL under which Telegram reaches the "
			"gateway"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_STRING,
		.flags = CG_OPTION_JSON_ONLY,
		.name = "webhookPath",
		.help = "Webhook mode: path below the public URL, where a proxy maps it "
			"to /webhooks/<instance>; default that path"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_CHOICE,
		.name = "respondInGroups",
		.env = "TELEGRAM_RESPOND_IN_GROUPS",
		.fallback = "commands_only",
		.choices = "commands_only,mentions_and_replies,all",
		.help = "What the bot answers in groups; commands always"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_BOOLEAN,
		.flags = CG_OPTION_JSON_ONLY,
		.name = "observeUnmentionedGroupMessages",
		.fallback = "false",
		.help = "Take in all that is said in groups, as respondInGroups all "
			"does"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_URL,
		.name = "apiBaseUrl",
		.env = "TELEGRAM_API_BASE_URL",
		.fallback = "https://api.telegram.org",
		.help = "Where the Bot API is"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_SECRET,
		.flags = CG_OPTION_CREDENTIAL,
		.name = "proxy",
		.env = "TELEGRAM_PROXY",
		.help = "Proxy on the way to Telegram: an http, https or socks5h URL"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_STRING,
		.name = "caFile",
		.env = "TELEGRAM_CA_FILE",
		.help = "PEM file of the authorities trusted instead of the system's"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_STRING,
		.name = "lockDirectory",
		.env = "TELEGRAM_LOCK_DIR",
		.help = "Where the lock lies that keeps two programs of one host from "
			"using the same bot; default /run/lock, /var/lock or /tmp"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_INTEGER,
		.name = "ratePercent",
		.env = "TELEGRAM_RATE_PERCENT",
		.fallback = "100",
		.min = 10,
		.max = 100000,
		.help = "Rate of sending, in percent of what Telegram allows every bot; "
			"more "
			"only for a bot that is allowed more"},
};

/* Clear text only where it does not leave the house: a Bot API server of one's own. */
static bool may_be_plain(const char *host)
{
	struct cg_address address;

	if (cg_address_parse(host, &address))
		return cg_address_is_private(&address);
	return cg_host_is_loopback(host) || strchr(host, '.') == NULL;
}

static enum cg_status check_base(const char *base, struct cg_error *err)
{
	struct cg_url url;
	enum cg_status status;

	if (base == NULL || strlen(base) > BASE_MAX)
		return cg_error_set(err, CG_INVALID, "apiBaseUrl is missing or too long");
	status = cg_url_parse(base, &url, err);
	if (status != CG_OK) {
		cg_error_prefix(err, "apiBaseUrl");
		return status;
	}
	if (url.has_userinfo || strpbrk(base, "?#") != NULL)
		return cg_error_set(err, CG_INVALID,
			"apiBaseUrl must hold neither a user name nor a query");
	if (cg_host_is_metadata(url.host))
		return cg_error_set(err, CG_INVALID,
			"apiBaseUrl must not name a cloud metadata service");
	if (!url.https && !may_be_plain(url.host))
		return cg_error_set(err, CG_INVALID,
			"apiBaseUrl must begin with https://: the bot's token is in it");
	return CG_OK;
}

static enum cg_status read_token(struct telegram_settings *ret,
	const struct cg_settings *settings, struct cg_error *err)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_-";
	size_t length = 0;
	const char *token = settings->secret(settings, "botToken", &length);

	if (token == NULL || length == 0)
		return cg_error_set(err, CG_INVALID, "botToken is required");
	for (size_t i = 0; i < length; i++) {
		if (token[i] == '\0' || strchr(allowed, token[i]) == NULL)
			return cg_error_set(err, CG_INVALID,
				"botToken does not look like one: 123456:ABC-def");
	}
	return cg_secret_set(&ret->token, token, length);
}

/* "<API base><between><token>/" */
static enum cg_status make_base(const struct telegram_settings *settings,
	const char *base, const char *between, struct cg_secret *ret,
	struct cg_error *err)
{
	char text[BASE_MAX + CG_SECRET_MAX + sizeof("/file/bot/")];
	size_t length = strlen(base);
	enum cg_status status;

	while (length > 0 && base[length - 1] == '/')
		length--;
	snprintf(text, sizeof(text), "%.*s%s%s/", (int)length, base, between,
		settings->token.bytes);
	status = cg_secret_set(ret, text, strlen(text));
	cg_wipe(text, sizeof(text));
	return status == CG_OK ? CG_OK
			       : cg_error_set(err, status,
					 "apiBaseUrl and botToken are too long");
}

static enum cg_status read_proxy(struct telegram_settings *ret,
	const struct cg_settings *settings, struct cg_error *err)
{
	static const char *const schemes[] = {"http://", "https://", "socks5h://"};
	size_t length = 0;
	const char *proxy = settings->secret(settings, "proxy", &length);

	if (proxy == NULL || length == 0)
		return CG_OK;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		size_t scheme = strlen(schemes[i]);

		if (length > scheme && strncasecmp(proxy, schemes[i], scheme) == 0 &&
			cg_text_clean(proxy, length, BASE_MAX))
			return cg_secret_set(&ret->proxy, proxy, length);
	}
	return cg_error_set(err, CG_INVALID,
		"proxy must be a URL that begins with http://, https:// or socks5h://");
}

static enum cg_status read_paths(struct telegram_settings *ret,
	const struct cg_settings *settings, struct cg_error *err)
{
	const char *ca_file = settings->string(settings, "caFile");
	const char *directory = settings->string(settings, "lockDirectory");

	if (ca_file == NULL)
		ca_file = "";
	if (directory == NULL)
		directory = "";
	if (strlen(ca_file) >= sizeof(ret->ca_file))
		return cg_error_set(err, CG_INVALID, "caFile is too long a path");
	if (strlen(directory) >= sizeof(ret->lock_directory))
		return cg_error_set(err, CG_INVALID, "lockDirectory is too long a path");
	if (ca_file[0] != '\0' && access(ca_file, R_OK) != 0)
		return cg_error_set(
			err, CG_NOT_FOUND, "caFile %.200s cannot be read", ca_file);
	if (directory[0] != '\0' && access(directory, W_OK) != 0)
		return cg_error_set(err, CG_NOT_FOUND,
			"lockDirectory %.200s cannot be written to", directory);
	cg_text_copy(ret->ca_file, sizeof(ret->ca_file), ca_file);
	cg_text_copy(ret->lock_directory, sizeof(ret->lock_directory), directory);
	return CG_OK;
}

/* Telegram calls nothing but https, and nobody on the outside reaches this host by loopback. */
static enum cg_status check_public(const char *base, struct cg_error *err)
{
	struct cg_url url;

	if (base == NULL || base[0] == '\0')
		return cg_error_set(err, CG_INVALID,
			"webhook mode needs publicBaseUrl, under which Telegram reaches "
			"the gateway");
	if (cg_url_parse(base, &url, NULL) != CG_OK || !url.https ||
		cg_host_is_loopback(url.host) || strpbrk(base, "?#") != NULL ||
		strlen(base) > BASE_MAX)
		return cg_error_set(err, CG_INVALID,
			"publicBaseUrl must begin with https:// and name a host that "
			"Telegram can reach");
	return CG_OK;
}

static enum cg_status read_hook(struct telegram_settings *ret,
	const struct cg_settings *settings, struct cg_error *err)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	const char *base = settings->string(settings, "publicBaseUrl");
	const char *path = settings->string(settings, "webhookPath");
	size_t length = 0;
	const char *secret = settings->secret(settings, "webhookSecret", &length);
	enum cg_status status = check_public(base, err);

	if (status != CG_OK)
		return status;
	if (secret == NULL || length == 0 || length > 256 ||
		strspn(secret, allowed) != length)
		return cg_error_set(err, CG_INVALID,
			"webhook mode needs webhookSecret: 1 to 256 letters, digits, - "
			"and _");
	status = cg_secret_set(&ret->hook_secret, secret, length);
	if (status != CG_OK)
		return status;
	length = strlen(base);
	while (length > 0 && base[length - 1] == '/')
		length--;
	if (path != NULL && path[0] != '\0')
		snprintf(ret->hook_url, sizeof(ret->hook_url), "%.*s/%s", (int)length,
			base, path + strspn(path, "/"));
	else
		snprintf(ret->hook_url, sizeof(ret->hook_url), "%.*s/webhooks/%s",
			(int)length, base, settings->instance_id);
	return CG_OK;
}

static enum telegram_groups read_groups(const struct cg_settings *settings)
{
	const char *groups = settings->string(settings, "respondInGroups");

	if ((groups != NULL && strcmp(groups, "all") == 0) ||
		settings->boolean(settings, "observeUnmentionedGroupMessages"))
		return TELEGRAM_GROUPS_ALL;
	if (groups != NULL && strcmp(groups, "mentions_and_replies") == 0)
		return TELEGRAM_GROUPS_MENTIONS;
	return TELEGRAM_GROUPS_COMMANDS;
}

enum cg_status telegram_settings_init(struct telegram_settings *ret,
	const struct cg_settings *settings, struct cg_error *err)
{
	struct telegram_settings telegram = {.groups = read_groups(settings)};
	const char *mode = settings->string(settings, "mode");
	const char *base = settings->string(settings, "apiBaseUrl");
	enum cg_status status = check_base(base, err);

	telegram.rate_percent = (uint32_t)settings->integer(settings, "ratePercent");
	telegram.webhook = mode != NULL && strcmp(mode, "webhook") == 0;
	if (status == CG_OK)
		status = read_token(&telegram, settings, err);
	if (status == CG_OK)
		status = make_base(&telegram, base, "/bot", &telegram.base, err);
	if (status == CG_OK)
		status = make_base(&telegram, base, "/file/bot", &telegram.files, err);
	if (status == CG_OK)
		status = read_proxy(&telegram, settings, err);
	if (status == CG_OK)
		status = read_paths(&telegram, settings, err);
	if (status == CG_OK && telegram.webhook)
		status = read_hook(&telegram, settings, err);
	if (status != CG_OK) {
		telegram_settings_finish(&telegram);
		return status;
	}
	*ret = telegram;
	return CG_OK;
}

void telegram_settings_finish(struct telegram_settings *settings)
{
	cg_secret_wipe(&settings->token);
	cg_secret_wipe(&settings->base);
	cg_secret_wipe(&settings->files);
	cg_secret_wipe(&settings->proxy);
	cg_secret_wipe(&settings->hook_secret);
}
