/* SPDX-License-Identifier: Apache-2.0 */
/* A shared library that is no plugin at all. */
extern __attribute__((visibility("default"))) const int something_else;
const int something_else = 1;
