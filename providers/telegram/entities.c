/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans into entities that the platform accepts as they are.
 *
 * Its rules: code stands alone, so formatting around it is cut in two and code within a link
 * gives way to the link; a quote holds no quote; nothing is said twice.
 */
#include "wire.h"

#include <stdlib.h>

/* Does @span lie within an earlier span for which @test says so?  Spans nest. */
static bool is_within(const struct cg_outbound *outbound, size_t index,
	bool (*test)(enum cg_span_kind outer, enum cg_span_kind inner))
{
	const struct cg_span *span = &outbound->spans[index];

	for (size_t i = 0; i < index; i++) {
		const struct cg_span *outer = &outbound->spans[i];

		if (outer->offset + outer->length >= span->offset + span->length &&
			test(outer->kind, span->kind))
			return true;
	}
	return false;
}

static bool is_code(enum cg_span_kind kind)
{
	return kind == CG_SPAN_CODE || kind == CG_SPAN_PRE;
}

/* Must the inner one give way? */
static bool shadows(enum cg_span_kind outer, enum cg_span_kind inner)
{
	if (outer == inner || is_code(outer))
		return true;
	return outer == CG_SPAN_LINK && is_code(inner);
}

static bool is_usable(const struct cg_outbound *outbound, const struct cg_span *span)
{
	return span->length > 0 && span->offset <= outbound->text_length &&
	       span->length <= outbound->text_length - span->offset &&
	       (span->kind != CG_SPAN_LINK || span->detail != NULL);
}

static bool is_kept(const struct cg_outbound *outbound, size_t index)
{
	return is_usable(outbound, &outbound->spans[index]) &&
	       !is_within(outbound, index, shadows);
}

static void add(struct telegram_entities *ret, const struct cg_span *span, size_t offset,
	size_t end)
{
	if (offset >= end || ret->count == TELEGRAM_ENTITIES)
		return;
	ret->items[ret->count++] = (struct telegram_entity){
		.span = span, .offset = offset, .length = end - offset};
}

/* @span without the code inside it. */
static void add_around_code(
	const struct cg_outbound *outbound, size_t index, struct telegram_entities *ret)
{
	const struct cg_span *span = &outbound->spans[index];
	size_t offset = span->offset, end = offset + span->length;

	/* A quote may hold code, and a link has shadowed it. */
	for (size_t i = index + 1;
		i < outbound->span_count && span->kind != CG_SPAN_QUOTE &&
		span->kind != CG_SPAN_LINK && !is_code(span->kind);
		i++) {
		const struct cg_span *code = &outbound->spans[i];

		if (code->offset >= end)
			break;
		if (!is_code(code->kind) || !is_kept(outbound, i))
			continue;
		add(ret, span, offset, code->offset);
		offset = code->offset + code->length;
	}
	add(ret, span, offset, end);
}

/* By place, what is around before what is inside; else as the spans came. */
static int compare(const void *a, const void *b)
{
	const struct telegram_entity *one = a, *other = b;

	if (one->offset != other->offset)
		return one->offset < other->offset ? -1 : 1;
	if (one->length != other->length)
		return one->length > other->length ? -1 : 1;
	if (one->span != other->span)
		return one->span < other->span ? -1 : 1;
	return 0;
}

void telegram_entities_make(
	const struct cg_outbound *outbound, struct telegram_entities *ret)
{
	size_t bytes = 0, units = 0;

	ret->count = 0;
	for (size_t i = 0; i < outbound->span_count && ret->count < TELEGRAM_ENTITIES;
		i++) {
		if (is_kept(outbound, i))
			add_around_code(outbound, i, ret);
	}
	qsort(ret->items, ret->count, sizeof(*ret->items), compare);
	/* Spans count in bytes, entities in UTF-16. */
	for (size_t i = 0; i < ret->count; i++) {
		struct telegram_entity *entity = &ret->items[i];

		units += cg_text_measure(
			outbound->text + bytes, entity->offset - bytes, CG_UNIT_UTF16);
		bytes = entity->offset;
		entity->length = cg_text_measure(
			outbound->text + bytes, entity->length, CG_UNIT_UTF16);
		entity->offset = units;
	}
}
