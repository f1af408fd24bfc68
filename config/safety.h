/* SPDX-License-Identifier: Apache-2.0 */
/* The conditions under which a gateway must not start.  Each is one rule; all are looked at. */
#ifndef COWGATE_CONFIG_SAFETY_H
#define COWGATE_CONFIG_SAFETY_H

#include "config/loaded.h"

/* What was asked for beyond the values themselves. */
struct safety_facts {
	bool mode_was_named; /* the product mode was set, not worked out */
};

/* Report every rule that @loaded breaks. */
void safety_check(const struct config_loaded *loaded, const struct safety_facts *facts,
	struct config_report *report);

#endif
