/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli/rig.h"

#include "cli/program.h"
#include "gateway/daemon/tree.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define RIG_ARGUMENTS 64

extern char **environ;

/* ---- its home ---- */

const char *rig_path(const struct rig *rig, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", rig->directory, name);
	return path;
}

void rig_write(const struct rig *rig, const char *name, const char *text, unsigned mode)
{
	FILE *file = fopen(rig_path(rig, name), "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_TRUE(fputs(text, file) >= 0);
	CU_ASSERT_EQUAL(fclose(file), 0);
	CU_ASSERT_EQUAL(chmod(rig_path(rig, name), (mode_t)mode), 0);
}

static int listen_at_port(int *ret_port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(
		bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 16), 0);
	CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static int listen_at_socket(const struct rig *rig)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CU_ASSERT_FATAL(fd >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		rig_path(rig, "operator.sock"));
	unlink(address.sun_path);
	CU_ASSERT_EQUAL_FATAL(
		bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	chmod(address.sun_path, 0600);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 16), 0);
	return fd;
}

void rig_begin(struct rig *rig)
{
	*rig = (struct rig){.stream = -1, .keyboard = -1, .unix_listener = -1};
	cg_buffer_init(&rig->out_text, RIG_TEXT);
	cg_buffer_init(&rig->err_text, RIG_TEXT);
	cg_buffer_init(&rig->request_text, RIG_TEXT);
	cg_buffer_init(&rig->head_text, RIG_TEXT);
	snprintf(rig->directory, sizeof(rig->directory), "/tmp/cowgate-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(rig->directory));
	rig->port_listener = listen_at_port(&rig->port);
}

void rig_end(struct rig *rig)
{
	close(rig->port_listener);
	CU_ASSERT_EQUAL(tree_remove(rig->directory, NULL), CG_OK);
	cg_buffer_finish(&rig->out_text);
	cg_buffer_finish(&rig->err_text);
	cg_buffer_finish(&rig->request_text);
	cg_buffer_finish(&rig->head_text);
}

/* ---- the other side ---- */

static void send_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t sent = write(fd, text, length);

		if (sent <= 0)
			return; /* whoever asked has gone */
		text += sent;
		length -= (size_t)sent;
	}
}

static const struct rig_answer *find_answer(struct rig *rig, const char *request)
{
	const struct rig_answer *last = NULL;

	for (size_t i = 0; rig->answers != NULL && rig->answers[i].request != NULL; i++) {
		if (strcmp(rig->answers[i].request, request) != 0)
			continue;
		last = &rig->answers[i];
		if (rig->used[i])
			continue;
		rig->used[i] = true;
		break;
	}
	return last;
}

static void put_answer(int fd, const struct rig_answer *answer)
{
	char head[256];
	const char *body = answer->body == NULL ? "" : answer->body;

	if (answer->status == RIG_HANG_UP)
		return;
	if (answer->status == RIG_STREAM)
		snprintf(head, sizeof(head),
			"HTTP/1.1 200 -\r\nContent-Type: text/event-stream\r\n\r\n");
	else
		snprintf(head, sizeof(head),
			"HTTP/1.1 %d -\r\nContent-Type: application/json\r\n"
			"Connection: close\r\nContent-Length: %zu\r\n\r\n",
			answer->status, strlen(body));
	if (answer->status != RIG_RAW)
		send_all(fd, head, strlen(head));
	send_all(fd, body, strlen(body));
}

/* Read one request; where its body begins, 0: there is none that is whole. */
static size_t read_request(int fd, struct cg_buffer *ret)
{
	const struct timeval patience = {.tv_sec = RIG_SECONDS};
	size_t body = 0, length = 0;
	char bytes[4096];

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (body == 0 || ret->length < body + length) {
		ssize_t got = read(fd, bytes, sizeof(bytes));
		const char *text, *end, *field;

		if (got <= 0 || cg_buffer_add(ret, bytes, (size_t)got) != CG_OK)
			return 0;
		text = cg_buffer_string(ret);
		end = strstr(text, "\r\n\r\n");
		if (body != 0 || end == NULL)
			continue;
		body = (size_t)(end - text) + 4;
		field = strstr(text, "\r\nContent-Length: ");
		if (field != NULL && field < end)
			length = strtoul(field + 18, NULL, 10);
	}
	return body;
}

static void serve(struct rig *rig, int listener)
{
	static const struct rig_answer unknown =
		RIG_ANSWER(NULL, 404, "{\"error\":\"the test has no answer to this\"}");
	const struct rig_answer *answer = &unknown;
	struct cg_buffer request;
	int fd = accept(listener, NULL, NULL);
	size_t body;

	CU_ASSERT_FATAL(fd >= 0);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	cg_buffer_init(&request, RIG_TEXT);
	body = read_request(fd, &request);
	if (body > 0) {
		const char *text = cg_buffer_string(&request);
		int line = (int)(strstr(text, " HTTP/") - text);
		char first[4096];

		snprintf(first, sizeof(first), "%.*s", line, text);
		cg_buffer_format(&rig->request_text, "%s%s", first,
			body < request.length ? " " : "");
		cg_buffer_format(&rig->request_text, "%s\n", text + body);
		cg_buffer_add(&rig->head_text, text, body);
		answer = find_answer(rig, first);
		if (answer == NULL)
			answer = &unknown;
		put_answer(fd, answer);
	}
	cg_buffer_finish(&request);
	if (answer->status == RIG_STREAM)
		rig->stream = fd;
	else
		close(fd);
	if (answer->says != NULL && rig->stream >= 0)
		send_all(rig->stream, answer->says, strlen(answer->says));
	if (answer->types != NULL && rig->keyboard >= 0) {
		send_all(rig->keyboard, answer->types, strlen(answer->types));
		if (answer->types[0] == '\0') {
			close(rig->keyboard);
			rig->keyboard = -1;
		}
	}
}

/* Until the command's process has let go of @life.  False: it took too long. */
static bool serve_until(struct rig *rig, int life)
{
	struct pollfd fds[] = {{.fd = life, .events = POLLIN},
		{.fd = rig->unix_listener, .events = POLLIN},
		{.fd = rig->port_listener, .events = POLLIN}};

	for (;;) {
		if (poll(fds, 3, RIG_SECONDS * 1000) <= 0)
			return false;
		for (size_t i = 1; i < 3; i++) {
			if ((fds[i].revents & POLLIN) != 0)
				serve(rig, fds[i].fd);
		}
		if ((fds[0].revents & (POLLIN | POLLHUP)) != 0)
			return true;
	}
}

/* ---- the command ---- */

static bool is_ours(const char *variable)
{
	static const char *const prefixes[] = {"OPEN_COWORK_", "XDG_",
		"STATE_DIRECTORY=", "RUNTIME_DIRECTORY=", "CREDENTIALS_DIRECTORY=",
		"NOTIFY_SOCKET=", "HOME=", "http_proxy=", "HTTP_PROXY=", "https_proxy=",
		"HTTPS_PROXY=", "all_proxy=", "ALL_PROXY="};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

/* {port} and {home} become what they are; the caller frees it. */
static char *expand(const struct rig *rig, const char *text)
{
	struct cg_buffer expanded;
	char *taken;

	cg_buffer_init(&expanded, RIG_TEXT);
	for (; *text != '\0'; text++) {
		if (strncmp(text, "{port}", 6) == 0)
			cg_buffer_format(&expanded, "%d", rig->port);
		else if (strncmp(text, "{home}", 6) == 0)
			cg_buffer_text(&expanded, rig->directory);
		else
			cg_buffer_char(&expanded, *text);
		if (strncmp(text, "{port}", 6) == 0 || strncmp(text, "{home}", 6) == 0)
			text += 5;
	}
	taken = cg_buffer_take(&expanded, NULL);
	cg_buffer_finish(&expanded);
	CU_ASSERT_PTR_NOT_NULL_FATAL(taken);
	return taken;
}

/* Nothing of whoever runs the tests decides. */
static void set_environment(const struct rig *rig)
{
	static char *variables[1024];
	size_t count = 0;

	for (char **at = environ; *at != NULL && count < 1023; at++) {
		if (!is_ours(*at))
			variables[count++] = *at;
	}
	variables[count] = NULL;
	environ = variables;
	setenv("HOME", rig->directory, 1);
	setenv("OPEN_COWORK_GATEWAY_DATA_DIR", rig->directory, 1);
	for (size_t i = 0; rig->environment != NULL && rig->environment[i] != NULL; i++) {
		char *pair = expand(rig, rig->environment[i]),
		     *equals = strchr(pair, '=');

		*equals = '\0';
		setenv(pair, equals + 1, 1);
		free(pair);
	}
}

/* stdin: a file with the input, or a pipe that somebody types into. */
static int open_input(struct rig *rig)
{
	const char *input = rig->input == NULL ? "" : rig->input;
	int pipes[2];
	FILE *file;

	if (rig->typing) {
		CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
		rig->keyboard = pipes[1];
		fcntl(rig->keyboard, F_SETFD, FD_CLOEXEC);
		send_all(rig->keyboard, input, strlen(input));
		return pipes[0];
	}
	file = tmpfile();
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs(input, file);
	rewind(file);
	pipes[0] = dup(fileno(file));
	fclose(file);
	return pipes[0];
}

static void be_command(struct rig *rig, rig_command *command, char **argv,
	const int standard[3], int life)
{
	int argc = 0;

	for (int i = 0; i < 3; i++)
		dup2(standard[i], i);
	/* What the other process holds is not held by this one. */
	for (int fd = 3; fd < 256; fd++) {
		if (fd != life)
			close(fd);
	}
	fcntl(life, F_SETFD, FD_CLOEXEC);
	signal(SIGPIPE, SIG_DFL);
	set_environment(rig);
	program_remember(TEST_PROGRAM);
	while (argv[argc] != NULL)
		argc++;
	exit(command(argc, argv));
}

static int take_exit(pid_t child, bool ended)
{
	int status;

	if (!ended)
		kill(child, SIGKILL);
	CU_ASSERT_TRUE(ended);
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static const char *take_text(int fd, struct cg_buffer *ret)
{
	char bytes[4096];
	ssize_t got;

	cg_buffer_clear(ret);
	lseek(fd, 0, SEEK_SET);
	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		cg_buffer_add(ret, bytes, (size_t)got);
	close(fd);
	return cg_buffer_string(ret);
}

static void open_gateway(struct rig *rig)
{
	rig->unix_listener = -1;
	if (rig->gateway == RIG_ABSENT) {
		unlink(rig_path(rig, "operator.sock"));
		return;
	}
	rig->unix_listener = listen_at_socket(rig);
	if (rig->gateway == RIG_SERVES)
		return;
	close(rig->unix_listener);
	rig->unix_listener = -1;
}

static void close_if(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* argv, of which nothing is constant for whoever gets it. */
static void copy_arguments(
	const struct rig *rig, va_list args, char *ret[RIG_ARGUMENTS + 1])
{
	size_t count = 0;
	const char *text;

	while (count < RIG_ARGUMENTS && (text = va_arg(args, const char *)) != NULL)
		ret[count++] = expand(rig, text);
	ret[count] = NULL;
}

int rig_run(struct rig *rig, rig_command *command, ...)
{
	char *argv[RIG_ARGUMENTS + 1];
	FILE *out = tmpfile(), *err = tmpfile();
	int life[2], standard[3];
	pid_t child;
	va_list args;
	int code;

	va_start(args, command);
	copy_arguments(rig, args, argv);
	va_end(args);
	memset(rig->used, 0, sizeof(rig->used));
	cg_buffer_clear(&rig->request_text);
	cg_buffer_clear(&rig->head_text);
	open_gateway(rig);
	standard[0] = open_input(rig);
	CU_ASSERT_FATAL(out != NULL && err != NULL && pipe(life) == 0);
	standard[1] = fileno(out);
	standard[2] = fileno(err);
	fflush(NULL);
	child = fork();
	CU_ASSERT_FATAL(child >= 0);
	if (child == 0)
		be_command(rig, command, argv, standard, life[1]);
	close(life[1]);
	close(standard[0]);
	code = take_exit(child, serve_until(rig, life[0]));
	close(life[0]);
	close_if(&rig->stream);
	close_if(&rig->keyboard);
	close_if(&rig->unix_listener);
	rig->out = take_text(dup(standard[1]), &rig->out_text);
	rig->err = take_text(dup(standard[2]), &rig->err_text);
	rig->requests = cg_buffer_string(&rig->request_text);
	rig->heads = cg_buffer_string(&rig->head_text);
	fclose(out);
	fclose(err);
	for (size_t i = 0; argv[i] != NULL; i++)
		free(argv[i]);
	return code;
}

/* ---- judging ---- */

bool rig_same(const char *got, const char *wanted)
{
	if (strcmp(got, wanted) == 0)
		return true;
	fprintf(stderr, "wanted:\n%s\ngot:\n%s\n", wanted, got);
	return false;
}

bool rig_has(const char *got, const char *part)
{
	if (strstr(got, part) != NULL)
		return true;
	fprintf(stderr, "wanted:\n… %s …\ngot:\n%s\n", part, got);
	return false;
}
