/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/rig.h"

#include "tests/unit/unit.h"

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

const struct cg_plugin *rig_plugin(const char *kind)
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

const struct cg_provider *rig_provider(const char *kind)
{
	const struct cg_plugin *plugin = rig_plugin(kind);
	uint32_t i = 0;

	while (strcmp(plugin->providers[i]->kind, kind) != 0)
		i++;
	return plugin->providers[i];
}

struct rig *rig_new(const char *kind, const struct settings_pair *pairs)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	if (rig == NULL)
		abort();
	rig->provider = rig_provider(kind);
	rig->host = host_fake_create(
		kind, rig->provider->options, rig->provider->option_count, pairs);
	return rig;
}

enum cg_status rig_create(struct rig *rig, struct cg_error *err)
{
	struct cg_error own = {.text = ""};
	enum cg_status status;

	if (err == NULL)
		err = &own;
	status = rig->provider->ops->create(
		&rig->host->host, &rig->host->settings.settings, &rig->self, err);
	CU_ASSERT_FALSE(settings_fake_leaks(&rig->host->settings, err->text));
	return status;
}

void rig_up(struct rig *rig)
{
	if (rig_create(rig, NULL) != CG_OK ||
		rig->provider->ops->start(rig->self, NULL) != CG_OK)
		abort();
}

void rig_destroy(struct rig *rig)
{
	if (rig->self != NULL) {
		rig->provider->ops->stop(rig->self);
		/* What it started is taken back before it goes. */
		host_fake_take_back(rig->host);
		rig->provider->ops->destroy(rig->self);
	}
	host_fake_destroy(rig->host);
	free(rig);
}

void rig_send(
	struct rig *rig, const struct cg_outbound *outbound, struct host_fake_sent *sent)
{
	*sent = (struct host_fake_sent){.host = rig->host};
	rig->host->sending = true;
	rig->provider->ops->send(rig->self, outbound, host_fake_sent_done, sent);
	rig->host->sending = false;
	CU_ASSERT_EQUAL(sent->count, 0);
}

void rig_cancel(struct rig *rig, struct host_fake_sent *sent)
{
	rig->provider->ops->cancel(rig->self, sent);
}
