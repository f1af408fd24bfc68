/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prometheus metrics: a registry of families and their series, filled by the floors above from
 * one table, present at zero from boot, written as text format 0.0.4.  Loop thread only.
 */
#ifndef COWGATE_RUNTIME_METRICS_H
#define COWGATE_RUNTIME_METRICS_H

#include <cowgate/sdk/buffer.h>
#include <stdint.h>

enum metric_kind {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_HISTOGRAM,
};

#define METRIC_BUCKETS 12
#define METRIC_LABELS 8
#define METRICS_SERIES 4096 /* in one registry */

struct metric_family {
	const char *name;
	const char *help;
	enum metric_kind kind;
	const double *buckets; /* HISTOGRAM: upper bounds, ascending, without +Inf */
	size_t bucket_count;
};

struct metrics;
struct metric; /* one series */

struct metric_label {
	const char *name;
	const char *value;
};

enum cg_status metrics_create(struct metrics **ret, struct cg_error *err);
void metrics_destroy(struct metrics *metrics);

/* The series of @family with exactly these labels, created at zero when new.  Labels are written
 * in the order given.  NULL when the registry is full or without memory; the functions below
 * accept NULL. */
struct metric *metrics_series(struct metrics *metrics, const struct metric_family *family,
	const struct metric_label *labels, size_t label_count);

/* Counters and gauges.  A counter does not go down: a negative value is ignored. */
void metric_add(struct metric *metric, double value);
/* Gauges, and counters that mirror a total kept elsewhere. */
void metric_set(struct metric *metric, double value);
/* Histograms.  NaN is ignored. */
void metric_observe(struct metric *metric, double value);
/* The value; of a histogram the number of observations. */
double metric_value(const struct metric *metric);

/* The whole registry as text, families in order of first use. */
enum cg_status metrics_write(const struct metrics *metrics, struct cg_buffer *out);

#endif
