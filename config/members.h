/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The member names of a JSON object, in order.
 *
 * The sdk's readers look members up by name.  Where names are not known beforehand, they are
 * taken from the object's own compact text.
 */
#ifndef COWGATE_CONFIG_MEMBERS_H
#define COWGATE_CONFIG_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;

/* Bytes of a name, its NUL included; a longer name is skipped. */
#define MEMBERS_NAME 256

struct members {
	/* into the object's text: it must not change or be printed meanwhile */
	const char *next;
	char name[MEMBERS_NAME];
};

/* @object of another type, or NULL, has no members. */
void members_begin(struct members *members, struct json_object *object);

/* Go to the next member and set its name.  False: there is none. */
bool members_next(struct members *members);

/*
 * Lay @over onto @base: objects member by member, everything else replaced.  Members named
 * __proto__, constructor or prototype are left out.  @base is an object and changes; @over does
 * not.
 */
void members_merge(struct json_object *base, struct json_object *over);

#endif
