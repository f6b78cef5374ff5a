// Indirect MIN: both nodes of an edge are lowered to its value.
inline void low_ends(const double *v, double *low1, double *low2) {
  if (*v < *low1)
    *low1 = *v;
  if (*v < *low2)
    *low2 = *v;
}
