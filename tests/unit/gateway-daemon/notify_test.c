/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/notify.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct manager {
	char directory[64], path[96];
	int fd;
	struct clock clock;
	struct loop *loop;
	struct notify *notify;
	bool alive;
	const char *status;
};

static bool is_alive(void *arg)
{
	return ((struct manager *)arg)->alive;
}

static void tell_status(void *arg, char *ret, size_t size)
{
	snprintf(ret, size, "%s", ((struct manager *)arg)->status);
}

static void manager_init(struct manager *manager, int64_t watchdog_ms)
{
	const struct notify_hooks hooks = {
		.alive = is_alive, .status = tell_status, .arg = manager};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct notify_environment environment = {.watchdog_ms = watchdog_ms};

	*manager = (struct manager){.alive = true, .status = "all is well"};
	snprintf(manager->directory, sizeof(manager->directory),
		"/tmp/cowgate-notify-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(manager->directory));
	snprintf(manager->path, sizeof(manager->path), "%s/socket", manager->directory);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", manager->path);
	manager->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL_FATAL(
		bind(manager->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	clock_system(&manager->clock, 0);
	CU_ASSERT_EQUAL_FATAL(loop_create(&manager->clock, &manager->loop, NULL), CG_OK);
	environment.socket = manager->path;
	CU_ASSERT_EQUAL_FATAL(notify_create(manager->loop, &environment, &hooks,
				      &manager->notify, NULL),
		CG_OK);
}

static void manager_finish(struct manager *manager)
{
	notify_destroy(manager->notify);
	loop_destroy(manager->loop);
	close(manager->fd);
	unlink(manager->path);
	rmdir(manager->directory);
}

/* The next message, "" if there is none. */
static const char *heard(struct manager *manager)
{
	static char message[512];
	ssize_t length = recv(manager->fd, message, sizeof(message) - 1, MSG_DONTWAIT);

	message[length < 0 ? 0 : length] = '\0';
	return message;
}

static void notify_tells_the_life_of_a_service(void)
{
	struct manager manager;

	manager_init(&manager, 0);
	CU_ASSERT_STRING_EQUAL(heard(&manager), "");
	notify_ready(manager.notify);
	CU_ASSERT_STRING_EQUAL(heard(&manager), "READY=1");
	CU_ASSERT_STRING_EQUAL(heard(&manager), "STATUS=all is well");
	notify_reloading(manager.notify);
	CU_ASSERT_EQUAL(strncmp(heard(&manager), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	notify_ready(manager.notify);
	CU_ASSERT_STRING_EQUAL(heard(&manager), "READY=1");
	CU_ASSERT_STRING_EQUAL(heard(&manager), ""); /* the status is what it was */
	notify_stopping(manager.notify);
	CU_ASSERT_STRING_EQUAL(heard(&manager), "STOPPING=1");
	manager_finish(&manager);
}

static void notify_feeds_the_watchdog_only_while_all_is_tended(void)
{
	struct manager manager;
	unsigned fed = 0, told = 0;

	manager_init(&manager, 3);
	notify_ready(manager.notify);
	(void)heard(&manager);
	(void)heard(&manager);
	manager.status = "one is deaf";
	for (unsigned i = 0; i < 10000 && (fed < 3 || told == 0); i++) {
		const char *message;

		loop_turn(manager.loop);
		message = heard(&manager);
		fed += strcmp(message, "WATCHDOG=1") == 0;
		told += strcmp(message, "STATUS=one is deaf") == 0;
		usleep(100);
	}
	CU_ASSERT(fed >= 3);
	CU_ASSERT_EQUAL(told, 1); /* said once for each change */
	manager.alive = false;
	while (*heard(&manager) != '\0') {
	}
	manager.status = "stuck";
	for (told = 0; told == 0;) {
		const char *message;

		loop_turn(manager.loop);
		message = heard(&manager);
		CU_ASSERT_STRING_NOT_EQUAL(message, "WATCHDOG=1");
		told += strcmp(message, "STATUS=stuck") == 0;
		usleep(100);
	}
	manager_finish(&manager);
}

/* READY must not be lost because the manager's queue was full just then. */
static void notify_says_ready_until_it_is_taken(void)
{
	struct manager manager;
	bool ready = false;

	manager_init(&manager, 3);
	for (unsigned i = 0; i < 5000; i++)
		notify_reloading(manager.notify); /* fills the socket */
	notify_ready(manager.notify);
	for (unsigned i = 0; i < 10000 && !ready; i++) {
		loop_turn(manager.loop);
		ready = strcmp(heard(&manager), "READY=1") == 0;
		usleep(10);
	}
	CU_ASSERT_TRUE(ready);
	manager_finish(&manager);
}

static void notify_is_silent_without_a_manager(void)
{
	const struct notify_hooks hooks = {.alive = is_alive, .status = tell_status};
	const struct notify_environment none = {.socket = NULL},
					relative = {.socket = "run/notify"},
					bare = {.socket = "@"};
	struct notify *notify = NULL;
	struct cg_error err;
	struct clock clock;
	struct loop *loop;

	clock_system(&clock, 0);
	CU_ASSERT_EQUAL_FATAL(loop_create(&clock, &loop, NULL), CG_OK);
	CU_ASSERT_EQUAL(
		notify_create(loop, &relative, &hooks, &notify, &err), CG_INVALID);
	CU_ASSERT_EQUAL(notify_create(loop, &bare, &hooks, &notify, &err), CG_INVALID);
	CU_ASSERT_PTR_NULL(notify);
	CU_ASSERT_EQUAL_FATAL(notify_create(loop, &none, &hooks, &notify, &err), CG_OK);
	notify_ready(notify);
	notify_reloading(notify);
	notify_stopping(notify);
	notify_destroy(notify);
	notify_ready(NULL);
	notify_destroy(NULL);
	loop_destroy(loop);
}

static void notify_reads_what_the_manager_gave(void)
{
	struct notify_environment environment;
	char whose[32];

	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_USEC", "30000000", 1);
	notify_environment_read(&environment);
	CU_ASSERT_PTR_NULL(environment.socket);
	CU_ASSERT_EQUAL(environment.watchdog_ms, 0);
	setenv("NOTIFY_SOCKET", "@there", 1);
	notify_environment_read(&environment);
	CU_ASSERT_STRING_EQUAL(environment.socket, "@there");
	CU_ASSERT_EQUAL(environment.watchdog_ms, 30000);
	setenv("WATCHDOG_PID", "1", 1);
	notify_environment_read(&environment);
	CU_ASSERT_EQUAL(environment.watchdog_ms, 0);
	snprintf(whose, sizeof(whose), "%ld", (long)getpid());
	setenv("WATCHDOG_PID", whose, 1);
	notify_environment_read(&environment);
	CU_ASSERT_EQUAL(environment.watchdog_ms, 30000);
	setenv("WATCHDOG_USEC", "soon", 1);
	notify_environment_read(&environment);
	CU_ASSERT_EQUAL(environment.watchdog_ms, 0);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

/* Descriptor 3 is what it is here: it must neither be taken nor closed for somebody else. */
static void notify_takes_a_socket_only_if_it_is_ours(void)
{
	char whose[32];

	CU_ASSERT_EQUAL(notify_socket_take(), -1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", "1", 1);
	CU_ASSERT_EQUAL(notify_socket_take(), -1);
	CU_ASSERT_PTR_NULL(getenv("LISTEN_FDS"));
	snprintf(whose, sizeof(whose), "%ld", (long)getpid());
	setenv("LISTEN_PID", whose, 1);
	CU_ASSERT_EQUAL(notify_socket_take(), -1); /* of none */
	setenv("LISTEN_PID", whose, 1);
	setenv("LISTEN_FDS", "1", 1);
	CU_ASSERT_EQUAL(notify_socket_take(), fcntl(3, F_GETFD) < 0 ? -1 : 3);
	CU_ASSERT_EQUAL(notify_socket_take(), -1); /* once */
}

UNIT_SUITE(notify, UNIT_TEST(notify_tells_the_life_of_a_service),
	UNIT_TEST(notify_feeds_the_watchdog_only_while_all_is_tended),
	UNIT_TEST(notify_says_ready_until_it_is_taken),
	UNIT_TEST(notify_is_silent_without_a_manager),
	UNIT_TEST(notify_reads_what_the_manager_gave),
	UNIT_TEST(notify_takes_a_socket_only_if_it_is_ours));
