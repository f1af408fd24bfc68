/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a session: events with a gapless sequence from 1, kept with their
 * projection.
 *
 * A log is opened in a change, appended to, and closed; the event rows, the projection
 * and the session's state are one transaction, and each event is noted for
 * publication.  Of a long session the newest events are kept.  Writer thread.
 */
#ifndef COWGATE_CONTROL_PLANE_EVENT_H
#define COWGATE_CONTROL_PLANE_EVENT_H

#include "control-plane/change.h"

#define EVENT_HISTORY 2000 /* newest events kept of a session */
#define EVENT_PRUNE 256 /* trimmed once in so many events */
#define EVENT_PAGE 64 /* events that a replay reads at once … */
#define EVENT_PAGE_BYTES \
	(256 * 1024) /* … or so many bytes of payload, whichever is first */
#define EVENT_MESSAGES 1000 /* messages kept in a projection */

struct event_log {
	struct change *change; /* borrowed */
	int64_t session;
	char session_id[HASHED_ID];
	int64_t first; /* earliest event that is kept */
	int64_t last;
	char status[8]; /* idle, running, closed, errored */
	bool generating;
	bool changed;
	const char *agent; /* whose reports these are, borrowed; NULL: no agent's */
};

/* NOT_FOUND when there is no such session. */
enum cg_status event_log_open(
	struct event_log *log, struct change *change, int64_t session);
/*
 * Append.  @payload is borrowed (a reference may be kept for publication: do not change
 * it any more).  @name: what follows "<session>:" in the id of the event, unique by what
 * it is made of; NULL: the sequence.
 */
enum cg_status event_append(struct event_log *log, const char *type,
	struct json_object *payload, const char *name);
/* Store the session's state.  To be called when anything was appended. */
enum cg_status event_log_close(struct event_log *log);

/* Bounds of a session's log and whether @after can be continued from. */
struct event_bounds {
	int64_t first;
	int64_t last;
};
enum cg_status event_bounds(
	struct change *change, int64_t session, struct event_bounds *ret);

/* Note the events after @after for publication, one page.  If some of them are no
 * longer kept, a frame that says so goes first. */
enum cg_status event_read(
	struct change *change, int64_t session, const char *session_id, int64_t after);

/* Frame that tells a reader to fetch the snapshot. */
struct snapshot_gap {
	const char *reason; /* event_retention_gap, cursor_beyond_head, epoch_changed */
	int64_t sequence; /* id of the frame */
	int64_t after;
	struct event_bounds bounds;
};
enum cg_status event_snapshot_required(struct change *change, int64_t session,
	const char *session_id, const struct snapshot_gap *gap);

#endif
