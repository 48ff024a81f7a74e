"""URLs that are not the allowed server although some parser or some prefix check says so.

The allowed server is ``https://ehr.example.org/fhir``. Names are those of the security review.
"""

from __future__ import annotations

ALLOWED = "https://ehr.example.org/fhir"

ATTACKS: dict[str, str] = {
    "S-01-other-host": "https://evil.example/fhir",
    "S-02-suffix-host": "https://ehr.example.org.evil.example/fhir",
    "S-03-prefix-host": "https://evil-ehr.example.org/fhir",
    "S-04-userinfo": "https://ehr.example.org@evil.example/fhir",
    "S-05-userinfo-with-password": "https://ehr.example.org:443@evil.example/fhir",
    "S-06-backslash-at": "https://evil.example\\@ehr.example.org/fhir",
    "S-07-backslash-path": "https://ehr.example.org\\.evil.example/fhir",
    "S-08-fragment": "https://evil.example#ehr.example.org/fhir",
    "S-09-fragment-behind": "https://ehr.example.org/fhir#x",
    "S-10-query": "https://evil.example?ehr.example.org/fhir",
    "S-11-query-behind": "https://ehr.example.org/fhir?x=1",
    "S-12-dot-segment": "https://ehr.example.org/fhir/../admin",
    "S-13-dot-segment-inside": "https://ehr.example.org/./fhir",
    "S-14-encoded-dot-segment": "https://ehr.example.org/fhir/%2e%2e/admin",
    "S-15-encoded-slash": "https://ehr.example.org/fhir%2f..%2fadmin",
    "S-16-double-slash": "https://ehr.example.org//fhir",
    "S-17-prefix-of-path": "https://ehr.example.org/fhirevil",
    "S-18-below-the-base": "https://ehr.example.org/fhir/admin",
    "S-19-above-the-base": "https://ehr.example.org/",
    "S-20-path-in-capitals": "https://ehr.example.org/FHIR",
    "S-21-trailing-dot-host": "https://ehr.example.org./fhir",
    "S-22-other-port": "https://ehr.example.org:8443/fhir",
    "S-23-port-of-http": "https://ehr.example.org:80/fhir",
    "S-24-port-zero": "https://ehr.example.org:0/fhir",
    "S-25-port-overflow": "https://ehr.example.org:65979/fhir",
    "S-26-port-twice": "https://ehr.example.org:443:443/fhir",
    "S-27-http": "http://ehr.example.org/fhir",
    "S-28-homograph": "https://\u0435hr.example.org/fhir",
    "S-29-punycode-homograph": "https://xn--hr-9kc.example.org/fhir",
    "S-30-full-width": "https://\uff45hr.example.org/fhir",
    "S-31-ideographic-stop": "https://ehr\u3002example.org/fhir",
    "S-32-decimal-address": "https://2130706433/fhir",
    "S-33-hexadecimal-address": "https://0x7f000001/fhir",
    "S-34-octal-address": "https://0177.0.0.1/fhir",
    "S-35-short-address": "https://127.1/fhir",
    "S-36-mapped-address": "https://[::ffff:127.0.0.1]/fhir",
    "S-37-metadata-address": "http://169.254.169.254/latest/meta-data",
    "S-38-file": "file:///etc/passwd",
    "S-39-gopher": "gopher://ehr.example.org/fhir",
    "S-40-ftp": "ftp://ehr.example.org/fhir",
    "S-41-line-break": "https://ehr.example.org\r\nX-Evil: 1/fhir",
    "S-42-tab": "https://ehr.example.org\t/fhir",
    "S-42-nul": "https://ehr.example.org\x00.evil.example/fhir",
    "S-42-space-before": " https://ehr.example.org/fhir",
    "S-42-line-end": "https://ehr.example.org/fhir\n",
    "S-42-no-scheme": "//ehr.example.org/fhir",
    "S-42-three-slashes": "https:///ehr.example.org/fhir",
    "S-42-zone": "https://[fe80::1%25eth0]/fhir",
    "S-42-empty": "",
    "S-42-long": "https://ehr.example.org/fhir" + "/a" * 2000,
}

EQUAL = (
    "https://ehr.example.org/fhir",
    "https://ehr.example.org/fhir/",
    "https://ehr.example.org:443/fhir",
    "HTTPS://EHR.Example.ORG/fhir",
)
"""Spellings of the same server (RFC 3986 section 6.2)."""
