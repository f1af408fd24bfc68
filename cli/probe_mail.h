/* SPDX-License-Identifier: Apache-2.0 */
/* Do the mail servers of a channel take its logins?  Blocks, each of the two for seconds. */
#ifndef COWGATE_CLI_PROBE_MAIL_H
#define COWGATE_CLI_PROBE_MAIL_H

#include "cli/finding.h"

#include <cowgate/settings.h>

/*
 * Log in where the settings of an email channel send mail and, where they name one, to its
 * mailbox; what is found is added as @what.  No mail is sent and none is read.
 */
void probe_mail(
	const struct cg_settings *settings, const char *what, struct findings *findings);

#endif
