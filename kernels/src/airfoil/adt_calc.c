// Area of a cell over its time step: the fastest wave through each side, summed round the cell.
inline void adt_calc(const double *x1, const double *x2, const double *x3, const double *x4, const double *q,
                     double *adt) {
  double dx, dy, sum;

  double ri = 1.0 / q[0];
  double u = ri * q[1];
  double v = ri * q[2];
  double c = sqrt(gam * gm1 * (ri * q[3] - 0.5 * (u * u + v * v)));

  dx = x2[0] - x1[0];
  dy = x2[1] - x1[1];
  sum = fabs(u * dy - v * dx) + c * sqrt(dx * dx + dy * dy);

  dx = x3[0] - x2[0];
  dy = x3[1] - x2[1];
  sum += fabs(u * dy - v * dx) + c * sqrt(dx * dx + dy * dy);

  dx = x4[0] - x3[0];
  dy = x4[1] - x3[1];
  sum += fabs(u * dy - v * dx) + c * sqrt(dx * dx + dy * dy);

  dx = x1[0] - x4[0];
  dy = x1[1] - x4[1];
  sum += fabs(u * dy - v * dx) + c * sqrt(dx * dx + dy * dy);

  *adt = sum / cfl;
}
