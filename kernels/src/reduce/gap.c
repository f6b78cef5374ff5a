// Packed READ of both nodes of an edge, [2][1]: how far they lie apart (WRITE), and the widest of all (global MAX).
inline void gap(const double *ends, double *width, double *widest) {
  double w = ends[0] > ends[1] ? ends[0] - ends[1] : ends[1] - ends[0];
  *width = w;
  if (w > *widest)
    *widest = w;
}
