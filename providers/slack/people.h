/* SPDX-License-Identifier: Apache-2.0 */
/* Names of people, which Slack's events do not carry: the newest are kept. */
#ifndef PROVIDERS_SLACK_PEOPLE_H
#define PROVIDERS_SLACK_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLACK_PEOPLE 256 /* the oldest is forgotten for a new one */
#define SLACK_PEOPLE_MS (INT64_C(6) * 60 * 60 * 1000) /* then a name is asked for anew */

struct slack_people {
	struct slack_person {
		char id[32]; /* "": the slot is free */
		char name[128]; /* "": Slack does not tell */
		int64_t asked_ms;
	} list[SLACK_PEOPLE];
	size_t next;
};

/* NULL when the name is not known.  The argument is a struct slack_people: see slack_name. */
const char *slack_people_name(const void *people, const char *user_id);
/* Is it worth asking?  @now_ms is monotonic. */
bool slack_people_wants(
	const struct slack_people *people, const char *user_id, int64_t now_ms);
/* @name NULL: Slack does not tell. */
void slack_people_put(struct slack_people *people, const char *user_id, const char *name,
	int64_t now_ms);

#endif
