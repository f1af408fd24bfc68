/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into the daemon by tests: its databases lie on the disk of tests/faults, and the
 * power can be cut.  What was not synced is then lost or torn, and the process is gone.
 *
 *   COWGATE_POWER_CUT_AT=N     at the N-th sync from the start, 0 or unset: not by itself
 *   COWGATE_POWER_TEAR=1       of what was not synced a random half of the sectors arrives
 *   COWGATE_POWER_SEED=N       which half
 *
 * SIGUSR2 cuts it at once.  The variables are taken out of the environment, so that children
 * live undisturbed.
 */
#include "tests/faults/fault_vfs.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static enum fault_loss loss;
static uint64_t seed;

static uint64_t take_number(const char *name)
{
	const char *text = getenv(name);
	uint64_t number = text == NULL ? 0 : strtoull(text, NULL, 10);

	unsetenv(name);
	return number;
}

/* A thread of its own, because a signal handler may not take locks. */
static void *await_signal(void *arg)
{
	sigset_t *wanted = arg;
	int number;

	if (sigwait(wanted, &number) == 0)
		fault_vfs_cut_power(0, loss, seed);
	return NULL;
}

__attribute__((constructor)) static void shim_start(void)
{
	static sigset_t wanted;
	uint64_t at = take_number("COWGATE_POWER_CUT_AT");
	pthread_t thread;

	loss = take_number("COWGATE_POWER_TEAR") != 0 ? FAULT_TEAR : FAULT_LOSE;
	seed = take_number("COWGATE_POWER_SEED");
	unsetenv("LD_PRELOAD");
	fault_vfs_install();
	if (sqlite3_vfs_register(sqlite3_vfs_find(FAULT_VFS), 1) != SQLITE_OK)
		abort();
	if (at > 0)
		fault_vfs_cut_power((unsigned)at, loss, seed);
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &wanted, NULL);
	if (pthread_create(&thread, NULL, await_signal, &wanted) != 0)
		abort();
	pthread_detach(thread);
}
