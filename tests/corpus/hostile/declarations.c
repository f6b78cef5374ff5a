typedef double real; typedef real vec[3]; enum { A, B = 5, C = B * 2 + A }; struct s { int x; };
typedef struct { int a; double b[2]; } pair;
static const double T[2][3] = {{1, 2}, {4, 5.5f, -6}}; static int S[] = {1, 2, 3}, U = 4; extern const double gone;
ufcx_form form = { .a = 1, .b = {1, 2} }; double (*pointer)(double); int f(), g(void);
static inline real h(const vec x, real (*m)[3], int n) { return x[n] + m[n][0]; }
__attribute__((noinline)) static int find(const int *n, int v) { for (int i = 0; i < 4; i++) if (n[i] == v) return i; return -1; }
void k(double *restrict x, const double *const restrict y, int n[4], void *none, bool flag, unsigned char c) {
  vec v = {1, 2}; real m[C - 7][3] = {{1}, {2, 3}}; const double *row = T[1], *p = &m[0][1]; register int i = sizeof(v);
  double *q = x + 1; { double x = *q; v[2] = x; } *q++ = h(v, m, S[0]) + row[1] + p[-1]; n[0] = find(n, 3) + i + flag + c;
}
