/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/progress.h"

int64_t progress_stall_ms(
	struct progress *progress, bool busy, uint64_t count, int64_t now_ms)
{
	if (busy && progress->busy && count == progress->count)
		return now_ms - progress->since_ms;
	*progress = (struct progress){.busy = busy, .count = count, .since_ms = now_ms};
	return 0;
}
