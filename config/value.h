/* SPDX-License-Identifier: Apache-2.0 */
/* One setting's value: read from what a source gave, by the rule of its row. */
#ifndef COWGATE_CONFIG_VALUE_H
#define COWGATE_CONFIG_VALUE_H

#include "config/option.h"
#include "config/source.h"

#define VALUE_DEFAULT "default"

/* Which member counts is told by the kind of the rule.  All but the secret is in an arena. */
struct value {
	const char *source; /* where it came from; VALUE_DEFAULT; NULL: unset */
	union {
		const char *text; /* STRING URL PATH CHOICE */
		struct config_list list; /* LIST ARGV */
		struct config_cidrs cidrs;
		struct cg_secret secret; /* owned */
	};
	int64_t number; /* INTEGER PORT BOOLEAN, and the index of a CHOICE */
};

/*
 * Read @found (NULL: nothing was) by @rule into *@ret, which holds nothing before.  What is wrong
 * goes to the report under its place, or under @missing when a required value is absent; a value
 * that cannot be used is its default.
 */
void value_read(const struct source *source, const struct option_rule *rule,
	const struct source_value *found, const char *missing, struct value *ret);

/* Read @text, a default that was worked out elsewhere, by @rule into *@ret. */
void value_set_default(const struct source *source, const struct option_rule *rule,
	const char *text, struct value *ret);

/* Wipe what @value owns, if its rule is a secret's. */
void value_finish(const struct option_rule *rule, struct value *value);

bool value_equal(enum option_kind kind, const struct value *a, const struct value *b);

/* true 1 yes, false 0 no, in any case, blanks around it allowed. */
bool value_parse_boolean(const char *text, bool *ret);

#endif
