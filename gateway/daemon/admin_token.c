/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/house.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/sync.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_RANDOM 32 /* bytes */
#define TOKEN_MAX 128 /* characters */

static enum cg_status read_token(
	int fd, const char *path, struct cg_secret *ret, struct cg_error *err)
{
	char text[TOKEN_MAX + 1];
	enum cg_status status;
	struct stat info;
	ssize_t length;

	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || (info.st_mode & 077) != 0)
		return cg_error_set(err, CG_DENIED,
			"%s must be a file that only its owner can read", path);
	length = read(fd, text, TOKEN_MAX);
	if (length < 0)
		return cg_error_set(err, CG_IO, "%s: %s", path, strerror(errno));
	text[length] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	if (strlen(text) < 16) {
		cg_wipe(text, sizeof(text));
		return cg_error_set(err, CG_INVALID,
			"%s is too short; remove it and start again", path);
	}
	status = cg_secret_set(ret, text, strlen(text));
	cg_wipe(text, sizeof(text));
	return status;
}

static enum cg_status make_token(
	const char *path, struct cg_secret *ret, struct cg_error *err)
{
	char text[TOKEN_MAX + 1], temporary[CONFIG_PATH + 32];
	enum cg_status status;
	size_t length;
	int fd;
	bool ok;

	cg_random_id(text, TOKEN_RANDOM);
	length = strlen(text);
	status = cg_secret_set(ret, text, length);
	if (status != CG_OK)
		return status;
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	text[length++] = '\n';
	ok = fd >= 0 && write(fd, text, length) == (ssize_t)length && cg_sync(fd) == 0;
	cg_wipe(text, sizeof(text));
	if (fd >= 0)
		ok = close(fd) == 0 && ok;
	if (!ok || rename(temporary, path) != 0)
		return cg_error_set(err, CG_IO,
			"the admin token cannot be kept in %s: %s", path,
			strerror(errno));
	return CG_OK;
}

enum cg_status admin_token_load(
	const struct config *config, struct cg_secret *ret, struct cg_error *err)
{
	char path[CONFIG_PATH + 16];
	enum cg_status status;
	int fd;

	if (cg_secret_is_set(&config->admin_token))
		return cg_secret_set(
			ret, config->admin_token.bytes, config->admin_token.length);
	if (!config->make_admin_token)
		return CG_OK;
	snprintf(path, sizeof(path), "%s/admin-token", config->data_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return make_token(path, ret, err);
	status = read_token(fd, path, ret, err);
	close(fd);
	return status;
}
