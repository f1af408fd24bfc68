/* SPDX-License-Identifier: Apache-2.0 */
/* Slack as the contract's tests see it: requests that it signs, and what it answers. */
#ifndef COWGATE_TESTS_CONTRACT_SLACK_H
#define COWGATE_TESTS_CONTRACT_SLACK_H

#include "tests/contract/subject.h"

#define SLACK_TOKEN "xoxb-1-secret-token"
#define SLACK_SECRET "8f742231b10e8888abcd99yyyzzz85a5"
#define SLACK_OLD_SECRET "old-1b10e8888abcd99yyyzzz85a5"

/* A request as it came, and how it was answered. */
struct slack_request {
	struct cg_webhook_request request; /* first */
	char timestamp[24], signature[80];
	const char *type;
	int answers;
	enum cg_webhook_result result;
	bool has_body;
	char body[2048];
};

/* Sign @body with @secret at @at_ms, and hand it over; a form unless it is JSON. */
void slack_post_at(struct rig *rig, struct slack_request *request, const char *body,
	const char *secret, int64_t at_ms);
/* The same with the right secret, now. */
void slack_post(struct rig *rig, struct slack_request *request, const char *body);
/* Hand over what was signed before. */
void slack_repeat(struct rig *rig, struct slack_request *request);

/* Answer the call of users.info that is open, if one is. */
void slack_name_people(struct rig *rig);

#endif
