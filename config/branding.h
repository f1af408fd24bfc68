/* SPDX-License-Identifier: Apache-2.0 */
/* What people see of the operator: names, links and free-form themes. */
#ifndef COWGATE_CONFIG_BRANDING_H
#define COWGATE_CONFIG_BRANDING_H

#include "config/source.h"

/* One member that has a variable of its own. */
struct branding_row {
	const char *key;
	const char *variable;
	bool url; /* kept only if https */
	bool mailto; /* or mailto: */
	const char *help;
};
extern const struct branding_row branding_rows[];
extern const size_t branding_row_count;

/* Bytes of the whole object as text. */
#define BRANDING_LIMIT 65536

/*
 * Defaults, then `branding` of every layer, then PUBLIC_BRANDING_JSON, then single variables.  A
 * link that is not https is left out with a warning.
 */
void branding_read(const struct source *source, struct config_branding *ret);

#endif
