/* SPDX-License-Identifier: Apache-2.0 */
#include "people.h"

#include <cowgate/sdk/text.h>
#include <string.h>

static const struct slack_person *find(
	const struct slack_people *people, const char *user_id)
{
	for (size_t i = 0; i < SLACK_PEOPLE; i++) {
		if (strcmp(people->list[i].id, user_id) == 0)
			return &people->list[i];
	}
	return NULL;
}

const char *slack_people_name(const void *people, const char *user_id)
{
	const struct slack_person *person =
		user_id[0] == '\0' ? NULL : find(people, user_id);

	return person == NULL || person->name[0] == '\0' ? NULL : person->name;
}

bool slack_people_wants(
	const struct slack_people *people, const char *user_id, int64_t now_ms)
{
	const struct slack_person *person = find(people, user_id);

	if (user_id[0] == '\0' || strlen(user_id) >= sizeof(people->list[0].id))
		return false;
	return person == NULL || now_ms - person->asked_ms >= SLACK_PEOPLE_MS;
}

void slack_people_put(struct slack_people *people, const char *user_id, const char *name,
	int64_t now_ms)
{
	const struct slack_person *known = find(people, user_id);
	struct slack_person *person;

	if (known != NULL) {
		person = &people->list[known - people->list];
	} else {
		person = &people->list[people->next];
		people->next = (people->next + 1) % SLACK_PEOPLE;
	}
	cg_text_copy(person->id, sizeof(person->id), user_id);
	/* A name that cannot be had now is better than none. */
	if (name != NULL || known == NULL)
		cg_text_copy(
			person->name, sizeof(person->name), name == NULL ? "" : name);
	person->asked_ms = now_ms;
}
