/* SPDX-License-Identifier: Apache-2.0 */
/* A restore that is cut short is finished, or never happened. */
#include "gateway/daemon/archive.h"

#include "gateway/daemon/tree.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
	char data[64];
};

static void touch(const struct place *place, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", place->data, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, name, strlen(name)), (ssize_t)strlen(name));
	close(fd);
}

static void make(const struct place *place, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", place->data, name);
	CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
}

/* Was it written as @as? */
static bool holds(const struct place *place, const char *name, const char *as)
{
	char path[256], found[128] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/%s", place->data, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	(void)!read(fd, found, sizeof(found) - 1);
	close(fd);
	return strcmp(found, as) == 0;
}

static bool is_there(const struct place *place, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", place->data, name);
	return access(path, F_OK) == 0;
}

/* Old stores with a log, and what a restore has prepared under @stage. */
static void place_make(struct place *place, const char *stage)
{
	char path[128];

	snprintf(place->data, sizeof(place->data), "/tmp/cowgate-archive-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(place->data));
	touch(place, "journal.db");
	touch(place, "journal.db-wal");
	touch(place, "plane.db");
	touch(place, "journal.db.before-restore"); /* of an earlier one */
	make(place, "files");
	touch(place, "files/old");
	make(place, stage);
	snprintf(path, sizeof(path), "%s/journal.db", stage);
	touch(place, path);
	snprintf(path, sizeof(path), "%s/plane.db", stage);
	touch(place, path);
	snprintf(path, sizeof(path), "%s/files", stage);
	make(place, path);
	snprintf(path, sizeof(path), "%s/files/new", stage);
	touch(place, path);
}

static bool settle(const struct place *place)
{
	bool settled = false;

	CU_ASSERT_EQUAL(archive_settle(place->data, &settled, NULL), CG_OK);
	return settled;
}

static void place_remove(const struct place *place)
{
	char path[128];

	/* Three levels where something was left behind. */
	snprintf(path, sizeof(path), "%s/restore.new", place->data);
	tree_remove(path, NULL);
	CU_ASSERT_EQUAL(tree_remove(place->data, NULL), CG_OK);
}

static void what_was_not_decided_never_happened(void)
{
	struct place place;

	place_make(&place, "restore.new");
	CU_ASSERT_FALSE(settle(&place));
	CU_ASSERT(holds(&place, "journal.db", "journal.db"));
	CU_ASSERT(holds(&place, "journal.db-wal", "journal.db-wal"));
	CU_ASSERT(is_there(&place, "files/old"));
	CU_ASSERT_FALSE(is_there(&place, "restore.new"));
	CU_ASSERT_FALSE(settle(&place));
	place_remove(&place);
}

static void check_new(const struct place *place)
{
	CU_ASSERT(holds(place, "journal.db", "restore.ready/journal.db"));
	CU_ASSERT(holds(place, "plane.db", "restore.ready/plane.db"));
	CU_ASSERT(is_there(place, "files/new"));
	CU_ASSERT_FALSE(is_there(place, "files/old"));
	CU_ASSERT_FALSE(is_there(place, "journal.db-wal"));
	CU_ASSERT_FALSE(is_there(place, "restore.ready"));
	/* The old one is kept, with its log. */
	CU_ASSERT(holds(place, "journal.db.before-restore", "journal.db"));
	CU_ASSERT(holds(place, "journal.db.before-restore-wal", "journal.db-wal"));
	CU_ASSERT(is_there(place, "files.before-restore/old"));
}

static void move_name(const struct place *place, const char *from, const char *to)
{
	char a[256], b[256];

	snprintf(a, sizeof(a), "%s/%s", place->data, from);
	snprintf(b, sizeof(b), "%s/%s", place->data, to);
	CU_ASSERT_EQUAL(rename(a, b), 0);
}

/* Wherever it was cut short, what is left to do is done. */
static void what_was_decided_is_finished(void)
{
	static const char *const moves[][2] = {
		{"journal.db", "journal.db.before-restore"},
		{"journal.db-wal", "journal.db.before-restore-wal"},
		{"restore.ready/journal.db", "journal.db"},
		{"plane.db", "plane.db.before-restore"},
		{"restore.ready/plane.db", "plane.db"},
		{"files", "files.before-restore"},
		{"restore.ready/files", "files"},
	};
	size_t count = sizeof(moves) / sizeof(moves[0]);

	for (size_t done = 0; done <= count; done++) {
		struct place place;

		place_make(&place, "restore.ready");
		for (size_t i = 0; i < done; i++)
			move_name(&place, moves[i][0], moves[i][1]);
		CU_ASSERT(settle(&place));
		check_new(&place);
		CU_ASSERT_FALSE(settle(&place));
		check_new(&place);
		place_remove(&place);
	}
}

UNIT_SUITE(archive_settle, UNIT_TEST(what_was_not_decided_never_happened),
	UNIT_TEST(what_was_decided_is_finished));
