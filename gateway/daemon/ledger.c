/* SPDX-License-Identifier: Apache-2.0 */
/* What happens, counted and logged: one key=value line per outcome, no texts, no secrets. */
#include "gateway/daemon/house.h"

#include "runtime/log.h"

#include <cowgate/sdk/error.h>
#include <stdio.h>
#include <string.h>

static int channel_of(const struct daemon *daemon, const char *instance)
{
	return instance == NULL ? -1 : meter_find(daemon->meter, instance);
}

void ledger_fact(
	void *arg, enum conversation_fact fact, const char *instance, const char *detail)
{
	struct daemon *daemon = arg;
	int channel = channel_of(daemon, instance);
	char text[640];

	switch (fact) {
	case CONVERSATION_PROMPTED:
		meter_count_channel(daemon->meter, METER_CHANNEL_PROMPTED, channel);
		meter_message(daemon->meter, channel, METER_INBOUND, METER_SUCCESS, -1);
		if (daemon->token_refused)
			conversation_retry(daemon->conversation);
		daemon->token_refused = false;
		alert_ends(daemon, ALERT_TOKEN, NULL);
		claimed_retry(daemon->claimed);
		log_debug("message.prompted", "instance", instance, NULL);
		break;
	case CONVERSATION_COMMAND:
		meter_message(daemon->meter, channel, METER_INBOUND, METER_SUCCESS, -1);
		log_debug(
			"message.command", "instance", instance, "command", detail, NULL);
		break;
	case CONVERSATION_DUPLICATE:
	case CONVERSATION_IGNORED:
		meter_message(daemon->meter, channel, METER_INBOUND, METER_IGNORED, -1);
		log_debug("message.ignored", "instance", instance, NULL);
		break;
	case CONVERSATION_STRANGER:
		meter_message(daemon->meter, channel, METER_INBOUND, METER_IGNORED, -1);
		log_info(
			"message.stranger", "instance", instance, "status", detail, NULL);
		break;
	case CONVERSATION_REFUSED:
		meter_message(daemon->meter, channel, METER_INBOUND, METER_ERROR, -1);
		meter_count(daemon->meter, METER_TOTAL_ERRORS);
		log_warn("message.refused", "instance", instance, "code", detail, NULL);
		break;
	case CONVERSATION_EXPIRED:
		meter_message(daemon->meter, channel, METER_INBOUND, METER_ERROR, -1);
		meter_count(daemon->meter, METER_TOTAL_ERRORS);
		alert_begins(daemon, ALERT_EXPIRED, instance, NULL);
		log_error("message.expired", "instance", instance, NULL);
		break;
	case CONVERSATION_WAITING:
		log_warn("message.waiting", "instance", instance, "why", detail, NULL);
		break;
	case CONVERSATION_TOKEN_REFUSED:
		daemon->token_refused = true;
		alert_begins(daemon, ALERT_TOKEN, NULL, detail);
		log_error("cloud.token_refused", "instance", instance, "code", detail,
			NULL);
		break;
	case CONVERSATION_LOOP:
		meter_message(daemon->meter, channel, METER_INBOUND, METER_IGNORED, -1);
		snprintf(text, sizeof(text), "%s:%s", instance, detail);
		alert_begins(daemon, ALERT_LOOP, NULL, text);
		log_warn("message.loop", "instance", instance, "chat", detail, NULL);
		break;
	case CONVERSATION_STREAM_LOST:
		meter_count(daemon->meter, METER_TOTAL_RECONNECTS);
		log_info("stream.reconnect", "instance", instance, "why", detail, NULL);
		break;
	}
}

/* Whoever sits at a channel's own terminal, and so at this log, sees what becomes of a message. */
static enum cg_log_level outcome_level(const struct daemon *daemon, const char *id)
{
	const struct instance *instance = supervisor_find(daemon->supervisor, id);

	return instance != NULL && (instance_provider(instance)->flags &
					   CG_PROVIDER_LOCAL_ONLY) != 0
		       ? CG_LOG_DEBUG
		       : CG_LOG_INFO;
}

void ledger_closed(void *arg, const struct inbox_message *message, enum inbox_end end,
	const char *reason)
{
	bool dead = end == INBOX_DEAD;

	log_outcome(dead ? CG_LOG_WARN : outcome_level(arg, message->instance),
		dead ? "message.dead" : "message.handed", "event", message->event_id,
		"instance", message->instance, "as", reason == NULL ? "prompt" : reason,
		NULL);
}

void ledger_claimed(void *arg, enum claimed_fact fact, const char *detail)
{
	struct daemon *daemon = arg;

	switch (fact) {
	case CLAIMED_CONNECTED:
		log_info("deliveries.connected", NULL);
		break;
	case CLAIMED_LOST:
		meter_count(daemon->meter, METER_TOTAL_RECONNECTS);
		log_info("deliveries.reconnect", "why", detail, NULL);
		break;
	case CLAIMED_REFUSED:
		log_error("deliveries.refused", "code", detail, "mend",
			"check the token and the channel bindings that it is granted",
			NULL);
		break;
	case CLAIMED_TROUBLE:
		log_warn("deliveries.trouble", "why", detail, NULL);
		break;
	case CLAIMED_PAUSED:
		log_warn("deliveries.paused", "why", "too much waits here", NULL);
		break;
	case CLAIMED_RETURNED:
		log_info("deliveries.returned", "delivery", detail, NULL);
		break;
	case CLAIMED_UNSENDABLE:
		meter_count(daemon->meter, METER_TOTAL_ERRORS);
		log_warn("deliveries.unsendable", "why", detail, NULL);
		break;
	case CLAIMED_FOREIGN:
		meter_count(daemon->meter, METER_TOTAL_ERRORS);
		log_error("deliveries.foreign", "delivery", detail, "mend",
			"another gateway runs under this instance id: give each its own "
			"OPEN_COWORK_GATEWAY_INSTANCE_ID",
			NULL);
		break;
	}
}

static const char *outcome_class(const struct cg_outcome *outcome)
{
	static const char *const names[] = {
		[CG_OUTCOME_SENT] = "sent",
		[CG_OUTCOME_NOT_DISPATCHED] = "not_dispatched",
		[CG_OUTCOME_REFUSED] = "refused",
		[CG_OUTCOME_RATE_LIMITED] = "rate_limited",
		[CG_OUTCOME_AMBIGUOUS] = "ambiguous",
	};

	return outcome == NULL ? NULL : names[outcome->class];
}

void ledger_report(void *arg, const struct delivery_report *report)
{
	struct daemon *daemon = arg;
	int channel = channel_of(daemon, report->row->instance);
	const char *platform =
		report->outcome == NULL || report->outcome->platform_status == 0
			? NULL
			: log_int(report->outcome->platform_status);

	conversation_delivered(daemon->conversation, report->row, report->state);
	if (report->row->claim != NULL && report->state != OUTBOX_SENDING)
		claimed_look(daemon->claimed);
	switch (report->state) {
	case OUTBOX_SENT:
		meter_count_channel(daemon->meter, METER_CHANNEL_SENT, channel);
		meter_latency(daemon->meter, channel, (double)report->latency_ms);
		meter_message(daemon->meter, channel, METER_OUTBOUND, METER_SUCCESS,
			(double)report->latency_ms);
		log_outcome(outcome_level(daemon, report->row->instance), "delivery.sent",
			"delivery", report->row->delivery_id, "instance",
			report->row->instance, "part", log_int(report->row->part), "ms",
			log_int(report->latency_ms), NULL);
		break;
	case OUTBOX_PENDING:
	case OUTBOX_UNKNOWN:
		if (report->state == OUTBOX_UNKNOWN)
			meter_count_channel(
				daemon->meter, METER_CHANNEL_UNKNOWN, channel);
		if (report->outcome != NULL &&
			report->outcome->class == CG_OUTCOME_RATE_LIMITED)
			meter_count_channel(
				daemon->meter, METER_CHANNEL_FLOOD_WAITS, channel);
		meter_count_channel(daemon->meter, METER_CHANNEL_RETRIES, channel);
		meter_message(daemon->meter, channel, METER_OUTBOUND, METER_RETRY, -1);
		log_warn("delivery.retry", "delivery", report->row->delivery_id,
			"instance", report->row->instance, "state",
			outbox_state_name(report->state), "class",
			outcome_class(report->outcome), "platform", platform, "attempt",
			log_int(report->row->attempts), NULL);
		break;
	case OUTBOX_DEAD:
		meter_count_channel(daemon->meter, METER_CHANNEL_DEAD, channel);
		meter_count(daemon->meter, METER_TOTAL_ERRORS);
		meter_message(daemon->meter, channel, METER_OUTBOUND, METER_ERROR, -1);
		/* Never about an alert: it would be the next one's cause. */
		if (strncmp(report->row->delivery_id, ALERT_LETTER,
			    strlen(ALERT_LETTER)) != 0)
			alert_begins(daemon, ALERT_DEAD, report->row->instance,
				report->reason);
		log_outcome(CG_LOG_ERROR, "delivery.dead", "delivery",
			report->row->delivery_id, "instance", report->row->instance,
			"reason", report->reason, "class", outcome_class(report->outcome),
			"platform", platform, NULL);
		break;
	case OUTBOX_SENDING:
		meter_message(daemon->meter, channel, METER_OUTBOUND, METER_ATTEMPT, -1);
		break;
	case OUTBOX_SUPERSEDED:
		break;
	}
}

void ledger_submitted(void *arg, struct instance *instance, enum cg_verdict verdict)
{
	struct daemon *daemon = arg;
	int channel = channel_of(daemon, instance_id(instance));

	if (verdict == CG_VERDICT_COMMITTED) {
		meter_count_channel(daemon->meter, METER_CHANNEL_INCOMING, channel);
		meter_message(daemon->meter, channel, METER_INBOUND, METER_ATTEMPT, -1);
	} else if (verdict == CG_VERDICT_DUPLICATE) {
		meter_count_channel(daemon->meter, METER_CHANNEL_DUPLICATES, channel);
	} else {
		meter_count_channel(daemon->meter, METER_CHANNEL_FAILURES, channel);
		log_warn("message.not_stored", "instance", instance_id(instance),
			"verdict", log_int(verdict), NULL);
	}
}

/* A stopped one was removed, or everything stops: that is no news. */
static void tell_channel(struct daemon *daemon, const struct instance *instance,
	enum channel_state state, const char *detail)
{
	const struct cg_health *health = instance_health(instance);
	const char *id = instance_id(instance);
	bool refused = health->inbound == CG_HEALTH_REFUSED ||
		       health->outbound == CG_HEALTH_REFUSED;

	if (daemon->alert == NULL)
		return; /* nothing runs yet */
	if (state == CHANNEL_FAILED || state == CHANNEL_UNHEALTHY) {
		alert_begins(daemon, refused ? ALERT_ACCOUNT : ALERT_DEAF, id, detail);
	} else if (state == CHANNEL_HEALTHY) {
		alert_ends(daemon, ALERT_ACCOUNT, id);
		alert_ends(daemon, ALERT_DEAF, id);
	}
}

void ledger_channel(void *arg, struct instance *instance, enum channel_state state,
	const char *detail)
{
	struct daemon *daemon = arg;
	const char *id = instance_id(instance);
	const char *text = detail[0] == '\0' ? NULL : detail;

	meter_state(daemon->meter, channel_of(daemon, id), channel_state_name(state));
	tell_channel(daemon, instance, state, text);
	if (state == CHANNEL_FAILED || state == CHANNEL_UNHEALTHY)
		log_error("channel.state", "instance", id, "state",
			channel_state_name(state), "detail", text, NULL);
	else
		log_info("channel.state", "instance", id, "state",
			channel_state_name(state), "detail", text, NULL);
	if (state == CHANNEL_HEALTHY && daemon->delivery != NULL) {
		delivery_resume(daemon->delivery, id);
		delivery_wake(daemon->delivery);
	}
}

void ledger_provider_log(
	void *arg, struct instance *instance, enum cg_log_level level, const char *text)
{
	(void)arg;
	if (log_enabled(level))
		log_write(level, "provider", "instance", instance_id(instance), "text",
			text, NULL);
}

void ledger_store(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct daemon *daemon = arg;

	if (status == CG_OK) {
		log_info("store.healthy", NULL);
		alert_ends(daemon, ALERT_DISK, NULL);
		delivery_wake(daemon->delivery);
		conversation_inbox_ready(daemon->conversation);
		return;
	}
	meter_count(daemon->meter, METER_TOTAL_ERRORS);
	alert_begins(daemon, ALERT_DISK, NULL, cg_status_text(status));
	log_error("store.failing", "status", cg_status_name(status), "detail",
		err == NULL ? NULL : err->text, NULL);
}

void ledger_plane_notice(
	void *arg, int level, const char *event, const char *key, const char *value)
{
	(void)arg;
	if (log_enabled((enum cg_log_level)level))
		log_write((enum cg_log_level)level, event, key == NULL ? "detail" : key,
			value, NULL);
}
