// == functions that are exact and inline
// args: read f64 2; write f64 10
void k(const double *a, double *b) { b[0] = sqrt(a[0]); b[1] = fabs(a[0]); b[2] = floor(a[0]); b[3] = ceil(a[0]); b[4] = trunc(a[0]); b[5] = rint(a[0]); b[6] = fmin(a[0], a[1]); b[7] = fmax(a[0], a[1]); b[8] = fma(a[0], a[1], 0.5); b[9] = a[0] == a[0] ? copysign(a[1], a[0]) : 0; }
// == the same in float
// args: read f32 2; write f32 10
void k(const float *a, float *b) { b[0] = sqrtf(a[0]); b[1] = fabsf(a[0]); b[2] = floorf(a[0]); b[3] = ceilf(a[0]); b[4] = truncf(a[0]); b[5] = rintf(a[0]); b[6] = fminf(a[0], a[1]); b[7] = fmaxf(a[0], a[1]); b[8] = fmaf(a[0], a[1], 0.5f); b[9] = a[0] == a[0] ? copysignf(a[1], a[0]) : 0; }
// == functions of the host
// args: read f64 1; write f64 12
void k(const double *a, double *b) { double x = a[0]; b[0] = sin(x); b[1] = cos(x); b[2] = tan(x); b[3] = exp(x); b[4] = log(fabs(x) + 1); b[5] = atan(x); b[6] = asin(x / 8); b[7] = acos(x / 8); b[8] = sinh(x); b[9] = tanh(x); b[10] = erf(x); b[11] = cbrt(x); }
// == functions of two arguments
// args: read f64 2; write f64 6
void k(const double *a, double *b) { b[0] = pow(fabs(a[0]), a[1]); b[1] = atan2(a[0], a[1]); b[2] = fmod(a[0], a[1]); b[3] = hypot(a[0], a[1]); b[4] = fdim(a[0], a[1]); b[5] = pow(a[0], 2); }
// == functions of float, and arguments that are converted
// args: read f32 1; read i32 1; write f32 4; write f64 3
void k(const float *a, const int *n, float *b, double *c) { b[0] = sinf(a[0]); b[1] = expf(a[0]); b[2] = powf(fabsf(a[0]), 1.5f); b[3] = sqrt(fabs(a[0])); c[0] = sin(a[0]); c[1] = sqrt(n[0] * n[0]); c[2] = pow(2, n[0] & 7); }
// == Bessel functions take an integer
// args: read f64 1; read i32 1; write f64 3
void k(const double *a, const int *n, double *b) { b[0] = jn(n[0] & 3, a[0]); b[1] = jn(0.0, a[0]); b[2] = yn(1, fabs(a[0]) + 0.5); }
// == a function called in a loop and in a branch
// args: read f64 2; write f64 1
void k(const double *a, double *b) { double s = 0; for (int i = 1; i < 4; i++) { if (a[0] > 0) s += exp(-a[1] * a[1] / i); else s += round(a[1] * i); } b[0] = s; }
// == powers that are products and quotients
// args: read f64 2; read f32 2; write f64 4; write f32 3
void k(const double *a, const float *f, double *b, float *g) { b[0] = pow(a[0], 2); b[1] = pow(a[1], -1.0); b[2] = pow(a[0], 1) + pow(a[1], 2.0); b[3] = pow(fabs(a[0]), 0.5); g[0] = powf(f[0], 2); g[1] = powf(f[1], -1); g[2] = powf(f[0], 3); }
