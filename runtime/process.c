/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/process.h"

#include "runtime/line_reader.h"
#include "runtime/platform.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FD 16 /* ours lie above those that the keeper is to get */
#define READ_CHUNK 65536
#define READ_TURN (1u << 20) /* bytes taken in one turn of the loop */
#define REPORT_LINE 512
#define REAP_MS 10 /* until a keeper that has reported is looked for again */

enum stream {
	STREAM_INPUT,
	STREAM_OUTPUT,
	STREAM_ERROR,
	STREAM_LINE, /* to the keeper */
	STREAMS,
};

struct process {
	struct loop *loop;
	pid_t keeper; /* 0: reaped */
	int fds[STREAMS]; /* ours, -1: closed */
	struct loop_watch watches[STREAMS];
	struct cg_buffer input; /* not yet written */
	struct line_reader output;
	struct line_reader error;
	struct line_reader report;
	struct process_exit exit;
	bool gone; /* the keeper has closed its line */
	bool told; /* on_exit was called */
	struct loop_timer reaping;
	void (*on_line)(void *arg, const char *line, size_t length, bool whole);
	void (*on_error)(void *arg, const char *line, size_t length);
	void (*on_exit)(void *arg, const struct process_exit *exit);
	void *arg;
};

static void close_stream(struct process *process, enum stream stream)
{
	loop_watch_finish(&process->watches[stream]);
	if (process->fds[stream] >= 0)
		close(process->fds[stream]);
	process->fds[stream] = -1;
}

/* ---- what comes ---- */

static void on_output_line(void *arg, const char *line, size_t length, bool whole)
{
	struct process *process = arg;

	if (process->on_line != NULL)
		process->on_line(process->arg, line, length, whole);
}

static void on_error_line(void *arg, const char *line, size_t length, bool whole)
{
	struct process *process = arg;

	(void)whole;
	if (process->on_error != NULL && length > 0)
		process->on_error(process->arg, line, length);
}

static void on_report(void *arg, const char *line, size_t length, bool whole)
{
	struct process *process = arg;
	struct process_exit *ended = &process->exit;
	int64_t number = 0;

	(void)whole;
	if (length < 3)
		return;
	if (line[0] == 'f') {
		ended->ran = false;
		cg_text_copy(ended->text, sizeof(ended->text), line + 2);
	} else if (cg_parse_int(line + 2, &number) && line[0] == 's') {
		ended->signal = (int)number;
		snprintf(ended->text, sizeof(ended->text), "signal %d ended it",
			ended->signal);
	} else {
		ended->code = (int)number;
		snprintf(ended->text, sizeof(ended->text), "it ended with code %d",
			ended->code);
	}
}

/* One chunk.  False: there is nothing more, for now or for ever. */
static bool read_chunk(
	struct process *process, enum stream stream, struct line_reader *reader)
{
	char chunk[READ_CHUNK];
	ssize_t got;

	if (process->fds[stream] < 0)
		return false;
	got = read(process->fds[stream], chunk, sizeof(chunk));
	if (got > 0) {
		line_reader_feed(reader, chunk, (size_t)got);
		return true;
	}
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	close_stream(process, stream);
	line_reader_end(reader);
	return false;
}

static void read_some(
	struct process *process, enum stream stream, struct line_reader *reader)
{
	size_t turns = READ_TURN / READ_CHUNK;

	while (turns-- > 0 && read_chunk(process, stream, reader))
		;
}

static void on_output(void *arg)
{
	struct process *process = arg;

	read_some(process, STREAM_OUTPUT, &process->output);
}

static void on_error(void *arg)
{
	struct process *process = arg;

	read_some(process, STREAM_ERROR, &process->error);
}

/* ---- its end ---- */

static bool keeper_reaped(struct process *process, int flags)
{
	pid_t ended;

	if (process->keeper == 0)
		return true;
	do
		ended = waitpid(process->keeper, NULL, flags);
	while (ended < 0 && errno == EINTR);
	if (ended == 0)
		return false;
	process->keeper = 0;
	return true;
}

static void on_reaping(void *arg)
{
	struct process *process = arg;

	if (!keeper_reaped(process, WNOHANG)) {
		loop_timer_set(&process->reaping, REAP_MS);
		return;
	}
	if (process->told)
		return;
	/* What was said before the end comes before it; nobody is left to say more. */
	while (read_chunk(process, STREAM_OUTPUT, &process->output))
		;
	while (read_chunk(process, STREAM_ERROR, &process->error))
		;
	for (enum stream stream = 0; stream < STREAMS; stream++)
		close_stream(process, stream);
	process->told = true;
	if (process->on_exit != NULL)
		process->on_exit(process->arg, &process->exit);
}

static void on_line(void *arg)
{
	struct process *process = arg;

	read_some(process, STREAM_LINE, &process->report);
	if (process->fds[STREAM_LINE] < 0 && !process->gone) {
		process->gone = true;
		loop_timer_set(&process->reaping, 0);
	}
}

/* ---- starting ---- */

/* A pair of ends, [0] for reading, both out of the way of the keeper's own. */
static bool make_pair(enum stream stream, int ret[2])
{
	int ends[2], code;

	code = stream == STREAM_LINE ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends)
				     : pipe(ends);
	if (code != 0)
		return false;
	for (int i = 0; i < 2; i++) {
		ret[i] = fcntl(ends[i], F_DUPFD_CLOEXEC, FIRST_FD);
		close(ends[i]);
	}
	return ret[0] >= 0 && ret[1] >= 0;
}

static bool open_streams(struct process *process, int theirs[STREAMS])
{
	for (enum stream stream = 0; stream < STREAMS; stream++) {
		int ends[2] = {-1, -1}, ours = stream == STREAM_INPUT ? 1 : 0;
		bool made = make_pair(stream, ends);

		process->fds[stream] = ends[ours];
		theirs[stream] = ends[1 - ours];
		if (!made || fcntl(ends[ours], F_SETFL, O_NONBLOCK) != 0)
			return false;
	}
	return true;
}

/* Options and program as the keeper takes them; NULL when there are too many. */
static char **keeper_arguments(const struct process_options *options)
{
	const char *words[2 * PROCESS_LIMITS + PROCESS_ARGUMENTS + 8];
	size_t count = 0, limits = 0, arguments = 0;
	char **argv;

	words[count++] = "cowgate-keeper";
	if (options->directory != NULL) {
		words[count++] = "-d";
		words[count++] = options->directory;
	}
	if (options->user != NULL) {
		words[count++] = "-u";
		words[count++] = options->user;
	}
	for (; options->limits != NULL && options->limits[limits] != NULL; limits++) {
		if (limits == PROCESS_LIMITS)
			return NULL;
		words[count++] = "-l";
		words[count++] = options->limits[limits];
	}
	words[count++] = "--";
	for (; options->argv[arguments] != NULL; arguments++) {
		if (arguments == PROCESS_ARGUMENTS)
			return NULL;
		words[count++] = options->argv[arguments];
	}
	words[count++] = NULL;
	argv = calloc(count, sizeof(*argv));
	for (size_t i = 0; argv != NULL && words[i] != NULL; i++) {
		argv[i] = strdup(words[i]);
		if (argv[i] == NULL) {
			while (i > 0)
				free(argv[--i]);
			free(argv);
			return NULL;
		}
	}
	return argv;
}

static void free_words(char **words)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		free(words[i]);
	free(words);
}

/* 0, or an error number. */
static int spawn_keeper(struct process *process, const struct process_options *options,
	char **argv, const int theirs[STREAMS])
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int code;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	for (int fd = 0; fd < STREAMS; fd++)
		posix_spawn_file_actions_adddup2(&actions, theirs[fd], fd);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	/* posix_spawn() changes no string, it only lacks the const. */
	code = posix_spawn(&process->keeper, options->keeper, &actions, &attributes, argv,
		(char *const *)(uintptr_t)options->environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (code != 0)
		process->keeper = 0;
	return code;
}

static enum cg_status start(struct process *process,
	const struct process_options *options, struct cg_error *err)
{
	int theirs[STREAMS] = {-1, -1, -1, -1}, code = 0;
	char **argv = keeper_arguments(options);

	if (argv == NULL)
		return cg_error_set(err, CG_LIMIT, "the program has too many arguments");
	if (!open_streams(process, theirs))
		code = errno;
	if (code == 0)
		code = spawn_keeper(process, options, argv, theirs);
	for (int i = 0; i < STREAMS; i++) {
		if (theirs[i] >= 0)
			close(theirs[i]);
	}
	free_words(argv);
	if (code == 0)
		return CG_OK;
	return cg_error_set(
		err, CG_IO, "%s cannot be started: %s", options->keeper, strerror(code));
}

static enum cg_status watch_all(struct process *process)
{
	static const struct {
		enum stream stream;
		loop_callback ready;
	} rows[] = {
		{STREAM_OUTPUT, on_output},
		{STREAM_ERROR, on_error},
		{STREAM_LINE, on_line},
	};
	enum cg_status status = CG_OK;

	for (size_t i = 0; status == CG_OK && i < sizeof(rows) / sizeof(rows[0]); i++)
		status = loop_watch_init(&process->watches[rows[i].stream], process->loop,
			process->fds[rows[i].stream], false, rows[i].ready, process);
	return status;
}

enum cg_status process_create(struct loop *loop, const struct process_options *options,
	struct process **ret, struct cg_error *err)
{
	struct process *process = calloc(1, sizeof(*process));
	enum cg_status status;

	if (process == NULL)
		return cg_error_nomem(err);
	process->loop = loop;
	process->exit = (struct process_exit){.ran = true, .text = "it vanished"};
	process->on_line = options->on_line;
	process->on_error = options->on_error;
	process->on_exit = options->on_exit;
	process->arg = options->arg;
	for (enum stream stream = 0; stream < STREAMS; stream++)
		process->fds[stream] = -1;
	cg_buffer_init(&process->input, PROCESS_INPUT);
	line_reader_init(&process->output, options->line_limit, on_output_line, process);
	line_reader_init(&process->error, PROCESS_ERROR_LINE, on_error_line, process);
	line_reader_init(&process->report, REPORT_LINE, on_report, process);
	status = loop_timer_init(&process->reaping, loop, on_reaping, process);
	if (status == CG_OK)
		status = start(process, options, err);
	else
		cg_error_nomem(err);
	if (status == CG_OK) {
		status = watch_all(process);
		if (status != CG_OK)
			cg_error_set(err, status, "the program cannot be listened to");
	}
	if (status != CG_OK) {
		process_destroy(process);
		return status;
	}
	*ret = process;
	return CG_OK;
}

void process_destroy(struct process *process)
{
	if (process == NULL)
		return;
	process_kill(process);
	for (enum stream stream = 0; stream < STREAMS; stream++) {
		if (stream != STREAM_LINE)
			close_stream(process, stream);
	}
	keeper_reaped(process, 0);
	close_stream(process, STREAM_LINE);
	loop_timer_finish(&process->reaping);
	line_reader_finish(&process->output);
	line_reader_finish(&process->error);
	line_reader_finish(&process->report);
	cg_buffer_finish(&process->input);
	free(process);
}

/* ---- what goes ---- */

/* What the pipe takes now.  False: the child has closed it. */
static bool write_some(struct process *process)
{
	while (process->input.length > 0) {
		ssize_t put = write(process->fds[STREAM_INPUT], process->input.bytes,
			process->input.length);

		if (put > 0)
			cg_buffer_drop(&process->input, (size_t)put);
		else if (put < 0 && errno == EINTR)
			continue;
		else
			return put < 0 && errno == EAGAIN;
	}
	return true;
}

static void on_input(void *arg)
{
	struct process *process = arg;

	if (!write_some(process)) {
		cg_buffer_clear(&process->input);
		close_stream(process, STREAM_INPUT);
	} else if (process->input.length == 0) {
		loop_watch_finish(&process->watches[STREAM_INPUT]);
	}
}

enum cg_status process_write(struct process *process, const char *bytes, size_t length)
{
	enum cg_status status;

	if (process->fds[STREAM_INPUT] < 0)
		return CG_NETWORK;
	if (length > PROCESS_INPUT - process->input.length)
		return CG_LIMIT;
	status = cg_buffer_add(&process->input, bytes, length);
	if (status == CG_OK && process->watches[STREAM_INPUT].event == NULL)
		status = loop_watch_init(&process->watches[STREAM_INPUT], process->loop,
			process->fds[STREAM_INPUT], true, on_input, process);
	return status;
}

size_t process_unwritten(const struct process *process)
{
	return process->input.length;
}

static void order(struct process *process, char letter)
{
	if (process->fds[STREAM_LINE] >= 0)
		(void)!platform_send(process->fds[STREAM_LINE], &letter, 1);
}

void process_end(struct process *process)
{
	order(process, 't');
}

void process_kill(struct process *process)
{
	order(process, 'k');
}
