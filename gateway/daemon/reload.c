/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/reload.h"

#include "config/diff.h"
#include "config/option.h"
#include "gateway/daemon/house.h"
#include "runtime/log.h"
#include "runtime/tls.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

#define RELOAD_LOOK_MS 20 /* between looks at what is waited for */
#define RELOAD_REPORT (64u << 10) /* bytes of what is wrong */

struct reload {
	struct daemon *daemon;
	operator_reload_done done;
	void *arg;
	struct loop_timer timer;
	struct loop_task burial;
	int64_t until_ms; /* monotonic: then nothing is waited for any longer */
	/* in force before; held for the instances that go back to it */
	struct config *was;
	struct config_diff diff;
	bool swapped; /* the instances are those of the new settings */
	struct cg_buffer trouble;
	struct json_object *body; /* the lists in it are its own */
	struct json_object *changed, *channels, *restart;
	int status;
};

/* Beginning and end. */

static void reload_free(void *arg)
{
	struct reload *reload = arg;

	loop_timer_finish(&reload->timer);
	cg_buffer_finish(&reload->trouble);
	cg_json_free(reload->body);
	config_destroy(reload->was);
	free(reload);
}

static void begin(struct daemon *daemon, operator_reload_done done, void *arg);

static void reload_end(struct reload *reload)
{
	struct daemon *daemon = reload->daemon;
	struct json_object *body = reload->body;

	daemon->reload = NULL;
	loop_timer_clear(&reload->timer);
	loop_defer(daemon->loop, &reload->burial);
	notify_ready(daemon->notify);
	cg_json_put_bool(body, "ok", reload->status == 200);
	if (reload->trouble.length > 0)
		cg_json_put_string(body, "error", cg_buffer_string(&reload->trouble));
	reload->body = NULL;
	if (reload->done != NULL)
		reload->done(reload->arg, reload->status, body);
	else
		cg_json_free(body);
	if (daemon->reload_again && !daemon->stopping) {
		daemon->reload_again = false;
		begin(daemon, NULL, NULL);
	}
}

static struct reload *reload_new(
	struct daemon *daemon, operator_reload_done done, void *arg, loop_callback run)
{
	struct reload *reload = calloc(1, sizeof(*reload));

	if (reload == NULL ||
		loop_timer_init(&reload->timer, daemon->loop, run, reload) != CG_OK) {
		free(reload);
		return NULL;
	}
	reload->daemon = daemon;
	reload->done = done;
	reload->arg = arg;
	reload->status = 200;
	loop_task_init(&reload->burial, reload_free, reload);
	cg_buffer_init(&reload->trouble, RELOAD_REPORT);
	reload->body = cg_json_new_object();
	reload->changed = cg_json_new_array();
	reload->channels = cg_json_new_array();
	reload->restart = cg_json_new_array();
	cg_json_put(reload->body, "changed", reload->changed);
	cg_json_put(reload->body, "channels", reload->channels);
	cg_json_put(reload->body, "restart", reload->restart);
	return reload;
}

/* What was read. */

/* The variable that people write; branding and agents have names of their own. */
static const char *setting_name(const char *field)
{
	for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
		if (strcmp(option_rows[i].name, field) == 0)
			return option_rows[i].variable;
	}
	return field;
}

static void tell_trouble(struct reload *reload, const struct config_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct config_issue *issue = &report->issues[i];

		if (issue->severity == CONFIG_ERROR)
			log_error("reload.refused", "where", issue->where, "what",
				issue->what, "mend", issue->mend, NULL);
	}
	cg_buffer_format(&reload->trouble,
		"nothing was changed, the settings of before stay in force\n");
	config_report_write(report, &reload->trouble);
}

static void tell_settings(struct reload *reload)
{
	for (size_t i = 0; i < reload->diff.count; i++) {
		const struct config_change *change = &reload->diff.changes[i];
		const char *name = setting_name(change->name);

		if (change->kind != CONFIG_SETTING_CHANGED)
			continue;
		if (change->restart)
			log_warn("reload.needs_restart", "setting", name, NULL);
		else
			log_info("reload.changed", "setting", name, NULL);
		cg_json_append(change->restart ? reload->restart : reload->changed,
			cg_json_new_string(name));
	}
}

/* What changes at once. */

static void apply_settings(struct daemon *daemon)
{
	const struct config *config = daemon->config;

	operator_set_config(daemon->operator, config);
	alert_set_chats(daemon->alert, &config->operator_chat);
	cloud_client_set_timeout(daemon->cloud, config->cloud_request_timeout_ms);
	delivery_set_timeout(daemon->delivery, config->webhook_delivery_timeout_ms);
	/* Whoever mends what the Cloud refuses says so by a reload. */
	conversation_retry(daemon->conversation);
	claimed_retry(daemon->claimed);
	if (daemon->options.reloaded != NULL)
		daemon->options.reloaded(daemon->options.arg, config);
}

/* A certificate that was renewed has the names of before. */
static void apply_certificate(struct reload *reload)
{
	const char *name = option_rows[CONFIG_TLS_CERTIFICATE_FILE].variable;
	struct cg_error err = {.text = ""};
	bool changed = false;

	if (reload->daemon->tls == NULL)
		return;
	if (http_tls_reload(reload->daemon->tls, &changed, &err) != CG_OK) {
		reload->status = 500;
		cg_buffer_format(&reload->trouble,
			"%s: the certificate of before stays in use\n", err.text);
		log_error("reload.certificate", "why", err.text, NULL);
	} else if (changed) {
		log_info("reload.changed", "setting", name, NULL);
		cg_json_append(reload->changed, cg_json_new_string(name));
	}
}

/* To whom an answer goes, what is claimed: for those who look from inside. */
static void apply_channels(struct reload *reload)
{
	struct daemon *daemon = reload->daemon;
	const struct file_types file_types = {
		.items = daemon->config->attachment_types.items,
		.count = daemon->config->attachment_types.count};

	conversation_change(daemon->conversation, daemon->channel_count,
		daemon->config->handover_timeout_ms, &file_types);
	if (cg_json_count(reload->channels) == 0)
		return;
	daemon->plane_behind = daemon->plane != NULL;
	channels_claim(daemon);
	if (daemon->link != NULL)
		claimed_change(daemon->claimed, daemon->claiming, daemon->claiming_count,
			daemon->config->webhook_delivery_timeout_ms + DAEMON_SEND_MS);
}

static bool has_time(const struct reload *reload)
{
	return clock_mono(loop_clock(reload->daemon->loop)) < reload->until_ms;
}

/* The plane learns who may write, if it does not know.  False: just after the start it cannot yet,
 * and is to be told again.  What it could not take the next reload tells it. */
static bool tell_plane(struct reload *reload)
{
	struct daemon *daemon = reload->daemon;
	struct plane_channel channels[DAEMON_PLANE_CHANNELS];
	struct cg_error err = {.text = ""};
	enum cg_status status;

	if (!daemon->plane_behind)
		return true;
	status = plane_set_channels(daemon->plane, channels,
		channels_of_plane(daemon->config, channels), &err);
	if (status == CG_BUSY && has_time(reload))
		return false;
	daemon->plane_behind = status != CG_OK;
	if (status == CG_OK)
		return true;
	reload->status = 500;
	cg_buffer_format(&reload->trouble, "%s\n", err.text);
	log_error("reload.channels", "why", err.text, NULL);
	return true;
}

/* The instances. */

/* Also one that could not get these settings last time. */
static bool is_touched(const struct reload *reload, const char *id)
{
	int place = channel_place(reload->daemon, id);

	for (size_t i = 0; i < reload->diff.count; i++) {
		const struct config_change *change = &reload->diff.changes[i];

		if (change->kind != CONFIG_SETTING_CHANGED &&
			strcmp(change->name, id) == 0)
			return true;
	}
	return place >= 0 && reload->daemon->stale[place];
}

static void retire_touched(struct reload *reload)
{
	struct daemon *daemon = reload->daemon;

	for (size_t i = 0; i < supervisor_count(daemon->supervisor); i++) {
		struct instance *instance = supervisor_at(daemon->supervisor, i);

		if (is_touched(reload, instance_id(instance)))
			instance_retire(instance);
	}
}

static struct instance *retired(const struct daemon *daemon)
{
	for (size_t i = 0; i < supervisor_count(daemon->supervisor); i++) {
		struct instance *instance = supervisor_at(daemon->supervisor, i);

		if (instance_is_retired(instance))
			return instance;
	}
	return NULL;
}

static bool is_still_sending(const struct daemon *daemon)
{
	for (size_t i = 0; i < supervisor_count(daemon->supervisor); i++) {
		const struct instance *instance = supervisor_at(daemon->supervisor, i);

		if (instance_is_retired(instance) && instance_sending(instance) > 0)
			return true;
	}
	return false;
}

static void note_channel(struct reload *reload, const char *id, const char *what)
{
	struct json_object *entry = cg_json_new_object();

	log_info("reload.channel", "instance", id, "what", what, NULL);
	cg_json_put_string(entry, "id", id);
	cg_json_put_string(entry, "what", what);
	cg_json_append(reload->channels, entry);
}

/* The settings do not work: those that worked last, which need not be those before, go on. */
static void open_as_before(
	struct reload *reload, const char *id, const struct cg_error *why)
{
	struct daemon *daemon = reload->daemon;
	int place = channel_place(daemon, id);
	struct config *good = place < 0 ? NULL : daemon->channel_configs[place];
	const struct config_provider *before =
		good == NULL ? NULL : config_provider_find(good, id);
	const struct config_provider *was = config_provider_find(reload->was, id);
	struct cg_error err = {.text = ""};
	bool back = was != NULL && was->enabled && before != NULL && before->enabled &&
		    channel_open(daemon, before, good, &err) == CG_OK;

	if (place >= 0)
		daemon->stale[place] = true;
	reload->status = 500;
	log_error("reload.channel", "instance", id, "what",
		back ? "goes on as before" : "is not there", "why", why->text, NULL);
	cg_buffer_format(&reload->trouble, "%s: it %s\n", why->text,
		back ? "goes on with the settings of before" : "is not started");
}

static void open_channel(
	struct reload *reload, const struct config_provider *provider, const char *what)
{
	struct daemon *daemon = reload->daemon;
	struct cg_error err = {.text = ""};

	if (channel_open(daemon, provider, daemon->config, &err) != CG_OK) {
		open_as_before(reload, provider->id, &err);
		return;
	}
	daemon->stale[channel_place(daemon, provider->id)] = false;
	note_channel(reload, provider->id, what);
}

static void swap_channels(struct reload *reload)
{
	struct daemon *daemon = reload->daemon;
	const struct config *config = daemon->config;
	struct instance *instance;

	while ((instance = retired(daemon)) != NULL) {
		const struct config_provider *now =
			config_provider_find(config, instance_id(instance));
		char id[65];

		cg_text_copy(id, sizeof(id), instance_id(instance));
		channel_close(daemon, instance);
		if (now == NULL || !now->enabled)
			note_channel(reload, id, "removed");
		else
			open_channel(reload, now, "restarted");
	}
	for (size_t i = 0; i < config->provider_count; i++) {
		const struct config_provider *now = &config->providers[i];

		if (now->enabled && is_touched(reload, now->id) &&
			supervisor_find(daemon->supervisor, now->id) == NULL)
			open_channel(reload, now, "added");
	}
}

static void look(void *arg)
{
	struct reload *reload = arg;
	bool waits =
		!reload->swapped && is_still_sending(reload->daemon) && has_time(reload);

	if (!waits && !reload->swapped) {
		swap_channels(reload);
		apply_channels(reload);
		reload->swapped = true;
	}
	if (waits || !tell_plane(reload)) {
		loop_timer_set(&reload->timer, RELOAD_LOOK_MS);
		return;
	}
	log_info("reload.done", "settings",
		log_int((int64_t)cg_json_count(reload->changed)), "channels",
		log_int((int64_t)cg_json_count(reload->channels)), "restart_needed",
		log_int((int64_t)cg_json_count(reload->restart)), NULL);
	reload_end(reload);
}

static void refused(void *arg)
{
	reload_end(arg);
}

/* The beginning. */

static void begin(struct daemon *daemon, operator_reload_done done, void *arg)
{
	struct config_report report;
	struct config_diff diff;
	struct config *config;
	struct reload *reload;
	enum cg_status status;

	config_report_init(&report);
	status = config_reload(
		daemon->options.input, daemon->config, &config, &diff, &report);
	reload = reload_new(daemon, done, arg, status == CG_OK ? look : refused);
	if (reload == NULL)
		abort(); /* whoever asked waits for an answer that could never come */
	daemon->reload = reload;
	notify_reloading(daemon->notify);
	if (status == CG_OK) {
		reload->diff = diff;
		reload->was = daemon->config;
		daemon->config = config;
		reload->until_ms = clock_mono(loop_clock(daemon->loop)) + RELOAD_DRAIN_MS;
		tell_settings(reload);
		apply_settings(daemon);
		apply_certificate(reload);
		retire_touched(reload);
	} else {
		reload->status = status == CG_INVALID ? 422 : 500;
		tell_trouble(reload, &report);
	}
	config_report_finish(&report);
	loop_timer_set(&reload->timer, 0);
}

bool reload_begin(struct daemon *daemon, operator_reload_done done, void *done_arg)
{
	if (daemon->stopping || daemon->reload != NULL)
		return false;
	begin(daemon, done, done_arg);
	return true;
}

void reload_asked(void *arg)
{
	struct daemon *daemon = arg;

	if (!reload_begin(daemon, NULL, NULL))
		daemon->reload_again = !daemon->stopping;
}

void reload_abandon(struct daemon *daemon)
{
	struct reload *reload = daemon->reload;

	if (reload == NULL)
		return;
	reload->status = 503;
	cg_buffer_format(&reload->trouble, "the gateway stops\n");
	daemon->reload_again = false;
	reload_end(reload);
}
