/* SPDX-License-Identifier: Apache-2.0 */
/* The host table behind <cowgate/host.h>: shared by instance.c and host.c only. */
#ifndef COWGATE_GATEWAY_HOST_H
#define COWGATE_GATEWAY_HOST_H

#include "gateway/plugins/instance.h"
#include "runtime/progress.h"

#include <sys/queue.h>

struct host_call;
struct host_submission;
struct host_send;

struct instance {
	/* first: the table that the provider holds is the instance */
	struct cg_host host;
	const struct instance_services *services;
	const struct cg_provider *provider;
	const struct cg_settings *settings;
	void *self; /* the provider's */
	struct cg_capabilities capabilities;
	struct cg_health health;
	char detail[CG_ERROR_TEXT];
	int64_t last_inbound_ms;
	bool started;
	bool dying;
	LIST_HEAD(, cg_timer) timers;
	LIST_HEAD(, host_call) calls;
	LIST_HEAD(, host_submission) submissions;
	struct host_watch {
		struct loop_watch watch;
		int fd; /* -1: free */
	} watches[INSTANCE_WATCHES];
	size_t timer_count, call_count, submission_count;
	size_t jobs; /* offloaded and not yet done */
	LIST_HEAD(, host_send) sends; /* at the provider, newest first */
	struct progress asleep;
	void (*buried)(void *arg);
	void *buried_arg;
	bool retired;
};

void host_init(struct instance *instance);
/* Cancel and detach everything but running offloaded work. */
void host_take_back(struct instance *instance);

/* Destroy the provider's object and the instance: nothing refers to it any more. */
void instance_bury(struct instance *instance);

#endif
