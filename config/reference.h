/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that are named rather than written out: env:NAME, file:/path, cred:NAME. */
#ifndef COWGATE_CONFIG_REFERENCE_H
#define COWGATE_CONFIG_REFERENCE_H

#include "config/environment.h"

#include <cowgate/sdk/secret.h>
#include <cowgate/status.h>

/*
 * Set @ret to what @text names, or to @text itself when it is no reference.
 *
 * A file must be regular, owned by this user or root, and closed to group and others; one under
 * /run/credentials, and every cred:, may be open to its group, as systemd leaves them.  One line
 * break at its end goes.  env: names a variable, whose value is taken as it is.
 */
enum cg_status reference_resolve(const char *text, const struct environment *environment,
	struct cg_secret *ret, struct cg_error *err);

/* change-me…, replace-with…, example-…, demo-…, in any case, blanks in front passed over. */
bool reference_is_placeholder(const struct cg_secret *secret);

#endif
