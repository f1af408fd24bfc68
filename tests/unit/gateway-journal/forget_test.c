/* SPDX-License-Identifier: Apache-2.0 */
/* What is stored of a conversation or a person goes, but for what tells repeats. */
#include "gateway/journal/forget.h"

#include "gateway/journal/claim.h"
#include "tests/unit/gateway-journal/journal_rig.h"

#include <fcntl.h>

#define SECRET "the words that must go"

static enum cg_status forget(struct rig *rig, const struct journal_forget *what)
{
	journal_forget(rig->journal, what, rig_done, rig);
	rig_await(rig);
	return rig->status;
}

static enum cg_status forget_chat(struct rig *rig, const char *chat)
{
	return forget(rig,
		&(struct journal_forget){
			.instance = "telegram", .chat_id = chat, .keep_binding = "kept"});
}

static bool in_file(const char *path, const char *suffix, const char *text)
{
	size_t length = strlen(text), size = (size_t)4 << 20, got;
	char name[128], *bytes = malloc(size);
	bool found = false;
	FILE *file;

	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	snprintf(name, sizeof(name), "%s%s", path, suffix);
	file = fopen(name, "rb");
	got = file == NULL ? 0 : fread(bytes, 1, size, file);
	if (file != NULL)
		fclose(file);
	for (size_t i = 0; !found && i + length <= got; i++)
		found = memcmp(bytes + i, text, length) == 0;
	free(bytes);
	return found;
}

static bool stored(struct rig *rig, const char *text)
{
	return in_file(rig->path, "", text) || in_file(rig->path, "-wal", text);
}

/* A message of @chat, with everything that a message can have. */
static enum cg_verdict hear(struct rig *rig, const char *event_id, const char *chat,
	const char *sender, bool direct)
{
	struct cg_inbound inbound = rig_message(event_id, SECRET);
	struct cg_attachment file = {.size = sizeof(file),
		.file_id = "f",
		.filename = SECRET,
		.spool_path = NULL,
		.bytes = 3};
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/spooled-%s", rig->directory, event_id);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd >= 0)
		close(fd);
	file.spool_path = path;
	inbound.target.chat_id = chat;
	inbound.target.is_direct = direct;
	inbound.target.context = SECRET;
	inbound.sender.user_id = sender;
	inbound.sender.display_name = SECRET;
	inbound.sender.username = SECRET;
	inbound.attachments = &file;
	inbound.attachment_count = 1;
	return rig_submit(rig, "telegram", &inbound);
}

static bool spooled(struct rig *rig, const char *event_id)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/spooled-%s", rig->directory, event_id);
	return access(path, F_OK) == 0;
}

static void remove_spooled(struct rig *rig, const char *event_id)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/spooled-%s", rig->directory, event_id);
	unlink(path);
}

static void say(struct rig *rig, const char *id, const char *chat, const char *text)
{
	struct obligation o = rig_obligation(id, chat);

	o.source = text;
	CU_ASSERT_EQUAL(rig_oblige(rig, &o, 1), CG_OK);
}

static void bind(struct rig *rig, const char *binding, const char *chat, bool direct)
{
	const struct cursor cursor = {.binding_id = binding,
		.session_id = "s",
		.instance = "telegram",
		.chat_id = chat,
		.user_id = "user",
		.context = SECRET,
		.is_direct = direct,
		.epoch = "e",
		.active_ms = RIG_NOW};

	cursor_store(rig->journal, &cursor, rig_done, rig);
	rig_await(rig);
}

static void a_conversation_goes_and_its_repeats_are_still_told(void)
{
	struct inquiry_seed seed = {.kind = INQUIRY_PERMISSION,
		.token = "t",
		.code = "K7QX",
		.target_id = "p",
		.card = SECRET,
		.expires_ms = RIG_NOW + 100000};
	struct obligation card = rig_obligation("card", "a");
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(hear(&rig, "e1", "a", "user", true), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_finish_message(&rig, 1, INBOX_HANDED, NULL, 0), CG_OK);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "e2", "elsewhere"), CG_VERDICT_COMMITTED);
	say(&rig, "d1", "a", SECRET); /* waits */
	card.purpose = OUTBOX_APPROVAL;
	card.binding_id = "old";
	card.asks = &seed;
	card.source = SECRET;
	CU_ASSERT_EQUAL(rig_oblige(&rig, &card, 1), CG_OK);
	say(&rig, "d2", "b", "stays");
	bind(&rig, "old", "a", true);
	bind(&rig, "kept", "a", true);
	bind(&rig, "other", "b", true);
	CU_ASSERT_TRUE(stored(&rig, SECRET));
	CU_ASSERT_EQUAL(rig_sending(&rig, 1), CG_OK);
	CU_ASSERT_EQUAL(forget_chat(&rig, "a"), CG_BUSY); /* its receipt is to come */
	CU_ASSERT_TRUE(spooled(&rig, "e1"));
	CU_ASSERT_EQUAL(rig_settle_as(&rig, 1, OUTBOX_UNKNOWN, RIG_NOW), CG_OK);
	CU_ASSERT_EQUAL(forget_chat(&rig, "a"), CG_OK);
	CU_ASSERT_FALSE(spooled(&rig, "e1"));
	rig_check_figures(&rig);
	CU_ASSERT_EQUAL(rig_figures(&rig).inquiries, 0);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM cursor WHERE context IS"
					 " NOT NULL AND chat_id = 'a' AND binding_id <>"
					 " 'kept'"),
		0);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM cursor"), 2);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM inquiry"), 0);
	CU_ASSERT_EQUAL(rig_due(&rig), 1); /* of the other chat */
	rig_free_rows(&rig);
	/* Repeats of what was forgotten are known. */
	CU_ASSERT_EQUAL(hear(&rig, "e1", "a", "user", true), CG_VERDICT_DUPLICATE);
	remove_spooled(&rig, "e1");
	say(&rig, "d1", "a", "again");
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM outbox WHERE"
					 " delivery_id = 'd1' AND source IS NULL"),
		1);
	CU_ASSERT_EQUAL(forget_chat(&rig, "a"), CG_OK);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM outbox WHERE source ="
					 " 'stays'"),
		1);
	rig_finish(&rig);
}

static void no_byte_of_it_is_left(void)
{
	struct rig rig;

	rig_start(&rig);
	for (int64_t i = 1; i <= 50; i++) {
		char id[24];

		snprintf(id, sizeof(id), "e%lld", (long long)i);
		CU_ASSERT_EQUAL(hear(&rig, id, "a", "user", true), CG_VERDICT_COMMITTED);
		rig_finish_message(&rig, i, INBOX_HANDED, NULL, 0);
		say(&rig, id, "a", SECRET);
	}
	bind(&rig, "old", "a", true);
	CU_ASSERT_TRUE(stored(&rig, SECRET));
	CU_ASSERT_EQUAL(forget_chat(&rig, "a"), CG_OK);
	CU_ASSERT_FALSE(stored(&rig, SECRET));
	rig_check_figures(&rig);
	rig_finish(&rig);
}

/* Their own chats go as a whole; of chats with others, what they said. */
static void a_person_goes(void)
{
	const struct journal_forget person = {
		.instance = "telegram", .sender_id = "user"};
	struct rig rig;

	rig_start(&rig);
	hear(&rig, "e1", "own", "user", true);
	rig_finish_message(&rig, 1, INBOX_HANDED, NULL, 0);
	hear(&rig, "e2", "group", "user", false);
	rig_finish_message(&rig, 2, INBOX_HANDED, NULL, 0);
	hear(&rig, "e3", "group", "user", false); /* waits to be handed over */
	CU_ASSERT_EQUAL(rig_store_message(&rig, "e4", "by nobody else"),
		CG_VERDICT_COMMITTED); /* the same sender */
	say(&rig, "d1", "own", SECRET);
	say(&rig, "d2", "group", "an answer to all");
	bind(&rig, "own", "own", true);
	bind(&rig, "group", "group", false);
	CU_ASSERT_EQUAL(forget(&rig, &person), CG_OK);
	CU_ASSERT_FALSE(stored(&rig, SECRET));
	CU_ASSERT_FALSE(stored(&rig, "by nobody else"));
	CU_ASSERT_TRUE(stored(&rig, "an answer to all"));
	CU_ASSERT_FALSE(
		spooled(&rig, "e1") || spooled(&rig, "e2") || spooled(&rig, "e3"));
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM inbox WHERE sender_id <>"
					 " '' OR state = 0"),
		0);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM cursor WHERE binding_id ="
					 " 'group' AND user_id IS NULL"),
		1);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM cursor"), 1);
	rig_check_figures(&rig);
	CU_ASSERT_EQUAL(forget(&rig, &(struct journal_forget){.instance = "telegram"}),
		CG_INVALID);
	rig_finish(&rig);
}

UNIT_SUITE(forget, UNIT_TEST(a_conversation_goes_and_its_repeats_are_still_told),
	UNIT_TEST(no_byte_of_it_is_left), UNIT_TEST(a_person_goes));
