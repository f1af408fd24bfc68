/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A restore prepares everything in a directory beside what is there.  Giving that directory its second
 * name is the moment from which on the new counts: before it nothing has been touched, after it the
 * rest is moving names, which is finished by whoever comes next if it is cut short.
 */
#include "gateway/daemon/archive.h"

#include "config/config.h"
#include "gateway/daemon/tree.h"
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

#define ARCHIVE_PATH TREE_PATH
#define SUMS "SHA256SUMS"
#define KEPT ".before-restore"
#define PREPARED "restore.new"
#define DECIDED "restore.ready"

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

/* Directories of files: what people sent and agents made; and what is on its way. */
static const char *const trees[] = {"files", "spool"};

/* A store and what SQLite keeps beside it. */
static const char *const parts[] = {"", "-wal", "-shm"};

#define PARTS (sizeof(parts) / sizeof(parts[0]))
#define STORES (sizeof(stores) / sizeof(stores[0]))
#define TREES (sizeof(trees) / sizeof(trees[0]))

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

static enum cg_status failed(const char *path, struct cg_error *err)
{
	return cg_error_set(err, CG_IO, "%s: %s", path, strerror(errno));
}

static enum cg_status sync_directory(const char *path, struct cg_error *err)
{
	return cg_sync_path(path) == 0 ? CG_OK : failed(path, err);
}

static enum cg_status move(const char *from, const char *to, struct cg_error *err)
{
	return rename(from, to) == 0 ? CG_OK : failed(to, err);
}

/* ---- looking ---- */

static enum cg_status verify_stores(const char *from, struct cg_error *err)
{
	enum cg_status status = CG_OK;

	for (size_t i = 0; status == CG_OK && i < STORES; i++) {
		char path[ARCHIVE_PATH];

		if (!is_there(from, stores[i].name))
			continue;
		path_of(from, stores[i].name, "", path);
		status = database_verify(path, err);
	}
	return status;
}

enum cg_status archive_verify(const char *from, struct cg_error *err)
{
	enum cg_status status = tree_check(from, SUMS, err);

	if (status == CG_OK && !is_there(from, stores[0].name))
		status = cg_error_set(err, CG_NOT_FOUND, "%s is no backup: it has no %s",
			from, stores[0].name);
	return status == CG_OK ? verify_stores(from, err) : status;
}

/* ---- making ---- */

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
	return status;
}

static enum cg_status copy_trees(const char *from, const char *to, struct cg_error *err)
{
	enum cg_status status = CG_OK;

	for (size_t i = 0; status == CG_OK && i < TREES; i++) {
		char from_path[ARCHIVE_PATH], to_path[ARCHIVE_PATH];

		path_of(from, trees[i], "", from_path);
		path_of(to, trees[i], "", to_path);
		status = tree_copy(from_path, to_path, err);
	}
	return status;
}

static enum cg_status list_sums(FILE *sums, const char *directory, struct cg_error *err)
{
	enum cg_status status = tree_sums(sums, directory, "", err);

	for (size_t i = 0; status == CG_OK && i < TREES; i++) {
		char tree[ARCHIVE_PATH], prefix[32];

		path_of(directory, trees[i], "", tree);
		snprintf(prefix, sizeof(prefix), "%s/", trees[i]);
		status = tree_sums(sums, tree, prefix, err);
	}
	return status;
}

static enum cg_status write_sums(const char *directory, struct cg_error *err)
{
	char path[ARCHIVE_PATH], *text = NULL;
	size_t size = 0;
	FILE *sums = open_memstream(&text, &size), *file = NULL;
	enum cg_status status;

	if (sums == NULL)
		return cg_error_nomem(err);
	path_of(directory, SUMS, "", path);
	status = list_sums(sums, directory, err);
	if (fclose(sums) != 0 && status == CG_OK)
		status = cg_error_nomem(err);
	if (status == CG_OK && (file = fopen(path, "wxe")) == NULL)
		status = failed(path, err);
	if (status == CG_OK &&
		(fchmod(fileno(file), 0600) != 0 || fwrite(text, 1, size, file) != size ||
			fflush(file) != 0 || cg_sync(fileno(file)) != 0))
		status = failed(path, err);
	if (file != NULL)
		fclose(file);
	free(text);
	return status;
}

/* Files come and go meanwhile: what a store names was there before its copy, or is there after it. */
static enum cg_status fill(const char *data_dir, const char *to, struct cg_error *err)
{
	enum cg_status status = copy_trees(data_dir, to, err);

	if (status == CG_OK)
		status = copy_stores(data_dir, to, err);
	if (status == CG_OK)
		status = copy_trees(data_dir, to, err);
	if (status == CG_OK)
		status = verify_stores(to, err);
	if (status == CG_OK)
		status = write_sums(to, err);
	return status == CG_OK ? sync_directory(to, err) : status;
}

enum cg_status archive_make(const char *data_dir, const char *to, struct cg_error *err)
{
	char partial[ARCHIVE_PATH], above[ARCHIVE_PATH];
	enum cg_status status;

	if (strlen(to) >= CONFIG_PATH)
		return cg_error_set(err, CG_LIMIT, "the path is too long");
	if (access(to, F_OK) == 0)
		return cg_error_set(err, CG_EXISTS, "%s is there already", to);
	if (is_there(data_dir, DECIDED))
		return cg_error_set(err, CG_BUSY,
			"a restore was cut short; start the gateway once to finish it");
	if (!is_there(data_dir, stores[0].name))
		return cg_error_set(
			err, CG_NOT_FOUND, "there is nothing to back up in %s", data_dir);
	snprintf(partial, sizeof(partial), "%s.XXXXXX", to);
	if (mkdtemp(partial) == NULL)
		return cg_error_set(
			err, CG_IO, "%s cannot be made: %s", to, strerror(errno));
	status = fill(data_dir, partial, err);
	if (status == CG_OK)
		status = move(partial, to, err);
	if (status != CG_OK) {
		(void)tree_remove(partial, NULL);
		return status;
	}
	snprintf(above, sizeof(above), "%s", to);
	return sync_directory(dirname(above), err);
}

/* ---- restoring ---- */

static enum cg_status amend(const char *prepared, size_t i, struct cg_error *err)
{
	char path[ARCHIVE_PATH], beside[ARCHIVE_PATH];
	enum cg_status status;

	if (!is_there(prepared, stores[i].name))
		return CG_OK;
	path_of(prepared, stores[i].name, "", path);
	status = database_amend(path, stores[i].amendment, err);
	path_of(prepared, stores[i].name, "-wal", beside);
	unlink(beside); /* empty since the amendment */
	path_of(prepared, stores[i].name, "-shm", beside);
	unlink(beside);
	return status;
}

static enum cg_status prepare(const char *from, const char *data_dir,
	const char *prepared, struct cg_error *err)
{
	enum cg_status status = tree_remove(prepared, err);

	if (status == CG_OK && mkdir(prepared, 0700) != 0)
		status = failed(prepared, err);
	if (status == CG_OK)
		status = copy_stores(from, prepared, err);
	if (status == CG_OK)
		status = copy_trees(from, prepared, err);
	for (size_t i = 0; status == CG_OK && i < STORES; i++)
		status = amend(prepared, i, err);
	if (status == CG_OK)
		status = tree_give(prepared, data_dir, err);
	return status == CG_OK ? sync_directory(prepared, err) : status;
}

/* The old one goes aside, then all that belongs to it: its log must never meet the new one.  Cut
 * short anywhere, it can be done again. */
static enum cg_status replace(
	const char *data_dir, const char *decided, const char *name, struct cg_error *err)
{
	char from[ARCHIVE_PATH], to[ARCHIVE_PATH], suffix[64];
	enum cg_status status = CG_OK;

	if (!is_there(decided, name))
		return CG_OK; /* it is in its place */
	for (size_t i = 0; status == CG_OK && is_there(data_dir, name) && i < PARTS;
		i++) {
		snprintf(suffix, sizeof(suffix), KEPT "%s", parts[i]);
		path_of(data_dir, name, suffix, to);
		status = tree_remove(to, err); /* of an earlier restore */
	}
	for (size_t i = 0; status == CG_OK && i < PARTS; i++) {
		path_of(data_dir, name, parts[i], from);
		snprintf(suffix, sizeof(suffix), KEPT "%s", parts[i]);
		path_of(data_dir, name, suffix, to);
		if (access(from, F_OK) == 0)
			status = move(from, to, err);
	}
	path_of(decided, name, "", from);
	path_of(data_dir, name, "", to);
	return status == CG_OK ? move(from, to, err) : status;
}

static enum cg_status put_in_place(
	const char *data_dir, const char *decided, struct cg_error *err)
{
	enum cg_status status = CG_OK;

	for (size_t i = 0; status == CG_OK && i < STORES; i++)
		status = replace(data_dir, decided, stores[i].name, err);
	for (size_t i = 0; status == CG_OK && i < TREES; i++)
		status = replace(data_dir, decided, trees[i], err);
	/* What has moved must have arrived before the sign of it goes. */
	if (status == CG_OK)
		status = sync_directory(data_dir, err);
	if (status == CG_OK)
		status = tree_remove(decided, err);
	return status == CG_OK ? sync_directory(data_dir, err) : status;
}

static void unlock(int locks[STORES], size_t held)
{
	while (held > 0)
		close(locks[--held]);
}

static enum cg_status lock(
	const char *data_dir, int ret_locks[STORES], struct cg_error *err)
{
	enum cg_status status = CG_OK;
	char path[ARCHIVE_PATH];

	for (size_t i = 0; i < STORES; i++) {
		path_of(data_dir, stores[i].name, "", path);
		status = database_lock(path, &ret_locks[i], err);
		if (status != CG_OK) {
			unlock(ret_locks, i);
			break;
		}
	}
	return status;
}

enum cg_status archive_settle(
	const char *data_dir, bool *ret_settled, struct cg_error *err)
{
	char prepared[ARCHIVE_PATH], decided[ARCHIVE_PATH];
	enum cg_status status;
	int locks[STORES];

	*ret_settled = false;
	path_of(data_dir, PREPARED, "", prepared);
	path_of(data_dir, DECIDED, "", decided);
	if (access(prepared, F_OK) != 0 && access(decided, F_OK) != 0)
		return CG_OK;
	status = lock(data_dir, locks, err);
	if (status != CG_OK)
		return status;
	*ret_settled = access(decided, F_OK) == 0;
	if (*ret_settled)
		status = put_in_place(data_dir, decided, err);
	if (status == CG_OK)
		status = tree_remove(prepared, err);
	unlock(locks, STORES);
	return status;
}

static enum cg_status restore_locked(
	const char *from, const char *data_dir, struct cg_error *err)
{
	char prepared[ARCHIVE_PATH], decided[ARCHIVE_PATH];
	enum cg_status status = CG_OK;

	path_of(data_dir, PREPARED, "", prepared);
	path_of(data_dir, DECIDED, "", decided);
	if (access(decided, F_OK) == 0)
		status = put_in_place(data_dir, decided, err); /* an earlier one */
	if (status == CG_OK)
		status = prepare(from, data_dir, prepared, err);
	if (status != CG_OK) {
		(void)tree_remove(prepared, NULL);
		return status;
	}
	status = move(prepared, decided, err);
	if (status == CG_OK)
		status = sync_directory(data_dir, err);
	return status == CG_OK ? put_in_place(data_dir, decided, err) : status;
}

enum cg_status archive_restore(
	const char *from, const char *data_dir, struct cg_error *err)
{
	int locks[STORES];
	enum cg_status status = archive_verify(from, err);

	if (status == CG_OK && mkdir(data_dir, 0700) != 0 && errno != EEXIST)
		status = failed(data_dir, err);
	if (status == CG_OK)
		status = lock(data_dir, locks, err);
	if (status != CG_OK)
		return status;
	status = restore_locked(from, data_dir, err);
	unlock(locks, STORES);
	return status;
}
