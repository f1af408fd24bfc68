/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation: a stored message becomes a prompt of the right session, and the session's
 * events become what the chat shows.  It speaks the Cloud's API only, whoever serves it.
 *
 *   inbox -> inbound -> errand (claim, identity, bind, prompt) -> handed
 *   session events -> stream -> render -> outbox, previews, typing
 *
 * Loop thread only.
 */
#ifndef COWGATE_GATEWAY_CONVERSATION_H
#define COWGATE_GATEWAY_CONVERSATION_H

#include "cloud-client/client.h"
#include "gateway/conversation/file_types.h"
#include "gateway/delivery/delivery.h"
#include "gateway/delivery/outlet.h"
#include "gateway/journal/inbox.h"
#include "gateway/journal/journal.h"
#include "runtime/loop.h"

#define CONVERSATION_CHANNELS 64

struct conversation;

/* One provider instance as the Cloud knows it.  Borrowed for the conversation's life. */
struct conversation_channel {
	const char *instance;
	const char *kind; /* "telegram"; NULL: not said to the Cloud */
	const char *binding_id; /* channel binding */
	const char *workspace_id; /* NULL: none */
	const char *default_agent; /* NULL: the Cloud's */
};

/* What happened, for metrics and log.  Strings are borrowed during the call. */
enum conversation_fact {
	CONVERSATION_PROMPTED,
	CONVERSATION_COMMAND, /* one of the gateway's own */
	CONVERSATION_DUPLICATE, /* somebody had handled it already */
	CONVERSATION_IGNORED, /* nothing to say to the agent */
	CONVERSATION_STRANGER, /* pending or not allowed */
	CONVERSATION_REFUSED, /* the Cloud said no for good: detail is the policy code */
	CONVERSATION_EXPIRED, /* could not be handed over in time */
	CONVERSATION_WAITING, /* the Cloud is away: detail says why */
	CONVERSATION_TOKEN_REFUSED,
	CONVERSATION_LOOP, /* a chat is left alone for a while: detail is its id */
	CONVERSATION_STREAM_LOST, /* a session's stream will reconnect */
};

struct conversation_options {
	const struct conversation_channel *channels;
	size_t channel_count;
	size_t concurrency; /* messages on their way at once; 0: 64 */
	size_t streams; /* open session streams; 0: 1024 */
	bool reactions; /* mark people's messages where the platform can */
	struct file_types file_types; /* of people's files that the agent gets */
	bool brake; /* of chats in which two programs answer each other */
	bool mirror; /* tell the other side how far its sessions have been rendered */
	int64_t handover_ms; /* a message that cannot be handed over so long is dead; 0: 24 h */
	int64_t notice_ms; /* then one notice that it waits; 0: 30 s */
	/* A stream that has been idle and quiet for so long is asked whether its answer is
	 * complete; 0: 3 s */
	int64_t quiet_ms;
	const char *spool_dir; /* where files that come as bytes are kept; borrowed */
	const char *product; /* "Cowgate", as the gateway names itself in a chat */
	uint64_t (*random)(void *arg);
	void (*fact)(void *arg, enum conversation_fact fact, const char *instance,
		const char *detail);
	/* A message has been dealt with, once it is stored that it has.  @reason: what kind of end
	 * or why, NULL: the agent got it.  NULL: nobody wants to know. */
	void (*closed)(void *arg, const struct inbox_message *message, enum inbox_end end,
		const char *reason);
	void *arg;
};

struct conversation_parts {
	struct loop *loop;
	struct offload *offload; /* goes before the conversation does */
	struct journal *journal;
	struct delivery *delivery;
	const struct outlet *outlet;
	struct cloud_client *client;
};

/* @parts and the channels are borrowed for its life. */
enum cg_status conversation_create(const struct conversation_parts *parts,
	const struct conversation_options *options, struct conversation **ret,
	struct cg_error *err);
void conversation_destroy(struct conversation *conversation);

/* Ask what the other side can do, resume the streams with unfinished work, take up messages.
 * @resumed, which may be NULL, is told how many streams that were. */
void conversation_start(struct conversation *conversation,
	void (*resumed)(void *arg, size_t streams), void *arg);
/* Take up no further message; what is on its way goes on. */
void conversation_stop(struct conversation *conversation);

/* The array that it borrows has @channel_count entries now, and those that it had say the same of
 * the same instances or better.  The others as in the options. */
void conversation_change(struct conversation *conversation, size_t channel_count,
	int64_t handover_ms, const struct file_types *file_types);

/* The wall clock has been set, by @delta_ms: what is in memory becomes neither older nor younger. */
void conversation_shift(struct conversation *conversation, int64_t delta_ms);

/* The other side may let us in again: ask anew for what it has refused. */
void conversation_retry(struct conversation *conversation);

/* For journal_hooks. */
void conversation_inbox_ready(struct conversation *conversation);
void conversation_outbox_ready(struct conversation *conversation);
/* For delivery's report: what has become of a part, after the commit. */
void conversation_delivered(struct conversation *conversation,
	const struct outbox_row *row, enum outbox_state state);

struct conversation_figures {
	size_t errands; /* messages on their way */
	size_t queued; /* in memory, waiting for their turn */
	size_t streams;
};
void conversation_figures(
	const struct conversation *conversation, struct conversation_figures *ret);

#endif
