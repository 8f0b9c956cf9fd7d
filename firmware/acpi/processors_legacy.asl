/*
 * How the system learns of processors on machine types up to 2.6: a bitmap says which local
 * APIC IDs are there ("acpi_cpu_hotplug", the legacy interface).
 * firmware/acpi/dsdt-processors.c adds the processors.
 *
 * Like dsdt.asl, it names nothing of the other tables' parts.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
DefinitionBlock ("", "DSDT", 1, "BOCHS ", "BXPC    ", 1)
{
    Scope (\_SB)
    {
        OperationRegion (CPUO, SystemIO, 0xAF00, 0x20)
        Field (CPUO, ByteAcc, NoLock, Preserve)
        {
            CMAP, 256
        }

        // Whether processor Arg0 is there
        Method (CTHR, 1)
        {
            Local0 = CMAP
            Return ((DerefOf (Local0 [(Arg0 >> 3)]) >> (Arg0 & 7)) & One)
        }

        // _STA of processor Arg0
        Method (CSTA, 1)
        {
            If (CTHR (Arg0))
            {
                Return (0x0F)
            }
            Return (Zero)
        }

        // _MAT of processor Arg0: its entry of the MADT
        Method (CMAT, 1)
        {
            Local0 = Buffer (8) {0x00, 0x08}
            Local0 [2] = Arg0
            Local0 [3] = Arg0
            Local0 [4] = CTHR (Arg0)
            Return (Local0)
        }

        // _EJ0: the bitmap has no way to tell; a processor goes when the system has let go
        Method (CEJ0, 0)
        {
            Sleep (200)
        }
    }
}
