/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where settings come from: the environment with its file, and layers of JSON beneath it.
 *
 * Layers are never merged into one tree: a value is looked up from the highest layer down, which
 * gives the same answer and tells where it came from.
 */
#ifndef COWGATE_CONFIG_SOURCE_H
#define COWGATE_CONFIG_SOURCE_H

#include "config/config.h"
#include "config/environment.h"

struct json_object;

/* Two in the working directory, four in each of two directories, two swapped, one named, one inline. */
#define SOURCE_LAYERS 14

struct source_layer {
	const char *label; /* file, or variable with inline JSON */
	const char *prefix; /* of paths in it: "" or "gateway." */
	struct json_object *root; /* owned: the gateway's own object */
};

/* A value as it was found.  Exactly one of text and json is set. */
struct source_value {
	const char *where; /* variable, or file and path; in the kept arena */
	const char *text;
	struct json_object *json; /* never null */
};

struct source {
	const struct config_input *input;
	struct config_report *report;
	struct arena *kept; /* outlives the load: texts that end in the configuration */
	struct arena *scratch; /* for the load only */
	struct environment environment;
	struct source_layer layers[SOURCE_LAYERS]; /* lowest first */
	size_t layer_count;
};

/* Read all sources; problems go to the report. @source holds input, report and the arenas. */
void source_load(struct source *source);
void source_finish(struct source *source);

/* A variable by its whole name.  False: unset. */
bool source_variable(
	const struct source *source, const char *variable, struct source_value *ret);

/* A member by its dotted path, from the highest layer that says anything about it. */
bool source_member(
	const struct source *source, const char *path, struct source_value *ret);

/* First the variable, then the path; either may be NULL. */
bool source_find(const struct source *source, const char *variable, const char *path,
	struct source_value *ret);

#endif
