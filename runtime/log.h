/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured log lines to stderr or journald.
 *
 * A line is an event name and key=value fields.  Control characters in values are escaped,
 * values are cut at 512 bytes, and a line that repeats within a minute is counted rather than
 * written.  The count is said (repeated=17) when the line comes again after that minute, or
 * else before the next line that is written.  Each line is one write(2) of at most 4096 bytes;
 * fields beyond that are left out and the line ends in cut=true.  Levels below the set one cost one comparison.  May be called from any thread.
 */
#ifndef COWGATE_RUNTIME_LOG_H
#define COWGATE_RUNTIME_LOG_H

#include "runtime/clock.h"

#include <cowgate/host.h>
#include <stdbool.h>
#include <stdint.h>

enum log_format {
	LOG_TEXT,
	LOG_JSON,
	LOG_JOURNAL, /* text with <priority> prefixes and without the time, which journald adds */
};

#define LOG_SILENT 4 /* a level above ERROR: nothing is written */

struct log_options {
	int level; /* enum cg_log_level, or LOG_SILENT */
	enum log_format format;
	int fd; /* -1: stderr */
	const struct clock *clock; /* borrowed for good; NULL: the system's */
};

/* May be called again.  Before the first call: text from INFO up to stderr. */
void log_setup(const struct log_options *options);
bool log_enabled(enum cg_log_level level);

/* Is @fd the socket that systemd connected to its journal?  Then LOG_JOURNAL fits. */
bool log_is_journal(int fd);

/*
 * log_write(CG_LOG_WARN, "delivery.dead", "delivery", id, "reason", text, NULL)
 * Pairs of key and value, ended by NULL; a NULL value leaves the pair out.  Event and keys are
 * the program's own words and are not escaped.
 */
void log_write(enum cg_log_level level, const char *event, ...) __attribute__((sentinel));

/* The same for what has become of one thing that it names: every line is written, none counts as a
 * repeat, and none takes the place of a repeat that is being counted. */
void log_outcome(enum cg_log_level level, const char *event, ...)
	__attribute__((sentinel));

/* A decimal number for a field, in a small ring of static buffers per thread. */
const char *log_int(int64_t value);

#define log_debug(...) \
	(log_enabled(CG_LOG_DEBUG) ? log_write(CG_LOG_DEBUG, __VA_ARGS__) : (void)0)
#define log_info(...) \
	(log_enabled(CG_LOG_INFO) ? log_write(CG_LOG_INFO, __VA_ARGS__) : (void)0)
#define log_warn(...) \
	(log_enabled(CG_LOG_WARN) ? log_write(CG_LOG_WARN, __VA_ARGS__) : (void)0)
#define log_error(...) \
	(log_enabled(CG_LOG_ERROR) ? log_write(CG_LOG_ERROR, __VA_ARGS__) : (void)0)

#endif
