/* SPDX-License-Identifier: Apache-2.0 */
#include "config/reference.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define CREDENTIALS "/run/credentials/"

/* Is the open file one that only we, or only we and root, could have written and can read?  Root
 * looks at a service's settings, and its secrets belong to the service's user. */
static enum cg_status check_file(const struct stat *status, const char *path,
	bool is_credential, struct cg_error *err)
{
	const mode_t open_bits = is_credential ? S_IRWXO | S_IWGRP : S_IRWXO | S_IRWXG;

	if (!S_ISREG(status->st_mode))
		return cg_error_set(err, CG_INVALID, "%s is not a regular file", path);
	if (geteuid() != 0 && status->st_uid != geteuid() && status->st_uid != 0)
		return cg_error_set(err, CG_DENIED, "%s belongs to another user", path);
	if ((status->st_mode & open_bits) != 0)
		return cg_error_set(err, CG_DENIED,
			"%s is open to other users (mode %04o): chmod 600 it", path,
			(unsigned)(status->st_mode & 07777));
	return CG_OK;
}

static enum cg_status read_secret(
	int fd, const char *path, struct cg_secret *ret, struct cg_error *err)
{
	char bytes[CG_SECRET_MAX +
		   2]; /* the line break at its end, and one byte too many */
	size_t length = 0;
	enum cg_status status;

	while (length < sizeof(bytes)) {
		ssize_t got = read(fd, bytes + length, sizeof(bytes) - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			status = cg_error_set(
				err, CG_IO, "cannot read %s: %s", path, strerror(errno));
			goto out;
		}
		if (got == 0)
			break;
		length += (size_t)got;
	}
	if (length > 0 && bytes[length - 1] == '\n')
		length--;
	if (length > CG_SECRET_MAX)
		status = cg_error_set(
			err, CG_LIMIT, "%s is longer than %d bytes", path, CG_SECRET_MAX);
	else if (length == 0)
		status = cg_error_set(err, CG_INVALID, "%s is empty", path);
	else if ((status = cg_secret_set(ret, bytes, length)) != CG_OK)
		status = cg_error_nomem(err);
out:
	cg_wipe(bytes, sizeof(bytes));
	return status;
}

static enum cg_status from_file(
	const char *path, bool is_credential, struct cg_secret *ret, struct cg_error *err)
{
	struct stat facts;
	enum cg_status status;
	int fd;

	if (path[0] != '/')
		return cg_error_set(err, CG_INVALID, "file: needs an absolute path");
	/* Not to block on a pipe before it is refused. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return cg_error_set(err, errno == ENOENT ? CG_NOT_FOUND : CG_IO,
			"cannot open %s: %s", path, strerror(errno));
	if (fstat(fd, &facts) != 0)
		status = cg_error_set(
			err, CG_IO, "cannot look at %s: %s", path, strerror(errno));
	else
		status = check_file(&facts, path, is_credential, err);
	if (status == CG_OK)
		status = read_secret(fd, path, ret, err);
	close(fd);
	return status;
}

static enum cg_status from_credential(const char *name,
	const struct environment *environment, struct cg_secret *ret,
	struct cg_error *err)
{
	const char *directory = environment_get(environment, "CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];

	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
		return cg_error_set(
			err, CG_INVALID, "not the name of a credential: cred:%s", name);
	if (directory == NULL)
		return cg_error_set(err, CG_NOT_FOUND,
			"cred:%s needs $CREDENTIALS_DIRECTORY: add LoadCredential=%s:… "
			"to the unit",
			name, name);
	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return cg_error_set(
			err, CG_LIMIT, "the path of cred:%s is too long", name);
	return from_file(path, true, ret, err);
}

static enum cg_status from_variable(const char *name,
	const struct environment *environment, struct cg_secret *ret,
	struct cg_error *err)
{
	const char *value = environment_get(environment, name);
	size_t length;

	if (value == NULL)
		return cg_error_set(
			err, CG_NOT_FOUND, "the variable %s is not set", name);
	length = strlen(value);
	if (length > CG_SECRET_MAX)
		return cg_error_set(
			err, CG_LIMIT, "%s is longer than %d bytes", name, CG_SECRET_MAX);
	if (cg_secret_set(ret, value, length) != CG_OK)
		return cg_error_nomem(err);
	return CG_OK;
}

enum cg_status reference_resolve(const char *text, const struct environment *environment,
	struct cg_secret *ret, struct cg_error *err)
{
	struct cg_secret secret = {0};
	enum cg_status status;

	if (strncmp(text, "env:", 4) == 0)
		status = from_variable(text + 4, environment, &secret, err);
	else if (strncmp(text, "cred:", 5) == 0)
		status = from_credential(text + 5, environment, &secret, err);
	else if (strncmp(text, "file:", 5) == 0)
		status = from_file(text + 5,
			strncmp(text + 5, CREDENTIALS, strlen(CREDENTIALS)) == 0 &&
				strstr(text, "/..") == NULL,
			&secret, err);
	else if (strlen(text) > CG_SECRET_MAX)
		status = cg_error_set(
			err, CG_LIMIT, "longer than %d bytes", CG_SECRET_MAX);
	else if ((status = cg_secret_set(&secret, text, strlen(text))) != CG_OK)
		status = cg_error_nomem(err);
	if (status == CG_OK && !cg_text_clean(secret.bytes, secret.length, CG_SECRET_MAX))
		status = cg_error_set(err, CG_INVALID, "it holds control characters");
	if (status == CG_OK)
		cg_secret_take(ret, &secret);
	cg_secret_wipe(&secret);
	return status;
}

bool reference_is_placeholder(const struct cg_secret *secret)
{
	static const char *const beginnings[] = {
		"change-me", "replace-with", "example-", "demo-"};
	const char *text = secret->bytes;

	if (!cg_secret_is_set(secret))
		return false;
	text += strspn(text, " \t");
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++) {
		if (strncasecmp(text, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	}
	return false;
}
