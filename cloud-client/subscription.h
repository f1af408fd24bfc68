/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream that comes back: of a session's events, or of claimed deliveries.
 *
 * It reconnects after a clean end, an error and 45 seconds of silence, with full jitter from
 * 250 ms to 30 s, or after what the Cloud asked for.  The delay starts over with the first
 * event, or once a connection has held for 30 s.
 *
 * A session's stream goes on after the cursor: the last sequence that the owner says is
 * stored, not the last one seen.  So after a reconnect, events that were seen but not stored
 * come again; open() tells from where.
 *
 * All functions may be called from inside the handler's functions.
 */
#ifndef COWGATE_CLOUD_CLIENT_SUBSCRIPTION_H
#define COWGATE_CLOUD_CLIENT_SUBSCRIPTION_H

#include "cloud-client/client.h"
#include "cloud-client/record.h"

#define CLOUD_RECONNECT_BASE_MS 250
#define CLOUD_RECONNECT_CAP_MS 30000
#define CLOUD_STREAM_SILENCE_MS 45000
#define CLOUD_RETRY_AFTER_CAP_MS 3600000 /* longer requests are cut to this */

enum cloud_subscription_state {
	CLOUD_SUBSCRIPTION_CONNECTING, /* asked, no answer yet */
	CLOUD_SUBSCRIPTION_OPEN,
	CLOUD_SUBSCRIPTION_WAITING, /* for the next attempt */
	CLOUD_SUBSCRIPTION_PAUSED, /* by the owner */
	CLOUD_SUBSCRIPTION_REFUSED, /* 401, 403: until cloud_subscription_restart() */
	CLOUD_SUBSCRIPTION_ENDED, /* a session's, 404: for good */
};

/* All but the one for the kind of stream may be NULL. */
struct cloud_subscription_handler {
	/* Connected, again or for the first time; events after @after follow (0: all, or none to
	 * speak of in a delivery stream). */
	void (*open)(void *arg, int64_t after);
	/* One event.  False: no more credit; nothing comes until cloud_subscription_resume(). */
	bool (*session_event)(void *arg, const struct cloud_session_event *event);
	bool (*delivery)(void *arg, const struct cloud_delivery *delivery);
	/* The connection is gone and will be tried again after @retry_ms.  @why is CLOUD_OK after
	 * a clean end. */
	void (*interrupted)(void *arg, const struct cloud_result *why, int64_t retry_ms);
	/* The Cloud reported trouble inside the stream, which goes on. */
	void (*trouble)(void *arg, const char *message);
	/* 401 or 403: an alarm.  It rests until cloud_subscription_restart(). */
	void (*refused)(void *arg, const struct cloud_result *why);
	/* 404: the session is gone.  Still to be closed.  Deliveries are no one thing that could
	 * go: to their stream a 404 is trouble like any other. */
	void (*ended)(void *arg, const struct cloud_result *why);
	void *arg;
};

struct cloud_subscription;

struct cloud_session_stream_params {
	const char *binding_id; /* of the session */
	int64_t after; /* the stored cursor; 0: from the beginning */
};

/* Follow a session.  Connects on a later turn.  LIMIT beyond CLOUD_CLIENT_SUBSCRIPTIONS. */
enum cg_status cloud_session_stream(struct cloud_client *client,
	const struct cloud_session_stream_params *params,
	const struct cloud_subscription_handler *handler, struct cloud_subscription **ret,
	struct cg_error *err);

#define CLOUD_DELIVERY_TTL_MS 120000
#define CLOUD_DELIVERY_BINDINGS 256 /* channel bindings of one stream */

struct cloud_delivery_stream_params {
	const char *const *channel_binding_ids;
	size_t channel_binding_count; /* 1 .. CLOUD_DELIVERY_BINDINGS */
	int64_t ttl_ms; /* of a claim; 0: CLOUD_DELIVERY_TTL_MS */
};

/* Claim and receive deliveries for as long as it is open. */
enum cg_status cloud_delivery_stream(struct cloud_client *client,
	const struct cloud_delivery_stream_params *params,
	const struct cloud_subscription_handler *handler, struct cloud_subscription **ret,
	struct cg_error *err);

/* No handler function is called any more.  Accepts NULL. */
void cloud_subscription_close(struct cloud_subscription *subscription);

/* Everything up to @sequence is stored: where to go on after a reconnect.  Never moves back. */
void cloud_subscription_stored(struct cloud_subscription *subscription, int64_t sequence);

/* Give the connection up and stay away until resume.  (A delivery stream claims while open.) */
void cloud_subscription_pause(struct cloud_subscription *subscription);
/* Go on after pause(), or after an event was answered with false. */
void cloud_subscription_resume(struct cloud_subscription *subscription);

/* Connect anew at once, from the cursor; also after REFUSED.  Not after ENDED. */
void cloud_subscription_restart(struct cloud_subscription *subscription);

/* Forget the cursor's direction: go on after @sequence, lower or higher, with a new connection.
 * For a plane that was restored, or after a snapshot was rendered. */
void cloud_subscription_rewind(struct cloud_subscription *subscription, int64_t sequence);

enum cloud_subscription_state cloud_subscription_state(
	const struct cloud_subscription *subscription);
int64_t cloud_subscription_cursor(const struct cloud_subscription *subscription);

#endif
