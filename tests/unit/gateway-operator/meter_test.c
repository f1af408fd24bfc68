/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/operator/meter.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *write_all(const struct meter *meter)
{
	struct cg_buffer text;

	cg_buffer_init(&text, 4u << 20);
	CU_ASSERT_EQUAL_FATAL(meter_write(meter, &text), CG_OK);
	return cg_buffer_take(&text, NULL);
}

/* Is there exactly this line? */
static bool has_line(const char *text, const char *line)
{
	size_t length = strlen(line);

	for (const char *at = text; (at = strstr(at, line)) != NULL; at++) {
		if ((at == text || at[-1] == '\n') && at[length] == '\n')
			return true;
	}
	fprintf(stderr, "no line: %s\n", line);
	return false;
}

/* The names that dashboards know, with their types.  Written out: they never change. */
static const char *const totals[][2] = {
	{"uptime_seconds", "gauge"},
	{"providers", "gauge"},
	{"session_streams", "gauge"},
	{"delivery_queue_depth_max", "gauge"},
	{"incoming_messages_total", "counter"},
	{"prompted_messages_total", "counter"},
	{"interactions_resolved_total", "counter"},
	{"deliveries_received_total", "counter"},
	{"deliveries_sent_total", "counter"},
	{"delivery_retries_total", "counter"},
	{"delivery_dead_letters_total", "counter"},
	{"webhook_requests_total", "counter"},
	{"stream_reconnects_total", "counter"},
	{"stream_evictions_total", "counter"},
	{"session_render_retries_total", "counter"},
	{"session_render_dead_letters_total", "counter"},
	{"cursor_persistence_failures_total", "counter"},
	{"cloud_subscription_errors_total", "counter"},
	{"errors_total", "counter"},
	{"dropped_session_events_total", "counter"},
	{"stream_backpressure_disconnects_total", "counter"},
	{"delivery_sheds_total", "counter"},
	{"delivery_duplicates_suppressed_total", "counter"},
};

static const char *const per_provider[] = {"incoming_messages_total",
	"inbound_duplicates_total", "inbound_failures_total", "prompted_messages_total",
	"interactions_resolved_total", "deliveries_received_total",
	"deliveries_sent_total", "delivery_retries_total", "delivery_dead_letters_total",
	"webhook_requests_total"};

static const char *const kinds[] = {"telegram", "slack", "email", "discord", "whatsapp",
	"signal", "webhook", "cli", "other"};

static void meter_stands_at_zero_from_the_start(void)
{
	static const char *const directions[] = {"inbound", "outbound"};
	static const char *const outcomes[] = {
		"attempt", "success", "retry", "error", "ignored"};
	struct meter *meter = NULL;
	char line[512], *text;

	CU_ASSERT_EQUAL_FATAL(meter_create(&meter, NULL), CG_OK);
	text = write_all(meter);
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		snprintf(line, sizeof(line), "# TYPE open_cowork_gateway_%s %s",
			totals[i][0], totals[i][1]);
		CU_ASSERT(has_line(text, line));
		snprintf(line, sizeof(line), "open_cowork_gateway_%s 0", totals[i][0]);
		CU_ASSERT(has_line(text, line));
	}
	CU_ASSERT(has_line(
		text, "# TYPE open_cowork_gateway_delivery_latency_ms histogram"));
	CU_ASSERT(has_line(
		text, "open_cowork_gateway_delivery_latency_ms_bucket{le=\"50\"} 0"));
	CU_ASSERT(has_line(
		text, "open_cowork_gateway_delivery_latency_ms_bucket{le=\"+Inf\"} 0"));
	CU_ASSERT(has_line(text, "open_cowork_gateway_delivery_latency_ms_count 0"));
	CU_ASSERT(has_line(text,
		"open_cowork_channel_stack_info{schema_version=\"2\",stack=\"monorepo-"
		"provider\",surface=\"cloud-channel-gateway\"} 1"));
	for (size_t k = 0; k < 9; k++) {
		snprintf(line, sizeof(line),
			"open_cowork_channel_bindings{provider_kind=\"%s\",stack="
			"\"monorepo-provider\",status=\"configured\",surface="
			"\"cloud-channel-gateway\"} 0",
			kinds[k]);
		CU_ASSERT(has_line(text, line));
		for (size_t i = 0; i < 10; i++) {
			snprintf(line, sizeof(line),
				"open_cowork_channel_messages_total{direction=\"%s\","
				"outcome=\"%s\",provider_kind=\"%s\",schema_version="
				"\"2\",stack=\"monorepo-provider\",surface="
				"\"cloud-channel-gateway\"} 0",
				directions[i / 5], outcomes[i % 5], kinds[k]);
			CU_ASSERT(has_line(text, line));
		}
	}
	free(text);
	meter_destroy(meter);
}

static void meter_of_a_provider_stands_at_zero_too(void)
{
	static const char *const states[] = {
		"configured", "starting", "healthy", "unhealthy", "failed", "stopped"};
	struct meter *meter = NULL;
	char line[512], *text;

	CU_ASSERT_EQUAL_FATAL(meter_create(&meter, NULL), CG_OK);
	CU_ASSERT_EQUAL(meter_add_channel(meter, "hook-1", "webhook"), CG_OK);
	text = write_all(meter);
	for (size_t i = 0; i < sizeof(per_provider) / sizeof(per_provider[0]); i++) {
		snprintf(line, sizeof(line),
			"open_cowork_gateway_provider_%s{provider_id=\"hook-1\","
			"provider_kind=\"webhook\"} 0",
			per_provider[i]);
		CU_ASSERT(has_line(text, line));
	}
	for (size_t i = 0; i < 6; i++) {
		snprintf(line, sizeof(line),
			"open_cowork_gateway_provider_state{provider_id=\"hook-1\","
			"provider_kind=\"webhook\",state=\"%s\"} 0",
			states[i]);
		CU_ASSERT(has_line(text, line));
	}
	CU_ASSERT(has_line(text,
		"open_cowork_gateway_provider_delivery_latency_ms_bucket{provider_id="
		"\"hook-1\",provider_kind=\"webhook\",le=\"30000\"} 0"));
	CU_ASSERT(has_line(text,
		"open_cowork_channel_operation_latency_ms_bucket{direction=\"outbound\","
		"outcome=\"success\",provider_kind=\"webhook\",schema_version=\"2\","
		"stack=\"monorepo-provider\",surface=\"cloud-channel-gateway\",le=\"25\"}"
		" 0"));
	CU_ASSERT(has_line(text, "open_cowork_gateway_providers 1"));
	CU_ASSERT(has_line(text,
		"open_cowork_channel_bindings{provider_kind=\"webhook\",stack="
		"\"monorepo-provider\",status=\"configured\",surface="
		"\"cloud-channel-gateway\"} 1"));
	free(text);
	meter_destroy(meter);
}

static void meter_counts_totals_with_their_channels(void)
{
	struct meter *meter = NULL;
	char *text;

	CU_ASSERT_EQUAL_FATAL(meter_create(&meter, NULL), CG_OK);
	meter_add_channel(meter, "telegram", "telegram");
	meter_add_channel(meter, "demo", "fake");
	CU_ASSERT_EQUAL(meter_find(meter, "demo"), 1);
	CU_ASSERT_EQUAL(meter_find(meter, "nobody"), -1);
	meter_count_channel(meter, METER_CHANNEL_SENT, 0);
	meter_count_channel(meter, METER_CHANNEL_SENT, 1);
	meter_count_channel(meter, METER_CHANNEL_SENT, -1);
	meter_count_channel(meter, METER_CHANNEL_DUPLICATES, 0); /* no total of its own */
	meter_count(meter, METER_TOTAL_ERRORS);
	meter_latency(meter, 0, 60);
	meter_message(meter, 1, METER_OUTBOUND, METER_SUCCESS, 30);
	meter_message(meter, 1, METER_OUTBOUND, METER_ATTEMPT, -1);
	meter_max(meter, METER_TOTAL_QUEUE_DEPTH_MAX, 7);
	meter_max(meter, METER_TOTAL_QUEUE_DEPTH_MAX, 5);
	text = write_all(meter);
	CU_ASSERT(has_line(text, "open_cowork_gateway_deliveries_sent_total 3"));
	CU_ASSERT(has_line(text,
		"open_cowork_gateway_provider_deliveries_sent_total{provider_id="
		"\"telegram\",provider_kind=\"telegram\"} 1"));
	CU_ASSERT(has_line(text,
		"open_cowork_gateway_provider_inbound_duplicates_total{provider_id="
		"\"telegram\",provider_kind=\"telegram\"} 1"));
	CU_ASSERT(has_line(text, "open_cowork_gateway_errors_total 1"));
	CU_ASSERT(has_line(text, "open_cowork_gateway_delivery_queue_depth_max 7"));
	CU_ASSERT(has_line(
		text, "open_cowork_gateway_delivery_latency_ms_bucket{le=\"50\"} 0"));
	CU_ASSERT(has_line(
		text, "open_cowork_gateway_delivery_latency_ms_bucket{le=\"100\"} 1"));
	/* A kind that the family does not know is "other". */
	CU_ASSERT(has_line(text,
		"open_cowork_channel_messages_total{direction=\"outbound\",outcome="
		"\"success\",provider_kind=\"other\",schema_version=\"2\",stack="
		"\"monorepo-provider\",surface=\"cloud-channel-gateway\"} 1"));
	CU_ASSERT(has_line(text,
		"open_cowork_channel_operation_latency_ms_count{direction=\"outbound\","
		"outcome=\"success\",provider_kind=\"other\",schema_version=\"2\",stack="
		"\"monorepo-provider\",surface=\"cloud-channel-gateway\"} 1"));
	free(text);
	meter_destroy(meter);
}

static void meter_follows_the_state_of_a_channel(void)
{
	static const char active[] =
		"open_cowork_channel_bindings{provider_kind=\"slack\",stack=\"monorepo-"
		"provider\",status=\"active\",surface=\"cloud-channel-gateway\"} %d";
	static const struct {
		const char *state;
		int active;
	} steps[] = {{"healthy", 1}, {"healthy", 1}, {"unhealthy", 0}, {"failed", 0},
		{"healthy", 1}, {"stopped", 0}};
	struct meter *meter = NULL;

	CU_ASSERT_EQUAL_FATAL(meter_create(&meter, NULL), CG_OK);
	meter_add_channel(meter, "slack", "slack");
	meter_state(meter, -1, "healthy");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		char line[512], *text, *ones;
		size_t count = 0;

		meter_state(meter, 0, steps[i].state);
		text = write_all(meter);
		snprintf(line, sizeof(line), active, steps[i].active);
		CU_ASSERT(has_line(text, line));
		snprintf(line, sizeof(line),
			"open_cowork_gateway_provider_state{provider_id=\"slack\","
			"provider_kind=\"slack\",state=\"%s\"} 1",
			steps[i].state);
		CU_ASSERT(has_line(text, line));
		/* In one state at a time. */
		for (ones = text;
			(ones = strstr(ones, "gateway_provider_state{")) != NULL; ones++)
			count += ones[strcspn(ones, "\n") - 1] == '1';
		CU_ASSERT_EQUAL(count, 1);
		free(text);
	}
	meter_destroy(meter);
}

static void meter_has_room_for_so_many(void)
{
	struct meter *meter = NULL;
	char id[16], *text;

	CU_ASSERT_EQUAL_FATAL(meter_create(&meter, NULL), CG_OK);
	for (int i = 0; i < METER_CHANNELS; i++) {
		snprintf(id, sizeof(id), "c%d", i);
		CU_ASSERT_EQUAL(meter_add_channel(meter, id, kinds[i % 9]), CG_OK);
	}
	CU_ASSERT_EQUAL(meter_add_channel(meter, "more", "cli"), CG_LIMIT);
	/* All of them have their series, and the page holds them. */
	text = write_all(meter);
	CU_ASSERT(has_line(text,
		"open_cowork_gateway_provider_webhook_requests_total{provider_id="
		"\"c63\",provider_kind=\"telegram\"} 0"));
	free(text);
	meter_destroy(meter);
	meter_destroy(NULL);
}

static void meter_knows_who_came_back(void)
{
	struct meter *meter;
	char *text;

	CU_ASSERT_EQUAL_FATAL(meter_create(&meter, NULL), CG_OK);
	CU_ASSERT_EQUAL(meter_add_channel(meter, "a", "cli"), CG_OK);
	CU_ASSERT_EQUAL(meter_add_channel(meter, "b", "cli"), CG_OK);
	meter_state(meter, 0, "healthy");
	meter_count_channel(meter, METER_CHANNEL_SENT, 0);
	meter_remove_channel(meter, "a");
	meter_remove_channel(meter, "nobody");
	text = write_all(meter);
	CU_ASSERT(has_line(text, "open_cowork_gateway_providers 1"));
	CU_ASSERT(has_line(text, "open_cowork_gateway_provider_state{provider_id=\"a\","
				 "provider_kind=\"cli\",state=\"stopped\"} 1"));
	free(text);
	CU_ASSERT_EQUAL(meter_add_channel(meter, "a", "cli"), CG_OK);
	CU_ASSERT_EQUAL(meter_find(meter, "a"), 0);
	text = write_all(meter);
	CU_ASSERT(has_line(text, "open_cowork_gateway_providers 2"));
	CU_ASSERT(has_line(text,
		"open_cowork_gateway_provider_deliveries_sent_total{provider_id=\"a\","
		"provider_kind=\"cli\"} 1"));
	free(text);
	meter_destroy(meter);
}

UNIT_SUITE(meter, UNIT_TEST(meter_knows_who_came_back),
	UNIT_TEST(meter_stands_at_zero_from_the_start),
	UNIT_TEST(meter_of_a_provider_stands_at_zero_too),
	UNIT_TEST(meter_counts_totals_with_their_channels),
	UNIT_TEST(meter_follows_the_state_of_a_channel),
	UNIT_TEST(meter_has_room_for_so_many));
