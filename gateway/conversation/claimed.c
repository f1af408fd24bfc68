/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/claimed.h"

#include "gateway/conversation/claimed_inside.h"
#include "gateway/conversation/claimed_text.h"
#include "gateway/conversation/draft.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TROUBLE_MS 60000 /* between two words about trouble of the Cloud's own */
#define TTL_SENDS 4 /* a claim lasts at least so many sends */

/* A delivery on its way into the journal. */
struct arrival {
	LIST_ENTRY(arrival) link;
	struct claimed *claimed;
	struct draft_route route; /* owned */
	struct drafts drafts;
	struct cg_buffer text;
	char *delivery_id, *channel_binding_id, *claimed_by; /* owned */
	int64_t send_by_ms;
	bool renamed; /* its plain id was taken */
	char key[CLAIM_KEY];
};

int64_t claimed_wall_ms(const struct claimed *claimed)
{
	return clock_wall(loop_clock(claimed->parts.loop));
}

void claimed_tell(
	const struct claimed *claimed, enum claimed_fact fact, const char *detail)
{
	claimed->options.fact(claimed->options.arg, fact, detail);
}

int64_t claimed_return_ms(const struct claimed *claimed)
{
	uint64_t chance = claimed->options.random(claimed->options.arg);

	return claimed_wall_ms(claimed) + CLAIMED_RETURN_MS +
	       (int64_t)(chance % CLAIMED_SPREAD_MS);
}

int64_t claimed_cloud_ms(const struct claimed *claimed, int64_t our_ms)
{
	return our_ms - (claimed->skew_known ? claimed->skew_ms : 0);
}

/* Acknowledged at once, because nothing of it is stored here.  Should that fail, the claim
 * lapses, and the delivery comes again. */
static void ack_unstored(struct claimed *claimed, const struct arrival *arrival,
	enum cloud_delivery_outcome outcome, const char *why)
{
	struct cloud_ack_params params = {
		.delivery_id = arrival->delivery_id,
		.channel_binding_id = arrival->channel_binding_id,
		.claimed_by = arrival->claimed_by,
		.outcome = outcome,
		.last_error = why,
		.next_attempt_ms = claimed_cloud_ms(claimed, claimed_return_ms(claimed)),
	};

	cloud_ack(claimed->parts.client, &params, NULL, NULL, NULL);
	if (outcome == CLOUD_DELIVERY_DEAD)
		claimed_tell(claimed, CLAIMED_UNSENDABLE, why);
	else
		claimed_tell(claimed, CLAIMED_RETURNED, arrival->delivery_id);
}

/* Credit. */

static bool is_full(const struct claimed *claimed)
{
	return claimed->open + claimed->arriving >= CLAIMED_OPEN ||
	       !outbox_has_room(claimed->parts.journal);
}

/* Opening the stream claims everything that is due, so it stays closed until there is room. */
static void pause_stream(struct claimed *claimed)
{
	if (claimed->paused)
		return;
	claimed->paused = true;
	claimed->connected = false;
	cloud_subscription_pause(claimed->subscription);
	claimed_tell(claimed, CLAIMED_PAUSED, NULL);
}

void claimed_resume(struct claimed *claimed)
{
	if (!claimed->paused || !claimed->running ||
		claimed->open + claimed->arriving > CLAIMED_OPEN / 2 ||
		!outbox_has_room(claimed->parts.journal))
		return;
	claimed->paused = false;
	cloud_subscription_resume(claimed->subscription);
}

void claimed_room(struct claimed *claimed)
{
	claimed_resume(claimed);
}

/* Arrivals. */

static void arrival_destroy(struct arrival *arrival)
{
	LIST_REMOVE(arrival, link);
	arrival->claimed->arriving--;
	drafts_finish(&arrival->drafts);
	draft_route_finish(&arrival->route);
	cg_buffer_finish(&arrival->text);
	free(arrival->delivery_id);
	free(arrival->channel_binding_id);
	free(arrival->claimed_by);
	free(arrival);
}

static void store(struct arrival *arrival);

static void stored(void *arg, enum cg_status status, enum claim_standing standing)
{
	struct arrival *arrival = arg;
	struct claimed *claimed = arrival->claimed;

	if (status == CG_EXISTS && !arrival->renamed) {
		arrival->renamed = true;
		store(arrival);
		return;
	}
	(void)standing;
	if (status == CG_OK)
		claimed->open++; /* until it is counted */
	else if (status == CG_INVALID || status == CG_EXISTS)
		ack_unstored(claimed, arrival, CLOUD_DELIVERY_DEAD,
			"the delivery cannot be stored: its ids or text are too long");
	else if (status != CG_OK)
		ack_unstored(claimed, arrival, CLOUD_DELIVERY_FAILED,
			"the gateway has no room at the moment");
	arrival_destroy(arrival);
	claimed_look(claimed);
}

/* In its own parts, under ids that a second claim makes again. */
static enum cg_status make_drafts(struct arrival *arrival)
{
	char id[DRAFT_ID_MAX];
	struct draft_text text = {.delivery_id = id,
		.source = cg_buffer_string(&arrival->text),
		.purpose = OUTBOX_DELIVERY};
	enum cg_status status;

	if (arrival->renamed)
		snprintf(id, sizeof(id), "%s@%s", arrival->delivery_id,
			arrival->channel_binding_id);
	else
		snprintf(id, sizeof(id), "%s", arrival->delivery_id);
	drafts_finish(&arrival->drafts);
	status = drafts_add_text(
		&arrival->drafts, arrival->claimed->parts.outlet, &arrival->route, &text);
	for (size_t i = 0; i < arrival->drafts.count; i++)
		arrival->drafts.items[i].claim = arrival->key;
	return status == CG_LIMIT ? CG_INVALID : status;
}

static void store(struct arrival *arrival)
{
	struct claim_seed seed = {
		.delivery_id = arrival->delivery_id,
		.channel_binding_id = arrival->channel_binding_id,
		.claimed_by = arrival->claimed_by,
		.send_by_ms = arrival->send_by_ms,
	};
	enum cg_status status = make_drafts(arrival);

	if (status != CG_OK)
		stored(arrival, status, CLAIM_NEW);
	else
		claim_store(arrival->claimed->parts.journal, &seed, arrival->drafts.items,
			arrival->drafts.count, stored, arrival);
}

static int64_t mono_ms(const struct claimed *claimed)
{
	return clock_mono(loop_clock(claimed->parts.loop));
}

/*
 * When the claim ends by our clock.  The Cloud tells when it claimed and until when, by its own;
 * the delivery that came fastest tells how far the clocks are apart, and how long this one was
 * on its way counts against the claim.  None is on its way for longer than its stream has been
 * open: if it looks so, a clock was set, and what was known is forgotten.
 */
static int64_t claim_end(struct claimed *claimed, const struct cloud_delivery *delivery)
{
	int64_t now = claimed_wall_ms(claimed), skew;

	if (delivery->updated_ms < 0 || delivery->claim_expires_ms < delivery->updated_ms)
		return now + CLOUD_DELIVERY_TTL_MS;
	skew = now - delivery->updated_ms;
	if (!claimed->skew_known || skew < claimed->skew_ms ||
		skew - claimed->skew_ms > mono_ms(claimed) - claimed->opened_ms) {
		claimed->skew_ms = skew;
		claimed->skew_known = true;
	}
	return delivery->claim_expires_ms + claimed->skew_ms;
}

static char *copy_text(const char *text)
{
	return text == NULL ? NULL : strdup(text);
}

/*
 * A thread that is bound under the chat's own id has none at the platform, and a generation
 * that the gateway added to a session's thread is its own.
 */
static char *platform_thread(const struct cloud_delivery *delivery)
{
	const char *thread = delivery->external_thread_id, *suffix;
	char *copy;

	if (cg_text_blank(thread))
		return NULL;
	copy = strdup(thread);
	suffix = strrchr(thread, '~');
	if (copy != NULL && delivery->session_binding_id != NULL && suffix != NULL &&
		suffix != thread && suffix[1] != '\0' &&
		strspn(suffix + 1, "0123456789") == strlen(suffix + 1))
		copy[suffix - thread] = '\0';
	if (copy != NULL && strcmp(copy, delivery->external_chat_id) == 0) {
		free(copy);
		return NULL;
	}
	return copy;
}

static const struct conversation_channel *find_channel(
	const struct claimed *claimed, const char *binding_id)
{
	for (size_t i = 0; i < claimed->options.channel_count; i++) {
		if (strcmp(claimed->options.channels[i].binding_id, binding_id) == 0)
			return &claimed->options.channels[i];
	}
	return NULL;
}

static bool fill_route(struct arrival *arrival, const struct cloud_delivery *delivery,
	const struct conversation_channel *channel)
{
	struct draft_route *route = &arrival->route;

	route->instance = copy_text(channel->instance);
	route->chat_id = copy_text(delivery->external_chat_id);
	route->thread_id = platform_thread(delivery);
	route->user_id = copy_text(delivery->external_user_id);
	route->binding_id = copy_text(delivery->session_binding_id);
	return route->instance != NULL && route->chat_id != NULL;
}

static struct arrival *arrival_create(
	struct claimed *claimed, const struct cloud_delivery *delivery)
{
	struct arrival *arrival = calloc(1, sizeof(*arrival));
	const char *claimed_by = delivery->claimed_by;

	if (arrival == NULL)
		return NULL;
	if (claimed_by == NULL)
		claimed_by = cloud_client_claimed_by(claimed->parts.client);
	arrival->claimed = claimed;
	LIST_INSERT_HEAD(&claimed->arrivals, arrival, link);
	claimed->arriving++;
	cg_buffer_init(&arrival->text, CLAIMED_TEXT_MAX + 64);
	arrival->delivery_id = strdup(delivery->delivery_id);
	arrival->channel_binding_id = strdup(delivery->channel_binding_id);
	arrival->claimed_by = strdup(claimed_by);
	if (arrival->delivery_id != NULL && arrival->channel_binding_id != NULL &&
		arrival->claimed_by != NULL)
		return arrival;
	arrival_destroy(arrival);
	return NULL;
}

/* Not sendable at all, or CG_OK and ready to be stored. */
static const char *find_fault(struct arrival *arrival,
	const struct cloud_delivery *delivery, enum cloud_delivery_outcome *ret_outcome)
{
	struct claimed *claimed = arrival->claimed;
	const struct conversation_channel *channel =
		find_channel(claimed, delivery->channel_binding_id);

	*ret_outcome = CLOUD_DELIVERY_DEAD;
	if (channel == NULL)
		return "this gateway has no channel of that binding";
	if (cg_text_blank(delivery->external_chat_id))
		return "the delivery names no chat";
	*ret_outcome = CLOUD_DELIVERY_FAILED;
	if (!fill_route(arrival, delivery, channel) ||
		claimed_text(delivery, &arrival->text) != CG_OK)
		return "the gateway has no memory at the moment";
	claim_key(arrival->channel_binding_id, arrival->delivery_id, arrival->key);
	arrival->send_by_ms = claim_end(claimed, delivery) - claimed->options.send_ms;
	return NULL;
}

static bool take_delivery(void *arg, const struct cloud_delivery *delivery)
{
	struct claimed *claimed = arg;
	enum cloud_delivery_outcome outcome;
	struct arrival *arrival;
	const char *fault;
	bool full = is_full(claimed);

	arrival = arrival_create(claimed, delivery);
	if (arrival == NULL)
		return true; /* the claim lapses, and it comes again */
	fault = find_fault(arrival, delivery, &outcome);
	if (fault == NULL && full) {
		fault = "too much waits at the gateway";
		outcome = CLOUD_DELIVERY_FAILED;
	}
	if (fault == NULL) {
		store(arrival);
	} else {
		ack_unstored(claimed, arrival, outcome, fault);
		arrival_destroy(arrival);
	}
	if (full)
		pause_stream(claimed);
	return !full;
}

/* The stream. */

static void opened(void *arg, int64_t after)
{
	struct claimed *claimed = arg;

	(void)after;
	claimed->connected = true;
	claimed->refused = false;
	claimed->opened_ms = mono_ms(claimed);
	claimed_tell(claimed, CLAIMED_CONNECTED, NULL);
}

static void interrupted(void *arg, const struct cloud_result *why, int64_t retry_ms)
{
	struct claimed *claimed = arg;

	(void)retry_ms;
	claimed->connected = false;
	claimed_tell(claimed, CLAIMED_LOST, cloud_error_name(why->error));
}

/* A Cloud whose quota is used up says so every second. */
static void trouble(void *arg, const char *message)
{
	struct claimed *claimed = arg;
	int64_t now_ms = mono_ms(claimed);

	if (claimed->troubled && now_ms - claimed->trouble_ms < TROUBLE_MS)
		return;
	claimed->troubled = true;
	claimed->trouble_ms = now_ms;
	claimed_tell(claimed, CLAIMED_TROUBLE, message);
}

static void refused(void *arg, const struct cloud_result *why)
{
	struct claimed *claimed = arg;

	claimed->connected = false;
	claimed->refused = true;
	claimed_tell(claimed, CLAIMED_REFUSED, why->policy_code);
}

static enum cg_status subscribe(struct claimed *claimed, struct cg_error *err)
{
	const char *bindings[CONVERSATION_CHANNELS];
	struct cloud_delivery_stream_params params = {
		.channel_binding_ids = bindings,
		.ttl_ms = CLOUD_DELIVERY_TTL_MS,
	};
	struct cloud_subscription_handler handler = {
		.open = opened,
		.delivery = take_delivery,
		.interrupted = interrupted,
		.trouble = trouble,
		.refused = refused,
		.arg = claimed,
	};

	for (size_t i = 0; i < claimed->options.channel_count &&
			   params.channel_binding_count < CONVERSATION_CHANNELS;
		i++)
		bindings[params.channel_binding_count++] =
			claimed->options.channels[i].binding_id;
	if (params.ttl_ms < TTL_SENDS * claimed->options.send_ms)
		params.ttl_ms = TTL_SENDS * claimed->options.send_ms;
	return cloud_delivery_stream(
		claimed->parts.client, &params, &handler, &claimed->subscription, err);
}

/* Life. */

enum cg_status claimed_create(const struct conversation_parts *parts,
	const struct claimed_options *options, struct claimed **ret, struct cg_error *err)
{
	struct claimed *claimed = calloc(1, sizeof(*claimed));

	if (claimed == NULL)
		return cg_error_nomem(err);
	claimed->parts = *parts;
	claimed->options = *options;
	LIST_INIT(&claimed->arrivals);
	if (claimed_ack_init(claimed) != CG_OK) {
		free(claimed);
		return cg_error_nomem(err);
	}
	*ret = claimed;
	return CG_OK;
}

void claimed_start(struct claimed *claimed)
{
	struct cg_error err = {.text = ""};

	claimed->running = true;
	claimed_look(claimed);
	if (claimed->options.channel_count > 0 && subscribe(claimed, &err) != CG_OK)
		claimed_tell(claimed, CLAIMED_TROUBLE, err.text);
}

void claimed_stop(struct claimed *claimed)
{
	claimed->running = false;
	claimed->connected = false;
	cloud_subscription_close(claimed->subscription);
	claimed->subscription = NULL;
}

void claimed_change(struct claimed *claimed, const struct conversation_channel *channels,
	size_t channel_count, int64_t send_ms)
{
	bool running = claimed->running;

	claimed_stop(claimed);
	claimed->paused =
		false; /* a new stream begins open, and is paused again if need be */
	claimed->options.channels = channels;
	claimed->options.channel_count = channel_count;
	claimed->options.send_ms = send_ms;
	if (running)
		claimed_start(claimed);
}

void claimed_retry(struct claimed *claimed)
{
	if (claimed->refused && claimed->subscription != NULL && !claimed->paused)
		cloud_subscription_restart(claimed->subscription);
	claimed->refused = false;
}

void claimed_destroy(struct claimed *claimed)
{
	if (claimed == NULL)
		return;
	cloud_subscription_close(claimed->subscription);
	claimed_ack_finish(claimed);
	while (!LIST_EMPTY(&claimed->arrivals))
		arrival_destroy(LIST_FIRST(&claimed->arrivals));
	free(claimed);
}

void claimed_figures(const struct claimed *claimed, struct claimed_figures *ret)
{
	*ret = (struct claimed_figures){
		.open = claimed->open + claimed->arriving,
		.connected = claimed->connected,
		.paused = claimed->paused,
		.refused = claimed->refused,
		.foreign = claimed->foreign,
	};
}
