/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A provider's settings: declared as rows of constant data, checked by the daemon before any
 * code of the module runs, then read by name.
 */
#ifndef COWGATE_SETTINGS_H
#define COWGATE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cg_option_kind {
	CG_OPTION_STRING,
	CG_OPTION_SECRET, /* never printed; accepts env:NAME, file:/path, cred:NAME */
	CG_OPTION_INTEGER, /* clamped to min..max */
	CG_OPTION_BOOLEAN,
	CG_OPTION_LIST, /* comma separated, or an array of strings */
	CG_OPTION_CHOICE,
	CG_OPTION_URL,
};

enum cg_option_flag {
	CG_OPTION_REQUIRED = 1u << 0,
	CG_OPTION_ACTIVATES =
		1u << 1, /* its environment variable switches the provider on */
	CG_OPTION_CREDENTIAL =
		1u << 2, /* lives under "credentials" in JSON, else "settings" */
	CG_OPTION_JSON_ONLY = 1u << 3, /* has no environment variable */
};

struct cg_option {
	uint32_t size;
	enum cg_option_kind kind;
	uint32_t flags;
	const char *name; /* JSON name, lower camel case: "deliveryUrl" */
	/* after the prefix: "WEBHOOK_DELIVERY_URL"; NULL with JSON_ONLY */
	const char *env;
	const char *fallback; /* default as text; NULL: none */
	int64_t min, max; /* INTEGER; lengths in bytes for the others; 0,0: unbounded */
	const char *choices; /* CHOICE: "polling,webhook" */
	const char *help; /* one sentence, ends without a full stop */
};

/*
 * Values of one provider instance, valid as long as the instance.  @name is an option's name.
 * A getter for a name that was not declared, or of another kind, is a bug and gives the zero value.
 */
struct cg_settings {
	uint32_t size;
	const char *instance_id;
	const char *kind;
	const char *(*string)(
		const struct cg_settings *settings, const char *name); /* or NULL */
	int64_t (*integer)(const struct cg_settings *settings, const char *name);
	bool (*boolean)(const struct cg_settings *settings, const char *name);
	size_t (*count)(const struct cg_settings *settings, const char *name); /* LIST */
	const char *(*item)(
		const struct cg_settings *settings, const char *name, size_t index);
	/* Bytes of a secret and their length, NULL if unset.  Copy into a struct cg_secret. */
	const char *(*secret)(
		const struct cg_settings *settings, const char *name, size_t *length);
};

#endif
