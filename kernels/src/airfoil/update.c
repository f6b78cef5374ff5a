// Moves a cell's state by its residual over adt, clears the residual, and sums the squared change.
inline void update(const double *qold, double *q, double *res, const double *adt, double *rms) {
  double adti = 1.0 / (*adt);

  for (int n = 0; n < 4; n++) {
    double del = adti * res[n];
    q[n] = qold[n] - del;
    res[n] = 0.0;
    *rms += del * del;
  }
}
