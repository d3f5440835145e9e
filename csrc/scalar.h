/* exp, log and powers of single doubles, from IEEE basic operations only: libm's last bit differs between platforms.
 * For rates and schedules; arrays use engine/vmath.h. */
#ifndef NN_SCALAR_H
#define NN_SCALAR_H

#include <stdint.h>
#include <string.h>

static inline double nn_from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* e^x for |x| < 700: x = k ln 2 + r, Taylor to r^13; below 2 ulp. */
static inline double nn_exp(double x) {
    const double scaled = x * 1.4426950408889634;
    const int64_t k = (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    const double r = (x - (double)k * 0x1.62e42fefa3800p-1) - (double)k * 0x1.ef35793c76730p-45;
    double sum = 1;
    for (int i = 13; i > 0; i--) sum = 1 + sum * r / i;
    return sum * nn_from_bits((uint64_t)(k + 1023) << 52);
}

/* log x for normal x > 0: x = m 2^k, m in [sqrt 1/2, sqrt 2), log m = 2 atanh((m - 1) / (m + 1)); below 2 ulp. */
static inline double nn_log(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int64_t k = (int64_t)(bits >> 52) - 1023;
    double m = nn_from_bits((bits & 0xFFFFFFFFFFFFFu) | 0x3FF0000000000000u);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        k++;
    }
    const double s = (m - 1) / (m + 1), s2 = s * s;
    double sum = 0;
    for (int i = 21; i >= 1; i -= 2) sum = sum * s2 + 1.0 / i;
    return (double)k * 0x1.ef35793c76730p-45 + 2 * s * sum + (double)k * 0x1.62e42fefa3800p-1;
}

static inline double nn_power(double base, double exponent) { return nn_exp(exponent * nn_log(base)); }

#endif
