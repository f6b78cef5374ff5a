// One nonzero of the matrix: row's du += beta * A * column's u.
inline void res(const double *A, const double *u, double *du, const double *beta) {
  *du += (*beta) * (*A) * (*u);
}
