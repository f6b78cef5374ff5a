// Indirect INC: an edge's value to both its nodes, with weights of its own.
inline void sum_ends(const double *v, double *sum1, double *sum2) {
  *sum1 += *v;
  *sum2 += *v + *v;
}
