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

/* One channel of this gateway, known from the configuration. */
struct plane_channel {
	const char *binding_id;
	const char *provider; /* instance id, e.g. "telegram" or "telegram-support" */
	const char *display_name;
	const char *workspace_id; /* NULL: none */
	const char *const
		*allow_from; /* platform user ids that are members; "*" means everyone */
	size_t allow_count;
};

struct plane_options {
	const char *path; /* plane.db */
	const char *vfs; /* NULL: the platform's */
	const struct plane_channel *channels;
	size_t channel_count;
	const struct agent_ops *agent;
	struct agent_options agent_options;
	/* What the operator should know: "turn.recovered", "people.pending" …; key/value pairs. */
	void (*on_notice)(void *arg, int level, const char *event, const char *key,
		const char *value);
	/* As database_options.on_state. */
	void (*on_state)(void *arg, enum cg_status status, const struct cg_error *err);
	void *arg;
};

/* Open the store, migrate, apply the channels, settle what was running when the process died.
 * All of @options is copied or used only during the call, but for the
 * strings of agent_options (borrowed). */
enum cg_status plane_create(struct loop *loop, struct offload *offload,
	struct http_client *http, const struct plane_options *options, struct plane **ret,
	struct cg_error *err);
/* Exchanges end without a call; turns are cancelled and recovered at the next start. */
void plane_destroy(struct plane *plane);

/* Random id of this store, new after it was made or restored: cursors belong to one epoch. */
const char *plane_epoch(const struct plane *plane);

/* CG_OK, or why the agent or the store cannot work at the moment. */
enum cg_status plane_health(const struct plane *plane, struct cg_error *err);

size_t plane_active_turns(const struct plane *plane);

#endif
