/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share: what a conversation stands on and what it holds. */
#ifndef COWGATE_GATEWAY_CONTEXT_H
#define COWGATE_GATEWAY_CONTEXT_H

#include "cloud-client/session.h"
#include "gateway/conversation/brake.h"
#include "gateway/conversation/conversation.h"
#include "gateway/conversation/pace.h"
#include "gateway/conversation/words.h"
#include "gateway/journal/inbox_mark.h"
#include "runtime/offload.h"

#include <sys/queue.h>

struct errand;
struct stream;
struct thread;

/* Messages in memory, waiting or on their way: pages are read below half of it. */
#define CONVERSATION_WINDOW 1024
#define CONVERSATION_BUCKETS 256 /* of the tables of threads and of streams */

struct rota { /* rota.c */
	TAILQ_HEAD(, parked) parked; /* longest first */
	size_t count; /* at most ROTA_PARKED */
	struct loop_timer turn;
	bool listing, more;
};

struct mirror { /* mirror.c */
	TAILQ_HEAD(, reflection) waiting;
	size_t count; /* at most MIRROR_SESSIONS */
	struct loop_timer timer;
	struct cloud_call *call;
};

struct marks { /* mark.c */
	TAILQ_HEAD(, mark) list; /* oldest first */
	size_t count; /* at most MARKS */
	int64_t over[INBOX_MARKED]; /* concluded, to be forgotten by the journal too */
	size_t over_count, ripe; /* of them; those that have rested */
	struct loop_timer rest;
};

struct conversation {
	struct conversation_parts parts;
	struct conversation_options options;

	/* inbound.c */
	LIST_HEAD(, thread) threads[CONVERSATION_BUCKETS];
	TAILQ_HEAD(, thread) ready; /* threads whose next message may begin, in turn */
	LIST_HEAD(, errand) errands; /* on their way */
	size_t errand_count, queued;
	int64_t found_after; /* messages up to this id were there at the start */
	int64_t read_after; /* id of the newest message taken into memory */
	bool reading, more, running;
	bool caught_up; /* everything that was there at the start has been read */
	struct loop_task pump;
	struct loop_timer reread; /* after the journal could not be read */
	struct pace pace;
	struct loop_timer breath; /* to the next window of the pace */

	/* stream.c */
	TAILQ_HEAD(, stream) streams; /* least recently active first */
	LIST_HEAD(, stream) by_binding[CONVERSATION_BUCKETS];
	size_t stream_count;
	bool starved; /* a stream waits for room in the outbox */

	/* artifact_file.c, stream_artifact.c */
	LIST_HEAD(, artifact_file) files; /* being written */
	size_t fetching; /* at most ARTIFACT_FILES */

	struct rota rota;
	struct mirror mirror;
	struct marks marks;
	struct brake brake;

	/* expiry.c */
	struct loop_timer expiry;
	bool expiring;

	/* conversation.c */
	char epoch[64]; /* of the other side's store; "" unknown */
	bool can_abort, can_status, can_people, can_always, can_reason;
	bool can_attach, can_path, can_agents, can_forget;
	bool probed;
	struct cloud_call *probe;
	struct loop_timer probe_timer;
	unsigned probe_failures;
	void (*resumed)(void *arg, size_t streams);
	void *resumed_arg;
};

/* Bucket of a key. */
size_t conversation_bucket(const char *key);
const struct conversation_channel *conversation_channel(
	const struct conversation *conversation, const char *instance);
int64_t conversation_wall_ms(const struct conversation *conversation);
int64_t conversation_mono_ms(const struct conversation *conversation);
uint64_t conversation_random(const struct conversation *conversation);
void conversation_tell(const struct conversation *conversation,
	enum conversation_fact fact, const char *instance, const char *detail);

#endif
