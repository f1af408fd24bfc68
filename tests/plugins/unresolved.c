/* SPDX-License-Identifier: Apache-2.0 */
/* It needs a function that nobody has. */
#include "tests/plugins/module.h"

void cowgate_test_nobody_has_this(void);

static enum cg_status start(void *self, struct cg_error *err)
{
	(void)self;
	(void)err;
	cowgate_test_nobody_has_this();
	return CG_OK;
}

static const struct cg_provider_ops ops = {.size = sizeof(struct cg_provider_ops),
	.create = module_create,
	.destroy = module_destroy,
	.start = start,
	.stop = module_stop,
	.capabilities = module_capabilities,
	.measure = module_measure,
	.send = module_send,
	.cancel = module_cancel};
static const struct cg_provider provider = {MODULE_PROVIDER("unresolved"), .ops = &ops};
static const struct cg_provider *const providers[] = {&provider};

CG_PLUGIN_DECLARE(MODULE_NAMES, .providers = providers, .provider_count = 1);
