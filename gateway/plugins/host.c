/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/plugins/host.h"

#include "gateway/journal/inbox.h"

#include <cowgate/plugin.h>
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The table is the instance's first member and never const itself. */
static struct instance *instance_of(const struct cg_host *host)
{
	union {
		const struct cg_host *host;
		struct instance *instance;
	} pun = {.host = host};

	return pun.instance;
}

/* Time. */

static int64_t host_wall_ms(const struct cg_host *host)
{
	return clock_wall(loop_clock(instance_of(host)->services->loop));
}

static int64_t host_mono_ms(const struct cg_host *host)
{
	return clock_mono(loop_clock(instance_of(host)->services->loop));
}

static bool host_clock_sane(const struct cg_host *host)
{
	return clock_sane(loop_clock(instance_of(host)->services->loop));
}

struct cg_timer {
	LIST_ENTRY(cg_timer) link;
	struct instance *instance; /* NULL once it fired or was cancelled */
	struct loop_timer timer;
	struct loop_task burial; /* it never dies inside its own callback */
	cg_callback fire;
	void *arg;
};

static void timer_free(void *arg)
{
	struct cg_timer *timer = arg;

	loop_timer_finish(&timer->timer);
	free(timer);
}

static void timer_retire(struct cg_timer *timer)
{
	struct instance *instance = timer->instance;

	LIST_REMOVE(timer, link);
	instance->timer_count--;
	timer->instance = NULL;
	loop_timer_clear(&timer->timer);
	loop_defer(instance->services->loop, &timer->burial);
}

static void timer_fired(void *arg)
{
	struct cg_timer *timer = arg;

	timer_retire(timer);
	timer->fire(timer->arg);
}

static struct cg_timer *host_timer_start(
	const struct cg_host *host, int64_t delay_ms, cg_callback fire, void *arg)
{
	struct instance *instance = instance_of(host);
	struct cg_timer *timer;

	if (instance->dying || instance->timer_count == INSTANCE_TIMERS)
		return NULL;
	timer = calloc(1, sizeof(*timer));
	if (timer == NULL)
		return NULL;
	if (loop_timer_init(&timer->timer, instance->services->loop, timer_fired,
		    timer) != CG_OK) {
		free(timer);
		return NULL;
	}
	timer->instance = instance;
	timer->fire = fire;
	timer->arg = arg;
	loop_task_init(&timer->burial, timer_free, timer);
	LIST_INSERT_HEAD(&instance->timers, timer, link);
	instance->timer_count++;
	loop_timer_set(&timer->timer, delay_ms);
	return timer;
}

static void host_timer_cancel(const struct cg_host *host, struct cg_timer *timer)
{
	struct cg_timer *live;

	/* One that fired or was taken back is gone: its handle is only compared. */
	LIST_FOREACH (live, &instance_of(host)->timers, link) {
		if (live == timer) {
			timer_retire(live);
			return;
		}
	}
}

/* Work on the pool. */

struct host_job {
	struct offload_job job;
	struct instance *instance;
	cg_callback done;
	void *arg;
};

static void job_done(void *arg)
{
	struct host_job *job = arg;
	struct instance *instance = job->instance;

	instance->jobs--;
	if (!instance->dying)
		job->done(job->arg);
	else if (instance->jobs == 0)
		instance_bury(instance);
	free(job);
}

static enum cg_status host_offload(
	const struct cg_host *host, cg_callback work, cg_callback done, void *arg)
{
	struct instance *instance = instance_of(host);
	struct host_job *job;
	enum cg_status status;

	if (instance->dying)
		return CG_CLOSED;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return CG_NOMEM;
	job->instance = instance;
	job->done = done;
	job->arg = arg;
	job->job.work = work;
	job->job.arg = arg;
	loop_task_init(&job->job.done, job_done, job);
	status = offload_submit(instance->services->offload, &job->job);
	if (status != CG_OK) {
		free(job);
		return status;
	}
	instance->jobs++;
	return CG_OK;
}

/* HTTP. */

struct host_call {
	LIST_ENTRY(host_call) link;
	struct instance *instance;
	struct cg_http_call *call;
	struct cg_http_request request; /* the provider's callbacks and argument */
};

static void call_retire(struct host_call *call)
{
	LIST_REMOVE(call, link);
	call->instance->call_count--;
	free(call);
}

static void call_head(void *arg, const struct cg_http_response *head)
{
	struct host_call *call = arg;

	call->request.on_head(call->request.arg, head);
}

static bool call_data(void *arg, const char *data, size_t length)
{
	struct host_call *call = arg;

	return call->request.on_data(call->request.arg, data, length);
}

static void call_done(void *arg, const struct cg_http_response *response)
{
	struct host_call *call = arg;
	cg_http_done done = call->request.on_done;
	void *done_arg = call->request.arg;

	call_retire(call);
	done(done_arg, response);
}

static enum cg_status host_http_start(const struct cg_host *host,
	const struct cg_http_request *request, struct cg_http_call **ret_call,
	struct cg_error *err)
{
	struct instance *instance = instance_of(host);
	struct cg_http_request inner = {.size = 0};
	struct host_call *call;
	enum cg_status status;

	if (request->size > sizeof(inner))
		return cg_error_set(
			err, CG_UNSUPPORTED, "the HTTP request is of a newer version");
	if (instance->dying)
		return cg_error_set(err, CG_CLOSED, "the channel is being closed");
	if (instance->call_count == INSTANCE_CALLS)
		return cg_error_set(err, CG_LIMIT, "more than %d exchanges are under way",
			INSTANCE_CALLS);
	call = calloc(1, sizeof(*call));
	if (call == NULL)
		return cg_error_nomem(err);
	memcpy(&inner, request, request->size);
	inner.size = sizeof(inner);
	call->instance = instance;
	call->request = inner;
	inner.on_head = inner.on_head == NULL ? NULL : call_head;
	inner.on_data = inner.on_data == NULL ? NULL : call_data;
	inner.on_done = call_done;
	inner.arg = call;
	status = http_client_start(instance->services->http, &inner, &call->call, err);
	if (status != CG_OK) {
		free(call);
		return status;
	}
	LIST_INSERT_HEAD(&instance->calls, call, link);
	instance->call_count++;
	*ret_call = call->call;
	return CG_OK;
}

static void host_http_cancel(const struct cg_host *host, struct cg_http_call *wanted)
{
	struct instance *instance = instance_of(host);
	struct host_call *call;

	LIST_FOREACH (call, &instance->calls, link) {
		if (call->call == wanted)
			break;
	}
	if (call == NULL)
		return;
	http_client_cancel(instance->services->http, wanted);
	call_retire(call);
}

/* Log and health. */

static void host_log(
	const struct cg_host *host, enum cg_log_level level, const char *text)
{
	struct instance *instance = instance_of(host);

	instance->services->log(instance->services->arg, instance, level, text);
}

static void host_health(const struct cg_host *host, const struct cg_health *health)
{
	struct instance *instance = instance_of(host);

	if (!instance->started || instance->dying)
		return;
	instance->health.inbound = health->inbound;
	instance->health.outbound = health->outbound;
	cg_text_copy(instance->detail, sizeof(instance->detail),
		health->detail == NULL ? "" : health->detail);
	instance->services->health_changed(instance->services->arg, instance);
}

/* Messages in. */

struct host_submission {
	LIST_ENTRY(host_submission) link;
	struct instance *instance; /* NULL once the instance has gone */
	struct loop_task task; /* for a verdict that needs no commit */
	enum cg_verdict verdict;
	bool counts; /* a message, not a mere checkpoint */
	cg_submit_done done;
	void *arg;
};

static void submission_done(void *arg, enum cg_verdict verdict)
{
	struct host_submission *submission = arg;
	struct instance *instance = submission->instance;

	if (instance != NULL) {
		LIST_REMOVE(submission, link);
		instance->submission_count--;
		if (submission->counts)
			instance->services->submitted(
				instance->services->arg, instance, verdict);
		if (submission->done != NULL)
			submission->done(submission->arg, verdict);
	}
	free(submission);
}

static void submission_refused(void *arg)
{
	struct host_submission *submission = arg;

	submission_done(submission, submission->verdict);
}

/* NULL when it was already answered, or nothing could be: out of memory ends as UNAVAILABLE. */
static struct host_submission *submission_new(
	struct instance *instance, bool counts, cg_submit_done done, void *arg)
{
	struct host_submission *submission = calloc(1, sizeof(*submission));

	if (submission == NULL)
		abort(); /* the provider waits for an answer that could never come */
	submission->instance = instance;
	submission->counts = counts;
	submission->done = done;
	submission->arg = arg;
	loop_task_init(&submission->task, submission_refused, submission);
	LIST_INSERT_HEAD(&instance->submissions, submission, link);
	instance->submission_count++;
	if (instance->services->journal == NULL || instance->dying ||
		instance->submission_count > INSTANCE_SUBMISSIONS) {
		submission->verdict = CG_VERDICT_UNAVAILABLE;
		loop_defer(instance->services->loop, &submission->task);
		return NULL;
	}
	return submission;
}

static void host_submit(const struct cg_host *host, const struct cg_inbound *inbound,
	cg_submit_done done, void *arg)
{
	struct instance *instance = instance_of(host);
	struct host_submission *submission = submission_new(instance, true, done, arg);
	struct cg_inbound message = {.size = 0};

	if (submission == NULL)
		return;
	memcpy(&message, inbound,
		inbound->size < sizeof(message) ? inbound->size : sizeof(message));
	message.size = sizeof(message);
	instance->last_inbound_ms = host_wall_ms(host);
	inbox_store(instance->services->journal, instance_id(instance), &message,
		instance->last_inbound_ms, submission_done, submission);
}

static void host_checkpoint(const struct cg_host *host,
	const struct cg_checkpoint *checkpoint, cg_submit_done done, void *arg)
{
	struct instance *instance = instance_of(host);
	struct host_submission *submission = submission_new(instance, false, done, arg);

	if (submission != NULL)
		inbox_checkpoint(instance->services->journal, instance_id(instance),
			checkpoint, submission_done, submission);
}

static bool host_checkpoint_load(
	const struct cg_host *host, const char *key, char *ret_value, size_t size)
{
	struct instance *instance = instance_of(host);

	return instance->services->journal != NULL &&
	       inbox_checkpoint_load(instance->services->journal, instance_id(instance),
		       key, ret_value, size);
}

/* The rest of the system. */

static void host_random(const struct cg_host *host, void *bytes, size_t length)
{
	(void)host;
	cg_random(bytes, length);
}

static enum cg_status host_spool_create(const struct cg_host *host, uint64_t limit,
	int *ret_fd, char *ret_path, size_t path_size, struct cg_error *err)
{
	struct instance *instance = instance_of(host);
	char name[32];
	int fd;

	(void)limit; /* the provider counts what it writes */
	cg_random_id(name, 16);
	if (snprintf(ret_path, path_size, "%s/%s", instance->services->spool_dir, name) >=
		(int)path_size)
		return cg_error_set(
			err, CG_LIMIT, "the spool directory's path is too long");
	fd = open(ret_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return cg_error_set(err, errno == ENOSPC ? CG_FULL : CG_IO,
			"an attachment cannot be stored: %s", strerror(errno));
	*ret_fd = fd;
	return CG_OK;
}

static enum cg_status host_watch(
	const struct cg_host *host, int fd, cg_callback ready, void *arg)
{
	struct instance *instance = instance_of(host);
	struct host_watch *slot = NULL;
	enum cg_status status;

	for (size_t i = 0; i < INSTANCE_WATCHES; i++) {
		if (instance->watches[i].fd == fd)
			slot = &instance->watches[i];
	}
	if (slot != NULL) {
		loop_watch_finish(&slot->watch);
		slot->fd = -1;
	}
	if (ready == NULL)
		return CG_OK;
	for (size_t i = 0; slot == NULL && i < INSTANCE_WATCHES; i++) {
		if (instance->watches[i].fd < 0)
			slot = &instance->watches[i];
	}
	if (slot == NULL || instance->dying)
		return CG_LIMIT;
	status = loop_watch_init(
		&slot->watch, instance->services->loop, fd, false, ready, arg);
	if (status == CG_OK)
		slot->fd = fd;
	return status;
}

static void host_quit(const struct cg_host *host)
{
	struct instance *instance = instance_of(host);

	instance->services->quit(instance->services->arg);
}

void host_init(struct instance *instance)
{
	LIST_INIT(&instance->timers);
	LIST_INIT(&instance->calls);
	LIST_INIT(&instance->submissions);
	for (size_t i = 0; i < INSTANCE_WATCHES; i++)
		instance->watches[i].fd = -1;
	instance->host = (struct cg_host){
		.size = sizeof(struct cg_host),
		.abi = CG_PLUGIN_ABI,
		.instance_id = instance->settings->instance_id,
		.wall_ms = host_wall_ms,
		.mono_ms = host_mono_ms,
		.clock_sane = host_clock_sane,
		.timer_start = host_timer_start,
		.timer_cancel = host_timer_cancel,
		.offload = host_offload,
		.http_start = host_http_start,
		.http_cancel = host_http_cancel,
		.log = host_log,
		.submit = host_submit,
		.checkpoint = host_checkpoint,
		.checkpoint_load = host_checkpoint_load,
		.health = host_health,
		.random = host_random,
		.spool_create = host_spool_create,
		.watch = host_watch,
		.quit = host_quit,
	};
}

void host_take_back(struct instance *instance)
{
	struct host_submission *submission;

	while (!LIST_EMPTY(&instance->timers))
		timer_retire(LIST_FIRST(&instance->timers));
	while (!LIST_EMPTY(&instance->calls)) {
		struct host_call *call = LIST_FIRST(&instance->calls);

		http_client_cancel(instance->services->http, call->call);
		call_retire(call);
	}
	while ((submission = LIST_FIRST(&instance->submissions)) != NULL) {
		LIST_REMOVE(submission, link);
		submission->instance = NULL;
	}
	for (size_t i = 0; i < INSTANCE_WATCHES; i++) {
		if (instance->watches[i].fd >= 0)
			loop_watch_finish(&instance->watches[i].watch);
		instance->watches[i].fd = -1;
	}
}
