/* SPDX-License-Identifier: Apache-2.0 */
/* Built before the first version of the contract. */
#include "tests/plugins/module.h"

extern CG_PLUGIN_EXPORT const struct cg_plugin cg_plugin;
const struct cg_plugin cg_plugin = {.magic = CG_PLUGIN_MAGIC,
	.size = sizeof(cg_plugin),
	.abi = 0,
	.abi_min = 0,
	MODULE_NAMES};
