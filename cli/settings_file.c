/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/settings_file.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/secret.h>
#include <cowgate/sdk/sync.h>
#include <cowgate/sdk/text.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "OPEN_COWORK_"
#define GATEWAY_PREFIX PREFIX "GATEWAY_"
#define NAME_MAX_BYTES 160
#define FILE_MAX (1u << 20) /* what the daemon reads of such a file */

void settings_file_finish(struct settings_file *file)
{
	for (size_t i = 0; i < file->count; i++) {
		free(file->entries[i].name);
		cg_wipe(file->entries[i].value, strlen(file->entries[i].value));
		free(file->entries[i].value);
	}
	file->count = 0;
}

/* The whole name of @name in @ret. */
static bool complete_name(const char *name, char ret[NAME_MAX_BYTES])
{
	const char *prefix =
		strncmp(name, PREFIX, strlen(PREFIX)) == 0 ? "" : GATEWAY_PREFIX;

	if (name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] != '\0' ||
		name[0] == '\0')
		return false;
	return snprintf(ret, NAME_MAX_BYTES, "%s%s", prefix, name) < NAME_MAX_BYTES;
}

static struct settings_file_entry *find(struct settings_file *file, const char *name)
{
	for (size_t i = 0; i < file->count; i++) {
		if (strcmp(file->entries[i].name, name) == 0)
			return &file->entries[i];
	}
	return NULL;
}

enum cg_status settings_file_set(struct settings_file *file, const char *name,
	const char *value, struct cg_error *err)
{
	struct settings_file_entry *entry;
	char whole[NAME_MAX_BYTES];
	char *copy;

	if (!complete_name(name, whole))
		return cg_error_set(err, CG_INVALID,
			"%.100s is not the name of a setting: capitals, digits and _",
			name);
	if (!cg_text_clean(value, strlen(value), SETTINGS_FILE_TEXT))
		return cg_error_set(err, CG_INVALID,
			"the value of %s must be one line of text", whole);
	copy = strdup(value);
	if (copy == NULL)
		return cg_error_nomem(err);
	entry = find(file, whole);
	if (entry == NULL && file->count == SETTINGS_FILE_NAMES) {
		free(copy);
		return cg_error_set(err, CG_LIMIT, "there are more than %d settings",
			SETTINGS_FILE_NAMES);
	}
	if (entry == NULL) {
		entry = &file->entries[file->count];
		entry->name = strdup(whole);
		if (entry->name == NULL) {
			free(copy);
			return cg_error_nomem(err);
		}
		file->count++;
	} else {
		cg_wipe(entry->value, strlen(entry->value));
		free(entry->value);
	}
	entry->value = copy;
	return CG_OK;
}

const char *settings_file_get(const struct settings_file *file, const char *name)
{
	char whole[NAME_MAX_BYTES];

	if (!complete_name(name, whole))
		return NULL;
	for (size_t i = 0; i < file->count; i++) {
		if (strcmp(file->entries[i].name, whole) == 0)
			return file->entries[i].value;
	}
	return NULL;
}

enum cg_status settings_file_write(
	const struct settings_file *file, struct cg_buffer *buffer)
{
	cg_buffer_text(buffer, "# Written by `cowgate init`; `cowgate config` explains "
			       "every name.\n");
	for (size_t i = 0; i < file->count; i++) {
		cg_buffer_format(buffer, "%s=\"", file->entries[i].name);
		for (const char *at = file->entries[i].value; *at != '\0'; at++) {
			if (strchr("\"\\`$", *at) != NULL)
				cg_buffer_char(buffer, '\\');
			cg_buffer_char(buffer, *at);
		}
		cg_buffer_text(buffer, "\"\n");
	}
	return cg_buffer_status(buffer);
}

static enum cg_status make_directories(const char *path, struct cg_error *err)
{
	char parent[PATH_MAX];

	for (const char *slash = strchr(path + 1, '/'); slash != NULL;
		slash = strchr(slash + 1, '/')) {
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
		if (mkdir(parent, geteuid() == 0 ? 0755 : 0700) != 0 && errno != EEXIST &&
			access(parent, F_OK) != 0)
			return cg_error_set(err, CG_IO, "%s cannot be made: %s", parent,
				strerror(errno));
	}
	return CG_OK;
}

static bool give_to(int fd, const char *owner)
{
	const struct passwd *user = owner == NULL ? NULL : getpwnam(owner);

	return user == NULL || fchown(fd, user->pw_uid, user->pw_gid) == 0;
}

/* link() refuses where rename() would replace: nobody's file is lost to a race. */
static bool put_in_place(const char *made, const char *path, bool replace)
{
	if (replace)
		return rename(made, path) == 0;
	return link(made, path) == 0 && unlink(made) == 0;
}

static void sync_directory(const char *path)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	(void)cg_sync_path(dirname(copy));
}

static enum cg_status save_text(const struct cg_buffer *text, const char *path,
	const char *owner, bool replace, struct cg_error *err)
{
	char made[PATH_MAX];
	bool placed = false, well;
	int fd;

	if (snprintf(made, sizeof(made), "%s.XXXXXX", path) >= (int)sizeof(made))
		return cg_error_set(err, CG_LIMIT, "the path is too long");
	fd = mkstemp(made);
	if (fd < 0)
		return cg_error_set(
			err, CG_IO, "%s cannot be written: %s", path, strerror(errno));
	well = fchmod(fd, 0600) == 0 && give_to(fd, owner) &&
	       cg_write_all(fd, text->bytes, text->length) && cg_sync(fd) == 0;
	if (well)
		placed = put_in_place(made, path, replace);
	if (!placed) {
		int reason = errno;

		close(fd);
		unlink(made);
		return reason == EEXIST
			       ? cg_error_set(err, CG_EXISTS, "%s is there already", path)
			       : cg_error_set(err, CG_IO, "%s cannot be written: %s",
					 path, strerror(reason));
	}
	close(fd);
	sync_directory(path);
	return CG_OK;
}

enum cg_status settings_file_save(const struct settings_file *file, const char *path,
	const char *owner, bool replace, struct cg_error *err)
{
	struct cg_buffer text;
	enum cg_status status;

	cg_buffer_init(&text, FILE_MAX);
	status = settings_file_write(file, &text);
	if (status != CG_OK)
		cg_error_set(err, status, "the settings do not fit into a file");
	if (status == CG_OK)
		status = make_directories(path, err);
	if (status == CG_OK)
		status = save_text(&text, path, owner, replace, err);
	if (text.bytes != NULL)
		cg_wipe(text.bytes, text.length);
	cg_buffer_finish(&text);
	return status;
}
