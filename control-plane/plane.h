/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded control plane: sessions, commands, ordered events, projections, people.
 * It speaks the Cloud's API (control-plane/transport.h) and runs turns through one agent.
 */
#ifndef COWGATE_CONTROL_PLANE_PLANE_H
#define COWGATE_CONTROL_PLANE_PLANE_H

#include "control-plane/agents/agent.h"
#include "control-plane/transport.h"
#include "runtime/database.h"
#include "runtime/http_client.h"
#include "runtime/loop.h"

struct offload;

/* What becomes of a message that comes while the agent works for its chat. */
enum plane_mode {
	PLANE_QUEUE, /* it waits for its own turn */
	PLANE_STEER, /* it is told to the running turn; where that cannot be, it waits */
	PLANE_INTERRUPT, /* the running turn is stopped for it */
};

/* One channel of this gateway, known from the configuration. */
struct plane_channel {
	const char *binding_id;
	const char *provider; /* instance id, e.g. "telegram" or "telegram-support" */
	const char *display_name;
	const char *workspace_id; /* NULL: none */
	const char *const
		*allow_from; /* platform user ids that are members; "*" means everyone */
	size_t allow_count;
	const char *agent; /* who answers here; NULL or unknown: the default */
	enum plane_mode mode;
};

/* One more agent, beside the default. */
struct plane_agent {
	const char *name; /* "default" is taken */
	const struct agent_ops *ops;
	struct agent_options options;
};

struct plane_options {
	const char *path; /* plane.db */
	const char *files; /* directory of kept files; NULL: @path and ".files" */
	const char *vfs; /* NULL: the platform's */
	const struct plane_channel *channels;
	size_t channel_count;
	const struct agent_ops *agent; /* the one called "default" */
	struct agent_options agent_options;
	const struct plane_agent *agents; /* more of them, by name */
	size_t agent_count;
	int64_t ask_ms; /* a person's time to answer the agent; 0: ASK_LIFE_MS */
	const char *keeper; /* program that agents run below, borrowed; NULL: none can */
	/* What the operator should know: "turn.recovered", "people.pending" …; key/value pairs. */
	void (*on_notice)(void *arg, int level, const char *event, const char *key,
		const char *value);
	/* As database_options.on_state. */
	void (*on_state)(void *arg, enum cg_status status, const struct cg_error *err);
	void *arg;
};

/* Open the store, migrate, apply the channels, settle what was running when the process died.
 * All of @options is copied or used only during the call, but for the
 * strings of the agents' options (borrowed). */
enum cg_status plane_create(struct loop *loop, struct offload *offload,
	struct http_client *http, const struct plane_options *options, struct plane **ret,
	struct cg_error *err);
/*
 * Other channels: who is not among them is disabled, people follow, and what is asked from now on
 * sees them.  Copied.  BUSY before the store is prepared, LIMIT after PLANE_CHANNEL_LISTS of these:
 * a restart is then needed.  That the rows could not be stored is a notice; a restart mends it.
 */
#define PLANE_CHANNEL_LISTS 1024
enum cg_status plane_set_channels(struct plane *plane,
	const struct plane_channel *channels, size_t count, struct cg_error *err);
/* Exchanges end without a call; turns are cancelled and recovered at the next start. */
void plane_destroy(struct plane *plane);

/* Random id of this store, new after it was made or restored: cursors belong to one epoch. */
const char *plane_epoch(const struct plane *plane);

/* CG_OK, or why the agent or the store cannot work at the moment. */
enum cg_status plane_health(const struct plane *plane, struct cg_error *err);

size_t plane_active_turns(const struct plane *plane);

/* Of the store's writer: database_stall_ms(). */
int64_t plane_stall_ms(struct plane *plane);
/* Bytes of the store's write-ahead log. */
int64_t plane_wal_bytes(const struct plane *plane);

#endif
