#!/bin/sh
# Installs, starts, upgrades, removes and purges the package in a copy of this machine that is gone afterwards (an overlay
# in a mount namespace of its own): server/packaging/try-deb.sh PACKAGE.deb. Needs root; touches nothing outside.
set -eu
package=$(realpath "$1")
[ "$(id -u)" = 0 ] || { echo "run it as root: it needs a mount namespace" >&2; exit 1; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir "$place/upper" "$place/work" "$place/root"
export place package
unshare --mount sh -eu <<'INSIDE'
mount -t overlay overlay -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" "$place/root"
mount -t tmpfs tmpfs "$place/root/tmp"
mount --bind /dev "$place/root/dev"
mount -t proc proc "$place/root/proc"
cp "$package" "$place/root/tmp/nigran.deb"
chroot "$place/root" sh -eu <<'TRIAL'
say() { echo "-- $*"; }
# No service is started in a chroot.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d
command -v adduser >/dev/null || echo "adduser is absent; the package asks for it" >&2

say "install"
dpkg -i --force-depends /tmp/nigran.deb >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
/usr/bin/nigran --version
getent passwd nigran
[ "$(stat -c '%U %a' /var/lib/nigran)" = "nigran 700" ]
[ "$(stat -c '%a' /etc/nigran/environment)" = 600 ]
[ -e /etc/systemd/system/multi-user.target.wants/nigran.service ]
[ -e /lib/systemd/system/nigran.service ] || [ -e /usr/lib/systemd/system/nigran.service ]

if command -v systemd-analyze >/dev/null; then
    say "the unit is one that systemd takes"
    systemd-analyze verify nigran.service
    systemd-analyze security --offline=yes "$(find /lib/systemd /usr/lib/systemd -name nigran.service | head -n 1)" | tail -n 1
fi

say "start as its user, with its settings"
setpriv --reuid=nigran --regid=nigran --clear-groups sh -c \
    'cd /var/lib/nigran && exec nigran --config /etc/nigran/nigran.toml serve' >/tmp/serve 2>&1 &
server=$!
n=0
until grep -qs "listens on" /tmp/serve; do
    n=$((n + 1)); [ $n -lt 600 ] || { cat /tmp/serve; exit 1; }
    sleep 0.1
done
grep -h "made the account" /tmp/serve | sed 's/password .*/password …/'
kill $server; wait $server

say "settings that were changed survive an upgrade"
echo '# ours' >>/etc/nigran/nigran.toml
dpkg -i --force-depends --force-confold /tmp/nigran.deb >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
grep -q '# ours' /etc/nigran/nigran.toml

say "remove: settings and data stay"
dpkg -r nigran >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
[ ! -e /usr/bin/nigran ] && [ -e /etc/nigran/nigran.toml ] && [ -e /var/lib/nigran/nigran.sqlite ]

say "purge: nothing stays"
dpkg -P nigran >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
[ ! -e /etc/nigran ] && [ ! -e /var/lib/nigran ] && ! getent passwd nigran
! dpkg -s nigran >/dev/null 2>&1
[ -z "$(find /etc/systemd /lib/systemd /usr/lib/systemd -name 'nigran.service*' 2>/dev/null)" ]
say "all is well"
TRIAL
INSIDE
