#define MAX(a, b) ((a) > (b) ? (a) : (b))

// One Jacobi step of a node: u += du + alpha * r, with the sum of u squared and the largest u of all nodes.
inline void update(const float *r, float *du, float *u, float *u_sum, float *u_max) {
  *u += *du + alpha * (*r);
  *du = 0.0f;
  *u_sum += (*u) * (*u);
  *u_max = MAX(*u_max, *u);
}
