/* SPDX-License-Identifier: Apache-2.0 */
/* Sound to look at; an instance of it takes the process with it. */
#include "tests/plugins/module.h"

#include <stdlib.h>

static enum cg_status create(const struct cg_host *host,
	const struct cg_settings *settings, void **ret_self, struct cg_error *err)
{
	(void)host;
	(void)settings;
	(void)ret_self;
	(void)err;
	abort();
}

static const struct cg_option options[] = {{.size = sizeof(struct cg_option),
	.kind = CG_OPTION_STRING,
	.flags = CG_OPTION_ACTIVATES,
	.name = "word",
	.env = "CRASHER_WORD",
	.help = "Any word"}};
static const struct cg_provider_ops ops = {.size = sizeof(struct cg_provider_ops),
	.create = create,
	.destroy = module_destroy,
	.start = module_start,
	.stop = module_stop,
	.capabilities = module_capabilities,
	.measure = module_measure,
	.send = module_send,
	.cancel = module_cancel};
static const struct cg_provider provider = {
	MODULE_PROVIDER("crasher"), .options = options, .option_count = 1, .ops = &ops};
static const struct cg_provider *const providers[] = {&provider};

CG_PLUGIN_DECLARE(MODULE_NAMES, .providers = providers, .provider_count = 1);
