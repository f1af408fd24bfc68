/* SPDX-License-Identifier: Apache-2.0 */
/* Sound but for its name, which people would be shown. */
#include "tests/plugins/module.h"

static const struct cg_provider_ops ops = {MODULE_OPS};
static const struct cg_provider provider = {MODULE_PROVIDER("nameless"), .ops = &ops};
static const struct cg_provider *const providers[] = {&provider};

CG_PLUGIN_DECLARE(.version = "1.0.0", .providers = providers, .provider_count = 1);
