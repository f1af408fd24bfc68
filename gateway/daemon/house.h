/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon as its own files see it. */
#ifndef COWGATE_GATEWAY_HOUSE_H
#define COWGATE_GATEWAY_HOUSE_H

#include "cloud-client/client.h"
#include "control-plane/plane.h"
#include "gateway/conversation/claimed.h"
#include "gateway/conversation/conversation.h"
#include "gateway/daemon/alert.h"
#include "gateway/daemon/cloud_link.h"
#include "gateway/daemon/daemon.h"
#include "gateway/daemon/notify.h"
#include "gateway/daemon/reload.h"
#include "gateway/delivery/delivery.h"
#include "gateway/journal/journal.h"
#include "gateway/journal/spool.h"
#include "gateway/operator/operator.h"
#include "gateway/plugins/supervisor.h"
#include "runtime/http_client.h"
#include "runtime/http_server.h"
#include "runtime/offload.h"

#include <cowgate/sdk/host_lock.h>
#include <sys/queue.h>

struct daemon {
	struct daemon_options options;
	struct config *config; /* in force; owned with others */
	char *workspaces[CONFIG_AGENTS +
			 1]; /* where agents work that are told no place */
	size_t workspace_count;
	struct clock clock;
	struct loop_timer time_timer;
	int64_t shift_ms; /* the clock has moved by that, the deadlines not yet; 0: both */
	struct loop *loop;
	struct offload *offload;
	struct http_client *http;
	struct journal *journal;
	struct spool *spool;
	struct meter *meter;
	struct plane *plane; /* standalone */
	LIST_HEAD(, door) doors; /* requests that the plane is answering over HTTP */
	struct cloud_link *link; /* cloud_channel */
	struct cloud_transport transport;
	struct cloud_host cloud_host;
	struct cloud_client *cloud;
	struct outlet outlet;
	struct delivery *delivery;
	struct conversation *conversation;
	struct claimed *claimed;
	LIST_HEAD(, cloud_inquiry)
	inquiries; /* of the operator's, that the Cloud is answering */
	struct cg_host_lock name; /* cloud_channel: without it nothing is claimed */
	struct loop_timer name_timer; /* until the next attempt to get it */
	bool name_taken; /* somebody else has it */
	struct instance_services services;
	struct supervisor *supervisor;
	struct operator* operator;
	struct http_server *server;
	struct http_tls *tls; /* NULL: the port speaks plain HTTP */
	struct cg_secret admin_token;
	/* Every instance since the start, also those that a reload has removed: what was taken in for
	 * them is still handed over.  Places never change. */
	struct conversation_channel channels[SUPERVISOR_INSTANCES];
	/* whose strings these are */
	struct config *channel_configs[SUPERVISOR_INSTANCES];
	size_t channel_count;
	/* those that are here */
	struct conversation_channel claiming[SUPERVISOR_INSTANCES];
	size_t claiming_count;
	struct alert *alert;
	struct loop_timer alert_timer;
	alert_stored alert_stored; /* of the text that the journal has */
	void *alert_stored_arg;
	int64_t oldest_inbox_ms,
		oldest_outbox_ms; /* wall clock, when last looked; 0: none */
	bool oldest_asked; /* the journal is looking */
	int64_t started_ms; /* wall clock */
	struct reload *reload; /* NULL: none is under way */
	bool reload_again; /* asked for meanwhile */
	bool plane_behind; /* the plane has not learned which channels there are now */
	bool stale[SUPERVISOR_INSTANCES]; /* could not get its newest settings */
	char spool_dir[CONFIG_PATH + 16];
	char url[320];
	struct loop_watch terminate, interrupt, hangup;
	struct loop_timer drain_deadline;
	struct notify *notify;
	bool starving; /* the watchdog is not fed */
	bool was_used; /* the journal had rows at the start */
	bool stopping, token_refused;
	struct cg_error agent_error; /* status CG_OK while the agent can answer */
};

/* admin_token.c: the configured one, or one that is made and kept in the data directory. */
enum cg_status admin_token_load(
	const struct config *config, struct cg_secret *ret, struct cg_error *err);

/* name_lock.c: the right to claim under an instance id, among the gateways of this host.  A held
 * lock stays.  BUSY: another process has it.  Where nothing can be told it is given. */
enum cg_status name_lock_take(struct cg_host_lock *lock, const char *cloud_url,
	const char *instance_id, struct cg_error *err);

/* time_watch.c: whether the machine's clock was set.  Once at the start, then by its own timer. */
void time_look(void *daemon);

/* plane_link.c: the embedded plane as a transport of the Cloud's client. */
void plane_link(struct plane *plane, struct cloud_transport *ret);

/* plane_door.c: the plane's routes over HTTP, in the right of whoever asks. */
void plane_door(struct daemon *daemon, struct http_request *request);
/* Streams end cleanly, calls are told to come again. */
void plane_door_close(struct daemon *daemon);

/* cloud_desk.c: for struct operator_host.  close() before the operator's floor goes. */
bool cloud_desk_list(void *arg, const struct operator_cloud_query *query,
	operator_cloud_done done, void *done_arg);
bool cloud_desk_change(void *arg, enum operator_verb verb,
	const struct operator_cloud_query *query, operator_cloud_done done,
	void *done_arg);
void cloud_desk_close(struct daemon *daemon);

/* saying.c: for struct operator_host.  is_paused(): for supervisor_hooks. */
void saying_say(void *arg, const struct operator_message *message, journal_done done,
	void *done_arg);
void saying_pause(
	void *arg, const char *id, bool pause, journal_done done, void *done_arg);
bool saying_is_paused(void *arg, const struct instance *instance);

/* cloud_clock.c: the loop's time and timers, as the Cloud's client wants them. */
void cloud_clock(struct loop *loop, struct cloud_host *ret);

/* alert_link.c: what the operator is told in a chat. */
#define ALERT_LETTER "alert:" /* how the ids of these deliveries begin */
enum cg_status alert_link(struct daemon *daemon, struct cg_error *err);
void alert_begins(struct daemon *daemon, enum alert_kind kind, const char *about,
	const char *detail);
void alert_ends(struct daemon *daemon, enum alert_kind kind, const char *about);
void alert_unlink(struct daemon *daemon);

/* outlets.c: the providers, as delivery and conversation see them. */
void outlets(struct daemon *daemon, struct outlet *ret);

/* ledger.c: what happens, counted and logged. */
void ledger_fact(
	void *arg, enum conversation_fact fact, const char *instance, const char *detail);
void ledger_closed(void *arg, const struct inbox_message *message, enum inbox_end end,
	const char *reason);
void ledger_claimed(void *arg, enum claimed_fact fact, const char *detail);
void ledger_report(void *arg, const struct delivery_report *report);
void ledger_submitted(void *arg, struct instance *instance, enum cg_verdict verdict);
void ledger_channel(void *arg, struct instance *instance, enum channel_state state,
	const char *detail);
void ledger_provider_log(
	void *arg, struct instance *instance, enum cg_log_level level, const char *text);
void ledger_store(void *arg, enum cg_status status, const struct cg_error *err);
void ledger_plane_notice(
	void *arg, int level, const char *event, const char *key, const char *value);

/* showing.c: what the operator's floor asks. */
void showing(struct daemon *daemon, struct operator_host *ret);
/* The same in one line, for the service manager. */
void showing_status(void *daemon, char *ret, size_t size);

/* channels.c: the instances of the configuration, here and as others want to see them. */
#define DAEMON_SEND_MS 7000 /* around a provider's own deadline: its grace, two commits */
#define DAEMON_FOREIGN_CHANNELS 32
#define DAEMON_PLANE_CHANNELS (CONFIG_PROVIDERS + DAEMON_FOREIGN_CHANNELS + 1)
/* For instance_services. */
void channel_changed(void *arg, struct instance *instance);
/* Make an instance of @provider, which is @config's; it starts when the others have. */
enum cg_status channel_open(struct daemon *daemon, const struct config_provider *provider,
	struct config *config, struct cg_error *err);
/* Stop it, answer what it owes an answer for, destroy it. */
void channel_close(struct daemon *daemon, struct instance *instance);
/* Its place among daemon->channels, -1: none. */
int channel_place(const struct daemon *daemon, const char *id);
/* Bring daemon->claiming up to date. */
void channels_claim(struct daemon *daemon);
size_t channels_of_plane(
	const struct config *config, struct plane_channel ret[DAEMON_PLANE_CHANNELS]);
void channels_finish(struct daemon *daemon);

/* cloud.c */
enum cg_status daemon_make_cloud(struct daemon *daemon, struct cg_error *err);

/* doors.c */
enum cg_status daemon_make_doors(struct daemon *daemon, struct cg_error *err);

/* daemon.c */
uint64_t daemon_random(void *arg);
void daemon_stop(void *arg);

#endif
