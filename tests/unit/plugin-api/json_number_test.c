/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers go to text and back without loss, in any locale. */
#include "plugin-api/sdk/json_number.h"

#include "tests/unit/unit.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <string.h>

static void check_round_trips(void)
{
	static const double values[] = {0, -0.0, 1, 0.1, 1.0 / 3, 1e300, -2.5e-7, DBL_MIN,
		DBL_MAX, -DBL_MAX, 5e-324, 4503599627370497.5};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char text[CG_NUMBER_TEXT];
		double back;

		cg_number_write(values[i], text);
		back = cg_number_read(text);
		CU_ASSERT_EQUAL(memcmp(&back, &values[i], sizeof(back)), 0);
		CU_ASSERT_PTR_NULL(strchr(text, ','));
	}
}

static void numbers_come_back_as_they_were(void)
{
	char text[CG_NUMBER_TEXT];

	check_round_trips();
	cg_number_write(0.1, text);
	CU_ASSERT_STRING_EQUAL(text, "0.1");
	cg_number_write(0.1 + 0.2, text);
	CU_ASSERT_STRING_EQUAL(text, "0.30000000000000004");
	CU_ASSERT_TRUE(isinf(cg_number_read("1e999")));
	CU_ASSERT_EQUAL(cg_number_read("1e-999"), 0);
}

/* Where 1.5 is written 1,5; passed over where no such locale is installed. */
static void a_locale_changes_nothing(void)
{
	static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"};
	locale_t foreign = (locale_t)0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && foreign == (locale_t)0;
		i++)
		foreign = newlocale(LC_ALL_MASK, names[i], (locale_t)0);
	if (foreign != (locale_t)0) {
		locale_t outer = uselocale(foreign);

		check_round_trips();
		CU_ASSERT_EQUAL(cg_number_read("1.5"), 1.5);
		/* The thread has the locale that it had. */
		CU_ASSERT_PTR_EQUAL(uselocale((locale_t)0), foreign);
		uselocale(outer);
		freelocale(foreign);
	}
	CU_ASSERT_EQUAL(cg_number_read("1.5"), 1.5);
}

UNIT_SUITE(json_number, UNIT_TEST(numbers_come_back_as_they_were),
	UNIT_TEST(a_locale_changes_nothing));
