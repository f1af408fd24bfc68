/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as JSON writes them: a decimal point is a point, whatever the process's locale says.
 * Private to the SDK.
 */
#ifndef COWGATE_SDK_JSON_NUMBER_H
#define COWGATE_SDK_JSON_NUMBER_H

#define CG_NUMBER_TEXT 32 /* bytes of any double at 17 digits, with its NUL */

/* Of a number that the lexer has let through; infinite when it is beyond a double. */
double cg_number_read(const char *text);

/* The shortest text that reads back as @value, which is finite. */
void cg_number_write(double value, char ret[CG_NUMBER_TEXT]);

#endif
