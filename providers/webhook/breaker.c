/* SPDX-License-Identifier: Apache-2.0 */
#include "breaker.h"

int64_t breaker_ask(struct breaker *breaker, int64_t now_ms)
{
	if (breaker->span_ms == 0)
		return 0;
	if (now_ms < breaker->until_ms)
		return breaker->until_ms - now_ms;
	if (breaker->probing)
		return BREAKER_PROBE_MS;
	breaker->probing = true;
	return 0;
}

bool breaker_tell(struct breaker *breaker, bool answered, int64_t now_ms)
{
	bool was_open = breaker_is_open(breaker);

	if (answered) {
		*breaker = (struct breaker){.span_ms = 0};
		return was_open;
	}
	if (breaker->failures < BREAKER_FAILURES)
		breaker->failures++;
	/* What was on its way when it opened says nothing new. */
	if (breaker->failures < BREAKER_FAILURES || (was_open && !breaker->probing))
		return false;
	breaker->probing = false;
	breaker->span_ms = was_open ? 2 * breaker->span_ms : BREAKER_FIRST_MS;
	if (breaker->span_ms > BREAKER_LAST_MS)
		breaker->span_ms = BREAKER_LAST_MS;
	breaker->until_ms = now_ms + breaker->span_ms;
	return !was_open;
}

void breaker_forget(struct breaker *breaker)
{
	breaker->probing = false;
}

bool breaker_is_open(const struct breaker *breaker)
{
	return breaker->span_ms > 0;
}
