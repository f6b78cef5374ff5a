// == an early return leaves the rest of the element alone
// args: read f64 2; rw f64 2
void k(const double *a, double *b) { if (a[0] < 0.0) return; b[0] = a[0] * a[1]; if (a[1] > 1.0) { b[1] = 7; return; } b[1] -= a[1]; }
// == for with all its parts missing is left by break
// args: read f64 1; write f64 1
void k(const double *a, double *b) { double s = 0; int n = 0; for (;;) { if (n++ >= 5) break; s = s * 0.5 + a[0]; } b[0] = s; }
// == while, do and nested break and continue
// args: read i32 2; rw i32 3
void k(const int *a, int *b) {
  int n = a[0] & 7, m = 0;
  while (n > 0) { n--; if (n == 3) continue; m += n; if (m > 9) break; }
  do { m ^= 5; n++; if (n == 4) continue; for (int i = 0; i < 3; i++) { if (i == (a[1] & 3)) break; m += i; } } while (n < 6);
  b[0] = n; b[1] += m; b[2] = n - m;
}
// == switch with fall-through, default in the middle, and a break out of a loop in it
// args: read i32 1; write i32 2
void k(const int *a, int *b) {
  int s = 0;
  switch (a[0] % 7) {
    case 0: s = 1;
    case 1: s += 10; break;
    default: s = 100;
    case 3: s++; break;
    case 4: { for (int i = 0; i < 4; i++) { if (i == 2) break; s += i; } break; }
    case -2: s = -2;
  }
  b[0] = s; b[1] = a[0] % 7;
}
// == a switch in a loop passes continue on
// args: read u32 1; write u32 1
void k(const unsigned *a, unsigned *b) {
  unsigned s = 0;
  for (int i = 0; i < 6; i++) { switch ((a[0] + i) & 3) { case 0: continue; case 1: s += 1; break; case 2: s += 16; } s <<= 1; }
  b[0] = s;
}
// == loops that count down, by steps, and not at all
// args: read f64 4; write f64 4
void k(const double *a, double *b) {
  for (int i = 3; i >= 0; i--) b[i] = a[3 - i];
  for (int i = 0; i < 4; i += 2) b[i] += 1;
  for (int i = 4; i < 4; i++) b[i] = 99;
  for (unsigned i = 4; i-- > 0;) b[i] *= 2;
}
// == a loop longer than unrolling takes
// args: read f64 1; inc f64 1 global
void k(const double *a, double *s) { double x = a[0]; for (int i = 0; i < 100; i++) { x = x * 0.75 + 0.125; *s += x; } }
// == a loop whose bound is read from data
// args: read i32 1; read f64 3; write f64 1
void k(const int *n, const double *a, double *b) { double s = 0; for (int i = 0; i < (n[0] & 3); i++) s += a[i]; for (int i = n[0] & 7; i > 0; i -= 3) s = s * 0.5 + i; b[0] = s; }
// == helper functions return values, write through pointers and call each other
// args: read f64 3; write f64 3
// function: k
static inline double square(double x) { return x * x; }
static double norm(const double *v, int n) { double s = 0; for (int i = 0; i < n; i++) s += square(v[i]); if (s > 4.0) return s * 0.5; return s; }
static void swap(double *p, double *q) { double t = *p; *p = *q; *q = t; }
void k(const double *a, double *b) { for (int i = 0; i < 3; i++) b[i] = norm(a, i + 1); swap(b, b + 2); swap(&b[0], &b[1]); }
// == macros, object-like and with arguments, in conditions of the preprocessor
// args: read f64 2; write f64 2
#define N 2
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define SCALE(x) (x) * \
  0.5
#ifdef MISSING
#error not here
#elif N == 2 && defined(MAX)
#define START 1.5
#else
#define START 2.5
#endif
void k(const double *a, double *b) { double m = START; for (int i = 0; i < N; i++) m = MAX(m, a[i]); b[0] = SCALE(m); b[1] = m; }
// == declarations in blocks hide those outside
// args: read i32 1; write i32 2
void k(const int *a, int *b) { int x = a[0]; { int x = 3; { int y = x; x = y + a[0]; } b[0] = x; } for (int x = 0; x < 2; x++) b[0] += x; b[1] = x; ; ; }
// == locals keep nothing from the element before
// args: read f64 1; write f64 3
void k(const double *a, double *b) { double t[3] = {0}; int seen = 0; if (a[0] > 0) { t[1] = a[0]; seen = 1; } for (int i = 0; i < 3; i++) b[i] = t[i] + seen; }
// == the comma, and increments before and after
// args: read i32 1; write i32 4
void k(const int *a, int *b) { int i = a[0], j; j = i++, i += 2; b[0] = i; b[1] = j; b[2] = --i; b[3] = j--; b[3] += j; }
// == pointers into arguments and arrays
// args: read f64 4; write f64 2
void k(const double *a, double *b) { const double *p = a + 1; double t[4] = {1, 2, 3, 4}; double *q = &t[1]; double s = 0; for (int i = 0; i < 3; i++) s += p[i] * q[i]; *b = s; *(b + 1) = *(a + 2) - p[-1]; *q += 1; b[1] *= q[0]; }
// == an element that does nothing
// args: read f64 1; rw f64 1
void k(const double *a, double *b) { }
// == the element's number takes part
// args: index; write i64 1; rw f64 1
void k(int64_t e, int64_t *n, double *x) { n[0] = e * 3 - 1; x[0] += e & 1 ? e : -e; }
// == a division that is guarded by what the kernel asks first
// args: read i32 2; write i32 2
void k(const int *a, int *b) { b[0] = a[1] != 0 && a[1] != -1 ? a[0] / a[1] : 0; b[1] = a[1] > 0 ? a[0] % a[1] : -1; }
// == a sum carried round a loop is not contracted
// args: read f64 8; inc f64 1 at ends 0
void k(const double *a, double *s) { double t = 0; for (int i = 0; i < 8; i++) t += a[i] * a[7 - i]; s[0] += t; }
// == a long chain of else if, left by returns and values
// args: read i32 1; rw f64 2
void k(const int *a, double *b) {
  int v = a[0] & 63;
  if (v == 1) b[0] += 0.5;
  else if (v == 2) b[0] += 1.5;
  else if (v == 3) b[0] += 2.5;
  else if (v == 4) b[0] += 3.5;
  else if (v == 5) { b[0] = 4; return; }
  else if (v == 6) b[0] += 5.5;
  else if (v == 7) b[0] += 6.5;
  else if (v == 8) b[0] += 7.5;
  else if (v == 9) b[0] += 8.5;
  else if (v == 10) b[0] += 9.5;
  else if (v == 11) b[0] += 10.5;
  else if (v == 12) b[0] += 11.5;
  else if (v == 13) b[0] += 12.5;
  else if (v == 14) { b[0] = 13; return; }
  else if (v == 15) b[0] += 14.5;
  else if (v == 16) b[0] += 15.5;
  else if (v == 17) b[0] += 16.5;
  else if (v == 18) b[0] += 17.5;
  else if (v == 19) b[0] += 18.5;
  else if (v == 20) b[0] += 19.5;
  else if (v == 21) b[0] += 20.5;
  else if (v == 22) b[0] += 21.5;
  else if (v == 23) { b[0] = 22; return; }
  else if (v == 24) b[0] += 23.5;
  else if (v == 25) b[0] += 24.5;
  else if (v == 26) b[0] += 25.5;
  else if (v == 27) b[0] += 26.5;
  else if (v == 28) b[0] += 27.5;
  else if (v == 29) b[0] += 28.5;
  else if (v == 30) b[0] += 29.5;
  else if (v == 31) b[0] += 30.5;
  else if (v == 32) { b[0] = 31; return; }
  else if (v == 33) b[0] += 32.5;
  else if (v == 34) b[0] += 33.5;
  else if (v == 35) b[0] += 34.5;
  else if (v == 36) b[0] += 35.5;
  else if (v == 37) b[0] += 36.5;
  else if (v == 38) b[0] += 37.5;
  else if (v == 39) b[0] += 38.5;
  else if (v == 40) b[0] += 39.5;
  else if (v == 41) { b[0] = 40; return; }
  else if (v == 42) b[0] += 41.5;
  else if (v == 43) b[0] += 42.5;
  else if (v == 44) b[0] += 43.5;
  else if (v == 45) b[0] += 44.5;
  else if (v == 46) b[0] += 45.5;
  else if (v == 47) b[0] += 46.5;
  else if (v == 48) b[0] += 47.5;
  else if (v == 49) b[0] += 48.5;
  else if (v == 50) { b[0] = 49; return; }
  else b[0] = -b[0];
  b[1] += b[0];
}
