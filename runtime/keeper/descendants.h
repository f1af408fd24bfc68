/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes below this one, however they tried to get away.
 *
 * On Linux a descendant whose parent has died becomes a child of the keeper, so nothing that
 * daemonises itself is lost.  Elsewhere only the process group can be reached.
 */
#ifndef COWGATE_RUNTIME_KEEPER_DESCENDANTS_H
#define COWGATE_RUNTIME_KEEPER_DESCENDANTS_H

#include <sys/types.h>

/* Become the parent of every descendant that loses its own. */
void descendants_adopt(void);

/* To be called by a child that has its final user: it dies with its parent. */
void descendants_die_with(pid_t parent);

/* SIGKILL to the process group @group and to every child there is.  What they leave behind
 * becomes a child in turn: reap and call again until there is none. */
void descendants_kill(pid_t group);

#endif
