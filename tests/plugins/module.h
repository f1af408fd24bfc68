/* SPDX-License-Identifier: Apache-2.0 */
/* A provider that does nothing, to be broken in one way by each module of this directory. */
#ifndef COWGATE_TESTS_PLUGINS_MODULE_H
#define COWGATE_TESTS_PLUGINS_MODULE_H

#include <cowgate/plugin.h>

static inline enum cg_status module_create(const struct cg_host *host,
	const struct cg_settings *settings, void **ret_self, struct cg_error *err)
{
	static int self;

	(void)host;
	(void)settings;
	(void)err;
	*ret_self = &self;
	return CG_OK;
}

static inline void module_destroy(void *self)
{
	(void)self;
}

static inline enum cg_status module_start(void *self, struct cg_error *err)
{
	(void)self;
	(void)err;
	return CG_OK;
}

static inline void module_stop(void *self)
{
	(void)self;
}

static inline void module_capabilities(const void *self, struct cg_capabilities *ret)
{
	(void)self;
	ret->max_text = 1000;
}

static inline uint32_t module_measure(const void *self, const char *text, size_t length)
{
	(void)self;
	(void)text;
	return (uint32_t)length;
}

static inline void module_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	(void)self;
	(void)outbound;
	(void)done;
	(void)arg;
}

static inline void module_cancel(void *self, void *arg)
{
	(void)self;
	(void)arg;
}

/* All that a provider needs; a later designator breaks it. */
#define MODULE_OPS \
	.size = sizeof(struct cg_provider_ops), .create = module_create, \
	.destroy = module_destroy, .start = module_start, .stop = module_stop, \
	.capabilities = module_capabilities, .measure = module_measure, \
	.send = module_send, .cancel = module_cancel

#define MODULE_PROVIDER(kind_) \
	.size = sizeof(struct cg_provider), .kind = kind_, .title = "Test", \
	.version = "1.0.0"

#define MODULE_NAMES .name = "test", .version = "1.0.0", .license = "Apache-2.0"

#endif
