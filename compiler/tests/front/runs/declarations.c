// What stands around values: alignment, enumerators and types of a function, designators, pointers given their value later.
static alignas(32) const double T[3] = {[2] = 5, [0] = 3};
static const int M[2][2] = {[1] = {7, [0] = 8}, [0] = {1}};
typedef double real;

static double first(int n, const double v[n]) { return v[0]; }

void k(double *x, int *n) {
  _Alignas(16) double a[4] = {[3] = 1, [1] = 2, 4};
  double _Alignas(8) b = 0.5, c = 2;
  enum { A, B = 4, C };
  enum step { ONE = 1, TWO } step = TWO;
  typedef real row[3];
  row r = {1, 2, 3};
  [[maybe_unused]] int unused = 0;
  x[A] = T[0] + T[1] + T[2];
  x[1] = a[0] + 10 * a[1] + 100 * a[2] + 1000 * a[3];
  x[2] = b + c;
  n[0] = B + C;
  n[1] = step;
  n[2] = sizeof(row) / sizeof(real);
  x[3] = r[2];
  n[3] = M[0][0] + 10 * M[0][1] + 100 * M[1][0] + 1000 * M[1][1];
  double *p;
  p = x + 4;
  p[0] = 9;
  for (int i = 0; i < 2; i++) {
    double *q;
    q = p + i;
    q[1] = 20 + i;
  }
  {
    typedef int real;
    enum { A = 6 };
    real i = 7;
    n[4] = i / 2 + A;
  }
  int d[] = {[1] = 5, 6, [0] = n[5], [1] = n[6]};
  n[5] = d[0] + 10 * d[1] + 100 * d[2] + 1000 * (int)(sizeof d / sizeof d[0]);
  n[6] = sizeof(x[0] + 1) + sizeof(n[0] + 1L);
  x[8] = first(2, x + 1);
}
// status 0 8.0 1420.0 2.5 3.0 9.0 20.0 21.0 4.5 1420.0 5.5 6.0 6.5 7.0 7.5 8.0 8.5 9 2 3 801 9 3665 16 7 8 9 10 11 12 13 14 15
