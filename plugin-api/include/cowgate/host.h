/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon offers to one provider instance.
 *
 * Every function takes the instance's own table as first argument, is called on the loop
 * thread only, and never calls back before it returns.  Whatever an instance started (timers,
 * exchanges, offloaded work, submissions) is taken back when the instance is destroyed: its
 * callbacks then do not fire.  Times ending in _ms are milliseconds.
 */
#ifndef COWGATE_HOST_H
#define COWGATE_HOST_H

#include <cowgate/http.h>
#include <cowgate/message.h>
#include <cowgate/settings.h>
#include <cowgate/status.h>

enum cg_log_level {
	CG_LOG_DEBUG,
	CG_LOG_INFO,
	CG_LOG_WARN,
	CG_LOG_ERROR,
};

/* How an instance is doing.  Inbound and outbound are judged apart. */
enum cg_health_state {
	CG_HEALTH_STARTING,
	CG_HEALTH_UP,
	CG_HEALTH_DEGRADED, /* works, with the reason in detail */
	CG_HEALTH_DOWN, /* deaf or mute; the daemon restarts it with growing delay */
	CG_HEALTH_REFUSED, /* the platform refused the credentials: restarting will not help */
};

struct cg_health {
	uint32_t size;
	enum cg_health_state inbound;
	enum cg_health_state outbound;
	const char *detail; /* one sentence, no secrets; NULL when all is well */
};

struct cg_timer;
struct cg_job;

typedef void (*cg_callback)(void *arg);

struct cg_host {
	uint32_t size;
	uint32_t abi; /* CG_PLUGIN_ABI of the daemon */
	const char *instance_id;

	/* Wall clock since the epoch, monotonic clock, and whether the wall clock is believable. */
	int64_t (*wall_ms)(const struct cg_host *host);
	int64_t (*mono_ms)(const struct cg_host *host);
	bool (*clock_sane)(const struct cg_host *host);

	/* One-shot timer.  NULL only without memory.  Cancel accepts NULL; a fired timer is gone. */
	struct cg_timer *(*timer_start)(const struct cg_host *host, int64_t delay_ms,
		cg_callback fire, void *arg);
	void (*timer_cancel)(const struct cg_host *host, struct cg_timer *timer);

	/* Run @work on a thread of the bounded pool, then @done on the loop. LIMIT: pool is full. */
	enum cg_status (*offload)(const struct cg_host *host, cg_callback work,
		cg_callback done, void *arg);

	/* Start an exchange.  On failure nothing is called.  cancel(): on_done does not fire. */
	enum cg_status (*http_start)(const struct cg_host *host,
		const struct cg_http_request *request, struct cg_http_call **ret_call,
		struct cg_error *err);
	void (*http_cancel)(const struct cg_host *host, struct cg_http_call *call);

	/* @text is one sentence without secrets; the daemon adds time and instance. */
	void (*log)(
		const struct cg_host *host, enum cg_log_level level, const char *text);

	/* Store a message.  @done fires after the commit; see enum cg_verdict.  May be NULL. */
	void (*submit)(const struct cg_host *host, const struct cg_inbound *inbound,
		cg_submit_done done, void *arg);
	/* Store progress without a message.  COMMITTED or UNAVAILABLE. */
	void (*checkpoint)(const struct cg_host *host,
		const struct cg_checkpoint *checkpoint, cg_submit_done done, void *arg);
	/* Value last stored under @key, copied; false: none.  Fast: kept in memory. */
	bool (*checkpoint_load)(const struct cg_host *host, const char *key,
		char *ret_value, size_t size);

	void (*health)(const struct cg_host *host, const struct cg_health *health);

	/* Fill with bytes of the system's random generator. */
	void (*random)(const struct cg_host *host, void *bytes, size_t length);

	/* A new file under the data directory for an attachment of at most @limit bytes; the path is
	 * copied to @ret_path.  The daemon removes files that no message refers to. */
	enum cg_status (*spool_create)(const struct cg_host *host, uint64_t limit,
		int *ret_fd, char *ret_path, size_t path_size, struct cg_error *err);

	/* Watch a descriptor for reading (stdin, a pipe).  One a descriptor; NULL @ready stops. */
	enum cg_status (*watch)(
		const struct cg_host *host, int fd, cg_callback ready, void *arg);

	/* The daemon ends as if by SIGTERM: what `cli` asks for at end of input. */
	void (*quit)(const struct cg_host *host);
};

#endif
