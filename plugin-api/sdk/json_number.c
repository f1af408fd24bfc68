/* SPDX-License-Identifier: Apache-2.0 */
#include "json_number.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t locale_once = PTHREAD_ONCE_INIT;
static locale_t plain_locale;

static void make_locale(void)
{
	plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (plain_locale == (locale_t)0)
		abort();
}

/* Switch to the plain locale; give the result back to uselocale(). */
static locale_t enter_locale(void)
{
	pthread_once(&locale_once, make_locale);
	return uselocale(plain_locale);
}

double cg_number_read(const char *text)
{
	locale_t outer = enter_locale();
	double value = strtod(text, NULL);

	uselocale(outer);
	return value;
}

void cg_number_write(double value, char ret[CG_NUMBER_TEXT])
{
	locale_t outer = enter_locale();

	for (int digits = 1; digits <= 17; digits++) {
		double back;

		snprintf(ret, CG_NUMBER_TEXT, "%.*g", digits, value);
		back = strtod(ret, NULL);
		if (memcmp(&back, &value, sizeof(back)) == 0)
			break;
	}
	uselocale(outer);
}
