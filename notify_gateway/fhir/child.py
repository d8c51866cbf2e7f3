# SPDX-License-Identifier: MIT
"""The Patient of a message as the child of the notification (UK Core Patient; NHS Data Dictionary, NHS NUMBER)."""

from __future__ import annotations

from typing import Final

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.identity import BirthDate, NhsNumber, Postcode, has_valid_check_digit
from notify_gateway.domain.model import Child
from notify_gateway.fhir import names
from notify_gateway.fhir.bundle import Bundle, Json, Located, codes, codings, extensions, full_date

_NO_LONGER: Final = frozenset({"old", "temp", "billing"})


def read_child(bundle: Bundle, patient: Located) -> Child | None:
    """Return the child, or ``None`` after noting why the Patient cannot be one."""
    resource = patient.resource
    if not any("family" in name or "text" in name for name in resource.get("name", ())):
        bundle.fault(Code.CHILD_NAME, f"{patient.at}.name")
    born = full_date(resource.get("birthDate"))
    if born is None:
        bundle.fault(Code.BIRTH_DATE, f"{patient.at}.birthDate")
    number, because = _read_nhs_number(bundle, patient)
    home = home_address(resource)
    if born is None:
        return None
    return Child(
        nhs_number=number,
        nhs_number_absent_because=because,
        birth_date=BirthDate(born),
        postcode=Postcode(home["postalCode"]) if "postalCode" in home else None,
        address_restricted=is_restricted(resource),
        at=patient.at,
    )


def _read_nhs_number(bundle: Bundle, patient: Located) -> tuple[NhsNumber | None, str | None]:
    numbers = [(i, item) for i, item in enumerate(patient.resource.get("identifier", ())) if item.get("system") == names.NHS_NUMBER]
    if len(numbers) > 1:
        bundle.fault(Code.NHS_NUMBER_TWO, f"{patient.at}.identifier[{numbers[1][0]}]")
        return None, None
    if not numbers:
        return None, _read_absence(bundle, patient)
    index, item = numbers[0]
    at = f"{patient.at}.identifier[{index}]"
    if extensions(item, names.NUMBER_STATUS) and verification_status(item) is None:
        bundle.fault(Code.NHS_NUMBER_STATUS, f"{at}.extension")
    if not has_valid_check_digit(item.get("value", "")):
        bundle.fault(Code.NHS_NUMBER_INVALID, f"{at}.value")
        return None, None
    return NhsNumber(item["value"]), None


def _read_absence(bundle: Bundle, patient: Located) -> str | None:
    found = extensions(patient.resource, names.NUMBER_UNAVAILABLE)
    given = [coding["code"] for extension in found for coding in codings(extension.get("valueCodeableConcept")) if "code" in coding]
    if len(given) != 1:
        bundle.fault(Code.NHS_NUMBER_MISSING, f"{patient.at}.identifier")
        return None
    if not any("system" in item and "value" in item for item in patient.resource.get("identifier", ())):
        bundle.fault(Code.LOCAL_IDENTIFIER_MISSING, f"{patient.at}.identifier")
    return str(given[0])


def verification_status(identifier: Json) -> str | None:
    """Return the verification status of an NHS number as 01 to 08, whichever of its three spellings was sent."""
    found = [
        code
        for extension in extensions(identifier, names.NUMBER_STATUS)
        for code in codes(extension.get("valueCodeableConcept"), *names.VERIFICATION_STATUS_SYSTEMS)
    ]
    return names.VERIFICATION_STATUSES.get(found[0]) if len(found) == 1 else None


def home_address(resource: Json) -> Json:
    """Return the address where a person lives: the one marked home, else the first that is not old, temporary or for bills."""
    addresses: list[Json] = [address for address in resource.get("address", ()) if address.get("use") not in _NO_LONGER]
    homes = [address for address in addresses if address.get("use") == "home"]
    return next(iter(homes or addresses), {})


def is_restricted(resource: Json) -> bool:
    """Tell whether the address of a person may be shown to nobody."""
    labels = resource.get("meta", {}).get("security", ())
    return any(label.get("system") == names.CONFIDENTIALITY and label.get("code") in names.RESTRICTED for label in labels)
