/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/metrics.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double seconds[] = {0.1, 0.5, 1};

static const struct metric_family requests = {
	"demo_requests_total", "Requests by kind.", METRIC_COUNTER, NULL, 0};
static const struct metric_family depth = {
	"demo_depth", "Back\\slash and\nnew \"line\".", METRIC_GAUGE, NULL, 0};
static const struct metric_family latency = {
	"demo_latency_seconds", "Time taken.", METRIC_HISTOGRAM, seconds, 3};

static struct metrics *make_metrics(void)
{
	struct metrics *metrics = NULL;

	CU_ASSERT_FATAL(metrics_create(&metrics, NULL) == CG_OK);
	return metrics;
}

static void assert_text(const struct metrics *metrics, const char *expected)
{
	struct cg_buffer out;

	cg_buffer_init(&out, 1u << 20);
	CU_ASSERT(metrics_write(metrics, &out) == CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&out), expected);
	if (strcmp(cg_buffer_string(&out), expected) != 0)
		fprintf(stderr, "got:\n%s", cg_buffer_string(&out));
	cg_buffer_finish(&out);
}

static void series_are_zero_until_counted(void)
{
	struct metrics *metrics = make_metrics();
	const struct metric_label in = {"kind", "in"}, out = {"kind", "out"};
	struct metric *first = metrics_series(metrics, &requests, &in, 1);

	assert_text(metrics, "# HELP demo_requests_total Requests by kind.\n"
			     "# TYPE demo_requests_total counter\n"
			     "demo_requests_total{kind=\"in\"} 0\n");
	metric_add(metrics_series(metrics, &depth, NULL, 0), -2.5);
	metric_add(metrics_series(metrics, &requests, &out, 1), 3);
	metric_add(first, 1);
	metric_add(first, -1);
	metric_add(first, NAN);
	CU_ASSERT(metrics_series(metrics, &requests, &in, 1) == first);
	CU_ASSERT_DOUBLE_EQUAL(metric_value(first), 1, 0);
	assert_text(metrics, "# HELP demo_requests_total Requests by kind.\n"
			     "# TYPE demo_requests_total counter\n"
			     "demo_requests_total{kind=\"in\"} 1\n"
			     "demo_requests_total{kind=\"out\"} 3\n"
			     "# HELP demo_depth Back\\\\slash and\\nnew \"line\".\n"
			     "# TYPE demo_depth gauge\n"
			     "demo_depth -2.5\n");
	metrics_destroy(metrics);
	metrics_destroy(NULL);
}

static void labels_are_escaped_and_ordered(void)
{
	struct metrics *metrics = make_metrics();
	const struct metric_label labels[] = {{"b", "say \"hi\"\\\n"}, {"a", "\xc3\xa9"}};
	const struct metric_label swapped[] = {labels[1], labels[0]};

	metric_set(metrics_series(metrics, &requests, labels, 2), 9007199254740993.0);
	assert_text(metrics,
		"# HELP demo_requests_total Requests by kind.\n"
		"# TYPE demo_requests_total counter\n"
		"demo_requests_total{b=\"say \\\"hi\\\"\\\\\\n\",a=\"\xc3\xa9\"} "
		"9007199254740992\n");
	CU_ASSERT(metrics_series(metrics, &requests, labels, 2) !=
		  metrics_series(metrics, &requests, swapped, 2));
	metrics_destroy(metrics);
}

static void histograms_are_cumulative(void)
{
	struct metrics *metrics = make_metrics();
	const struct metric_label label = {"kind", "x"};
	struct metric *plain = metrics_series(metrics, &latency, NULL, 0);
	struct metric *labelled = metrics_series(metrics, &latency, &label, 1);

	metric_observe(plain, 0.1); /* bounds belong to their bucket */
	metric_observe(plain, 0.25);
	metric_observe(plain, 2);
	metric_observe(plain, NAN);
	metric_add(plain, 1);
	metric_set(plain, 1);
	metric_observe(labelled, 0.75);
	CU_ASSERT_DOUBLE_EQUAL(metric_value(plain), 3, 0);
	assert_text(metrics, "# HELP demo_latency_seconds Time taken.\n"
			     "# TYPE demo_latency_seconds histogram\n"
			     "demo_latency_seconds_bucket{le=\"0.1\"} 1\n"
			     "demo_latency_seconds_bucket{le=\"0.5\"} 2\n"
			     "demo_latency_seconds_bucket{le=\"1\"} 2\n"
			     "demo_latency_seconds_bucket{le=\"+Inf\"} 3\n"
			     "demo_latency_seconds_sum 2.35\n"
			     "demo_latency_seconds_count 3\n"
			     "demo_latency_seconds_bucket{kind=\"x\",le=\"0.1\"} 0\n"
			     "demo_latency_seconds_bucket{kind=\"x\",le=\"0.5\"} 0\n"
			     "demo_latency_seconds_bucket{kind=\"x\",le=\"1\"} 1\n"
			     "demo_latency_seconds_bucket{kind=\"x\",le=\"+Inf\"} 1\n"
			     "demo_latency_seconds_sum{kind=\"x\"} 0.75\n"
			     "demo_latency_seconds_count{kind=\"x\"} 1\n");
	metrics_destroy(metrics);
}

static void numbers_read_back_the_same(void)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{INFINITY, "+Inf"},
		{-INFINITY, "-Inf"},
		{NAN, "NaN"},
		{0.1, "0.1"},
		{1.0 / 3, "0.33333333333333331"},
		{1e21, "1e+21"},
		{1763780645.678, "1763780645.678"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct metrics *metrics = make_metrics();
		const struct metric_family family = {"x", "h", METRIC_GAUGE, NULL, 0};
		char expected[128];

		metric_set(metrics_series(metrics, &family, NULL, 0), rows[i].value);
		snprintf(expected, sizeof(expected), "# HELP x h\n# TYPE x gauge\nx %s\n",
			rows[i].text);
		assert_text(metrics, expected);
		metrics_destroy(metrics);
	}
}

static void caps_give_no_series(void)
{
	struct metrics *metrics = make_metrics();
	const struct metric_family other = {"demo_depth", "h", METRIC_COUNTER, NULL, 0};
	const struct metric_family wide = {
		"demo_wide", "h", METRIC_HISTOGRAM, seconds, METRIC_BUCKETS + 1};
	struct metric_label labels[METRIC_LABELS + 1];
	struct cg_buffer small;
	char text[16];

	for (size_t i = 0; i < METRIC_LABELS + 1; i++)
		labels[i] = (struct metric_label){"l", "v"};
	CU_ASSERT(metrics_series(metrics, &depth, labels, METRIC_LABELS + 1) == NULL);
	CU_ASSERT(metrics_series(metrics, &depth, labels, METRIC_LABELS) != NULL);
	CU_ASSERT(metrics_series(metrics, &wide, NULL, 0) == NULL);
	/* One name has one shape. */
	CU_ASSERT(metrics_series(metrics, &other, NULL, 0) == NULL);
	for (int i = 1; i < METRICS_SERIES; i++) {
		const struct metric_label label = {"n", text};

		snprintf(text, sizeof(text), "%d", i);
		CU_ASSERT_FATAL(metrics_series(metrics, &requests, &label, 1) != NULL);
	}
	CU_ASSERT(metrics_series(metrics, &latency, NULL, 0) == NULL);
	CU_ASSERT(metrics_series(metrics, &depth, labels, METRIC_LABELS) != NULL);
	metric_add(NULL, 1);
	metric_set(NULL, 1);
	metric_observe(NULL, 1);
	CU_ASSERT_DOUBLE_EQUAL(metric_value(NULL), 0, 0);
	cg_buffer_init(&small, 64);
	CU_ASSERT(metrics_write(metrics, &small) == CG_LIMIT);
	cg_buffer_finish(&small);
	metrics_destroy(metrics);
}

UNIT_SUITE(metrics, UNIT_TEST(series_are_zero_until_counted),
	UNIT_TEST(labels_are_escaped_and_ordered), UNIT_TEST(histograms_are_cumulative),
	UNIT_TEST(numbers_read_back_the_same), UNIT_TEST(caps_give_no_series));
