"""``store push`` on one machine, ``build`` on another: taken if signed, built if not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from d4cbuild.attest.envelope import read_envelope
from d4cbuild.attest.keys import write_key
from d4cbuild.store import Store
from tests.attest.signed import REPOSITORY, World, two_of
from tests.project import CODE, Answer, Project
from tests.sources.server import Site, stall, whole

# A container is rewritten, and the manifest says how: such facts must come along as well.
ARCHIVE = """
import zipfile
with zipfile.ZipFile(os.environ["D4C_OUT"] + "/more.zip", "w") as archive:
    archive.writestr("b.txt", "b")
    archive.writestr("a.txt", "a")
"""
ARCHIVE_OUTPUT = """
[[outputs]]
name = "more"
format = "file"
file = "more.zip"
"""


@dataclass
class Places:
    """A project that somebody built and shares, and what others need to take it.

    Attributes:
        maker: The project of who built it, with their store.
        world: Who has keys.
        folder: The shared store.
        manifest: The manifest's bytes.
        data: The data file's bytes.
    """

    maker: Project
    world: World
    folder: Path
    manifest: bytes
    data: bytes

    @property
    def key(self) -> Path:
        return self.maker.root.parent / "key"

    @property
    def trust(self) -> Path:
        return self.maker.root.parent / "trust.toml"

    @property
    def realisation(self) -> Path:
        (path,) = self.folder.glob("realisations/*/*.json")
        return path

    def push(self, *more: str, to: str | Path | None = None) -> Answer:
        return self.maker.run(
            "store", "push", "recipes/places", "--to", str(to or self.folder), *more
        )

    def taker(self, root: Path, images: Path | None = None) -> Project:
        """Somebody else: the same commit without its manifest, and an empty store.

        Without images, nothing can be run without downloading hundreds of megabytes.
        """
        shutil.copytree(self.maker.root, root / "project", symlinks=True)
        shutil.rmtree(root / "project" / "dist", ignore_errors=True)
        (root / "project" / "recipes" / "places" / "manifest.json").unlink()
        store = root / "store"
        store.mkdir()
        if images is not None:
            (store / "images").symlink_to(images)
        return Project(root / "project", store, {"D4CBUILD_SETTINGS": "", "NO_PROXY": "127.0.0.1"})


@pytest.fixture(scope="module")
def places(
    tmp_path_factory: pytest.TempPathFactory, geo_image: object, shared_store: Store
) -> Places:
    root = tmp_path_factory.mktemp("maker")
    store = root / "store"
    store.mkdir()
    (store / "images").symlink_to(shared_store.images)
    project = Project.create(root / "project", store, REPOSITORY / "environments")
    (project.recipe / "process.py").write_text(CODE + ARCHIVE)
    with (project.recipe / "recipe.toml").open("a") as stream:
        stream.write(ARCHIVE_OUTPUT)
    project.commit()
    project.built()
    world = World()
    assert b'"rewritten"' in (project.recipe / "manifest.json").read_bytes()
    write_key(world.key("maker"), root / "key")
    (root / "trust.toml").write_text(world.trust_text({"maker": ["builder"]}, two_of(1)))
    (data,) = (project.root / "dist").glob("*.parquet")
    made = Places(
        project,
        world,
        root / "shared",
        (project.recipe / "manifest.json").read_bytes(),
        data.read_bytes(),
    )
    answer = made.push("--key", str(made.key))
    assert answer.status == 0, answer.err
    return made


@pytest.fixture
def web(places: Places) -> Iterator[str]:
    """The shared folder, served by a plain web server."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    handler = partial(Quiet, directory=str(places.folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def remote(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    config = tmp_path / "rclone.conf"
    config.write_text(f"[copies]\ntype = alias\nremote = {places.folder}\n")
    monkeypatch.setenv("RCLONE_CONFIG", str(config))
    return "copies:"


def build(taker: Project, *options: str) -> Answer:
    return taker.run("build", "recipes/places", "--json", *options)


def assert_taken(taker: Project, answer: Answer, places: Places, where: str) -> None:
    assert answer.status == 0, answer.err
    (result,) = answer.json["results"]
    assert result["status"] == "substituted"
    assert result["log"] is None
    assert result["taken_from"] == {
        "where": where,
        "builder": "maker",
        "key_id": places.world.key("maker").public.key_id,
    }
    assert (taker.recipe / "manifest.json").read_bytes() == places.manifest
    assert Path(result["outputs"][0]["path"]).read_bytes() == places.data
    assert list((taker.store / "logs").iterdir()) == []
    assert list((taker.store / "images").iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "web", "remote"])
def test_a_build_elsewhere_takes_what_was_pushed_and_runs_nothing(
    kind: str, places: Places, web: str, remote: str, tmp_path: Path
) -> None:
    where = {"folder": str(places.folder), "web": web, "remote": remote}[kind]
    taker = places.taker(tmp_path)
    answer = build(taker, "--substituter", where, "--trust", str(places.trust))
    assert_taken(taker, answer, places, where)
    again = build(taker, "--no-substituters")
    assert again.json["results"][0]["status"] == "unchanged"


def test_a_person_is_told_whose_outputs_they_are(places: Places, tmp_path: Path) -> None:
    taker = places.taker(tmp_path)
    where = str(places.folder)
    answer = taker.run(
        *("build", "recipes/places", "--explain"),
        *("--substituter", where, "--trust", str(places.trust)),
    )
    assert "places: taken from a substituter, nothing was run" in answer.out
    key_id = places.world.key("maker").public.key_id
    assert f"  from {where}, built by maker (key {key_id[:12]})" in answer.out
    assert "were taken from a substituter: nothing is run" in answer.out


def test_the_settings_say_whom_to_ask_and_whom_to_trust(places: Places, tmp_path: Path) -> None:
    taker = places.taker(tmp_path)
    settings = tmp_path / "d4cbuild" / "settings.toml"
    settings.parent.mkdir()
    shutil.copy(places.trust, settings.parent / "whom.toml")
    settings.write_text(
        f'schema = "d4c.settings/1"\ntrust = "whom.toml"\nstall = "2s"\n'
        f'[[substituters]]\nurl = "{places.folder}"\n'
    )
    taker.extra["XDG_CONFIG_HOME"] = str(tmp_path)
    assert_taken(taker, build(taker), places, str(places.folder))


def test_a_liar_is_passed_over_for_somebody_good(
    places: Places, site: Site, tmp_path: Path
) -> None:
    taker = places.taker(tmp_path)
    name = places.realisation.relative_to(places.folder)
    site.serve(f"/{name}", whole(places.realisation.read_bytes()))
    for path in places.folder.glob("objects/*/*"):
        wrong = bytes(len(places.data))
        site.serve(f"/{path.relative_to(places.folder)}", whole(wrong))
    options = ("--substituter", site.url("/"), "--substituter", str(places.folder))
    answer = build(taker, *options, "--trust", str(places.trust))
    assert_taken(taker, answer, places, str(places.folder))
    assert f"warning: places: passed over {site.url('/')}: it has other bytes" in answer.err


def changed_realisation(places: Places, site: Site) -> str:
    """Facts that were changed after the signature."""
    record = json.loads(places.realisation.read_bytes())
    envelope = read_envelope(places.realisation.read_bytes(), "x")
    assert b"realisation.json" in envelope.payload
    record["payload"] = record["payload"][:-8] + "AAAA" + record["payload"][-4:]
    name = places.realisation.relative_to(places.folder)
    return site.serve(f"/{name}", whole(json.dumps(record).encode())).removesuffix(f"{name}")


def silence(places: Places, site: Site) -> str:
    name = places.realisation.relative_to(places.folder)
    return site.serve(f"/{name}", stall(b"{}" * 100, 10)).removesuffix(f"{name}")


@pytest.mark.parametrize("fault", [changed_realisation, silence])
def test_with_nobody_to_believe_it_is_really_built(
    fault: Callable[[Places, Site], str],
    places: Places,
    site: Site,
    tmp_path: Path,
    shared_store: Store,
) -> None:
    taker = places.taker(tmp_path, shared_store.images)
    settings = tmp_path / "settings.toml"
    address = fault(places, site)
    settings.write_text(
        'schema = "d4c.settings/1"\nstall = "1s"\n'
        f'trust = "{places.trust}"\n[[substituters]]\nurl = "{address}"\n'
    )
    answer = taker.run("build", "recipes/places", "--json", D4CBUILD_SETTINGS=str(settings))
    assert f"warning: places: passed over {address}: " in answer.err
    (result,) = answer.json["results"]
    assert result["status"] == "built"
    assert Path(result["log"]).exists()
    assert (taker.recipe / "manifest.json").read_bytes() == places.manifest


@pytest.mark.parametrize("option", ["--no-substituters", "--force", "--dirty"])
def test_who_wants_a_build_gets_one(
    option: str, places: Places, site: Site, tmp_path: Path, shared_store: Store
) -> None:
    taker = places.taker(tmp_path, shared_store.images)
    answer = build(taker, option, "--substituter", site.url("/"), "--trust", str(places.trust))
    (result,) = answer.json["results"]
    assert result["status"] == "built"
    assert site.requests == []


def test_other_bytes_than_the_manifest_records_are_not_taken(
    places: Places, tmp_path: Path, shared_store: Store
) -> None:
    taker = places.taker(tmp_path, shared_store.images)
    record = json.loads(places.manifest)
    record["outputs"][0]["sha256"] = "sha256:" + "0" * 64
    (taker.recipe / "manifest.json").write_text(json.dumps(record))
    answer = build(taker, "--substituter", str(places.folder), "--trust", str(places.trust))
    assert "maker signed other bytes of places than manifest.json records" in answer.err
    assert answer.status == 4  # it was built, and the build is not what that manifest says


def test_with_substituters_but_nobody_trusted_it_says_what_to_do(
    places: Places, tmp_path: Path
) -> None:
    answer = build(places.taker(tmp_path), "--substituter", str(places.folder))
    assert answer.status == 64
    assert "nobody is trusted" in answer.err
    assert "--trust trust.toml" in answer.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('schema = "d4c.settings/2"\n', "does not know the file's format"),
        ('schema = "d4c.settings/1"\nsubstituter = 1\n', "substituter: "),
        (
            'schema = "d4c.settings/1"\n[[substituters]]\nurl = "http://x"\n'
            '[[substituters]]\nurl = "http://x"\n',
            "a substituter is named twice",
        ),
        (
            'schema = "d4c.settings/1"\n[[substituters]]\nurl = "shared"\n',
            "is not a shared store",
        ),
        (
            'schema = "d4c.settings/1"\n[[substituters]]\nurl = "copies:$(touch x)"\n',
            "is not a shared store",
        ),
        ('schema = "d4c.settings/1"\nstall = "5"\n', "not a duration"),
        ("schema", "not readable as TOML"),
    ],
)
def test_faulty_settings_are_refused_with_what_is_wrong(
    text: str, words: str, places: Places, tmp_path: Path
) -> None:
    (tmp_path / "settings.toml").write_text(text)
    taker = places.taker(tmp_path)
    taker.extra["D4CBUILD_SETTINGS"] = str(tmp_path / "settings.toml")
    answer = build(taker)
    assert answer.status == 64
    assert words in answer.err
    assert not (tmp_path / "x").exists()


def test_settings_that_were_named_must_be_there(places: Places, tmp_path: Path) -> None:
    taker = places.taker(tmp_path)
    taker.extra["D4CBUILD_SETTINGS"] = str(tmp_path / "nowhere.toml")
    answer = build(taker)
    assert answer.status == 64
    assert str(tmp_path / "nowhere.toml") in answer.err


def test_what_was_taken_is_passed_on_as_it_was_signed(places: Places, tmp_path: Path) -> None:
    taker = places.taker(tmp_path)
    options = ("--substituter", str(places.folder), "--trust", str(places.trust))
    assert build(taker, *options).status == 0
    other = tmp_path / "other"
    write_key(places.world.key("taker"), tmp_path / "own-key")
    answer = taker.run(
        *("store", "push", "recipes/places", "--to", str(other)),
        *("--key", str(tmp_path / "own-key"), "--json"),
    )
    assert answer.status == 0, answer.err
    assert answer.json["results"][0]["builder"] == "maker"
    (path,) = other.glob("realisations/*/*.json")
    assert path.name == places.realisation.name
    assert path.read_bytes() == places.realisation.read_bytes()


def test_what_was_built_here_is_not_pushed_unsigned(places: Places, tmp_path: Path) -> None:
    answer = places.push(to=tmp_path / "other")
    assert answer.status == 64
    assert "--key FILE" in answer.err
    assert not list((tmp_path / "other").glob("*/*"))


def test_what_was_not_built_is_not_pushed(places: Places, tmp_path: Path) -> None:
    taker = places.taker(tmp_path)
    answer = taker.run("store", "push", "recipes/places", "--to", str(tmp_path / "other"))
    assert answer.status == 64
    assert "next:     d4cbuild build recipes/places" in answer.err


def test_nothing_is_pushed_over_http(places: Places, web: str) -> None:
    answer = places.push("--key", str(places.key), to=web)
    assert answer.status == 64
    assert "nothing can be pushed over http" in answer.err
    assert "--to remote:path" in answer.err


@pytest.mark.parametrize("name", ["copies:$(touch x)", "copies:a b", "copies:a';touch x;'", "-c:a"])
def test_a_hostile_remote_is_refused_and_nothing_runs(
    name: str, places: Places, tmp_path: Path
) -> None:
    taker = places.taker(tmp_path)
    before = sorted(taker.root.iterdir())
    pushed = taker.run("store", "push", "recipes/places", f"--to={name}")
    built = build(taker, f"--substituter={name}", "--trust", str(places.trust))
    for answer in (pushed, built):
        assert answer.status == 64
        assert "not an rclone address that is taken" in answer.err
    assert sorted(taker.root.iterdir()) == before


def test_verify_rebuilds_but_finds_a_lost_source_by_its_hash(
    places: Places, tmp_path: Path, shared_store: Store
) -> None:
    folder = tmp_path / "with-sources"
    answer = places.push("--key", str(places.key), "--with-sources", to=folder)
    assert answer.status == 0, answer.err
    taker = places.taker(tmp_path, shared_store.images)
    (taker.recipe / "manifest.json").write_bytes(places.manifest)
    (taker.recipe / "sources" / "places.csv").unlink()
    shared = taker.run("verify", "recipes/places", "--json", "--substituter", str(folder))
    assert shared.json["results"][0]["verdict"] == "identical", shared.err
    assert "running in bubblewrap" in shared.err
    assert list((taker.store / "logs").rglob("*.log"))
