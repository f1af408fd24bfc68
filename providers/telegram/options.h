/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of a Telegram bot: their rows and rules. */
#ifndef PROVIDERS_TELEGRAM_OPTIONS_H
#define PROVIDERS_TELEGRAM_OPTIONS_H

#include "wire.h"

#include <cowgate/sdk/secret.h>
#include <cowgate/settings.h>

#define TELEGRAM_OPTIONS 12
extern const struct cg_option telegram_options[TELEGRAM_OPTIONS];

struct telegram_settings {
	struct cg_secret token; /* owned */
	/* owned: "<API base>/bot<token>/", as secret as the token */
	struct cg_secret base;
	struct cg_secret files; /* owned: "<API base>/file/bot<token>/" */
	struct cg_secret proxy; /* owned: may hold a password; unset: none */
	char ca_file[1024]; /* "": the system's authorities */
	char lock_directory[1024]; /* "": one of the usual */
	enum telegram_groups groups;
	uint32_t rate_percent; /* of what the platform allows every bot */
	bool webhook; /* updates come by calls to us */
	char hook_url[2048]; /* where the platform calls us; webhook mode only */
	struct cg_secret hook_secret; /* owned: what it sends along */
};

enum cg_status telegram_settings_init(struct telegram_settings *ret,
	const struct cg_settings *settings, struct cg_error *err);
void telegram_settings_finish(struct telegram_settings *settings);

#endif
