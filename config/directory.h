/* SPDX-License-Identifier: Apache-2.0 */
/* Where things lie when no setting says so. */
#ifndef COWGATE_CONFIG_DIRECTORY_H
#define COWGATE_CONFIG_DIRECTORY_H

#include <cowgate/status.h>
#include <stdbool.h>
#include <stddef.h>

enum directory_platform {
	DIRECTORY_UNIX,
	DIRECTORY_MACOS,
};

/* The platform of this build. */
extern const enum directory_platform directory_platform;

/* What the rules below look at.  A text may be NULL or empty: unset. */
struct directory_facts {
	enum directory_platform platform;
	bool root;
	/* $STATE_DIRECTORY; of several, parted by ':', the first */
	const char *state_directory;
	const char *runtime_directory; /* $RUNTIME_DIRECTORY, likewise */
	const char *xdg_state_home;
	const char *home;
};

/*
 * The data directory: $STATE_DIRECTORY; as root /var/lib/cowgate (macOS: /Library/Application
 * Support/cowgate); $XDG_STATE_HOME/cowgate; ~/.local/state/cowgate (macOS: ~/Library/Application
 * Support/cowgate).  Relative directories are passed over.  NOT_FOUND when nothing is set, LIMIT
 * when it does not fit.
 */
enum cg_status directory_data(
	const struct directory_facts *facts, char *ret, size_t size);

/* The operator's socket: in $RUNTIME_DIRECTORY, else in @data_dir. */
enum cg_status directory_socket(const struct directory_facts *facts, const char *data_dir,
	char *ret, size_t size);

/* @path made absolute against @base.  LIMIT when it does not fit. */
enum cg_status directory_join(const char *base, const char *path, char *ret, size_t size);

#endif
