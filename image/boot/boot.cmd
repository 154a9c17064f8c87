# What U-Boot does on every board: chooses a root slot, counts its tries, boots it.
#
# The variables are RAUC's: BOOT_ORDER, BOOT_A_LEFT, BOOT_B_LEFT. They lie in two blocks of 4 KiB before the first
# partition, each a CRC-32 and `name=value` texts: the first at 1 MiB is what Linux writes (/etc/fw_env.config), the
# second at 2 MiB is what this script last wrote. A first one that was torn by a power cut is replaced by the second,
# and that by the values of a new card.
#
# LEFT is 9 (`boot-attempts` in RAUC's configuration) once a slot has been confirmed. Such a slot is not counted: a trap
# whose battery fails three times while it boots has no broken system. A slot that RAUC has just written starts with 3
# (`boot-attempts-primary`), loses one with each boot, and tells Linux that it is on trial.

if test "${vendor}" = "emulation"; then
  setenv env_at 43000000
  setenv kernel_at 44000000
  setenv initrd_at 4a000000
else
  setenv env_at 03000000
  setenv kernel_at 04000000
  setenv initrd_at 0a000000
fi

# What the board adds to the kernel's line.
setenv board_args
if load ${devtype} ${devnum}:1 ${env_at} board.env; then
  env import -t ${env_at} ${filesize} board_args
fi

${devtype} dev ${devnum}
setenv BOOT_ORDER
${devtype} read ${env_at} 800 8
if env import -c ${env_at} 1000 BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; then
  echo "slots: as Linux left them"
else
  ${devtype} read ${env_at} 1000 8
  if env import -c ${env_at} 1000 BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; then
    echo "slots: as the last boot left them"
  else
    echo "slots: as on a new card"
    setenv BOOT_ORDER
  fi
fi
if test -z "${BOOT_ORDER}"; then
  setenv BOOT_ORDER "A B"
  setenv BOOT_A_LEFT 9
  setenv BOOT_B_LEFT 0
fi
if test -z "${BOOT_A_LEFT}"; then
  setenv BOOT_A_LEFT 3
fi
if test -z "${BOOT_B_LEFT}"; then
  setenv BOOT_B_LEFT 3
fi

# The second block first: at any moment one of the two is whole.
setenv keep 'env export -c -s 1000 ${env_at} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; ${devtype} write ${env_at} 1000 8; ${devtype} write ${env_at} 800 8'

# Returns only if the slot has no system that can be loaded.
setenv boot_slot 'setenv bootargs "root=PARTUUID=54524150-0${part} rootfstype=ext4 ro rootwait panic=10 quiet net.ifnames=0 rauc.slot=${slot} trapline.trial=${trial} ${board_args}"; if load ${devtype} ${devnum}:${part} ${kernel_at} boot/vmlinuz; then if load ${devtype} ${devnum}:${part} ${initrd_at} boot/initrd.img; then booti ${kernel_at} ${initrd_at}:${filesize} ${fdt_addr}; fi; fi; echo "slot ${slot} cannot be loaded"'

for candidate in ${BOOT_ORDER}; do
  setenv slot ${candidate}
  if test "${slot}" = "A"; then
    setenv part 2
    setenv left ${BOOT_A_LEFT}
  else
    setenv part 3
    setenv left ${BOOT_B_LEFT}
  fi
  if test "${left}" = "9"; then
    echo "slot ${slot}: confirmed"
    setenv trial 0
    run boot_slot
  elif itest 0x${left} -gt 0; then
    echo "slot ${slot}: on trial, tries left: ${left}"
    setenv trial 1
    setexpr left ${left} - 1
    if test "${slot}" = "A"; then
      setenv BOOT_A_LEFT ${left}
    else
      setenv BOOT_B_LEFT ${left}
    fi
    run keep
    run boot_slot
  else
    echo "slot ${slot}: no tries left"
  fi
done

# Whatever went wrong, a trap tries again rather than stand still.
echo "no slot could be booted; both get three more tries"
setenv BOOT_A_LEFT 3
setenv BOOT_B_LEFT 3
run keep
sleep 5
reset
