#include <math.h>
#if defined(__GNUC__) && !defined(NOPE) || 0x7fffffff + 1 > 3 / 1 % 7
#define N 3
#elif 1 ? 2 : 1 / 0
#define N 1 / 0
#else
#error no
#endif
#define STR(x) #x
#define CAT(a, b) a##b
#define SQ(x) ((x) * (x))
#define EACH(i, n) for (int i = 0; i < (n); i++)
#define ITSELF ITSELF + 1
#define VAR(...) __VA_ARGS__
#undef NOPE
#ifdef N
#pragma once
#line 77 "x.c"
void k(const double *a, double *b) { EACH(i, N) { CAT(b, )[i] = SQ(a[i] + VAR(1, 2)); } }
#endif
