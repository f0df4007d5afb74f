"""OpenStack Swift with its S3 interface, small: one proxy, one server of each kind, one copy of everything.

Usage: python3 small_swift.py FOLDER PORT, with four more ports free above PORT. It ends, and removes the folder, when its standard
input does: so however the test ends, nothing stays behind. Exit code 3: Swift is not installed (pip install swift).
"""

import os
import shutil
import subprocess
import sys

folder, port = sys.argv[1], int(sys.argv[2])
try:
    from swift.common.ring import RingBuilder
    import swift.proxy.server  # noqa: F401
except ImportError:
    sys.exit(3)

KINDS = {"account": "account", "container": "container", "object": "obj"}
COMMON = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
swift_dir = {folder}
devices = {folder}/srv
mount_check = false
workers = 0
log_address = {folder}/none
"""
PROXY = COMMON + """
[pipeline:main]
pipeline = catch_errors gatekeeper bulk s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
"""
PLAIN = "".join(
    f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in ("catch_errors", "gatekeeper", "bulk", "copy", "slo", "dlo")
)
STORE = COMMON + """
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""


def written(name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def started(module, settings):
    code = f"from swift.{module}.server import main; main()"
    log = open(settings + ".log", "wb")
    return subprocess.Popen([sys.executable, "-c", code, settings], stdin=subprocess.DEVNULL, stdout=log, stderr=log)


os.makedirs(os.path.join(folder, "srv", "d1"))
written("swift.conf", "[swift-hash]\nswift_hash_path_suffix = s\nswift_hash_path_prefix = p\n")
children = []
try:
    for number, (kind, module) in enumerate(KINDS.items(), 1):
        ring = RingBuilder(4, 1, 0)
        place = {"region": 1, "zone": 1, "weight": 1, "ip": "127.0.0.1", "port": port + number, "device": "d1"}
        ring.add_dev({"id": 0, **place})
        ring.rebalance()
        ring.get_ring().save(os.path.join(folder, f"{kind}.ring.gz"))
        settings = written(f"{kind}.conf", STORE.format(port=port + number, folder=folder, kind=kind))
        children.append(started(module, settings))
    children.append(started("proxy", written("proxy.conf", PROXY.format(port=port, folder=folder) + PLAIN)))
    sys.stdin.read()
finally:
    for child in children:
        child.kill()
        child.wait()
    shutil.rmtree(folder, ignore_errors=True)
