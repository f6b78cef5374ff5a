// Complex numbers: arithmetic, mixed operands, functions, and complex dats through maps.

// == sums, products and quotients
// args: read c128 2; write c128 4
void k(const double _Complex *a, double _Complex *r) { r[0] = a[0] + a[1]; r[1] = a[0] - a[1]; r[2] = a[0] * a[1]; r[3] = a[0] / a[1]; }
// == the same in float
// args: read c64 2; write c64 4
void k(const float _Complex *a, float _Complex *r) { r[0] = a[0] + a[1]; r[1] = a[0] - a[1]; r[2] = a[0] * a[1]; r[3] = a[0] / a[1]; }
// == a real operand stays real
// args: read c128 1; read f64 1; write c128 8
void k(const double complex *a, const double *x, double complex *r) {
  r[0] = a[0] + x[0]; r[1] = x[0] + a[0]; r[2] = a[0] - x[0]; r[3] = x[0] - a[0];
  r[4] = a[0] * x[0]; r[5] = x[0] * a[0]; r[6] = a[0] / x[0]; r[7] = x[0] / a[0];
}
// == integers and floats join in
// args: read c64 1; read i32 1; read f64 1; write c64 3; write c128 3
void k(const float complex *a, const int *n, const double *x, float complex *r, double complex *z) {
  r[0] = a[0] * n[0]; r[1] = n[0] - a[0]; r[2] = a[0] * x[0]; z[0] = a[0] * x[0]; z[1] = a[0]; z[2] = (float complex)(a[0] + x[0]);
}
// == parts, conjugates and absolute values
// args: read c128 1; read c64 1; write c128 3; write f64 4; write f32 4
void k(const double complex *a, const float complex *b, double complex *r, double *x, float *y) {
  r[0] = conj(a[0]); r[1] = -a[0]; r[2] = +a[0] * conj(a[0]);
  x[0] = creal(a[0]); x[1] = cimag(a[0]); x[2] = cabs(a[0]); x[3] = carg(a[0]);
  y[0] = crealf(b[0]); y[1] = cimagf(b[0]); y[2] = cabsf(b[0]); y[3] = cargf(b[0]);
}
// == a real takes the real part, a truth both
// args: read c128 2; write f64 2; write i32 7
void k(const double complex *a, double *x, int *r) {
  x[0] = a[0]; x[1] = a[0] * a[1];
  r[0] = a[0] == a[1]; r[1] = a[0] != a[1]; r[2] = !a[0]; r[3] = a[0] && a[1]; r[4] = a[0] || a[1]; r[5] = a[0] ? 1 : 2; r[6] = a[0] == 1.0;
}
// == the imaginary unit
// args: read f64 2; write c128 4
#include <complex.h>
void k(const double *x, double complex *r) { r[0] = x[0] + x[1] * I; r[1] = x[0] + _Complex_I * x[1]; r[2] = I * I; r[3] = 2.0 * I; }
// == locals, arrays, compound assignments and choices
// args: read c128 4; inc c128 4; read i32 1
void k(const double complex *a, double complex *r, const int *n) {
  double complex t[2][2] = {{a[0], 1.0}, {a[1] * 2.0}}, s = 0;
  for (int i = 0; i < 2; i++) for (int j = 0; j < 2; j++) { t[i][j] += a[2 * i + j]; s += t[i][j] * t[j][i]; }
  s -= a[0]; s *= a[1]; s /= 4.0;
  double complex u = n[0] > 0 ? s : a[3], v = n[0] & 1 ? 1.0 : u;
  r[0] += s; r[1] += u; r[2] -= v; r[3] += conj(u) * v;
}
// == tables of reals weigh complex values
// args: read c64 3; inc c64 2
void k(const float complex *a, float complex *r) {
  static const float w[2][3] = {{0.5f, 0.25f, 0.125f}, {1.0f, -2.0f, 3.0f}};
  for (int i = 0; i < 2; i++) for (int j = 0; j < 3; j++) r[i] += w[i][j] * a[j];
}
// == exponentials and roots
// args: read c128 1; write c128 6
void k(const double complex *a, double complex *r) { r[0] = csqrt(a[0]); r[1] = cexp(a[0]); r[2] = clog(a[0]); r[3] = cpow(a[0], 2.0 + 0.5 * I); r[4] = cproj(a[0]); r[5] = cpow(2.0, a[0]); }
// == circular and hyperbolic functions
// args: read c128 1; write c128 6
void k(const double complex *a, double complex *r) { r[0] = csin(a[0]); r[1] = ccos(a[0]); r[2] = ctan(a[0]); r[3] = csinh(a[0]); r[4] = ccosh(a[0]); r[5] = ctanh(a[0]); }
// == their inverses
// args: read c128 1; write c128 6
void k(const double complex *a, double complex *r) { r[0] = casin(a[0]); r[1] = cacos(a[0]); r[2] = catan(a[0]); r[3] = casinh(a[0]); r[4] = cacosh(a[0]); r[5] = catanh(a[0]); }
// == functions in float
// args: read c64 1; write c64 6
void k(const float complex *a, float complex *r) { r[0] = csqrtf(a[0]); r[1] = cexpf(a[0]); r[2] = clogf(a[0]); r[3] = csinf(a[0]); r[4] = ctanhf(a[0]); r[5] = cpowf(a[0], a[0]); }
// == a complex value that runs through a loop of unknown length
// args: read c128 1; read i32 1; write c128 1
void k(const double complex *c, const int *n, double complex *r) { double complex z = 0; for (int i = 0; i < (n[0] & 15); i++) { z = z * z + c[0]; if (cabs(z) > 2.0) break; } r[0] = z; }
// == helpers take complex values and pointers
// args: read c128 2; write c128 2
static void add(double complex *r, const double complex a, double complex b) { b += a; r[0] = b; r[1] = a; }
void k(const double complex *a, double complex *r) { add(r, a[0], a[1]); }
// == complex rows through a map are added to
// args: read c128 2; inc c128 2 through wide; inc c64 1 at ends 1
void k(const double complex *a, double complex r[3][2], float complex *s) { for (int i = 0; i < 3; i++) for (int j = 0; j < 2; j++) r[i][j] += a[j] * (double)(i + 1); s[0] += a[0]; }
// == complex rows read through a map, summed in a global
// args: read c128 3 through gaps; read c128 1 at ends 0; inc c128 2 global
void k(const double complex a[3][3], const double complex *b, double complex *sum) { for (int i = 0; i < 3; i++) sum[0] += a[i][i] * b[0]; sum[1] += b[0]; }
// == complex row pointers
// args: read c128 2 through ends; write c128 1
void k(double complex **x, double complex *r) { r[0] = x[0][0] * x[1][1] - x[0][1] * x[1][0]; }
// == a complex vector of many entries, in place
// args: rw c128 12
void k(double complex *x) { for (int i = 0; i < 12; i++) x[i] = x[i] * x[11 - i] + 0.5; }
// == complex arrays are set to zero and copied
// args: read c128 3; rw c128 3
void k(const double complex *a, double complex *r) { double complex t[3]; memcpy(t, a, sizeof t); memset(r, 0, 2 * sizeof(double complex)); r[2] += t[1] * t[2]; }
// == as a truth value a complex number is what both its parts are
// args: read c128 2; write i32 9
#include <complex.h>
#include <stdbool.h>
static int chosen(bool b) { return b ? 10 : 20; }
static bool returned(double complex z) { return z; }
void k(const double complex *a, int *r) {
  double complex w = (a[0] - a[0]) + I, z = w - I;
  bool b = w, c, d[2] = {w}; c = w; d[1] = z;
  r[0] = b; r[1] = (bool)w; r[2] = c; r[3] = d[0]; r[4] = d[1]; r[5] = chosen(w); r[6] = chosen(z); r[7] = returned(w);
  c = false; c += w; r[8] = c;
}
// == helpers return complex values, early and at their end
// args: read c128 3; read i32 1; write c128 5; write f64 1
static double complex square(double complex z) { return z * z; }
static float complex narrow(double complex z) { return z; }
static double complex real(double x) { return x; }
static double part(double complex z) { return z * 2.0; }
static double complex chosen(double complex a, double complex b, int n) {
  if (n > 2) return a;
  for (int i = 0; i < 3; i++) { if (i == n) return square(b) + i; }
  return a - b;
}
void k(const double complex *a, const int *n, double complex *r, double *x) {
  r[0] = square(a[0]) + square(a[1]); r[1] = narrow(a[0]); r[2] = chosen(a[0], a[1], n[0] & 7); r[3] = real(x[0] = part(a[2]));
  r[4] = chosen(square(a[2]), a[0], 1);
}
