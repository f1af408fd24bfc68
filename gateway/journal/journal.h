/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local backlog: what came in and is not yet handed over, what must go out and has no
 * receipt yet, and how far each session has been rendered.  One SQLite file.
 *
 * Every function that writes takes a completion that runs on the loop after the commit has
 * been checked.  CG_OK there means durable.  Loop thread only.
 */
#ifndef COWGATE_GATEWAY_JOURNAL_H
#define COWGATE_GATEWAY_JOURNAL_H

#include "runtime/database.h"
#include "runtime/loop.h"
#include "runtime/offload.h"

#include <cowgate/status.h>

/* Bytes of a route's context, which is a provider's own. */
#define JOURNAL_CONTEXT_MAX 1024

struct journal;

typedef void (*journal_done)(
	void *arg, enum cg_status status, const struct cg_error *err);

struct journal_options {
	const char *path;
	const char *vfs; /* NULL: the platform's */
	int64_t inbox_rows; /* unhandled rows accepted; 0: 1,000,000 */
	int64_t inbox_bytes; /* of unhandled messages; 0: 1 GiB */
	int64_t outbox_rows; /* unfinished rows, the credit of the streams; 0: 100,000 */
	int64_t retention_ms; /* finished rows are kept so long, never less than a dedupe window; 0: 7 days */
};

/* What the journal tells the floors above, on the loop. Set before the first loop turn. */
struct journal_hooks {
	void (*inbox_ready)(void *arg); /* there may be new unhandled messages */
	void (*outbox_ready)(void *arg); /* there may be new unfinished obligations */
	/* Commits fail (FULL, IO) or succeed again (OK); once per edge. */
	void (*state)(void *arg, enum cg_status status, const struct cg_error *err);
	void *arg;
	/* How long what is stored for an instance may wait to be sent; NULL: 24 hours. */
	int64_t (*lifetime_ms)(void *arg, const char *instance);
};

enum cg_status journal_open(struct loop *loop, struct offload *offload,
	const struct journal_options *options, struct journal **ret,
	struct cg_error *err);
void journal_set_hooks(struct journal *journal, const struct journal_hooks *hooks);
/* Commits what is queued; completions run before it returns. */
void journal_close(struct journal *journal);

/* OK, FULL or IO: whether anything can be accepted at the moment. */
enum cg_status journal_state(const struct journal *journal);

/* Jobs not yet committed: at JOURNAL_HIGH intake pauses, below JOURNAL_LOW it goes on. */
#define JOURNAL_HIGH 8192
#define JOURNAL_LOW 2048
#define JOURNAL_HIGH_BYTES \
	(64u << 20) /* of messages not yet committed; beyond it, UNAVAILABLE */
size_t journal_pending(const struct journal *journal);

/* Of its writer: database_stall_ms(). */
int64_t journal_stall_ms(struct journal *journal);

/* Figures kept in memory for metrics, health and credit. */
struct journal_figures {
	int64_t inbox_pending; /* unhandled messages */
	int64_t inbox_pending_bytes;
	int64_t inbox_dead;
	uint64_t inbox_stored; /* since the start, also what was handed over meanwhile */
	int64_t outbox_pending; /* pending, sending or unknown */
	int64_t outbox_unknown;
	int64_t outbox_dead;
	int64_t outbox_sent; /* still kept */
	int64_t inquiries; /* asked, and neither decided nor gone */
	int64_t newest_ms; /* wall clock of the newest row, 0: none; floor of a sane clock */
	int64_t wal_bytes;
	uint64_t commits;
};
void journal_figures(const struct journal *journal, struct journal_figures *ret);

/* Wall clock of the oldest unfinished row in inbox or outbox, 0: none.  Reads; asynchronous. */
void journal_oldest(struct journal *journal,
	void (*done)(void *arg, int64_t inbox_ms, int64_t outbox_ms), void *arg);

/* Delete finished rows older than the retention and every dedupe window, in batches of 500;
 * arms itself again at most once a minute while there is something to delete, else hourly. */
void journal_start_retention(struct journal *journal);

/* The wall clock has been set, by @delta_ms: deadlines and not-before times move with it. */
void journal_shift(
	struct journal *journal, int64_t delta_ms, journal_done done, void *arg);
/* What becomes of one time when the clock is set from @old_now_ms by @delta_ms.  One that is far
 * from it was given by another clock, and stays. */
int64_t journal_shifted(int64_t time_ms, int64_t old_now_ms, int64_t delta_ms);

#endif
