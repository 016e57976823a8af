"""The user and the group of the service."""

from __future__ import annotations

from cardio.cli.doctor.findings import Finding, Text, fail, ok
from cardiod.doctor.site import Site


def account(site: Site) -> Finding:
    """Whether both exist."""
    name, group = "account", site.settings.socket_group
    if site.user is None:
        return fail(
            name,
            Text(f"没有用户{site.user_name}", f"there is no user {site.user_name}"),
            Text(
                "安装sysusers.conf为/etc/sysusers.d/cardio.conf并运行systemd-sysusers",
                "install sysusers.conf as /etc/sysusers.d/cardio.conf, and run systemd-sysusers",
            ),
        )
    if not site.group_exists:
        return fail(
            name,
            Text(f"没有用户组{group}，本机程序无法调用", f"there is no group {group}: no local program may call"),
            Text(f"groupadd --system {group}", f"groupadd --system {group}; or set socket_group"),
        )
    return ok(name, Text(f"用户{site.user_name}和用户组{group}存在", f"user {site.user_name} and group {group} exist"))
