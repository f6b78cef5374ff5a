// == a local array indexed by constants
// args: read f64 3; write f64 3
void k(const double *a, double *b) { double t[3]; t[0] = a[2]; t[1] = a[0] * t[0]; t[2] = t[1] - t[0]; for (int i = 0; i < 3; i++) b[i] = t[i]; }
// == a local array indexed by data
// args: read i32 2; read f64 4; write f64 2
void k(const int *n, const double *a, double *b) { double t[4] = {1, 2}; t[n[0] & 3] = a[0]; t[n[1] & 3] += a[1]; b[0] = t[2] + t[(n[0] + 1) & 3]; b[1] = t[0] * t[3]; }
// == arrays of two and three dimensions, initialised in part
// args: read f64 4; write f64 4
void k(const double *a, double *b) { double m[2][2] = {{1, 2}, {3}}; double q[2][2][2] = {{{1}}, {{2, 3}, {4, 5}}}; for (int i = 0; i < 2; i++) for (int j = 0; j < 2; j++) { m[i][j] += a[2 * i + j] * q[1][i][j]; b[2 * j + i] = m[i][j] + q[0][i][j]; } }
// == a matrix product
// args: read f64 9; read f64 3; write f64 3
void k(const double A[3][3], const double *x, double *y) { for (int i = 0; i < 3; i++) { double s = 0; for (int j = 0; j < 3; j++) s += A[i][j] * x[j]; y[i] = s; } }
// == a table indexed by data
// args: read u8 1; write f64 2
void k(const uint8_t *p, double *b) { static const double t[4][2] = {{0.5, 1.5}, {2.5, -3.5}, {1e-300, 1e300}, {7}}; b[0] = t[p[0] & 3][0]; b[1] = t[(p[0] >> 1) & 3][p[0] & 1]; }
// == tables of integers of many widths
// args: read i32 1; write i64 4
void k(const int *n, int64_t *b) { static const int8_t s[] = {-1, 2, -3, 4}; static const uint16_t u[4] = {65535, 1, 2, 3}; static const int64_t w[4] = {1LL << 40, -5}; const int t[2][2] = {{1, 2}, {3, 4}}; int i = n[0] & 3; b[0] = s[i]; b[1] = u[i]; b[2] = w[i]; b[3] = t[i & 1][i >> 1]; }
// == arrays of small integers and floats
// args: read i32 4; write i32 4; write f32 2
void k(const int *a, int *b, float *f) { int8_t s[4]; uint16_t u[4]; float g[2] = {0.1f, 0.2}; for (int i = 0; i < 4; i++) { s[i] = a[i] * 5; u[i] = s[i]; } for (int i = 0; i < 4; i++) b[i] = s[3 - i] + u[i]; g[a[0] & 1] += a[1]; f[0] = g[0]; f[1] = g[1]; }
// == an array too long to be values
// args: read f64 1; read i32 1; write f64 2
void k(const double *a, const int *n, double *b) { double t[200]; for (int i = 0; i < 200; i++) t[i] = a[0] * i; t[n[0] & 127] = 1; double s = 0; for (int i = 199; i >= 0; i -= 7) s += t[i]; b[0] = s; b[1] = t[(n[0] & 63) + 3]; }
// == an array passed to a function that fills it
// args: read f64 2; write f64 3
// function: k
static void fill(double t[3], const double *a, int n) { for (int i = 0; i < n; i++) t[i] = a[0] + i * a[1]; }
void k(const double *a, double *b) { double t[3] = {0}; fill(t, a, 2); fill(b, t + 1, 3); b[2] += t[2]; }
// == extents that are constant expressions
// args: read f64 4; write f64 4
#define DIM 2
enum { N = DIM * DIM };
void k(const double *a, double *b) { double t[DIM * DIM] = {0}; double u[N + 1 - 1]; for (int i = 0; i < N; ++i) { t[i] += a[N - 1 - i]; u[i] = t[i] * t[i]; } for (int i = 0; i < N; ++i) b[i] = u[i] - t[i]; }
// == an array of bool
// args: read i32 3; write i32 3
void k(const int *a, int *b) { bool p[3]; for (int i = 0; i < 3; i++) p[i] = a[i] & 2; for (int i = 0; i < 3; i++) b[i] = p[i] + p[(a[0] & 1) + 1] * 2; }
// == loops inside of loops over tables, as finite elements have them
// args: read f64 2 through wide; inc f64 1 through wide
void k(const double x[3][2], double *A) {
  static const double w[3] = {0.16, 0.33, 0.51}, phi[3][3] = {{0.1, 0.2, 0.7}, {0.6, 0.2, 0.2}, {0.3, 0.3, 0.4}};
  double J = (x[1][0] - x[0][0]) * (x[2][1] - x[0][1]) - (x[1][1] - x[0][1]) * (x[2][0] - x[0][0]);
  for (int q = 0; q < 3; ++q) { double f = 0; for (int i = 0; i < 3; ++i) f += phi[q][i] * x[i][0]; for (int i = 0; i < 3; ++i) A[i] += w[q] * fabs(J) * phi[q][i] * f; }
}
// == memory set to zero and copied, and a pointer given its value later
// args: read f64 6; rw f64 6
void k(const double *a, double *b) {
  double t[3][2], u[6] = {[4] = 2, [1] = 3}; double *p;
  memcpy(t, a, sizeof t); p = b + 1;
  for (int i = 0; i < 3; i++) { double s[2]; memset(s, 0, sizeof s); s[i & 1] = t[i][1]; memcpy(p + i, s, sizeof s); }
  memset(b + 4, 0, 2 * sizeof(double)); b[5] -= u[1] * u[4] + p[0];
}
// == a designator gives an inner array all its values anew
// args: write f64 13
void k(double *y) {
  static const double t[2][3] = {{1, 2, 3}, [0] = {4}}; double u[2][3] = {{1, 2, 3}, {5, 6, 7}, [0] = {[1] = 4}}; int w[4] = {1, 2, 3, 4, [1] = 9};
  for (int i = 0; i < 3; i++) { y[i] = t[0][i]; y[3 + i] = u[0][i]; y[6 + i] = u[1][i]; y[9 + i] = w[i]; }
  y[12] = w[3];
}
// == an array of a loop's body that only some trips write
// args: read f64 2; write f64 2
void k(const double *w, double *b) { b[0] = 0; b[1] = 0; for (int i = 0; i < 20; i++) { double t[2] = {0}; if (w[i & 1] > 0) { t[0] = w[0] * i; t[1] = 1; } b[0] += t[0]; b[1] += t[1]; } }
// == an array that a loop fills reads only what it filled
// args: read f64 2; write f64 2
void k(const double *w, double *b) { double t[20] = {0}; double u[20] = {0}; for (int i = 0; i < 20; i++) { t[i] = w[0] * i; u[i] = w[1] + i; } for (int i = 1; i < 20; i++) b[0] = t[i] - u[i - 1]; b[1] = t[0] + u[19]; }
// == an array that a loop fills and reads ahead of
// args: read f64 2; write f64 2
void k(const double *w, double *b) { double t[20] = {0}; for (int i = 0; i < 20; i++) { t[i] = w[0] * i; b[0] = t[19 - i]; } b[1] = t[19]; }
// == small arrays that an inner loop reads whole
// args: read f64 6; rw f64 36
void k(const double *w, double *A) { double t[6], u[6], v[6], s[6], r[6]; for (int q = 0; q < 3; q++) { for (int j = 0; j < 6; j++) { t[j] = w[j] * q; u[j] = w[j] + q; v[j] = w[5 - j]; s[j] = t[j] * v[j]; r[j] = 1 - u[j]; } for (int i = 0; i < 6; i++) for (int j = 0; j < 6; j++) for (int l = 0; l < 3; l++) A[6 * i + j] += w[i] * t[j] + u[j] * v[i] - s[j] * l + r[j]; } }
// == stores to an array that is cleared again
// args: read f64 2; write f64 2
void k(const double *w, double *b) { for (int i = 0; i < 18; i++) { double t[2] = {w[0], w[1]}; b[0] = t[0] * i; t[0] = 5; } double t[2] = {0}; b[1] = t[(int)(w[0] > 0)]; }
