/* SPDX-License-Identifier: Apache-2.0 */
/* Sound, but its kind is another module's. */
#include "tests/plugins/module.h"

static const struct cg_provider_ops ops = {MODULE_OPS};
static const struct cg_provider provider = {MODULE_PROVIDER("good"), .ops = &ops};
static const struct cg_provider *const providers[] = {&provider};

CG_PLUGIN_DECLARE(MODULE_NAMES, .providers = providers, .provider_count = 1);
