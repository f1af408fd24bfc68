/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/ask.h"

#include <stdlib.h>
#include <string.h>

static void take_out(struct ask_list *list, size_t index)
{
	list->count--;
	memmove(&list->items[index], &list->items[index + 1],
		(list->count - index) * sizeof(list->items[0]));
}

void ask_list_finish(struct ask_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].id);
	list->count = 0;
}

bool ask_add(struct ask_list *list, const char *id, bool question, int64_t until)
{
	struct ask *ask;

	ask_remove(list, id); /* asked again, with all the time anew */
	if (list->count == ASK_MOST)
		return false;
	ask = &list->items[list->count];
	ask->id = strdup(id);
	if (ask->id == NULL)
		return false;
	ask->question = question;
	ask->until = until;
	list->count++;
	return true;
}

void ask_remove(struct ask_list *list, const char *id)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].id, id) != 0)
			continue;
		free(list->items[i].id);
		take_out(list, i);
		return;
	}
}

bool ask_take_due(struct ask_list *list, int64_t now, struct ask *ret)
{
	if (list->count == 0 || list->items[0].until > now)
		return false;
	*ret = list->items[0];
	take_out(list, 0);
	return true;
}
