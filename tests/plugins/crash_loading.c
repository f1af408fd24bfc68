/* SPDX-License-Identifier: Apache-2.0 */
/* It takes the process with it as soon as it is loaded. */
#include "tests/plugins/module.h"

#include <stdlib.h>

__attribute__((constructor)) static void crash(void)
{
	abort();
}

CG_PLUGIN_DECLARE(MODULE_NAMES);
