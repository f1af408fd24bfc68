/* SPDX-License-Identifier: Apache-2.0 */
/* Programs, as whoever starts one finds them. */
#ifndef COWGATE_SDK_PROGRAM_H
#define COWGATE_SDK_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#define CG_PROGRAM_PATH 4096 /* bytes of a program's path, NUL included */

/*
 * Is there a file @name that we may execute: itself where it has a slash, else the first of that
 * name in the directories of PATH?  An empty directory there is the current one, as for a shell.
 * @ret (@size bytes; NULL: nobody asks) becomes its path, and "" when it is not there or does not
 * fit.
 */
bool cg_program_find(const char *name, char *ret, size_t size);

#endif
