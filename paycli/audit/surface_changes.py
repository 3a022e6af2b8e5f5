"""What can be called in one template and not in another, and what no longer stands before it."""

from collections.abc import Iterator, Mapping

from paycli.audit.changes import CODE, DATA, MONITORING, NARROWER, NEUTRAL, WIDER, Change
from paycli.audit.changes import SURFACE as AREA
from paycli.audit.surface import API_KEY, NOT_VALIDATED, Api, Route, Surface


def surface_changes(before: Surface, after: Surface) -> Iterator[Change]:
    """Give what differs, by route and by API."""
    old, new = _by_title(before), _by_title(after)
    for title, route in new.items():
        if title not in old:
            said = f"{title} is new: authorization {route.authorization}, behind it {route.function}"
            yield Change(WIDER, AREA, said)
        else:
            yield from _route_changes(title, old[title], route)
    for title in old:
        if title not in new:
            yield Change(NARROWER, AREA, f"{title} is gone")
    old_apis, new_apis = ({api.logical_id: api for api in surface.apis} for surface in (before, after))
    for logical_id in old_apis.keys() & new_apis.keys():
        yield from _api_changes(old_apis[logical_id], new_apis[logical_id])


def _by_title(surface: Surface) -> Mapping[str, Route]:
    """Return the routes by how people call them; by stage too where an API has several."""
    several = len({(route.api, route.stage) for route in surface.routes if route.stage}) > 1
    return {
        f"{route.title} of {route.api}/{route.stage}" if several and route.stage else route.title: route
        for route in surface.routes
    }


def _route_changes(title: str, old: Route, new: Route) -> Iterator[Change]:
    for differs in (_authorization, _validation, _throttle, _waf, _origins):
        found = differs(old, new)
        if found:
            direction, text = found
            yield Change(direction, AREA, f"{title} {text}")
    if old.function != new.function:
        yield Change(WIDER, CODE, f"{title} now calls {new.function}; before: {old.function}")


_Found = tuple[str, str] | None


def _authorization(old: Route, new: Route) -> _Found:
    if old.authorization == new.authorization:
        return None
    said = f": authorization is {new.authorization}; before: {old.authorization}"
    if new.open == old.open:
        key = new.authorization == f"{old.authorization}{API_KEY}"
        return NARROWER if key else WIDER, f"is called in another way{said}"
    return (WIDER, f"can be called by anyone{said}") if new.open else (NARROWER, f"asks who calls{said}")


def _validation(old: Route, new: Route) -> _Found:
    """Compare what is checked; what the schemas say is told of the models that have them."""
    if old.validation == new.validation:
        return None
    if new.validation == NOT_VALIDATED:
        return WIDER, "is no longer validated"
    if old.validation == NOT_VALIDATED:
        return NARROWER, f"is now validated: {new.validation}"
    more = set(old.validation.split("; ")) < set(new.validation.split("; "))
    said = f"is validated in another way: {new.validation}; before: {old.validation}"
    return NARROWER if more else WIDER, said


def _throttle(old: Route, new: Route) -> _Found:
    if old.throttle == new.throttle:
        return None
    said = f"{new.throttle}; before: {old.throttle}"
    if None in (old.rate, new.rate):
        return (
            (WIDER, f"has no throttle of its own: {said}") if new.rate is None else (NARROWER, f"is throttled: {said}")
        )
    more = ((new.rate or 0) - (old.rate or 0), (new.burst or 0) - (old.burst or 0))
    return WIDER if max(more) > 0 else NARROWER, f"is throttled in another way: {said}"


def _waf(old: Route, new: Route) -> _Found:
    """Compare which web ACLs there are; what their rules do is told of the web ACL."""
    was, now = ({acl.partition(" (")[0] for acl in route.waf} for route in (old, new))
    if was == now:
        return None
    if not now:
        return WIDER, f"no longer has a web ACL before it; before: {', '.join(old.waf)}"
    said = f"has another web ACL before it: {', '.join(new.waf)}; before: {', '.join(old.waf) or 'none'}"
    return NARROWER if was < now else WIDER, said


def _origins(old: Route, new: Route) -> _Found:
    more, fewer = set(new.origins) - set(old.origins), set(old.origins) - set(new.origins)
    if not more and not fewer:
        return None
    if not new.origins:
        return WIDER, f"can be called from everywhere; before: only from {', '.join(old.origins)}"
    wider = bool(more) and bool(old.origins)
    return WIDER if wider else NARROWER, (
        f"can be called only from {', '.join(new.origins)}; before: from {', '.join(old.origins) or 'everywhere'}"
    )


# The oldest version that a policy takes, by how its name begins.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-list.html
_OLDEST_TLS = {
    "TLS_1_0": 1.0,
    "TLS_1_2": 1.2,
    "SecurityPolicy_TLS12_": 1.2,
    "SecurityPolicy_TLS13_1_2_": 1.2,
    "SecurityPolicy_TLS13_1_3_": 1.3,
    "SecurityPolicy_TLS13_2025_": 1.3,
}


def _api_changes(old: Api, new: Api) -> Iterator[Change]:
    name = new.name
    if old.endpoint != new.endpoint:
        direction = NARROWER if new.endpoint == "PRIVATE" else WIDER
        yield Change(direction, AREA, f"{name} is now {new.endpoint}; before: {old.endpoint}")
    if old.tls != new.tls:
        yield Change(_tls_direction(old.tls, new.tls), AREA, f"{name} takes {new.tls}; before: {old.tls}")
    for was, now, worse, area, text in (
        (old.default_address, new.default_address, True, AREA, "answers at execute-api's own address"),
        (old.access_log, new.access_log, False, MONITORING, "has an access log"),
        (old.body_logged, new.body_logged, True, DATA, "writes bodies to its log"),
    ):
        if was != now:
            said = f"{name} now {text}" if now else f"{name} no longer {text}"
            yield Change(WIDER if now is worse else NARROWER, area, said)


def _tls_direction(*policies: str) -> str:
    old, new = (
        next((version for form, version in _OLDEST_TLS.items() if policy.startswith(form)), None) for policy in policies
    )
    if old is None or new is None:
        return WIDER
    return NEUTRAL if old == new else NARROWER if new > old else WIDER
