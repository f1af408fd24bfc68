/* SPDX-License-Identifier: Apache-2.0 */
/* A module without a provider. */
#include "tests/plugins/module.h"

CG_PLUGIN_DECLARE(MODULE_NAMES);
