/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where systems differ.  Only this file's other half includes a header, or calls a function, that
 * one system has and another has not; `tests/checks/portable.py` compiles the rest without them.
 */
#ifndef COWGATE_RUNTIME_PLATFORM_H
#define COWGATE_RUNTIME_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Effective user id of the process that connected @fd, as the kernel vouches for it; -1 when
 * @fd is no Unix socket or the system cannot tell. */
int64_t platform_peer_uid(int fd);

/* Milliseconds since some moment before this process, the time that the machine slept included,
 * whatever is done to the wall clock. */
int64_t platform_elapsed_ms(void);

/* When the file was last written to, nanoseconds since 1970, as fine as its file system has it. */
int64_t platform_modified_ns(const struct stat *file);

/* send() to a stream whose other end may be gone: EPIPE, and no SIGPIPE where that can be had
 * for one call; elsewhere the process must ignore it, as the daemon and the keeper do. */
ssize_t platform_send(int fd, const void *bytes, size_t length);

/*
 * The processes below this one, however they tried to get away.  On Linux a descendant whose
 * parent has died becomes a child of the one that adopts, so nothing that daemonises itself is
 * lost.  Elsewhere only the process group can be reached.
 */

/* Become the parent of every descendant that loses its own. */
void platform_adopt_orphans(void);

/* To be called by a child that has its final user: it dies with its parent. */
void platform_die_with(pid_t parent);

/* Can a program that we start take on another user?  It takes root, or a service manager that has
 * given us the right in a way that programs inherit. */
bool platform_may_switch_user(void);

/* To be called by a child that has its final user: that right survives a switch from one ordinary
 * user to another, and the child's program would have it too. */
void platform_inherit_no_rights(void);

/* SIGKILL to the process group @group and to every child there is.  What they leave behind
 * becomes a child in turn: reap and call again until there is none. */
void platform_kill_descendants(pid_t group);

#endif
