// Memory set and copied, names that compilers build in, macros with any number of arguments.
#define CALL(f, ...) f(__VA_ARGS__)
#define SUM(first, rest...) (first rest)
#define LAST(a, ...) (a, ## __VA_ARGS__)
#define NONE() 1
#define GLUE(a, b) a##b
#define LIKELY(c) __builtin_expect(!!(c), 1)

void k(double *x, int *n) {
  double a[2][2] = {{1, 2}, {3, 4}};
  memset(x + 4, 0, 2 * sizeof(double));
  memcpy(x, a, sizeof a);
  memcpy(n + 1, n + 3, 3 * sizeof(int));
  memset(a, 0, sizeof(a));
  x[6] = a[1][1];
  for (int i = 0; i < 2; i++) {
    double c[3];
    __builtin_memset(c + 1, 0, 2 * sizeof c[0]);
    c[0] = i;
    __builtin_memcpy(&x[7 + i], c, sizeof *c);
  }
  x[9] = __builtin_fabs(-2.0) + __builtin_sqrt(9.0) + __builtin_fma(2.0, 3.0, 4.0);
  x[10] = LIKELY(x[0] > 0) ? __builtin_inf() : 0;
  n[4] = __builtin_expect(0.5, 0);
  const double *y = __builtin_assume_aligned(x, 32);
  x[11] = y[3];
  x[12] = CALL(fmax, 1.0, CALL(fmin, 3.0, 4.0));
  n[5] = SUM(1, + 2 * 3) + NONE();
  n[6] = LAST(7) + LAST(8, 9);
  n[7] = GLUE(1, ) + GLUE(, 2) + GLUE(3, 4);
}
// status 0 1.0 2.0 3.0 4.0 0.0 0.0 0.0 0.0 1.0 15.0 inf 4.0 3.0 7.5 8.0 8.5 0 3 4 5 0 8 16 37 8 9 10 11 12 13 14 15
