/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef COWGATE_GATEWAY_BOARD_H
#define COWGATE_GATEWAY_BOARD_H

#include "gateway/delivery/delivery.h"
#include "gateway/delivery/flood.h"

#include <sys/queue.h>

struct attempt;
struct preview;
struct lease;
struct once;

#define DELIVERY_CONCURRENCY 256 /* attempts in flight */
#define DELIVERY_EDITS 256 /* previews in flight that hold a lane */
#define DELIVERY_HOLDS 1024 /* lanes that wait for their chat's rate */
#define DELIVERY_PAUSED 64 /* instances that cannot send now */
#define DELIVERY_PREVIEWS 1024 /* more, and the oldest are forgotten */
#define DELIVERY_LEASES 1024
#define DELIVERY_ONCE 256 /* answers and marks in flight; more are left out */
#define ONCE_ID_MAX 512
#define ONCE_TEXT_MAX 200
#define DELIVERY_RETRY_MS 1000 /* before the journal is asked again after it failed */
#define DELIVERY_GRACE_MS 5000 /* a provider ends its call within its deadline and this */

/* once.c: an answer to a press, or a mark. */
struct once {
	LIST_ENTRY(once) link;
	struct delivery *delivery;
	char instance[65];
	char interaction_id[ONCE_ID_MAX + 1], text[ONCE_TEXT_MAX + 1];
	char chat_id[ONCE_ID_MAX + 1], thread_id[ONCE_ID_MAX + 1];
	char user_id[ONCE_ID_MAX + 1], message_id[ONCE_ID_MAX + 1];
	char context[JOURNAL_CONTEXT_MAX + 1];
	struct cg_outbound outbound;
	bool waits; /* for the account's rate */
	bool again; /* when it has ended, with @next */
	enum cg_reaction next;
	int64_t until_ms; /* monotonic; then it waits no longer */
	struct loop_timer timer;
	struct loop_task burial;
};

struct pause {
	char instance[65];
	int64_t until_mono_ms; /* 0: until delivery_resume() */
};

/* A lane whose chat takes nothing more for a while. */
struct hold {
	uint64_t lane;
	int64_t until_mono_ms;
};

struct delivery {
	struct loop *loop;
	struct journal *journal;
	const struct outlet *outlet;
	struct delivery_options options;

	/* scheduler.c */
	bool running, recovered, querying, wanted;
	struct loop_timer due;
	struct loop_task look;
	struct pause paused[DELIVERY_PAUSED];
	size_t paused_count;
	struct hold holds[DELIVERY_HOLDS];
	size_t hold_count;
	struct flood flood;
	char restored[DELIVERY_PAUSED]
		     [65]; /* whose limit of before a restart was looked up */
	size_t restored_count;

	/* attempt.c */
	LIST_HEAD(, attempt) attempts; /* each holds its lane */
	size_t attempt_count;
	void (*drained)(void *arg);
	void *drained_arg;

	/* preview.c */
	TAILQ_HEAD(, preview) previews; /* oldest first */
	size_t preview_count;

	/* typing.c */
	LIST_HEAD(, lease) leases;
	size_t lease_count;
	struct loop_timer tick;

	/* once.c */
	LIST_HEAD(, once) onces;
	size_t once_count;

	/* delivery.c */
	void (*started)(
		void *arg, enum cg_status status, const struct outbox_recovery *recovery);
	void *started_arg;
};

int64_t delivery_wall_ms(const struct delivery *delivery);
int64_t delivery_mono_ms(const struct delivery *delivery);

/* scheduler.c: look for due rows on a later turn. */
enum cg_status scheduler_init(struct delivery *delivery);
void scheduler_wake(struct delivery *delivery);
/* No rows of this instance for so long; 0: until scheduler_resume(). */
void scheduler_pause(struct delivery *delivery, const char *instance, int64_t for_ms);
/* The account is rate limited for so long; remembered over a restart. */
void scheduler_limit(struct delivery *delivery, const char *instance, int64_t for_ms);
void scheduler_resume(struct delivery *delivery, const char *instance);
void scheduler_finish(struct delivery *delivery);

/* attempt.c: send @row, which is taken over. */
void attempt_begin(struct delivery *delivery, struct outbox_row *row);
/* Lanes in flight, appended to @lanes. */
size_t attempt_lanes(const struct delivery *delivery, uint64_t *lanes);
void attempt_finish_all(struct delivery *delivery);

/* preview.c */
void preview_slot_sent(
	struct delivery *delivery, const struct outbox_row *row, const char *receipt);
size_t preview_lanes(const struct delivery *delivery, uint64_t *lanes);
void preview_finish_all(struct delivery *delivery);
/* A lane that was busy is free again: previews of it may go on. */
void preview_look(struct delivery *delivery);

/* delivery.c: find out what was in flight when the process ended. */
void delivery_recover(struct delivery *delivery);

/* once.c */
void once_finish_all(struct delivery *delivery);

/* typing.c */
enum cg_status typing_init(struct delivery *delivery);
void typing_finish(struct delivery *delivery);

#endif
