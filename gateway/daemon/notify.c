/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/notify.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct notify {
	struct loop *loop;
	struct notify_hooks hooks;
	int fd; /* -1: there is no manager */
	struct sockaddr_un address;
	socklen_t address_length;
	int64_t watchdog_ms;
	struct loop_timer tick;
	char shown[NOTIFY_STATUS];
	bool up; /* between ready and stopping */
	bool owes_ready; /* the manager did not take it */
};

static bool number(const char *text, int64_t *ret)
{
	char *end;

	if (text == NULL || *text == '\0')
		return false;
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' && *ret > 0;
}

void notify_environment_read(struct notify_environment *ret)
{
	const char *path = getenv("NOTIFY_SOCKET");
	const char *whose = getenv("WATCHDOG_PID");
	int64_t microseconds, pid;

	*ret = (struct notify_environment){.socket = NULL};
	if (path == NULL || *path == '\0')
		return;
	ret->socket = path;
	if (whose != NULL && (!number(whose, &pid) || pid != (int64_t)getpid()))
		return;
	if (number(getenv("WATCHDOG_USEC"), &microseconds))
		ret->watchdog_ms = microseconds / 1000;
}

int notify_socket_take(void)
{
	const int first = 3; /* where the protocol puts them */
	int64_t pid = 0, count = 0;
	bool ours = number(getenv("LISTEN_PID"), &pid) && pid == (int64_t)getpid() &&
		    number(getenv("LISTEN_FDS"), &count);

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return ours && fcntl(first, F_GETFD) >= 0 ? first : -1;
}

static bool send_lines(const struct notify *notify, const char *lines)
{
	return sendto(notify->fd, lines, strlen(lines), 0,
		       (const struct sockaddr *)&notify->address,
		       notify->address_length) >= 0;
}

static void show_status(struct notify *notify)
{
	char status[NOTIFY_STATUS] = "", line[NOTIFY_STATUS + 16];

	notify->hooks.status(notify->hooks.arg, status, sizeof(status));
	if (strcmp(status, notify->shown) == 0)
		return;
	snprintf(line, sizeof(line), "STATUS=%s", status);
	if (send_lines(notify, line))
		cg_text_copy(notify->shown, sizeof(notify->shown), status);
}

static void say_ready(struct notify *notify)
{
	notify->owes_ready = !send_lines(notify, "READY=1");
	show_status(notify);
}

/* A third of the watchdog's time: two signs of life may be lost before it bites. */
static int64_t tick_ms(const struct notify *notify)
{
	int64_t feed = notify->watchdog_ms / 3;

	return feed > 0 && feed < NOTIFY_STATUS_MS ? feed : NOTIFY_STATUS_MS;
}

static void tick(void *arg)
{
	struct notify *notify = arg;

	if (notify->watchdog_ms > 0 && notify->hooks.alive(notify->hooks.arg))
		send_lines(notify, "WATCHDOG=1");
	if (notify->up && notify->owes_ready)
		say_ready(notify);
	else if (notify->up)
		show_status(notify);
	loop_timer_set(&notify->tick, tick_ms(notify));
}

/* "@name" is Linux's abstract namespace: a first byte of NUL, and no NUL at the end. */
static enum cg_status set_address(
	struct notify *notify, const char *path, struct cg_error *err)
{
	size_t length = strlen(path);

	if (length >= sizeof(notify->address.sun_path) ||
		(*path != '/' && *path != '@') || path[1] == '\0')
		return cg_error_set(
			err, CG_INVALID, "NOTIFY_SOCKET names no socket: %s", path);
	notify->address.sun_family = AF_UNIX;
	memcpy(notify->address.sun_path, path, length);
	notify->address_length =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	if (*path == '@')
		notify->address.sun_path[0] = '\0';
	else
		notify->address_length++;
	return CG_OK;
}

static enum cg_status open_socket(
	struct notify *notify, const char *path, struct cg_error *err)
{
	enum cg_status status = set_address(notify, path, err);

	if (status != CG_OK)
		return status;
	notify->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (notify->fd < 0 || fcntl(notify->fd, F_SETFD, FD_CLOEXEC) != 0 ||
		fcntl(notify->fd, F_SETFL, O_NONBLOCK) != 0)
		return cg_error_set(
			err, CG_IO, "the service manager's socket: %s", strerror(errno));
	status = loop_timer_init(&notify->tick, notify->loop, tick, notify);
	if (status != CG_OK)
		return cg_error_set(err, status, "the watchdog's timer cannot be made");
	loop_timer_set(&notify->tick, tick_ms(notify));
	return CG_OK;
}

enum cg_status notify_create(struct loop *loop,
	const struct notify_environment *environment, const struct notify_hooks *hooks,
	struct notify **ret, struct cg_error *err)
{
	struct notify *notify = calloc(1, sizeof(*notify));
	enum cg_status status = CG_OK;

	if (notify == NULL)
		return cg_error_nomem(err);
	notify->loop = loop;
	notify->hooks = *hooks;
	notify->fd = -1;
	notify->watchdog_ms = environment->watchdog_ms;
	if (environment->socket != NULL)
		status = open_socket(notify, environment->socket, err);
	if (status != CG_OK) {
		notify_destroy(notify);
		return status;
	}
	*ret = notify;
	return CG_OK;
}

void notify_destroy(struct notify *notify)
{
	if (notify == NULL)
		return;
	loop_timer_finish(&notify->tick);
	if (notify->fd >= 0)
		close(notify->fd);
	free(notify);
}

void notify_ready(struct notify *notify)
{
	if (notify == NULL || notify->fd < 0)
		return;
	notify->up = true;
	say_ready(notify);
}

void notify_reloading(struct notify *notify)
{
	char lines[80];

	if (notify == NULL || notify->fd < 0)
		return;
	/* Newer managers want to know since when, on the clock that both of us see. */
	snprintf(lines, sizeof(lines), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		clock_mono(loop_clock(notify->loop)) * 1000);
	send_lines(notify, lines);
}

void notify_stopping(struct notify *notify)
{
	if (notify == NULL || notify->fd < 0)
		return;
	notify->up = false;
	send_lines(notify, "STOPPING=1");
}
