/* SPDX-License-Identifier: Apache-2.0 */
/* One request under way, a call or a stream.  Loop thread, but for its job's work. */
#ifndef COWGATE_CONTROL_PLANE_EXCHANGE_H
#define COWGATE_CONTROL_PLANE_EXCHANGE_H

#include "control-plane/delivery.h"
#include "control-plane/interior.h"
#include "control-plane/routes/router.h"

struct plane_exchange {
	struct plane *plane;
	struct plane_exchange *next; /* in the plane's list */
	struct plane_exchange *previous;
	const struct route *route; /* NULL when refused at once */
	struct database_job job;
	struct loop_task task; /* refuse at once, or pump, or destroy */
	struct call call;
	bool in_flight; /* the job belongs to the database */
	bool starting; /* counted in turns_starting */
	bool cancelled;
	bool ending; /* its last callback is running */

	/* A call. */
	void (*done)(void *arg, const struct plane_reply *reply);
	void *arg;

	/* A stream. */
	struct plane_stream_handler handler;
	bool stream;
	bool opened;
	bool paused;
	struct published *queue; /* owned: read, not yet handed over */
	int64_t sent; /* last sequence handed over */
	int64_t head; /* last sequence known to be committed */
	struct live *live; /* session stream: where it is listed */
	struct plane_exchange *next_stream; /* there, or among the delivery streams */
	/* … of deliveries: */
	struct loop_timer timer; /* when the next one is due */
	bool due;
	int64_t next_due; /* set by the job */
	int64_t ttl_ms;
	char claimed_by[CALL_FIELD + 1];
	char *bindings[DELIVERY_BINDINGS]; /* owned */
	size_t binding_count;
};

/* Unlink and free; nothing of it may be in flight. */
void exchange_destroy(struct plane_exchange *exchange);

/* stream.c: the parts of a stream. */
void stream_begin(struct plane_exchange *stream); /* its route has agreed */
void stream_pump(struct plane_exchange *stream);
void stream_unlink(struct plane_exchange *stream);

#endif
