/* SPDX-License-Identifier: Apache-2.0 */
/* What plane, transport, stream and turn share: the plane itself.  Loop thread. */
#ifndef COWGATE_CONTROL_PLANE_INTERIOR_H
#define COWGATE_CONTROL_PLANE_INTERIOR_H

#include "control-plane/change.h"
#include "control-plane/file_store.h"
#include "control-plane/identity.h"
#include "control-plane/live.h"
#include "control-plane/plane.h"
#include "control-plane/roster.h"

#define PLANE_EXCHANGES 4096 /* requests and streams at once */
#define PLANE_STREAMS 1024 /* of them streams … */
#define PLANE_DELIVERY_STREAMS 16 /* … and of those, of deliveries */
#define PLANE_STORE_RETRY_MS 1000 /* until the store is tried again for a turn */

struct plane {
	struct loop *loop; /* borrowed, as the next two */
	struct offload *offload; /* may be NULL */
	struct database *database; /* owned */
	struct roster roster; /* owned, as the next two */
	struct channel_list *_Atomic channels; /* set on the loop, read anywhere */
	size_t channel_lists;
	struct setup *setup; /* NULL when the store is prepared */
	struct file_store files;
	char epoch[64];
	uint8_t pairing_key[PAIRING_KEY];
	void (*on_notice)(void *arg, int level, const char *event, const char *key,
		const char *value);
	void (*on_state)(void *arg, enum cg_status status, const struct cg_error *err);
	void *arg;
	int64_t ask_ms; /* a person's time to answer */
	size_t history_bytes; /* of earlier messages given to the agent */
	bool closing;
	bool broken; /* the store is not prepared yet: everything is refused */

	struct plane_exchange *exchanges; /* all of them */
	struct plane_exchange *delivery_streams;
	size_t exchange_count;
	size_t stream_count;
	size_t delivery_stream_count;

	struct live_table live;
	struct turn *ready; /* turns that wait for a free place, first in, first out */
	struct turn *ready_last;
	size_t turn_count; /* waiting and running */
	size_t turns_running;
	size_t turns_starting; /* prompts in the store's hands that may begin at once */
	int64_t scanned; /* start-up: sessions up to here have been looked at */
	bool scanning; /* … and a look is under way */
	bool scan_done;
};

/* Act on what a committed change brought about. */
void plane_follow(struct plane *plane, struct change *change);
/* Tell the operator. */
void plane_notice(struct plane *plane, int level, const char *event, const char *key,
	const char *value);
/* Make a change ready for a job: the time is now, the consequences are none. */
void plane_change(struct plane *plane, struct change *ret);

/* stream.c */
void stream_publish(struct plane *plane, const struct published *list);
void stream_deliveries_due(struct plane *plane);
/* The streams of a token end: it is no longer valid. */
void stream_revoke(struct plane *plane, const char *token_id);
/* The streams of a session end: it has been deleted. */
void stream_end_session(struct plane *plane, int64_t session);

#endif
