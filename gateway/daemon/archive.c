/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/archive.h"

#include "config/config.h"
#include "runtime/database_copy.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/sync.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARCHIVE_PATH (CONFIG_PATH + 64)
#define KEPT ".before-restore"
#define MADE ".restored"

/*
 * In the order in which they are copied: a journal that is older than its plane only does again
 * what the plane knows already; a plane that is older would have lost what was handed to it.
 */
static const struct {
	const char *name;
	const char *amendment; /* of a restored one */
} stores[] = {
	{"journal.db", "UPDATE outbox SET state = 3 WHERE state IN (0, 1)"},
	{"plane.db", "UPDATE epoch SET epoch = lower(hex(randomblob(16)))"},
};

#define STORES (sizeof(stores) / sizeof(stores[0]))

static void path_of(
	const char *directory, const char *name, const char *suffix, char *ret)
{
	snprintf(ret, ARCHIVE_PATH, "%s/%s%s", directory, name, suffix);
}

static bool is_there(const char *directory, const char *name)
{
	char path[ARCHIVE_PATH];

	path_of(directory, name, "", path);
	return access(path, F_OK) == 0;
}

static enum cg_status sync_directory(const char *path, struct cg_error *err)
{
	return cg_sync_path(path) == 0
		       ? CG_OK
		       : cg_error_set(err, CG_IO, "%s: %s", path, strerror(errno));
}

enum cg_status archive_verify(const char *from, struct cg_error *err)
{
	enum cg_status status = CG_OK;
	size_t found = 0;

	for (size_t i = 0; status == CG_OK && i < STORES; i++) {
		char path[ARCHIVE_PATH];

		if (!is_there(from, stores[i].name))
			continue;
		path_of(from, stores[i].name, "", path);
		status = database_verify(path, err);
		found++;
	}
	if (status == CG_OK && (found == 0 || !is_there(from, stores[0].name)))
		status = cg_error_set(err, CG_NOT_FOUND, "%s is no backup: it has no %s",
			from, stores[0].name);
	return status;
}

static enum cg_status copy_stores(
	const char *data_dir, const char *to, struct cg_error *err)
{
	enum cg_status status = CG_OK;

	for (size_t i = 0; status == CG_OK && i < STORES; i++) {
		char from_path[ARCHIVE_PATH], to_path[ARCHIVE_PATH];

		if (!is_there(data_dir, stores[i].name))
			continue;
		path_of(data_dir, stores[i].name, "", from_path);
		path_of(to, stores[i].name, "", to_path);
		status = database_copy(from_path, to_path, err);
	}
	if (status == CG_OK)
		status = archive_verify(to, err);
	return status == CG_OK ? sync_directory(to, err) : status;
}

static void remove_partial(const char *directory)
{
	for (size_t i = 0; i < STORES; i++) {
		char path[ARCHIVE_PATH];

		path_of(directory, stores[i].name, "", path);
		unlink(path);
	}
	rmdir(directory);
}

enum cg_status archive_make(const char *data_dir, const char *to, struct cg_error *err)
{
	char partial[ARCHIVE_PATH], above[ARCHIVE_PATH];
	enum cg_status status;

	if (strlen(to) >= CONFIG_PATH)
		return cg_error_set(err, CG_LIMIT, "the path is too long");
	if (access(to, F_OK) == 0)
		return cg_error_set(err, CG_EXISTS, "%s is there already", to);
	if (!is_there(data_dir, stores[0].name))
		return cg_error_set(
			err, CG_NOT_FOUND, "there is nothing to back up in %s", data_dir);
	snprintf(partial, sizeof(partial), "%s.XXXXXX", to);
	if (mkdtemp(partial) == NULL)
		return cg_error_set(
			err, CG_IO, "%s cannot be made: %s", to, strerror(errno));
	status = copy_stores(data_dir, partial, err);
	if (status == CG_OK && rename(partial, to) != 0)
		status = cg_error_set(
			err, CG_IO, "%s cannot be made: %s", to, strerror(errno));
	if (status != CG_OK) {
		remove_partial(partial);
		return status;
	}
	snprintf(above, sizeof(above), "%s", to);
	return sync_directory(dirname(above), err);
}

/* Restoring. */

/* As the file that it takes the place of, else as its directory: root restores for others. */
static enum cg_status give_away(
	const char *path, const char *data_dir, struct cg_error *err)
{
	struct stat info;

	if (geteuid() != 0 || (stat(data_dir, &info) == 0 &&
				      chown(path, info.st_uid, info.st_gid) == 0))
		return CG_OK;
	return cg_error_set(err, CG_IO, "%s: %s", path, strerror(errno));
}

static enum cg_status prepare(
	const char *from, const char *data_dir, size_t i, struct cg_error *err)
{
	char backup[ARCHIVE_PATH], made[ARCHIVE_PATH], beside[ARCHIVE_PATH + 8];
	enum cg_status status;

	path_of(from, stores[i].name, "", backup);
	path_of(data_dir, stores[i].name, MADE, made);
	unlink(made); /* of a restore that was broken off */
	status = database_copy(backup, made, err);
	if (status == CG_OK)
		status = database_amend(made, stores[i].amendment, err);
	if (status == CG_OK)
		status = give_away(made, data_dir, err);
	snprintf(beside, sizeof(beside), "%s-wal", made);
	unlink(beside); /* empty since the amendment */
	snprintf(beside, sizeof(beside), "%s-shm", made);
	unlink(beside);
	if (status != CG_OK)
		unlink(made);
	return status;
}

/* The old one goes aside with all that belongs to it: its log must never meet the new one. */
static enum cg_status replace(
	const char *data_dir, const char *name, struct cg_error *err)
{
	static const char *const parts[] = {"-shm", "-wal", ""};
	char from[ARCHIVE_PATH], to[ARCHIVE_PATH], suffix[64];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		path_of(data_dir, name, parts[i], from);
		snprintf(suffix, sizeof(suffix), KEPT "%s", parts[i]);
		path_of(data_dir, name, suffix, to);
		unlink(to);
		if (rename(from, to) != 0 && errno != ENOENT)
			return cg_error_set(err, CG_IO, "%s: %s", from, strerror(errno));
	}
	path_of(data_dir, name, MADE, from);
	path_of(data_dir, name, "", to);
	if (rename(from, to) != 0)
		return cg_error_set(err, CG_IO, "%s: %s", to, strerror(errno));
	return CG_OK;
}

static enum cg_status restore_locked(
	const char *from, const char *data_dir, struct cg_error *err)
{
	enum cg_status status = CG_OK;

	for (size_t i = 0; status == CG_OK && i < STORES; i++) {
		if (is_there(from, stores[i].name))
			status = prepare(from, data_dir, i, err);
	}
	for (size_t i = 0; status == CG_OK && i < STORES; i++) {
		if (is_there(from, stores[i].name))
			status = replace(data_dir, stores[i].name, err);
	}
	return status == CG_OK ? sync_directory(data_dir, err) : status;
}

enum cg_status archive_restore(
	const char *from, const char *data_dir, struct cg_error *err)
{
	char path[ARCHIVE_PATH];
	int locks[STORES];
	size_t held = 0;
	enum cg_status status = archive_verify(from, err);

	if (status == CG_OK && mkdir(data_dir, 0700) != 0 && errno != EEXIST)
		status = cg_error_set(err, CG_IO, "%s: %s", data_dir, strerror(errno));
	while (status == CG_OK && held < STORES) {
		path_of(data_dir, stores[held].name, "", path);
		status = database_lock(path, &locks[held], err);
		held += status == CG_OK;
	}
	if (status == CG_OK)
		status = restore_locked(from, data_dir, err);
	while (held > 0)
		close(locks[--held]);
	return status;
}
