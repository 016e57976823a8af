# The real udevadm on made-up devices, with the host's rules and ours. $1 a folder: its sys becomes /sys, its rules are
# installed; $2 the device; $3 the preloaded library. /dev and /run are its own.
set -e
mount -t tmpfs tmpfs /sys
cp --archive "$1/sys/." /sys
mount -t tmpfs tmpfs /run
mkdir -p /run/udev/rules.d
cp "$1"/rules/* /run/udev/rules.d/
grep -v '^cardio:' /etc/group > /run/group
echo 'cardio:x:61184:' >> /run/group
mount --bind /run/group /etc/group
mount -t tmpfs tmpfs /dev
mknod /dev/null c 1 3
mknod /dev/ttyUSB0 c 188 0
LD_PRELOAD="$3" udevadm test --action=add "$2" 2>&1
echo ==
for file in /dev/ttyUSB0 /dev/cardio/*; do test ! -e "$file" || stat --format='%N %g %a' "$file"; done
cat "$2/power/control" 2> /dev/null || true
