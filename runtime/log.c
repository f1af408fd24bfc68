/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines are put together in fixed memory, so that logging works when memory does not, and one
 * lock covers making, counting and writing a line.
 */
#include "runtime/log.h"

#include <cowgate/sdk/text.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_LINE 4096 /* bytes of a whole line: what a pipe takes in one piece */
#define LOG_BODY 3968 /* of which event and fields */
#define LOG_VALUE 512 /* bytes of a value, before escaping */
#define LOG_KEPT 512 /* bytes of a line that are kept to say that it was repeated */
#define LOG_REPEATS 32
#define LOG_WINDOW_MS 60000

/* Event and fields of a line in the chosen format. */
struct body {
	size_t length;
	bool full;
	char text[LOG_BODY];
};

/* A line that was written less than a window ago, or repeated since then. */
struct repeat {
	bool used;
	enum cg_log_level level;
	uint64_t hash;
	int64_t since_ms;
	uint64_t count; /* swallowed since then */
	char text[LOG_KEPT];
};

static const struct {
	const char *name;
	int priority; /* syslog's */
} levels[] = {
	[CG_LOG_DEBUG] = {"debug", 7},
	[CG_LOG_INFO] = {"info", 6},
	[CG_LOG_WARN] = {"warn", 4},
	[CG_LOG_ERROR] = {"error", 3},
};

static atomic_int threshold = CG_LOG_INFO;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum log_format format = LOG_TEXT; /* this and the rest: under lock */
static int output = STDERR_FILENO;
static const struct clock *clock_used;
static struct repeat repeats[LOG_REPEATS];

void log_setup(const struct log_options *options)
{
	pthread_mutex_lock(&lock);
	format = options->format;
	output = options->fd < 0 ? STDERR_FILENO : options->fd;
	clock_used = options->clock;
	memset(repeats, 0, sizeof(repeats));
	pthread_mutex_unlock(&lock);
	atomic_store(&threshold, options->level);
}

bool log_enabled(enum cg_log_level level)
{
	return (int)level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

bool log_is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat status;
	char text[48];

	if (stream == NULL || fstat(fd, &status) != 0)
		return false;
	snprintf(text, sizeof(text), "%" PRIuMAX ":%" PRIuMAX, (uintmax_t)status.st_dev,
		(uintmax_t)status.st_ino);
	return strcmp(stream, text) == 0;
}

const char *log_int(int64_t value)
{
	static _Thread_local char ring[8][24];
	static _Thread_local unsigned next;
	char *text = ring[next++ % 8];

	snprintf(text, sizeof(ring[0]), "%" PRId64, value);
	return text;
}

static void put_bytes(struct body *body, const char *bytes, size_t length)
{
	if (length > sizeof(body->text) - body->length) {
		body->full = true;
		return;
	}
	memcpy(body->text + body->length, bytes, length);
	body->length += length;
}

static void put(struct body *body, const char *text)
{
	put_bytes(body, text, strlen(text));
}

/* A character that must not reach a terminal or would end the value. */
static void put_escaped(struct body *body, uint32_t point)
{
	char text[16];

	switch (point) {
	case '"':
		put(body, "\\\"");
		return;
	case '\\':
		put(body, "\\\\");
		return;
	case '\n':
		put(body, "\\n");
		return;
	case '\r':
		put(body, "\\r");
		return;
	case '\t':
		put(body, "\\t");
		return;
	default:
		snprintf(text, sizeof(text), "\\u%04" PRIx32, point);
		put(body, text);
	}
}

/* Line and paragraph separators, and what turns the direction of the text around it. */
static bool is_deceptive(uint32_t point)
{
	return point == 0x2028 || point == 0x2029 || point == 0x200E || point == 0x200F ||
	       (point >= 0x202A && point <= 0x202E) ||
	       (point >= 0x2066 && point <= 0x2069);
}

static void put_quoted(struct body *body, const char *value)
{
	size_t length = strnlen(value, LOG_VALUE + 4);
	bool cut = length > LOG_VALUE;

	if (cut)
		length = cg_text_prefix(value, length, CG_UNIT_BYTES, LOG_VALUE);
	put(body, "\"");
	for (size_t at = 0; at < length;) {
		uint32_t point;
		size_t step = cg_utf8_decode(value + at, length - at, &point);

		if (step == 0) {
			point = CG_UTF8_REPLACEMENT;
			put(body, CG_UTF8_REPLACEMENT_TEXT);
			step = 1;
		} else if (cg_text_is_control(point) || is_deceptive(point) ||
			   point == '"' || point == '\\') {
			put_escaped(body, point);
		} else {
			put_bytes(body, value + at, step);
		}
		at += step;
	}
	put(body, cut ? "...\"" : "\"");
}

/* Words of printable ASCII stand without quotes in the text form. */
static bool is_bare(const char *value)
{
	const char *at = value;

	while (*at > ' ' && *at < 0x7f && strchr("\"\\=", *at) == NULL)
		at++;
	return *at == '\0' && at != value && at - value <= LOG_VALUE;
}

static void put_field(struct body *body, const char *key, const char *value)
{
	if (format == LOG_JSON) {
		put(body, body->length > 0 ? ",\"" : "\"");
		put(body, key);
		put(body, "\":");
		put_quoted(body, value);
		return;
	}
	put(body, " ");
	put(body, key);
	put(body, "=");
	if (is_bare(value))
		put(body, value);
	else
		put_quoted(body, value);
}

/* Fields that do not fit are left out whole, and the line says so. */
static void make_body(struct body *body, const char *event, va_list pairs)
{
	static const char cut_text[] = " cut=true", cut_json[] = ",\"cut\":true";
	const char *key, *value;

	body->length = 0;
	body->full = false;
	if (format == LOG_JSON)
		put_field(body, "event", event);
	else
		put(body, event);
	while ((key = va_arg(pairs, const char *)) != NULL) {
		size_t before = body->length;

		value = va_arg(pairs, const char *);
		if (value == NULL)
			continue;
		put_field(body, key, value);
		if (!body->full && body->length <= sizeof(body->text) - sizeof(cut_json))
			continue;
		body->length = before;
		body->full = false;
		put(body, format == LOG_JSON ? cut_json : cut_text);
		break;
	}
}

static void write_line(enum cg_log_level level, const struct clock *clock,
	const char *body, size_t length, uint64_t repeated)
{
	const char *name = levels[level].name;
	char line[LOG_LINE + 1], time[CG_TIME_TEXT], tail[48] = "";
	ssize_t written;
	int size;

	if (repeated > 0) {
		snprintf(tail, sizeof(tail),
			format == LOG_JSON ? ",\"repeated\":%" PRIu64
					   : " repeated=%" PRIu64,
			repeated);
	}
	cg_time_format(clock_wall(clock), time);
	switch (format) {
	case LOG_JSON:
		size = snprintf(line, sizeof(line),
			"{\"time\":\"%s\",\"level\":\"%s\",%.*s%s}\n", time, name,
			(int)length, body, tail);
		break;
	case LOG_JOURNAL:
		size = snprintf(line, sizeof(line), "<%d>%s %.*s%s\n",
			levels[level].priority, name, (int)length, body, tail);
		break;
	case LOG_TEXT:
	default:
		size = snprintf(line, sizeof(line), "%s %s %.*s%s\n", time, name,
			(int)length, body, tail);
		break;
	}
	do {
		/* A log that cannot be written cannot be complained about either. */
		written = write(output, line, (size_t)size);
	} while (written < 0 && errno == EINTR);
}

/* Say how often a line was swallowed, and forget it. */
static void repeat_end(struct repeat *repeat, const struct clock *clock)
{
	if (repeat->used && repeat->count > 0)
		write_line(repeat->level, clock, repeat->text, strlen(repeat->text),
			repeat->count);
	repeat->used = false;
}

static void repeat_begin(enum cg_log_level level, const struct body *body,
	const char *event, const struct clock *clock, uint64_t hash)
{
	struct repeat *slot = &repeats[0];

	for (size_t i = 0; i < LOG_REPEATS && slot->used; i++) {
		if (!repeats[i].used || repeats[i].since_ms < slot->since_ms)
			slot = &repeats[i];
	}
	repeat_end(slot, clock);
	*slot = (struct repeat){.used = true,
		.level = level,
		.hash = hash,
		.since_ms = clock_mono(clock)};
	/* What is too long to keep is named by its event alone. */
	if (body->length < sizeof(slot->text))
		memcpy(slot->text, body->text, body->length);
	else
		snprintf(slot->text, sizeof(slot->text),
			format == LOG_JSON ? "\"event\":\"%.64s\"" : "%.64s", event);
}

static uint64_t hash_line(enum cg_log_level level, const struct body *body)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)level; /* FNV-1a */

	for (size_t i = 0; i < body->length; i++)
		hash = (hash ^ (unsigned char)body->text[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* Write the line unless it repeats one of the last minute; say what has been swallowed. */
static void write_or_count(enum cg_log_level level, const struct body *body,
	const char *event, const struct clock *clock)
{
	uint64_t hash = hash_line(level, body), swallowed = 0;
	int64_t now = clock_mono(clock);

	for (size_t i = 0; i < LOG_REPEATS; i++) {
		struct repeat *repeat = &repeats[i];
		bool same =
			repeat->used && repeat->hash == hash && repeat->level == level;

		if (repeat->used && now - repeat->since_ms >= LOG_WINDOW_MS) {
			if (same) {
				swallowed = repeat->count;
				repeat->count = 0;
			}
			repeat_end(repeat, clock);
		} else if (same) {
			repeat->count++;
			return;
		}
	}
	repeat_begin(level, body, event, clock, hash);
	write_line(level, clock, body->text, body->length, swallowed);
}

static void log_pairs(
	enum cg_log_level level, const char *event, bool throttle, va_list pairs)
{
	struct clock system;
	const struct clock *clock;
	struct body body;
	int saved = errno;

	clock_system(&system, 0);
	pthread_mutex_lock(&lock);
	clock = clock_used == NULL ? &system : clock_used;
	make_body(&body, event, pairs);
	if (throttle)
		write_or_count(level, &body, event, clock);
	else
		write_line(level, clock, body.text, body.length, 0);
	pthread_mutex_unlock(&lock);
	errno = saved;
}

void log_write(enum cg_log_level level, const char *event, ...)
{
	va_list pairs;

	if (!log_enabled(level))
		return;
	va_start(pairs, event);
	log_pairs(level, event, true, pairs);
	va_end(pairs);
}

void log_outcome(enum cg_log_level level, const char *event, ...)
{
	va_list pairs;

	if (!log_enabled(level))
		return;
	va_start(pairs, event);
	log_pairs(level, event, false, pairs);
	va_end(pairs);
}
