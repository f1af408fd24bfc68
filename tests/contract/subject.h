/* SPDX-License-Identifier: Apache-2.0 */
/* The modules that the contract is held against, and what a test must know of each. */
#ifndef COWGATE_TESTS_CONTRACT_SUBJECT_H
#define COWGATE_TESTS_CONTRACT_SUBJECT_H

#include "tests/contract/rig.h"

struct subject {
	const char *kind;
	const struct rig_pair *settings; /* complete and good; ends with a NULL name */
	bool http; /* sends are HTTP exchanges */
	/* What the platform answers to a send with this status; NULL: an empty body. */
	const char *(*answer)(int status);
};

extern const struct subject subjects[];
extern const size_t subject_count;

/* Answer what the instance asks when it starts, so that sends and health can be looked at. */
void subject_settle(const struct subject *subject, struct rig *rig);

#define WEBHOOK_SECRET "correct-horse-battery"
#define TELEGRAM_TOKEN "123456:ABC-secret-def"

#endif
