/* SPDX-License-Identifier: Apache-2.0 */
/* What the answers of a Cloud to a list of deliveries mean, each with its mend. */
#ifndef COWGATE_CLI_PROBE_CLOUD_JUDGE_H
#define COWGATE_CLI_PROBE_CLOUD_JUDGE_H

#include "cli/finding.h"

#include <stdint.h>

struct json_object;

struct cloud_answer {
	int status;
	struct json_object *body; /* NULL: no JSON */
	const char *channel; /* its id, which was asked for; NULL: for the token alone */
	const char *binding; /* of the channel */
};

/* True when the token is good, and it makes sense to ask further. */
bool cloud_judge_answer(const struct cloud_answer *answer, struct findings *findings);

/* Nobody answered at @url, because of @why. */
void cloud_judge_silence(const char *url, const char *why, struct findings *findings);

/* How far the clocks are apart. */
void cloud_judge_clock(int64_t theirs_ms, int64_t ours_ms, struct findings *findings);

#endif
