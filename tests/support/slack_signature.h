/* SPDX-License-Identifier: Apache-2.0 */
/* What Slack writes in X-Slack-Signature. */
#ifndef COWGATE_TESTS_SLACK_SIGNATURE_H
#define COWGATE_TESTS_SLACK_SIGNATURE_H

#define SLACK_SIGNATURE 68 /* bytes, NUL included */

/* @timestamp as in X-Slack-Request-Timestamp. */
void slack_signature(const char *secret, const char *timestamp, const char *body,
	char ret[SLACK_SIGNATURE]);

#endif
