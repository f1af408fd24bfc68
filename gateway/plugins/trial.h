/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trying a module in a process of its own, and remembering which files have passed.
 *
 * The memory is a text file, one line a module: hash, size, modification time, path.  A file
 * that cannot be read or parsed is treated as empty: the cost is one more trial.
 */
#ifndef COWGATE_GATEWAY_TRIAL_H
#define COWGATE_GATEWAY_TRIAL_H

#include <cowgate/status.h>
#include <stdint.h>

struct trial_memory;

/* @path NULL: nothing is remembered. */
enum cg_status trial_memory_open(
	const char *path, struct trial_memory **ret, struct cg_error *err);
/* Writes what was learnt (atomically, mode 0600); accepts NULL. */
void trial_memory_close(struct trial_memory *memory);

/*
 * CG_OK when @module passed before and has not changed, or passes now: `@program plugin-check
 * @module` ends with 0 within @timeout_ms.  Blocks.  The sentence in @err says how it failed.
 */
enum cg_status trial_pass(struct trial_memory *memory, const char *program,
	const char *module, int64_t timeout_ms, struct cg_error *err);

#endif
