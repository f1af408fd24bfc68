/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-daemon/house_rig.h"

#include <sys/wait.h>

static void daemon_keeps_its_places_to_itself(void)
{
	struct house house;
	struct stat info;
	char spool[128];

	house_begin(&house, HOUSE_ONE);
	/* One that lies open is closed. */
	CU_ASSERT_EQUAL_FATAL(mkdir(house.data, 0755), 0);
	CU_ASSERT_EQUAL_FATAL(house_create(&house), CG_OK);
	CU_ASSERT_EQUAL(stat(house.data, &info), 0);
	CU_ASSERT_EQUAL(info.st_mode & 07777, 0700);
	snprintf(spool, sizeof(spool), "%s/spool", house.data);
	CU_ASSERT_EQUAL(stat(spool, &info), 0);
	CU_ASSERT_EQUAL(info.st_mode & 07777, 0700);
	house_end(&house);
}

static void daemon_says_what_is_wrong_with_its_place(void)
{
	struct house house;
	FILE *file;

	house_begin(&house, HOUSE_ONE);
	file = fopen(house.data, "w"); /* what should be a directory */
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fclose(file);
	CU_ASSERT_EQUAL(house_create(&house), CG_IO);
	CU_ASSERT_PTR_NULL(house.daemon);
	CU_ASSERT_PTR_NOT_NULL(strstr(house.err.text, house.data));
	CU_ASSERT_EQUAL(house.stage.count, 0); /* nobody was made before */
	house_end(&house);
}

/* Another process's: a process never locks itself out of its own files. */
static void daemon_is_alone_in_its_directory(void)
{
	struct house house;
	int code = 0;
	pid_t child;

	house_begin(&house, HOUSE_ONE);
	CU_ASSERT_EQUAL_FATAL(house_create(&house), CG_OK);
	child = fork();
	if (child == 0) {
		struct cg_error err = {.text = ""};
		struct daemon *second;
		enum cg_status status =
			daemon_create(&house.daemon->options, &second, &err);

		_exit(status == CG_BUSY && err.text[0] != '\0' ? 0 : 1);
	}
	CU_ASSERT_EQUAL(waitpid(child, &code, 0), child);
	CU_ASSERT_EQUAL(code, 0);
	house_end(&house);
}

static void daemon_socket_lies_where_it_can(void)
{
	char path[256], long_one[200];

	unsetenv("RUNTIME_DIRECTORY");
	CU_ASSERT_EQUAL(daemon_socket_path("/d", path, sizeof(path)), CG_OK);
	CU_ASSERT_EQUAL(strncmp(path, "/d/", 3), 0);
	setenv("RUNTIME_DIRECTORY", "/run/of-it", 1);
	CU_ASSERT_EQUAL(daemon_socket_path("/d", path, sizeof(path)), CG_OK);
	CU_ASSERT_EQUAL(strncmp(path, "/run/of-it/", 11), 0);
	unsetenv("RUNTIME_DIRECTORY");
	/* A socket's address is shorter than a path. */
	memset(long_one, 'd', sizeof(long_one));
	long_one[0] = '/';
	long_one[sizeof(long_one) - 1] = '\0';
	CU_ASSERT_NOT_EQUAL(daemon_socket_path(long_one, path, sizeof(path)), CG_OK);
}

/* A message goes all the way: stored, answered by the plane's echo, sent. */
static void answer_a_message(struct house *house)
{
	struct actor *actor = house_actor(house, ONE);

	CU_ASSERT_EQUAL(actor->starts, 1);
	house_up(house, ONE);
	CU_ASSERT_EQUAL(
		house_hear(house, ONE, "e1", "hello there"), CG_VERDICT_COMMITTED);
	HOUSE_UNTIL(house, strcmp(actor->text, "hello there") == 0);
	CU_ASSERT_EQUAL(
		house_hear(house, ONE, "e1", "hello there"), CG_VERDICT_DUPLICATE);
	CU_ASSERT_EQUAL(strncmp(house->url, "http://127.0.0.1:", 17), 0);
	raise(SIGTERM);
}

static void daemon_carries_a_message(void)
{
	struct house house;

	house_begin(&house, HOUSE_ONE);
	house_run(&house, answer_a_message);
	CU_ASSERT_EQUAL(house.stage.actors[0].stops, 1);
	CU_ASSERT_EQUAL(house.stage.actors[0].destroyed, 1);
	CU_ASSERT_EQUAL(
		house_number(&house, "SELECT count(*) FROM outbox WHERE state = 2"), 1);
	house_end(&house);
}

/* Answers what is held, as soon as the daemon looks the other way. */
static void answer_later(void *arg)
{
	struct actor *actor = arg;

	actor->holds = false;
	actor_cancel(actor, actor->done_arg);
}

static struct loop_task later;

static void stop_while_it_sends(struct house *house)
{
	struct actor *actor = house_actor(house, ONE);

	house_up(house, ONE);
	actor->holds = true;
	house_hear(house, ONE, "e1", "first");
	HOUSE_UNTIL(house, actor->sends == 1);
	daemon_stop(house->daemon);
	daemon_stop(house->daemon); /* once is enough */
	CU_ASSERT_EQUAL(actor->stops, 1);
	CU_ASSERT_EQUAL(delivery_in_flight(house->daemon->delivery), 1);
	for (int i = 0; i < 20; i++)
		loop_turn(house->daemon->loop); /* it is waited for */
	CU_ASSERT_EQUAL(delivery_in_flight(house->daemon->delivery), 1);
	loop_task_init(&later, answer_later, actor);
	loop_defer(house->daemon->loop, &later);
}

static void deliver_what_is_left(struct house *house)
{
	struct actor *actor = house_actor(house, ONE);

	house_up(house, ONE);
	HOUSE_UNTIL(house, strcmp(actor->text, "first") == 0);
	HOUSE_UNTIL(house, house_logged(house, "recovered.outbox pending=1 unknown=0"));
	/* The operator hears of a start that is not the first. */
	HOUSE_UNTIL(house, house_number(house,
				   "SELECT count(*) FROM outbox WHERE chat_id = 'ops' AND"
				   " source LIKE '%1 to deliver%'") == 1);
	daemon_stop(house->daemon);
}

static void daemon_waits_for_what_is_under_way_and_keeps_the_rest(void)
{
	struct house house;

	house_begin(&house, HOUSE_ONE K "OPERATOR_CHAT=" ONE ":ops\n");
	house_run(&house, stop_while_it_sends);
	CU_ASSERT_EQUAL(
		house_number(&house, "SELECT count(*) FROM outbox WHERE state = 0"), 1);
	CU_ASSERT_FALSE(house_logged(&house, "daemon.drain_deadline"));
	house_run(&house, deliver_what_is_left);
	house_end(&house);
}

/* Nobody answers: the deadline of the settings is the end. */
static void stop_and_never_answer(struct house *house)
{
	struct actor *actor = house_actor(house, ONE);

	house_up(house, ONE);
	actor->holds = true;
	actor->deaf = true;
	house_hear(house, ONE, "e1", "first");
	HOUSE_UNTIL(house, actor->sends == 1);
	daemon_stop(house->daemon);
	CU_ASSERT_TRUE(loop_timer_pending(&house->daemon->drain_deadline));
	house->daemon->drain_deadline.fire(house->daemon); /* its time has come */
}

static void daemon_does_not_wait_for_ever(void)
{
	struct house house;

	house_begin(&house, HOUSE_ONE);
	house_run(&house, stop_and_never_answer);
	CU_ASSERT_TRUE(house_logged(&house, "daemon.drain_deadline in_flight=1"));
	house_end(&house);
}

UNIT_SUITE(daemon, UNIT_TEST(daemon_keeps_its_places_to_itself),
	UNIT_TEST(daemon_says_what_is_wrong_with_its_place),
	UNIT_TEST(daemon_is_alone_in_its_directory),
	UNIT_TEST(daemon_socket_lies_where_it_can), UNIT_TEST(daemon_carries_a_message),
	UNIT_TEST(daemon_waits_for_what_is_under_way_and_keeps_the_rest),
	UNIT_TEST(daemon_does_not_wait_for_ever));
