/* SPDX-License-Identifier: Apache-2.0 */
/* Where this program lies, and so where its modules are. */
#ifndef COWGATE_CLI_PROGRAM_H
#define COWGATE_CLI_PROGRAM_H

#include <stdbool.h>

/* First thing in main(). */
void program_remember(const char *argv0);

/* Absolute path of this executable, or NULL when it cannot be found. */
const char *program_path(void);

/* The build tree's plugins beside the program, else where they are installed. */
const char *program_plugin_dir(void);

/* The program that children run below, beside this one or where it is installed. */
const char *program_keeper(void);

#endif
