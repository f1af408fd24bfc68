/* SPDX-License-Identifier: Apache-2.0 */
/* An environment file under construction: names, values, and how it comes onto the disk. */
#ifndef COWGATE_CLI_SETTINGS_FILE_H
#define COWGATE_CLI_SETTINGS_FILE_H

#include <cowgate/sdk/buffer.h>
#include <cowgate/status.h>
#include <stdbool.h>

#define SETTINGS_FILE_NAMES 256 /* variables of one file */
#define SETTINGS_FILE_TEXT (64u << 10) /* bytes of one value */

/* Zero is empty.  Texts are owned and wiped at the end: secrets are among them. */
struct settings_file {
	struct settings_file_entry {
		char *name, *value;
	} entries[SETTINGS_FILE_NAMES];
	size_t count;
};

void settings_file_finish(struct settings_file *file);

/*
 * Give a variable its value, in place of an earlier one.  A name without the prefix gets it.
 * INVALID: not a name, or a value with control characters.  LIMIT, NOMEM.
 */
enum cg_status settings_file_set(struct settings_file *file, const char *name,
	const char *value, struct cg_error *err);

/* The value of a name with or without the prefix, or NULL. */
const char *settings_file_get(const struct settings_file *file, const char *name);

/* As an environment file is written: a comment, then one quoted assignment a line. */
enum cg_status settings_file_write(
	const struct settings_file *file, struct cg_buffer *buffer);

/*
 * Write it to @path with mode 0600, whole or not at all; directories are made (0755, those of a
 * home 0700).  EXISTS: there is one, and @replace is false.  @owner names the user it shall
 * belong to, NULL: the caller.
 */
enum cg_status settings_file_save(const struct settings_file *file, const char *path,
	const char *owner, bool replace, struct cg_error *err);

#endif
