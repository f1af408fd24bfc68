/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/house.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <inttypes.h>

static size_t show_count(void *arg)
{
	const struct daemon *daemon = arg;

	return supervisor_count(daemon->supervisor);
}

static void show_channel(void *arg, size_t index, struct operator_channel *ret)
{
	const struct daemon *daemon = arg;
	const struct instance *instance = supervisor_at(daemon->supervisor, index);
	enum channel_state state = supervisor_state(daemon->supervisor, instance);

	*ret = (struct operator_channel){
		.id = instance_id(instance),
		.kind = instance_provider(instance)->kind,
		.binding_id =
			daemon->channels[channel_place(daemon, instance_id(instance))]
				.binding_id,
		.state = channel_state_name(state),
		.error = instance_health(instance)->detail,
		.started = instance_is_started(instance),
		.healthy = state == CHANNEL_HEALTHY,
		.last_inbound_ms = instance_last_inbound(instance),
	};
}

static enum cg_status show_webhook(
	void *arg, const char *id, struct cg_webhook_request *request)
{
	const struct daemon *daemon = arg;
	struct instance *instance = supervisor_find(daemon->supervisor, id);

	if (instance == NULL)
		return CG_NOT_FOUND;
	return instance_webhook(instance, request);
}

static void add(struct operator_degraded *list, size_t *count, const char *what,
	const char *detail)
{
	if (*count < OPERATOR_DEGRADED)
		list[(*count)++] =
			(struct operator_degraded){.what = what, .detail = detail};
}

/* The way to the Cloud and back. */
static void add_cloud(
	const struct daemon *daemon, struct operator_degraded *list, size_t *count)
{
	struct claimed_figures figures;

	claimed_figures(daemon->claimed, &figures);
	if (daemon->token_refused)
		add(list, count, "cloud", "the service token was refused");
	if (daemon->name_taken)
		add(list, count, "deliveries",
			"another gateway on this host has this instance id, and claims");
	else if (figures.refused)
		add(list, count, "deliveries",
			"the Cloud refuses the deliveries of these channel bindings");
	else if (daemon->link != NULL && !figures.connected)
		add(list, count, "deliveries",
			figures.paused ? "too much waits here: nothing is claimed"
				       : "the Cloud cannot be reached");
	if (figures.foreign)
		add(list, count, "instance",
			"another gateway acknowledges under this instance id");
}

/* Ready: what comes in is kept, one channel lives, the Cloud has not refused our token. */
static bool show_ready(void *arg, struct operator_degraded *ret, size_t *ret_count)
{
	struct daemon *daemon = arg;
	enum cg_status store = journal_state(daemon->journal);
	bool alive = false;

	if (store != CG_OK)
		add(ret, ret_count, "store", cg_status_text(store));
	add_cloud(daemon, ret, ret_count);
	if (daemon->plane != NULL &&
		plane_health(daemon->plane, &daemon->agent_error) != CG_OK)
		add(ret, ret_count, "agent", daemon->agent_error.text);
	for (size_t i = 0; i < supervisor_count(daemon->supervisor); i++) {
		const struct instance *instance = supervisor_at(daemon->supervisor, i);

		if (supervisor_state(daemon->supervisor, instance) == CHANNEL_HEALTHY)
			alive = true;
		else
			add(ret, ret_count, instance_id(instance),
				instance_health(instance)->detail);
	}
	return store == CG_OK && alive && !daemon->token_refused && !daemon->stopping;
}

static void oldest_found(void *arg, int64_t inbox_ms, int64_t outbox_ms)
{
	struct daemon *daemon = arg;

	daemon->oldest_asked = false;
	daemon->oldest_inbox_ms = inbox_ms;
	daemon->oldest_outbox_ms = outbox_ms;
}

static double age_of(const struct daemon *daemon, int64_t since_ms)
{
	int64_t age = clock_wall(loop_clock(daemon->loop)) - since_ms;

	return since_ms == 0 || age < 0 ? 0 : (double)age / 1000;
}

/* What takes a read is of the page before: nobody waits for the disk here. */
static void measure_ages(struct daemon *daemon)
{
	meter_set(daemon->meter, METER_TOTAL_INBOX_OLDEST,
		age_of(daemon, daemon->oldest_inbox_ms));
	meter_set(daemon->meter, METER_TOTAL_OUTBOX_OLDEST,
		age_of(daemon, daemon->oldest_outbox_ms));
	for (size_t i = 0; i < supervisor_count(daemon->supervisor); i++) {
		const struct instance *instance = supervisor_at(daemon->supervisor, i);
		int64_t last = instance_last_inbound(instance);

		meter_set_channel(daemon->meter, METER_CHANNEL_INBOUND_AGE,
			meter_find(daemon->meter, instance_id(instance)),
			age_of(daemon, last == 0 ? daemon->started_ms : last));
	}
	if (daemon->oldest_asked)
		return;
	daemon->oldest_asked = true;
	journal_oldest(daemon->journal, oldest_found, daemon);
}

static void show_measure(void *arg)
{
	struct daemon *daemon = arg;
	struct conversation_figures figures;
	struct journal_figures stored;

	conversation_figures(daemon->conversation, &figures);
	journal_figures(daemon->journal, &stored);
	measure_ages(daemon);
	if (daemon->plane != NULL)
		meter_set(daemon->meter, METER_TOTAL_PLANE_WAL_BYTES,
			(double)plane_wal_bytes(daemon->plane));
	meter_set(daemon->meter, METER_TOTAL_STREAMS, (double)figures.streams);
	meter_max(daemon->meter, METER_TOTAL_QUEUE_DEPTH_MAX,
		(double)stored.outbox_pending);
}

static bool show_api(void *arg, struct http_request *request)
{
	struct daemon *daemon = arg;

	if (daemon->plane == NULL)
		return false;
	plane_door(daemon, request);
	return true;
}

static bool show_reload(void *arg, operator_reload_done done, void *done_arg)
{
	return reload_begin(arg, done, done_arg);
}

static void show_wake(void *arg)
{
	struct daemon *daemon = arg;

	delivery_wake(daemon->delivery);
}

void showing_status(void *arg, char *ret, size_t size)
{
	const struct daemon *daemon = arg;
	struct journal_figures stored;
	struct cg_buffer line;
	const char *separator = "; not up: ";

	cg_buffer_init(&line, NOTIFY_STATUS);
	journal_figures(daemon->journal, &stored);
	cg_buffer_format(&line, "%" PRId64 " to answer, %" PRId64 " to deliver",
		stored.inbox_pending, stored.outbox_pending);
	for (size_t i = 0; i < supervisor_count(daemon->supervisor); i++) {
		const struct instance *instance = supervisor_at(daemon->supervisor, i);

		if (supervisor_state(daemon->supervisor, instance) == CHANNEL_HEALTHY)
			continue;
		cg_buffer_format(&line, "%s%s", separator, instance_id(instance));
		separator = ", ";
	}
	cg_text_copy(ret, size, cg_buffer_string(&line));
	cg_buffer_finish(&line);
}

void showing(struct daemon *daemon, struct operator_host *ret)
{
	*ret = (struct operator_host){
		.channel_count = show_count,
		.channel = show_channel,
		.webhook = show_webhook,
		.ready = show_ready,
		.measure = show_measure,
		.api = show_api,
		.wake = show_wake,
		.reload = show_reload,
		.say = saying_say,
		.pause = saying_pause,
		.cloud_list = cloud_desk_list,
		.cloud_change = cloud_desk_change,
		.arg = daemon,
	};
}
