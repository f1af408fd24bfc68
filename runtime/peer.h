/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end of a Unix socket.  The only file that knows how systems differ. */
#ifndef COWGATE_RUNTIME_PEER_H
#define COWGATE_RUNTIME_PEER_H

#include <stdint.h>

/* Effective user id of the process that connected @fd, as the kernel vouches for it; -1 when
 * @fd is no Unix socket or the system cannot tell. */
int64_t peer_uid(int fd);

#endif
