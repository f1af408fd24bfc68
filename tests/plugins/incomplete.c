/* SPDX-License-Identifier: Apache-2.0 */
/* It cannot send. */
#include "tests/plugins/module.h"

static const struct cg_provider_ops ops = {.size = sizeof(struct cg_provider_ops),
	.create = module_create,
	.destroy = module_destroy,
	.start = module_start,
	.stop = module_stop,
	.capabilities = module_capabilities,
	.measure = module_measure,
	.cancel = module_cancel};
static const struct cg_provider provider = {MODULE_PROVIDER("incomplete"), .ops = &ops};
static const struct cg_provider *const providers[] = {&provider};

CG_PLUGIN_DECLARE(MODULE_NAMES, .providers = providers, .provider_count = 1);
