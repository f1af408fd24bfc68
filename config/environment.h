/* SPDX-License-Identifier: Apache-2.0 */
/* Environment variables: the process's own, and those of an environment file beneath them. */
#ifndef COWGATE_CONFIG_ENVIRONMENT_H
#define COWGATE_CONFIG_ENVIRONMENT_H

#include "config/arena.h"
#include "config/report.h"

/* Variables that are looked at; more are an error. */
#define ENVIRONMENT_VARIABLES 8192

struct environment_variable {
	const char *name;
	const char *value; /* never blank: a blank variable counts as unset */
	const char *where; /* its name, with file and line when it came from a file */
};

struct environment {
	struct environment_variable *items;
	size_t count;
	size_t capacity;
	struct arena *arena; /* borrowed; holds all texts */
};

/* Read @variables (NAME=value, ended by NULL). */
void environment_init(struct environment *environment, struct arena *arena,
	char *const *variables, struct config_report *report);

/*
 * Add what the text of an environment file says, as systemd reads EnvironmentFile=: blank lines,
 * comments with # or ;, single and double quotes, a backslash at the end of a line; nothing is
 * expanded.  Of a name that comes twice the later line counts; variables that were there before
 * this call win.
 */
void environment_add_file(struct environment *environment, const char *path,
	const char *text, size_t length, struct config_report *report);

const struct environment_variable *environment_find(
	const struct environment *environment, const char *name);

/* Its value, or NULL. */
const char *environment_get(const struct environment *environment, const char *name);

#endif
