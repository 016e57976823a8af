# A machine within this one: the real systemd as process 1 of namespaces of its own, with the wheel installed as
# docs/running.md says. It writes to copies and to files of its own; nothing outside of the namespaces changes.
#
# Begins as `sh machine.sh outside`, in a mount namespace, with the places in the variables of machine.py.
set -e

case "$1" in
outside)
    # A control group of its own, so that systemd's do not lie among ours; it goes with the machine.
    groups=$(mktemp -d)
    mount -t cgroup2 cgroup2 "$groups"
    ours="$groups$(sed -n 's/^0:://p' /proc/self/cgroup)"
    mkdir "$ours/$MACHINE_NAME"
    echo $$ > "$ours/$MACHINE_NAME/cgroup.procs"
    # Whoever is killed takes the next one along.
    setpriv --pdeathsig KILL unshare --pid --mount --ipc --uts --net --cgroup --fork --kill-child sh "$0" inside || true
    echo $$ > "$ours/cgroup.procs"
    find "$ours/$MACHINE_NAME" -depth -type d -exec rmdir {} +
    umount "$groups"
    rmdir "$groups"
    ;;
inside)
    ip link set lo up
    mount -t proc proc /proc
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    for place in /opt /run; do mount -t tmpfs tmpfs "$place"; done

    # The wheel, and the Python and the packages that run the tests.
    mkdir -p /opt/python "/opt/cardio/lib/$MACHINE_PYTHON/site-packages" /opt/cardio/bin /opt/cardio/wheel
    cd /
    mount --bind "$MACHINE_BASE" /opt/python
    mount --bind "$MACHINE_SITE" "/opt/cardio/lib/$MACHINE_PYTHON/site-packages"
    echo "home = /opt/python/bin" > /opt/cardio/pyvenv.cfg
    ln -s "/opt/python/bin/$MACHINE_PYTHON" /opt/cardio/bin/python
    LD_LIBRARY_PATH=/opt/python/lib /opt/cardio/bin/python -m zipfile -e "$MACHINE_WHEEL" /opt/cardio/wheel
    mv /opt/cardio/wheel/*.data/data/share /opt/cardio/share
    printf '#!/bin/sh\nexport LD_LIBRARY_PATH=/opt/python/lib PYTHONPATH=/opt/cardio/wheel\n%s\n' \
        'exec /opt/cardio/bin/python -c "from cardiod.main import run; run()" "$@"' > /opt/cardio/bin/cardiod
    chmod 755 /opt/cardio/bin/cardiod

    # What tests and machine share, and the socket of a pcscd outside.
    mkdir -p /run/shared /run/pcscd
    mount --bind "$MACHINE_SHARED" /run/shared
    test -z "$MACHINE_PCSCD" || mount --bind "$MACHINE_PCSCD" /run/pcscd

    # A copy of /etc without any service of the host's, a disk of its own for the state.
    cp --archive /etc /run/etc
    rm -rf /run/etc/systemd/system /run/etc/cardio /run/etc/polkit-1
    mkdir -p /run/etc/systemd/system/cardiod.service.d /run/etc/polkit-1
    for file in passwd group shadow gshadow; do sed -i '/^cardio:/d' "/run/etc/$file"; done
    cp /run/shared/*.conf /run/etc/systemd/system/cardiod.service.d/
    mount --bind /run/etc /etc
    mkdir -p /run/shared/lib
    mount --bind /run/shared/lib /var/lib
    mount -t tmpfs tmpfs /tmp

    # Bare targets for all that our units name.
    mkdir /run/targets
    for name in basic sysinit shutdown multi-user network time-sync sockets; do
        printf '[Unit]\nDescription=%s\n' "$name" > "/run/targets/$name.target"
    done
    # As systemd has it where it boots: credentials reach a service through a namespace of its own.
    mount --make-rshared /
    export SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/targets container=tests
    unset NOTIFY_SOCKET
    exec /lib/systemd/systemd --system --unit=basic.target --show-status=0 --log-target=null
    ;;
esac
