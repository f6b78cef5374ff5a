#define SQ(x) ((x) * (x))
#define CAT(a, b) a##b
#define TWICE CAT(tw, ice)
static inline double clamp(double v, double lo, double hi) { if (v < lo) return lo; if (v > hi) return hi; return v; }
static void axpy(int n, double a, const double *restrict x, double *restrict y) { for (int i = 0; i < n; i++) y[i] += a * x[i]; }
static double dot(const double x[3], const double *y) { double s = 0; for (int i = 0; i < 3; ++i) s += x[i] * y[i]; return s; }
static int find(const int *n, int v) { for (int i = 0; i < 16; i++) if (n[i] == v) return i; return -1; }
static void swap(double *a, double *b) { double t = *a; *a = *b; *b = t; }
static int twice(int v) { return v + v; }
static void minmax(const double *x, double *lo, double *hi) { *lo = x[0]; *hi = x[0]; for (int i = 1; i < 4; i++) { if (x[i] < *lo) *lo = x[i]; if (x[i] > *hi) *hi = x[i]; } }
static double det(const double m[2][2]) { return m[0][0] * m[1][1] - m[0][1] * m[1][0]; }
static int sign(double v) { if (v > 0) { return 1; } else if (v < 0) { return -1; } else { return 0; } }
static void nothing(double *x, int go) { if (!go) return; x[0] += 1; if (go > 1) return; x[0] += 10; }
void k(double *x, int *n) {
  double t[3] = {1, 2, 3}, lo, hi, m[2][2] = {{1, 2}, {3, 4}};
  x[0] = clamp(x[1], 2, 3) + clamp(x[9], 2, 3) + clamp(2.5, 2, 3);
  axpy(3, 2.0, t, &x[1]);
  x[4] = dot(t, x + 3);
  n[0] = find(n, 5); n[1] = find(n, 99);
  swap(&x[5], &x[6]);
  n[2] = TWICE(21);
  minmax(x, &lo, &hi);
  x[7] = lo; x[8] = hi; x[9] = det(m); x[10] = SQ(x[11] + 1);
  n[3] = sign(-2) + 10 * sign(3) + 100 * sign(0);
  nothing(x + 11, n[4]); nothing(x + 12, 1); nothing(x + 13, 0);
  n[5] = twice(twice(n[5]));
}
// status 0 7.5 3.5 6.0 8.5 25.0 4.0 3.5 3.5 8.5 -2.0 56.25 7.5 18.0 7.5 8.0 8.5 5 -1 42 9 4 20 6 7 8 9 10 11 12 13 14 15
