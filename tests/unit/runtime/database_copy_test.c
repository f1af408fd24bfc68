/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/database_copy.h"

#include "tests/unit/runtime/database_rig.h"

#include <fcntl.h>
#include <sys/stat.h>

struct place {
	char directory[64], from[96], to[96];
};

static void place_init(struct place *place)
{
	snprintf(place->directory, sizeof(place->directory), "/tmp/cg-copy-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(place->directory));
	snprintf(place->from, sizeof(place->from), "%s/a.db", place->directory);
	snprintf(place->to, sizeof(place->to), "%s/b.db", place->directory);
	close(open(place->from, O_CREAT | O_RDWR, 0600));
	CU_ASSERT_EQUAL(database_amend(place->from,
				"CREATE TABLE t(x TEXT);"
				"INSERT INTO t VALUES(hex(randomblob(60000)))",
				NULL),
		CG_OK);
}

static void place_finish(struct place *place)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s%s", place->from, suffixes[i]);
		unlink(path);
		snprintf(path, sizeof(path), "%s%s", place->to, suffixes[i]);
		unlink(path);
	}
	CU_ASSERT_EQUAL(rmdir(place->directory), 0);
}

static void a_copy_is_whole_and_its_owners_alone(void)
{
	struct cg_error err;
	struct place place;
	struct stat info;

	place_init(&place);
	CU_ASSERT_EQUAL(database_copy(place.from, place.to, &err), CG_OK);
	CU_ASSERT_EQUAL(stat(place.to, &info), 0);
	CU_ASSERT_EQUAL(info.st_mode & 07777, 0600);
	CU_ASSERT(info.st_size > 100000);
	CU_ASSERT_EQUAL(database_verify(place.to, &err), CG_OK);
	CU_ASSERT_EQUAL(database_copy(place.from, place.to, &err), CG_EXISTS);
	CU_ASSERT_EQUAL(database_verify(place.to, &err), CG_OK); /* and left as it was */
	CU_ASSERT_EQUAL(database_amend(place.to, "DELETE FROM t; SELECT nothing", &err),
		CG_INTERNAL);
	CU_ASSERT_EQUAL(database_amend(place.to, "INSERT INTO t VALUES(1)", &err), CG_OK);
	place_finish(&place);
}

static void what_is_damaged_or_missing_is_told(void)
{
	char junk[8192];
	struct cg_error err;
	struct place place;
	int fd;

	place_init(&place);
	CU_ASSERT_EQUAL(database_verify(place.to, &err), CG_NOT_FOUND);
	CU_ASSERT_EQUAL(database_copy(place.to, place.from, &err), CG_NOT_FOUND);
	memset(junk, 0xff, sizeof(junk));
	fd = open(place.from, O_RDWR);
	CU_ASSERT_EQUAL(pwrite(fd, junk, sizeof(junk), 4096), (ssize_t)sizeof(junk));
	close(fd);
	CU_ASSERT_EQUAL(database_verify(place.from, &err), CG_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "a.db"));
	fd = open(place.from, O_RDWR);
	CU_ASSERT_EQUAL(pwrite(fd, junk, sizeof(junk), 0), (ssize_t)sizeof(junk));
	close(fd);
	CU_ASSERT_EQUAL(database_verify(place.from, &err), CG_INVALID);
	CU_ASSERT_NOT_EQUAL(database_copy(place.from, place.to, &err), CG_OK);
	CU_ASSERT_NOT_EQUAL(access(place.to, F_OK), 0);
	place_finish(&place);
}

static void a_lock_is_given_back(void)
{
	struct cg_error err;
	struct place place;
	int fd = -1;

	place_init(&place);
	CU_ASSERT_EQUAL(database_lock(place.from, &fd, &err), CG_OK);
	CU_ASSERT(fd >= 0);
	close(fd);
	CU_ASSERT_EQUAL(database_lock(place.from, &fd, &err), CG_OK);
	close(fd);
	place_finish(&place);
}

UNIT_SUITE(database_copy, UNIT_TEST(a_copy_is_whole_and_its_owners_alone),
	UNIT_TEST(what_is_damaged_or_missing_is_told), UNIT_TEST(a_lock_is_given_back));
