"""``build``: what it makes, what it refuses, what it need not do again."""

import json
from pathlib import Path

import pyarrow.parquet as pq

from d4cbuild.model.manifest import Manifest
from d4cbuild.model.parse import record_from_json
from tests.project import CODE, Project


def build(project: Project, *options: str) -> dict:
    answer = project.run("build", "--json", *options, "recipes/places")
    assert answer.status == 0, answer.err
    return answer.json["results"][0]


def test_a_build_writes_the_data_under_its_convention_name(project: Project) -> None:
    result = build(project.locked())
    path = Path(result["outputs"][0]["path"])
    assert path == project.root / "dist" / "ca_test_d4c-datapkg-test_2020_v1.0.0.parquet"
    assert pq.read_table(path).to_pydict() == {
        "id": [1, 2, 3],
        "name": ["Moncton", "Trois-Rivières", "Iqaluit"],
    }


def test_a_manifest_names_every_ingredient_and_nothing_of_the_machine(project: Project) -> None:
    build(project.locked())
    data = (project.recipe / "manifest.json").read_bytes()
    manifest = record_from_json(Manifest, data, "manifest.json")
    assert manifest.derivation.build_key == manifest.build_key
    assert manifest.releasable
    assert manifest.outputs[0].rows == 3
    assert manifest.outputs[0].columns[1].description.fr == "Nom"
    assert manifest.code.swhid is not None
    assert manifest.code.swhid.startswith("swh:1:dir:")
    assert any(purl.startswith("pkg:pypi/pyarrow@") for purl in manifest.environment.packages)
    for trace in (str(project.root), str(project.store), "T00:", "seconds"):
        assert trace.encode() not in data


def test_a_second_build_runs_nothing(project: Project) -> None:
    project.locked()
    assert build(project)["status"] == "built"
    logs = sorted((project.store / "logs").rglob("*.log"))
    assert build(project)["status"] == "unchanged"
    assert sorted((project.store / "logs").rglob("*.log")) == logs


def test_a_lost_data_file_is_written_again_without_running(project: Project) -> None:
    project.locked()
    path = Path(build(project)["outputs"][0]["path"])
    data = path.read_bytes()
    path.unlink()
    assert build(project)["status"] == "known"
    assert path.read_bytes() == data


def test_a_changed_data_file_is_put_right(project: Project) -> None:
    project.locked()
    path = Path(build(project)["outputs"][0]["path"])
    data = path.read_bytes()
    path.write_bytes(data[:-1] + b"X")
    assert build(project)["status"] == "known"
    assert path.read_bytes() == data


def test_a_rotten_object_is_found_and_built_again(project: Project) -> None:
    project.locked()
    result = build(project)
    name = result["outputs"][0]["blake3"].partition(":")[2]
    stored = project.store / "objects" / name[:2] / name[2:]
    stored.chmod(0o644)
    stored.write_bytes(b"rot" + stored.read_bytes()[3:])
    Path(result["outputs"][0]["path"]).unlink()
    again = build(project)
    assert again["status"] == "built"
    assert again["outputs"] == result["outputs"]
    assert len(list((project.store / "quarantine").iterdir())) == 1


def test_a_better_title_changes_the_manifest_but_runs_nothing(project: Project) -> None:
    project.built()
    project.edit("recipe.toml", 'en = "Places"', 'en = "Some places"')
    project.commit()
    project.locked()
    result = build(project)
    assert result["status"] == "known"
    assert result["manifest_changed"]


def test_explain_names_the_ingredient_that_changed(project: Project) -> None:
    project.built()
    project.edit("process.py", "wrote", "has written")
    project.edit("recipe.toml", '"hello"', '"bonjour"')
    project.edit("recipe.toml", "min = 1\nd", "min = 0\nd")
    project.commit()
    project.locked()
    text = "\n".join(build(project, "--explain")["explanation"])
    assert "the recipe's code: blake3:" in text
    assert "parameter greeting: hello -> bonjour" in text
    assert "output places: declaration of column id changed" in text
    assert "source" not in text.replace("source_date_epoch", "")


def test_explain_says_when_nothing_changed(project: Project) -> None:
    project.built()
    explanation = build(project, "--explain")["explanation"]
    assert explanation[0] == "every ingredient is as in manifest.json"
    assert "nothing is run" in explanation[1]


def test_a_stale_lock_is_refused_with_the_command_to_type(project: Project) -> None:
    project.built()
    project.edit("recipe.toml", '"hello"', '"bonjour"')
    answer = project.run("build", "recipes/places")
    assert answer.status == 2
    assert "next:     d4cbuild lock recipes/places" in answer.err


def test_a_dirty_build_is_marked_and_leaves_the_accepted_manifest(project: Project) -> None:
    project.built()
    before = (project.recipe / "manifest.json").read_bytes()
    project.edit("process.py", "wrote", "has written")
    result = build(project, "--dirty")
    assert not result["releasable"]
    manifest = json.loads(Path(result["manifest"]).read_text())
    assert manifest["releasable"] is False
    assert "not committed" in manifest["not_releasable_because"]
    assert "commit" not in manifest["code"]
    assert (project.recipe / "manifest.json").read_bytes() == before


def test_a_dirty_build_needs_no_lock(project: Project) -> None:
    assert build(project, "--dirty")["status"] == "built"
    assert not (project.recipe / "recipe.lock").exists()


def test_other_bytes_from_the_same_ingredients_never_replace_the_manifest(
    project: Project,
) -> None:
    project.built()
    path = project.recipe / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["outputs"][0]["sha256"] = "sha256:" + "0" * 64
    path.write_text(json.dumps(manifest))
    before = path.read_bytes()
    answer = project.run("build", "--force", "recipes/places")
    assert answer.status == 4
    assert "is not what manifest.json records" in answer.err
    assert "sha256:" + "0" * 64 in answer.err
    assert path.read_bytes() == before


def test_the_parameters_reach_the_code(project: Project) -> None:
    code = CODE + "import json\nprint(json.load(open(os.environ['D4C_PARAMETERS']))['greeting'])\n"
    (project.recipe / "process.py").write_text(code)
    project.commit()
    log = Path(build(project.locked())["log"]).read_text()
    assert "\nhello\n" in log


def test_failing_code_shows_its_last_lines_and_where_the_rest_is(project: Project) -> None:
    code = "for n in range(100): print('line', n)\nraise SystemExit('it went wrong')\n"
    (project.recipe / "process.py").write_text(code)
    project.commit()
    answer = project.locked().run("build", "recipes/places")
    assert answer.status == 1
    assert "it went wrong" in answer.err
    assert "line 99" in answer.err
    assert "line 50\n" not in answer.err
    assert "exit status 1" in answer.err
    log = Path(answer.err.rsplit("the whole log: ", 1)[1].strip())
    assert "line 50\n" in log.read_text()
    assert not (project.recipe / "manifest.json").exists()


def test_terminal_codes_in_a_log_are_made_visible(project: Project) -> None:
    (project.recipe / "process.py").write_text("print('\\x1b]0;owned\\x07'); raise SystemExit(3)\n")
    project.commit()
    answer = project.locked().run("build", "recipes/places")
    assert "\x1b" not in answer.err
    assert "\\x1b]0;owned\\x07" in answer.err


def test_all_broken_declarations_are_reported_at_once(project: Project) -> None:
    (project.recipe / "sources" / "places.csv").write_text("id,name\n1,moncton\n1,Gander\n0,\n")
    project.commit()
    answer = project.locked().run("build", "recipes/places")
    assert answer.status == 1
    assert "places.id: values occur more than once (unique, 1)" in answer.err
    assert "1 occurs 2 times" in answer.err
    assert "places.id: values are below 1 (min, 1)" in answer.err
    assert "row 2: 0" in answer.err
    assert "places.name: values do not match [A-Z].* (pattern, 2)" in answer.err
    assert 'row 0: "moncton"' in answer.err
    assert "not a total order" in answer.err


def test_an_undeclared_output_is_an_error(project: Project) -> None:
    code = CODE + "open(os.environ['D4C_OUT'] + '/more.csv', 'w').close()\n"
    (project.recipe / "process.py").write_text(code)
    project.commit()
    answer = project.locked().run("build", "recipes/places")
    assert answer.status == 1
    assert "'more.csv': a file that is not declared" in answer.err


def test_a_declared_output_that_is_missing_is_an_error(project: Project) -> None:
    (project.recipe / "process.py").write_text("print('done')\n")
    project.commit()
    answer = project.locked().run("build", "recipes/places")
    assert answer.status == 1
    assert "'places.parquet': declared, but not written" in answer.err


def test_an_output_that_is_a_link_to_the_host_is_an_error(project: Project) -> None:
    code = "import os\nos.symlink('/etc/passwd', os.environ['D4C_OUT'] + '/places.parquet')\n"
    (project.recipe / "process.py").write_text(code)
    project.commit()
    answer = project.locked().run("build", "recipes/places")
    assert answer.status == 1
    assert "'places.parquet': a symbolic link, where a plain file was declared" in answer.err


def test_an_output_that_is_no_parquet_is_an_error(project: Project) -> None:
    code = "import os\nopen(os.environ['D4C_OUT'] + '/places.parquet', 'w').write('hello')\n"
    (project.recipe / "process.py").write_text(code)
    project.commit()
    answer = project.locked().run("build", "recipes/places")
    assert answer.status == 1
    assert "not readable as Parquet" in answer.err


def test_a_module_of_the_recipe_cannot_take_the_place_of_one_of_the_writer(
    project: Project,
) -> None:
    for name in ("pyarrow", "numpy", "blake3", "json"):
        (project.recipe / f"{name}.py").write_text("raise SystemExit('the writer was replaced')\n")
    code = CODE.replace("import os\n", "import os, sys\nsys.path.remove(os.getcwd())\n")
    (project.recipe / "process.py").write_text(code)
    project.commit()
    assert build(project.locked())["status"] == "built"


def test_a_plain_file_keeps_its_bytes(project: Project) -> None:
    path = project.recipe / "recipe.toml"
    extra = '\n[[outputs]]\nname = "note"\nformat = "file"\nfile = "note.txt"\n'
    path.write_text(path.read_text() + extra)
    code = CODE + "open(os.environ['D4C_OUT'] + '/note.txt', 'w').write('as it is\\n')\n"
    (project.recipe / "process.py").write_text(code)
    project.commit()
    outputs = {o["name"]: o for o in build(project.locked())["outputs"]}
    note = Path(outputs["note"]["path"])
    assert note.name == "ca_test_d4c-datapkg-test_2020_v1.0.0_note.txt"
    assert note.read_text() == "as it is\n"
    assert outputs["note"]["content"] is None


def test_a_build_does_not_depend_on_its_cpus(project: Project) -> None:
    project.locked()
    one = build(project, "--force", "--cpus", "1")
    two = build(project, "--force", "--cpus", "2")
    assert one["outputs"] == two["outputs"]


def test_several_recipes_are_built_though_one_fails(project: Project) -> None:
    folder = project.add_recipe("other")
    (folder / "process.py").write_text("raise SystemExit(5)\n")
    project.commit()
    assert project.run("lock", "--all").status == 0
    project.commit()
    answer = project.run("build", "--all", "--json")
    assert answer.status == 1
    first, second = answer.json["results"]
    assert first["error"] == "BuildFailed"
    assert second["status"] == "built"
