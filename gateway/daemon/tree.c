/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/tree.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/sync.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK ((size_t)64 * 1024)
#define PART ".part"
#define HEX (2 * CG_SHA256)

static enum cg_status failed(const char *path, struct cg_error *err)
{
	return cg_error_set(err, errno == ENOSPC || errno == EDQUOT ? CG_FULL : CG_IO,
		"%s: %s", path, strerror(errno));
}

static bool join(const char *directory, const char *name, char ret[TREE_PATH])
{
	return snprintf(ret, TREE_PATH, "%s/%s", directory, name) < TREE_PATH;
}

/* Call @visit for each entry; @arg is its.  No directory: none. */
static enum cg_status each(const char *directory,
	enum cg_status (*visit)(
		void *arg, const char *path, const char *name, struct cg_error *err),
	void *arg, struct cg_error *err)
{
	DIR *open = opendir(directory);
	enum cg_status status = CG_OK;
	struct dirent *entry;
	char path[TREE_PATH];

	if (open == NULL)
		return errno == ENOENT ? CG_OK : failed(directory, err);
	while (status == CG_OK && (entry = readdir(open)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		status = join(directory, entry->d_name, path)
				 ? visit(arg, path, entry->d_name, err)
				 : cg_error_set(err, CG_LIMIT, "a path is too long");
	}
	closedir(open);
	return status;
}

static bool is_regular(const char *path)
{
	struct stat info;

	return lstat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* ---- copying ---- */

static enum cg_status write_all(
	int fd, const char *bytes, size_t length, const char *path, struct cg_error *err)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno != EINTR)
			return failed(path, err);
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
	return CG_OK;
}

static enum cg_status copy_bytes(int from, int to, const char *path, struct cg_error *err)
{
	char *block = malloc(BLOCK);
	enum cg_status status = block == NULL ? cg_error_nomem(err) : CG_OK;
	ssize_t got = 1;

	while (status == CG_OK && got != 0) {
		got = read(from, block, BLOCK);
		if (got > 0)
			status = write_all(to, block, (size_t)got, path, err);
		else if (got < 0 && errno != EINTR)
			status = failed(path, err);
	}
	free(block);
	return status;
}

static enum cg_status copy_file(const char *from, const char *to, struct cg_error *err)
{
	int source = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), target;
	enum cg_status status;

	if (source < 0)
		return errno == ENOENT ? CG_OK : failed(from, err);
	target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (target < 0) {
		status = failed(to, err);
	} else {
		status = copy_bytes(source, target, to, err);
		if (status == CG_OK && cg_sync(target) != 0)
			status = failed(to, err);
		close(target);
	}
	close(source);
	return status;
}

static enum cg_status copy_one(
	void *arg, const char *path, const char *name, struct cg_error *err)
{
	size_t length = strlen(name), part = strlen(PART);
	char to[TREE_PATH];

	if (!is_regular(path) ||
		(length > part && strcmp(name + length - part, PART) == 0))
		return CG_OK;
	if (!join(arg, name, to))
		return cg_error_set(err, CG_LIMIT, "a path is too long");
	return access(to, F_OK) == 0 ? CG_OK : copy_file(path, to, err);
}

enum cg_status tree_copy(const char *from, const char *to, struct cg_error *err)
{
	char target[TREE_PATH];
	enum cg_status status;

	if (access(from, F_OK) != 0)
		return CG_OK;
	if (mkdir(to, 0700) != 0 && errno != EEXIST)
		return failed(to, err);
	snprintf(target, sizeof(target), "%s", to);
	status = each(from, copy_one, target, err);
	if (status == CG_OK && cg_sync_path(to) != 0)
		status = failed(to, err);
	return status;
}

/* ---- removing ---- */

static enum cg_status remove_entry(const char *path, struct cg_error *err)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return CG_OK;
	if (rmdir(path) == 0)
		return CG_OK;
	return failed(path, err);
}

static enum cg_status remove_one(
	void *arg, const char *path, const char *name, struct cg_error *err)
{
	(void)arg;
	(void)name;
	return remove_entry(path, err);
}

static bool is_directory(const char *path)
{
	struct stat info;

	return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static enum cg_status empty_one(
	void *arg, const char *path, const char *name, struct cg_error *err)
{
	enum cg_status status =
		is_directory(path) ? each(path, remove_one, NULL, err) : CG_OK;

	(void)arg;
	(void)name;
	return status == CG_OK ? remove_entry(path, err) : status;
}

enum cg_status tree_remove(const char *path, struct cg_error *err)
{
	enum cg_status status =
		is_directory(path) ? each(path, empty_one, NULL, err) : CG_OK;

	return status == CG_OK ? remove_entry(path, err) : status;
}

/* ---- sums ---- */

static enum cg_status sum_of(const char *path, char ret[HEX + 1], struct cg_error *err)
{
	uint8_t digest[CG_SHA256];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	enum cg_status status = CG_OK;

	if (fd < 0)
		return failed(path, err);
	if (cg_sha256_fd(fd, digest) != CG_OK)
		status = failed(path, err);
	close(fd);
	if (status == CG_OK)
		cg_hex(digest, sizeof(digest), ret);
	return status;
}

struct summing {
	FILE *sums;
	const char *prefix;
};

static enum cg_status sum_one(
	void *arg, const char *path, const char *name, struct cg_error *err)
{
	const struct summing *summing = arg;
	char hex[HEX + 1];
	enum cg_status status;

	if (!is_regular(path))
		return CG_OK;
	status = sum_of(path, hex, err);
	if (status == CG_OK &&
		fprintf(summing->sums, "%s  %s%s\n", hex, summing->prefix, name) < 0)
		status = failed(path, err);
	return status;
}

enum cg_status tree_sums(
	FILE *sums, const char *directory, const char *prefix, struct cg_error *err)
{
	struct summing summing = {sums, prefix};

	return each(directory, sum_one, &summing, err);
}

static enum cg_status check_line(const char *directory, char *line, struct cg_error *err)
{
	char path[TREE_PATH], hex[HEX + 1];
	const char *name = line + HEX + 2;
	enum cg_status status;

	line[strcspn(line, "\n")] = '\0';
	if (strlen(line) <= HEX + 2 || strncmp(line + HEX, "  ", 2) != 0 ||
		strstr(name, "..") != NULL || name[0] == '/' ||
		!join(directory, name, path))
		return cg_error_set(err, CG_INVALID, "its list of sums is damaged");
	status = sum_of(path, hex, err);
	if (status != CG_OK)
		return cg_error_set(err, CG_INVALID, "%s cannot be read", name);
	if (strncmp(hex, line, HEX) != 0)
		return cg_error_set(
			err, CG_INVALID, "%s is not what was backed up", name);
	return CG_OK;
}

enum cg_status tree_check(const char *directory, const char *name, struct cg_error *err)
{
	char path[TREE_PATH], *line = NULL;
	size_t size = 0, lines = 0;
	enum cg_status status = CG_OK;
	FILE *sums;

	if (!join(directory, name, path))
		return cg_error_set(err, CG_LIMIT, "the path is too long");
	sums = fopen(path, "re");
	if (sums == NULL)
		return cg_error_set(err, CG_NOT_FOUND, "%s is no backup: it has no %s",
			directory, name);
	while (status == CG_OK && getline(&line, &size, sums) >= 0) {
		status = check_line(directory, line, err);
		lines++;
	}
	if (status == CG_OK && (ferror(sums) || lines == 0))
		status = cg_error_set(err, CG_INVALID, "its list of sums is damaged");
	free(line);
	fclose(sums);
	return status;
}

/* ---- owners ---- */

static enum cg_status give_entry(
	const char *path, const struct stat *like, struct cg_error *err)
{
	return lchown(path, like->st_uid, like->st_gid) == 0 ? CG_OK : failed(path, err);
}

static enum cg_status give_one(
	void *arg, const char *path, const char *name, struct cg_error *err)
{
	(void)name;
	return give_entry(path, arg, err);
}

static enum cg_status give_level(
	void *arg, const char *path, const char *name, struct cg_error *err)
{
	enum cg_status status =
		is_directory(path) ? each(path, give_one, arg, err) : CG_OK;

	(void)name;
	return status == CG_OK ? give_entry(path, arg, err) : status;
}

enum cg_status tree_give(const char *path, const char *like, struct cg_error *err)
{
	struct stat owner;
	enum cg_status status;

	if (geteuid() != 0)
		return CG_OK;
	if (stat(like, &owner) != 0)
		return failed(like, err);
	status = each(path, give_level, &owner, err);
	return status == CG_OK ? give_entry(path, &owner, err) : status;
}
