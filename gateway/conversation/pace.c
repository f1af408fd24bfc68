/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/pace.h"

static void next_window(struct pace *pace, int64_t now_ms, uint64_t stored)
{
	uint64_t elapsed_ms = (uint64_t)(now_ms - pace->since_ms);

	/* A window is as long as nobody asked: its rate counts. */
	pace->crowded =
		(stored - pace->stored) * PACE_WINDOW_MS > PACE_CROWD * elapsed_ms;
	pace->since_ms = now_ms;
	pace->stored = stored;
	pace->begun = 0;
}

bool pace_allows(struct pace *pace, int64_t now_ms, uint64_t stored)
{
	if (now_ms - pace->since_ms >= PACE_WINDOW_MS)
		next_window(pace, now_ms, stored);
	/* A crowd need not wait for the end of the window in which it comes. */
	if (stored - pace->stored > PACE_CROWD)
		pace->crowded = true;
	return !pace->crowded || pace->begun < PACE_SHARE;
}

void pace_count(struct pace *pace)
{
	pace->begun++;
}

int64_t pace_wait_ms(const struct pace *pace, int64_t now_ms)
{
	int64_t left_ms = pace->since_ms + PACE_WINDOW_MS - now_ms;

	return left_ms > 0 ? left_ms : 0;
}
