/* SPDX-License-Identifier: Apache-2.0 */
#include "quote.h"

#include <cowgate/sdk/text.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINES_MAX 20000 /* a longer text is passed on as it is */
#define ATTRIBUTION_LINES 3 /* over so many lines "On … wrote:" may be wrapped */
#define ATTRIBUTION_MAX 512 /* bytes of it */

struct line {
	const char *text;
	size_t length;
	bool quoted; /* marked with ">", or the announcement of such lines */
	bool blank;
};

struct lines {
	struct line *items; /* owned */
	size_t count;
};

/* ---- Words ---- */

static bool starts(const char *text, size_t length, const char *word)
{
	size_t size = strlen(word);

	return length >= size && strncasecmp(text, word, size) == 0;
}

static bool starts_any(const char *text, size_t length, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (starts(text, length, *words))
			return true;
	}
	return false;
}

static bool holds_any(const char *text, size_t length, const char *const *words)
{
	for (size_t i = 0; i < length; i++) {
		if (starts_any(text + i, length - i, words))
			return true;
	}
	return false;
}

/* Every client announces a quotation in the language of its owner. */
static const char *const announcement_begins[] = {"On ", "Am ", "Le ", "El ", "Il ",
	"Op ", "Em ", "Den ", "W dniu ", "Dnia ", "Dne ", "1", "2", "3", NULL};
static const char *const announcement_words[] = {" wrote:", " writes:", " schrieb",
	" a écrit", " escribió", " ha scritto", " schreef", " escreveu", " skrev",
	" napisał", " пишет:", " написал", " napsal", "さんは書きました",
	" のメール:", " 写道", " 寫道", " 작성:", NULL};
static const char *const original_words[] = {"Original Message", "Original message",
	"Ursprüngliche Nachricht", "Message d'origine", "Message d’origine",
	"Mensaje original", "Messaggio originale", "Oorspronkelijk bericht",
	"Mensagem original", "Исходное сообщение", "Oryginalna wiadomość",
	"元のメッセージ", "原始邮件", NULL};
static const char *const from_words[] = {"From:", "Von:", "De:", "De :", "Da:", "Van:",
	"От:", "Från:", "Fra:", "差出人:", "发件人:", NULL};
static const char *const other_words[] = {"Sent:", "Date:", "To:", "Cc:", "Subject:",
	"Gesendet:", "Datum:", "An:", "Betreff:", "Envoyé :", "Envoyé:", "Date :", "À :",
	"À:", "Objet :", "Objet:", "Enviado:", "Enviado el:", "Enviada em:", "Fecha:",
	"Para:", "Asunto:", "Assunto:", "Inviato:", "A:", "Oggetto:", "Data:",
	"Verzonden:", "Aan:", "Onderwerp:", "Отправлено:", "Дата:", "Кому:", "Тема:",
	"Skickat:", "Till:", "Ämne:", "Sendt:", "Til:", "Emne:", "送信日時:", "宛先:",
	"件名:", "发送时间:", "收件人:", "主题:", NULL};
static const char *const sent_from_words[] = {"Sent from my ", "Sent from Mail for ",
	"Von meinem ", "Gesendet von ", "Envoyé de mon ", "Enviado desde mi ",
	"Inviato da ", "Get Outlook for ", "Verstuurd vanaf mijn ", NULL};
static const char *const forward_words[] = {"Fwd:", "Fw:", "WG:", "TR:", "RV:", "I:",
	"Doorst:", "VS:", "转发:", "轉寄:", NULL};
static const char *const reply_words[] = {"Re:", "Aw:", "Sv:", "Antw:", "Rif:", "R:",
	"Odp:", "RE :", "回复:", "回覆:", "返信:", NULL};

/* ---- Lines ---- */

static bool lines_init(struct lines *lines, const char *text, size_t length)
{
	size_t count = 1;

	for (size_t i = 0; i < length; i++)
		count += text[i] == '\n';
	*lines = (struct lines){.count = 0};
	if (count > LINES_MAX)
		return false;
	lines->items = calloc(count, sizeof(*lines->items));
	if (lines->items == NULL)
		return false;
	for (size_t at = 0; at <= length;) {
		const char *end =
			at < length ? memchr(text + at, '\n', length - at) : NULL;
		size_t size = end == NULL ? length - at : (size_t)(end - text) - at;
		struct line *line = &lines->items[lines->count++];
		size_t first = 0;

		at += size + 1;
		line->text = text + at - size - 1;
		while (size > 0 && line->text[size - 1] == '\r')
			size--;
		line->length = size;
		while (first < size && strchr(" \t\v\f\r", line->text[first]) != NULL)
			first++;
		line->blank = first == size;
		line->quoted = size > 0 && line->text[0] == '>';
	}
	return true;
}

/* ---- Where the history begins ---- */

/* Is line @at the first of "From: … Sent: … To: …", as some clients repeat the header? */
static bool is_header_block(const struct lines *lines, size_t at)
{
	size_t found = 0, seen = 0;
	const char *text = lines->items[at].text;
	size_t length = lines->items[at].length;

	while (length > 0 && (*text == '*' || *text == ' '))
		text++, length--;
	if (!starts_any(text, length, from_words))
		return false;
	for (size_t i = at + 1; i < lines->count && seen < 6; i++) {
		text = lines->items[i].text;
		length = lines->items[i].length;
		if (lines->items[i].blank)
			break;
		while (length > 0 && (*text == '*' || *text == ' '))
			text++, length--;
		found += starts_any(text, length, other_words);
		seen++;
	}
	return found >= 2;
}

static bool is_rule(const struct line *line)
{
	size_t i = 0;

	while (i < line->length && line->text[i] == '_')
		i++;
	return i >= 10 && i == line->length;
}

/* The first line of a history that is not marked line by line; the count of lines: none. */
static size_t find_history(const struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		const struct line *line = &lines->items[i];

		if (starts(line->text, line->length, "-----") &&
			holds_any(line->text, line->length, original_words))
			return i;
		if (is_rule(line) && i + 1 < lines->count &&
			is_header_block(lines, i + 1))
			return i;
		if (is_header_block(lines, i))
			return i;
	}
	return lines->count;
}

/* Lines of an announcement that begins at @at; 0: there is none. */
static size_t announcement_at(const struct lines *lines, size_t at)
{
	char joined[ATTRIBUTION_MAX];
	size_t used = 0;

	if (lines->items[at].blank || lines->items[at].quoted ||
		!starts_any(lines->items[at].text, lines->items[at].length,
			announcement_begins))
		return 0;
	for (size_t i = 0; i < ATTRIBUTION_LINES && at + i < lines->count; i++) {
		const struct line *line = &lines->items[at + i];
		const char *last;

		if (line->blank || line->quoted ||
			line->length + 2 > sizeof(joined) - used)
			return 0;
		joined[used++] = ' ';
		memcpy(joined + used, line->text, line->length);
		used += line->length;
		while (used > 0 && joined[used - 1] == ' ')
			used--;
		last = joined + used;
		if (joined[used - 1] != ':' &&
			!(used >= 3 && memcmp(last - 3, "\xEF\xBC\x9A", 3) == 0))
			continue;
		if (holds_any(joined, used, announcement_words))
			return i + 1;
		/* A date, an address and a colon, in a language that is not listed. */
		if (memchr(joined, '@', used) != NULL &&
			memchr(joined, '>', used) != NULL &&
			strcspn(joined, "0123456789") < used)
			return i + 1;
	}
	return 0;
}

/*
 * Announcements belong to what they announce.  One that is followed by lines without marks
 * (some clients only indent) begins a history: then its line is returned.
 */
static size_t mark_announcements(struct lines *lines, size_t end)
{
	for (size_t i = 0; i < end; i++) {
		size_t count = announcement_at(lines, i), next;

		if (count == 0 || i + count > end)
			continue;
		for (next = i + count; next < end && lines->items[next].blank; next++)
			;
		if (next < end && !lines->items[next].quoted)
			return i;
		for (size_t k = i; k < i + count; k++)
			lines->items[k].quoted = true;
	}
	return end;
}

static size_t trim_end(const struct lines *lines, size_t begin, size_t end, bool quotes)
{
	while (end > begin &&
		(lines->items[end - 1].blank || (quotes && lines->items[end - 1].quoted)))
		end--;
	return end;
}

/* The one quotation above the answer; where there are several they are answered one by one. */
static size_t skip_quotation(const struct lines *lines, size_t end)
{
	size_t at = 0;

	while (at < end && (lines->items[at].blank || lines->items[at].quoted))
		at++;
	for (size_t i = at; i < end; i++) {
		if (lines->items[i].quoted)
			return 0;
	}
	return at;
}

static size_t cut_signature(const struct lines *lines, size_t begin, size_t end)
{
	for (size_t i = begin; i < end; i++) {
		const struct line *line = &lines->items[i];

		if ((line->length == 2 && memcmp(line->text, "--", 2) == 0) ||
			(line->length == 3 && memcmp(line->text, "-- ", 3) == 0))
			return trim_end(lines, begin, i, false);
	}
	end = trim_end(lines, begin, end, false);
	if (end > begin && lines->items[end - 1].length < 60 &&
		starts_any(lines->items[end - 1].text, lines->items[end - 1].length,
			sent_from_words))
		return trim_end(lines, begin, end - 1, false);
	return end;
}

static void append(
	struct cg_buffer *ret, const struct lines *lines, size_t begin, size_t end)
{
	while (begin < end && lines->items[begin].blank)
		begin++;
	for (size_t i = begin; i < end; i++) {
		if (i > begin)
			cg_buffer_char(ret, '\n');
		cg_buffer_add(ret, lines->items[i].text, lines->items[i].length);
	}
}

enum cg_status quote_cut(
	struct cg_buffer *ret, const char *text, size_t length, bool forwarded)
{
	struct lines lines;
	size_t begin, end;

	if (!lines_init(&lines, text, length))
		return cg_buffer_add(ret, text, length);
	end = lines.count;
	begin = 0;
	if (!forwarded) {
		end = find_history(&lines);
		end = mark_announcements(&lines, end);
		end = trim_end(&lines, 0, end, true);
		begin = skip_quotation(&lines, end);
		end = cut_signature(&lines, begin, end);
	}
	if (end <= begin) { /* nothing of one's own */
		begin = 0;
		end = trim_end(&lines, 0, lines.count, false);
	}
	append(ret, &lines, begin, end);
	free(lines.items);
	return cg_buffer_status(ret);
}

/* ---- Subjects ---- */

bool quote_is_forward(const char *subject)
{
	subject += strspn(subject, " ");
	return starts_any(subject, strlen(subject), forward_words);
}

const char *quote_bare_subject(const char *subject)
{
	for (;;) {
		const char *const *word = reply_words;

		subject += strspn(subject, " \t");
		while (*word != NULL && !starts(subject, strlen(subject), *word))
			word++;
		if (*word == NULL)
			return subject;
		subject += strlen(*word);
	}
}
