/* SPDX-License-Identifier: Apache-2.0 */
/* The providers' modules, loaded as the daemon does. */
#ifndef COWGATE_TESTS_CONTRACT_MODULE_H
#define COWGATE_TESTS_CONTRACT_MODULE_H

#include "tests/support/rig.h"

#include <cowgate/plugin.h>

/* The descriptor of the module that has @kind, whatever the module is called, and its provider. */
const struct cg_plugin *module_plugin(const char *kind);
const struct cg_provider *module_provider(const char *kind);
/* A rig for @kind. */
struct rig *module_rig(const char *kind, const struct settings_pair *pairs);

#endif
