/* The kernels of jit/kernels.py in plain C, with dense arrays for lists: what gcc makes of them.

   kernels NAME ROUNDS PARAMETERS...   prints the best time in seconds, then the numbers to compare, one a line. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOINLINE __attribute__((noinline, noclone))

typedef long long integer;

static NOINLINE integer sum_of_squares(integer n) {
    integer s = 0;
    for (integer i = 0; i < n; i++) s += i * i;
    return s;
}

static integer fib(integer n) {
    if (n < 2) return n;
    return fib(n - 1) + fib(n - 2);
}

static NOINLINE integer mandelbrot(integer size, integer limit) {
    integer inside = 0;
    for (integer row = 0; row < size; row++) {
        double ci = 2.0 * row / size - 1.0;
        for (integer column = 0; column < size; column++) {
            double cr = 2.0 * column / size - 1.5, zr = 0.0, zi = 0.0;
            integer count = 0;
            while (count < limit && zr * zr + zi * zi <= 4.0) {
                double next = zr * zr - zi * zi + cr;
                zi = 2.0 * zr * zi + ci;
                zr = next;
                count++;
            }
            if (count == limit) inside++;
        }
    }
    return inside;
}

static NOINLINE integer collatz(integer n) {
    integer longest = 0, best = 0;
    for (integer start = 1; start < n; start++) {
        integer length = 1, x = start;
        while (x != 1) {
            if (x % 2 == 0) x = x / 2;
            else x = 3 * x + 1;
            length++;
        }
        if (length > longest) { longest = length; best = start; }
    }
    return best;
}

static NOINLINE integer sieve_bytearray(unsigned char *prime, integer n) {
    integer count = 0;
    for (integer i = 2; i < n; i++)
        if (prime[i]) {
            count++;
            for (integer multiple = i * i; multiple < n; multiple += i) prime[multiple] = 0;
        }
    return count;
}

static NOINLINE integer sieve_list(integer n) {
    unsigned char *prime = malloc(n);
    memset(prime, 1, n);
    integer count = sieve_bytearray(prime, n);
    free(prime);
    return count;
}

static double eval_a(integer i, integer j) { return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1); }

static NOINLINE void a_times(const double *u, double *result, integer n) {
    for (integer i = 0; i < n; i++) {
        double total = 0.0;
        for (integer j = 0; j < n; j++) total += eval_a(i, j) * u[j];
        result[i] = total;
    }
}

static NOINLINE void at_times(const double *u, double *result, integer n) {
    for (integer i = 0; i < n; i++) {
        double total = 0.0;
        for (integer j = 0; j < n; j++) total += eval_a(j, i) * u[j];
        result[i] = total;
    }
}

static NOINLINE double spectral_norm(integer n, integer rounds) {
    double *u = malloc(n * sizeof *u), *v = malloc(n * sizeof *v), *w = malloc(n * sizeof *w);
    for (integer i = 0; i < n; i++) u[i] = v[i] = 1.0;
    while (rounds--) {
        a_times(u, w, n);
        at_times(w, v, n);
        a_times(v, w, n);
        at_times(w, u, n);
    }
    double vbv = 0.0, vv = 0.0;
    for (integer i = 0; i < n; i++) {
        vbv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    free(u); free(v); free(w);
    return sqrt(vbv / vv);
}

static NOINLINE integer fannkuch(integer n) {
    integer count[32], permutation[32], pancakes[32], most = 0, r = n;
    for (integer i = 0; i < n; i++) { count[i] = i + 1; permutation[i] = i; }
    for (;;) {
        while (r != 1) { count[r - 1] = r; r--; }
        if (permutation[0] != 0 && permutation[n - 1] != n - 1) {
            memcpy(pancakes, permutation, n * sizeof *pancakes);
            integer flips = 0, first = pancakes[0];
            while (first) {
                for (integer low = 0, high = first; low < high; low++, high--) {
                    integer other = pancakes[low];
                    pancakes[low] = pancakes[high];
                    pancakes[high] = other;
                }
                flips++;
                first = pancakes[0];
            }
            if (flips > most) most = flips;
        }
        for (;;) {
            if (r == n) return most;
            integer moved = permutation[0];
            memmove(permutation, permutation + 1, r * sizeof *permutation);
            permutation[r] = moved;
            if (--count[r] > 0) break;
            r++;
        }
    }
}

static NOINLINE void matmul(const double *a, const double *b, double *product, integer n) {
    for (integer i = 0; i < n; i++)
        for (integer j = 0; j < n; j++) {
            double total = 0.0;
            for (integer k = 0; k < n; k++) total += a[i * n + k] * b[k * n + j];
            product[i * n + j] = total;
        }
}

#define BODIES 5

static NOINLINE void advance(double (*bodies)[7], double dt, integer steps) {
    while (steps--) {
        for (int i = 0; i < BODIES; i++) {
            double *a = bodies[i];
            for (int j = i + 1; j < BODIES; j++) {
                double *b = bodies[j];
                double dx = a[0] - b[0], dy = a[1] - b[1], dz = a[2] - b[2];
                double force = dt * pow(dx * dx + dy * dy + dz * dz, -1.5);
                a[3] -= dx * b[6] * force;
                a[4] -= dy * b[6] * force;
                a[5] -= dz * b[6] * force;
                b[3] += dx * a[6] * force;
                b[4] += dy * a[6] * force;
                b[5] += dz * a[6] * force;
            }
        }
        for (int i = 0; i < BODIES; i++) {
            bodies[i][0] += dt * bodies[i][3];
            bodies[i][1] += dt * bodies[i][4];
            bodies[i][2] += dt * bodies[i][5];
        }
    }
}

static void fill(double *values, integer count, integer seed) {
    for (integer i = 0; i < count; i++) {
        seed = (seed * 1103515245 + 12345) % 2147483648LL;
        values[i] = seed / 2147483648.0;
    }
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static double best = 1e9;

#define TIMED(preparation, statement) \
    for (integer round = 0; round < rounds; round++) { \
        preparation; \
        __asm__ volatile("" : "+r"(n), "+r"(m) : : "memory"); /* no result is known from the last round */ \
        double started = now(); \
        statement; \
        double taken = now() - started; \
        if (taken < best) best = taken; \
    } \
    printf("%.9f\n", best)

int main(int argc, char **argv) {
    if (argc < 4) {
        fputs("usage: kernels NAME ROUNDS PARAMETERS...\n", stderr);
        return 2;
    }
    const char *name = argv[1];
    integer rounds = atoll(argv[2]), n = atoll(argv[3]), m = argc > 4 ? atoll(argv[4]) : 0;
    volatile integer whole = 0;
    volatile double real = 0;
    if (!strcmp(name, "sumsq")) { TIMED(, whole = sum_of_squares(n)); }
    else if (!strcmp(name, "fib")) { TIMED(, whole = fib(n)); }
    else if (!strcmp(name, "mandelbrot")) { TIMED(, whole = mandelbrot(n, m)); }
    else if (!strcmp(name, "collatz")) { TIMED(, whole = collatz(n)); }
    else if (!strcmp(name, "sieve_list")) { TIMED(, whole = sieve_list(n)); }
    else if (!strcmp(name, "sieve_bytearray")) {
        unsigned char *prime = malloc(n);
        TIMED(memset(prime, 1, n), whole = sieve_bytearray(prime, n));
        printf("%lld\n", whole);
        whole = 0;
        for (integer i = 0; i < n; i++) whole += prime[i];
    }
    else if (!strcmp(name, "spectral_norm")) {
        TIMED(, real = spectral_norm(n, m));
        printf("%.17g\n", real);
        return 0;
    }
    else if (!strcmp(name, "fannkuch")) { TIMED(, whole = fannkuch(n)); }
    else if (!strcmp(name, "matmul")) {
        double *values = malloc(3 * n * n * sizeof *values);
        fill(values, n * n, 1);
        fill(values + n * n, n * n, 2);
        TIMED(, matmul(values, values + n * n, values + 2 * n * n, n));
        for (integer i = 0; i < 3 * n * n; i++) printf("%.17g\n", values[i]);
        return 0;
    }
    else if (!strcmp(name, "advance")) {
        /* The bodies come as parameters, after the number of steps. */
        double start[BODIES][7], bodies[BODIES][7];
        if (argc != 5 + BODIES * 7) return 2;
        double dt = atof(argv[4]);
        for (int i = 0; i < BODIES * 7; i++) start[i / 7][i % 7] = atof(argv[5 + i]);
        TIMED(memcpy(bodies, start, sizeof start), advance(bodies, dt, n));
        for (int i = 0; i < BODIES * 7; i++) printf("%.17g\n", bodies[i / 7][i % 7]);
        return 0;
    }
    else {
        fprintf(stderr, "no kernel %s\n", name);
        return 2;
    }
    printf("%lld\n", whole);
    return 0;
}
