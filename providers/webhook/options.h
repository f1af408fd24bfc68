/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of a webhook: what passes the rules, and where deliveries may go. */
#ifndef PROVIDERS_WEBHOOK_OPTIONS_H
#define PROVIDERS_WEBHOOK_OPTIONS_H

#include <cowgate/http.h>
#include <cowgate/sdk/secret.h>
#include <cowgate/settings.h>
#include <cowgate/status.h>

/* Settings that have passed the rules. */
struct webhook_settings {
	const char *delivery_url; /* borrowed from the daemon's settings */
	enum cg_http_reach reach;
	const char *ca_file; /* borrowed likewise; NULL: the system's */
	/* owned; the last two may be unset */
	struct cg_secret secret, second, proxy;
	int64_t max_attachment; /* bytes */
	int64_t timeout_ms; /* of one delivery */
};

/*
 * Deliveries go to https, or to plain http on this host's loopback; never to a metadata service;
 * to private addresses only where that is allowed; and only to listed hosts where a list is given.
 */
enum cg_status webhook_settings_init(struct webhook_settings *ret,
	const struct cg_settings *settings, struct cg_error *err);
void webhook_settings_finish(struct webhook_settings *settings);

#endif
