/* SPDX-License-Identifier: Apache-2.0 */
/* Real children below the real keeper; each test waits for what they do, none for time. */
#include "runtime/process.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/buffer.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define GUARD_MS 30000 /* a test that has not ended by then fails */

static struct clock system_clock;

struct child {
	struct loop *loop;
	struct process *process;
	struct loop_timer guard;
	struct cg_buffer output; /* lines, each with '|', or '~' when it was cut */
	struct cg_buffer error;
	struct process_exit exit;
	bool ended;
	const char *stop_at; /* stop the loop when the output holds this */
};

static void child_line(void *arg, const char *line, size_t length, bool whole)
{
	struct child *child = arg;

	cg_buffer_add(&child->output, line, length);
	cg_buffer_char(&child->output, whole ? '|' : '~');
	if (child->stop_at != NULL &&
		strstr(cg_buffer_string(&child->output), child->stop_at) != NULL)
		loop_stop(child->loop);
}

static void child_error(void *arg, const char *line, size_t length)
{
	struct child *child = arg;

	cg_buffer_add(&child->error, line, length);
	cg_buffer_char(&child->error, '|');
}

static void child_exit(void *arg, const struct process_exit *ended)
{
	struct child *child = arg;

	CU_ASSERT_FALSE(child->ended);
	child->ended = true;
	child->exit = *ended;
	loop_stop(child->loop);
}

static void child_guard(void *arg)
{
	struct child *child = arg;

	CU_FAIL("the child took too long");
	loop_stop(child->loop);
}

static enum cg_status child_start(
	struct child *child, struct process_options *options, struct cg_error *err)
{
	static const char *const environment[] = {
		"PATH=/usr/local/bin:/usr/bin:/bin", "MARK=only this", NULL};

	memset(child, 0, sizeof(*child));
	clock_system(&system_clock, 0);
	CU_ASSERT_FATAL(loop_create(&system_clock, &child->loop, NULL) == CG_OK);
	CU_ASSERT_FATAL(
		loop_timer_init(&child->guard, child->loop, child_guard, child) == CG_OK);
	loop_timer_set(&child->guard, GUARD_MS);
	cg_buffer_init(&child->output, 1u << 20);
	cg_buffer_init(&child->error, 1u << 20);
	if (options->keeper == NULL)
		options->keeper = TEST_KEEPER;
	options->environment = environment;
	if (options->line_limit == 0)
		options->line_limit = 4096;
	options->on_line = child_line;
	options->on_error = child_error;
	options->on_exit = child_exit;
	options->arg = child;
	return process_create(child->loop, options, &child->process, err);
}

static void child_shell(struct child *child, const char *script)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	struct process_options options = {.argv = argv};

	CU_ASSERT_FATAL(child_start(child, &options, NULL) == CG_OK);
}

static void child_finish(struct child *child)
{
	process_destroy(child->process);
	loop_timer_finish(&child->guard);
	cg_buffer_finish(&child->output);
	cg_buffer_finish(&child->error);
	loop_destroy(child->loop);
}

static void run_until(struct child *child, const char *text)
{
	child->stop_at = text;
	loop_run(child->loop);
	child->stop_at = NULL;
}

static const char *output(const struct child *child)
{
	return cg_buffer_string(&child->output);
}

static void it_talks_and_ends(void)
{
	struct child child;

	child_shell(&child, "read a; echo \"got $a\"; echo trouble >&2; exit 7");
	CU_ASSERT_EQUAL(process_write(child.process, "this\n", 5), CG_OK);
	loop_run(child.loop);
	CU_ASSERT_TRUE_FATAL(child.ended);
	CU_ASSERT_STRING_EQUAL(output(&child), "got this|");
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&child.error), "trouble|");
	CU_ASSERT_TRUE(child.exit.ran);
	CU_ASSERT_EQUAL(child.exit.code, 7);
	CU_ASSERT_EQUAL(child.exit.signal, 0);
	CU_ASSERT_STRING_EQUAL(child.exit.text, "it ended with code 7");
	CU_ASSERT_EQUAL(process_write(child.process, "x", 1), CG_NETWORK);
	child_finish(&child);
}

static void a_signal_is_told(void)
{
	struct child child;

	child_shell(&child, "kill -KILL $$");
	loop_run(child.loop);
	CU_ASSERT_TRUE(child.ended);
	CU_ASSERT_EQUAL(child.exit.signal, SIGKILL);
	child_finish(&child);
}

static void long_lines_are_cut(void)
{
	const char *const argv[] = {
		"sh", "-c", "printf 123456789012; echo; echo next", NULL};
	struct process_options options = {.argv = argv, .line_limit = 8};
	struct child child;

	CU_ASSERT_FATAL(child_start(&child, &options, NULL) == CG_OK);
	loop_run(child.loop);
	CU_ASSERT_STRING_EQUAL(output(&child), "12345678~next|");
	child_finish(&child);
}

static void much_goes_in_and_comes_out(void)
{
	static char line[65536];
	struct child child;

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	child_shell(&child, "head -c 2097152 | wc -c");
	for (int i = 0; i < 32; i++)
		CU_ASSERT_EQUAL(process_write(child.process, line, sizeof(line)), CG_OK);
	CU_ASSERT_EQUAL(process_unwritten(child.process), 32 * sizeof(line));
	loop_run(child.loop);
	CU_ASSERT_STRING_EQUAL(output(&child), "2097152|");
	child_finish(&child);
}

static void input_has_a_limit(void)
{
	static char piece[1u << 20];
	struct child child;
	enum cg_status status = CG_OK;
	size_t written = 0;

	child_shell(&child, "echo up; sleep 1000");
	while (status == CG_OK) {
		status = process_write(child.process, piece, sizeof(piece));
		written += status == CG_OK ? sizeof(piece) : 0;
	}
	CU_ASSERT_EQUAL(status, CG_LIMIT);
	CU_ASSERT_EQUAL(written, PROCESS_INPUT);
	child_finish(&child);
}

/* Neither a variable nor a descriptor of ours arrives; what does is what was listed. */
static void nothing_of_ours_arrives(void)
{
	int leak = open("/dev/null", O_RDONLY); /* without CLOEXEC */
	int high = fcntl(leak, F_DUPFD, 200);
	struct child child;

	CU_ASSERT_TRUE(leak >= 0 && high >= 200);
	setenv("COWGATE_TEST_SECRET", "must not be seen", 1);
	child_shell(&child, "env | grep -v -e ^PWD -e ^SHLVL -e ^_= | sort;"
			    "cd /dev/fd; for f in *; do [ -e /dev/fd/$f ] && echo fd$f; "
			    "done");
	loop_run(child.loop);
	CU_ASSERT_STRING_EQUAL(output(&child),
		"MARK=only this|PATH=/usr/local/bin:/usr/bin:/bin|fd0|fd1|fd2|");
	unsetenv("COWGATE_TEST_SECRET");
	close(leak);
	close(high);
	child_finish(&child);
}

static void it_has_a_group_a_place_and_limits(void)
{
	static const char *const limits[] = {"core=0", "nofile=77", NULL};
	const char *const argv[] = {"sh", "-c",
		"pwd; ulimit -n; ulimit -c; [ $(cut -d' ' -f5 /proc/$$/stat) = $$ ] && "
		"echo own",
		NULL};
	struct process_options options = {
		.argv = argv, .directory = "/usr", .limits = limits};
	struct child child;

	CU_ASSERT_FATAL(child_start(&child, &options, NULL) == CG_OK);
	loop_run(child.loop);
	CU_ASSERT_STRING_EQUAL(output(&child), "/usr|77|0|own|");
	child_finish(&child);
}

static void expect_failure(struct process_options *options, const char *text)
{
	struct child child;

	CU_ASSERT_FATAL(child_start(&child, options, NULL) == CG_OK);
	loop_run(child.loop);
	CU_ASSERT_TRUE(child.ended);
	CU_ASSERT_FALSE(child.exit.ran);
	if (strstr(child.exit.text, text) == NULL)
		printf("[%s]\n", child.exit.text);
	CU_ASSERT_PTR_NOT_NULL(strstr(child.exit.text, text));
	child_finish(&child);
}

static void what_cannot_run_says_why(void)
{
	static const char *const bad_limits[] = {"colour=3", NULL};
	const char *const none[] = {"/no/such/program", NULL};
	const char *const shell[] = {"sh", NULL};

	expect_failure(&(struct process_options){.argv = none}, "No such file");
	expect_failure(&(struct process_options){.argv = shell, .directory = "/no/such"},
		"directory cannot be entered");
	expect_failure(&(struct process_options){.argv = shell, .user = "no-such-user"},
		"user is not known");
	expect_failure(&(struct process_options){.argv = shell, .limits = bad_limits},
		"NAME=NUMBER");
}

static void without_a_keeper_nothing_starts(void)
{
	const char *const argv[] = {"sh", NULL};
	struct process_options options = {.argv = argv, .keeper = "/no/such/keeper"};
	struct cg_error err = {0};
	struct child child;

	CU_ASSERT_EQUAL(child_start(&child, &options, &err), CG_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/no/such/keeper"));
	child_finish(&child);
}

/* A child, one that left its session, and one whose parent is gone: their ids. */
#define FAMILY \
	"sleep 1000 & echo $!; setsid sleep 1000 & echo $!;" \
	"echo $(sh -c 'setsid sh -c \"trap : TERM; echo \\$\\$; exec >/dev/null;" \
	"while :; do sleep 1000; done\" &'); echo up; wait"

static void read_ids(const struct child *child, pid_t ret[3])
{
	int a = 0, b = 0, c = 0;

	CU_ASSERT_EQUAL_FATAL(sscanf(output(child), "%d|%d|%d|up|", &a, &b, &c), 3);
	ret[0] = a;
	ret[1] = b;
	ret[2] = c;
}

static void expect_dead(const pid_t ids[3])
{
	for (int i = 0; i < 3; i++)
		CU_ASSERT_TRUE(kill(ids[i], 0) != 0 && errno == ESRCH);
}

static void nobody_survives(void (*end)(struct process *process))
{
	struct child child;
	pid_t ids[3];

	child_shell(&child, FAMILY);
	run_until(&child, "up|");
	read_ids(&child, ids);
	end(child.process);
	loop_run(child.loop);
	CU_ASSERT_TRUE(child.ended);
	expect_dead(ids);
	child_finish(&child);
}

static void an_end_is_for_the_whole_family(void)
{
	nobody_survives(process_end);
	nobody_survives(process_kill);
}

static void a_family_without_its_head_is_ended(void)
{
	struct child child;
	pid_t ids[3];

	child_shell(&child, "(sleep 1000) & echo $!; setsid sleep 1000 & echo $!; "
			    "setsid sleep 1000 & echo $!; echo up; exit 3");
	loop_run(child.loop);
	CU_ASSERT_TRUE(child.ended);
	CU_ASSERT_EQUAL(child.exit.code, 3);
	read_ids(&child, ids);
	expect_dead(ids);
	child_finish(&child);
}

static void destroying_kills(void)
{
	struct child child;
	pid_t ids[3];

	child_shell(&child, FAMILY);
	run_until(&child, "up|");
	read_ids(&child, ids);
	child_finish(&child);
	expect_dead(ids);
}

/* As above, but it is we who are killed, in a process of our own. */
static void nobody_survives_us(void)
{
	pid_t ids[3] = {0}, us;
	int ends[2], status = 0;
	char end;

	CU_ASSERT_FATAL(pipe(ends) == 0);
	us = fork();
	if (us == 0) {
		struct child child;

		child_shell(&child, FAMILY);
		run_until(&child, "up|");
		read_ids(&child, ids);
		status = write(ends[1], ids, sizeof(ids)) == (ssize_t)sizeof(ids);
		kill(getpid(), SIGKILL);
		_exit(status);
	}
	close(ends[1]);
	CU_ASSERT_EQUAL_FATAL(read(ends[0], ids, sizeof(ids)), (ssize_t)sizeof(ids));
	CU_ASSERT_EQUAL(read(ends[0], &end, 1), 0);
	close(ends[0]);
	waitpid(us, &status, 0);
	CU_ASSERT_TRUE(WIFSIGNALED(status));
	for (int i = 0; i < 3; i++) {
		for (int wait = 0; wait < GUARD_MS / 10 && kill(ids[i], 0) == 0; wait++)
			usleep(10000);
	}
	expect_dead(ids);
}

UNIT_SUITE(process, UNIT_TEST(it_talks_and_ends), UNIT_TEST(a_signal_is_told),
	UNIT_TEST(long_lines_are_cut), UNIT_TEST(much_goes_in_and_comes_out),
	UNIT_TEST(input_has_a_limit), UNIT_TEST(nothing_of_ours_arrives),
	UNIT_TEST(it_has_a_group_a_place_and_limits), UNIT_TEST(what_cannot_run_says_why),
	UNIT_TEST(without_a_keeper_nothing_starts),
	UNIT_TEST(an_end_is_for_the_whole_family),
	UNIT_TEST(a_family_without_its_head_is_ended), UNIT_TEST(destroying_kills),
	UNIT_TEST(nobody_survives_us));
