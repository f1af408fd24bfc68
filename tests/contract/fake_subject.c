/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/subject.h"

static const struct settings_pair settings[] = {{NULL, NULL}};

const struct subject subject_fake = {
	.kind = "fake",
	.settings = settings,
};
