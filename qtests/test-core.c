/*
 * hw/core: properties, devices, pins, globals, clocks.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <stdlib.h>

#include "hw/core/bus.h"
#include "hw/core/clock.h"
#include "hw/core/option-string.h"

typedef struct Lamp {
    Device parent;
    bool on;
    uint8_t watts;
    uint64_t glass;
    char *colour;
    int shape;
    IRQ *out[2];
    int seen[2];
} Lamp;

static const char *const shapes[] = {"bulb", "tube", NULL};

static const Property lamp_properties[] = {
    PROP_BOOL("on", Lamp, on, true, NULL),
    PROP_UINT8("watts", Lamp, watts, 60, NULL),
    PROP_SIZE("glass", Lamp, glass, 4096, NULL),
    PROP_STRING("colour", Lamp, colour, "white", NULL),
    PROP_ENUM("shape", Lamp, shape, 1, shapes, NULL),
    PROP_END,
};

static GType lamp_get_type(void);
DEVICE_DEFINE_TYPE(Lamp, lamp, "test-lamp", TYPE_DEVICE)

static void lamp_switch(void *opaque, int n, int level)
{
    ((Lamp *)opaque)->seen[n] = level;
}

static bool lamp_realize(Device *dev, GError **error)
{
    Lamp *lamp = (Lamp *)dev;

    if (lamp->watts == 0) {
        g_set_error(error, g_quark_from_string("lamp"), 1, "a lamp of 0 watts gives no light");
        return false;
    }
    device_init_gpio_in(dev, lamp_switch, 2);
    device_init_gpio_out_named(dev, lamp->out, "light", 2);
    return true;
}

static void lamp_reset(Device *dev)
{
    ((Lamp *)dev)->seen[0] = -7;
}

static void lamp_class_init(DeviceClass *klass)
{
    klass->realize = lamp_realize;
    klass->reset = lamp_reset;
    property_install_table(&klass->parent, lamp_properties);
}

START_TEST(test_defaults_and_text)
{
    Lamp *lamp = (Lamp *)device_new(lamp_get_type(), NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *glass = NULL;

    ck_assert(lamp->on);
    ck_assert_uint_eq(lamp->watts, 60);
    ck_assert_str_eq(lamp->colour, "white");
    ck_assert_int_eq(lamp->shape, 1);

    ck_assert(property_set_string(G_OBJECT(lamp), "on", "off", NULL));
    ck_assert(!lamp->on);
    ck_assert(property_set_string(G_OBJECT(lamp), "watts", "0xff", NULL));
    ck_assert_uint_eq(lamp->watts, 255);
    ck_assert(property_set_string(G_OBJECT(lamp), "glass", "1.5K", NULL));
    ck_assert_uint_eq(lamp->glass, 1536);
    ck_assert(property_set_string(G_OBJECT(lamp), "shape", "bulb", NULL));
    ck_assert_int_eq(lamp->shape, 0);
    ck_assert(property_set_string(G_OBJECT(lamp), "glass", "64K", NULL));
    glass = property_get_string(G_OBJECT(lamp), "glass");
    ck_assert_str_eq(glass, "65536 (64 KiB)");

    ck_assert(!property_set_string(G_OBJECT(lamp), "watts", "256", &error));
    ck_assert_str_eq(error->message, "Property 'test-lamp.watts' does not take '256'; it "
                                     "takes a number from 0 to 255");
    g_clear_error(&error);
    ck_assert(!property_set_string(G_OBJECT(lamp), "wats", "1", &error));
    ck_assert_str_eq(error->message,
                     "Property 'test-lamp.wats' not found; did you mean 'watts'?");
    g_clear_error(&error);
    ck_assert(!property_set_string(G_OBJECT(lamp), "shape", "cube", &error));
    ck_assert_uint_eq(lamp->watts, 255);
    g_object_unref(lamp);
}
END_TEST

START_TEST(test_realize_paths_reset)
{
    g_autoptr(GError) error = NULL;
    Device *first = device_create(lamp_get_type(), NULL, NULL);
    Device *second = device_new(lamp_get_type(), NULL);
    Device *third = device_new(lamp_get_type(), NULL);

    second->id = g_strdup("desk");
    ck_assert(device_realize(second, NULL, NULL));
    ck_assert_str_eq(first->path, "/machine/unattached/device[0]");
    ck_assert_str_eq(second->path, "/machine/peripheral/desk");
    ck_assert_ptr_eq(device_find_by_id("desk"), second);
    ((Lamp *)third)->watts = 0;
    ck_assert(!device_realize(third, NULL, &error));
    ck_assert_str_eq(error->message, "a lamp of 0 watts gives no light");

    device_reset_all();
    ck_assert_int_eq(((Lamp *)first)->seen[0], -7);
    ck_assert_int_eq(((Lamp *)second)->seen[0], -7);
    device_unplug(second);
    ck_assert_ptr_null(device_find_by_id("desk"));
}
END_TEST

START_TEST(test_pins)
{
    Device *from = device_create(lamp_get_type(), NULL, NULL);
    Device *to = device_create(lamp_get_type(), NULL, NULL);

    device_connect_gpio_out_named(from, "light", 1, device_get_gpio_in(to, 0));
    irq_raise(((Lamp *)from)->out[1]);
    irq_raise(((Lamp *)from)->out[0]); /* not connected */
    ck_assert_int_eq(((Lamp *)to)->seen[0], 1);
    ck_assert_int_eq(((Lamp *)to)->seen[1], 0);
    irq_lower(((Lamp *)from)->out[1]);
    ck_assert_int_eq(((Lamp *)to)->seen[0], 0);
    ck_assert_ptr_null(device_get_gpio_in(to, 2));
}
END_TEST

START_TEST(test_globals)
{
    g_autoptr(GError) error = NULL;
    Lamp *lamp;

    device_add_global("test-lamp", "watts", "5", false);
    device_add_global("test-lamp", "watts", "7", true);
    device_add_global("test-lamp", "no-such", "7", true);
    lamp = (Lamp *)device_new(lamp_get_type(), NULL);
    ck_assert_uint_eq(lamp->watts, 5);
    device_add_global("test-lamp", "no-such", "7", false);
    ck_assert_ptr_null(device_new(lamp_get_type(), &error));
    ck_assert_ptr_nonnull(strstr(error->message, "can't apply global test-lamp.no-such=7"));
}
END_TEST

static int64_t fired[3];

static void fire(void *opaque)
{
    *(int64_t *)opaque = clock_virtual_ns();
}

START_TEST(test_virtual_timers)
{
    Timer timers[3];

    clock_virtual_manual();
    for (int i = 0; i < 3; i++) {
        timer_init(&timers[i], CLOCK_KIND_VIRTUAL, fire, &fired[i]);
    }
    timer_mod(&timers[0], 300);
    timer_mod(&timers[1], 100);
    timer_mod(&timers[2], 200);
    ck_assert_int_eq(clock_virtual_deadline_ns(), 100);
    timer_del(&timers[1]);
    timer_mod(&timers[0], 150);
    clock_virtual_set_ns(1000);
    ck_assert_int_eq(fired[0], 150);
    ck_assert_int_eq(fired[1], 0);
    ck_assert_int_eq(fired[2], 200);
    ck_assert_int_eq(clock_virtual_ns(), 1000);
    ck_assert(!timer_pending(&timers[0]));
    /* 3.579545 MHz for a day does not overflow on the way. */
    ck_assert_uint_eq(clock_ns_to_ticks(INT64_C(86400000000000), 3579545),
                      UINT64_C(309272688000));
}
END_TEST

static int64_t real_fired;

static void fire_real(void *opaque)
{
    real_fired = clock_virtual_ns();
}

START_TEST(test_virtual_clock_runs_and_stands)
{
    Timer timer;
    int64_t stood;

    timer_init(&timer, CLOCK_KIND_VIRTUAL, fire_real, NULL);
    clock_virtual_run(true);
    timer_mod(&timer, clock_virtual_ns() + 200000); /* 0.2 ms */
    while (!real_fired) {
        g_main_context_iteration(NULL, true);
    }
    clock_virtual_run(false);
    stood = clock_virtual_ns();
    ck_assert_int_ge(stood, real_fired);
    g_usleep(2000);
    ck_assert_int_eq(clock_virtual_ns(), stood);
    clock_virtual_run(true);
    ck_assert_int_lt(clock_virtual_ns() - stood, 2000000);
}
END_TEST

START_TEST(test_option_strings)
{
    g_autoptr(OptionString) options =
        option_string_parse("disk,file=a,,b=c,readonly,file=d", "driver");
    g_autofree char *file = NULL;

    ck_assert_uint_eq(options->count, 4);
    ck_assert_str_eq(options->pairs[0].key, "driver");
    ck_assert_str_eq(options->pairs[1].value, "a,b=c");
    ck_assert_str_eq(option_string_get(options, "readonly"), "on");
    file = option_string_take(options, "file");
    ck_assert_str_eq(file, "d");
    ck_assert_uint_eq(options->count, 2);
}
END_TEST

START_TEST(test_sizes)
{
    uint64_t size;

    ck_assert(parse_size("128", MiB(1), &size) && size == MiB(128));
    ck_assert(parse_size("0x10k", 1, &size) && size == 16384);
    ck_assert(!parse_size("-1", 1, &size));
    ck_assert(!parse_size("12Q", 1, &size));
    ck_assert(!parse_size("", 1, &size));
    ck_assert(!parse_size("99999999999999999999", 1, &size));
    ck_assert(!parse_size("17179869184G", 1, &size));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core");
    TCase *tcase = tcase_create("core");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, test_defaults_and_text);
    tcase_add_test(tcase, test_realize_paths_reset);
    tcase_add_test(tcase, test_pins);
    tcase_add_test(tcase, test_globals);
    tcase_add_test(tcase, test_virtual_timers);
    tcase_add_test(tcase, test_virtual_clock_runs_and_stands);
    tcase_add_test(tcase, test_option_strings);
    tcase_add_test(tcase, test_sizes);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
