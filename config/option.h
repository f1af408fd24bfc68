/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of options.def and of providers in one form. */
#ifndef COWGATE_CONFIG_OPTION_H
#define COWGATE_CONFIG_OPTION_H

#include "config/config.h"

enum option_kind {
	OPTION_STRING,
	OPTION_URL,
	OPTION_PATH,
	OPTION_SECRET,
	OPTION_INTEGER,
	OPTION_PORT,
	OPTION_BOOLEAN,
	OPTION_LIST,
	OPTION_CIDRS,
	OPTION_ARGV,
	OPTION_CHOICE,
};

enum option_flag {
	OPTION_LIVE = 0,
	OPTION_RESTART = 1u << 0,
	OPTION_LENIENT = 1u << 1,
	OPTION_MULTILINE = 1u << 2,
	OPTION_BASE = 1u << 3,
	OPTION_REQUIRED = 1u << 4,
};

/* What a value may be. */
struct option_rule {
	enum option_kind kind;
	unsigned flags; /* enum option_flag */
	const char *fallback; /* NULL: none */
	int64_t min, max;
	const char *choices; /* comma separated, of a CHOICE */
};

/* A core setting. */
struct option_row {
	struct option_rule rule;
	const char *name; /* of its field */
	const char *path; /* NULL: environment only */
	const char *variable;
	const char *help;
};

enum config_option {
#define CONFIG_OPTION(NAME, ...) CONFIG_##NAME,
#define CONFIG_CHOICE(NAME, ...) CONFIG_##NAME,
#include "config/options.def"
	CONFIG_OPTIONS,
};

extern const struct option_row option_rows[CONFIG_OPTIONS];

/* "integer", "list of addresses" …, for people. */
const char *option_kind_text(enum option_kind kind);

/* A variable that is read but has no row, and its help. */
struct option_variable {
	const char *name;
	const char *help;
};
extern const struct option_variable option_variables[];
extern const size_t option_variable_count;

/* Option @index of a provider; rows may be longer than ours when its module is newer. */
const struct cg_option *option_of_provider(
	const struct cg_provider *provider, size_t index);

/* The option of that name, with its index; NULL: none. */
const struct cg_option *option_find(
	const struct cg_provider *provider, const char *name, size_t *ret_index);

struct option_rule option_rule_of(const struct cg_option *option);

/* "credentials" or "settings": where a provider's option stands in JSON. */
const char *option_group(const struct cg_option *option);

/* What is known of a kind that need not be loaded. */
struct option_kind_facts {
	const char *kind;
	const char *module; /* file that provides it, without ".so" */
	const char *activator; /* after the prefix; NULL: <KIND>_ENABLED */
	bool is_switch; /* the activator is a boolean */
	const char *workspace; /* after the prefix; NULL: none beyond the general one */
	const char *binding; /* NULL: the kind */
};
extern const struct option_kind_facts option_kinds[];
extern const size_t option_kind_count;

/* Its listed facts, or NULL. */
const struct option_kind_facts *option_kind_find(const char *kind);

/* The descriptor of a kind, whose module is loaded for that if need be; NULL: there is none. */
const struct cg_provider *option_kind_load(
	const struct config_input *input, const char *kind);
/* Load the modules of all kinds: for what is said about a name that nobody knows. */
void option_kind_load_all(const struct config_input *input);

/* OPEN_COWORK_GATEWAY_<KIND><suffix>, in @ret. */
#define OPTION_VARIABLE 160
void option_kind_variable(
	const char *kind, const char *suffix, char ret[OPTION_VARIABLE]);

#endif
