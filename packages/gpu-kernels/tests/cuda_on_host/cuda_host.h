// Enough of CUDA for generated kernels to run as C++ on the host: one block at a time, its threads one after another, or side by
// side where the kernel synchronises them.
#pragma once
#include <barrier>
#include <bit>
#include <cmath>
#include <thread>
#include <vector>

#define __device__
#define __global__
#define __shared__ static
#define __launch_bounds__(threads)

struct Dim3 { unsigned int x; };
static thread_local Dim3 threadIdx, blockIdx;
static Dim3 blockDim, gridDim;
static std::barrier<>* block_barrier;

inline void __syncthreads() { block_barrier->arrive_and_wait(); }

inline unsigned int __float_as_uint(float x) { return std::bit_cast<unsigned int>(x); }
inline float __uint_as_float(unsigned int x) { return std::bit_cast<float>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }
inline unsigned int __umulhi(unsigned int x, unsigned int y) { return (unsigned int)(((unsigned long long)x * y) >> 32); }

using std::ceil, std::cos, std::erf, std::exp, std::expm1, std::floor, std::fma, std::isfinite, std::isnan, std::log, std::log1p;
using std::pow, std::rint, std::sin, std::sqrt, std::tanh, std::trunc;

template <typename Kernel> void run_grid(unsigned int blocks, unsigned int threads, bool synchronises, Kernel kernel)
{
    gridDim = {blocks};
    blockDim = {threads};
    for (unsigned int block = 0; block < blocks; ++block) {
        const auto thread = [&](unsigned int t) { blockIdx = {block}; threadIdx = {t}; kernel(); };
        if (!synchronises) {
            for (unsigned int t = 0; t < threads; ++t) thread(t);
            continue;
        }
        std::barrier barrier((std::ptrdiff_t)threads);
        block_barrier = &barrier;
        std::vector<std::thread> running;
        for (unsigned int t = 0; t < threads; ++t) running.emplace_back(thread, t);
        for (std::thread& each : running) each.join();
    }
}
