/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/metrics.h"

#include <cowgate/sdk/error.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of one series' labels as written. */
#define LABEL_TEXT 4096

struct metric {
	const struct metric_family *family; /* borrowed: static tables */
	struct metric *next; /* in its family */
	char *labels; /* owned: a="b",c="d" as written, "" for none */
	double value; /* of a histogram: the sum */
	uint64_t count; /* of a histogram */
	uint64_t buckets[]; /* of a histogram, each on its own, not cumulated */
};

/* A family in use. */
struct family_entry {
	const struct metric_family *family;
	struct metric *first, *last;
	struct family_entry *next;
};

struct metrics {
	struct family_entry *first, *last;
	size_t series;
};

enum cg_status metrics_create(struct metrics **ret, struct cg_error *err)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));

	if (metrics == NULL)
		return cg_error_nomem(err);
	*ret = metrics;
	return CG_OK;
}

static void metric_destroy(struct metric *metric)
{
	if (metric == NULL)
		return;
	free(metric->labels);
	free(metric);
}

void metrics_destroy(struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	while (metrics->first != NULL) {
		struct family_entry *entry = metrics->first;

		metrics->first = entry->next;
		while (entry->first != NULL) {
			struct metric *metric = entry->first;

			entry->first = metric->next;
			metric_destroy(metric);
		}
		free(entry);
	}
	free(metrics);
}

static void write_escaped(struct cg_buffer *out, const char *text, bool quotes)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			cg_buffer_text(out, "\\\\");
		else if (*text == '\n')
			cg_buffer_text(out, "\\n");
		else if (*text == '"' && quotes)
			cg_buffer_text(out, "\\\"");
		else
			cg_buffer_char(out, *text);
	}
}

/* The labels as they are written, which is also what tells one series from another. */
static char *format_labels(const struct metric_label *labels, size_t count)
{
	struct cg_buffer text;
	char *taken;

	cg_buffer_init(&text, LABEL_TEXT);
	cg_buffer_text(&text, "");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			cg_buffer_char(&text, ',');
		cg_buffer_text(&text, labels[i].name);
		cg_buffer_text(&text, "=\"");
		write_escaped(&text, labels[i].value, true);
		cg_buffer_char(&text, '"');
	}
	taken = count > 0 ? cg_buffer_take(&text, NULL) : strdup("");
	cg_buffer_finish(&text);
	return taken;
}

/* The entry of @family, created when new.  NULL: without memory, or the name is taken by a
 * family of another shape. */
static struct family_entry *find_family(
	struct metrics *metrics, const struct metric_family *family)
{
	struct family_entry *entry = metrics->first;

	while (entry != NULL && strcmp(entry->family->name, family->name) != 0)
		entry = entry->next;
	if (entry != NULL) {
		return entry->family->kind == family->kind &&
				       entry->family->bucket_count == family->bucket_count
			       ? entry
			       : NULL;
	}
	entry = calloc(1, sizeof(*entry));
	if (entry == NULL)
		return NULL;
	entry->family = family;
	if (metrics->last != NULL)
		metrics->last->next = entry;
	else
		metrics->first = entry;
	metrics->last = entry;
	return entry;
}

struct metric *metrics_series(struct metrics *metrics, const struct metric_family *family,
	const struct metric_label *labels, size_t label_count)
{
	struct family_entry *entry;
	struct metric *metric;
	char *text;

	if (label_count > METRIC_LABELS || family->bucket_count > METRIC_BUCKETS)
		return NULL;
	entry = find_family(metrics, family);
	text = entry != NULL ? format_labels(labels, label_count) : NULL;
	if (text == NULL)
		return NULL;
	for (metric = entry->first; metric != NULL; metric = metric->next) {
		if (strcmp(metric->labels, text) == 0)
			goto out;
	}
	if (metrics->series >= METRICS_SERIES)
		goto out;
	metric = calloc(1, sizeof(*metric) + family->bucket_count * sizeof(uint64_t));
	if (metric == NULL)
		goto out;
	metric->family = entry->family;
	metric->labels = text;
	text = NULL;
	if (entry->last != NULL)
		entry->last->next = metric;
	else
		entry->first = metric;
	entry->last = metric;
	metrics->series++;
out:
	free(text);
	return metric;
}

void metric_add(struct metric *metric, double value)
{
	if (metric == NULL || metric->family->kind == METRIC_HISTOGRAM)
		return;
	if (metric->family->kind == METRIC_COUNTER && !(value >= 0))
		return;
	metric->value += value;
}

void metric_set(struct metric *metric, double value)
{
	if (metric != NULL && metric->family->kind != METRIC_HISTOGRAM)
		metric->value = value;
}

void metric_observe(struct metric *metric, double value)
{
	const struct metric_family *family;

	if (metric == NULL || metric->family->kind != METRIC_HISTOGRAM || isnan(value))
		return;
	family = metric->family;
	metric->value += value;
	metric->count++;
	for (size_t i = 0; i < family->bucket_count; i++) {
		if (value <= family->buckets[i]) {
			metric->buckets[i]++;
			break;
		}
	}
}

double metric_value(const struct metric *metric)
{
	if (metric == NULL)
		return 0;
	return metric->family->kind == METRIC_HISTOGRAM ? (double)metric->count
							: metric->value;
}

/* The shortest of the usual precisions that reads back as the same number. */
static void write_number(struct cg_buffer *out, double value)
{
	char text[32];

	if (isnan(value)) {
		cg_buffer_text(out, "NaN");
		return;
	}
	if (isinf(value)) {
		cg_buffer_text(out, value > 0 ? "+Inf" : "-Inf");
		return;
	}
	snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) < value || strtod(text, NULL) > value)
		snprintf(text, sizeof(text), "%.17g", value);
	cg_buffer_text(out, text);
}

/* name_suffix{labels} up to the blank before the value. */
static void write_name(
	struct cg_buffer *out, const struct metric *metric, const char *suffix)
{
	cg_buffer_text(out, metric->family->name);
	cg_buffer_text(out, suffix);
	if (metric->labels[0] != '\0') {
		cg_buffer_char(out, '{');
		cg_buffer_text(out, metric->labels);
		cg_buffer_char(out, '}');
	}
	cg_buffer_char(out, ' ');
}

static void write_bucket(
	struct cg_buffer *out, const struct metric *metric, double bound, uint64_t count)
{
	cg_buffer_text(out, metric->family->name);
	cg_buffer_text(out, "_bucket{");
	cg_buffer_text(out, metric->labels);
	cg_buffer_text(out, metric->labels[0] != '\0' ? ",le=\"" : "le=\"");
	write_number(out, bound);
	cg_buffer_format(out, "\"} %llu\n", (unsigned long long)count);
}

static void write_series(struct cg_buffer *out, const struct metric *metric)
{
	uint64_t below = 0;

	if (metric->family->kind != METRIC_HISTOGRAM) {
		write_name(out, metric, "");
		write_number(out, metric->value);
		cg_buffer_char(out, '\n');
		return;
	}
	for (size_t i = 0; i < metric->family->bucket_count; i++) {
		below += metric->buckets[i];
		write_bucket(out, metric, metric->family->buckets[i], below);
	}
	write_bucket(out, metric, INFINITY, metric->count);
	write_name(out, metric, "_sum");
	write_number(out, metric->value);
	cg_buffer_char(out, '\n');
	write_name(out, metric, "_count");
	cg_buffer_format(out, "%llu\n", (unsigned long long)metric->count);
}

enum cg_status metrics_write(const struct metrics *metrics, struct cg_buffer *out)
{
	static const char *const kinds[] = {
		[METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram",
	};

	for (const struct family_entry *entry = metrics->first; entry != NULL;
		entry = entry->next) {
		if (entry->first == NULL)
			continue;
		cg_buffer_format(out, "# HELP %s ", entry->family->name);
		write_escaped(out, entry->family->help, false);
		cg_buffer_format(out, "\n# TYPE %s %s\n", entry->family->name,
			kinds[entry->family->kind]);
		for (const struct metric *metric = entry->first; metric != NULL;
			metric = metric->next)
			write_series(out, metric);
	}
	return cg_buffer_status(out);
}
