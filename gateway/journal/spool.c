/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/journal/spool.h"

#include "gateway/journal/inbox.h"

#include <cowgate/sdk/error.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPOOL_RETRY_MS 60000 /* after a sweep that could not be begun */

struct spool {
	struct spool_options options;
	struct loop_timer timer;
	bool stopped; /* the pool may be gone: nothing is given to it any more */
	struct offload_job job;
	/* One sweep: the pool's while it has the job. */
	char **kept; /* owned, and each of them: names within the directory, sorted */
	size_t kept_count; /* at most INBOX_SPOOLED */
	int64_t before_ms; /* wall clock; what is younger stays */
	size_t removed;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void forget_kept(struct spool *spool)
{
	for (size_t i = 0; i < spool->kept_count; i++)
		free(spool->kept[i]);
	free(spool->kept);
	spool->kept = NULL;
	spool->kept_count = 0;
}

/* On the pool. */

static bool may_go(const struct spool *spool, int directory, char *name)
{
	struct stat info;

	return fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(info.st_mode) &&
	       (int64_t)info.st_mtime * 1000 < spool->before_ms &&
	       (spool->kept_count == 0 || bsearch(&name, spool->kept, spool->kept_count,
						  sizeof(*spool->kept), by_name) == NULL);
}

static void sweep(void *arg)
{
	struct spool *spool = arg;
	DIR *directory = opendir(spool->options.directory);
	struct dirent *entry;

	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL) {
		if (may_go(spool, dirfd(directory), entry->d_name) &&
			unlinkat(dirfd(directory), entry->d_name, 0) == 0)
			spool->removed++;
	}
	closedir(directory);
}

/* On the loop. */

static void swept(void *arg)
{
	struct spool *spool = arg;

	forget_kept(spool);
	if (spool->stopped)
		return;
	if (spool->removed > 0 && spool->options.swept != NULL)
		spool->options.swept(spool->options.arg, spool->removed);
	loop_timer_set(&spool->timer, SPOOL_SWEEP_MS);
}

/* False: no memory. */
static bool keep(struct spool *spool, const char *const *paths, size_t count)
{
	spool->kept = calloc(count + 1, sizeof(*spool->kept));
	if (spool->kept == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		const char *slash = strrchr(paths[i], '/');
		char *name = strdup(slash == NULL ? paths[i] : slash + 1);

		if (name == NULL)
			return false;
		spool->kept[spool->kept_count++] = name;
	}
	qsort(spool->kept, spool->kept_count, sizeof(*spool->kept), by_name);
	return true;
}

/* Whatever is in doubt, nothing is removed: there is another time. */
static void listed(
	void *arg, enum cg_status status, const char *const *paths, size_t count)
{
	struct spool *spool = arg;

	if (spool->stopped)
		return;
	spool->removed = 0;
	if (status == CG_OK && keep(spool, paths, count) &&
		offload_submit(spool->options.offload, &spool->job) == CG_OK)
		return;
	forget_kept(spool);
	loop_timer_set(&spool->timer, SPOOL_RETRY_MS);
}

static void due(void *arg)
{
	struct spool *spool = arg;
	const struct clock *clock = loop_clock(spool->options.loop);

	/* By a clock that is behind, or was when a file came, no age can be told. */
	if (!clock_sane(clock)) {
		loop_timer_set(&spool->timer, SPOOL_RETRY_MS);
		return;
	}
	spool->before_ms = clock_wall(clock) - SPOOL_KEEP_MS;
	inbox_list_spooled(spool->options.journal, listed, spool);
}

enum cg_status spool_create(
	const struct spool_options *options, struct spool **ret, struct cg_error *err)
{
	struct spool *spool = calloc(1, sizeof(*spool));

	if (spool == NULL)
		return cg_error_nomem(err);
	spool->options = *options;
	spool->job = (struct offload_job){.work = sweep, .arg = spool};
	loop_task_init(&spool->job.done, swept, spool);
	if (loop_timer_init(&spool->timer, options->loop, due, spool) != CG_OK) {
		free(spool);
		return cg_error_nomem(err);
	}
	*ret = spool;
	return CG_OK;
}

void spool_stop(struct spool *spool)
{
	if (spool == NULL)
		return;
	spool->stopped = true;
	loop_timer_clear(&spool->timer);
}

void spool_destroy(struct spool *spool)
{
	if (spool == NULL)
		return;
	loop_timer_finish(&spool->timer);
	forget_kept(spool);
	free(spool);
}

void spool_start(struct spool *spool)
{
	loop_timer_set(&spool->timer, 0);
}
