/* SPDX-License-Identifier: Apache-2.0 */
/* Where this program lies, and so where its modules are. */
#ifndef COWGATE_CLI_PROGRAM_H
#define COWGATE_CLI_PROGRAM_H

#include <stdbool.h>

/* First thing in main(). */
void program_remember(const char *argv0);

/* Absolute path of this executable, or NULL when it cannot be found. */
const char *program_path(void);

/* The build tree's plugins beside the program, those of the installed tree that it lies in, else
 * where they were to be installed. */
const char *program_plugin_dir(void);

/* The program that children run below, found likewise. */
const char *program_keeper(void);

#endif
