/* STREAM's four loops (McCalpin 1995), a value an element. */
void copy(const double *a, double *c) { c[0] = a[0]; }
void scale(const double *c, double *b, const double *scalar) { b[0] = scalar[0] * c[0]; }
void add(const double *a, const double *b, double *c) { c[0] = a[0] + b[0]; }
void triad(const double *b, const double *c, double *a, const double *scalar) { a[0] = b[0] + scalar[0] * c[0]; }
