"""The demonstration patients: strict reading with file and line, and charts that are valid R4."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds_service.demo.demo_patients import CohortError, load_patients, read_patient
from cds_service.demo.sandbox.repository import patient_of

TODAY = date(2026, 11, 20)
GOOD = '''\
id = "ada"
given = "Ada"
family = "Beispiel"
sex = "female"
born = "T-7y"
story = "A story."
record = """
date | concept             | value | unit
T-2y | diagnosis B-ALL     |       |
T-4d | marrow lymphoblasts | 82    | %
"""

[expect]
status = "relapse"
cards = ["allFinding"]
'''


@pytest.mark.parametrize("today", [TODAY, date(2024, 2, 29), date(2027, 1, 1), date(2026, 3, 31)])
def test_every_chart_is_valid_and_about_its_patient_alone(today: date) -> None:
    for patient in load_patients(today):
        assert patient.resources[0]["resourceType"] == "Patient"
        for resource in patient.resources:
            get_fhir_model_class(resource["resourceType"]).model_validate(resource)
            assert patient_of(resource) == patient.id


def test_charts_can_share_one_server() -> None:
    places = [(r["resourceType"], r["id"]) for patient in load_patients(TODAY) for r in patient.resources]
    assert len(places) == len(set(places))
    assert all(len(identity) <= 64 for _, identity in places)


def test_every_reference_inside_a_chart_finds_its_resource() -> None:
    for patient in load_patients(TODAY):
        places = {f"{r['resourceType']}/{r['id']}" for r in patient.resources}
        specimens = [r["specimen"]["reference"] for r in patient.resources if "specimen" in r]
        plans = [link["reference"] for r in patient.resources for link in r.get("addresses", ())]
        assert set(specimens) | set(plans) <= places


def test_there_are_enough_patients_and_each_tells_its_story_once() -> None:
    patients = load_patients(TODAY)
    assert len(patients) >= 12
    assert len({patient.story for patient in patients}) == len(patients)
    assert len({patient.name for patient in patients}) == len(patients)
    assert {patient.expect.status for patient in patients} >= {"relapse", "probable", "none"}


def test_dates_move_with_the_day() -> None:
    def newest(today: date) -> date:
        patient = next(one for one in load_patients(today) if one.id == "early-marrow")
        dates = [r["effectiveDateTime"] for r in patient.resources if "effectiveDateTime" in r]
        return max(date.fromisoformat(text) for text in dates)

    assert newest(TODAY) == TODAY - timedelta(days=3)
    assert newest(TODAY + timedelta(days=400)) == TODAY + timedelta(days=397)


def test_hostile_text_reaches_the_displays_of_its_chart() -> None:
    hostile = next(one for one in load_patients(TODAY) if one.id == "hostile-text")
    displays = [c["display"] for r in hostile.resources for c in r.get("code", {}).get("coding", ())]
    assert displays
    assert all("<script>" in text for text in displays)


def test_a_good_file_is_read() -> None:
    patient = read_patient(GOOD, "ada.toml", TODAY)
    assert (patient.name, patient.age_years, patient.expect.topics) == ("Ada Beispiel", 7, ("allFinding",))
    marrow = next(r for r in patient.resources if r["resourceType"] == "Observation")
    assert marrow["id"] == "ada-marrow-lymphoblasts-2026-11-16"
    assert marrow["specimen"]["reference"].startswith("Specimen/ada-marrow-specimen")


@pytest.mark.parametrize(
    ("old", "new", "place", "reason"),
    [
        ('id = "ada"', 'id = "Ada B"', "ada.toml:1:", "hyphens"),
        ('id = "ada"', f'id = "{"a" * 60}"', "ada.toml:1:", "at most 20"),
        ('given = "Ada"', 'given = ""', "ada.toml:2:", "not empty"),
        ('family = "Beispiel"\n', "", "ada.toml:1:", "'family'"),
        ('sex = "female"', 'sex = "f"', "ada.toml:4:", "one of"),
        ('born = "T-7y"', 'born = "seven"', "ada.toml:5:", "no date"),
        ('born = "T-7y"', 'born = "2015"', "ada.toml:5:", "exact day"),
        ('born = "T-7y"', 'born = "T+1y"', "ada.toml:5:", "exact day"),
        ('story = "A story."', "story = 1", "ada.toml:6:", "'story'"),
        ('story = "A story."', 'story = "A story."\ncolour = "red"', "ada.toml:7:", "unknown key 'colour'"),
        ('story = "A story."', 'story = "A story."\ndisplay_suffix = 3', "ada.toml:7:", "display_suffix"),
        ("diagnosis B-ALL    ", "diagnosis Q-ALL    ", "ada.toml:9:", "unknown concept"),
        ("T-4d | marrow", "soon | marrow", "ada.toml:10:", "no date"),
        ('status = "relapse"', 'status = "maybe"', "ada.toml:14:", "one of"),
        ('cards = ["allFinding"]', 'cards = ["finding"]', "ada.toml:15:", "card topics"),
        ('cards = ["allFinding"]', 'cards = "allFinding"', "ada.toml:15:", "card topics"),
        ('cards = ["allFinding"]', "", "ada.toml:13:", "exactly"),
        ("[expect]", "[[expect]", "ada.toml:", "line 13"),
    ],
)
def test_a_fault_is_refused_with_file_and_line(old: str, new: str, place: str, reason: str) -> None:
    assert old in GOOD
    with pytest.raises(CohortError) as refused:
        read_patient(GOOD.replace(old, new), "ada.toml", TODAY)
    assert str(refused.value).startswith(place)
    assert reason in str(refused.value)


def test_all_faults_of_a_directory_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD.replace('sex = "female"', 'sex = "f"'))
    (tmp_path / "b.toml").write_text("id =")
    (tmp_path / "c.toml").write_text(GOOD)
    (tmp_path / "d.toml").write_text(GOOD)
    (tmp_path / "notes.txt").write_text("not a patient")
    with pytest.raises(CohortError) as refused:
        load_patients(TODAY, tmp_path)
    lines = str(refused.value).splitlines()
    assert [line.partition(":")[0] for line in lines[:2]] == ["a.toml", "b.toml"]
    assert "'ada' is used by more than one file" in lines[2]
