/* SPDX-License-Identifier: Apache-2.0 */
/* Retry schedules.  The deadline of what is retried is the caller's, not the schedule's. */
#include <cowgate/sdk/retry.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const int64_t chat_delays[] = {1 * SECOND, 5 * SECOND, 15 * SECOND, 60 * SECOND};
static const int64_t webhook_delays[] = {
	5 * SECOND,
	5 * MINUTE,
	30 * MINUTE,
	2 * HOUR,
	5 * HOUR,
	10 * HOUR,
	10 * HOUR,
};

const struct cg_retry_schedule cg_retry_chat = {
	.delays_ms = chat_delays,
	.count = COUNT(chat_delays),
	.tail_ms = 5 * MINUTE,
};

const struct cg_retry_schedule cg_retry_webhook = {
	.delays_ms = webhook_delays,
	.count = COUNT(webhook_delays),
	.tail_ms = -1,
};

/* @low .. @high, both included.  The bias of the modulus is far below a millisecond. */
static int64_t spread(int64_t low, int64_t high, uint64_t random)
{
	return low + (int64_t)(random % ((uint64_t)(high - low) + 1));
}

int64_t cg_retry_delay(
	const struct cg_retry_schedule *schedule, unsigned failed, uint64_t random)
{
	size_t index = failed > 0 ? failed - 1 : 0;
	int64_t delay =
		index < schedule->count ? schedule->delays_ms[index] : schedule->tail_ms;

	if (delay < 0)
		return -1;
	return spread(delay - delay / 5, delay + delay / 5, random);
}

int64_t cg_retry_reconnect(
	int64_t base_ms, int64_t cap_ms, unsigned failed, uint64_t random)
{
	int64_t high = base_ms;

	if (base_ms >= cap_ms)
		return cap_ms;
	for (unsigned i = 0; i < failed && high < cap_ms; i++)
		high = high > cap_ms / 2 ? cap_ms : high * 2;
	if (base_ms == 0 && failed > 0)
		high = cap_ms;
	return spread(base_ms, high, random);
}
