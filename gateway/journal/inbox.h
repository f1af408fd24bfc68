/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that were accepted from a platform and are not yet handed to the agent.
 *
 * pending -> handed | dead(reason)
 *
 * A row and its dedupe key are the same row: unique over (instance, event type, event id).  A
 * handled row stays as the key's memory until the retention ends.
 */
#ifndef COWGATE_GATEWAY_INBOX_H
#define COWGATE_GATEWAY_INBOX_H

#include "gateway/journal/inbox_mark.h"
#include "gateway/journal/journal.h"
#include "gateway/journal/outbox.h"

#include <cowgate/message.h>

#define INBOX_MESSAGE_MAX (2u << 20) /* bytes of one stored message */
#define INBOX_PAGE 256
#define INBOX_PAGE_BYTES (4u << 20)

/*
 * Store one message.  The verdict comes after the commit: COMMITTED, DUPLICATE (same key and
 * same raw bytes), CONFLICT (same key, other bytes), INVALID (breaks a limit of message.h),
 * UNAVAILABLE (commit failed, or the inbox is full).  The checkpoint, if any, moves in the same
 * transaction, also for a duplicate, but not for a conflict: that message is refused.  @done
 * may be NULL and never runs before the return.  Everything is copied before the return.
 */
void inbox_store(struct journal *journal, const char *instance,
	const struct cg_inbound *inbound, int64_t now_ms, cg_submit_done done, void *arg);

/* Only the checkpoint. */
void inbox_checkpoint(struct journal *journal, const char *instance,
	const struct cg_checkpoint *checkpoint, cg_submit_done done, void *arg);
/* Last committed value, from memory; false: none. */
bool inbox_checkpoint_load(struct journal *journal, const char *instance, const char *key,
	char *ret, size_t size);

/* One stored message, as read back.  Strings lie inside it: none is freed or replaced alone. */
struct inbox_message {
	int64_t id;
	int64_t received_ms;
	enum inbox_mark_state mark; /* how far it had come before a restart */
	enum cg_event_type type;
	char *instance;
	char *event_id; /* the dedupe key in readable form: event id or fallback key */
	char *message_id;
	char *reply_to; /* the message that it answers; NULL: none */
	char *chat_id, *thread_id,
		*user_id; /* target; thread_id NULL where there is none */
	char *context; /* of the target, the provider's own; NULL: none */
	bool is_direct;
	char *sender_id, *sender_username, *sender_name;
	bool sender_is_bot;
	char *text;
	char *command, *command_args;
	char *interaction_id, *interaction_token;
	bool interaction_is_command;
	/* NULL or an array of {fileId, filename, mimeType, spoolPath, bytes}; absent members are null,
	 * bytes is -1 when unknown. */
	struct json_object *attachments;
	size_t attachment_count;
};
void inbox_message_destroy(struct inbox_message *message);

/*
 * Read pending messages with id > @after in order, at most INBOX_PAGE.  @page gets an array of
 * @count owned messages that it takes over (each to be destroyed, and the array freed).  A page
 * ends early behind INBOX_PAGE_BYTES; hooks.inbox_ready then fires again for the rest.
 */
void inbox_read(struct journal *journal, int64_t after,
	void (*page)(void *arg, enum cg_status status, struct inbox_message **messages,
		size_t count),
	void *arg);

/*
 * Paths of the spooled attachments of pending messages, and of the files of parts that are not
 * sent yet or dead, in no order: files that must not be removed.  Borrowed during the call.  LIMIT: there are more than INBOX_SPOOLED.
 */
#define INBOX_SPOOLED 65536
void inbox_list_spooled(struct journal *journal,
	void (*done)(
		void *arg, enum cg_status status, const char *const *paths, size_t count),
	void *arg);

enum inbox_end {
	INBOX_HANDED,
	INBOX_DEAD,
};

struct inbox_closing {
	int64_t id;
	enum inbox_end end;
	const char *reason; /* policy code or short reason, or NULL */
	struct inbox_mark mark; /* its mark, unless it is concluded */
	const struct obligation *obligations; /* what must be said about it */
	size_t count; /* of them */
};

/*
 * Close a message, and store what must be said about it in the same transaction.
 * A message that is closed already gives CG_OK and stores nothing (a repeat is harmless).
 * NOT_FOUND: there is none.  LIMIT: no room for the obligations, the message stays pending.
 */
void inbox_finish(struct journal *journal, const struct inbox_closing *closing,
	journal_done done, void *arg);

#endif
