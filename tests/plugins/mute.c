/* SPDX-License-Identifier: Apache-2.0 */
/* It says that it is up and that it polls, and then does nothing any more. */
#include "tests/plugins/module.h"

struct mute {
	const struct cg_host *host;
};

static enum cg_status create(const struct cg_host *host,
	const struct cg_settings *settings, void **ret_self, struct cg_error *err)
{
	static struct mute mute;

	(void)settings;
	(void)err;
	mute.host = host;
	*ret_self = &mute;
	return CG_OK;
}

static enum cg_status start(void *self, struct cg_error *err)
{
	const struct mute *mute = self;

	(void)err;
	mute->host->health(
		mute->host, &(struct cg_health){.size = sizeof(struct cg_health),
				    .inbound = CG_HEALTH_UP,
				    .outbound = CG_HEALTH_UP});
	return CG_OK;
}

static void capabilities(const void *self, struct cg_capabilities *ret)
{
	(void)self;
	ret->max_text = 1000;
	ret->polls = true;
}

static const struct cg_provider_ops ops = {.size = sizeof(struct cg_provider_ops),
	.create = create,
	.destroy = module_destroy,
	.start = start,
	.stop = module_stop,
	.capabilities = capabilities,
	.measure = module_measure,
	.send = module_send,
	.cancel = module_cancel};
static const struct cg_provider provider = {MODULE_PROVIDER("mute"), .ops = &ops};
static const struct cg_provider *const providers[] = {&provider};

CG_PLUGIN_DECLARE(MODULE_NAMES, .providers = providers, .provider_count = 1);
