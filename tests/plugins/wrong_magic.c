/* SPDX-License-Identifier: Apache-2.0 */
/* Something else that happens to export a symbol of our name. */
#include "tests/plugins/module.h"

extern CG_PLUGIN_EXPORT const struct cg_plugin cg_plugin;
const struct cg_plugin cg_plugin = {.magic = 0x12345678, .size = sizeof(cg_plugin)};
