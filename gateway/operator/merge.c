/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/operator/merge.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK ":chunk:" /* behind the id of a delivery in parts */

static const char *text(struct json_object *record, const char *key)
{
	return cg_json_string_or(record, key, "");
}

static void place(struct json_object *record, const char *where, const char *why)
{
	cg_json_put_string(record, "where", where);
	cg_json_put_string(record, "why", cg_text_blank(why) ? NULL : why);
}

void merge_place_local(struct json_object *record)
{
	const char *status = text(record, "status");
	const char *why = cg_json_string(record, "reason");

	if (why == NULL)
		why = cg_json_string(record, "lastError");
	if (strcmp(status, "sent") == 0)
		place(record, "platform", NULL);
	else if (why != NULL)
		place(record, "here", why);
	else if (strcmp(status, "pending") == 0)
		place(record, "here", "waiting for its turn");
	else if (strcmp(status, "claimed") == 0)
		place(record, "here", "being sent");
	else
		place(record, "here", cg_json_string(record, "outcome"));
}

void merge_place_cloud(struct json_object *record)
{
	const char *status = text(record, "status");

	if (strcmp(status, "sent") == 0)
		place(record, "platform", NULL);
	else if (strcmp(status, "claimed") == 0)
		place(record, "cloud", "claimed by a gateway");
	else if (strcmp(status, "pending") == 0)
		place(record, "cloud", "waiting to be claimed");
	else
		place(record, "cloud", cg_json_string(record, "lastError"));
}

/* The local row of the same delivery, or a part of it. */
static bool is_same(struct json_object *local, struct json_object *cloud)
{
	const char *here = text(local, "deliveryId"), *there = text(cloud, "deliveryId");
	size_t length = strlen(there);

	return strcmp(text(local, "channelBindingId"), text(cloud, "channelBindingId")) ==
		       0 &&
	       strncmp(here, there, length) == 0 &&
	       (here[length] == '\0' || here[length] == '@' ||
		       strncmp(here + length, CHUNK, strlen(CHUNK)) == 0);
}

/* Is it shown by rows of ours? */
static bool note_status(struct json_object *local, struct json_object *cloud)
{
	bool found = false;

	for (size_t i = 0; i < cg_json_count(local); i++) {
		struct json_object *record = cg_json_at(local, i);

		if (!is_same(record, cloud))
			continue;
		cg_json_put_string(record, "cloudStatus", text(cloud, "status"));
		found = true;
	}
	return found;
}

/* ISO times in UTC sort as texts. */
static int newest_first(const void *a, const void *b)
{
	struct json_object *const *left = a, *const *right = b;

	return strcmp(text(*right, "updatedAt"), text(*left, "updatedAt"));
}

struct json_object *merge_lists(
	struct json_object *local, struct json_object *cloud, size_t limit)
{
	size_t most = cg_json_count(local) + cg_json_count(cloud), count = 0;
	struct json_object **records = calloc(most + 1, sizeof(struct json_object *));
	struct json_object *merged = cg_json_new_array();

	if (records == NULL)
		return merged;
	for (size_t i = 0; i < cg_json_count(cloud); i++) {
		struct json_object *record = cg_json_at(cloud, i);

		if (!cg_json_is_object(record) || note_status(local, record))
			continue;
		records[count] = cg_json_copy(record);
		merge_place_cloud(records[count++]);
	}
	for (size_t i = 0; i < cg_json_count(local); i++)
		records[count++] = cg_json_ref(cg_json_at(local, i));
	qsort(records, count, sizeof(struct json_object *), newest_first);
	for (size_t i = 0; i < count; i++) {
		if (i < limit)
			cg_json_append(merged, records[i]);
		else
			cg_json_free(records[i]);
	}
	free(records);
	return merged;
}
