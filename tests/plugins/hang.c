/* SPDX-License-Identifier: Apache-2.0 */
/* Loading it never ends. */
#include "tests/plugins/module.h"

#include <unistd.h>

__attribute__((constructor)) static void hang(void)
{
	for (;;)
		pause();
}

CG_PLUGIN_DECLARE(MODULE_NAMES);
