/* SPDX-License-Identifier: MIT */
/* survey.h: where each block and each resident page is. */
#ifndef LIFE_SURVEY_H
#define LIFE_SURVEY_H

#pragma GCC visibility push(hidden)

void survey_init(void); /* in the constructor, after the settings */

/* Into the segment, if it was asked for; when the process ends. */
void survey_take(void);

#pragma GCC visibility pop

#endif
