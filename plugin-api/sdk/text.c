/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, times, numbers and chat commands. */
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

#define MS_PER_DAY INT64_C(86400000)
#define DAYS_TO_EPOCH INT64_C(719468) /* from 0000-03-01 to 1970-01-01 */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

size_t cg_utf8_decode(const char *text, size_t length, uint32_t *ret)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t *bytes = (const uint8_t *)text;
	uint32_t point;
	size_t count;

	if (length == 0)
		return 0;
	if (bytes[0] < 0x80) {
		*ret = bytes[0];
		return 1;
	}
	if (bytes[0] < 0xC2 || bytes[0] > 0xF4)
		return 0;
	count = bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4;
	if (count > length)
		return 0;
	point = bytes[0] & (0x7Fu >> count);
	for (size_t i = 1; i < count; i++) {
		if ((bytes[i] & 0xC0) != 0x80)
			return 0;
		point = point << 6 | (bytes[i] & 0x3F);
	}
	if (point < smallest[count] || point > 0x10FFFF ||
		(point >= 0xD800 && point <= 0xDFFF))
		return 0;
	*ret = point;
	return count;
}

size_t cg_utf8_encode(uint32_t point, char ret[4])
{
	if (point < 0x80) {
		ret[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		ret[0] = (char)(0xC0 | point >> 6);
		ret[1] = (char)(0x80 | (point & 0x3F));
		return 2;
	}
	if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
		point = CG_UTF8_REPLACEMENT;
	if (point < 0x10000) {
		ret[0] = (char)(0xE0 | point >> 12);
		ret[1] = (char)(0x80 | (point >> 6 & 0x3F));
		ret[2] = (char)(0x80 | (point & 0x3F));
		return 3;
	}
	ret[0] = (char)(0xF0 | point >> 18);
	ret[1] = (char)(0x80 | (point >> 12 & 0x3F));
	ret[2] = (char)(0x80 | (point >> 6 & 0x3F));
	ret[3] = (char)(0x80 | (point & 0x3F));
	return 4;
}

/* Length of the leading ASCII, found a word at a time; may stop up to 7 bytes early. */
static size_t ascii_run(const char *text, size_t length)
{
	size_t at = 0;

	for (; length - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, text + at, sizeof(word));
		if ((word & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	return at;
}

bool cg_utf8_valid(const char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		uint32_t point;
		size_t step = ascii_run(text + at, length - at);

		if (step == 0)
			step = cg_utf8_decode(text + at, length - at, &point);
		if (step == 0)
			return false;
		at += step;
	}
	return true;
}

enum cg_status cg_utf8_repair(struct cg_buffer *buffer, const char *text, size_t length)
{
	size_t good = 0; /* start of what has not been copied */

	for (size_t at = 0; at < length;) {
		uint32_t point;
		size_t step = cg_utf8_decode(text + at, length - at, &point);

		if (step > 0) {
			at += step;
			continue;
		}
		cg_buffer_add(buffer, text + good, at - good);
		cg_buffer_text(buffer, CG_UTF8_REPLACEMENT_TEXT);
		good = ++at;
	}
	return cg_buffer_add(buffer, text + good, length - good);
}

size_t cg_text_measure(const char *text, size_t length, enum cg_text_unit unit)
{
	size_t units = 0;

	if (unit == CG_UNIT_BYTES)
		return length;
	/* A character is its lead byte; one of four bytes is a surrogate pair in UTF-16. */
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = (uint8_t)text[i];

		units += (byte & 0xC0) != 0x80;
		units += unit == CG_UNIT_UTF16 && byte >= 0xF0;
	}
	return units;
}

size_t cg_text_step(const char *text, size_t length)
{
	uint32_t point;
	size_t step = cg_utf8_decode(text, length, &point);

	return step > 0 || length == 0 ? step : 1;
}

size_t cg_text_prefix(
	const char *text, size_t length, enum cg_text_unit unit, size_t limit)
{
	size_t units = 0;
	size_t at = 0;

	if (length <= limit)
		return length; /* no unit is smaller than a byte */
	while (at < length) {
		size_t step = cg_text_step(text + at, length - at);

		units += cg_text_measure(text + at, step, unit);
		if (units > limit)
			break;
		at += step;
	}
	return at;
}

bool cg_text_is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7F && point < 0xA0);
}

bool cg_text_clean(const char *text, size_t length, size_t limit)
{
	if (length > limit)
		return false;
	for (size_t at = 0; at < length;) {
		uint32_t point = 0;
		size_t step = cg_utf8_decode(text + at, length - at, &point);

		if (step == 0 || cg_text_is_control(point))
			return false;
		at += step;
	}
	return true;
}

bool cg_text_blank(const char *text)
{
	if (text == NULL)
		return true;
	while (is_blank(*text))
		text++;
	return *text == '\0';
}

void cg_text_copy(char *ret, size_t size, const char *text)
{
	size_t length;

	if (size == 0)
		return;
	length = cg_text_prefix(text, strlen(text), CG_UNIT_BYTES, size - 1);
	memmove(ret, text, length);
	ret[length] = '\0';
}

/* The proleptic Gregorian calendar, counted in years that begin on the first of March. */
static int64_t days_from_date(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (int64_t)((month + 9) % 12) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - DAYS_TO_EPOCH;
}

/* @days at or after 0000-03-01. */
static void date_from_days(int64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	unsigned shifted = (unsigned)(days + DAYS_TO_EPOCH);
	unsigned era = shifted / 146097;
	unsigned of_era = shifted % 146097;
	unsigned years =
		(of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * years + years / 4 - years / 100);
	unsigned march_month = (5 * of_year + 2) / 153;

	*day = of_year - (153 * march_month + 2) / 5 + 1;
	*month = march_month < 10 ? march_month + 3 : march_month - 9;
	*year = era * 400 + years + (*month <= 2);
}

/* The lowest @count digits.  Each event and record has several times: no printf. */
static void write_digits(char *ret, size_t count, unsigned value)
{
	while (count > 0) {
		ret[--count] = (char)('0' + value % 10);
		value /= 10;
	}
}

void cg_time_format(int64_t wall_ms, char ret[CG_TIME_TEXT])
{
	const int64_t first = days_from_date(1, 1, 1) * MS_PER_DAY;
	const int64_t last = days_from_date(10000, 1, 1) * MS_PER_DAY - 1;
	unsigned year, month, day;
	unsigned ms;
	int64_t days;

	if (wall_ms < first)
		wall_ms = first;
	if (wall_ms > last)
		wall_ms = last;
	days = (wall_ms - first) / MS_PER_DAY + first / MS_PER_DAY;
	ms = (unsigned)(wall_ms - days * MS_PER_DAY);
	date_from_days(days, &year, &month, &day);
	memcpy(ret, "0000-00-00T00:00:00.000Z", CG_TIME_TEXT);
	write_digits(ret, 4, year);
	write_digits(ret + 5, 2, month);
	write_digits(ret + 8, 2, day);
	write_digits(ret + 11, 2, ms / 3600000);
	write_digits(ret + 14, 2, ms / 60000 % 60);
	write_digits(ret + 17, 2, ms / 1000 % 60);
	write_digits(ret + 20, 3, ms % 1000);
}

/* Exactly @count digits, which must lie in @low .. @high; moves *@text behind them. */
static bool read_digits(
	const char **text, int count, unsigned low, unsigned high, unsigned *ret)
{
	unsigned value = 0;

	for (int i = 0; i < count; i++, (*text)++) {
		if (!is_digit(**text))
			return false;
		value = value * 10 + (unsigned)(**text - '0');
	}
	*ret = value;
	return value >= low && value <= high;
}

static bool read_char(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

/* An optional fraction of a second, cut to milliseconds. */
static bool read_fraction(const char **text, unsigned *ret_ms)
{
	unsigned scale = 100;

	*ret_ms = 0;
	if (!read_char(text, '.'))
		return true;
	if (!is_digit(**text))
		return false;
	for (; is_digit(**text); (*text)++) {
		*ret_ms += scale * (unsigned)(**text - '0');
		scale /= 10;
	}
	return true;
}

/* "Z" or "+hh:mm", in minutes east. */
static bool read_zone(const char **text, int *ret_minutes)
{
	unsigned hours, minutes;
	int sign;

	*ret_minutes = 0;
	if (read_char(text, 'Z'))
		return true;
	sign = **text == '-' ? -1 : 1;
	if (!read_char(text, '+') && !read_char(text, '-'))
		return false;
	if (!read_digits(text, 2, 0, 23, &hours) || !read_char(text, ':') ||
		!read_digits(text, 2, 0, 59, &minutes))
		return false;
	*ret_minutes = sign * (int)(hours * 60 + minutes);
	return true;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
	static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

bool cg_time_parse(const char *text, int64_t *ret_wall_ms)
{
	unsigned year, month, day, hour, minute, second, ms;
	int zone;

	if (!read_digits(&text, 4, 1, 9999, &year) || !read_char(&text, '-') ||
		!read_digits(&text, 2, 1, 12, &month) || !read_char(&text, '-') ||
		!read_digits(&text, 2, 1, days_in_month(year, month), &day) ||
		!read_char(&text, 'T'))
		return false;
	if (!read_digits(&text, 2, 0, 23, &hour) || !read_char(&text, ':') ||
		!read_digits(&text, 2, 0, 59, &minute) || !read_char(&text, ':') ||
		!read_digits(&text, 2, 0, 59, &second))
		return false;
	if (!read_fraction(&text, &ms) || !read_zone(&text, &zone) || *text != '\0')
		return false;
	*ret_wall_ms = days_from_date(year, month, day) * MS_PER_DAY +
		       ((int64_t)hour * 60 + (int64_t)minute - zone) * 60000 +
		       (int64_t)second * 1000 + (int64_t)ms;
	return true;
}

bool cg_parse_int(const char *text, int64_t *ret)
{
	bool negative = *text == '-';
	const char *digit = text + negative;
	int64_t value = 0;

	if (*digit == '\0')
		return false;
	/* Counted downwards, since the negative range is the larger one. */
	for (; is_digit(*digit); digit++) {
		int64_t next = *digit - '0';

		if (value < (INT64_MIN + next) / 10)
			return false;
		value = value * 10 - next;
	}
	if (*digit != '\0' || (!negative && value == INT64_MIN))
		return false;
	*ret = negative ? value : -value;
	return true;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '-';
}

bool cg_command_parse(const char *text, struct cg_command *ret)
{
	struct cg_command command = {0};
	size_t length = 0;

	if (*text++ != '/')
		return false;
	for (; *text != '\0' && *text != '@' && !is_blank(*text); text++) {
		char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;

		if (!is_name_char(c) || length == sizeof(command.name) - 1)
			return false;
		command.name[length++] = c;
	}
	if (command.name[0] < 'a' || command.name[0] > 'z')
		return false;
	if (*text == '@') {
		length = strcspn(++text, " \t\n\v\f\r");
		if (length == 0 || length >= sizeof(command.mention))
			return false;
		memcpy(command.mention, text, length);
		text += length;
	}
	while (is_blank(*text))
		text++;
	command.args = text;
	*ret = command;
	return true;
}
