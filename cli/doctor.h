/* SPDX-License-Identifier: Apache-2.0 */
/* What the running gateway says of itself, as findings. */
#ifndef COWGATE_CLI_DOCTOR_H
#define COWGATE_CLI_DOCTOR_H

#include "cli/finding.h"

#include <stdint.h>

struct json_object;

/* Judge the body of its /diagnostics at @now_ms. */
void doctor_judge(struct json_object *body, int64_t now_ms, struct findings *findings);

#endif
