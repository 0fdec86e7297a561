"""``verify``: each verdict, and that "could not check" is never "identical"."""

import json
import shlex
from pathlib import Path

import pytest

from tests.project import Answer, Project


def tamper(project: Project, **changes: object) -> None:
    path = project.recipe / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["outputs"][0].update(changes)
    path.write_text(json.dumps(manifest, sort_keys=True, indent=2) + "\n")


def verify(project: Project, *options: str) -> Answer:
    return project.run("verify", "--json", *options, "recipes/places")


def verdicts(answer: Answer) -> list[str]:
    (result,) = answer.json["results"]
    return [o["verdict"] for rebuild in result["rebuilds"] for o in rebuild["outputs"]]


@pytest.mark.engine
def test_a_rebuild_is_identical_on_both_runners_and_between_them(project: Project) -> None:
    answer = verify(project.built(), "--runner", "all")
    assert answer.status == 0, answer.err
    (result,) = answer.json["results"]
    assert [rebuild["runner"] for rebuild in result["rebuilds"]] == [
        "bubblewrap",
        "docker",
        "bubblewrap = docker",
    ]
    assert verdicts(answer) == ["identical"] * 3


def test_verify_runs_the_code_though_the_store_knows_the_answer(project: Project) -> None:
    project.built()
    logs = len(list((project.store / "logs").rglob("*.log")))
    verify(project)
    assert len(list((project.store / "logs").rglob("*.log"))) == logs + 1


def test_other_bytes_of_the_same_table_are_equivalent(project: Project) -> None:
    project.built()
    tamper(project, sha256="sha256:" + "0" * 64, blake3="blake3:" + "0" * 64)
    answer = verify(project)
    assert answer.status == 4
    assert verdicts(answer) == ["equivalent"]


def test_another_table_is_different_and_both_files_are_kept(project: Project) -> None:
    project.built()
    digest = "0" * 64
    tamper(project, sha256=f"sha256:{digest}", content=f"blake3:{digest}")
    answer = verify(project)
    assert answer.status == 12
    (result,) = answer.json["results"]
    (output,) = result["rebuilds"][0]["outputs"]
    assert output["verdict"] == "different"
    assert output["expected"]["sha256"] == f"sha256:{digest}"
    assert output["found"]["sha256"] != output["expected"]["sha256"]
    assert [Path(path).exists() for path in output["kept"]] == [True, True]
    # The bytes are the same here, because it is the manifest that was tampered with.
    assert project.run(*shlex.split(output["next"])[1:]).status == 0


def test_one_wrong_digest_of_two_is_not_identical(project: Project) -> None:
    project.built()
    tamper(project, sha256="sha256:" + "0" * 64)
    assert verdicts(verify(project)) != ["identical"]


def test_code_that_fails_only_now_is_failed(project: Project) -> None:
    project.built()
    project.edit("process.py", "import os\n", "import os, sys\nsys.exit(9)\n")
    project.commit()
    project.locked()
    manifest = json.loads((project.recipe / "manifest.json").read_text())
    lock = json.loads((project.recipe / "recipe.lock").read_text())
    manifest["derivation"]["code"] = lock["code"]["blake3"]
    manifest["code"] |= lock["code"]
    manifest["derivation"]["source_date_epoch"] = lock["source_date_epoch"]
    from d4cbuild.base.canonical import canonical_digest

    manifest["build_key"] = str(canonical_digest(manifest["derivation"]))
    (project.recipe / "manifest.json").write_text(json.dumps(manifest))
    answer = verify(project)
    assert answer.status == 1
    assert verdicts(answer) == ["failed"]


def test_a_source_that_is_nowhere_is_unknown(project: Project) -> None:
    project.built()
    (project.recipe / "sources" / "places.csv").unlink()
    for path in (project.store / "objects").rglob("*"):
        if path.is_file():
            path.unlink()
    answer = verify(project)
    assert answer.status == 16
    assert verdicts(answer) == ["unknown"]


def test_a_changed_source_is_unknown_with_expected_and_found(project: Project) -> None:
    project.built()
    (project.recipe / "sources" / "places.csv").write_text("id,name\n1,Gander\n")
    for path in (project.store / "objects").rglob("*"):
        if path.is_file():
            path.unlink()
    answer = project.run("verify", "recipes/places")
    assert answer.status == 16
    assert "unknown" in answer.out
    assert "expected" in answer.out


def test_a_manifest_of_other_ingredients_is_unknown(project: Project) -> None:
    project.built()
    project.edit("recipe.toml", '"hello"', '"bonjour"')
    project.commit()
    project.locked()
    answer = verify(project)
    assert answer.status == 16
    assert "parameter greeting: hello -> bonjour" in answer.out


def test_a_manifest_whose_key_is_not_its_own_is_unknown(project: Project) -> None:
    project.built()
    path = project.recipe / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["build_key"] = "blake3:" + "0" * 64
    path.write_text(json.dumps(manifest))
    assert verify(project).status == 16


def test_a_missing_manifest_is_never_identical(project: Project) -> None:
    answer = verify(project.locked())
    assert answer.status & 16
    assert "d4cbuild build recipes/places" in answer.out


def test_a_machine_without_runners_says_what_would_help(project: Project, tmp_path: Path) -> None:
    project.built()
    empty = tmp_path / "empty"
    empty.mkdir()
    answer = project.run(
        "verify", "recipes/places", PATH=str(empty), DOCKER_HOST="unix:///nonexistent.sock"
    )
    assert answer.status == 16
    assert "apt install bubblewrap" in answer.out
    assert "docker.io" in answer.out


def test_an_attested_output_is_never_called_rebuilt(project: Project) -> None:
    project.edit(
        "recipe.toml",
        'format = "parquet"\n',
        'format = "parquet"\nclass = "attested"\nreason = "made with a proprietary tool"\n',
    )
    project.commit()
    answer = verify(project.built())
    assert answer.status == 16
    assert verdicts(answer) == ["unknown"]
