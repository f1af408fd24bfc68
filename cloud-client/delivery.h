/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deliveries: what the Cloud wants sent, and what became of it.  They are claimed by the
 * delivery stream of cloud-client/subscription.h.
 */
#ifndef COWGATE_CLOUD_CLIENT_DELIVERY_H
#define COWGATE_CLOUD_CLIENT_DELIVERY_H

#include "cloud-client/client.h"
#include "cloud-client/record.h"

typedef void (*cloud_delivery_done)(void *arg, const struct cloud_result *result,
	const struct cloud_delivery *delivery);
typedef void (*cloud_deliveries_done)(void *arg, const struct cloud_result *result,
	const struct cloud_deliveries *deliveries);

enum cloud_delivery_outcome {
	CLOUD_DELIVERY_SENT,
	CLOUD_DELIVERY_FAILED, /* the Cloud tries again at next_attempt_ms */
	CLOUD_DELIVERY_DEAD,
};

struct cloud_ack_params {
	const char *delivery_id;
	const char *channel_binding_id; /* ids are unique within a binding only */
	const char *claimed_by; /* as in the record; NULL: the client's name */
	enum cloud_delivery_outcome outcome;
	const char *last_error; /* NULL: none */
	int64_t next_attempt_ms; /* wall time, of FAILED; -1: none */
};

/* What became of a claimed delivery.  NOT_FOUND: the claim is no longer ours. */
enum cg_status cloud_ack(struct cloud_client *client,
	const struct cloud_ack_params *params, cloud_delivery_done done, void *arg,
	struct cloud_call **ret);

struct cloud_list_params {
	const char *delivery_id; /* NULL: any */
	const char *status; /* NULL: any */
	const char *channel_binding_id; /* NULL: any */
	int limit; /* 1..200; 0: the Cloud's default */
};

/* Deliveries that this gateway claimed, newest change first. */
enum cg_status cloud_list_deliveries(struct cloud_client *client,
	const struct cloud_list_params *params, cloud_deliveries_done done, void *arg,
	struct cloud_call **ret);

struct cloud_delivery_params {
	const char *delivery_id;
	const char *channel_binding_id; /* NULL: not said */
	const char *last_error; /* of dead_letter; NULL: the Cloud's own text */
};

/* Due again now. */
enum cg_status cloud_retry_delivery(struct cloud_client *client,
	const struct cloud_delivery_params *params, cloud_delivery_done done, void *arg,
	struct cloud_call **ret);
/* Never again. */
enum cg_status cloud_dead_letter(struct cloud_client *client,
	const struct cloud_delivery_params *params, cloud_delivery_done done, void *arg,
	struct cloud_call **ret);

struct cloud_create_delivery_params {
	/* a repeat with it gives the first one; NULL: the Cloud's */
	const char *delivery_id;
	const char *agent_id;
	const char *channel_binding_id;
	const char *session_binding_id; /* NULL: none */
	const char *provider;
	const char *event_type;
	struct json_object *target; /* object; borrowed */
	struct json_object *payload; /* object; borrowed */
};

enum cg_status cloud_create_delivery(struct cloud_client *client,
	const struct cloud_create_delivery_params *params, cloud_delivery_done done,
	void *arg, struct cloud_call **ret);

#endif
