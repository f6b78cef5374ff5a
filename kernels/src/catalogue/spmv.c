/* A row of a sparse matrix with seven entries (ELLPACK) times a vector. */
void spmv(const double a[7], const double x[7], double *y) {
  double sum = 0;
  for (int k = 0; k < 7; k++) sum += a[k] * x[k];
  y[0] = sum;
}
