/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A channel for demonstrations and tests: JSON in without any check, and a memory of what went
 * out, in a file if one is named, so that a test can see what was "delivered" before a crash.
 */
#ifndef PROVIDERS_FAKE_H
#define PROVIDERS_FAKE_H

#include "script.h"

#include <cowgate/provider.h>
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/message_json.h>
#include <cowgate/sdk/send.h>

#define FAKE_PREFIX_BYTES 6 /* of randomness, so that receipts differ from run to run */
#define FAKE_REMEMBERED 256 /* deliveries kept in memory */

struct fake_arrival;

struct fake {
	const struct cg_host *host; /* borrowed: outlives the instance */
	char prefix[CG_RANDOM_ID_SIZE(FAKE_PREFIX_BYTES)];
	struct cg_capabilities capabilities;
	struct fake_script script;
	const char *outbox_path; /* borrowed from the settings; NULL: none */
	char *outbox[FAKE_REMEMBERED]; /* owned JSON lines, newest over oldest */
	uint64_t delivered;
	struct cg_sends sends;
	LIST_HEAD(fake_arrivals, fake_arrival) arrivals; /* bounded by the daemon */
	bool started;
};

/* outbox.c.  Remember a delivery under @message_id; IO when the file cannot be written. */
enum cg_status fake_outbox_add(struct fake *fake, const struct cg_outbound *outbound,
	const char *message_id, struct cg_error *err);
/* All that is remembered, oldest first, as a JSON array. */
void fake_outbox_write(const struct fake *fake, struct cg_buffer *ret);
void fake_outbox_finish(struct fake *fake);

/* ingress.c.  POST is a message; GET is answered with what is remembered. */
void fake_webhook(void *self, struct cg_webhook_request *request);
void fake_webhook_finish(struct fake *fake);

#endif
