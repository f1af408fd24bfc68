/* SPDX-License-Identifier: Apache-2.0 */
/* The service manager of this host, as `init` and `doctor` meet it. */
#ifndef COWGATE_CLI_INIT_SERVICE_H
#define COWGATE_CLI_INIT_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

/* Is there a service manager that knows Cowgate's unit? */
bool init_service_known(void);

/* Enable and start the unit: the system's as root, else the person's.  An exit code. */
int init_service_start(void);

/* What `systemctl is-active cowgate` says; false: it could not be asked. */
bool init_service_state(char *ret, size_t size);

/* Does the person's service go on after they have logged out? */
bool init_service_lingers(void);

#endif
