/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes in from a platform, in the one shape that the daemon understands.
 *
 * A provider builds a struct cg_inbound on its stack and hands it to host->submit(), which
 * copies everything before it returns.  All strings are UTF-8 and end with NUL; NULL means
 * "the platform did not say".
 */
#ifndef COWGATE_MESSAGE_H
#define COWGATE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a message comes from or goes to.  Ids are the platform's own, at most 512 bytes. */
struct cg_target {
	const char *chat_id; /* required */
	const char *thread_id; /* NULL where the platform has no thread */
	const char *user_id; /* the person, where one is meant */
	const char *message_id; /* the platform message that is answered or edited */
	bool is_direct; /* a private chat between the person and the bot */
	/* What the provider needs to answer and can put into no id (a subject, a team): at most 1024
	 * bytes, kept with the message's route and handed back as it came.  No secrets: it is stored
	 * and shown to operators. */
	const char *context;
};

struct cg_sender {
	/* required; the platform's stable id, never a display name */
	const char *user_id;
	const char *username;
	const char *display_name;
	bool is_bot;
};

/* A pressed button or its typed equivalent. */
struct cg_interaction {
	const char *id; /* platform's id of the press, answered by CG_OUTBOUND_ANSWER */
	const char *token; /* what the button carried, at most 64 bytes */
	bool is_command; /* typed rather than pressed */
};

struct cg_attachment {
	uint32_t size;
	const char *file_id; /* platform's handle for a later download */
	const char *filename;
	const char *mime_type;
	const char *spool_path; /* a file made with host->spool_create, or NULL */
	int64_t bytes; /* -1: unknown */
};

enum cg_event_type {
	CG_EVENT_MESSAGE,
	CG_EVENT_COMMAND,
	CG_EVENT_INTERACTION,
};

/* A provider's own progress, stored in the transaction that stores the message. */
struct cg_checkpoint {
	const char *key; /* at most 64 bytes, e.g. "offset:<bot id>" */
	const char *value; /* at most 1024 bytes */
};

struct cg_inbound {
	uint32_t size; /* sizeof(struct cg_inbound) as the plugin was built */
	enum cg_event_type type;
	/* platform's id of this event, the dedupe key, at most 256 bytes */
	const char *event_id;
	/* when event_id is NULL: something that a repeat repeats */
	const char *fallback_key;
	const char *message_id;
	struct cg_target target;
	struct cg_sender sender;
	const char *text; /* what the person wrote; mentions and slash are kept */
	/* lower case, without slash and @bot, when type is COMMAND */
	const char *command;
	const char *command_args; /* may be empty */
	const struct cg_interaction *interaction; /* when type is INTERACTION */
	const struct cg_attachment *attachments;
	size_t attachment_count;
	int64_t received_at_ms; /* wall clock, 0: now */
	/* bytes whose hash tells a repeat from a forged twin; may be NULL */
	const void *raw;
	size_t raw_length;
	const struct cg_checkpoint *checkpoint; /* may be NULL */
	/* platform's id of the message that this one answers there; NULL: none, or not known */
	const char *reply_to;
};

/* What became of a submitted message.  Only after one of these may the platform be answered. */
enum cg_verdict {
	CG_VERDICT_COMMITTED, /* stored durably: acknowledge */
	CG_VERDICT_DUPLICATE, /* already stored: acknowledge, nothing else happened */
	CG_VERDICT_CONFLICT, /* same id, other bytes: refuse */
	CG_VERDICT_INVALID, /* the message breaks a limit of this header: refuse */
	CG_VERDICT_UNAVAILABLE, /* disk full, I/O error, backlog full: let the platform repeat it */
};

/* Called once on the loop thread, never from inside host->submit(). */
typedef void (*cg_submit_done)(void *arg, enum cg_verdict verdict);

#endif
