/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/delivery/content.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/sync.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool content_is_in(const struct outbox_row *row)
{
	return row->file_name != NULL && row->file_path == NULL;
}

enum cg_status content_write(
	const struct outbox_row *row, const char *directory, char **ret_path)
{
	size_t size = strlen(directory) + 64;
	char *path = malloc(size), name[32];
	bool written;
	int fd;

	if (path == NULL)
		return CG_NOMEM;
	cg_random_id(name, 16);
	snprintf(path, size, "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	written = fd >= 0 && cg_write_all(fd, row->source, strlen(row->source));
	if (!written) {
		enum cg_status status = errno == ENOSPC ? CG_FULL : CG_IO;

		if (fd >= 0)
			close(fd);
		content_remove(path);
		return status;
	}
	close(fd); /* nobody needs it on the disk: the row has it */
	*ret_path = path;
	return CG_OK;
}

void content_remove(char *path)
{
	if (path == NULL)
		return;
	unlink(path);
	free(path);
}
