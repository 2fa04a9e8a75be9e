#pragma once

/// Of the small functions of innermost loops: part of each loop that calls them, however much else the source holds. A
/// compiler's own choice depends on the size of the whole source, and a call in such a loop puts what was in registers
/// into memory.
#if defined(__GNUC__)
#define COLLAPSE_ALWAYS_INLINE __attribute__((always_inline)) inline
#elif defined(_MSC_VER)
#define COLLAPSE_ALWAYS_INLINE __forceinline
#else
#define COLLAPSE_ALWAYS_INLINE inline
#endif
