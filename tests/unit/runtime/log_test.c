/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/log.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/text.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAMP "2026-11-22T03:04:05.678Z "
#define WALL INT64_C(1795316645678)

static int64_t virtual_ms;

static int64_t virtual_wall(const struct clock *clock)
{
	(void)clock;
	return WALL;
}

static int64_t virtual_mono(const struct clock *clock)
{
	(void)clock;
	return virtual_ms;
}

static const struct clock virtual_clock = {
	.wall_ms = virtual_wall, .mono_ms = virtual_mono};

static int sink[2];

static void log_into_pipe(int level, enum log_format format)
{
	struct log_options options = {
		.level = level, .format = format, .clock = &virtual_clock};

	CU_ASSERT_FATAL(pipe(sink) == 0);
	CU_ASSERT_FATAL(fcntl(sink[0], F_SETFL, O_NONBLOCK) == 0);
	options.fd = sink[1];
	log_setup(&options);
}

/* What was written since the last call, which is the content of a pipe: each write a piece. */
static const char *written(void)
{
	static char text[65536];
	ssize_t length = read(sink[0], text, sizeof(text) - 1);

	text[length > 0 ? length : 0] = '\0';
	return text;
}

static void log_end(void)
{
	const struct log_options silent = {.level = LOG_SILENT, .fd = -1};

	log_setup(&silent);
	close(sink[0]);
	close(sink[1]);
}

static void text_lines_quote_what_needs_it(void)
{
	log_into_pipe(CG_LOG_DEBUG, LOG_TEXT);
	log_warn("delivery.dead", "delivery", "d-1", "reason", "chat is gone", "none",
		(const char *)NULL, "n", log_int(INT64_MIN), NULL);
	CU_ASSERT_STRING_EQUAL(written(),
		STAMP "warn delivery.dead delivery=d-1 reason=\"chat is gone\" "
		      "n=-9223372036854775808\n");
	log_debug("a", "empty", "", "equals", "a=b", "quote", "\"\\", NULL);
	CU_ASSERT_STRING_EQUAL(written(),
		STAMP "debug a empty=\"\" equals=\"a=b\" quote=\"\\\"\\\\\"\n");
	log_error("bare", NULL);
	CU_ASSERT_STRING_EQUAL(written(), STAMP "error bare\n");
	log_end();
}

static void values_cannot_forge_lines_or_drive_a_terminal(void)
{
	log_into_pipe(CG_LOG_DEBUG, LOG_TEXT);
	log_info("a", "v", "x\n\r\t\x1b[31m\x7f", NULL);
	CU_ASSERT_STRING_EQUAL(
		written(), STAMP "info a v=\"x\\n\\r\\t\\u001b[31m\\u007f\"\n");
	/* C1 control, right-to-left override, a letter, a broken and an overlong sequence. */
	log_info("b", "v", "\xc2\x85\xe2\x80\xae\xc3\xa9\xff\xc0\xaf", NULL);
	CU_ASSERT_STRING_EQUAL(written(), STAMP
		"info b "
		"v=\"\\u0085\\u202e\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"\n");
	log_end();
}

static void json_and_journal_forms(void)
{
	log_into_pipe(CG_LOG_INFO, LOG_JSON);
	log_warn("delivery.dead", "delivery", "d-1", "reason", "a \"b\"\n", NULL);
	CU_ASSERT_STRING_EQUAL(written(),
		"{\"time\":\"2026-11-22T03:04:05.678Z\",\"level\":\"warn\","
		"\"event\":\"delivery.dead\",\"delivery\":\"d-1\",\"reason\":\"a "
		"\\\"b\\\"\\n\"}\n");
	log_end();
	log_into_pipe(CG_LOG_DEBUG, LOG_JOURNAL);
	log_error("a", NULL);
	log_warn("b", "k", "v", NULL);
	log_info("c", NULL);
	log_debug("d", NULL);
	CU_ASSERT_STRING_EQUAL(
		written(), "<3>error a\n<4>warn b k=v\n<6>info c\n<7>debug d\n");
	log_end();
}

/* Every one is written, and the count of what repeats goes on beside them. */
static void outcomes_are_no_repeats(void)
{
	char id[24];

	log_into_pipe(CG_LOG_INFO, LOG_TEXT);
	log_outcome(CG_LOG_DEBUG, "delivery.sent", "delivery", "d-0", NULL);
	CU_ASSERT_STRING_EQUAL(written(), "");
	log_warn("it rains", NULL);
	CU_ASSERT_STRING_EQUAL(written(), STAMP "warn it rains\n");
	for (int i = 0; i < 100; i++) {
		char expected[80];

		snprintf(id, sizeof(id), "d-%d", i / 2);
		snprintf(expected, sizeof(expected),
			STAMP "info delivery.sent delivery=%s\n", id);
		log_outcome(CG_LOG_INFO, "delivery.sent", "delivery", id, NULL);
		CU_ASSERT_STRING_EQUAL(written(), expected);
		log_warn("it rains", NULL);
		CU_ASSERT_STRING_EQUAL(written(), "");
	}
	virtual_ms += 60000;
	log_warn("it rains", NULL);
	CU_ASSERT_STRING_EQUAL(written(), STAMP "warn it rains repeated=100\n");
	log_end();
}

static void levels_are_kept_quiet(void)
{
	log_into_pipe(CG_LOG_WARN, LOG_TEXT);
	CU_ASSERT(!log_enabled(CG_LOG_INFO));
	CU_ASSERT(log_enabled(CG_LOG_WARN));
	log_info("a", NULL);
	log_write(CG_LOG_DEBUG, "b", NULL);
	CU_ASSERT_STRING_EQUAL(written(), "");
	log_end();
	CU_ASSERT(!log_enabled(CG_LOG_ERROR));
}

static void long_values_are_cut_between_characters(void)
{
	char value[600], expected[700];

	/* 511 bytes, then a character of two: the 512th byte would be half of it. */
	memset(value, 'x', sizeof(value));
	memcpy(value + 511, "\xc3\xa9", 2);
	value[599] = '\0';
	snprintf(expected, sizeof(expected), STAMP "info a v=\"%.511s...\"\n", value);
	log_into_pipe(CG_LOG_INFO, LOG_TEXT);
	log_info("a", "v", value, NULL);
	CU_ASSERT_STRING_EQUAL(written(), expected);
	value[512] = '\0';
	value[511] = 'x';
	snprintf(expected, sizeof(expected), STAMP "info a v=%s\n", value);
	log_info("a", "v", value, NULL);
	CU_ASSERT_STRING_EQUAL(written(), expected);
	log_end();
}

static void long_lines_lose_whole_fields(void)
{
	static const enum log_format formats[] = {LOG_TEXT, LOG_JSON};
	static const char *const ends[] = {" cut=true\n", ",\"cut\":true}\n"};
	char value[513];

	/* Each byte becomes six: the second field cannot fit any more. */
	memset(value, 1, 512);
	value[512] = '\0';
	for (size_t i = 0; i < 2; i++) {
		const char *line;
		size_t length, end = strlen(ends[i]);

		log_into_pipe(CG_LOG_INFO, formats[i]);
		log_info("a", "one", value, "two", value, "three", "3", NULL);
		line = written();
		length = strlen(line);
		CU_ASSERT_FATAL(length > end && length <= 4096);
		CU_ASSERT_STRING_EQUAL(line + length - end, ends[i]);
		CU_ASSERT(strstr(line, "one") != NULL);
		CU_ASSERT(strstr(line, "two") == NULL && strstr(line, "three") == NULL);
		log_end();
	}
}

static void repeats_are_counted_then_said_once(void)
{
	virtual_ms = 1000;
	log_into_pipe(CG_LOG_INFO, LOG_TEXT);
	log_info("a", "k", "v", NULL);
	CU_ASSERT_STRING_EQUAL(written(), STAMP "info a k=v\n");
	for (int i = 0; i < 17; i++)
		log_info("a", "k", "v", NULL);
	/* Another level or field is another line. */
	log_warn("a", "k", "v", NULL);
	log_info("a", "k", "w", NULL);
	CU_ASSERT_STRING_EQUAL(written(), STAMP "warn a k=v\n" STAMP "info a k=w\n");
	virtual_ms += 59999;
	log_info("a", "k", "v", NULL);
	CU_ASSERT_STRING_EQUAL(written(), "");
	/* Its next occurrence after the window says it, and begins another window. */
	virtual_ms += 1;
	log_info("a", "k", "v", NULL);
	CU_ASSERT_STRING_EQUAL(written(), STAMP "info a k=v repeated=18\n");
	log_info("a", "k", "v", NULL);
	log_info("a", "k", "v", NULL);
	CU_ASSERT_STRING_EQUAL(written(), "");
	/* Else the next line of any kind after the window does. */
	virtual_ms += 60000;
	log_info("b", NULL);
	CU_ASSERT_STRING_EQUAL(
		written(), STAMP "info a k=v repeated=2\n" STAMP "info b\n");
	virtual_ms += 60000;
	log_info("a", "k", "v", NULL);
	CU_ASSERT_STRING_EQUAL(written(), STAMP "info a k=v\n");
	log_end();
}

static void repeats_in_json_stay_json(void)
{
	char value[513];

	virtual_ms = 0;
	memset(value, 'x', 512);
	value[512] = '\0';
	log_into_pipe(CG_LOG_INFO, LOG_JSON);
	log_info("long", "k", value, NULL);
	log_info("long", "k", value, NULL);
	written();
	virtual_ms += 60000;
	log_info("b", NULL);
	/* Too long to keep: named by its event. */
	CU_ASSERT_STRING_EQUAL(written(),
		"{\"time\":\"2026-11-22T03:04:05.678Z\",\"level\":\"info\","
		"\"event\":\"long\",\"repeated\":1}\n"
		"{\"time\":\"2026-11-22T03:04:05.678Z\",\"level\":\"info\",\"event\":"
		"\"b\"}\n");
	log_end();
}

static void the_table_of_repeats_is_bounded(void)
{
	char name[16];

	virtual_ms = 0;
	log_into_pipe(CG_LOG_INFO, LOG_TEXT);
	log_info("first", NULL);
	log_info("first", NULL);
	for (int i = 0; i < 31; i++) {
		virtual_ms++;
		snprintf(name, sizeof(name), "e%d", i);
		log_info(name, NULL);
	}
	written();
	/* The oldest makes room, and says what it has swallowed. */
	log_info("last", NULL);
	CU_ASSERT_STRING_EQUAL(
		written(), STAMP "info first repeated=1\n" STAMP "info last\n");
	log_info("e0", NULL);
	CU_ASSERT_STRING_EQUAL(written(), "");
	log_end();
}

static void *log_many(void *arg)
{
	for (int i = 0; i < 200; i++)
		log_info("thread", "name", (const char *)arg, "i", log_int(i), NULL);
	return NULL;
}

static void threads_do_not_mix_lines(void)
{
	static const char begin[] = STAMP "info thread name=";
	static char one[] = "one", two[] = "two";
	pthread_t first, second;
	int lines = 0;
	char *rest;

	log_into_pipe(CG_LOG_INFO, LOG_TEXT);
	CU_ASSERT_FATAL(pthread_create(&first, NULL, log_many, one) == 0);
	CU_ASSERT_FATAL(pthread_create(&second, NULL, log_many, two) == 0);
	pthread_join(first, NULL);
	pthread_join(second, NULL);
	rest = strdup(written());
	CU_ASSERT_FATAL(rest != NULL);
	for (char *line = rest, *end; (end = strchr(line, '\n')) != NULL;
		line = end + 1) {
		lines++;
		CU_ASSERT(strncmp(line, begin, sizeof(begin) - 1) == 0);
	}
	CU_ASSERT(lines == 400);
	free(rest);
	log_end();
}

static void journal_is_known_by_its_socket(void)
{
	struct stat status;
	char text[64];
	int fds[2];

	CU_ASSERT_FATAL(pipe(fds) == 0);
	CU_ASSERT_FATAL(fstat(fds[0], &status) == 0);
	unsetenv("JOURNAL_STREAM");
	CU_ASSERT(!log_is_journal(fds[0]));
	snprintf(text, sizeof(text), "%" PRIuMAX ":%" PRIuMAX, (uintmax_t)status.st_dev,
		(uintmax_t)status.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
	CU_ASSERT(log_is_journal(fds[0]));
	CU_ASSERT(!log_is_journal(STDIN_FILENO));
	CU_ASSERT(!log_is_journal(-1));
	unsetenv("JOURNAL_STREAM");
	close(fds[0]);
	close(fds[1]);
}

UNIT_SUITE(log, UNIT_TEST(text_lines_quote_what_needs_it),
	UNIT_TEST(values_cannot_forge_lines_or_drive_a_terminal),
	UNIT_TEST(json_and_journal_forms), UNIT_TEST(outcomes_are_no_repeats),
	UNIT_TEST(levels_are_kept_quiet),
	UNIT_TEST(long_values_are_cut_between_characters),
	UNIT_TEST(long_lines_lose_whole_fields),
	UNIT_TEST(repeats_are_counted_then_said_once),
	UNIT_TEST(repeats_in_json_stay_json), UNIT_TEST(the_table_of_repeats_is_bounded),
	UNIT_TEST(threads_do_not_mix_lines), UNIT_TEST(journal_is_known_by_its_socket));
