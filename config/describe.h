/* SPDX-License-Identifier: Apache-2.0 */
/* The settings told to people: as a redacted dump, as a reference manual, as help for one name. */
#ifndef COWGATE_CONFIG_DESCRIBE_H
#define COWGATE_CONFIG_DESCRIBE_H

#include "config/config.h"

struct json_object;

/*
 * {"settings":[{name, variable, path, value, source}], "branding":{}, "providers":[…]}.  The source
 * is "default", a variable, or a file and the path in it.  A secret is "[redacted]" or null, by its
 * type; credentials in a URL are cut out.  The caller owns the result.
 */
struct json_object *config_describe_json(const struct config *config);

/* docs/settings.md: every core setting, then those of @kinds. */
enum cg_status config_describe_markdown(const struct cg_provider *const *kinds,
	size_t kind_count, struct cg_buffer *buffer);

/* cowgate.conf(5): the same as a manual page.  @edition: day and version, each in quotes, as they
 * stand in its heading. */
enum cg_status config_describe_roff(const char *edition,
	const struct cg_provider *const *kinds, size_t kind_count,
	struct cg_buffer *buffer);

/*
 * Text for a terminal about one setting, by its path, its field, its variable (with or without the
 * prefix), or "<kind>.<option>".  NOT_FOUND leaves @buffer as it was.
 */
enum cg_status config_describe_setting(const char *name,
	const struct cg_provider *const *kinds, size_t kind_count,
	struct cg_buffer *buffer);

#endif
