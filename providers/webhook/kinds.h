/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds that speak these webhooks: any program, and the bridges to platforms that have
 * limits of their own.
 */
#ifndef PROVIDERS_WEBHOOK_KINDS_H
#define PROVIDERS_WEBHOOK_KINDS_H

#include <cowgate/capability.h>
#include <cowgate/settings.h>

#define WEBHOOK_OPTIONS 9

struct webhook_kind {
	const char *kind;
	const char *parse_mode; /* what a receiver is told about its texts */
	struct cg_capabilities capabilities; /* max_file is cut to maxAttachmentBytes */
	struct cg_option options[WEBHOOK_OPTIONS];
};

extern const struct webhook_kind webhook_kind_webhook, webhook_kind_discord,
	webhook_kind_whatsapp, webhook_kind_signal;

/* The one called @kind; NULL: none. */
const struct webhook_kind *webhook_kind_find(const char *kind);

#endif
