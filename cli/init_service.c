/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/init_service.h"

#include "cli/command.h"

#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define ARGUMENTS 4 /* of our own */

/* To its end, so that nobody writes to a closed pipe; what fits is kept. */
static void read_first_line(int fd, char *ret, size_t size)
{
	char scrap[512];
	size_t length = 0;
	ssize_t got;

	while ((got = read(fd, scrap, sizeof(scrap))) > 0) {
		for (ssize_t i = 0; i < got && length + 1 < size; i++)
			ret[length++] = scrap[i];
	}
	if (size == 0)
		return;
	ret[length] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

static pid_t start(char *const *argv, const int pipes[2])
{
	posix_spawn_file_actions_t actions;
	pid_t child;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -1;
	posix_spawn_file_actions_addclose(&actions, pipes[0]);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(
		&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&child, argv[0], &actions, NULL, argv, environ) != 0)
		child = -1;
	posix_spawn_file_actions_destroy(&actions);
	return child;
}

/*
 * Run `systemctl …`, of the person unless it is root; its first line in @ret where wanted.  The
 * exit code, -1: it could not be run.
 */
static int systemctl(const char *const *arguments, char *ret, size_t size)
{
	static char program[] = "systemctl", user[] = "--user";
	char *argv[ARGUMENTS + 3];
	size_t count = 0;
	int pipes[2], status = -1;
	pid_t child;

	argv[count++] = program;
	if (geteuid() != 0)
		argv[count++] = user;
	for (size_t i = 0; arguments[i] != NULL && i < ARGUMENTS; i++) {
		union {
			const char *in;
			char *out;
		} pun = {.in = arguments[i]};

		argv[count++] = pun.out;
	}
	argv[count] = NULL;
	if (pipe(pipes) != 0)
		return -1;
	child = start(argv, pipes);
	close(pipes[1]);
	read_first_line(pipes[0], ret, size);
	close(pipes[0]);
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

bool init_service_known(void)
{
	static const char *const ask[] = {"cat", "cowgate.service", NULL};

	return systemctl(ask, NULL, 0) == 0;
}

int init_service_start(void)
{
	static const char *const enable[] = {"enable", "cowgate.service", NULL};
	static const char *const restart[] = {"restart", "cowgate.service", NULL};

	if (!init_service_known()) {
		fprintf(stderr,
			"cowgate init: no service manager here knows Cowgate; run "
			"`cowgate run` under one of your own, or install the package\n");
		return CLI_FAILED;
	}
	if (systemctl(enable, NULL, 0) != 0 || systemctl(restart, NULL, 0) != 0) {
		fprintf(stderr, "cowgate init: the service does not start; "
				"`systemctl status cowgate` and `cowgate doctor` say "
				"why\n");
		return CLI_FAILED;
	}
	if (geteuid() != 0 && !init_service_lingers())
		printf("It ends when you log out; `loginctl enable-linger` lets it "
		       "stay.\n");
	printf("The service runs; `cowgate status` shows how it is doing.\n");
	return CLI_OK;
}

bool init_service_state(char *ret, size_t size)
{
	static const char *const ask[] = {"is-active", "cowgate.service", NULL};

	return systemctl(ask, ret, size) >= 0 && ret[0] != '\0';
}

bool init_service_lingers(void)
{
	const struct passwd *user = getpwuid(geteuid());
	char path[256];

	if (user == NULL)
		return false;
	snprintf(path, sizeof(path), "/var/lib/systemd/linger/%s", user->pw_name);
	return access(path, F_OK) == 0;
}
