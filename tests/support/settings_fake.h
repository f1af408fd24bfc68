/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of one provider: what a test says, on top of what its options fall back to.  To read one
 * that was not declared fails the test.
 */
#ifndef COWGATE_TESTS_SETTINGS_FAKE_H
#define COWGATE_TESTS_SETTINGS_FAKE_H

#include <cowgate/settings.h>

struct settings_pair {
	const char *name, *value; /* lists are separated by commas */
};

struct settings_fake {
	struct cg_settings settings;
	const struct cg_option *options; /* all three are borrowed */
	size_t option_count;
	const struct settings_pair *pairs; /* ends with a NULL name */
};

void settings_fake_init(struct settings_fake *fake, const char *kind,
	const struct cg_option *options, size_t option_count,
	const struct settings_pair *pairs);

/* Is any of the secrets in the pairs within @text?  NULL has none. */
bool settings_fake_leaks(const struct settings_fake *fake, const char *text);

#endif
