// Indirect MAX: both nodes of an edge are raised to its value. The ends come packed, [2][1].
inline void high_ends(const double *v, double *high) {
  for (int n = 0; n < 2; n++) {
    if (*v > high[n])
      high[n] = *v;
  }
}
