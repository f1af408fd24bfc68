/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/artifact_file.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/spool.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct artifact_file {
	LIST_ENTRY(artifact_file) link;
	struct conversation *conversation;
	struct offload_job job;
	artifact_file_done done; /* NULL: nobody waits for it any more */
	void *arg;
	/* The pool's while it has the job. */
	struct json_object *record; /* referenced: the text of the content is its own */
	const char *base64;
	size_t length;
	enum cg_status status;
	uint64_t bytes;
	char path[CG_SPOOL_PATH];
};

static void file_free(struct artifact_file *file)
{
	LIST_REMOVE(file, link);
	cg_json_free(file->record);
	free(file);
}

/* On the pool. */
static void work(void *arg)
{
	struct artifact_file *file = arg;
	struct stat info = {.st_size = 0};
	int fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0) {
		file->status = errno == ENOSPC || errno == EDQUOT ? CG_FULL : CG_IO;
		return;
	}
	file->status = cg_spool_decode(fd, file->path, file->base64, file->length);
	if (file->status == CG_OK && fstat(fd, &info) != 0)
		file->status = CG_IO;
	file->bytes = (uint64_t)info.st_size;
	close(fd);
	if (file->status != CG_OK)
		unlink(file->path);
}

static void written(void *arg)
{
	struct artifact_file *file = arg;

	if (file->done != NULL)
		file->done(file->arg, file->status, file->path, file->bytes);
	else if (file->status == CG_OK)
		unlink(file->path);
	file_free(file);
}

enum cg_status artifact_file_write(struct conversation *conversation,
	const struct cloud_artifact *artifact, artifact_file_done done, void *arg,
	struct artifact_file **ret)
{
	struct artifact_file *file = calloc(1, sizeof(*file));
	char name[CG_RANDOM_ID_SIZE(16)];
	enum cg_status status = CG_OK;

	if (file == NULL)
		return CG_NOMEM;
	file->conversation = conversation;
	LIST_INSERT_HEAD(&conversation->files, file, link);
	file->done = done;
	file->arg = arg;
	file->record = cg_json_ref(artifact->record);
	file->base64 = artifact->data_base64;
	file->length = artifact->data_length;
	file->job = (struct offload_job){.work = work, .arg = file};
	loop_task_init(&file->job.done, written, file);
	cg_random_id(name, 16);
	if (snprintf(file->path, sizeof(file->path), "%s/%s",
		    conversation->options.spool_dir, name) >= (int)sizeof(file->path))
		status = CG_IO;
	if (status == CG_OK)
		status = offload_submit(conversation->parts.offload, &file->job);
	if (status != CG_OK) {
		file_free(file);
		return status;
	}
	*ret = file;
	return CG_OK;
}

void artifact_file_cancel(struct artifact_file *file)
{
	if (file != NULL)
		file->done = NULL;
}

void artifact_files_finish(struct conversation *conversation)
{
	while (!LIST_EMPTY(&conversation->files))
		file_free(LIST_FIRST(&conversation->files));
}
