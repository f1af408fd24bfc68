/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The providers that the contract is held against, and what the suite must know of each.
 *
 * To add one: a row in subjects.def, a file <kind>_subject.c with
 *
 *	const struct subject subject_<kind> = {.kind = "<kind>", .settings = …};
 *
 * and the module's target in CMakeLists.txt.  descriptor_test.c, send_test.c and inbound_test.c
 * then hold it to provider.h: what it says about itself, start and stop, health, its limits at
 * and over the edge, the class of every status and fault, and its samples of messages.  What
 * only this kind does goes into <kind>_test.c.
 */
#ifndef COWGATE_TESTS_CONTRACT_SUBJECT_H
#define COWGATE_TESTS_CONTRACT_SUBJECT_H

#include "tests/contract/module.h"
#include "tests/support/telegram_bot.h"

/* What a status of the platform means; a table ends with status 0. */
struct subject_outcome {
	int status;
	enum cg_outcome_class class;
	enum cg_outcome_scope scope;
};

/* One message as the platform sends it, and what must be submitted; a table ends with NULL. */
struct subject_sample {
	const char *in; /* what subject.deliver() understands */
	bool ignored; /* nothing must be submitted, and the rest is not looked at */
	enum cg_event_type type;
	const char *event_id, *chat_id, *thread_id, *user_id, *text; /* "" where NULL */
	const char *command; /* COMMAND */
	const char *token; /* INTERACTION */
	bool is_direct, is_bot;
	size_t attachments;
};

struct subject {
	const char *kind;
	const struct settings_pair *settings; /* complete and good; ends with NULL */
	/* A start takes the process's own descriptors: its lifecycle is in <kind>_test.c. */
	bool takes_stdio;
	/* Its sends need a server of their own kind: they are in <kind>_test.c. */
	bool own_server;
	bool http; /* sends are HTTP exchanges; what follows up to outcomes is for these */
	/* What the platform answers to a send with this status, its message id being 77. */
	const char *(*answer)(int status);
	const struct subject_outcome *outcomes; /* of a text */
	/* Answer what the instance asks when it starts, so that it comes up.  NULL: nothing. */
	void (*settle)(struct rig *rig);
	/* Hand a sample's bytes to the instance as the platform would; NULL: see <kind>_test.c. */
	void (*deliver)(struct rig *rig, const struct subject_sample *sample);
	const struct subject_sample *samples;
};

extern const struct subject *const subjects[];
extern const size_t subject_count;

#define SUBJECT(kind) extern const struct subject subject_##kind;
#include "tests/contract/subjects.def"
#undef SUBJECT

#define EACH_SUBJECT(subject) \
	for (const struct subject *const *at_ = subjects, *subject = NULL; \
		at_ < subjects + subject_count && (subject = *at_) != NULL; at_++)

/* An instance that has come up. */
struct rig *subject_up(const struct subject *subject);
/* Let it come up after ops->start(). */
void subject_settle(const struct subject *subject, struct rig *rig);
/* What it says that it can do. */
struct cg_capabilities subject_capabilities(const struct subject *subject);

#define WEBHOOK_SECRET "correct-horse-battery"
#define EMAIL_SECRET "battery-staple-mail"
#define EMAIL_PASSWORD "mail-password-Qx3"

#endif
