/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/module.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The descriptor in @path if it has @kind; NULL: not that one, or no module. */
static const struct cg_plugin *open_module(const char *path, const char *kind)
{
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct cg_plugin *plugin = NULL;

	if (module == NULL)
		fprintf(stderr, "%s\n", dlerror());
	else
		plugin = dlsym(module, "cg_plugin");
	for (uint32_t i = 0; plugin != NULL && i < plugin->provider_count; i++) {
		if (strcmp(plugin->providers[i]->kind, kind) == 0)
			return plugin;
	}
	return NULL;
}

const struct cg_plugin *module_plugin(const char *kind)
{
	const char *name = getenv("COWGATE_RIG_MODULES");
	const struct cg_plugin *plugin = NULL;
	struct dirent *entry;
	DIR *directory;
	char path[1024];

	if (name == NULL)
		name = RIG_MODULES;
	directory = opendir(name);
	if (directory == NULL)
		abort();
	while (plugin == NULL && (entry = readdir(directory)) != NULL) {
		const char *end = strrchr(entry->d_name, '.');

		if (end == NULL || strcmp(end, ".so") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", name, entry->d_name);
		plugin = open_module(path, kind);
	}
	closedir(directory);
	if (plugin == NULL) {
		fprintf(stderr, "no module in %s has the kind %s\n", name, kind);
		abort();
	}
	return plugin;
}

const struct cg_provider *module_provider(const char *kind)
{
	const struct cg_plugin *plugin = module_plugin(kind);
	uint32_t i = 0;

	while (strcmp(plugin->providers[i]->kind, kind) != 0)
		i++;
	return plugin->providers[i];
}

struct rig *module_rig(const char *kind, const struct settings_pair *pairs)
{
	return rig_new(module_provider(kind), pairs);
}
