/* Counts the instructions that an emulated program runs: a plugin for QEMU's user-mode emulator, compiled with the
 * desk's own `cc` by `cargo xtask bench detect`. Only the few functions that it calls are declared here, because
 * Debian ships the emulator without its plugin header.
 *
 * Every translated block reports its number of instructions each time it is entered. A block that is left half-way
 * by a fault would count whole; the programs measured here have none. At the end the sum goes to the file named by
 * the plugin's argument `out=FILE`. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Which dialect of the interface is spoken: 1 up to QEMU 8, at least 2 from QEMU 9 on. */
#ifndef DIALECT
#define DIALECT 1
#endif

typedef uint64_t plugin_id;
struct block;
typedef void (*on_block)(plugin_id, struct block *);
typedef void (*on_enter)(unsigned int, void *);
typedef void (*on_exit_)(plugin_id, void *);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, on_block);
void qemu_plugin_register_vcpu_tb_exec_cb(struct block *, on_enter, int flags, void *);
void qemu_plugin_register_atexit_cb(plugin_id, on_exit_, void *);
size_t qemu_plugin_tb_n_insns(const struct block *);

__attribute__((visibility("default"))) int qemu_plugin_version = DIALECT;

static uint64_t instructions;
static char path[4096];

/* Programs measured here have one busy thread, but the others must not lose counts either. */
static void enter(unsigned int cpu, void *size) {
    (void)cpu;
    __atomic_fetch_add(&instructions, (uint64_t)(uintptr_t)size, __ATOMIC_RELAXED);
}

static void translate(plugin_id id, struct block *block) {
    (void)id;
    void *size = (void *)(uintptr_t)qemu_plugin_tb_n_insns(block);
    qemu_plugin_register_vcpu_tb_exec_cb(block, enter, 0, size);
}

static void finish(plugin_id id, void *nothing) {
    (void)id;
    (void)nothing;
    FILE *file = fopen(path, "w");
    if (file) {
        fprintf(file, "%llu\n", (unsigned long long)instructions);
        fclose(file);
    }
}

__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const void *about, int words, char **word) {
    (void)about;
    for (int i = 0; i < words; i++) {
        if (strncmp(word[i], "out=", 4) == 0 && strlen(word[i] + 4) < sizeof path) {
            strcpy(path, word[i] + 4);
        }
    }
    if (path[0] == 0) {
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, finish, 0);
    return 0;
}
