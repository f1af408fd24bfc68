/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that is counted, at zero from the start, under the names of meter.def and the
 * cross-product family open_cowork_channel_*.  Loop thread only.
 */
#ifndef COWGATE_GATEWAY_METER_H
#define COWGATE_GATEWAY_METER_H

#include "runtime/metrics.h"

#define METER_CHANNELS 64

enum meter_total {
#define METER_TOTAL(name, ...) METER_TOTAL_##name,
#include "gateway/operator/meter.def"
	METER_TOTALS
};

enum meter_channel {
#define METER_CHANNEL(name, ...) METER_CHANNEL_##name,
#include "gateway/operator/meter.def"
	METER_PER_CHANNEL
};

enum meter_direction {
	METER_INBOUND,
	METER_OUTBOUND,
};

enum meter_outcome {
	METER_ATTEMPT,
	METER_SUCCESS,
	METER_RETRY,
	METER_ERROR,
	METER_IGNORED,
};

struct meter;

enum cg_status meter_create(struct meter **ret, struct cg_error *err);
void meter_destroy(struct meter *meter);

/* A provider instance; indices count from 0 in the order of the calls, and one that had been
 * removed gets its own again.  LIMIT beyond the cap. */
enum cg_status meter_add_channel(struct meter *meter, const char *id, const char *kind);
/* It is configured no more.  What it counted stays. */
void meter_remove_channel(struct meter *meter, const char *id);
/* Index of an instance, -1 if unknown. */
int meter_find(const struct meter *meter, const char *id);
/* One of the channel states, by its name; "active" follows "healthy". */
void meter_state(struct meter *meter, int channel, const char *state);

void meter_count(struct meter *meter, enum meter_total what);
void meter_set(struct meter *meter, enum meter_total what, double value);
void meter_max(struct meter *meter, enum meter_total what, double value);
/* Both the total of the same name and the channel's; @channel -1 counts the total only. */
void meter_count_channel(struct meter *meter, enum meter_channel what, int channel);
void meter_set_channel(
	struct meter *meter, enum meter_channel what, int channel, double value);
void meter_latency(struct meter *meter, int channel, double ms);
/* One operation of the cross-product family; latency only for a terminal outcome, -1: none. */
void meter_message(struct meter *meter, int channel, enum meter_direction direction,
	enum meter_outcome outcome, double latency_ms);

enum cg_status meter_write(const struct meter *meter, struct cg_buffer *out);

#endif
