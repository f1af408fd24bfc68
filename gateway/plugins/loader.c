/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/plugins/loader.h"

#include "gateway/plugins/trial.h"

#include <cowgate/sdk/error.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct module {
	char *path; /* owned */
	void *handle; /* owned */
	const struct cg_plugin *plugin;
};

struct loader {
	struct loader_options options;
	char *directory; /* owned */
	char *waiting[LOADER_MODULES]; /* names of files; owned */
	size_t waiting_count;
	struct module modules[LOADER_MODULES];
	size_t module_count;
	const struct cg_provider **providers; /* owned array */
	size_t provider_count;
};

static bool kind_is_valid(const char *kind)
{
	size_t length = kind == NULL ? 0 : strnlen(kind, 33);

	if (length == 0 || length > 32 || kind[0] < 'a' || kind[0] > 'z')
		return false;
	for (size_t i = 1; i < length; i++) {
		bool ok = (kind[i] >= 'a' && kind[i] <= 'z') ||
			  (kind[i] >= '0' && kind[i] <= '9');

		if (!ok)
			return false;
	}
	return true;
}

static enum cg_status check_provider(
	const struct cg_provider *provider, struct cg_error *err)
{
	const struct cg_provider_ops *ops;

	if (provider == NULL || provider->size < sizeof(struct cg_provider) ||
		provider->title == NULL || provider->version == NULL)
		return cg_error_set(
			err, CG_INVALID, "its provider descriptor is incomplete");
	if (!kind_is_valid(provider->kind))
		return cg_error_set(
			err, CG_INVALID, "its provider kind is not [a-z][a-z0-9]*");
	ops = provider->ops;
	if (ops == NULL || ops->size < sizeof(struct cg_provider_ops))
		return cg_error_set(err, CG_INVALID,
			"provider %s has an incomplete function table", provider->kind);
	if (ops->create == NULL || ops->destroy == NULL || ops->start == NULL ||
		ops->stop == NULL || ops->capabilities == NULL || ops->measure == NULL ||
		ops->send == NULL || ops->cancel == NULL)
		return cg_error_set(err, CG_INVALID,
			"provider %s lacks a required function", provider->kind);
	if (provider->option_count > 0 && provider->options == NULL)
		return cg_error_set(err, CG_INVALID, "provider %s declares no options",
			provider->kind);
	for (uint32_t i = 0; i < provider->option_count; i++) {
		const struct cg_option *option = &provider->options[i];

		if (option->size != sizeof(struct cg_option) || option->name == NULL)
			return cg_error_set(err, CG_INVALID,
				"provider %s: option %u is malformed", provider->kind,
				(unsigned)i);
	}
	return CG_OK;
}

static enum cg_status check_plugin(const struct cg_plugin *plugin, struct cg_error *err)
{
	if (plugin->magic != CG_PLUGIN_MAGIC)
		return cg_error_set(
			err, CG_INVALID, "it is not a Cowgate plugin (wrong magic)");
	if (plugin->abi_min > CG_PLUGIN_ABI)
		return cg_error_set(err, CG_UNSUPPORTED,
			"it is too new: it needs plugin ABI %u and this Cowgate has %u; "
			"upgrade Cowgate",
			(unsigned)plugin->abi_min, CG_PLUGIN_ABI);
	if (plugin->abi < 1)
		return cg_error_set(err, CG_UNSUPPORTED,
			"it is too old: it was built for plugin ABI %u and this Cowgate "
			"has %u; "
			"rebuild it",
			(unsigned)plugin->abi, CG_PLUGIN_ABI);
	if (plugin->size < sizeof(struct cg_plugin) || plugin->name == NULL ||
		plugin->version == NULL)
		return cg_error_set(
			err, CG_INVALID, "its plugin descriptor is incomplete");
	if (plugin->provider_count == 0 || plugin->provider_count > 32 ||
		plugin->providers == NULL)
		return cg_error_set(err, CG_INVALID, "it exports no provider");
	for (uint32_t i = 0; i < plugin->provider_count; i++) {
		enum cg_status status = check_provider(plugin->providers[i], err);

		if (status != CG_OK)
			return status;
		for (uint32_t k = 0; k < i; k++) {
			if (strcmp(plugin->providers[k]->kind,
				    plugin->providers[i]->kind) == 0)
				return cg_error_set(err, CG_INVALID,
					"it provides kind %s twice",
					plugin->providers[i]->kind);
		}
	}
	return CG_OK;
}

enum cg_status loader_open(const char *path, void **ret_handle,
	const struct cg_plugin **ret, struct cg_error *err)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct cg_plugin *plugin;
	enum cg_status status;

	if (handle == NULL)
		return cg_error_set(
			err, CG_INVALID, "it cannot be loaded: %s", dlerror());
	plugin = dlsym(handle, "cg_plugin");
	if (plugin == NULL) {
		status = cg_error_set(err, CG_INVALID,
			"it is not a Cowgate plugin (no symbol cg_plugin)");
		goto fail;
	}
	status = check_plugin(plugin, err);
	if (status != CG_OK)
		goto fail;
	*ret_handle = handle;
	*ret = plugin;
	return CG_OK;

fail:
	loader_close(handle);
	return status;
}

void loader_close(void *handle)
{
#ifndef COWGATE_SANITIZED
	if (handle != NULL)
		dlclose(handle);
#else
	(void)handle;
#endif
}

static enum cg_status add_module(struct loader *loader, char *path, void *handle,
	const struct cg_plugin *plugin, struct cg_error *err)
{
	size_t count = loader->provider_count + plugin->provider_count;
	const struct cg_provider **providers;

	if (loader->module_count == LOADER_MODULES)
		return cg_error_set(
			err, CG_LIMIT, "there are more than %d modules", LOADER_MODULES);
	for (uint32_t i = 0; i < plugin->provider_count; i++) {
		if (loader_find(loader, plugin->providers[i]->kind) != NULL)
			return cg_error_set(err, CG_EXISTS,
				"another module provides kind %s already",
				plugin->providers[i]->kind);
	}
	providers = realloc(loader->providers, count * sizeof(struct cg_provider *));
	if (providers == NULL)
		return cg_error_nomem(err);
	loader->providers = providers;
	for (uint32_t i = 0; i < plugin->provider_count; i++)
		providers[loader->provider_count++] = plugin->providers[i];
	loader->modules[loader->module_count++] =
		(struct module){.path = path, .handle = handle, .plugin = plugin};
	return CG_OK;
}

/* Takes @path over when the module is used. */
static enum cg_status load_module(struct loader *loader, struct trial_memory *memory,
	const struct loader_options *options, char *path, struct cg_error *err)
{
	const struct cg_plugin *plugin;
	enum cg_status status = CG_OK;
	void *handle;

	if (options->program != NULL && !options->bundled)
		status = trial_pass(memory, options->program, path, LOADER_TRIAL_MS, err);
	if (status != CG_OK)
		return status;
	status = loader_open(path, &handle, &plugin, err);
	if (status != CG_OK)
		return status;
	status = add_module(loader, path, handle, plugin, err);
	if (status != CG_OK)
		loader_close(handle);
	return status;
}

static int is_module(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 3 && entry->d_name[0] != '.' &&
	       strcmp(entry->d_name + length - 3, ".so") == 0;
}

/* Whether the file @name is the module's. */
static bool is_file_of(const char *name, const char *module)
{
	const size_t length = strlen(module);

	return strncmp(name, module, length) == 0 && strcmp(name + length, ".so") == 0;
}

static void load_file(
	struct loader *loader, struct trial_memory *memory, const char *name)
{
	const struct loader_options *options = &loader->options;
	size_t size = strlen(options->directory) + strlen(name) + 2;
	struct cg_error err = {.text = ""};
	char *path = malloc(size);

	if (path == NULL) {
		options->refused(options->arg, name, cg_status_text(CG_NOMEM));
		return;
	}
	snprintf(path, size, "%s/%s", options->directory, name);
	if (load_module(loader, memory, options, path, &err) != CG_OK) {
		options->refused(options->arg, path, err.text);
		free(path);
	}
}

/* Whether the file @name is left for loader_load(). */
static bool has_to_wait(const struct loader_options *options, const char *name)
{
	char module[64];
	int length = (int)strlen(name) - 3;

	if (!options->bundled || options->waits == NULL || length >= (int)sizeof(module))
		return false;
	snprintf(module, sizeof(module), "%.*s", length, name);
	return options->waits(module);
}

/* Takes @entries and their array over. */
static void load_entries(struct loader *loader, struct trial_memory *memory,
	struct dirent **entries, int count)
{
	for (int i = 0; i < count; i++) {
		char *waits = NULL;

		if (loader->waiting_count < LOADER_MODULES &&
			has_to_wait(&loader->options, entries[i]->d_name))
			waits = strdup(entries[i]->d_name);
		if (waits != NULL)
			loader->waiting[loader->waiting_count++] = waits;
		else
			load_file(loader, memory, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

enum cg_status loader_create(
	const struct loader_options *options, struct loader **ret, struct cg_error *err)
{
	struct loader *loader = calloc(1, sizeof(*loader));
	struct trial_memory *memory = NULL;
	struct dirent **entries = NULL;
	enum cg_status status;
	int count;

	if (loader == NULL)
		return cg_error_nomem(err);
	loader->options = *options;
	loader->options.directory = loader->directory = strdup(options->directory);
	status = loader->directory == NULL
			 ? cg_error_nomem(err)
			 : trial_memory_open(options->memory, &memory, err);
	if (status != CG_OK)
		goto fail;
	count = scandir(options->directory, &entries, is_module, alphasort);
	if (count < 0) {
		status = cg_error_set(err, CG_NOT_FOUND,
			"plugin directory %s: %s; set OPEN_COWORK_GATEWAY_PLUGIN_DIR",
			options->directory, strerror(errno));
		goto fail;
	}
	load_entries(loader, memory, entries, count);
	trial_memory_close(memory);
	/* What waits is not tried: nothing of these is needed any more. */
	loader->options.memory = loader->options.program = NULL;
	*ret = loader;
	return CG_OK;

fail:
	trial_memory_close(memory);
	loader_destroy(loader);
	return status;
}

void loader_load(struct loader *loader, const char *module)
{
	size_t kept = 0;

	for (size_t i = 0; i < loader->waiting_count; i++) {
		char *name = loader->waiting[i];

		if (module != NULL && !is_file_of(name, module)) {
			loader->waiting[kept++] = name;
			continue;
		}
		load_file(loader, NULL, name);
		free(name);
	}
	loader->waiting_count = kept;
}

void loader_destroy(struct loader *loader)
{
	if (loader == NULL)
		return;
	for (size_t i = 0; i < loader->module_count; i++) {
		loader_close(loader->modules[i].handle);
		free(loader->modules[i].path);
	}
	for (size_t i = 0; i < loader->waiting_count; i++)
		free(loader->waiting[i]);
	free(loader->providers);
	free(loader->directory);
	free(loader);
}

const struct cg_provider *const *loader_providers(
	const struct loader *loader, size_t *ret_count)
{
	*ret_count = loader->provider_count;
	return loader->providers;
}

const struct cg_provider *loader_find(const struct loader *loader, const char *kind)
{
	for (size_t i = 0; i < loader->provider_count; i++) {
		if (strcmp(loader->providers[i]->kind, kind) == 0)
			return loader->providers[i];
	}
	return NULL;
}

const char *loader_path(const struct loader *loader, const struct cg_provider *provider)
{
	for (size_t i = 0; i < loader->module_count; i++) {
		const struct module *module = &loader->modules[i];

		for (uint32_t k = 0; k < module->plugin->provider_count; k++) {
			if (module->plugin->providers[k] == provider)
				return module->path;
		}
	}
	return NULL;
}
