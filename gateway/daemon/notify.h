/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service manager.  It is told: ready, reloading, stopping, one line of status, and signs
 * of life for its watchdog.  It is systemd's notification protocol (sd_notify(3)): datagrams of
 * NAME=VALUE lines to the socket that NOTIFY_SOCKET names.  Where none is named, all of this
 * does nothing and no timer runs.
 *
 * Nothing waits for the manager: what it does not take at once is said again later.
 * Loop thread only.
 */
#ifndef COWGATE_GATEWAY_NOTIFY_H
#define COWGATE_GATEWAY_NOTIFY_H

#include "runtime/loop.h"

#define NOTIFY_STATUS 256 /* bytes of the status line, its NUL included */
#define NOTIFY_STATUS_MS 5000 /* how old the status line may be */

struct notify;

struct notify_hooks {
	/* Does all go as it should?  False: the watchdog is not fed. */
	bool (*alive)(void *arg);
	/* Write one line, without a line end. */
	void (*status)(void *arg, char *ret, size_t size);
	void *arg;
};

/* What the manager gave us, taken from the environment by notify_environment_read(). */
struct notify_environment {
	const char *socket; /* path, or "@name"; NULL: there is no manager */
	int64_t watchdog_ms; /* 0: no watchdog */
};

/* Strings stay the environment's.  A watchdog that is meant for another process is none. */
void notify_environment_read(struct notify_environment *ret);

/* The listening socket that the manager opened for us (sd_listen_fds(3)), the first if there are
 * several; -1: none.  It is the caller's, once: later calls find nothing. */
int notify_socket_take(void);

/* @environment is used during the call only.  INVALID: the socket cannot be one. */
enum cg_status notify_create(struct loop *loop,
	const struct notify_environment *environment, const struct notify_hooks *hooks,
	struct notify **ret, struct cg_error *err);
void notify_destroy(struct notify *notify); /* accepts NULL */

/* Each accepts NULL.  Ready also ends a reload. */
void notify_ready(struct notify *notify);
void notify_reloading(struct notify *notify);
void notify_stopping(struct notify *notify);

#endif
