/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured log lines to stderr or journald.
 *
 * A line is an event name and key=value fields.  Control characters in values are escaped,
 * values are cut at 512 bytes, and a line that repeats within a minute is counted rather than
 * written.  Levels below the set one cost one comparison.  May be called from any thread.
 */
#ifndef COWGATE_RUNTIME_LOG_H
#define COWGATE_RUNTIME_LOG_H

#include <cowgate/host.h>
#include <stdbool.h>
#include <stdint.h>

enum log_format {
	LOG_TEXT,
	LOG_JSON,
	LOG_JOURNAL, /* text with <priority> prefixes; chosen when stderr is journald's socket */
};

#define LOG_SILENT 4 /* a level above ERROR: nothing is written */

struct log_options {
	int level; /* enum cg_log_level, or LOG_SILENT */
	enum log_format format;
	int fd; /* -1: stderr */
};

void log_setup(const struct log_options *options);
bool log_enabled(enum cg_log_level level);

/*
 * log_write(CG_LOG_WARN, "delivery.dead", "delivery", id, "reason", text, NULL)
 * Pairs of key and value, ended by NULL; a NULL value leaves the pair out.
 */
void log_write(enum cg_log_level level, const char *event, ...) __attribute__((sentinel));

/* A decimal number for a field, in a small ring of static buffers per thread. */
const char *log_int(int64_t value);

#define log_debug(...) (log_enabled(CG_LOG_DEBUG) ? log_write(CG_LOG_DEBUG, __VA_ARGS__) : (void)0)
#define log_info(...) (log_enabled(CG_LOG_INFO) ? log_write(CG_LOG_INFO, __VA_ARGS__) : (void)0)
#define log_warn(...) (log_enabled(CG_LOG_WARN) ? log_write(CG_LOG_WARN, __VA_ARGS__) : (void)0)
#define log_error(...) (log_enabled(CG_LOG_ERROR) ? log_write(CG_LOG_ERROR, __VA_ARGS__) : (void)0)

#endif
