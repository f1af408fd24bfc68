/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages as JSON, the way that all of Cowgate's own JSON channels write them: clean strings under
 * byte caps, the parts of a message (text, interaction, attachments), and targets.
 *
 * Every complaint is one sentence that names the member.
 */
#ifndef COWGATE_SDK_MESSAGE_JSON_H
#define COWGATE_SDK_MESSAGE_JSON_H

#include <cowgate/message.h>
#include <cowgate/sdk/text.h>
#include <cowgate/status.h>

struct cg_buffer;
struct json_object;

#define CG_INBOUND_ATTACHMENTS 20
#define CG_INBOUND_ID 512 /* bytes of an id of a chat, thread, person or message */
#define CG_INBOUND_EVENT_ID 256
#define CG_INBOUND_TOKEN 64

/* Members of one object; the first complaint is kept, later calls then give NULL. */
struct cg_fields {
	struct json_object *object; /* may be NULL: all are absent */
	const char *prefix; /* "target." */
	struct cg_error *err;
	enum cg_status status;
};

/*
 * A string, trimmed, without control characters, at most @limit bytes; NULL when absent, null or
 * blank.  Borrowed from the object, in which a trimmed string takes the untrimmed one's place.
 */
const char *cg_fields_string(struct cg_fields *fields, const char *name, size_t limit);
/* As above, but it must be there. */
const char *cg_fields_required(struct cg_fields *fields, const char *name, size_t limit);
/* The object under @name; NULL and a complaint when it is something else than absent or null. */
struct json_object *cg_fields_object(struct cg_fields *fields, const char *name);

/* What the parts of a message live in.  Initialise with zero, keep it while the message is used. */
struct cg_inbound_parts {
	struct cg_interaction interaction;
	struct cg_attachment attachments[CG_INBOUND_ATTACHMENTS];
	struct cg_command command;
};

/*
 * Fill text, type, command, interaction and attachments of @inbound from @body:
 *   text         string; the interaction's token when absent, else rawText
 *   rawText      string, as it was typed: a command is looked for there; text when absent
 *   interaction  {id, token, kind: "command" or "button"}
 *   attachments  [{providerFileId?, filename, mimeType?, sizeBytes?, bufferBase64?}], at most 20 of
 *                at most @max_attachment bytes each; the bytes are checked, not kept
 * @default_kind is the interaction's when it has none.  INVALID: @err names the member.
 */
enum cg_status cg_inbound_read_parts(struct json_object *body, const char *default_kind,
	int64_t max_attachment, struct cg_inbound_parts *parts,
	struct cg_inbound *inbound, struct cg_error *err);

/*
 * Fill @inbound from a local channel's flat object {id?, chatId?, threadId?, userId?, username?,
 * displayName?} and the parts above, an interaction being a command unless it says otherwise.
 * It is a private chat; @chat_id and @user_id stand in for what is absent.
 */
enum cg_status cg_inbound_read_flat(struct json_object *body, const char *chat_id,
	const char *user_id, struct cg_inbound_parts *parts, struct cg_inbound *inbound,
	struct cg_error *err);

/* Append a target as an object: provider, providerKind, chatId, isDirect, threadId, userId and
 * messageId, the last three null where they are absent. */
void cg_target_write(struct cg_buffer *json, const char *instance_id, const char *kind,
	const struct cg_target *target);

#endif
