/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds modules, opens them and checks their descriptor as data before any of their functions
 * is called.  A module that cannot be used is reported and left out; the others go on.
 *
 * An unknown file is first tried in a process of its own (`cowgate plugin-check FILE`), so that
 * one that crashes costs a message and not the daemon.  What has passed is remembered by path,
 * size, time and hash; the providers that come with Cowgate are not tried.
 */
#ifndef COWGATE_GATEWAY_LOADER_H
#define COWGATE_GATEWAY_LOADER_H

#include <cowgate/plugin.h>
#include <cowgate/status.h>
#include <stddef.h>

#define LOADER_MODULES 64 /* in one directory */
#define LOADER_TRIAL_MS 10000

struct loader;

struct loader_options {
	const char *directory; /* where modules lie */
	bool bundled; /* the directory is the one that Cowgate was built with */
	/* file that remembers what has passed; NULL: try every time */
	const char *memory;
	/* `cowgate` itself, for trials; NULL: no trial (inside a trial) */
	const char *program;
	/* Modules (names without ".so") that wait for loader_load(); NULL: none does. */
	bool (*waits)(const char *module);
	/* A module was left out: which file, why and what to do.  On the calling thread. */
	void (*refused)(void *arg, const char *path, const char *reason);
	void *arg;
};

/* Blocks while modules are tried.  NOT_FOUND when the directory cannot be read. */
enum cg_status loader_create(
	const struct loader_options *options, struct loader **ret, struct cg_error *err);
/* Unloads the modules, except in sanitizer builds, where their symbols are needed to the end. */
void loader_destroy(struct loader *loader);

/*
 * Load the module of that name if it waits, or all that wait when @module is NULL.  What is wrong
 * with one is told as by loader_create(), and it is not tried again.  Blocks likewise.
 */
void loader_load(struct loader *loader, const char *module);

/*
 * Every provider of the modules loaded so far: the array until the next loader_load(), what it
 * points to until the loader is destroyed.
 */
const struct cg_provider *const *loader_providers(
	const struct loader *loader, size_t *ret_count);
const struct cg_provider *loader_find(const struct loader *loader, const char *kind);
/* File that a provider came from. */
const char *loader_path(const struct loader *loader, const struct cg_provider *provider);

/*
 * Open one file and check it as a daemon would.  On CG_OK the caller owns *@ret_handle
 * (loader_close).  The sentence in @err names what is wrong: missing symbol, too old, too new,
 * not a Cowgate plugin.
 */
enum cg_status loader_open(const char *path, void **ret_handle,
	const struct cg_plugin **ret, struct cg_error *err);
void loader_close(void *handle);

#endif
