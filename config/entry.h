/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Provider entries as the sources give them: from settings files, from one JSON variable, or from
 * the variables of single kinds; and which of the first belong to which of the others.
 */
#ifndef COWGATE_CONFIG_ENTRY_H
#define COWGATE_CONFIG_ENTRY_H

#include "config/option.h"
#include "config/source.h"

/* One object of a `providers` array. */
struct entry_side {
	struct json_object *object; /* owned; NULL: there is none */
	const char *where; /* "file: providers[0]" */
};

/*
 * One provider.  A value is looked for in the kind's variables (with @block), then in @variable,
 * then in @file.
 */
struct entry {
	const char *kind;
	const char *id; /* as given, or made from kind and position; never NULL */
	const char *where; /* for the report: where the entry as a whole comes from */
	bool block;
	struct entry_side variable; /* from OPEN_COWORK_GATEWAY_PROVIDERS */
	struct entry_side file;
};

struct entries {
	struct entry items[CONFIG_PROVIDERS];
	size_t count;
};

/* Collect all entries of loaded kinds; problems, unknown kinds among them, go to the report. */
void entries_read(const struct source *source, struct entries *ret);
void entries_finish(struct entries *entries);

/* A text member that belongs to every kind ("channelBindingId"); false: absent or blank. */
bool entry_member(const struct source *source, const struct entry *entry,
	const char *name, struct source_value *ret);

/* channelBindingId, externalWorkspaceId, allowFrom: with their variables and defaults. */
bool entry_binding(
	const struct source *source, const struct entry *entry, struct source_value *ret);
bool entry_workspace(
	const struct source *source, const struct entry *entry, struct source_value *ret);
bool entry_allow_from(
	const struct source *source, const struct entry *entry, struct source_value *ret);

/* A value of the kind's own option. */
bool entry_option(const struct source *source, const struct entry *entry,
	const struct cg_option *option, struct source_value *ret);

#endif
