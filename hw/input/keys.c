/*
 * The key table and the routing of keys.
 *
 * Scan codes: IBM PS/2 Hardware Interface Technical Reference (keyboard, sets 2 and 3);
 * Microsoft Keyboard Scan Code Specification 1.3a for the keys of later keyboards.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/input/keys.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/core/clock.h"
#include "hw/core/property.h"

static const InputKey keys[] = {
    {"unmapped", 0, 0},
    {"esc", 0x76, 0x08},
    {"1", 0x16, 0x16},
    {"2", 0x1e, 0x1e},
    {"3", 0x26, 0x26},
    {"4", 0x25, 0x25},
    {"5", 0x2e, 0x2e},
    {"6", 0x36, 0x36},
    {"7", 0x3d, 0x3d},
    {"8", 0x3e, 0x3e},
    {"9", 0x46, 0x46},
    {"0", 0x45, 0x45},
    {"minus", 0x4e, 0x4e},
    {"equal", 0x55, 0x55},
    {"backspace", 0x66, 0x66},
    {"tab", 0x0d, 0x0d},
    {"a", 0x1c, 0x1c},
    {"b", 0x32, 0x32},
    {"c", 0x21, 0x21},
    {"d", 0x23, 0x23},
    {"e", 0x24, 0x24},
    {"f", 0x2b, 0x2b},
    {"g", 0x34, 0x34},
    {"h", 0x33, 0x33},
    {"i", 0x43, 0x43},
    {"j", 0x3b, 0x3b},
    {"k", 0x42, 0x42},
    {"l", 0x4b, 0x4b},
    {"m", 0x3a, 0x3a},
    {"n", 0x31, 0x31},
    {"o", 0x44, 0x44},
    {"p", 0x4d, 0x4d},
    {"q", 0x15, 0x15},
    {"r", 0x2d, 0x2d},
    {"s", 0x1b, 0x1b},
    {"t", 0x2c, 0x2c},
    {"u", 0x3c, 0x3c},
    {"v", 0x2a, 0x2a},
    {"w", 0x1d, 0x1d},
    {"x", 0x22, 0x22},
    {"y", 0x35, 0x35},
    {"z", 0x1a, 0x1a},
    {"bracket_left", 0x54, 0x54},
    {"bracket_right", 0x5b, 0x5b},
    {"ret", 0x5a, 0x5a},
    {"semicolon", 0x4c, 0x4c},
    {"apostrophe", 0x52, 0x52},
    {"grave_accent", 0x0e, 0x0e},
    {"backslash", 0x5d, 0x5c},
    {"comma", 0x41, 0x41},
    {"dot", 0x49, 0x49},
    {"slash", 0x4a, 0x4a},
    {"spc", 0x29, 0x29},
    {"less", 0x61, 0x13},
    {"shift", 0x12, 0x12},
    {"shift_r", 0x59, 0x59},
    {"alt", 0x11, 0x19},
    {"alt_r", 0xe011, 0x39},
    {"ctrl", 0x14, 0x11},
    {"ctrl_r", 0xe014, 0x58},
    {"meta_l", 0xe01f, 0x8b},
    {"meta_r", 0xe027, 0x8c},
    {"menu", 0xe02f, 0x8d},
    {"compose", 0xe02f, 0x8d},
    {"caps_lock", 0x58, 0x14},
    {"num_lock", 0x77, 0x76},
    {"scroll_lock", 0x7e, 0x5f},
    {"f1", 0x05, 0x07},
    {"f2", 0x06, 0x0f},
    {"f3", 0x04, 0x17},
    {"f4", 0x0c, 0x1f},
    {"f5", 0x03, 0x27},
    {"f6", 0x0b, 0x2f},
    {"f7", 0x83, 0x37},
    {"f8", 0x0a, 0x3f},
    {"f9", 0x01, 0x47},
    {"f10", 0x09, 0x4f},
    {"f11", 0x78, 0x56},
    {"f12", 0x07, 0x5e},
    {"f13", 0x08, 0},
    {"f14", 0x10, 0},
    {"f15", 0x18, 0},
    {"f16", 0x20, 0},
    {"f17", 0x28, 0},
    {"f18", 0x30, 0},
    {"f19", 0x38, 0},
    {"f20", 0x40, 0},
    {"f21", 0x48, 0},
    {"f22", 0x50, 0},
    {"f23", 0x57, 0},
    {"f24", 0x5f, 0},
    {"kp_0", 0x70, 0x70},
    {"kp_1", 0x69, 0x69},
    {"kp_2", 0x72, 0x72},
    {"kp_3", 0x7a, 0x7a},
    {"kp_4", 0x6b, 0x6b},
    {"kp_5", 0x73, 0x73},
    {"kp_6", 0x74, 0x74},
    {"kp_7", 0x6c, 0x6c},
    {"kp_8", 0x75, 0x75},
    {"kp_9", 0x7d, 0x7d},
    {"kp_decimal", 0x71, 0x71},
    {"kp_add", 0x79, 0x7c},
    {"kp_subtract", 0x7b, 0x84},
    {"kp_multiply", 0x7c, 0x7e},
    {"asterisk", 0x7c, 0x7e},
    {"kp_divide", 0xe04a, 0x77},
    {"kp_enter", 0xe05a, 0x79},
    {"kp_comma", 0x6d, 0},
    {"kp_equals", 0x0f, 0},
    {"insert", 0xe070, 0x67},
    {"delete", 0xe071, 0x64},
    {"home", 0xe06c, 0x6e},
    {"end", 0xe069, 0x65},
    {"pgup", 0xe07d, 0x6f},
    {"pgdn", 0xe07a, 0x6d},
    {"up", 0xe075, 0x63},
    {"down", 0xe072, 0x60},
    {"left", 0xe06b, 0x61},
    {"right", 0xe074, 0x6a},
    {"print", 0xe07c, 0x57},
    {"sysrq", 0x84, 0x57},
    {"pause", 0xe177, 0x62},
    {"ro", 0x51, 0},
    {"yen", 0x6a, 0x5d},
    {"henkan", 0x64, 0x86},
    {"muhenkan", 0x67, 0x85},
    {"hiragana", 0x62, 0},
    {"katakanahiragana", 0x13, 0x87},
    {"lang1", 0xf2, 0},
    {"lang2", 0xf1, 0},
    {"power", 0xe037, 0},
    {"sleep", 0xe03f, 0},
    {"wake", 0xe05e, 0},
    {"audionext", 0xe04d, 0},
    {"audioprev", 0xe015, 0},
    {"audiostop", 0xe03b, 0},
    {"audioplay", 0xe034, 0},
    {"audiomute", 0xe023, 0},
    {"volumeup", 0xe032, 0},
    {"volumedown", 0xe021, 0},
    {"mediaselect", 0xe050, 0},
    {"mail", 0xe048, 0},
    {"calculator", 0xe02b, 0},
    {"computer", 0xe040, 0},
    {"ac_home", 0xe03a, 0},
    {"ac_back", 0xe038, 0},
    {"ac_forward", 0xe030, 0},
    {"ac_refresh", 0xe020, 0},
    {"ac_bookmarks", 0xe018, 0},
    {"stop", 0, 0},
    {"again", 0, 0},
    {"props", 0, 0},
    {"undo", 0, 0},
    {"front", 0, 0},
    {"copy", 0, 0},
    {"open", 0, 0},
    {"paste", 0, 0},
    {"find", 0, 0},
    {"cut", 0, 0},
    {"lf", 0, 0},
    {"help", 0, 0},
};

int input_keys(void)
{
    return G_N_ELEMENTS(keys);
}

const InputKey *input_key(int code)
{
    return code >= 0 && code < input_keys() ? &keys[code] : NULL;
}

int input_key_from_name(const char *name)
{
    for (int i = 0; i < input_keys(); i++) {
        if (strcmp(keys[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* What the 8042 makes of a set 2 byte; bytes past the table stay as they are. */
static const uint8_t set2_to_set1[] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f,
    0x29, 0x59, 0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f,
    0x1e, 0x11, 0x03, 0x5b, 0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39,
    0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d, 0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e,
    0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f, 0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b,
    0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61, 0x6d, 0x73, 0x28, 0x74,
    0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, 0x55, 0x56,
    0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49,
    0x46, 0x54, 0x80, 0x81, 0x82, 0x41, 0x54, 0x85,
};

uint8_t input_key_set2_to_set1(uint8_t byte)
{
    return byte < G_N_ELEMENTS(set2_to_set1) ? set2_to_set1[byte] : byte;
}

/* -- Routing ---------------------------------------------------------------------------
 */

/* A process has one person at its keyboard. */
static struct {
    InputKeyHandler key;
    void *key_opaque;
    InputPointerHandler pointer;
    void *pointer_opaque;
    unsigned buttons;
} input;

void input_register_keyboard(InputKeyHandler handler, void *opaque)
{
    input.key = handler;
    input.key_opaque = opaque;
}

void input_unregister_keyboard(void *opaque)
{
    if (input.key_opaque == opaque) {
        input_register_keyboard(NULL, NULL);
    }
}

void input_register_pointer(InputPointerHandler handler, void *opaque)
{
    input.pointer = handler;
    input.pointer_opaque = opaque;
}

void input_unregister_pointer(void *opaque)
{
    if (input.pointer_opaque == opaque) {
        input_register_pointer(NULL, NULL);
    }
}

void input_send_key(int code, bool down)
{
    if (input.key && input_key(code)) {
        input.key(input.key_opaque, code, down);
    }
}

void input_send_pointer(int dx, int dy, int dz, unsigned buttons)
{
    input.buttons = buttons;
    if (input.pointer) {
        input.pointer(input.pointer_opaque, dx, dy, dz, buttons);
    }
}

bool input_has_keyboard(void)
{
    return input.key != NULL;
}

bool input_has_pointer(void)
{
    return input.pointer != NULL;
}

unsigned input_pointer_buttons(void)
{
    return input.buttons;
}

/* -- Combinations ----------------------------------------------------------------------
 */

#define COMBINATION_KEYS 16
#define COMBINATIONS_WAITING 1024
#define DEFAULT_HOLD_MS 100
#define NANOSECONDS_PER_MS INT64_C(1000000)

typedef struct Combination {
    int codes[COMBINATION_KEYS];
    int count;
    int64_t hold_ns;
} Combination;

static struct {
    GQueue waiting; /* Combination *; the first one is held down while the timer runs */
    Timer timer;
    bool ready;
} combinations = {.waiting = G_QUEUE_INIT};

static void press_first(void)
{
    Combination *combination = g_queue_peek_head(&combinations.waiting);

    if (combination) {
        for (int i = 0; i < combination->count; i++) {
            input_send_key(combination->codes[i], true);
        }
        timer_mod(&combinations.timer, clock_virtual_ns() + combination->hold_ns);
    }
}

static void hold_is_over(void *opaque)
{
    Combination *combination = g_queue_pop_head(&combinations.waiting);

    for (int i = combination->count; i-- > 0;) {
        input_send_key(combination->codes[i], false);
    }
    g_free(combination);
    press_first();
}

int input_key_from_number(uint64_t number)
{
    for (int i = 0; i < input_keys(); i++) {
        uint8_t set1 = input_key_set2_to_set1(keys[i].set2 & 0xff);

        if (keys[i].set2 && (keys[i].set2 >> 8 == 0xe0 ? set1 | 0x80 : set1) == number) {
            return i;
        }
    }
    return -1;
}

static int key_from_text(const char *text, GError **error)
{
    const char *candidates[G_N_ELEMENTS(keys) + 1] = {NULL};
    const char *nearest;
    uint64_t number;
    int code = -1;

    /* "1" is the key, not the number; HMP takes "<" for the key "less". */
    if (strcmp(text, "<") == 0) {
        text = "less";
    }
    code = input_key_from_name(text);
    if (code < 0 && parse_uint64(text, 0xff, &number)) {
        code = input_key_from_number(number);
    }
    if (code >= 0) {
        return code;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        candidates[i] = keys[i].name;
    }
    nearest = nearest_name(text, candidates);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "unknown key: '%s'%s%s%s",
                text, nearest ? "; is it '" : "", nearest ? nearest : "",
                nearest ? "'?" : "");
    return -1;
}

bool input_send_key_combination(const char *text, int hold_ms, GError **error)
{
    g_auto(GStrv) names = g_strsplit(text, "-", COMBINATION_KEYS + 1);
    g_autofree Combination *combination = g_new0(Combination, 1);
    unsigned count = g_strv_length(names);

    if (count == 0 || count > COMBINATION_KEYS) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "a key combination is 1 to %d keys joined by '-'", COMBINATION_KEYS);
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        int code = key_from_text(names[i], error);

        if (code < 0) {
            return false;
        }
        combination->codes[combination->count++] = code;
    }
    if (g_queue_get_length(&combinations.waiting) >= COMBINATIONS_WAITING) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
                    "%d key combinations wait already; let the machine run",
                    COMBINATIONS_WAITING);
        return false;
    }
    combination->hold_ns = (hold_ms > 0 ? hold_ms : DEFAULT_HOLD_MS) * NANOSECONDS_PER_MS;
    if (!combinations.ready) {
        timer_init(&combinations.timer, CLOCK_KIND_VIRTUAL, hold_is_over, NULL);
        combinations.ready = true;
    }
    g_queue_push_tail(&combinations.waiting, g_steal_pointer(&combination));
    if (g_queue_get_length(&combinations.waiting) == 1) {
        press_first();
    }
    return true;
}
