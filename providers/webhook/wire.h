/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of webhooks in both directions.  Pure: no clock, no network. */
#ifndef PROVIDERS_WEBHOOK_WIRE_H
#define PROVIDERS_WEBHOOK_WIRE_H

#include <cowgate/capability.h>
#include <cowgate/outbound.h>
#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/message_json.h>

#define WEBHOOK_ANSWER_MAX 65536 /* bytes of a receiver's answer */

/* A request's message.  Its strings borrow from @body, a parsed JSON object. */
struct webhook_message {
	struct cg_inbound inbound;
	struct cg_inbound_parts parts;
};

/* INVALID: @err says in one sentence which member is wrong.  @ret stays where it is filled. */
enum cg_status webhook_wire_read(struct json_object *body, int64_t max_attachment,
	struct webhook_message *ret, struct cg_error *err);

/* Who delivers. */
struct webhook_wire_sender {
	const char *instance_id;
	const char *kind;
	const char *parse_mode; /* what the receiver is told about texts */
	const struct cg_capabilities *capabilities;
};

/* What follows a file's bytes in base64, which the body of a file ends before. */
#define WEBHOOK_WIRE_FILE_END "\"}}"

/*
 * Append the body of a delivery.  UNSUPPORTED or INVALID (@err names the limit): the platform
 * would not take it, nothing was appended.  LIMIT or NOMEM of the buffer.
 */
enum cg_status webhook_wire_write(const struct webhook_wire_sender *sender,
	const struct cg_outbound *outbound, struct cg_buffer *ret, struct cg_error *err);

/* The messageId of a receiver's answer into @ret; "" when it has none.  Any bytes will do. */
void webhook_wire_receipt(const char *body, size_t length, char ret[CG_INBOUND_ID + 1]);

#endif
