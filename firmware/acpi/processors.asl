/*
 * How the system learns of processors through QEMU's registers ("acpi_cpu_hotplug"): one is
 * selected, then asked and told. firmware/acpi/dsdt-processors.c adds the processors.
 *
 * Like dsdt.asl, it names nothing of the other tables' parts.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
DefinitionBlock ("", "DSDT", 1, "BOCHS ", "BXPC    ", 1)
{
    Scope (\_SB)
    {
        Device (CPUS)
        {
            Name (_HID, "ACPI0010")
            Name (_CID, EisaId ("PNP0A05"))

            OperationRegion (CPUO, SystemIO, 0xAF00, 0x0C)
            Field (CPUO, ByteAcc, NoLock, WriteAsZeros)
            {
                Offset (0x04),
                CPEN, 1,    // present
                CINS, 1,    // was plugged; write 1: seen
                CRMV, 1,    // is asked for; write 1: seen
                CEJE, 1,    // write 1: let it go
                Offset (0x05),
                CCMD, 8
            }
            Field (CPUO, DWordAcc, NoLock, Preserve)
            {
                CSEL, 32,
                Offset (0x08),
                CDAT, 32
            }
            Mutex (CPLK, 0)

            // A zero to the selector leaves the legacy bitmap for these registers.
            Method (CINI, 0, Serialized)
            {
                CSEL = Zero
            }

            // _STA of processor Arg0
            Method (CSTA, 1, Serialized)
            {
                Acquire (CPLK, 0xFFFF)
                CSEL = Arg0
                Local0 = Zero
                If (CPEN == One)
                {
                    Local0 = 0x0F
                }
                Release (CPLK)
                Return (Local0)
            }

            // _EJ0 of processor Arg0
            Method (CEJ0, 1, Serialized)
            {
                Acquire (CPLK, 0xFFFF)
                CSEL = Arg0
                CEJE = One
                Release (CPLK)
            }

            // _OST of processor Arg0: event Arg1 ended with status Arg2
            Method (COST, 3, Serialized)
            {
                Acquire (CPLK, 0xFFFF)
                CSEL = Arg0
                CCMD = One
                CDAT = Arg1
                CCMD = 0x02
                CDAT = Arg2
                Release (CPLK)
            }

            // The next processor with an event, times 256, plus what to notify it with;
            // zero: no events are left
            Method (CNXT, 0, Serialized)
            {
                Acquire (CPLK, 0xFFFF)
                CSEL = Zero
                CCMD = Zero
                Local0 = CDAT << 8
                If (CINS == One)
                {
                    Local0 |= One
                    CINS = One
                }
                ElseIf (CRMV == One)
                {
                    Local0 |= 0x03
                    CRMV = One
                }
                Else
                {
                    Local0 = Zero
                }
                Release (CPLK)
                Return (Local0)
            }
        }
    }
}
