/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/daemon.h"

#include "config/directory.h"
#include "gateway/daemon/archive.h"
#include "gateway/daemon/house.h"
#include "runtime/log.h"
#include "runtime/tls.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#define DAEMON_NAME_MS 15000 /* before a name that was taken is asked for again */

uint64_t daemon_random(void *arg)
{
	uint64_t number;

	(void)arg;
	cg_random(&number, sizeof(number));
	return number;
}

/* Places. */

enum cg_status daemon_socket_path(const char *data_dir, char *ret, size_t size)
{
	const struct directory_facts facts = {
		.runtime_directory = getenv("RUNTIME_DIRECTORY")};
	size_t limit = sizeof(((struct sockaddr_un *)0)->sun_path);

	return directory_socket(&facts, data_dir, ret, size < limit ? size : limit);
}

static enum cg_status make_directory(const char *path, struct cg_error *err)
{
	char parent[CONFIG_PATH];
	struct stat info;

	for (const char *slash = strchr(path + 1, '/'); slash != NULL;
		slash = strchr(slash + 1, '/')) {
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
		if (mkdir(parent, 0755) != 0 && errno != EEXIST)
			break;
	}
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return cg_error_set(err, CG_IO,
			"data directory %s: %s; set OPEN_COWORK_GATEWAY_DATA_DIR", path,
			strerror(errno));
	if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
		return cg_error_set(err, CG_IO, "%s is not a directory", path);
	if ((info.st_mode & 077) != 0 && chmod(path, 0700) != 0)
		return cg_error_set(
			err, CG_DENIED, "%s must be readable by its owner only", path);
	return CG_OK;
}

/* A restore that was cut short is finished before anything is made or opened. */
static enum cg_status settle(const struct daemon *daemon, struct cg_error *err)
{
	bool settled = false;
	enum cg_status status = archive_settle(daemon->config->data_dir, &settled, err);

	if (settled && status == CG_OK)
		log_warn("restore.finished", "why", "it was cut short", NULL);
	return status;
}

static enum cg_status make_places(struct daemon *daemon, struct cg_error *err)
{
	enum cg_status status = make_directory(daemon->config->data_dir, err);

	if (status == CG_OK)
		status = settle(daemon, err);
	if (status != CG_OK)
		return status;
	snprintf(daemon->spool_dir, sizeof(daemon->spool_dir), "%s/spool",
		daemon->config->data_dir);
	return make_directory(daemon->spool_dir, err);
}

/* The ground and the stores. */

static enum cg_status make_ground(struct daemon *daemon, struct cg_error *err)
{
	enum cg_status status;

	clock_system(&daemon->clock, daemon->options.built_ms);
	status = loop_create(&daemon->clock, &daemon->loop, err);
	if (status == CG_OK)
		status = offload_create(daemon->loop, &daemon->offload, err);
	if (status == CG_OK)
		status = http_client_create(daemon->loop, &daemon->http, err);
	if (status == CG_OK)
		status = meter_create(&daemon->meter, err);
	return status;
}

static enum cg_status open_journal(struct daemon *daemon, struct cg_error *err)
{
	char path[CONFIG_PATH + 16];
	struct journal_options options = {.path = path};
	struct journal_figures figures;
	enum cg_status status;

	snprintf(path, sizeof(path), "%s/journal.db", daemon->config->data_dir);
	status = journal_open(
		daemon->loop, daemon->offload, &options, &daemon->journal, err);
	if (status != CG_OK)
		return status;
	journal_figures(daemon->journal, &figures);
	daemon->was_used = figures.newest_ms > 0;
	daemon->started_ms = clock_wall(&daemon->clock);
	if (figures.newest_ms > daemon->clock.floor_ms)
		daemon->clock.floor_ms = figures.newest_ms;
	return CG_OK;
}

static void spool_swept(void *arg, size_t files)
{
	(void)arg;
	log_info("spool.swept", "files", log_int((int64_t)files), NULL);
}

static enum cg_status make_spool(struct daemon *daemon, struct cg_error *err)
{
	const struct spool_options options = {.loop = daemon->loop,
		.offload = daemon->offload,
		.journal = daemon->journal,
		.directory = daemon->spool_dir,
		.swept = spool_swept};

	return spool_create(&options, &daemon->spool, err);
}

/* The channels. */

static enum cg_status make_channels(struct daemon *daemon, struct cg_error *err)
{
	struct supervisor_hooks hooks = {.changed = ledger_channel,
		.random = daemon_random,
		.paused = saying_is_paused,
		.arg = daemon};
	enum cg_status status =
		supervisor_create(daemon->loop, &hooks, &daemon->supervisor, err);

	daemon->services = (struct instance_services){
		.loop = daemon->loop,
		.offload = daemon->offload,
		.http = daemon->http,
		.journal = daemon->journal,
		.spool_dir = daemon->spool_dir,
		.health_changed = channel_changed,
		.submitted = ledger_submitted,
		.log = ledger_provider_log,
		.quit = daemon_stop,
		.arg = daemon,
	};
	for (size_t i = 0; status == CG_OK && i < daemon->config->provider_count; i++) {
		if (daemon->config->providers[i].enabled)
			status = channel_open(daemon, &daemon->config->providers[i],
				daemon->config, err);
	}
	channels_claim(daemon);
	return status;
}

/* The message's way. */

static void inbox_ready(void *arg)
{
	struct daemon *daemon = arg;

	conversation_inbox_ready(daemon->conversation);
}

static int64_t lifetime_ms(void *arg, const char *instance)
{
	const struct daemon *daemon = arg;
	int64_t lifetime;

	daemon->outlet.schedule(daemon->outlet.self, instance, &lifetime);
	return lifetime;
}

static void outbox_ready(void *arg)
{
	struct daemon *daemon = arg;

	delivery_wake(daemon->delivery);
	conversation_outbox_ready(daemon->conversation);
	claimed_room(daemon->claimed);
}

static void account_refused(void *arg, const char *instance, const char *detail)
{
	alert_begins(arg, ALERT_ACCOUNT, instance, detail);
	log_error(
		"channel.account_refused", "instance", instance, "detail", detail, NULL);
}

static enum cg_status make_claims(struct daemon *daemon,
	const struct conversation_parts *parts, struct cg_error *err)
{
	struct claimed_options options = {
		.channels = daemon->claiming,
		.channel_count = daemon->claiming_count,
		.send_ms = daemon->config->webhook_delivery_timeout_ms + DAEMON_SEND_MS,
		.random = daemon_random,
		.fact = ledger_claimed,
		.arg = daemon,
	};

	return claimed_create(parts, &options, &daemon->claimed, err);
}

static enum cg_status make_way(struct daemon *daemon, struct cg_error *err)
{
	const struct config *config = daemon->config;
	struct delivery_options delivering = {
		.concurrency = (size_t)config->max_delivery_concurrency,
		.window = (size_t)config->max_delivery_queue_depth,
		.send_timeout_ms = config->webhook_delivery_timeout_ms,
		.spool_dir = daemon->spool_dir,
		.random = daemon_random,
		.report = ledger_report,
		.account_refused = account_refused,
		.arg = daemon,
	};
	struct conversation_parts parts = {.loop = daemon->loop,
		.offload = daemon->offload,
		.journal = daemon->journal,
		.outlet = &daemon->outlet,
		.client = daemon->cloud};
	struct conversation_options talking = {
		.channels = daemon->channels,
		.channel_count = daemon->channel_count,
		.mirror = daemon->link != NULL,
		.streams = daemon->link == NULL ? 0 : (size_t)config->max_session_streams,
		.reactions = config->reactions,
		.brake = config->loop_brake,
		.file_types = {.items = config->attachment_types.items,
			.count = config->attachment_types.count},
		.handover_ms = config->handover_timeout_ms,
		.spool_dir = daemon->spool_dir,
		.product = "Cowgate",
		.random = daemon_random,
		.fact = ledger_fact,
		.closed = ledger_closed,
		.arg = daemon,
	};
	struct journal_hooks hooks = {.inbox_ready = inbox_ready,
		.outbox_ready = outbox_ready,
		.state = ledger_store,
		.arg = daemon,
		.lifetime_ms = lifetime_ms};
	enum cg_status status;

	outlets(daemon, &daemon->outlet);
	status = alert_link(daemon, err);
	if (status != CG_OK)
		return status;
	status = delivery_create(daemon->loop, daemon->journal, &daemon->outlet,
		&delivering, &daemon->delivery, err);
	if (status != CG_OK)
		return status;
	parts.delivery = daemon->delivery;
	status = conversation_create(&parts, &talking, &daemon->conversation, err);
	if (status == CG_OK)
		status = make_claims(daemon, &parts, err);
	if (status == CG_OK)
		journal_set_hooks(daemon->journal, &hooks);
	return status;
}

enum cg_status daemon_create(
	const struct daemon_options *options, struct daemon **ret, struct cg_error *err)
{
	static enum cg_status (*const steps[])(
		struct daemon * daemon, struct cg_error * err) = {make_places,
		make_ground, open_journal, make_spool, daemon_make_cloud, make_channels,
		make_way, daemon_make_doors};
	struct daemon *daemon = calloc(1, sizeof(*daemon));

	if (daemon == NULL)
		return cg_error_nomem(err);
	daemon->options = *options;
	daemon->config = config_ref(options->config);
	cg_host_lock_init(&daemon->name);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		enum cg_status status = steps[i](daemon, err);

		if (status != CG_OK) {
			daemon_destroy(daemon);
			return status;
		}
	}
	*ret = daemon;
	return CG_OK;
}

/* Running and stopping. */

static void drained(void *arg)
{
	struct daemon *daemon = arg;

	loop_stop(daemon->loop);
}

static void drain_too_long(void *arg)
{
	struct daemon *daemon = arg;

	log_warn("daemon.drain_deadline", "in_flight",
		log_int((int64_t)delivery_in_flight(daemon->delivery)), NULL);
	loop_stop(daemon->loop);
}

void daemon_stop(void *arg)
{
	struct daemon *daemon = arg;

	if (daemon->stopping)
		return;
	daemon->stopping = true;
	log_info("daemon.stopping", NULL);
	notify_stopping(daemon->notify);
	reload_abandon(daemon);
	http_server_pause(daemon->server);
	plane_door_close(daemon);
	supervisor_stop(daemon->supervisor);
	conversation_stop(daemon->conversation);
	claimed_stop(daemon->claimed);
	loop_timer_set(
		&daemon->drain_deadline, daemon->config->shutdown_drain_timeout_ms);
	delivery_drain(daemon->delivery, drained, daemon);
}

static void streams_resumed(void *arg, size_t streams)
{
	(void)arg;
	if (streams > 0)
		log_info("recovered.streams", "count", log_int((int64_t)streams), NULL);
}

static void delivery_started(
	void *arg, enum cg_status status, const struct outbox_recovery *recovery)
{
	struct daemon *daemon = arg;
	struct journal_figures figures;
	char text[160];

	journal_figures(daemon->journal, &figures);
	if (status == CG_OK && daemon->was_used) {
		snprintf(text, sizeof(text),
			"%" PRId64 " messages to answer, %" PRId64 " to deliver, %" PRId64
			" of them may have arrived",
			figures.inbox_pending, recovery->pending + recovery->unknown,
			recovery->unknown);
		alert_begins(daemon, ALERT_RESTART, NULL, text);
	}
	if (status == CG_OK && recovery->pending + recovery->unknown > 0)
		log_info("recovered.outbox", "pending", log_int(recovery->pending),
			"unknown", log_int(recovery->unknown), NULL);
}

/* Deliveries are claimed by one gateway of a name; another one waits until it is gone. */
static void begin_claims(void *arg)
{
	struct daemon *daemon = arg;
	struct cg_error err;

	if (daemon->stopping)
		return;
	if (daemon->link != NULL &&
		name_lock_take(&daemon->name, daemon->config->cloud_base_url,
			daemon->config->instance_id, &err) != CG_OK) {
		if (!daemon->name_taken)
			log_error("deliveries.name_taken", "why", err.text, NULL);
		daemon->name_taken = true;
		loop_timer_set(&daemon->name_timer, DAEMON_NAME_MS);
		return;
	}
	daemon->name_taken = false;
	claimed_start(daemon->claimed);
}

static enum cg_status watch_signals(struct daemon *daemon, struct cg_error *err)
{
	enum cg_status status;

	signal(SIGPIPE, SIG_IGN);
	status = loop_signal_init(
		&daemon->terminate, daemon->loop, SIGTERM, daemon_stop, daemon);
	if (status == CG_OK)
		status = loop_signal_init(
			&daemon->interrupt, daemon->loop, SIGINT, daemon_stop, daemon);
	if (status == CG_OK)
		status = loop_signal_init(
			&daemon->hangup, daemon->loop, SIGHUP, reload_asked, daemon);
	if (status == CG_OK)
		status = loop_timer_init(
			&daemon->drain_deadline, daemon->loop, drain_too_long, daemon);
	if (status == CG_OK)
		status = loop_timer_init(
			&daemon->name_timer, daemon->loop, begin_claims, daemon);
	if (status == CG_OK)
		status = loop_timer_init(
			&daemon->time_timer, daemon->loop, time_look, daemon);
	if (status != CG_OK)
		return cg_error_set(err, status, "signals cannot be watched");
	return CG_OK;
}

/* All are looked at each time, for each look tells by the one before. */
static bool all_is_tended(void *arg)
{
	struct daemon *daemon = arg;
	const char *channel = NULL, *why = NULL;
	bool tended = supervisor_is_tended(daemon->supervisor, &channel);
	const struct {
		const char *what;
		bool stuck;
	} looks[] = {
		{channel, !tended},
		{"journal.db", journal_stall_ms(daemon->journal) >= DATABASE_STALL_MS},
		{"plane.db", daemon->plane != NULL &&
				     plane_stall_ms(daemon->plane) >= DATABASE_STALL_MS},
		{"a thread of the pool",
			offload_stall_ms(daemon->offload) >= OFFLOAD_STALL_MS},
		{"an exchange over HTTP",
			http_client_late_ms(daemon->http) >= HTTP_CLIENT_LATE_MS},
	};

	for (size_t i = sizeof(looks) / sizeof(looks[0]); i-- > 0;) {
		if (looks[i].stuck)
			why = looks[i].what;
	}
	if (why != NULL && !daemon->starving)
		log_error("watchdog.not_fed", "stuck", why, NULL);
	else if (why == NULL && daemon->starving)
		log_info("watchdog.fed", NULL);
	daemon->starving = why != NULL;
	return why == NULL;
}

static enum cg_status meet_manager(struct daemon *daemon, struct cg_error *err)
{
	const struct notify_hooks hooks = {
		.alive = all_is_tended, .status = showing_status, .arg = daemon};
	struct notify_environment environment;

	notify_environment_read(&environment);
	return notify_create(daemon->loop, &environment, &hooks, &daemon->notify, err);
}

enum cg_status daemon_run(struct daemon *daemon, struct cg_error *err)
{
	struct journal_figures figures;
	enum cg_status status = watch_signals(daemon, err);

	if (status == CG_OK)
		status = meet_manager(daemon, err);
	if (status != CG_OK)
		return status;
	journal_figures(daemon->journal, &figures);
	if (figures.inbox_pending > 0)
		log_info("recovered.inbox", "pending", log_int(figures.inbox_pending),
			NULL);
	delivery_start(daemon->delivery, delivery_started, daemon);
	supervisor_start(daemon->supervisor);
	conversation_start(daemon->conversation, streams_resumed, daemon);
	begin_claims(daemon);
	time_look(daemon);
	journal_start_retention(daemon->journal);
	spool_start(daemon->spool);
	log_info("daemon.ready", "url", daemon->url, "version", daemon->options.version,
		NULL);
	daemon->options.ready(daemon->options.arg, daemon->url);
	notify_ready(daemon->notify);
	return loop_run(daemon->loop);
}

void daemon_destroy(struct daemon *daemon)
{
	if (daemon == NULL)
		return;
	reload_abandon(daemon);
	notify_destroy(daemon->notify);
	cloud_desk_close(daemon);
	operator_destroy(daemon->operator);
	plane_door_close(daemon);
	http_server_destroy(daemon->server);
	http_tls_destroy(daemon->tls);
	spool_stop(daemon->spool);
	offload_destroy(daemon->offload);
	/* Completions of the journal still reach the floors above it: they go after it. */
	journal_close(daemon->journal);
	alert_unlink(daemon);
	spool_destroy(daemon->spool);
	claimed_destroy(daemon->claimed);
	conversation_destroy(daemon->conversation);
	supervisor_destroy(daemon->supervisor);
	delivery_destroy(daemon->delivery);
	cloud_client_destroy(daemon->cloud);
	cloud_link_destroy(daemon->link);
	plane_destroy(daemon->plane);
	meter_destroy(daemon->meter);
	loop_timer_finish(&daemon->drain_deadline);
	loop_timer_finish(&daemon->name_timer);
	loop_timer_finish(&daemon->time_timer);
	cg_host_lock_drop(&daemon->name);
	loop_watch_finish(&daemon->terminate);
	loop_watch_finish(&daemon->interrupt);
	loop_watch_finish(&daemon->hangup);
	http_client_destroy(daemon->http);
	if (daemon->loop != NULL)
		loop_turn(
			daemon->loop); /* what waits to die on the next turn does so now */
	loop_destroy(daemon->loop);
	cg_secret_wipe(&daemon->admin_token);
	channels_finish(daemon);
	config_destroy(daemon->config);
	for (size_t i = 0; i < daemon->workspace_count; i++)
		free(daemon->workspaces[i]);
	free(daemon);
}
