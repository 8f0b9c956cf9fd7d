/*
 * The device by which a guest reads its generation number (Microsoft, "Virtual Machine
 * Generation ID"), as a table of its own. VGIA is first, where firmware/acpi/tables.c has
 * the loader write the address of the number's page; the number is 40 bytes into it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
DefinitionBlock ("", "SSDT", 1, "BOCHS ", "VMGENID ", 1)
{
    Name (VGIA, 0x12345678)
    Scope (\_SB)
    {
        Device (VGEN)
        {
            Name (_HID, "QEMUVGID")
            Name (_CID, "VM_Gen_Counter")
            Name (_DDN, "VM_Gen_Counter")
            Method (_STA)
            {
                If (VGIA)
                {
                    Return (0x0F)
                }
                Return (Zero)
            }
            Method (ADDR)
            {
                Local0 = Package (2) {Zero, Zero}
                Local0 [0] = VGIA + 40
                Return (Local0)
            }
        }
    }
    Scope (\_GPE)
    {
        Method (_E05)
        {
            Notify (\_SB.VGEN, 0x80)
        }
    }
}
