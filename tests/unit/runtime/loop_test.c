/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/loop.h"
#include "tests/unit/unit.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POSTERS 4
#define POSTS 1000

static struct clock system_clock;

static struct loop *make_loop(void)
{
	struct loop *loop = NULL;

	clock_system(&system_clock, 0);
	CU_ASSERT_FATAL(loop_create(&system_clock, &loop, NULL) == CG_OK);
	CU_ASSERT(loop_clock(loop) == &system_clock);
	return loop;
}

/* A task that writes its letter down. */
static char trace[16];

struct letter {
	struct loop_task task;
	char letter;
	struct loop *again; /* defer oneself in it */
	struct loop_task *cancel; /* take this one back */
	struct loop *cancel_in;
};

static void letter_run(void *arg)
{
	struct letter *letter = arg;
	size_t length = strlen(trace);

	CU_ASSERT_FATAL(length + 1 < sizeof(trace));
	trace[length] = letter->letter;
	trace[length + 1] = '\0';
	if (letter->again != NULL)
		loop_defer(letter->again, &letter->task);
	if (letter->cancel != NULL)
		loop_undefer(letter->cancel_in, letter->cancel);
}

static void letters_init(struct letter *letters, size_t count)
{
	trace[0] = '\0';
	memset(letters, 0, count * sizeof(*letters));
	for (size_t i = 0; i < count; i++) {
		letters[i].letter = (char)('a' + i);
		loop_task_init(&letters[i].task, letter_run, &letters[i]);
	}
}

static void defer_runs_later_in_order_and_once(void)
{
	struct loop *loop = make_loop();
	struct letter letters[3];

	letters_init(letters, 3);
	loop_defer(loop, &letters[2].task);
	loop_defer(loop, &letters[0].task);
	loop_defer(loop, &letters[2].task);
	loop_defer(loop, &letters[1].task);
	CU_ASSERT_STRING_EQUAL(trace, "");
	loop_turn(loop);
	CU_ASSERT_STRING_EQUAL(trace, "cab");
	loop_turn(loop);
	CU_ASSERT_STRING_EQUAL(trace, "cab");
	loop_defer(loop, &letters[0].task);
	loop_turn(loop);
	CU_ASSERT_STRING_EQUAL(trace, "caba");
	loop_destroy(loop);
}

static void defer_of_oneself_waits_for_the_next_turn(void)
{
	struct loop *loop = make_loop();
	struct letter letter;

	letters_init(&letter, 1);
	letter.again = loop;
	loop_defer(loop, &letter.task);
	loop_turn(loop);
	CU_ASSERT_STRING_EQUAL(trace, "a");
	loop_turn(loop);
	CU_ASSERT_STRING_EQUAL(trace, "aa");
	CU_ASSERT(letter.task.queued);
	loop_destroy(loop);
}

static void undefer_takes_first_middle_last_and_none(void)
{
	static const char *const left[] = {"bc", "ac", "ab", "abc"};
	struct loop *loop = make_loop();

	for (size_t taken = 0; taken < 4; taken++) {
		struct letter letters[4];

		letters_init(letters, 4);
		for (size_t i = 0; i < 3; i++)
			loop_defer(loop, &letters[i].task);
		loop_undefer(loop, &letters[taken].task);
		CU_ASSERT(!letters[taken].task.queued);
		loop_turn(loop);
		CU_ASSERT_STRING_EQUAL(trace, left[taken]);
		/* The list is whole afterwards. */
		trace[0] = '\0';
		loop_defer(loop, &letters[taken].task);
		loop_turn(loop);
		CU_ASSERT(strlen(trace) == 1 && trace[0] == letters[taken].letter);
	}
	loop_destroy(loop);
}

static void undefer_works_inside_a_running_batch(void)
{
	struct loop *loop = make_loop();
	struct letter letters[3];

	letters_init(letters, 3);
	letters[0].cancel = &letters[1].task;
	letters[0].cancel_in = loop;
	for (size_t i = 0; i < 3; i++)
		loop_defer(loop, &letters[i].task);
	loop_turn(loop);
	CU_ASSERT_STRING_EQUAL(trace, "ac");
	loop_destroy(loop);
}

static void post_keeps_the_order_of_a_list_and_can_be_taken_back(void)
{
	struct loop *loop = make_loop();
	struct letter letters[4];

	letters_init(letters, 4);
	letters[0].task.next = &letters[1].task;
	letters[1].task.next = &letters[2].task;
	loop_post(loop, &letters[0].task);
	loop_post(loop, &letters[3].task);
	loop_post(loop, NULL);
	loop_undefer(loop, &letters[1].task);
	loop_turn(loop);
	CU_ASSERT_STRING_EQUAL(trace, "acd");
	loop_destroy(loop);
}

struct post {
	struct loop_task task;
	struct poster *poster;
	int number;
};

struct poster {
	struct loop *loop;
	pthread_t thread;
	int next; /* number of the post that must run next */
	int *left;
	struct post posts[POSTS];
};

static void post_run(void *arg)
{
	struct post *post = arg;

	CU_ASSERT(post->number == post->poster->next);
	post->poster->next++;
	if (--*post->poster->left == 0)
		loop_stop(post->poster->loop);
}

static void *poster_main(void *arg)
{
	struct poster *poster = arg;

	for (int i = 0; i < POSTS; i++)
		loop_post(poster->loop, &poster->posts[i].task);
	return NULL;
}

static void post_from_threads_loses_nothing(void)
{
	struct loop *loop = make_loop();
	struct poster *posters = calloc(POSTERS, sizeof(*posters));
	int left = POSTERS * POSTS;

	CU_ASSERT_FATAL(posters != NULL);
	for (int p = 0; p < POSTERS; p++) {
		posters[p].loop = loop;
		posters[p].left = &left;
		for (int i = 0; i < POSTS; i++) {
			struct post *post = &posters[p].posts[i];

			post->poster = &posters[p];
			post->number = i;
			loop_task_init(&post->task, post_run, post);
		}
		CU_ASSERT_FATAL(pthread_create(&posters[p].thread, NULL, poster_main,
					&posters[p]) == 0);
	}
	CU_ASSERT(loop_run(loop) == CG_OK);
	CU_ASSERT(left == 0);
	for (int p = 0; p < POSTERS; p++)
		pthread_join(posters[p].thread, NULL);
	free(posters);
	loop_destroy(loop);
}

static void stop_holds_before_run_and_only_once(void)
{
	struct loop *loop = make_loop();
	struct letter letter;

	letters_init(&letter, 1);
	loop_defer(loop, &letter.task);
	loop_stop(loop);
	CU_ASSERT(loop_run(loop) == CG_OK);
	CU_ASSERT_STRING_EQUAL(trace, "");
	loop_turn(loop);
	CU_ASSERT_STRING_EQUAL(trace, "a");
	loop_destroy(loop);
}

struct alarm {
	struct loop_timer timer;
	struct loop *loop;
	int fired;
	bool stop; /* the loop */
	bool finish; /* the timer inside its own callback */
};

static void alarm_fire(void *arg)
{
	struct alarm *alarm = arg;

	alarm->fired++;
	CU_ASSERT(!loop_timer_pending(&alarm->timer));
	if (alarm->finish)
		loop_timer_finish(&alarm->timer);
	if (alarm->stop)
		loop_stop(alarm->loop);
}

static void timer_fires_once_and_can_be_set_again(void)
{
	struct loop *loop = make_loop();
	struct alarm alarm = {.loop = loop};

	CU_ASSERT_FATAL(loop_timer_init(&alarm.timer, loop, alarm_fire, &alarm) == CG_OK);
	CU_ASSERT(!loop_timer_pending(&alarm.timer));
	loop_timer_set(&alarm.timer, 0);
	CU_ASSERT(loop_timer_pending(&alarm.timer));
	CU_ASSERT(alarm.fired == 0);
	loop_turn(loop);
	CU_ASSERT(alarm.fired == 1);
	loop_turn(loop);
	CU_ASSERT(alarm.fired == 1);
	/* A later time is replaced by an earlier one. */
	loop_timer_set(&alarm.timer, INT64_MAX);
	loop_timer_set(&alarm.timer, 5);
	alarm.stop = true;
	CU_ASSERT(loop_run(loop) == CG_OK);
	CU_ASSERT(alarm.fired == 2);
	alarm.stop = false;
	loop_timer_set(&alarm.timer, -1);
	loop_timer_clear(&alarm.timer);
	CU_ASSERT(!loop_timer_pending(&alarm.timer));
	loop_turn(loop);
	CU_ASSERT(alarm.fired == 2);
	alarm.finish = true;
	loop_timer_set(&alarm.timer, 0);
	loop_turn(loop);
	CU_ASSERT(alarm.fired == 3);
	loop_timer_finish(&alarm.timer);
	loop_timer_finish(NULL);
	loop_destroy(loop);
}

struct reader {
	struct loop_watch watch;
	int fd;
	int calls;
};

static void reader_ready(void *arg)
{
	struct reader *reader = arg;
	char byte;

	CU_ASSERT(read(reader->fd, &byte, 1) == 1);
	if (++reader->calls == 3)
		loop_watch_finish(&reader->watch);
}

static void watch_is_level_triggered_until_finished(void)
{
	struct loop *loop = make_loop();
	struct reader reader = {0};
	int fds[2];

	CU_ASSERT_FATAL(pipe(fds) == 0);
	reader.fd = fds[0];
	CU_ASSERT(loop_watch_init(&reader.watch, loop, fds[0], false, reader_ready,
			  &reader) == CG_OK);
	loop_turn(loop);
	CU_ASSERT(reader.calls == 0);
	CU_ASSERT(write(fds[1], "abcd", 4) == 4);
	for (int i = 0; i < 6; i++)
		loop_turn(loop);
	CU_ASSERT(reader.calls == 3);
	loop_watch_finish(&reader.watch);
	loop_watch_finish(NULL);
	close(fds[0]);
	close(fds[1]);
	loop_destroy(loop);
}

static void count_up(void *arg)
{
	++*(int *)arg;
}

static void watch_tells_when_a_descriptor_takes_bytes(void)
{
	struct loop *loop = make_loop();
	struct loop_watch watch;
	int fds[2], calls = 0;

	CU_ASSERT_FATAL(pipe(fds) == 0);
	CU_ASSERT(loop_watch_init(&watch, loop, fds[1], true, count_up, &calls) == CG_OK);
	loop_turn(loop);
	CU_ASSERT(calls == 1);
	loop_watch_finish(&watch);
	loop_turn(loop);
	CU_ASSERT(calls == 1);
	close(fds[0]);
	close(fds[1]);
	loop_destroy(loop);
}

/* Linux cannot watch a file: the caller is told, and whoever sits at the terminal is not. */
static void watch_of_a_file_says_nothing_by_itself(void)
{
	struct loop *loop = make_loop();
	struct loop_watch watch;
	FILE *file = tmpfile(), *said = tmpfile();
	int calls = 0, kept = dup(STDERR_FILENO);
	struct stat stat;

	CU_ASSERT_FATAL(file != NULL && said != NULL && kept >= 0);
	dup2(fileno(said), STDERR_FILENO);
	if (loop_watch_init(&watch, loop, fileno(file), false, count_up, &calls) == CG_OK)
		loop_watch_finish(&watch);
	dup2(kept, STDERR_FILENO);
	CU_ASSERT(fstat(fileno(said), &stat) == 0);
	CU_ASSERT_EQUAL(stat.st_size, 0);
	close(kept);
	fclose(said);
	fclose(file);
	loop_destroy(loop);
}

static void signal_arrives_on_the_loop(void)
{
	struct loop *loop = make_loop();
	struct loop_watch watch;
	int calls = 0;

	CU_ASSERT(loop_signal_init(&watch, loop, SIGUSR1, count_up, &calls) == CG_OK);
	raise(SIGUSR1);
	CU_ASSERT(calls == 0);
	loop_turn(loop);
	loop_turn(loop);
	CU_ASSERT(calls == 1);
	loop_watch_finish(&watch);
	loop_destroy(loop);
}

static void idle_loop_waits_for_nothing(void)
{
	struct loop *loop = make_loop();
	struct letter letter;

	letters_init(&letter, 1);
	loop_defer(loop, &letter.task);
	loop_turn(loop);
	/* No timer and no descriptor of its own: an idle loop is never woken. */
	CU_ASSERT(
		event_base_get_num_events(loop_base(loop), EVENT_BASE_COUNT_ADDED) == 0);
	loop_destroy(loop);
	loop_destroy(NULL);
}

UNIT_SUITE(loop, UNIT_TEST(defer_runs_later_in_order_and_once),
	UNIT_TEST(defer_of_oneself_waits_for_the_next_turn),
	UNIT_TEST(undefer_takes_first_middle_last_and_none),
	UNIT_TEST(undefer_works_inside_a_running_batch),
	UNIT_TEST(post_keeps_the_order_of_a_list_and_can_be_taken_back),
	UNIT_TEST(post_from_threads_loses_nothing),
	UNIT_TEST(stop_holds_before_run_and_only_once),
	UNIT_TEST(timer_fires_once_and_can_be_set_again),
	UNIT_TEST(watch_is_level_triggered_until_finished),
	UNIT_TEST(watch_tells_when_a_descriptor_takes_bytes),
	UNIT_TEST(watch_of_a_file_says_nothing_by_itself),
	UNIT_TEST(signal_arrives_on_the_loop), UNIT_TEST(idle_loop_waits_for_nothing));
