/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define BASE_MAX 1024

#define OPTION(kind_, name_, env_, ...) \
	{ \
		.size = sizeof(struct cg_option), .kind = CG_OPTION_##kind_, \
		.name = name_, .env = env_, __VA_ARGS__ \
	}

const struct cg_option slack_options[SLACK_OPTIONS] = {
	OPTION(SECRET, "botToken", "SLACK_BOT_TOKEN",
		.flags = CG_OPTION_REQUIRED | CG_OPTION_ACTIVATES | CG_OPTION_CREDENTIAL,
		.help = "The app's Bot User OAuth Token, xoxb-…"),
	OPTION(SECRET, "signingSecret", "SLACK_SIGNING_SECRET",
		.flags = CG_OPTION_REQUIRED | CG_OPTION_CREDENTIAL,
		.help = "The app's Signing Secret: Slack signs its requests with it"),
	OPTION(SECRET, "signingSecretSecond", "SLACK_SIGNING_SECRET_SECOND",
		.flags = CG_OPTION_CREDENTIAL,
		.help = "Accepted as well, while one signing secret takes the other's "
			"place"),
	OPTION(URL, "apiBaseUrl", "SLACK_API_BASE_URL",
		.fallback = "https://slack.com/api", .help = "Where the Web API is"),
	OPTION(STRING, "teamId", "SLACK_TEAM_ID",
		.help = "The workspace; names it towards the Cloud"),
	OPTION(STRING, "defaultChannelId", "SLACK_DEFAULT_CHANNEL_ID",
		.help = "Accepted for older settings; has no effect"),
	OPTION(CHOICE, "respondInChannels", "SLACK_RESPOND_IN_CHANNELS",
		.fallback = "mentions_and_replies",
		.choices = "commands_only,mentions_and_replies,all",
		.help = "What is answered in channels; direct messages always are"),
	OPTION(LIST, "allowedChannels", "SLACK_ALLOWED_CHANNELS",
		.help = "Ids of the channels that are answered in; empty allows all"),
	OPTION(INTEGER, "maxFileBytes", "SLACK_MAX_FILE_BYTES", .fallback = "20971520",
		.min = 1, .max = 67108864,
		.help = "Largest file that is taken from a person"),
	OPTION(SECRET, "proxy", "SLACK_PROXY", .flags = CG_OPTION_CREDENTIAL,
		.help = "Proxy for all calls to Slack: http, https or socks5h"),
	OPTION(STRING, "caFile", "SLACK_CA_FILE",
		.help = "PEM file of the authorities to trust instead of the system's"),
};

/* Clear text only where it does not leave the house: an emulator or a relay of one's own. */
static bool may_be_plain(const char *host)
{
	struct cg_address address;

	if (cg_address_parse(host, &address))
		return cg_address_is_private(&address);
	return cg_host_is_loopback(host) || strchr(host, '.') == NULL;
}

static enum cg_status read_base(struct slack_settings *ret, struct cg_error *err)
{
	const char *base = ret->all->string(ret->all, "apiBaseUrl");
	size_t length;
	enum cg_status status;

	if (base == NULL || strlen(base) > BASE_MAX)
		return cg_error_set(err, CG_INVALID, "apiBaseUrl is missing or too long");
	status = cg_url_parse(base, &ret->origin, err);
	if (status != CG_OK) {
		cg_error_prefix(err, "apiBaseUrl");
		return status;
	}
	if (ret->origin.has_userinfo || strpbrk(base, "?#") != NULL)
		return cg_error_set(err, CG_INVALID,
			"apiBaseUrl must hold neither a user name nor a query");
	if (cg_host_is_metadata(ret->origin.host))
		return cg_error_set(err, CG_INVALID,
			"apiBaseUrl must not name a cloud metadata service");
	if (!ret->origin.https && !may_be_plain(ret->origin.host))
		return cg_error_set(err, CG_INVALID,
			"apiBaseUrl must begin with https://: the token goes there");
	length = strlen(base);
	while (length > 0 && base[length - 1] == '/')
		length--;
	ret->base = strndup(base, length);
	return ret->base == NULL ? cg_error_nomem(err) : CG_OK;
}

static enum cg_status read_token(struct slack_settings *ret, struct cg_error *err)
{
	size_t length = 0;
	const char *token = ret->all->secret(ret->all, "botToken", &length);

	if (token == NULL || length == 0)
		return cg_error_set(err, CG_INVALID, "botToken is required");
	for (size_t i = 0; i < length; i++) {
		if (token[i] <= ' ' || token[i] > '~')
			return cg_error_set(err, CG_INVALID,
				"botToken does not look like one: xoxb-…");
	}
	/* It travels in a header, behind a word. */
	if (length > CG_SECRET_MAX / 2 ||
		cg_secret_set(&ret->token, token, length) != CG_OK)
		return cg_error_set(err, CG_INVALID, "botToken is too long");
	return CG_OK;
}

static enum cg_status read_signers(struct slack_settings *ret, struct cg_error *err)
{
	static const char *const names[SLACK_SIGNERS] = {
		"signingSecret", "signingSecretSecond"};

	for (size_t i = 0; i < SLACK_SIGNERS; i++) {
		size_t length = 0;
		const char *secret = ret->all->secret(ret->all, names[i], &length);

		if (secret == NULL || length == 0) {
			if (i > 0)
				continue;
			return cg_error_set(err, CG_INVALID, "%s is required", names[i]);
		}
		if (!cg_text_clean(secret, length, CG_SECRET_MAX))
			return cg_error_set(err, CG_INVALID,
				"%s must not hold control characters", names[i]);
		if (cg_hmac_create(secret, length, &ret->signers[i]) != CG_OK)
			return cg_error_nomem(err);
	}
	return CG_OK;
}

/* A proxy's URL may hold a password. */
static enum cg_status read_proxy(struct slack_settings *ret, struct cg_error *err)
{
	static const char *const schemes[] = {"http://", "https://", "socks5h://"};
	size_t length = 0;
	const char *proxy = ret->all->secret(ret->all, "proxy", &length);

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

static enum cg_status check_ca_file(
	const struct slack_settings *settings, struct cg_error *err)
{
	if (settings->ca_file == NULL || access(settings->ca_file, R_OK) == 0)
		return CG_OK;
	return cg_error_set(err, CG_NOT_FOUND, "caFile %.150s cannot be read: %s",
		settings->ca_file, strerror(errno));
}

static enum slack_channels read_channels(const struct cg_settings *settings)
{
	const char *mode = settings->string(settings, "respondInChannels");

	if (mode != NULL && strcmp(mode, "all") == 0)
		return SLACK_CHANNELS_ALL;
	if (mode != NULL && strcmp(mode, "commands_only") == 0)
		return SLACK_CHANNELS_COMMANDS;
	return SLACK_CHANNELS_MENTIONS;
}

enum cg_status slack_settings_init(struct slack_settings *ret,
	const struct cg_settings *settings, struct cg_error *err)
{
	struct slack_settings slack = {
		.all = settings,
		.ca_file = settings->string(settings, "caFile"),
		.channels = read_channels(settings),
		.max_file = (uint64_t)settings->integer(settings, "maxFileBytes"),
	};
	enum cg_status status = read_base(&slack, err);

	if (status == CG_OK)
		status = read_token(&slack, err);
	if (status == CG_OK)
		status = read_signers(&slack, err);
	if (status == CG_OK)
		status = read_proxy(&slack, err);
	if (status == CG_OK)
		status = check_ca_file(&slack, err);
	if (status != CG_OK) {
		slack_settings_finish(&slack);
		return status;
	}
	*ret = slack;
	return CG_OK;
}

void slack_settings_finish(struct slack_settings *settings)
{
	cg_secret_wipe(&settings->token);
	cg_secret_wipe(&settings->proxy);
	for (size_t i = 0; i < SLACK_SIGNERS; i++)
		cg_hmac_destroy(settings->signers[i]);
	free(settings->base);
	*settings = (struct slack_settings){.base = NULL};
}

bool slack_settings_allow(const struct slack_settings *settings, const char *channel)
{
	const struct cg_settings *all = settings->all;
	size_t count = all->count(all, "allowedChannels");

	for (size_t i = 0; i < count; i++) {
		if (strcmp(all->item(all, "allowedChannels", i), channel) == 0)
			return true;
	}
	return count == 0;
}

bool slack_settings_trust(const struct slack_settings *settings, const char *url)
{
	const struct cg_url *origin = &settings->origin;
	struct cg_url target;

	if (cg_url_parse(url, &target, NULL) != CG_OK || target.has_userinfo)
		return false;
	if (target.https == origin->https && target.port == origin->port &&
		strcmp(target.host, origin->host) == 0)
		return true;
	return target.https && target.port == 443 &&
	       (strcmp(target.host, "slack.com") == 0 ||
		       cg_host_matches(target.host, "*.slack.com"));
}
