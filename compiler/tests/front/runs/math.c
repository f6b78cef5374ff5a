#include <math.h>
void k(double *x, int *n) {
  x[0] = sqrt(x[1]) + fabs(-2) + floor(2.5) + ceil(2.5); x[1] = fmin(x[1], 1) + fmax(3, 4.5f); x[2] = sqrtf(2); x[3] = fma(2, 3, 4);
  x[4] = trunc(-2.7) + rint(2.5) + nearbyint(3.5) + copysign(3, -0.0); n[0] = abs(-3) + labs(-4); x[5] = M_PI; x[6] = fdim(3, 1) + fdim(1, 3);
  n[1] = isnan(x[0]) + 2 * isfinite(x[0]) + 4 * isinf(INFINITY) + 8 * (signbit(-0.0) != 0); x[7] = fabsf(-0.1); x[8] = INT_MAX;
  n[2] = x[0] != x[0]; x[9] = (long)M_E; x[10] = fminf(1.5f, 2);
}
// status 0 8.22474487139159 5.5 1.4142135381698608 10.0 1.0 3.141592653589793 2.0 0.10000000149011612 2147483647.0 2.0 1.5 6.5 7.0 7.5 8.0 8.5 7 14 0 3 4 5 6 7 8 9 10 11 12 13 14 15
