/* SPDX-License-Identifier: Apache-2.0 */
/* Every name that may appear in the environment or in a file, and the nearest to one that may not. */
#ifndef COWGATE_CONFIG_KNOWN_H
#define COWGATE_CONFIG_KNOWN_H

#include "config/source.h"

/* Warn of every OPEN_COWORK_GATEWAY_ variable and every member of a layer that nothing reads. */
void known_check(const struct source *source);

/* The option of a provider whose name is nearest to @name; NULL: none is near. */
const char *known_nearest_option(const struct cg_provider *provider, const char *name);

/* Changes (insert, drop, replace, swap neighbours) that make @a into @b, ignoring case. */
size_t known_distance(const char *a, const char *b);

#endif
