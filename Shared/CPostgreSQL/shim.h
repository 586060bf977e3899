#ifndef BATUTA_CPOSTGRESQL_SHIM_H
#define BATUTA_CPOSTGRESQL_SHIM_H

/* libpq 15 or later: pipeline mode came with 14. */
#include <libpq-fe.h>

/* How its sockets are waited for; Swift's Glibc module leaves these out. */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <pthread.h>

/* Declared by glibc only for _GNU_SOURCE. */
extern int pthread_setname_np(pthread_t thread, const char *name);

#endif
