static double f0(double x) { if (x > 1) return 1; for (int i = 0; i < 3; i++) { if (x * i > 2) return i; } return x; }
static double f1(double x, int n) { while (n > 0) { if (n == 3) return f0(x); n--; } return f0(x + n) + f0(x - n); }
static void f2(double *x, double *y) { double t = f1(*x, 4); *x = f1(*y, (int)t); *y = t; }
void k(double *x, const int *n) { f2(x, x + 1); f2(&x[n[0]], &x[1]); x[2] = f1(f1(f1(x[0], n[0]), n[1]), n[2]) ? f0(x[1]) : f0(f0(f0(x[3]))); }
