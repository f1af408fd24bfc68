/* SPDX-License-Identifier: Apache-2.0 */
/* Files that nobody needs any more go, all others stay. */
#include "gateway/journal/spool.h"
#include "tests/unit/gateway-journal/journal_rig.h"

#include <fcntl.h>
#include <sys/stat.h>

struct broom {
	struct rig rig; /* first */
	struct spool *spool;
	char directory[96];
	size_t removed;
};

static void on_swept(void *arg, size_t files)
{
	struct broom *broom = arg;

	broom->removed = files;
	rig_answer(&broom->rig);
}

static void begin(struct broom *broom)
{
	struct spool_options options = {.swept = on_swept, .arg = broom};

	memset(broom, 0, sizeof(*broom));
	rig_start(&broom->rig);
	snprintf(broom->directory, sizeof(broom->directory), "%s/spool",
		broom->rig.directory);
	CU_ASSERT_EQUAL_FATAL(mkdir(broom->directory, 0700), 0);
	options.loop = broom->rig.loop;
	options.offload = broom->rig.offload;
	options.journal = broom->rig.journal;
	options.directory = broom->directory;
	CU_ASSERT_EQUAL_FATAL(spool_create(&options, &broom->spool, NULL), CG_OK);
}

static const char *path_of(const struct broom *broom, const char *name)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/%s", broom->directory, name);
	return path;
}

static void put(const struct broom *broom, const char *name, int64_t age_ms)
{
	const char *path = path_of(broom, name);
	struct timespec when = {.tv_sec = (time_t)((broom->rig.now_ms - age_ms) / 1000)};
	const struct timespec times[2] = {when, when};
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(futimens(fd, times), 0);
	close(fd);
}

static bool is_there(const struct broom *broom, const char *name)
{
	return access(path_of(broom, name), F_OK) == 0;
}

static void end(struct broom *broom)
{
	static const char *const names[] = {"1", "2", "3", "old", "other"};

	spool_stop(broom->spool);
	rig_close(&broom->rig);
	spool_destroy(broom->spool);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path_of(broom, names[i]));
	rmdir(broom->directory);
	rig_finish(&broom->rig);
}

static void store(struct broom *broom, const char *id, const char *name)
{
	const struct cg_attachment file = {
		sizeof(file), NULL, NULL, NULL, path_of(broom, name), 1};
	struct cg_inbound in = rig_message(id, "a");

	in.attachments = &file;
	in.attachment_count = 1;
	rig_submit(&broom->rig, "telegram", &in);
}

/* At 15 minutes it stays, a second older it goes. */
static void what_nobody_needs_goes(void)
{
	struct broom broom;

	begin(&broom);
	store(&broom, "a", "1");
	store(&broom, "b", "2");
	put(&broom, "1", SPOOL_KEEP_MS * 100);
	put(&broom, "2", SPOOL_KEEP_MS * 100);
	put(&broom, "3", SPOOL_KEEP_MS);
	put(&broom, "old", SPOOL_KEEP_MS + 1000);
	rig_finish_message(&broom.rig, 1, INBOX_HANDED, NULL, 0);
	spool_start(broom.spool);
	rig_await(&broom.rig);
	CU_ASSERT_EQUAL(broom.removed, 2);
	CU_ASSERT_FALSE(is_there(&broom, "1"));
	CU_ASSERT(is_there(&broom, "2"));
	CU_ASSERT(is_there(&broom, "3"));
	CU_ASSERT_FALSE(is_there(&broom, "old"));
	/* The next sweep finds what has aged meanwhile. */
	broom.rig.now_ms += 1000;
	spool_start(broom.spool);
	rig_await(&broom.rig);
	CU_ASSERT_EQUAL(broom.removed, 1);
	CU_ASSERT_FALSE(is_there(&broom, "3"));
	CU_ASSERT(is_there(&broom, "2"));
	end(&broom);
}

/* A second sweep, by a clock that is believed, shows that the first one removed nothing. */
static void by_a_wrong_clock_nothing_goes(void)
{
	struct broom broom;

	begin(&broom);
	put(&broom, "old", SPOOL_KEEP_MS * 2);
	broom.rig.sane = false;
	spool_start(broom.spool);
	rig_turn(&broom.rig);
	store(&broom, "a", "other"); /* the journal has done what it was asked before */
	CU_ASSERT(is_there(&broom, "old"));
	broom.rig.sane = true;
	spool_start(broom.spool);
	rig_await(&broom.rig);
	CU_ASSERT_FALSE(is_there(&broom, "old"));
	end(&broom);
}

/* The list comes when the pool is gone: nothing is removed, and nothing touched that is freed. */
static void it_may_end_in_the_middle(void)
{
	struct broom broom;

	begin(&broom);
	put(&broom, "old", SPOOL_KEEP_MS * 2);
	spool_start(broom.spool);
	while (journal_pending(broom.rig.journal) == 0)
		loop_turn(broom.rig.loop);
	spool_stop(broom.spool);
	rig_close(&broom.rig);
	CU_ASSERT(is_there(&broom, "old"));
	spool_destroy(broom.spool);
	unlink(path_of(&broom, "old"));
	rmdir(broom.directory);
	rig_finish(&broom.rig);
}

/* What is no file of ours is left alone, also a name that leads elsewhere. */
static void only_files_go(void)
{
	struct broom broom;
	struct stat info;

	begin(&broom);
	put(&broom, "old", SPOOL_KEEP_MS * 2);
	CU_ASSERT_EQUAL(symlink("/nowhere", path_of(&broom, "other")), 0);
	spool_start(broom.spool);
	rig_await(&broom.rig);
	CU_ASSERT_EQUAL(broom.removed, 1);
	CU_ASSERT_EQUAL(lstat(path_of(&broom, "other"), &info), 0);
	end(&broom);
}

UNIT_SUITE(spool, UNIT_TEST(what_nobody_needs_goes),
	UNIT_TEST(by_a_wrong_clock_nothing_goes), UNIT_TEST(it_may_end_in_the_middle),
	UNIT_TEST(only_files_go));
