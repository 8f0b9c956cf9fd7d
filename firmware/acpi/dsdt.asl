/*
 * What every pc has, whatever its size: the part of the DSDT that can be compiled
 * beforehand. firmware/acpi/dsdt.c adds the rest behind it: bridges' windows, ISA devices,
 * slots and sleep states, and dsdt-processors.c the processors.
 *
 * Nothing here names an object of the rest, so that no External() ends up in the code:
 * SeaBIOS' parser does not know that opcode.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
DefinitionBlock ("", "DSDT", 1, "BOCHS ", "BXPC    ", 1)
{
    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))

            // 82441FX: the host bridge
            Device (S00)
            {
                Name (_ADR, Zero)
            }

            // 82371SB (PIIX3): the ISA bridge, with the PIRQ route registers
            Device (S08)
            {
                Name (_ADR, 0x00010000)
                OperationRegion (PIRQ, PCI_Config, 0x60, 0x04)
                Field (PIRQ, ByteAcc, NoLock, Preserve)
                {
                    PRQA, 8,
                    PRQB, 8,
                    PRQC, 8,
                    PRQD, 8
                }

                Device (RTC)
                {
                    Name (_HID, EisaId ("PNP0B00"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x0070, 0x0070, 0x01, 0x08)
                        IRQNoFlags () {8}
                    })
                }
            }

            // Slot n's pin p is wired to PIRQ[(n + p - 1) % 4], and 1.3, the power
            // management function, to the SCI.
            Method (_PRT)
            {
                Local4 = Package (128) {}
                Local0 = Zero
                While (Local0 < 128)
                {
                    Local1 = Local0 >> 2
                    Local2 = (Local0 + Local1) & 3
                    Local3 = Package (4) { Zero, Zero, LNKD, Zero }
                    If (Local0 == 4)
                    {
                        Local3 = Package (4) { Zero, Zero, LNKS, Zero }
                    }
                    ElseIf (Local2 == 1)
                    {
                        Local3 = Package (4) { Zero, Zero, LNKA, Zero }
                    }
                    ElseIf (Local2 == 2)
                    {
                        Local3 = Package (4) { Zero, Zero, LNKB, Zero }
                    }
                    ElseIf (Local2 == 3)
                    {
                        Local3 = Package (4) { Zero, Zero, LNKC, Zero }
                    }
                    Local3 [0] = (Local1 << 16) | 0xFFFF
                    Local3 [1] = Local0 & 3
                    Local4 [Local0] = Local3
                    Local0++
                }
                Return (Local4)
            }

            Device (GPE0)
            {
                Name (_HID, "PNP0A06")
                Name (_UID, "GPE0 resources")
                Name (_STA, 0x0B)
                Name (_CRS, ResourceTemplate ()
                {
                    IO (Decode16, 0xAFE0, 0xAFE0, 0x01, 0x04)
                })
            }

            // PCI hot-plug: which slots changed, and the order to let one go
            Device (PHPR)
            {
                Name (_HID, "PNP0A06")
                Name (_UID, "PCI Hotplug resources")
                Name (_STA, 0x0B)
                Name (_CRS, ResourceTemplate ()
                {
                    IO (Decode16, 0xAE00, 0xAE00, 0x01, 0x18)
                })
            }
            OperationRegion (PHPO, SystemIO, 0xAE00, 0x18)
            Field (PHPO, DWordAcc, NoLock, WriteAsZeros)
            {
                PCIU, 32,
                PCID, 32,
                PCIE, 32,
                Offset (0x10),
                PCIB, 32
            }
            Mutex (PHPM, 0)

            // The slots that were plugged (Arg0 == 1) or are asked for (3), a bit each
            Method (PCIC, 1, Serialized)
            {
                Acquire (PHPM, 0xFFFF)
                PCIB = Zero
                If (Arg0 == One)
                {
                    Local0 = PCIU
                }
                Else
                {
                    Local0 = PCID
                }
                Release (PHPM)
                Return (Local0)
            }

            // Lets the device in slot Arg0 go
            Method (PCEJ, 1, Serialized)
            {
                Acquire (PHPM, 0xFFFF)
                PCIB = Zero
                PCIE = One << Arg0
                Release (PHPM)
            }
        }

        // A PIRQ route register: bit 7 is set where it is off, else the ISA IRQ.
        Method (IQST, 1)
        {
            If (Arg0 & 0x80)
            {
                Return (0x09)
            }
            Return (0x0B)
        }
        Name (IQCR, ResourceTemplate ()
        {
            Interrupt (ResourceConsumer, Level, ActiveHigh, Shared, , , IQCI) {0}
        })
        Method (IQGT, 1, Serialized)
        {
            CreateDWordField (IQCR, \_SB.IQCI._INT, IQRN)
            IQRN = Zero
            If (Arg0 < 0x80)
            {
                IQRN = Arg0
            }
            Return (IQCR)
        }

        // The number in such a template that _SRS brings
        Method (IQNO, 1, Serialized)
        {
            CreateDWordField (Arg0, 5, IQRN)
            Return (IQRN)
        }

        Device (LNKA)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 0)
            Name (_PRS, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) {5, 10, 11}
            })
            Method (_STA) { Return (IQST (\_SB.PCI0.S08.PRQA)) }
            Method (_DIS) { \_SB.PCI0.S08.PRQA |= 0x80 }
            Method (_CRS) { Return (IQGT (\_SB.PCI0.S08.PRQA)) }
            Method (_SRS, 1) { \_SB.PCI0.S08.PRQA = IQNO (Arg0) }
        }
        Device (LNKB)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 1)
            Name (_PRS, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) {5, 10, 11}
            })
            Method (_STA) { Return (IQST (\_SB.PCI0.S08.PRQB)) }
            Method (_DIS) { \_SB.PCI0.S08.PRQB |= 0x80 }
            Method (_CRS) { Return (IQGT (\_SB.PCI0.S08.PRQB)) }
            Method (_SRS, 1) { \_SB.PCI0.S08.PRQB = IQNO (Arg0) }
        }
        Device (LNKC)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 2)
            Name (_PRS, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) {5, 10, 11}
            })
            Method (_STA) { Return (IQST (\_SB.PCI0.S08.PRQC)) }
            Method (_DIS) { \_SB.PCI0.S08.PRQC |= 0x80 }
            Method (_CRS) { Return (IQGT (\_SB.PCI0.S08.PRQC)) }
            Method (_SRS, 1) { \_SB.PCI0.S08.PRQC = IQNO (Arg0) }
        }
        Device (LNKD)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 3)
            Name (_PRS, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) {5, 10, 11}
            })
            Method (_STA) { Return (IQST (\_SB.PCI0.S08.PRQD)) }
            Method (_DIS) { \_SB.PCI0.S08.PRQD |= 0x80 }
            Method (_CRS) { Return (IQGT (\_SB.PCI0.S08.PRQD)) }
            Method (_SRS, 1) { \_SB.PCI0.S08.PRQD = IQNO (Arg0) }
        }

        // The SCI, which no register routes
        Device (LNKS)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 4)
            Name (_PRS, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) {9}
            })
            Method (_STA) { Return (0x0B) }
            Method (_DIS) { }
            Method (_CRS) { Return (_PRS) }
            Method (_SRS, 1) { }
        }

        // There where its vendor and its period make sense (IA-PC HPET 1.0a, 2.3.4)
        Device (HPET)
        {
            Name (_HID, EisaId ("PNP0103"))
            Name (_UID, Zero)
            OperationRegion (HPTM, SystemMemory, 0xFED00000, 0x0400)
            Field (HPTM, DWordAcc, Lock, Preserve)
            {
                CAPS, 32,
                PRD, 32
            }
            Method (_STA)
            {
                Local0 = CAPS >> 16
                If ((Local0 == Zero) || (Local0 == 0xFFFF))
                {
                    Return (Zero)
                }
                If ((PRD == Zero) || (PRD > 100000000))
                {
                    Return (Zero)
                }
                Return (0x0F)
            }
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadOnly, 0xFED00000, 0x00000400)
            })
        }
    }

    Scope (\_GPE)
    {
        Name (_HID, "ACPI0006")
    }
}
