/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/plane.h"

#include "control-plane/ask.h"
#include "control-plane/channel.h"
#include "control-plane/command.h"
#include "control-plane/exchange.h"
#include "control-plane/file.h"
#include "control-plane/history.h"
#include "control-plane/interior.h"
#include "control-plane/schema.h"
#include "control-plane/turn.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/secret.h>
#include <cowgate/sdk/text.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SETUP_SECONDS 30
#define PLANE_CACHE_KIB 4096 /* the ends of some hundred chats and their indexes */
#define HISTORY_TOKENS 8192 /* unless the settings say otherwise */

void plane_notice(struct plane *plane, int level, const char *event, const char *key,
	const char *value)
{
	if (plane->on_notice != NULL)
		plane->on_notice(plane->arg, level, event, key, value);
}

void plane_change(struct plane *plane, struct change *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->now = clock_wall(loop_clock(plane->loop));
	ret->epoch = plane->epoch;
	ret->files = &plane->files;
}

void plane_follow(struct plane *plane, struct change *change)
{
	stream_publish(plane, change->first);
	if (change->deliveries)
		stream_deliveries_due(plane);
	if (change->revoked[0] != '\0')
		stream_revoke(plane, change->revoked);
	for (size_t i = 0; i < change->ended_count; i++)
		stream_end_session(plane, change->ended[i]);
	if (change->notice != NULL)
		plane_notice(plane, 2, change->notice, "provider", change->notice_value);
	if (change->steer.session != 0)
		turn_steer(plane, &change->steer);
	if (change->abort != 0)
		turn_abort(plane, change->abort);
	if (change->answer.session != 0)
		turn_answer(plane, &change->answer);
	if (change->wake != 0)
		turn_wake(plane, change->wake);
}

/*
 * The first job of a store: whose epoch it is, the channels of the configuration, what
 * was running.  Its work is awaited, so that plane_create() can tell what is wrong; the
 * rest follows its commit.  If that fails, it is tried until the store works.
 */
struct setup {
	struct plane *plane;
	struct database_job job;
	struct loop_timer retry;
	struct change change;
	struct lost_command *lost;
	pthread_mutex_t mutex;
	pthread_cond_t done;
	bool worked;
	enum cg_status status;
	struct cg_error error;
	char epoch[64];
};

static enum cg_status read_epoch(struct setup *setup)
{
	struct statement *row;
	enum cg_status status =
		change_first(&setup->change, "SELECT epoch FROM epoch", NO_VALUES, &row);

	if (status == CG_OK && row == NULL)
		return cg_error_set(
			setup->change.err, CG_INVALID, "the store has no epoch");
	if (status == CG_OK)
		cg_text_copy(setup->epoch, sizeof(setup->epoch), statement_text(row, 0));
	statement_finish(row);
	return status;
}

static enum cg_status setup_prepare(struct setup *setup)
{
	struct plane *plane = setup->plane;
	struct change *change = &setup->change;
	enum cg_status status = read_epoch(setup);

	lost_command_free(setup->lost); /* of an attempt that was not committed */
	setup->lost = NULL;
	if (status == CG_OK)
		status = channel_apply(
			change, plane->channels, plane->roster.seats[0].ops->name);
	if (status == CG_OK)
		status = file_sweep_orphans(change);
	if (status == CG_OK)
		status = command_fail_answers(change, 0);
	if (status == CG_OK)
		status = command_lost(
			change, &plane->roster, plane->channels, &setup->lost);
	return status;
}

static enum cg_status setup_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct setup *setup = arg;
	enum cg_status status;

	setup->change.tx = tx;
	setup->change.err = &setup->error;
	status = setup_prepare(setup);
	cg_error_set(err, status, "%s", setup->error.text);
	pthread_mutex_lock(&setup->mutex);
	setup->worked = true;
	setup->status = status;
	pthread_cond_signal(&setup->done);
	pthread_mutex_unlock(&setup->mutex);
	return status;
}

static void setup_destroy(struct setup *setup)
{
	if (setup == NULL)
		return;
	setup->plane->setup = NULL;
	loop_timer_finish(&setup->retry);
	lost_command_free(setup->lost);
	change_finish(&setup->change);
	pthread_cond_destroy(&setup->done);
	pthread_mutex_destroy(&setup->mutex);
	free(setup);
}

static void setup_done(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct setup *setup = arg;
	struct plane *plane = setup->plane;

	if (plane->closing)
		return;
	if (status != CG_OK) {
		plane->broken = true;
		plane_notice(plane, 1, "store.unprepared", "error", err->text);
		loop_timer_set(&setup->retry, PLANE_STORE_RETRY_MS);
		return;
	}
	plane->broken = false;
	turn_recover(plane, setup->lost);
	setup->lost = NULL;
	setup_destroy(setup);
}

static enum cg_status setup_submit(struct setup *setup)
{
	change_finish(&setup->change);
	plane_change(setup->plane, &setup->change);
	setup->job.work = setup_work;
	setup->job.done = setup_done;
	setup->job.arg = setup;
	return database_submit(setup->plane->database, &setup->job);
}

static void setup_retry(void *arg)
{
	struct setup *setup = arg;

	if (setup_submit(setup) != CG_OK)
		loop_timer_set(&setup->retry, PLANE_STORE_RETRY_MS);
}

/* Wait for the work, not for its commit; not for ever, if the writer cannot begin. */
static enum cg_status setup_wait(struct setup *setup, struct cg_error *err)
{
	struct timespec until;
	enum cg_status status;
	int code = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += SETUP_SECONDS;
	pthread_mutex_lock(&setup->mutex);
	while (!setup->worked && code == 0)
		code = pthread_cond_timedwait(&setup->done, &setup->mutex, &until);
	status = setup->worked ? setup->status : CG_TIMEOUT;
	if (status == CG_TIMEOUT)
		cg_error_set(err, CG_TIMEOUT, "the store does not answer");
	else if (status != CG_OK)
		cg_error_set(err, status, "%s", setup->error.text);
	else
		memcpy(setup->plane->epoch, setup->epoch, sizeof(setup->epoch));
	pthread_mutex_unlock(&setup->mutex);
	return status;
}

static enum cg_status plane_setup(struct plane *plane, struct cg_error *err)
{
	struct setup *setup = calloc(1, sizeof(*setup));

	if (setup == NULL)
		return cg_error_nomem(err);
	setup->plane = plane;
	pthread_mutex_init(&setup->mutex, NULL);
	pthread_cond_init(&setup->done, NULL);
	plane->setup = setup;
	if (loop_timer_init(&setup->retry, plane->loop, setup_retry, setup) != CG_OK)
		return cg_error_nomem(err);
	if (setup_submit(setup) != CG_OK)
		return cg_error_set(err, CG_LIMIT, "the store takes no work");
	return setup_wait(setup, err);
}

/* Channels. */

static enum cg_status list_channels(struct plane *plane,
	const struct plane_channel *channels, size_t count, struct cg_error *err)
{
	struct channel_list *list = calloc(1, sizeof(*list));
	enum cg_status status;

	if (list == NULL)
		return cg_error_nomem(err);
	status = channel_list_init(list, channels, count, err);
	if (status != CG_OK) {
		free(list);
		return status;
	}
	list->older = plane->channels;
	plane->channels = list;
	plane->channel_lists++;
	return CG_OK;
}

/* The newest. */
static void forget_channels(struct plane *plane)
{
	struct channel_list *list = plane->channels;

	plane->channels = list->older;
	plane->channel_lists--;
	channel_list_finish(list);
	free(list);
}

struct rechannel {
	struct plane *plane;
	const struct channel_list *channels;
	struct database_job job;
	struct change change;
};

static enum cg_status rechannel_work(
	struct transaction *tx, void *arg, struct cg_error *err)
{
	struct rechannel *rechannel = arg;

	rechannel->change.tx = tx;
	rechannel->change.err = err;
	return channel_apply(&rechannel->change, rechannel->channels,
		rechannel->plane->roster.seats[0].ops->name);
}

static void rechannel_done(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct rechannel *rechannel = arg;

	if (status != CG_OK)
		plane_notice(
			rechannel->plane, 2, "channels.not_stored", "error", err->text);
	change_finish(&rechannel->change);
	free(rechannel);
}

enum cg_status plane_set_channels(struct plane *plane,
	const struct plane_channel *channels, size_t count, struct cg_error *err)
{
	struct rechannel *rechannel;
	enum cg_status status;

	if (plane->setup != NULL || plane->closing)
		return cg_error_set(err, CG_BUSY, "the store is not ready yet");
	if (plane->channel_lists == PLANE_CHANNEL_LISTS)
		return cg_error_set(err, CG_LIMIT,
			"the channels have changed %d times since the start; restart",
			PLANE_CHANNEL_LISTS);
	rechannel = calloc(1, sizeof(*rechannel));
	if (rechannel == NULL)
		return cg_error_nomem(err);
	status = list_channels(plane, channels, count, err);
	if (status != CG_OK)
		goto fail;
	rechannel->plane = plane;
	rechannel->channels = plane->channels;
	rechannel->job.work = rechannel_work;
	rechannel->job.done = rechannel_done;
	rechannel->job.arg = rechannel;
	plane_change(plane, &rechannel->change);
	if (database_submit(plane->database, &rechannel->job) == CG_OK)
		return CG_OK;
	forget_channels(plane); /* nobody has seen it */
	change_finish(&rechannel->change);
	status = cg_error_set(err, CG_LIMIT, "the store takes no work");
fail:
	free(rechannel);
	return status;
}

static void store_state(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct plane *plane = arg;

	if (plane->on_state != NULL)
		plane->on_state(plane->arg, status, err);
}

static enum cg_status plane_open(
	struct plane *plane, const struct plane_options *options, struct cg_error *err)
{
	const struct database_options store = {
		.path = options->path,
		.vfs = options->vfs,
		.migrations = schema_migrations,
		.migration_count = schema_migration_count,
		.cache_kib = PLANE_CACHE_KIB,
		.on_state = store_state,
		.arg = plane,
	};
	char files[FILE_PATH];
	enum cg_status status;

	snprintf(files, sizeof(files), "%s%s",
		options->files == NULL ? options->path : options->files,
		options->files == NULL ? ".files" : "");
	status = file_store_init(&plane->files, files, err);
	if (status == CG_OK)
		status = database_open(plane->loop, &store, &plane->database, err);
	return status == CG_OK ? plane_setup(plane, err) : status;
}

static void agent_notice(
	void *arg, int level, const char *event, const char *key, const char *value)
{
	plane_notice(arg, level, event, key, value);
}

enum cg_status plane_create(struct loop *loop, struct offload *offload,
	struct http_client *http, const struct plane_options *options, struct plane **ret,
	struct cg_error *err)
{
	struct plane *plane = calloc(1, sizeof(*plane));
	const struct agent_host host = {.loop = loop,
		.http = http,
		.keeper = options->keeper,
		.notice = agent_notice,
		.arg = plane};
	size_t tokens = options->agent_options.history_tokens;
	enum cg_status status;

	if (plane == NULL)
		return cg_error_nomem(err);
	plane->loop = loop;
	plane->offload = offload;
	plane->ask_ms = options->ask_ms == 0 ? ASK_LIFE_MS : options->ask_ms;
	plane->on_notice = options->on_notice;
	plane->on_state = options->on_state;
	plane->arg = options->arg;
	plane->history_bytes =
		(tokens == 0 ? HISTORY_TOKENS : tokens) * HISTORY_TOKEN_BYTES;
	cg_random(plane->pairing_key, sizeof(plane->pairing_key));
	status = list_channels(plane, options->channels, options->channel_count, err);
	if (status != CG_OK)
		goto fail;
	status = roster_init(&plane->roster, &host, options, err);
	if (status != CG_OK)
		goto fail;
	status = plane_open(plane, options, err);
	if (status != CG_OK)
		goto fail;
	*ret = plane;
	return CG_OK;

fail:
	plane_destroy(plane);
	return status;
}

void plane_destroy(struct plane *plane)
{
	if (plane == NULL)
		return;
	plane->closing = true;
	roster_stop(&plane->roster);
	database_close(plane->database);
	setup_destroy(plane->setup);
	while (plane->exchanges != NULL)
		exchange_destroy(plane->exchanges);
	turn_destroy_all(plane);
	roster_finish(&plane->roster);
	while (plane->channels != NULL)
		forget_channels(plane);
	cg_wipe(plane->pairing_key, sizeof(plane->pairing_key));
	free(plane);
}

const char *plane_epoch(const struct plane *plane)
{
	return plane->epoch;
}

enum cg_status plane_health(const struct plane *plane, struct cg_error *err)
{
	enum cg_status status = database_state(plane->database);

	if (status != CG_OK)
		return cg_error_set(err, status, "the store cannot commit");
	if (plane->broken)
		return cg_error_set(err, CG_IO, "the store is not prepared yet");
	for (size_t i = 0; status == CG_OK && i < plane->roster.count; i++)
		status = plane->roster.seats[i].ops->health(
			plane->roster.seats[i].self, err);
	return status;
}

size_t plane_active_turns(const struct plane *plane)
{
	return plane->turns_running;
}

int64_t plane_stall_ms(struct plane *plane)
{
	return database_stall_ms(plane->database);
}

int64_t plane_wal_bytes(const struct plane *plane)
{
	return database_wal_bytes(plane->database);
}
