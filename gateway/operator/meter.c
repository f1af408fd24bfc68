/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/operator/meter.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

#define STATES 6
#define DIRECTIONS 2
#define OUTCOMES 5

static const double latency_buckets[] = {
	50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000};
static const double operation_buckets[] = {
	25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000};

#define FAMILY(metric, metric_kind, text) \
	{.name = metric, \
		.help = text, \
		.kind = metric_kind, \
		.buckets = latency_buckets, \
		.bucket_count = 9},
static const struct metric_family total_families[] = {
#define METER_TOTAL(row, metric, metric_kind, text) FAMILY(metric, metric_kind, text)
#include "gateway/operator/meter.def"
};
static const struct metric_family channel_families[] = {
#define METER_CHANNEL(row, total, metric, metric_kind, text) \
	FAMILY(metric, metric_kind, text)
#include "gateway/operator/meter.def"
};
/* The total that grows with a channel's counter. */
#define METER_TOTAL_NONE METER_TOTALS
static const enum meter_total total_of[] = {
#define METER_CHANNEL(row, total, ...) METER_TOTAL_##total,
#include "gateway/operator/meter.def"
};
static const struct metric_family state_family = {
	.name = "open_cowork_gateway_provider_state",
	.help = "1 for the state that the provider is in",
	.kind = METRIC_GAUGE};
static const struct metric_family info_family = {.name = "open_cowork_channel_stack_info",
	.help = "Which channel stack this is",
	.kind = METRIC_GAUGE};
static const struct metric_family bindings_family = {
	.name = "open_cowork_channel_bindings",
	.help = "Channel bindings by status",
	.kind = METRIC_GAUGE};
static const struct metric_family messages_family = {
	.name = "open_cowork_channel_messages_total",
	.help = "Channel operations by outcome",
	.kind = METRIC_COUNTER};
static const struct metric_family operation_family = {
	.name = "open_cowork_channel_operation_latency_ms",
	.help = "Latency of finished channel operations, in milliseconds",
	.kind = METRIC_HISTOGRAM,
	.buckets = operation_buckets,
	.bucket_count = 10};

static const char *const states[STATES] = {
	"configured", "starting", "healthy", "unhealthy", "failed", "stopped"};
static const char *const kinds[] = {"telegram", "slack", "email", "discord", "whatsapp",
	"signal", "webhook", "cli", "other"};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
static const char *const directions[DIRECTIONS] = {"inbound", "outbound"};
static const char *const outcomes[OUTCOMES] = {
	"attempt", "success", "retry", "error", "ignored"};

struct channel {
	char id[65];
	size_t kind;
	struct metric *counters[METER_PER_CHANNEL];
	struct metric *states[STATES];
	bool healthy;
};

struct meter {
	struct metrics *metrics;
	struct metric *totals[METER_TOTALS];
	struct metric *messages[KINDS][DIRECTIONS][OUTCOMES];
	struct metric *configured[KINDS], *active[KINDS];
	struct channel channels[METER_CHANNELS];
	size_t channel_count;
};

static size_t kind_index(const char *kind)
{
	for (size_t i = 0; i + 1 < KINDS; i++) {
		if (strcmp(kinds[i], kind) == 0)
			return i;
	}
	return KINDS - 1;
}

/* Labels of the cross-product family, in alphabetical order. */
static struct metric *operation_series(struct meter *meter,
	const struct metric_family *family, size_t kind, size_t direction, size_t outcome)
{
	const struct metric_label labels[] = {{"direction", directions[direction]},
		{"outcome", outcomes[outcome]}, {"provider_kind", kinds[kind]},
		{"schema_version", "2"}, {"stack", "monorepo-provider"},
		{"surface", "cloud-channel-gateway"}};

	return metrics_series(meter->metrics, family, labels, 6);
}

static struct metric *binding_series(struct meter *meter, size_t kind, const char *status)
{
	const struct metric_label labels[] = {{"provider_kind", kinds[kind]},
		{"stack", "monorepo-provider"}, {"status", status},
		{"surface", "cloud-channel-gateway"}};

	return metrics_series(meter->metrics, &bindings_family, labels, 4);
}

static void create_cross_product(struct meter *meter)
{
	const struct metric_label info[] = {{"schema_version", "2"},
		{"stack", "monorepo-provider"}, {"surface", "cloud-channel-gateway"}};

	metric_set(metrics_series(meter->metrics, &info_family, info, 3), 1);
	for (size_t kind = 0; kind < KINDS; kind++) {
		meter->configured[kind] = binding_series(meter, kind, "configured");
		meter->active[kind] = binding_series(meter, kind, "active");
		for (size_t direction = 0; direction < DIRECTIONS; direction++) {
			for (size_t outcome = 0; outcome < OUTCOMES; outcome++)
				meter->messages[kind][direction][outcome] =
					operation_series(meter, &messages_family, kind,
						direction, outcome);
		}
	}
}

enum cg_status meter_create(struct meter **ret, struct cg_error *err)
{
	struct meter *meter = calloc(1, sizeof(*meter));
	enum cg_status status;

	if (meter == NULL)
		return cg_error_nomem(err);
	status = metrics_create(&meter->metrics, err);
	if (status != CG_OK) {
		free(meter);
		return status;
	}
	for (size_t i = 0; i < METER_TOTALS; i++)
		meter->totals[i] =
			metrics_series(meter->metrics, &total_families[i], NULL, 0);
	create_cross_product(meter);
	*ret = meter;
	return CG_OK;
}

void meter_destroy(struct meter *meter)
{
	if (meter == NULL)
		return;
	metrics_destroy(meter->metrics);
	free(meter);
}

enum cg_status meter_add_channel(struct meter *meter, const char *id, const char *kind)
{
	int known = meter_find(meter, id);
	struct channel *channel;

	if (known < 0 && meter->channel_count == METER_CHANNELS)
		return CG_LIMIT;
	channel = &meter->channels[known < 0 ? (int)meter->channel_count++ : known];
	cg_text_copy(channel->id, sizeof(channel->id), id);
	channel->kind = kind_index(kind);
	for (size_t i = 0; i < METER_PER_CHANNEL; i++) {
		const struct metric_label labels[] = {
			{"provider_id", id}, {"provider_kind", kind}};

		channel->counters[i] =
			metrics_series(meter->metrics, &channel_families[i], labels, 2);
	}
	for (size_t i = 0; i < STATES; i++) {
		const struct metric_label labels[] = {{"provider_id", id},
			{"provider_kind", kind}, {"state", states[i]}};

		channel->states[i] =
			metrics_series(meter->metrics, &state_family, labels, 3);
	}
	/* Latency belongs to how an operation ended; its series stand at zero from the start too. */
	for (size_t direction = 0; direction < DIRECTIONS; direction++) {
		operation_series(meter, &operation_family, channel->kind, direction,
			METER_SUCCESS);
		operation_series(
			meter, &operation_family, channel->kind, direction, METER_ERROR);
		operation_series(meter, &operation_family, channel->kind, direction,
			METER_IGNORED);
	}
	metric_add(meter->configured[channel->kind], 1);
	metric_add(meter->totals[METER_TOTAL_PROVIDERS], 1);
	return CG_OK;
}

void meter_remove_channel(struct meter *meter, const char *id)
{
	int index = meter_find(meter, id);

	if (index < 0)
		return;
	meter_state(meter, index, "stopped");
	metric_add(meter->configured[meter->channels[index].kind], -1);
	metric_add(meter->totals[METER_TOTAL_PROVIDERS], -1);
}

int meter_find(const struct meter *meter, const char *id)
{
	for (size_t i = 0; i < meter->channel_count; i++) {
		if (strcmp(meter->channels[i].id, id) == 0)
			return (int)i;
	}
	return -1;
}

void meter_state(struct meter *meter, int index, const char *state)
{
	struct channel *channel;
	bool healthy = strcmp(state, "healthy") == 0;

	if (index < 0)
		return;
	channel = &meter->channels[index];
	for (size_t i = 0; i < STATES; i++)
		metric_set(channel->states[i], strcmp(states[i], state) == 0 ? 1 : 0);
	if (healthy != channel->healthy)
		metric_add(meter->active[channel->kind], healthy ? 1 : -1);
	channel->healthy = healthy;
}

void meter_count(struct meter *meter, enum meter_total what)
{
	metric_add(meter->totals[what], 1);
}

void meter_set(struct meter *meter, enum meter_total what, double value)
{
	metric_set(meter->totals[what], value);
}

void meter_max(struct meter *meter, enum meter_total what, double value)
{
	if (value > metric_value(meter->totals[what]))
		metric_set(meter->totals[what], value);
}

void meter_count_channel(struct meter *meter, enum meter_channel what, int index)
{
	if (total_of[what] != METER_TOTALS)
		metric_add(meter->totals[total_of[what]], 1);
	if (index >= 0)
		metric_add(meter->channels[index].counters[what], 1);
}

void meter_set_channel(
	struct meter *meter, enum meter_channel what, int index, double value)
{
	if (index >= 0)
		metric_set(meter->channels[index].counters[what], value);
}

void meter_latency(struct meter *meter, int index, double ms)
{
	metric_observe(meter->totals[METER_TOTAL_LATENCY], ms);
	if (index >= 0)
		metric_observe(
			meter->channels[index].counters[METER_CHANNEL_LATENCY], ms);
}

void meter_message(struct meter *meter, int index, enum meter_direction direction,
	enum meter_outcome outcome, double latency_ms)
{
	size_t kind = index < 0 ? KINDS - 1 : meter->channels[index].kind;

	metric_add(meter->messages[kind][direction][outcome], 1);
	if (latency_ms >= 0)
		metric_observe(operation_series(meter, &operation_family, kind, direction,
				       outcome),
			latency_ms);
}

enum cg_status meter_write(const struct meter *meter, struct cg_buffer *out)
{
	return metrics_write(meter->metrics, out);
}
