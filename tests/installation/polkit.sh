# polkitd with a bus, users and rules of its own: $1 the folder with them, $2 actions, $3 cardiod. Asks, and prints a line
# for each question: user, action, exit code of pkcheck (0 allowed, 1 not); then what our doctor says.
set -e
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mkdir -p /run/dbus /run/none
for file in passwd group; do grep -v '^cardio:' "/etc/$file" > "/run/$file"; done
echo 'cardio:x:61184:61184::/:/usr/sbin/nologin' >> /run/passwd
echo 'other:x:61185:61185::/:/usr/sbin/nologin' >> /run/passwd
printf 'cardio:x:61184:other\nother:x:61185:\n' >> /run/group
for file in passwd group; do mount --bind "/run/$file" "/etc/$file"; done
cd "$1"
mount --bind rules /etc/polkit-1/rules.d
mount --bind actions /usr/share/polkit-1/actions
mount --bind /run/none /usr/share/polkit-1/rules.d

dbus-daemon --config-file=bus.conf --fork --nosyslog 2> /dev/null
/usr/lib/polkit-1/polkitd > polkitd.log 2>&1 &
daemon=$!
until grep -q 'Acquired the name' polkitd.log; do
    kill -0 "$daemon" || exit 1
    sleep 0.02
done
for user in cardio other; do
    setpriv --reuid "$user" --regid "$user" --init-groups sleep infinity &
    process=$!
    # Until it is that user's: polkit looks at the owner of the process.
    until [ "$(stat --format=%U "/proc/$process")" = "$user" ]; do sleep 0.01; done
    for action in $2; do
        code=0
        pkcheck --action-id "$action" --process "$process" 2> /dev/null || code=$?
        echo "$user $action $code"
    done
done
"$3" doctor --json || true
