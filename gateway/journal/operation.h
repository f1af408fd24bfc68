/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the journal: what all its tables share, and the operation, which is one database
 * job with its completion and with what it changes in the figures.  Private to the journal.
 *
 * Functions named work run on the writer thread (or, for reads, on a pool thread) and touch
 * nothing but their operation.  Everything else runs on the loop.
 */
#ifndef COWGATE_GATEWAY_OPERATION_H
#define COWGATE_GATEWAY_OPERATION_H

#include "gateway/journal/journal.h"

#include <stdlib.h>
#include <string.h>

#define JOURNAL_CHECKPOINTS 1024 /* keys of all instances together */

/* What a committed operation adds to struct journal_figures. */
struct journal_change {
	int64_t inbox_pending, inbox_pending_bytes, inbox_dead;
	int64_t outbox_pending, outbox_unknown, outbox_dead, outbox_sent;
	int64_t inquiries; /* open ones */
	int64_t newest_ms; /* of a row that was stored, 0: none */
};

struct checkpoint; /* checkpoint.c */
struct operation;

struct journal {
	struct loop *loop; /* borrowed */
	struct offload *offload; /* borrowed */
	struct database *database; /* owned */
	struct journal_options limits; /* defaults filled in; path and vfs are not kept */
	struct journal_hooks hooks;
	struct journal_figures figures; /* of what is committed */
	bool closing;

	/* Room taken by operations that are under way. */
	int64_t inbox_reserved, inbox_reserved_bytes;
	int64_t outbox_reserved;

	/* Hooks that are due on the next turn. */
	struct loop_task ready_task;
	bool inbox_ready, outbox_ready;

	/* Operations that end without a job, on the next turn. */
	struct loop_task refuse_task;
	struct operation *refused, **refused_end;

	struct checkpoint *checkpoints; /* owned, JOURNAL_CHECKPOINTS once there is one */
	size_t checkpoint_count;

	struct loop_timer retention_timer;
	int64_t retention_id; /* inbox rows up to here have been looked at in this pass */
	unsigned retention_batches; /* of this pass */
};

typedef enum cg_status (*operation_work)(
	struct transaction *tx, void *operation, struct cg_error *err);
typedef void (*operation_finish)(
	struct operation *operation, enum cg_status status, const struct cg_error *err);

/* First member of every operation's own struct.  Freed after its finish has run. */
struct operation {
	struct database_job job;
	struct journal *journal;
	/* On the loop, exactly once: gives back what was reserved and tells the caller. */
	operation_finish finish;
	journal_done done; /* for operation_tell; may be NULL */
	void *arg;
	/* written by work, counts when the commit has succeeded */
	struct journal_change change;
	bool inbox_ready, outbox_ready; /* call the hook then */
	struct operation *next;
};

/*
 * A zeroed operation of @size bytes.  Operations of fixed size cannot be refused for want of
 * memory, since refusing needs one too: without memory the process ends.
 */
void *operation_create(struct journal *journal, size_t size, operation_work work,
	operation_finish finish);
/* The same for those that carry a message; NULL without memory. */
void *operation_try(struct journal *journal, size_t size, operation_work work,
	operation_finish finish);

/* Onto the writer thread.  If it cannot be queued it is refused. */
void operation_submit(struct operation *operation);
/* Onto a pool thread, reading what is committed. */
void operation_read(struct operation *operation);
/* End it with @status on the next turn. */
void operation_refuse(struct operation *operation, enum cg_status status);
/* Run what is refused now (journal_close). */
void operation_flush(struct journal *journal);

/* A finish that calls done. */
void operation_tell(
	struct operation *operation, enum cg_status status, const struct cg_error *err);

/* Run a statement of one parameter or none that gives one row of one integer. */
enum cg_status operation_count(
	struct transaction *tx, const char *sql, int64_t *ret, struct cg_error *err);

static inline int64_t journal_now(const struct journal *journal)
{
	return clock_wall(loop_clock(journal->loop));
}

/* Strings of one operation lie side by side behind it.  NULL takes no room and stays NULL. */
static inline size_t text_room(const char *text)
{
	return text == NULL ? 0 : strlen(text) + 1;
}

/* Copy @text to **at and move *@at behind it. */
static inline const char *text_place(char **at, const char *text)
{
	size_t room = text_room(text);
	char *copy = *at;

	if (text == NULL)
		return NULL;
	memcpy(copy, text, room);
	*at += room;
	return copy;
}

/* The same for a column of the row that @statement stands on. */
char *text_of_column(char **at, struct statement *statement, int column);

/* checkpoint.c: a provider's progress, kept in memory as it was last committed. */
struct checkpoint {
	char *instance, *key; /* owned */
	char *value; /* owned; NULL: none committed yet */
};

/* The entry of a key, made if there is none yet.  INVALID or LIMIT. */
enum cg_status checkpoint_entry(struct journal *journal, const char *instance,
	const char *key, size_t *ret_index);
bool checkpoint_valid(const char *key, const char *value);
/* On the writer.  @entry is not changed while operations are under way. */
enum cg_status checkpoint_write(struct transaction *tx, const char *instance,
	const char *key, const char *value, struct cg_error *err);
/* After the commit. */
void checkpoint_set(struct journal *journal, size_t index, const char *value);
/* At open, while the loop waits for the writer. */
enum cg_status checkpoint_read(
	struct journal *journal, struct transaction *tx, struct cg_error *err);
void checkpoint_finish(struct journal *journal);

/* retention.c */
void retention_finish(struct journal *journal);

#endif
