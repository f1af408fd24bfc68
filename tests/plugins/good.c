/* SPDX-License-Identifier: Apache-2.0 */
/* Two sound providers in one module. */
#include "tests/plugins/module.h"

static const struct cg_provider_ops ops = {MODULE_OPS};
static const struct cg_provider first = {MODULE_PROVIDER("good"), .ops = &ops};
static const struct cg_provider second = {MODULE_PROVIDER("better"), .ops = &ops};
static const struct cg_provider *const providers[] = {&first, &second};

CG_PLUGIN_DECLARE(MODULE_NAMES, .providers = providers, .provider_count = 2);
