/* SPDX-License-Identifier: Apache-2.0 */
/* Provider entries with their values checked, and what an instance reads them through. */
#ifndef COWGATE_CONFIG_PROVIDER_H
#define COWGATE_CONFIG_PROVIDER_H

#include "config/entry.h"
#include "config/value.h"

/* The values of one provider.  The instance sees only @settings. */
struct provider_values {
	struct cg_settings settings; /* first: its functions find the rest behind it */
	const struct cg_provider *descriptor;
	struct value *values; /* one an option; secrets in them are owned */
};

/* Settings of the gateway that an option of that name takes when it has no value of its own. */
struct provider_inherited {
	const char *option;
	enum config_option core;
};
extern const struct provider_inherited provider_inherited[];
extern const size_t provider_inherited_count;

/*
 * Check @entry against the rows of its kind into *@ret, which lives in the kept arena.  @core are
 * the core settings, for values that are inherited.  False only without memory.
 */
bool provider_read(const struct source *source, const struct entry *entry,
	const struct value *core, struct config_provider *ret);

/* The values behind a provider's settings. */
const struct provider_values *provider_values(const struct config_provider *provider);

/* Wipe the secrets. */
void provider_finish(struct config_provider *provider);

/* Same kind, binding, list, state and values. */
bool provider_equal(const struct config_provider *a, const struct config_provider *b);

#endif
