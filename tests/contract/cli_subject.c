/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/subject.h"

static const struct settings_pair settings[] = {{NULL, NULL}};

const struct subject subject_cli = {
	.kind = "cli",
	.settings = settings,
	.takes_stdio = true,
};
