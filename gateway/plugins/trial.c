/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/plugins/trial.h"

#include "runtime/platform.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRIAL_ENTRIES 64
#define TRIAL_MODULE_MAX (64 << 20) /* bytes of a module */
#define TRIAL_OUTPUT 512 /* bytes kept of what a trial says */

extern char **environ;

struct entry {
	char hash[2 * CG_SHA256 + 1];
	int64_t size;
	int64_t modified_ns;
	char path[PATH_MAX];
};

struct trial_memory {
	char *path; /* owned, NULL: not kept */
	struct entry *entries; /* owned, TRIAL_ENTRIES */
	size_t count;
	bool changed;
};

static void read_entries(struct trial_memory *memory, FILE *file)
{
	char line[PATH_MAX + 160];

	while (memory->count < TRIAL_ENTRIES && fgets(line, sizeof(line), file) != NULL) {
		struct entry *entry = &memory->entries[memory->count];
		int at = 0;
		size_t length;

		if (sscanf(line, "%64[0-9a-f] %" SCNd64 " %" SCNd64 " %n", entry->hash,
			    &entry->size, &entry->modified_ns, &at) != 3 ||
			at == 0 || strlen(entry->hash) != 64)
			continue;
		length = strcspn(line + at, "\n");
		if (length == 0 || length >= sizeof(entry->path))
			continue;
		memcpy(entry->path, line + at, length);
		entry->path[length] = '\0';
		memory->count++;
	}
}

enum cg_status trial_memory_open(
	const char *path, struct trial_memory **ret, struct cg_error *err)
{
	struct trial_memory *memory = calloc(1, sizeof(*memory));
	FILE *file;

	if (memory == NULL)
		return cg_error_nomem(err);
	if (path != NULL) {
		memory->path = strdup(path);
		memory->entries = calloc(TRIAL_ENTRIES, sizeof(*memory->entries));
		if (memory->path == NULL || memory->entries == NULL) {
			trial_memory_close(memory);
			return cg_error_nomem(err);
		}
		file = fopen(path, "re");
		if (file != NULL) {
			read_entries(memory, file);
			fclose(file);
		}
	}
	*ret = memory;
	return CG_OK;
}

/* A memory that cannot be written costs a trial at the next start, nothing else. */
static void write_entries(const struct trial_memory *memory)
{
	char temporary[PATH_MAX];
	bool ok = true;
	FILE *file;
	int fd;

	if (snprintf(temporary, sizeof(temporary), "%s.new", memory->path) >=
		(int)sizeof(temporary))
		return;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	file = fdopen(fd, "w");
	if (file == NULL) {
		close(fd);
		return;
	}
	for (size_t i = 0; i < memory->count; i++) {
		const struct entry *entry = &memory->entries[i];

		ok = ok && fprintf(file, "%s %" PRId64 " %" PRId64 " %s\n", entry->hash,
				   entry->size, entry->modified_ns, entry->path) > 0;
	}
	ok = fclose(file) == 0 && ok;
	if (!ok || rename(temporary, memory->path) != 0)
		unlink(temporary);
}

void trial_memory_close(struct trial_memory *memory)
{
	if (memory == NULL)
		return;
	if (memory->path != NULL && memory->changed)
		write_entries(memory);
	free(memory->path);
	free(memory->entries);
	free(memory);
}

static enum cg_status hash_file(const char *path, const struct stat *info,
	char hash[2 * CG_SHA256 + 1], struct cg_error *err)
{
	uint8_t digest[CG_SHA256];
	enum cg_status status = CG_OK;
	size_t size = (size_t)info->st_size, done = 0;
	char *bytes;
	int fd;

	if (info->st_size <= 0 || info->st_size > TRIAL_MODULE_MAX)
		return cg_error_set(err, CG_LIMIT, "it is empty or larger than %d MiB",
			TRIAL_MODULE_MAX >> 20);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return cg_error_set(err, CG_IO, "it cannot be read: %s", strerror(errno));
	bytes = malloc(size);
	while (bytes != NULL && done < size) {
		ssize_t got = read(fd, bytes + done, size - done);

		if (got <= 0)
			break;
		done += (size_t)got;
	}
	close(fd);
	if (bytes == NULL)
		return cg_error_nomem(err);
	if (done < size)
		status = cg_error_set(err, CG_IO, "it cannot be read whole");
	else
		cg_sha256(bytes, size, digest);
	free(bytes);
	if (status == CG_OK)
		cg_hex(digest, sizeof(digest), hash);
	return status;
}

static struct entry *find_entry(struct trial_memory *memory, const char *path)
{
	for (size_t i = 0; i < memory->count; i++) {
		if (strcmp(memory->entries[i].path, path) == 0)
			return &memory->entries[i];
	}
	return NULL;
}

static void remember(struct trial_memory *memory, const struct entry *passed)
{
	struct entry *entry = find_entry(memory, passed->path);

	if (entry == NULL && memory->count < TRIAL_ENTRIES && memory->entries != NULL)
		entry = &memory->entries[memory->count++];
	if (entry == NULL)
		return;
	*entry = *passed;
	memory->changed = true;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Wait until nobody holds the other end of the pipe any more. */
static bool output_ended(int fd, int64_t deadline, char *output, size_t size)
{
	size_t length = 0;

	for (;;) {
		struct pollfd poller = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - now_ms();
		char rest[256];
		ssize_t got;

		if (left <= 0 || poll(&poller, 1, (int)left) <= 0)
			return false;
		got = read(fd, rest, sizeof(rest));
		if (got <= 0)
			break;
		for (ssize_t i = 0; i < got && length + 1 < size; i++)
			output[length++] = rest[i];
	}
	output[length] = '\0';
	output[strcspn(output, "\n")] = '\0';
	return true;
}

/* It says nothing any more; that it has ended too is likely, but not certain. */
static bool child_ended(pid_t child, int64_t deadline, int *ret_status)
{
	const struct timespec pause = {.tv_nsec = 2000000};

	for (;;) {
		pid_t ended = waitpid(child, ret_status, WNOHANG);

		if (ended == child)
			return true;
		if ((ended < 0 && errno != EINTR) || now_ms() >= deadline)
			return false;
		nanosleep(&pause, NULL);
	}
}

static enum cg_status run_trial(
	const char *program, const char *module, int64_t timeout_ms, struct cg_error *err)
{
	char name[] = "cowgate", verb[] = "plugin-check", output[TRIAL_OUTPUT] = "";
	char *path = strdup(module);
	char *argv[] = {name, verb, path, NULL};
	int64_t deadline = now_ms() + timeout_ms;
	posix_spawn_file_actions_t actions;
	int ends[2], wait_status = 0, failed;
	bool in_time;
	pid_t child;

	if (path == NULL)
		return cg_error_nomem(err);
	if (pipe(ends) != 0) {
		free(path);
		return cg_error_set(
			err, CG_IO, "it cannot be tried: %s", strerror(errno));
	}
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
	posix_spawn_file_actions_addclose(&actions, ends[1]);
	failed = posix_spawn(&child, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	free(path);
	close(ends[1]);
	if (failed != 0) {
		close(ends[0]);
		return cg_error_set(
			err, CG_IO, "it cannot be tried: %s", strerror(failed));
	}
	in_time = output_ended(ends[0], deadline, output, sizeof(output)) &&
		  child_ended(child, deadline, &wait_status);
	close(ends[0]);
	if (!in_time) {
		kill(child, SIGKILL);
		while (waitpid(child, &wait_status, 0) < 0 && errno == EINTR)
			;
	}
	if (!in_time)
		return cg_error_set(err, CG_TIMEOUT, "it hangs when it is tried");
	if (WIFSIGNALED(wait_status))
		return cg_error_set(err, CG_INVALID,
			"it crashes when it is tried (signal %d)", WTERMSIG(wait_status));
	if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != 0)
		return cg_error_set(err, CG_INVALID, "%s",
			output[0] != '\0' ? output : "it fails when it is tried");
	return CG_OK;
}

enum cg_status trial_pass(struct trial_memory *memory, const char *program,
	const char *module, int64_t timeout_ms, struct cg_error *err)
{
	struct entry now = {.path = ""}, *known = find_entry(memory, module);
	enum cg_status status;
	struct stat info;

	if (strlen(module) >= sizeof(now.path))
		return cg_error_set(err, CG_LIMIT, "its path is too long");
	if (stat(module, &info) != 0 || !S_ISREG(info.st_mode))
		return cg_error_set(err, CG_NOT_FOUND, "it is not a file");
	memcpy(now.path, module, strlen(module) + 1);
	now.size = info.st_size;
	now.modified_ns = platform_modified_ns(&info);
	if (known != NULL && known->size == now.size &&
		known->modified_ns == now.modified_ns)
		return CG_OK;
	status = hash_file(module, &info, now.hash, err);
	if (status != CG_OK)
		return status;
	if (known == NULL || strcmp(known->hash, now.hash) != 0)
		status = run_trial(program, module, timeout_ms, err);
	if (status == CG_OK)
		remember(memory, &now);
	return status;
}
