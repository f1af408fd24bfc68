/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"

bool terminal_fits(int in, int out)
{
	const char *name = getenv("TERM");

	return isatty(in) && isatty(out) && name != NULL && name[0] != '\0' &&
	       strcmp(name, "dumb") != 0;
}

/* Put a pipe in the place of standard error where that is the terminal itself. */
static void capture_errors(struct terminal *terminal, int out)
{
	struct stat screen, error;
	int pair[2];

	terminal->log = terminal->error = -1;
	if (!isatty(STDERR_FILENO) || fstat(out, &screen) != 0 ||
		fstat(STDERR_FILENO, &error) != 0 || screen.st_rdev != error.st_rdev ||
		pipe(pair) != 0)
		return;
	for (int i = 0; i < 2; i++) {
		fcntl(pair[i], F_SETFD, FD_CLOEXEC);
		fcntl(pair[i], F_SETFL, O_NONBLOCK);
	}
	terminal->error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (terminal->error < 0 || dup2(pair[1], STDERR_FILENO) < 0) {
		close(pair[0]);
		if (terminal->error >= 0)
			close(terminal->error);
		terminal->error = -1;
	} else {
		terminal->log = pair[0];
	}
	close(pair[1]);
}

bool terminal_open(struct terminal *terminal, int in, int out)
{
	struct termios raw;

	if (tcgetattr(in, &terminal->before) != 0)
		return false;
	raw = terminal->before;
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO | IEXTEN);
	raw.c_iflag &= (tcflag_t) ~(ICRNL | IXON);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	/* Suspended, it would leave the shell with a terminal that does not echo. */
	raw.c_cc[VSUSP] = _POSIX_VDISABLE;
	if (tcsetattr(in, TCSADRAIN, &raw) != 0)
		return false;
	if (write(out, PASTE_ON, sizeof(PASTE_ON) - 1) < 0) {
		tcsetattr(in, TCSADRAIN, &terminal->before);
		return false;
	}
	capture_errors(terminal, out);
	terminal->open = true;
	return true;
}

/* What the log has said last is still in the pipe. */
static void release_errors(struct terminal *terminal)
{
	char bytes[4096];
	ssize_t count;

	if (terminal->log < 0)
		return;
	dup2(terminal->error, STDERR_FILENO);
	close(terminal->error);
	while ((count = read(terminal->log, bytes, sizeof(bytes))) > 0) {
		if (write(STDERR_FILENO, bytes, (size_t)count) < 0)
			break;
	}
	close(terminal->log);
	terminal->log = terminal->error = -1;
}

void terminal_close(struct terminal *terminal, int in, int out)
{
	static const char leave[] = PASTE_OFF "\r\033[K";

	if (!terminal->open)
		return;
	terminal->open = false;
	if (write(out, leave, sizeof(leave) - 1) > 0)
		tcsetattr(in, TCSADRAIN, &terminal->before);
	else
		tcsetattr(in, TCSANOW, &terminal->before);
	release_errors(terminal);
}

size_t terminal_columns(int out)
{
	struct winsize size;

	if (ioctl(out, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}
