// Direct: one value into three globals, under INC, MIN and MAX.
inline void globals(const double *v, double *sum, double *low, double *high) {
  *sum += *v;
  *low = *v < *low ? *v : *low;
  *high = *v > *high ? *v : *high;
}
