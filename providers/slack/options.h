/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of a Slack app: their rows and rules. */
#ifndef PROVIDERS_SLACK_OPTIONS_H
#define PROVIDERS_SLACK_OPTIONS_H

#include "wire.h"

#include <cowgate/sdk/address.h>
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/secret.h>
#include <cowgate/settings.h>

#define SLACK_OPTIONS 11
extern const struct cg_option slack_options[SLACK_OPTIONS];

#define SLACK_SIGNERS \
	2 /* the signing secret, and a second while one takes the other's place */

struct slack_settings {
	const struct cg_settings *all; /* borrowed: outlives the instance */
	struct cg_secret token; /* owned */
	struct cg_hmac *signers[SLACK_SIGNERS]; /* owned; NULL: not set */
	char *base; /* owned: API base without a final slash */
	struct cg_url origin; /* where that is */
	struct cg_secret proxy; /* owned; unset: none */
	const char *ca_file; /* borrowed; NULL: the system's */
	enum slack_channels channels;
	uint64_t max_file; /* bytes */
};

enum cg_status slack_settings_init(struct slack_settings *ret,
	const struct cg_settings *settings, struct cg_error *err);
void slack_settings_finish(struct slack_settings *settings);

/* May we answer in this channel? */
bool slack_settings_allow(const struct slack_settings *settings, const char *channel);

/* May bytes go to this URL and the token with them?  Only to Slack's own hosts over https, and to
 * where the API base is. */
bool slack_settings_trust(const struct slack_settings *settings, const char *url);

#endif
