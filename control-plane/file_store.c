/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/file_store.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/sync.h>
#include <cowgate/sdk/text.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BYTES (64 * 1024)
#define PART ".part" /* ends the name of a file that is being written */

static enum cg_status failed(struct cg_error *err, const char *what)
{
	int code = errno;

	return cg_error_set(err,
		code == ENOENT                                      ? CG_NOT_FOUND
		: code == ENOSPC || code == EDQUOT || code == EFBIG ? CG_FULL
								    : CG_IO,
		"%s: %s", what, strerror(code));
}

enum cg_status file_store_init(
	struct file_store *store, const char *path, struct cg_error *err)
{
	if (strlen(path) >= sizeof(store->path))
		return cg_error_set(err, CG_INVALID, "the path of the files is too long");
	cg_text_copy(store->path, sizeof(store->path), path);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return failed(err, "the directory of the files cannot be made");
	return CG_OK;
}

void file_store_path(const struct file_store *store, const char *id, char ret[FILE_PATH])
{
	snprintf(ret, FILE_PATH, "%s/%s", store->path, id);
}

/* Where it is written before it gets its name. */
static void part_path(const struct file_store *store, const char *id, char ret[FILE_PATH])
{
	snprintf(ret, FILE_PATH, "%s/%s" PART, store->path, id);
}

static enum cg_status sync_directory(const struct file_store *store, struct cg_error *err)
{
	return cg_sync_path(store->path) == 0
		       ? CG_OK
		       : failed(err, "the directory of the files cannot be synced");
}

/* A regular file that is not too large, open for reading. */
static enum cg_status open_source(
	const char *from, int *ret_fd, uint64_t *ret_bytes, struct cg_error *err)
{
	int fd = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat about;
	enum cg_status status = CG_OK;

	if (fd < 0)
		return failed(err, "the file cannot be read");
	if (fstat(fd, &about) != 0)
		status = failed(err, "the file cannot be read");
	else if (!S_ISREG(about.st_mode))
		status = cg_error_set(err, CG_INVALID, "it is no regular file");
	else if ((uint64_t)about.st_size > FILE_BYTES)
		status = cg_error_set(err, CG_LIMIT, "the file is larger than %u MiB",
			FILE_BYTES >> 20);
	if (status != CG_OK) {
		close(fd);
		return status;
	}
	*ret_fd = fd;
	*ret_bytes = (uint64_t)about.st_size;
	return CG_OK;
}

static enum cg_status open_part(const char *part, int *ret_fd, struct cg_error *err)
{
	unlink(part);
	*ret_fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return *ret_fd < 0 ? failed(err, "the file cannot be written") : CG_OK;
}

/* Sync the part and give it its name, or remove it. */
static enum cg_status finish_part(const struct file_store *store, const char *id, int fd,
	enum cg_status status, struct cg_error *err)
{
	char part[FILE_PATH], path[FILE_PATH];

	part_path(store, id, part);
	file_store_path(store, id, path);
	if (status == CG_OK && cg_sync(fd) != 0)
		status = failed(err, "the file cannot be synced");
	if (close(fd) != 0 && status == CG_OK)
		status = failed(err, "the file cannot be written");
	if (status == CG_OK && rename(part, path) != 0)
		status = failed(err, "the file cannot be named");
	if (status != CG_OK) {
		unlink(part);
		return status;
	}
	return sync_directory(store, err);
}

/* What grows meanwhile is cut off where it would be too large. */
static enum cg_status copy_bytes(
	int from, int to, uint64_t *ret_bytes, struct cg_error *err)
{
	char *buffer = malloc(COPY_BYTES);
	uint64_t total = 0;
	enum cg_status status = CG_OK;
	ssize_t got = 1;

	if (buffer == NULL)
		return cg_error_nomem(err);
	while (status == CG_OK && got != 0) {
		got = read(from, buffer, COPY_BYTES);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			status = failed(err, "the file cannot be read");
			break;
		}
		total += (uint64_t)got;
		if (total > FILE_BYTES)
			status = cg_error_set(err, CG_LIMIT,
				"the file is larger than %u MiB", FILE_BYTES >> 20);
		else if (!cg_write_all(to, buffer, (size_t)got))
			status = failed(err, "the file cannot be written");
	}
	free(buffer);
	*ret_bytes = total;
	return status;
}

enum cg_status file_store_copy(const struct file_store *store, const char *id,
	const char *from, uint64_t *ret_bytes, struct cg_error *err)
{
	char part[FILE_PATH];
	int source, target;
	uint64_t bytes;
	enum cg_status status = open_source(from, &source, &bytes, err);

	if (status != CG_OK)
		return status;
	part_path(store, id, part);
	status = open_part(part, &target, err);
	if (status == CG_OK) {
		status = copy_bytes(source, target, &bytes, err);
		status = finish_part(store, id, target, status, err);
	}
	close(source);
	if (status == CG_OK)
		*ret_bytes = bytes;
	return status;
}

enum cg_status file_store_link(const struct file_store *store, const char *id,
	const char *from, uint64_t *ret_bytes, struct cg_error *err)
{
	char path[FILE_PATH];
	int source;
	uint64_t bytes;
	enum cg_status status = open_source(from, &source, &bytes, err);

	if (status != CG_OK)
		return status;
	file_store_path(store, id, path);
	unlink(path); /* of an attempt that was not committed */
	if (link(from, path) != 0) {
		close(source);
		return file_store_copy(store, id, from, ret_bytes, err);
	}
	if (cg_sync(source) != 0)
		status = failed(err, "the file cannot be synced");
	close(source);
	if (status == CG_OK)
		status = sync_directory(store, err);
	if (status == CG_OK)
		*ret_bytes = bytes;
	return status;
}

enum cg_status file_store_write(const struct file_store *store, const char *id,
	const void *bytes, size_t length, struct cg_error *err)
{
	char part[FILE_PATH];
	int fd;
	enum cg_status status;

	if (length > FILE_BYTES)
		return cg_error_set(err, CG_LIMIT, "the file is larger than %u MiB",
			FILE_BYTES >> 20);
	part_path(store, id, part);
	status = open_part(part, &fd, err);
	if (status != CG_OK)
		return status;
	if (!cg_write_all(fd, bytes, length))
		status = failed(err, "the file cannot be written");
	return finish_part(store, id, fd, status, err);
}

enum cg_status file_store_read(const struct file_store *store, const char *id, char **ret,
	size_t *ret_length, struct cg_error *err)
{
	char path[FILE_PATH];
	int fd;
	uint64_t bytes;
	size_t length, got = 0;
	char *buffer;
	enum cg_status status;

	file_store_path(store, id, path);
	status = open_source(path, &fd, &bytes, err);
	if (status != CG_OK)
		return status;
	length = (size_t)bytes; /* at most FILE_BYTES */
	buffer = malloc(length + 1);
	if (buffer == NULL)
		status = cg_error_nomem(err);
	while (status == CG_OK && got < length) {
		ssize_t one = read(fd, buffer + got, length - got);

		if (one > 0)
			got += (size_t)one;
		else if (one == 0 || errno != EINTR)
			status = failed(err, "the file cannot be read");
	}
	close(fd);
	if (status != CG_OK) {
		free(buffer);
		return status;
	}
	*ret = buffer;
	*ret_length = length;
	return CG_OK;
}

void file_store_remove(const struct file_store *store, const char *id)
{
	char path[FILE_PATH];

	file_store_path(store, id, path);
	unlink(path);
}

void file_store_sweep(const struct file_store *store,
	bool (*keep)(void *arg, const char *id), void *arg)
{
	DIR *directory = opendir(store->path);
	struct dirent *entry;

	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			strlen(entry->d_name) < HASHED_ID && !keep(arg, entry->d_name))
			file_store_remove(store, entry->d_name);
	}
	closedir(directory);
}
