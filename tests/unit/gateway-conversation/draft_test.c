/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/draft.h"
#include "gateway/delivery/compose.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A channel whose rendering makes texts longer by a factor. */
struct channel {
	struct cg_capabilities capabilities;
	enum cg_status status;
	uint32_t growth;
};

static enum cg_status channel_capabilities(
	void *self, const char *instance, struct cg_capabilities *ret)
{
	const struct channel *channel = self;

	CU_ASSERT_STRING_EQUAL(instance, "telegram");
	if (channel->status != CG_NOT_FOUND)
		*ret = channel->capabilities;
	return channel->status;
}

static uint32_t channel_measure(
	void *self, const char *instance, const char *text, size_t length)
{
	const struct channel *channel = self;

	(void)instance;
	return channel->growth *
	       (uint32_t)cg_text_measure(text, length, channel->capabilities.text_unit);
}

static struct channel a_channel(uint32_t max_text)
{
	return (struct channel){.capabilities = {.text_unit = CG_UNIT_CODE_POINTS,
					.reconcile = CG_RECONCILE_IDEMPOTENCY_KEY,
					.max_text = max_text},
		.growth = 1};
}

static char instance[] = "telegram", chat[] = "chat", session[] = "sess";
static const struct draft_route route = {
	.instance = instance, .chat_id = chat, .session_id = session, .is_direct = true};

static enum cg_status add(struct drafts *drafts, struct channel *channel, const char *id,
	const char *source, const char *slot_id)
{
	const struct outlet outlet = {.self = channel,
		.capabilities = channel_capabilities,
		.measure = channel_measure};
	const struct draft_text text = {.delivery_id = id,
		.source = source,
		.purpose = OUTBOX_FINAL,
		.slot_id = slot_id};

	return drafts_add_text(drafts, &outlet, &route, &text);
}

static char *words(size_t length)
{
	char *text = malloc(length + 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	for (size_t i = 0; i < length; i++)
		text[i] = i % 10 == 9 ? ' ' : (char)('a' + i % 26);
	text[length] = '\0';
	return text;
}

static void draft_of_a_short_text_is_the_text(void)
{
	struct channel channel = a_channel(100);
	struct drafts drafts = {.count = 0};

	CU_ASSERT_EQUAL(add(&drafts, &channel, "s:m", "a **b** ", "s:m:slot"), CG_OK);
	CU_ASSERT_EQUAL(add(&drafts, &channel, "s:n", "c", NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(drafts.count, 2);
	CU_ASSERT_STRING_EQUAL(drafts.items[0].delivery_id, "s:m");
	CU_ASSERT_STRING_EQUAL(drafts.items[0].source, "a **b** ");
	CU_ASSERT_STRING_EQUAL(drafts.items[0].slot_id, "s:m:slot");
	CU_ASSERT_STRING_EQUAL(drafts.items[0].target.chat_id, "chat");
	CU_ASSERT(drafts.items[0].target.is_direct);
	CU_ASSERT_STRING_EQUAL(drafts.items[0].session_id, "sess");
	CU_ASSERT_EQUAL(drafts.items[0].parts, 1);
	CU_ASSERT_STRING_EQUAL(drafts.items[1].delivery_id, "s:n");
	CU_ASSERT_PTR_NULL(drafts.items[1].slot_id);
	drafts_finish(&drafts);
	CU_ASSERT_EQUAL(drafts.count, 0);
}

static void draft_of_a_long_text_has_parts_with_their_own_ids(void)
{
	struct channel channel = a_channel(100);
	struct drafts drafts = {.count = 0}, again = {.count = 0};
	char *text = words(250), id[64];

	CU_ASSERT_EQUAL(add(&drafts, &channel, "s:m", text, "slot"), CG_OK);
	CU_ASSERT_EQUAL(add(&again, &channel, "s:m", text, "slot"), CG_OK);
	CU_ASSERT(drafts.count > 2);
	CU_ASSERT_EQUAL(drafts.count, again.count);
	for (size_t i = 0; i < drafts.count; i++) {
		snprintf(id, sizeof(id), "s:m:chunk:%zu", i + 1);
		CU_ASSERT_STRING_EQUAL(drafts.items[i].delivery_id, id);
		CU_ASSERT_EQUAL(drafts.items[i].part, i + 1);
		CU_ASSERT_EQUAL(drafts.items[i].parts, drafts.count);
		CU_ASSERT(strlen(drafts.items[i].source) <= 100);
		/* Only the first part stands where the slot was. */
		CU_ASSERT_EQUAL(drafts.items[i].slot_id != NULL, i == 0);
		CU_ASSERT_STRING_EQUAL(drafts.items[i].source, again.items[i].source);
	}
	drafts_finish(&drafts);
	drafts_finish(&again);
	free(text);
}

static void draft_fits_as_it_will_be_sent(void)
{
	struct channel channel = a_channel(100);
	struct drafts drafts = {.count = 0};
	char *text = words(300);

	channel.growth = 2;
	CU_ASSERT_EQUAL(add(&drafts, &channel, "s:m", text, NULL), CG_OK);
	for (size_t i = 0; i < drafts.count; i++)
		CU_ASSERT(strlen(drafts.items[i].source) * 2 <= 100);
	drafts_finish(&drafts);
	/* As if rendering went mad: it is stored all the same, and the platform may refuse it. */
	channel.growth = 50;
	CU_ASSERT_EQUAL(add(&drafts, &channel, "s:m", text, NULL), CG_OK);
	CU_ASSERT(drafts.count >= 6);
	drafts_finish(&drafts);
	free(text);
}

/* A part that is sent a second time carries a label, which must not break the limit. */
static void draft_leaves_room_for_the_label(void)
{
	static const struct {
		enum cg_reconcile reconcile;
		size_t most;
	} cells[] = {
		{CG_RECONCILE_NONE, 1000 - COMPOSE_LABEL_UNITS},
		{CG_RECONCILE_QUERY, 1000 - COMPOSE_LABEL_UNITS},
		{CG_RECONCILE_IDEMPOTENCY_KEY, 1000},
		{CG_RECONCILE_REPEAT_ONCE, 1000},
	};
	char *text = words(1000);

	for (size_t i = 0; i < 4; i++) {
		struct channel channel = a_channel(1000);
		struct drafts drafts = {.count = 0};

		channel.capabilities.reconcile = cells[i].reconcile;
		CU_ASSERT_EQUAL(add(&drafts, &channel, "s:m", text, NULL), CG_OK);
		CU_ASSERT_EQUAL(drafts.count, cells[i].most == 1000 ? 1 : 2);
		for (size_t k = 0; k < drafts.count; k++)
			CU_ASSERT(strlen(drafts.items[k].source) <= cells[i].most);
		drafts_finish(&drafts);
	}
	free(text);
}

static void draft_has_at_most_so_many_parts(void)
{
	struct channel channel = a_channel(100);
	struct drafts drafts = {.count = 0};
	char *most = words(OUTBOX_PARTS * 80), *more = words(OUTBOX_PARTS * 100 + 1);

	CU_ASSERT_EQUAL(add(&drafts, &channel, "s:m", most, NULL), CG_OK);
	CU_ASSERT(drafts.count <= OUTBOX_PARTS);
	drafts_finish(&drafts);
	CU_ASSERT_EQUAL(add(&drafts, &channel, "s:m", more, NULL), CG_LIMIT);
	free(most);
	free(more);
}

static void draft_for_a_channel_that_is_gone_is_kept(void)
{
	struct channel channel = a_channel(100);
	struct drafts drafts = {.count = 0};
	char *text = words(5000);

	channel.status = CG_NOT_FOUND;
	CU_ASSERT_EQUAL(add(&drafts, &channel, "s:m", text, NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(drafts.count, 1);
	CU_ASSERT_STRING_EQUAL(drafts.items[0].source, text);
	drafts_finish(&drafts);
	channel.status = CG_BUSY; /* it will be back: its limits are known */
	CU_ASSERT_EQUAL(add(&drafts, &channel, "s:m", text, NULL), CG_OK);
	CU_ASSERT(drafts.count > 1);
	drafts_finish(&drafts);
	free(text);
}

static void draft_route_is_a_copy(void)
{
	char thread[] = "t", user[] = "u", sender[] = "w";
	struct inbox_message message = {.instance = instance,
		.chat_id = chat,
		.thread_id = thread,
		.user_id = user,
		.sender_id = sender};
	struct draft_route copy;
	struct delivery_route view;

	CU_ASSERT_EQUAL_FATAL(draft_route_from_message(&copy, &message), CG_OK);
	thread[0] = 'x';
	draft_route_view(&copy, &view);
	CU_ASSERT_STRING_EQUAL(view.instance, "telegram");
	CU_ASSERT_STRING_EQUAL(view.target.thread_id, "t");
	CU_ASSERT_STRING_EQUAL(view.target.user_id, "u");
	draft_route_finish(&copy);
	CU_ASSERT_PTR_NULL(copy.instance);
	message.user_id = NULL; /* who wrote is who is answered */
	CU_ASSERT_EQUAL_FATAL(draft_route_from_message(&copy, &message), CG_OK);
	CU_ASSERT_STRING_EQUAL(copy.user_id, "w");
	draft_route_finish(&copy);
}

UNIT_SUITE(draft, UNIT_TEST(draft_of_a_short_text_is_the_text),
	UNIT_TEST(draft_of_a_long_text_has_parts_with_their_own_ids),
	UNIT_TEST(draft_fits_as_it_will_be_sent),
	UNIT_TEST(draft_leaves_room_for_the_label),
	UNIT_TEST(draft_has_at_most_so_many_parts),
	UNIT_TEST(draft_for_a_channel_that_is_gone_is_kept),
	UNIT_TEST(draft_route_is_a_copy));
