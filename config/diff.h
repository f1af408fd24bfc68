/* SPDX-License-Identifier: Apache-2.0 */
/* What a reload would change. */
#ifndef COWGATE_CONFIG_DIFF_H
#define COWGATE_CONFIG_DIFF_H

#include "config/config.h"

enum config_change_kind {
	CONFIG_SETTING_CHANGED,
	CONFIG_PROVIDER_ADDED,
	CONFIG_PROVIDER_REMOVED,
	CONFIG_PROVIDER_CHANGED, /* any of its values, enabled included: the instance is built anew */
};

struct config_change {
	enum config_change_kind kind;
	/* field of a setting, "branding", or id of a provider; borrowed from either */
	const char *name;
	bool restart; /* takes a restart of the daemon */
};

/* Room for every setting, the branding, and two full sets of providers. */
#define CONFIG_CHANGES 192

struct config_diff {
	struct config_change changes[CONFIG_CHANGES];
	size_t count;
	bool restart; /* any of them takes a restart */
};

/* Settings in the order of options.def, then providers: removed, changed, added. */
void config_diff(
	const struct config *before, const struct config *after, struct config_diff *ret);

/*
 * Read everything again, as config_load() does, and compare it with @was, which is in force.  On
 * CG_OK the caller owns *@ret: what is new where that can be changed while the gateway runs, and
 * what @was has where it takes a restart.  *@ret_diff names both; it borrows from both.  INVALID:
 * @report says what to change, and @was stays as good as it was.
 */
enum cg_status config_reload(const struct config_input *input, struct config *was,
	struct config **ret, struct config_diff *ret_diff, struct config_report *report);

#endif
