/* SPDX-License-Identifier: Apache-2.0 */
/* Built for a daemon that does not exist yet. */
#include "tests/plugins/module.h"

extern CG_PLUGIN_EXPORT const struct cg_plugin cg_plugin;
const struct cg_plugin cg_plugin = {.magic = CG_PLUGIN_MAGIC,
	.size = sizeof(cg_plugin) + 64,
	.abi = 99,
	.abi_min = 98,
	MODULE_NAMES};
