/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/faults/fault_vfs.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512
#define BUCKETS 1024

/* A sector as it was when last synced. */
struct saved {
	struct saved *next;
	sqlite3_int64 number;
	bool believed_clean; /* a sync has failed over it */
	unsigned char bytes[SECTOR];
};

/* What is known of one file name, also while nobody has it open. */
struct record {
	struct record *next;
	char *path;
	sqlite3_int64 synced_size;
	unsigned syncs;
	struct saved *saved[BUCKETS];
};

struct fault_file {
	sqlite3_file base;
	struct record *record; /* NULL for temporary files */
	sqlite3_file *real; /* behind this struct */
};

struct fault {
	int code;
	const char *suffix;
	unsigned after;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static sqlite3_vfs *real_vfs;
static struct record *records;
static struct fault sync_fault, write_fault;
static struct {
	unsigned syncs; /* left until it happens; 0: it will not */
	enum fault_loss loss;
	uint64_t seed;
} cut;
static bool powered = true;
static bool holding;
static unsigned held;

static bool ends_in(const char *text, const char *suffix)
{
	size_t length = strlen(text);
	size_t tail = suffix == NULL ? 0 : strlen(suffix);

	return tail == 0 || (length >= tail && strcmp(text + length - tail, suffix) == 0);
}

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct fault_file *)file)->real;
}

static void forget_saved(struct record *record)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		while (record->saved[i] != NULL) {
			struct saved *saved = record->saved[i];

			record->saved[i] = saved->next;
			free(saved);
		}
	}
}

/* A sync that succeeds makes dirty sectors durable; one that fails makes them look so. */
static void settle(struct record *record, bool durable)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct saved **link = &record->saved[i];

		while (*link != NULL) {
			struct saved *saved = *link;

			if (!durable) {
				saved->believed_clean = true;
			} else if (!saved->believed_clean) {
				*link = saved->next;
				free(saved);
				continue;
			}
			link = &saved->next;
		}
	}
}

/* Remember a sector before it changes. */
static int save_sector(struct fault_file *file, sqlite3_int64 number)
{
	struct saved **bucket = &file->record->saved[(size_t)number % BUCKETS];
	struct saved *saved;
	int code;

	for (saved = *bucket; saved != NULL; saved = saved->next) {
		if (saved->number == number) {
			saved->believed_clean = false;
			return SQLITE_OK;
		}
	}
	saved = calloc(1, sizeof(*saved));
	if (saved == NULL)
		return SQLITE_IOERR_NOMEM;
	saved->number = number;
	code = file->real->pMethods->xRead(
		file->real, saved->bytes, SECTOR, number * SECTOR);
	if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) {
		free(saved);
		return code;
	}
	saved->next = *bucket;
	*bucket = saved;
	return SQLITE_OK;
}

static int save_range(struct fault_file *file, sqlite3_int64 from, sqlite3_int64 to)
{
	for (sqlite3_int64 number = from / SECTOR; number * SECTOR < to; number++) {
		int code = save_sector(file, number);

		if (code != SQLITE_OK)
			return code;
	}
	return SQLITE_OK;
}

/* SQLITE_OK, or how a write must fail now. */
static int write_verdict(const struct record *record)
{
	if (!powered)
		return SQLITE_IOERR_WRITE;
	if (write_fault.code == SQLITE_OK || !ends_in(record->path, write_fault.suffix))
		return SQLITE_OK;
	if (write_fault.after == 0)
		return write_fault.code;
	write_fault.after--;
	return SQLITE_OK;
}

static int fault_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int fault_read(sqlite3_file *file, void *bytes, int length, sqlite3_int64 offset)
{
	return real_of(file)->pMethods->xRead(real_of(file), bytes, length, offset);
}

static int fault_write(
	sqlite3_file *base, const void *bytes, int length, sqlite3_int64 offset)
{
	struct fault_file *file = (struct fault_file *)base;
	int code = SQLITE_OK;

	pthread_mutex_lock(&lock);
	if (file->record != NULL) {
		code = write_verdict(file->record);
		if (code == SQLITE_OK)
			code = save_range(file, offset, offset + length);
	}
	if (code == SQLITE_OK)
		code = file->real->pMethods->xWrite(file->real, bytes, length, offset);
	pthread_mutex_unlock(&lock);
	return code;
}

static int fault_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	struct fault_file *file = (struct fault_file *)base;
	sqlite3_int64 before = 0;
	int code = SQLITE_OK;

	pthread_mutex_lock(&lock);
	if (file->record != NULL) {
		code = write_verdict(file->record);
		if (code == SQLITE_OK)
			code = file->real->pMethods->xFileSize(file->real, &before);
		if (code == SQLITE_OK)
			code = save_range(file, size, before);
	}
	if (code == SQLITE_OK)
		code = file->real->pMethods->xTruncate(file->real, size);
	pthread_mutex_unlock(&lock);
	return code;
}

static int lose_all(enum fault_loss loss, uint64_t seed);

/* With the lock held, so that nothing is written behind it. */
static void cut_power(void)
{
	lose_all(cut.loss, cut.seed);
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

/* With the lock held.  The real sync is left out: loss of power is this file's own. */
static int sync_record(struct fault_file *file)
{
	struct record *record = file->record;
	int code;

	record->syncs++;
	if (holding) {
		held++;
		pthread_cond_broadcast(&changed);
		while (holding)
			pthread_cond_wait(&changed, &lock);
		held--;
	}
	if (cut.syncs > 0 && --cut.syncs == 0)
		cut_power();
	if (!powered)
		return SQLITE_IOERR_FSYNC;
	if (sync_fault.code != SQLITE_OK && ends_in(record->path, sync_fault.suffix)) {
		settle(record, false);
		return sync_fault.code;
	}
	code = file->real->pMethods->xFileSize(file->real, &record->synced_size);
	if (code == SQLITE_OK)
		settle(record, true);
	return code;
}

static int fault_sync(sqlite3_file *base, int flags)
{
	struct fault_file *file = (struct fault_file *)base;
	int code;

	(void)flags;
	if (file->record == NULL)
		return SQLITE_OK;
	pthread_mutex_lock(&lock);
	code = sync_record(file);
	pthread_mutex_unlock(&lock);
	return code;
}

static int fault_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int fault_lock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int fault_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int fault_check_lock(sqlite3_file *file, int *reserved)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), reserved);
}

static int fault_control(sqlite3_file *file, int operation, void *arg)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), operation, arg);
}

static int fault_sector_size(sqlite3_file *file)
{
	(void)file;
	return SECTOR;
}

static int fault_characteristics(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int fault_shm_map(
	sqlite3_file *file, int region, int size, int extend, void volatile **memory)
{
	return real_of(file)->pMethods->xShmMap(
		real_of(file), region, size, extend, memory);
}

static int fault_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void fault_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int fault_shm_unmap(sqlite3_file *file, int remove)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

/* Version 2: shared memory, and no memory-mapped reads past the functions above. */
static const sqlite3_io_methods fault_methods = {
	.iVersion = 2,
	.xClose = fault_close,
	.xRead = fault_read,
	.xWrite = fault_write,
	.xTruncate = fault_truncate,
	.xSync = fault_sync,
	.xFileSize = fault_size,
	.xLock = fault_lock,
	.xUnlock = fault_unlock,
	.xCheckReservedLock = fault_check_lock,
	.xFileControl = fault_control,
	.xSectorSize = fault_sector_size,
	.xDeviceCharacteristics = fault_characteristics,
	.xShmMap = fault_shm_map,
	.xShmLock = fault_shm_lock,
	.xShmBarrier = fault_shm_barrier,
	.xShmUnmap = fault_shm_unmap,
};

/* With the lock held: the record of @path, made when new.  NULL without memory. */
static struct record *record_of(const char *path, sqlite3_file *real)
{
	struct record *record;

	for (record = records; record != NULL; record = record->next) {
		if (strcmp(record->path, path) == 0)
			return record;
	}
	record = calloc(1, sizeof(*record));
	if (record == NULL)
		return NULL;
	record->path = strdup(path);
	if (record->path == NULL ||
		real->pMethods->xFileSize(real, &record->synced_size) != SQLITE_OK) {
		free(record->path);
		free(record);
		return NULL;
	}
	record->next = records;
	records = record;
	return record;
}

static int fault_open(
	sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *ret_flags)
{
	struct fault_file *file = (struct fault_file *)base;
	int code;

	(void)vfs;
	memset(file, 0, sizeof(*file));
	file->real = (sqlite3_file *)(file + 1);
	code = real_vfs->xOpen(real_vfs, path, file->real, flags, ret_flags);
	if (code != SQLITE_OK)
		return code;
	if (path != NULL) {
		pthread_mutex_lock(&lock);
		file->record = record_of(path, file->real);
		pthread_mutex_unlock(&lock);
		if (file->record == NULL) {
			file->real->pMethods->xClose(file->real);
			return SQLITE_NOMEM;
		}
	}
	file->base.pMethods = &fault_methods;
	return SQLITE_OK;
}

static int fault_delete(sqlite3_vfs *vfs, const char *path, int sync_directory)
{
	int code = SQLITE_IOERR_DELETE;

	(void)vfs;
	pthread_mutex_lock(&lock);
	if (powered) {
		code = real_vfs->xDelete(real_vfs, path, sync_directory);
		for (struct record *at = records; at != NULL && code == SQLITE_OK;
			at = at->next) {
			if (strcmp(at->path, path) == 0) {
				forget_saved(at);
				at->synced_size = 0;
			}
		}
	}
	pthread_mutex_unlock(&lock);
	return code;
}

void fault_vfs_install(void)
{
	static sqlite3_vfs vfs;

	pthread_mutex_lock(&lock);
	while (records != NULL) {
		struct record *record = records;

		records = record->next;
		forget_saved(record);
		free(record->path);
		free(record);
	}
	sync_fault = write_fault = (struct fault){0};
	cut.syncs = 0;
	powered = true;
	holding = false;
	pthread_mutex_unlock(&lock);
	if (real_vfs != NULL)
		return;
	real_vfs = sqlite3_vfs_find(NULL);
	/* What is not about files is the real one's; its functions do not look at the struct
	 * that they are called with. */
	vfs = *real_vfs;
	vfs.zName = FAULT_VFS;
	vfs.pNext = NULL;
	vfs.szOsFile += (int)sizeof(struct fault_file);
	vfs.xOpen = fault_open;
	vfs.xDelete = fault_delete;
	sqlite3_vfs_register(&vfs, 0);
}

void fault_vfs_fail_syncs(int code, const char *suffix)
{
	pthread_mutex_lock(&lock);
	sync_fault = (struct fault){.code = code, .suffix = suffix};
	pthread_mutex_unlock(&lock);
}

void fault_vfs_fail_writes(int code, const char *suffix, unsigned after)
{
	pthread_mutex_lock(&lock);
	write_fault = (struct fault){.code = code, .suffix = suffix, .after = after};
	pthread_mutex_unlock(&lock);
}

void fault_vfs_hold_syncs(void)
{
	pthread_mutex_lock(&lock);
	holding = true;
	pthread_mutex_unlock(&lock);
}

void fault_vfs_await_held(void)
{
	pthread_mutex_lock(&lock);
	while (held == 0)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

void fault_vfs_release_syncs(void)
{
	pthread_mutex_lock(&lock);
	holding = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

unsigned fault_vfs_syncs(const char *suffix)
{
	unsigned count = 0;

	pthread_mutex_lock(&lock);
	for (struct record *record = records; record != NULL; record = record->next) {
		if (ends_in(record->path, suffix))
			count += record->syncs;
	}
	pthread_mutex_unlock(&lock);
	return count;
}

void fault_vfs_power_off(void)
{
	pthread_mutex_lock(&lock);
	powered = false;
	pthread_mutex_unlock(&lock);
}

/* xorshift64*: the same seed tears the same sectors. */
static bool toss(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * UINT64_C(0x2545f4914f6cdd1d)) >> 63 != 0;
}

static int lose_file(struct record *record, enum fault_loss loss, uint64_t *random)
{
	int fd = open(record->path, O_RDWR | O_CLOEXEC);
	off_t size, kept = (off_t)record->synced_size;
	int result = 0;

	if (fd < 0)
		return 0; /* deleted since */
	size = lseek(fd, 0, SEEK_END);
	if (size < 0)
		result = -1;
	for (size_t i = 0; i < BUCKETS && result == 0; i++) {
		for (struct saved *at = record->saved[i]; at != NULL; at = at->next) {
			off_t offset = (off_t)at->number * SECTOR;

			if (loss == FAULT_TEAR && toss(random)) {
				off_t end =
					offset + SECTOR < size ? offset + SECTOR : size;

				kept = end > kept ? end : kept;
			} else if (pwrite(fd, at->bytes, SECTOR, offset) != SECTOR) {
				result = -1;
			}
		}
	}
	if (result == 0 && ftruncate(fd, kept) != 0)
		result = -1;
	close(fd);
	return result;
}

static int lose_all(enum fault_loss loss, uint64_t seed)
{
	uint64_t random = seed * 2 + 1;
	int result = 0;

	for (struct record *record = records; record != NULL; record = record->next) {
		if (lose_file(record, loss, &random) != 0)
			result = -1;
		forget_saved(record);
		record->synced_size = 0;
	}
	return result;
}

void fault_vfs_cut_power(unsigned sync, enum fault_loss loss, uint64_t seed)
{
	pthread_mutex_lock(&lock);
	cut.syncs = sync;
	cut.loss = loss;
	cut.seed = seed;
	if (sync == 0)
		cut_power();
	pthread_mutex_unlock(&lock);
}

int fault_vfs_lose(enum fault_loss loss, uint64_t seed)
{
	int result;

	pthread_mutex_lock(&lock);
	result = lose_all(loss, seed);
	pthread_mutex_unlock(&lock);
	fault_vfs_install();
	return result;
}
