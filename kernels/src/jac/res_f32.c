// One nonzero of the matrix: row's du += beta * A * column's u.
inline void res(const float *A, const float *u, float *du, const float *beta) {
  *du += (*beta) * (*A) * (*u);
}
