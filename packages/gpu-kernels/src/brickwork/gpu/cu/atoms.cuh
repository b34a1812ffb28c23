// Device functions that the atom table's CUDA column names, and the narrow floats.
//
// NVRTC compiles this in front of every generated kernel, so it may include nothing: a machine that has a driver and NVRTC
// need not have CUDA's headers. Where C++ leaves a case open, NumPy decides (NaN wins, integers wrap, x / 0 is 0).

// ---- integers and choices ------------------------------------------------------------------------------------------

template <typename T> __device__ inline T bw_max(T x, T y) { return (x >= y || x != x) ? x : y; }
template <typename T> __device__ inline T bw_min(T x, T y) { return (x <= y || x != x) ? x : y; }

// With a plain number of the table's text, as in max(x, 0).
template <typename T, typename U> __device__ inline T bw_max(T x, U y) { return bw_max(x, T(y)); }
template <typename T, typename U> __device__ inline T bw_min(T x, U y) { return bw_min(x, T(y)); }

// The lowest signed integer stays itself: the subtraction is unsigned, so it wraps.
template <typename T> __device__ inline T bw_abs(T x) { return x < T(0) ? T(0ull - (unsigned long long)x) : x; }
template <> __device__ inline float bw_abs(float x) { return fabsf(x); }
template <> __device__ inline double bw_abs(double x) { return fabs(x); }

// The last x is zero of either sign, or NaN; adding zero makes -0 into 0.
template <typename T> __device__ inline T bw_sign(T x) { return x > T(0) ? T(1) : x < T(0) ? T(-1) : T(x + T(0)); }

template <typename T> __device__ inline T bw_not(T x) { return T(~x); }
template <> __device__ inline bool bw_not(bool x) { return !x; }

// Division rounded down. The lowest integer by -1 wraps to itself, which the hardware would trap or leave open.
template <typename T> __device__ inline T bw_idiv(T x, T y)
{
    if (y == T(0)) return T(0);
    if (T(-1) < T(0) && y == T(-1)) return T(0ull - (unsigned long long)x);
    const T quotient = T(x / y);
    const T remainder = T(x - quotient * y);
    return T(quotient - T(remainder != T(0) && ((remainder < T(0)) != (y < T(0)))));
}

// ---- float16 and bfloat16: 16 bits in memory, float in registers ---------------------------------------------------

// Rounded toward zero with the last bit set where bits were lost ("round to odd"): a later rounding to at most 22 bits then gives
// what one rounding from double would (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
__device__ inline float bw_round_to_odd(double x)
{
    const float nearest = (float)x;
    if ((double)nearest == x || x != x) return nearest;
    unsigned int bits = __float_as_uint(nearest);
    if (fabs((double)nearest) > fabs(x)) bits -= 1u;
    return __uint_as_float(bits | 1u);
}

__device__ inline unsigned short bw_float16_bits(float x)
{
#if defined(__CUDA_ARCH__)
    unsigned short half;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(x));
    return half;
#else
    const unsigned int bits = __float_as_uint(x), sign = (bits >> 16) & 0x8000u, size = bits & 0x7fffffffu;
    if (size > 0x7f800000u) return (unsigned short)(sign | 0x7e00u);
    if (size >= 0x47800000u) return (unsigned short)(sign | 0x7c00u);
    // Below the least normal half, adding 1/2 lines up the last bits of both formats, and the adder does the rounding.
    if (size < 0x38800000u) return (unsigned short)(sign | (__float_as_uint(__uint_as_float(size) + 0.5f) - 0x3f000000u));
    return (unsigned short)(sign | ((size - 0x38000000u + 0xfffu + ((size >> 13) & 1u)) >> 13));
#endif
}

__device__ inline float bw_float16_value(unsigned short half)
{
#if defined(__CUDA_ARCH__)
    float x;
    asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(half));
    return x;
#else
    const unsigned int sign = (half & 0x8000u) << 16, size = half & 0x7fffu;
    if (size >= 0x7c00u) return __uint_as_float(sign | 0x7f800000u | ((size & 0x3ffu) << 13));
    if (size >= 0x400u) return __uint_as_float(sign | ((size << 13) + 0x38000000u));
    return __uint_as_float(sign | __float_as_uint((float)size * 0x1p-24f));
#endif
}

// To nearest, ties to even, in integer arithmetic: there is an instruction for this only from compute capability 8.0 on.
__device__ inline unsigned short bw_bfloat16_bits(float x)
{
    const unsigned int bits = __float_as_uint(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return (unsigned short)((bits >> 16) | 0x40u);
    return (unsigned short)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

__device__ inline float bw_bfloat16_value(unsigned short bits) { return __uint_as_float((unsigned int)bits << 16); }

__device__ inline float bw_float16_round(float x) { return bw_float16_value(bw_float16_bits(x)); }
__device__ inline float bw_bfloat16_round(float x) { return bw_bfloat16_value(bw_bfloat16_bits(x)); }
