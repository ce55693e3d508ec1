/* SPDX-License-Identifier: MIT */
/*
 * raw.h: system calls without libc.
 *
 * Our first calls come before libc is ready, and libc's wrappers set errno and are cancellation points.
 * Each function returns what the kernel returns: a value, or -errno.
 */
#ifndef SYS_RAW_H
#define SYS_RAW_H

#if !(defined(__x86_64__) || defined(__aarch64__)) || !defined(__LP64__) ||                        \
	__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "poolmem runs on x86-64 and on little-endian aarch64, 64-bit both"
#endif

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
static inline long raw_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
static inline long raw_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#endif

static inline long raw_call3(long number, long a, long b, long c)
{
	return raw_call(number, a, b, c, 0, 0, 0);
}

static inline long raw_open_at(int dir, const char *path, int flags, int mode)
{
	return raw_call(SYS_openat, dir, (long)path, flags, mode, 0, 0);
}

static inline long raw_read(int fd, void *buffer, size_t bytes)
{
	return raw_call3(SYS_read, fd, (long)buffer, (long)bytes);
}

static inline long raw_write(int fd, const void *buffer, size_t bytes)
{
	return raw_call3(SYS_write, fd, (long)buffer, (long)bytes);
}

static inline void raw_close(int fd)
{
	raw_call3(SYS_close, fd, 0, 0);
}

/* A small file as a string, as far as there is room.  Returns its length; 0: it cannot be read. */
static inline size_t raw_read_text(const char *path, char *ret_text, size_t room)
{
	int fd = (int)raw_open_at(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	long bytes = fd < 0 ? 0 : raw_read(fd, ret_text, room - 1);
	if (fd >= 0)
		raw_close(fd);
	size_t length = bytes > 0 ? (size_t)bytes : 0;
	ret_text[length] = 0;
	return length;
}

#endif
