/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <cowgate/sdk/address.h>
#include <cowgate/sdk/error.h>
#include <stdio.h>
#include <string.h>

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
		.help = "Kept for webhook mode; polling does not need it"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_CHOICE,
		.name = "mode",
		.env = "TELEGRAM_MODE",
		.fallback = "polling",
		.choices = "polling,webhook",
		.help = "How updates come in; only polling in this version"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_URL,
		.name = "publicBaseUrl",
		.env = "TELEGRAM_PUBLIC_URL",
		.help = "Kept for webhook mode; polling does not need it"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_STRING,
		.flags = CG_OPTION_JSON_ONLY,
		.name = "webhookPath",
		.help = "Kept for webhook mode; polling does not need it"},
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

static enum cg_status make_base(
	struct telegram_settings *ret, const char *base, struct cg_error *err)
{
	char text[BASE_MAX + CG_SECRET_MAX + sizeof("/bot/")];
	size_t length = strlen(base);
	enum cg_status status;

	while (length > 0 && base[length - 1] == '/')
		length--;
	snprintf(text, sizeof(text), "%.*s/bot%s/", (int)length, base, ret->token.bytes);
	status = cg_secret_set(&ret->base, text, strlen(text));
	cg_wipe(text, sizeof(text));
	return status == CG_OK ? CG_OK
			       : cg_error_set(err, status, "botToken is too long");
}

enum cg_status telegram_settings_init(struct telegram_settings *ret,
	const struct cg_settings *settings, struct cg_error *err)
{
	struct telegram_settings telegram = {.groups = TELEGRAM_GROUPS_COMMANDS};
	const char *mode = settings->string(settings, "mode");
	const char *groups = settings->string(settings, "respondInGroups");
	const char *base = settings->string(settings, "apiBaseUrl");
	enum cg_status status;

	if (mode != NULL && strcmp(mode, "webhook") == 0)
		return cg_error_set(err, CG_UNSUPPORTED,
			"webhook mode is not in this version; set mode to polling");
	if (groups != NULL && strcmp(groups, "mentions_and_replies") == 0)
		telegram.groups = TELEGRAM_GROUPS_MENTIONS;
	if ((groups != NULL && strcmp(groups, "all") == 0) ||
		settings->boolean(settings, "observeUnmentionedGroupMessages"))
		telegram.groups = TELEGRAM_GROUPS_ALL;
	status = check_base(base, err);
	if (status == CG_OK)
		status = read_token(&telegram, settings, err);
	if (status == CG_OK)
		status = make_base(&telegram, base, err);
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
}
