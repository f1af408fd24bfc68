/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a claim: its rows are finished, so the Cloud is told. */
#include "gateway/conversation/claimed_inside.h"

#include <cowgate/sdk/retry.h>
#include <stdlib.h>

#define RETRY_MS 1000 /* before an acknowledgement that failed is repeated … */
#define RETRY_MAX_MS 30000
#define LIFETIME_MS (INT64_C(24) * 60 * 60 * 1000) /* then a delivery is dead */

/* An acknowledgement under way. */
struct ack {
	LIST_ENTRY(ack) link;
	struct claimed *claimed;
	struct cloud_call *call;
	struct claim claim;
};

static void ack_free(struct ack *ack)
{
	LIST_REMOVE(ack, link);
	ack->claimed->acking--;
	free(ack);
}

static void closed(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct ack *ack = arg;
	struct claimed *claimed = ack->claimed;

	(void)err;
	if (status != CG_OK) {
		claimed->failures++;
		claimed->doubtful = true; /* the next one finds it gone */
	} else {
		claimed->again = true;
	}
	ack_free(ack);
	if (claimed->acking == 0)
		claimed_look(claimed);
}

static void close_claim(struct ack *ack)
{
	claim_close(ack->claimed->parts.journal, ack->claim.key,
		claimed_wall_ms(ack->claimed), closed, ack);
}

/* The claim had time left, and nobody but its holder acknowledges: somebody has our name. */
static bool is_foreign(const struct ack *ack)
{
	const struct claimed *claimed = ack->claimed;

	return !claimed->doubtful && claimed_wall_ms(claimed) < ack->claim.send_by_ms;
}

/*
 * Nobody waits for it any more: the claim has lapsed, so that a delivery which the Cloud still
 * wants sent is served again, and acknowledged then.  A Cloud that is only away hears of it for
 * a day; one that refuses this one alone (its channel is not granted any more) only until then.
 */
static bool is_moot(const struct ack *ack, const struct cloud_result *result)
{
	const struct claimed *claimed = ack->claimed;
	int64_t late_ms = claimed_wall_ms(claimed) - ack->claim.send_by_ms -
			  claimed->options.send_ms;

	return late_ms >= LIFETIME_MS || (late_ms >= 0 && !result->retryable &&
						 result->error != CLOUD_UNAUTHORIZED);
}

static void acknowledged(void *arg, const struct cloud_result *result,
	const struct cloud_delivery *delivery)
{
	struct ack *ack = arg;
	struct claimed *claimed = ack->claimed;

	(void)delivery;
	ack->call = NULL;
	if (result->error == CLOUD_OK || result->error == CLOUD_NOT_FOUND ||
		result->error == CLOUD_CONFLICT || result->error == CLOUD_INVALID) {
		claimed->failures = 0;
		if (result->error == CLOUD_NOT_FOUND && is_foreign(ack)) {
			claimed->foreign = true;
			claimed_tell(claimed, CLAIMED_FOREIGN, ack->claim.delivery_id);
		}
		close_claim(ack);
		return;
	}
	if (is_moot(ack, result)) {
		close_claim(ack);
		return;
	}
	claimed->failures++;
	claimed->doubtful = claimed->doubtful || result->dispatched;
	if (result->error == CLOUD_UNAUTHORIZED || result->error == CLOUD_FORBIDDEN)
		claimed_tell(claimed, CLAIMED_REFUSED, result->policy_code);
	/* A 403 is this delivery's alone. */
	claimed->refused = claimed->refused || result->error == CLOUD_UNAUTHORIZED;
	ack_free(ack);
	if (claimed->acking == 0)
		claimed_look(claimed);
}

/* A little later than the platform's own time, if it gave one. */
static int64_t next_attempt(const struct claimed *claimed, const struct claim *claim)
{
	int64_t next = claimed_return_ms(claimed);

	return claimed_cloud_ms(claimed, next > claim->next_ms ? next : claim->next_ms);
}

static void acknowledge(struct claimed *claimed, const struct claim *claim)
{
	static const enum cloud_delivery_outcome outcomes[] = {
		[CLAIM_SENT] = CLOUD_DELIVERY_SENT,
		[CLAIM_RETURNED] = CLOUD_DELIVERY_FAILED,
		[CLAIM_DEAD] = CLOUD_DELIVERY_DEAD,
	};
	struct ack *ack = calloc(1, sizeof(*ack));
	struct cloud_ack_params params;

	if (ack == NULL) {
		claimed->failures++;
		return;
	}
	ack->claimed = claimed;
	ack->claim = *claim;
	params = (struct cloud_ack_params){
		.delivery_id = ack->claim.delivery_id,
		.channel_binding_id = ack->claim.channel_binding_id,
		.claimed_by = ack->claim.claimed_by,
		.outcome = outcomes[claim->outcome],
		.last_error = claim->error[0] == '\0' ? NULL : ack->claim.error,
		.next_attempt_ms = claim->outcome == CLAIM_RETURNED
					   ? next_attempt(claimed, claim)
					   : -1,
	};
	if (claim->outcome == CLAIM_RETURNED &&
		claimed_wall_ms(claimed) - claim->created_ms >= LIFETIME_MS) {
		params.outcome = CLOUD_DELIVERY_DEAD;
		params.last_error = "it could not be sent within 24 hours";
	}
	LIST_INSERT_HEAD(&claimed->acks, ack, link);
	claimed->acking++;
	if (cloud_ack(claimed->parts.client, &params, acknowledged, ack, &ack->call) !=
		CG_OK) {
		claimed->failures++;
		ack_free(ack);
	}
}

static void arm(struct claimed *claimed, int64_t next_ms)
{
	int64_t wait = next_ms > 0 ? next_ms - claimed_wall_ms(claimed) : -1, retry;

	if (claimed->failures > 0 && claimed->acking == 0) {
		retry = cg_retry_reconnect(RETRY_MS, RETRY_MAX_MS, claimed->failures,
			claimed->options.random(claimed->options.arg));
		wait = wait < 0 || retry < wait ? retry : wait;
	}
	if (wait >= 0)
		loop_timer_set(&claimed->timer, wait < 1 ? 1 : wait);
}

static void collected(void *arg, enum cg_status status, const struct claim *claims,
	size_t count, int64_t open, int64_t next_ms)
{
	struct claimed *claimed = arg;

	claimed->collecting = false;
	if (!claimed->running && count == 0)
		return;
	if (status != CG_OK) {
		claimed->failures++;
		arm(claimed, 0);
		return;
	}
	claimed->open = (size_t)open;
	if (count == 0) {
		claimed->failures = 0;
		claimed->doubtful = false;
	}
	for (size_t i = 0; i < count; i++)
		acknowledge(claimed, &claims[i]);
	arm(claimed, next_ms);
	claimed_resume(claimed);
	if (claimed->again)
		claimed_look(claimed);
}

static void look(void *arg)
{
	struct claimed *claimed = arg;

	/* What is being acknowledged would be found again. */
	if (claimed->collecting || claimed->acking > 0) {
		claimed->again = true;
		return;
	}
	claimed->again = false;
	claimed->collecting = true;
	claim_collect(
		claimed->parts.journal, claimed_wall_ms(claimed), collected, claimed);
}

void claimed_look(struct claimed *claimed)
{
	loop_defer(claimed->parts.loop, &claimed->look);
}

static void time_came(void *arg)
{
	claimed_look(arg);
}

enum cg_status claimed_ack_init(struct claimed *claimed)
{
	LIST_INIT(&claimed->acks);
	loop_task_init(&claimed->look, look, claimed);
	claimed->doubtful = true; /* an earlier process may have acknowledged last */
	return loop_timer_init(&claimed->timer, claimed->parts.loop, time_came, claimed);
}

void claimed_ack_finish(struct claimed *claimed)
{
	struct ack *ack;

	while ((ack = LIST_FIRST(&claimed->acks)) != NULL) {
		cloud_call_cancel(ack->call);
		ack_free(ack);
	}
	loop_undefer(claimed->parts.loop, &claimed->look);
	loop_timer_finish(&claimed->timer);
}
