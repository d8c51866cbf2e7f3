# SPDX-License-Identifier: MIT
"""The service examined: each check says what was found and, where something is wrong, how to mend it. No check changes anything."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from audit.policy import PolicyRefused
from mappings import holidays
from mappings.authorities import Directory
from mappings.needs import check as table_problems
from mappings.postcodes import PostcodeError, PostcodeTable
from notify_gateway.cli.doctor_databases import check_database
from notify_gateway.cli.doctor_paper import check_paper
from notify_gateway.cli.doctor_staff import check_staff_providers
from notify_gateway.cli.failures import in_words
from notify_gateway.cli.findings import Check, State
from notify_gateway.cli.postcodes import DEMONSTRATION
from notify_gateway.domain.clock import Clock, SystemClock, london_day
from notify_gateway.privacy.keys import Key, KeyFileError, PseudonymRoots, SigningKey, VerifyingKey, load
from notify_gateway.privacy.memory import guard_memory
from notify_gateway.runtime import GATEWAY_KEY, GATEWAY_PUBLIC, LOG_KEY, LOG_PUBLIC, PSEUDONYM_ROOTS, open_policy
from notify_gateway.settings import Deployment, Settings
from workers.app import queue_length

LEAST_DISK, LITTLE_DISK = 200 * 2**20, 2 * 2**30
OLD_POSTCODES = timedelta(days=190)


def examine(clock: Clock | None = None) -> list[Check]:
    """Return every check of the service that the environment's settings describe."""
    try:
        settings = Settings()
    except (ValueError, OSError) as error:
        return [Check("settings", State.FAIL, each.title + ": " + each.why, each.fix) for each in in_words(error)]
    return list(_examine(settings, clock or SystemClock()))


def examiner(settings: Settings, clock: Clock) -> Callable[[], list[Check]]:
    """Return what examines the service of these settings, for the operations pages."""
    return lambda: list(_examine(settings, clock))


def _examine(settings: Settings, clock: Clock) -> Iterator[Check]:
    yield check_settings(settings)
    yield check_data_folder(settings)
    yield check_disk(settings)
    yield check_memory()
    yield from check_keys(settings)
    yield check_postcodes(settings, clock)
    yield check_tables(clock)
    yield check_witnesses(settings)
    yield check_broker(settings)
    yield from check_staff_providers(settings, clock)
    yield check_paper()
    for which, url in (("main", settings.main_url), ("shred", settings.shred_url)):
        yield from check_database(which, url, settings, clock)  # type: ignore[arg-type]  # the pair spells the literals out


def check_witnesses(settings: Settings) -> Check:
    """The witness policy can be used; without one, nobody but the holders of receipts could tell that the log's operator rewrote it."""
    try:
        policy = open_policy(settings)
    except (PolicyRefused, OSError, KeyFileError) as error:
        (told,) = in_words(error)
        return Check("witnesses", State.FAIL, told.why, told.fix)
    if policy is None:
        if settings.deployment is not Deployment.LIVE:
            return Check("witnesses", State.OK, "none")
        fix = "See docs/audit.md, Witnesses: an ICB runs one in five minutes; then set NOTIFY_GATEWAY_WITNESS_POLICY."
        return Check("witnesses", State.WARN, "none", fix)
    asked = sum(witness.url is not None for witness in policy.witnesses)
    return Check("witnesses", State.OK, f"{asked} are asked; quorum: {policy.quorum}")


def check_settings(settings: Settings) -> Check:
    """The settings fit together, and suit the deployment."""
    value = f"{settings.deployment.value} deployment at {settings.base_url}"
    if settings.deployment is Deployment.LIVE and (settings.database_url is None or settings.shred_database_url is None):
        fix = "Set NOTIFY_GATEWAY_DATABASE_URL and NOTIFY_GATEWAY_SHRED_DATABASE_URL to two PostgreSQL databases with backups of their own."
        return Check("settings", State.WARN, f"{value}, on the embedded database", fix)
    return Check("settings", State.OK, value)


def check_data_folder(settings: Settings) -> Check:
    """The data folder is there, and no other user of the machine gets in."""
    folder = settings.data_dir
    if not folder.is_dir():
        return Check("data folder", State.FAIL, f"{folder} is not there", f"Run notify-gateway keys make, or: install -d -m 0700 {folder}")
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o007:
        return Check("data folder", State.WARN, f"{folder} is open to other users ({mode:04o})", f"Run: chmod 0700 {folder}")
    return Check("data folder", State.OK, f"{folder} ({mode:04o})")


def check_disk(settings: Settings) -> Check:
    """There is room for what will be kept."""
    folder = next(each for each in (settings.data_dir, *settings.data_dir.absolute().parents) if each.exists())
    free = shutil.disk_usage(folder).free
    value = f"{free / 2**30:.1f} GiB free"
    if free < LITTLE_DISK:
        state = State.FAIL if free < LEAST_DISK else State.WARN
        return Check("disk", state, value, "Make room, or move the data folder: nothing is accepted that cannot be kept.")
    return Check("disk", State.OK, value)


def check_memory() -> Check:
    """What a process holds in memory cannot be dumped or read by others."""
    guard = guard_memory()
    if guard.no_core_dumps and guard.not_dumpable:
        return Check("memory", State.OK, str(guard))
    return Check("memory", State.WARN, str(guard), "Run on Linux, and set the core limit to 0 (LimitCORE=0, ulimits: core: 0).")


def check_keys(settings: Settings) -> Iterator[Check]:
    """Each key file is there, whole, and readable by its owner alone; the public files belong to the private ones."""
    gateway = _key(settings, GATEWAY_KEY, SigningKey)
    yield gateway[0]
    yield _public(settings, GATEWAY_PUBLIC, gateway[1])
    yield _key(settings, PSEUDONYM_ROOTS, PseudonymRoots)[0]
    if (settings.keys / LOG_KEY).exists():
        log = _key(settings, LOG_KEY, SigningKey)
        yield log[0]
        yield _public(settings, LOG_PUBLIC, log[1])
    else:
        yield _public(settings, LOG_PUBLIC, None)


def check_postcodes(settings: Settings, clock: Clock) -> Check:
    """There is a postcode table, it is whole, and not too old."""
    try:
        held = PostcodeTable.open(settings.postcodes)
    except (PostcodeError, OSError) as error:
        told = in_words(error)[0]
        return Check("postcodes", State.FAIL, told.why, told.fix)
    compiled = max(path.stat().st_mtime for path in settings.postcodes.glob("*.table"))
    old = clock.now() - datetime.fromtimestamp(compiled, UTC)
    value = f"edition {held.edition}, {held.count:,} postcodes, compiled {old.days} days ago"
    fix = "Load the newest edition: notify-gateway postcodes load FILE"
    if held.edition == DEMONSTRATION and settings.deployment is Deployment.LIVE:
        return Check("postcodes", State.FAIL, f"{value}: a handful of public buildings", fix)
    return (
        Check("postcodes", State.WARN, value, f"{fix} (the ONS publishes one each quarter).")
        if old > OLD_POSTCODES
        else Check("postcodes", State.OK, value)
    )


def check_tables(clock: Clock) -> Check:
    """The packaged code tables are sound, and the calendar of working days reaches far enough ahead."""
    found = table_problems()
    if found:
        return Check(
            "code tables", State.FAIL, f"{len(found)} problems", "Run notify-gateway mappings check, and install the package anew."
        )
    if holidays.check(london_day(clock.now())):
        through = f"bank holidays known through {holidays.Calendar.load().known_through}"
        return Check("code tables", State.WARN, through, "Install a newer version: without them days to reply are reckoned too short.")
    return Check("code tables", State.OK, f"sound, authorities of {Directory.load().version}")


def check_broker(settings: Settings) -> Check:
    """The broker answers."""
    if settings.broker_url is None:
        if settings.deployment is Deployment.DEMONSTRATION:
            return Check("broker", State.OK, "in memory, as in the demonstration")
        return Check("broker", State.WARN, "none is set", "Set NOTIFY_GATEWAY_BROKER_URL to a Redis; worker and scheduler need it.")
    try:
        waiting = queue_length(settings.broker, master=settings.broker_master)()
    except (OSError, ValueError) as error:
        fix = "Start Redis, or correct NOTIFY_GATEWAY_BROKER_URL. Nothing is lost meanwhile: the database holds what is due."
        return Check("broker", State.FAIL, f"does not answer ({type(error).__name__})", fix)
    return Check("broker", State.OK, f"answers, {waiting} hints waiting")


def _key(settings: Settings, name: str, kind: type[Key]) -> tuple[Check, Key | None]:
    path = settings.keys / name
    if not path.exists():
        fix = "Run notify-gateway keys make; or restore it from its backup if the service has run before."
        return Check(name, State.FAIL, f"{path} is not there", fix), None
    try:
        key = load(path, kind)
    except KeyFileError as error:
        told = in_words(error)[0]
        return Check(name, State.FAIL, told.why, told.fix), None
    return Check(name, State.OK, f"whole, {stat.S_IMODE(path.stat().st_mode):04o}"), key


def _public(settings: Settings, name: str, private: Key | None) -> Check:
    found, key = _key(settings, name, VerifyingKey)
    if isinstance(key, VerifyingKey) and isinstance(private, SigningKey) and key.raw != private.public().raw:
        return Check(
            name, State.FAIL, "belongs to another private key", f"Move {settings.keys / name} away and run notify-gateway keys make."
        )
    return found
