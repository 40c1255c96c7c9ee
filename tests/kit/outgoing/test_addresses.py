"""Which addresses calls may go to: every way to spell a private one is refused, unless listed."""

from __future__ import annotations

import ipaddress

import pytest

from evalhub.kit.outgoing import OutgoingError
from evalhub.kit.outgoing.addresses import literal, parse_allowed, refusal
from evalhub.kit.outgoing.urls import parse_url, same_origin

NOBODY = parse_allowed([])
REFUSED = """
127.0.0.1 127.255.255.254 ::1 0.0.0.0 0.1.2.3 :: 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1
169.254.169.254 169.254.0.1 168.63.129.16 100.64.0.1 100.100.100.200 192.0.0.192 192.0.2.1 192.88.99.1
198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
fe80::1 fe80::1%eth0 fc00::1 fd00:ec2::254 fec0::1 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1
::ffff:169.254.169.254 ::ffff:a9fe:a9fe ::127.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe
64:ff9b:1::1 2002:7f00:1::1 2002:a9fe:a9fe:: 2001::1 2001:db8::1 3fff::1 100::1 4000::1
""".split()  # noqa: SIM905
PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.169.0.1
169.253.1.1 223.255.255.255 2606:4700::1111 2a00:1450:4001:800::200e ::ffff:8.8.8.8
""".split()  # noqa: SIM905


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_public_is_refused_and_the_way_out_is_named(text: str) -> None:
    reason = refusal(ipaddress.ip_address(text), "models.example", NOBODY)
    assert reason is not None
    assert "models.example" in reason
    assert "EVALHUB_ALLOWED_ADDRESSES" in reason


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_let_through(text: str) -> None:
    assert refusal(ipaddress.ip_address(text), text, NOBODY) is None


@pytest.mark.parametrize(
    "text",
    ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1",
     "127.0.0.1.", "[::ffff:127.0.0.1]", "::ffff:7f00:1", "127.0.0.1"],
)  # fmt: skip
def test_every_spelling_of_this_machine_is_seen_through(text: str) -> None:
    address = literal(text)
    assert address is not None
    assert refusal(address, text, NOBODY) is not None


@pytest.mark.parametrize("text", ["example.com", "localhost", "1.2.3.4.example", "a1", "256.1.1.1"])
def test_a_name_is_no_address(text: str) -> None:
    assert literal(text) is None


@pytest.mark.parametrize(
    ("entries", "address", "host", "allowed"),
    [
        (["10.1.0.0/16"], "10.1.2.3", "x", True),
        (["10.1.0.0/16"], "10.2.0.1", "x", False),
        (["10.1.2.3"], "10.1.2.3", "x", True),
        (["10.1.2.3"], "10.1.2.4", "x", False),
        (["127.0.0.0/8"], "::ffff:127.0.0.1", "x", True),
        (["127.0.0.0/8"], "::1", "localhost", False),
        (["127.0.0.0/8"], "0.0.0.0", "x", False),
        (["127.0.0.0/8"], "64:ff9b::7f00:1", "x", False),
        (["::1/128"], "::1", "localhost", True),
        ([" Models.Internal. "], "10.0.0.9", "models.internal", True),
        (["models.internal"], "10.0.0.9", "MODELS.internal.", True),
        (["models.internal"], "10.0.0.9", "evil.models.internal", False),
        (["models.internal"], "10.0.0.9", "internal", False),
        (["", " "], "10.0.0.9", "x", False),
    ],
)
def test_an_administrator_lists_what_may_be_called(
    entries: list[str], address: str, host: str, allowed: bool
) -> None:
    reason = refusal(ipaddress.ip_address(address), host, parse_allowed(entries))
    assert (reason is None) == allowed


@pytest.mark.parametrize(
    "entry", ["10.0.0.1/8", "10.0.0.0/33", "http://models.internal", "a b", "x/y", "*.internal",
              "127.1", "models.internal:8080", "-x"]
)  # fmt: skip
def test_a_wrong_entry_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="neither a network") as caught:
        parse_allowed(["10.0.0.0/8", entry])
    assert f"“{entry}”" in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "x", "/path", "ftp://a/", "file:///etc/passwd", "http://", "http:///x", "gopher://a/",
            "http://[::1/", "http://a:99999/", "http://u@a/", "http://u:p@a/", "http://:p@a/",
            "http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://0/", "https://127.0.0.1./"]
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(OutgoingError) as caught:
        parse_url(url)
    assert caught.value.type == "bad_url"
    assert "p@" not in caught.value.message


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/v1", "https://a.example/v2?x=1", True),
        ("https://a.example", "https://A.example:443/x", True),
        ("https://a.example", "http://a.example", False),
        ("https://a.example", "https://a.example:8443", False),
        ("https://a.example", "https://a.example.evil", False),
        ("https://a.example", "https://b.example", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(one: str, other: str, same: bool) -> None:
    assert same_origin(one, other) == same
