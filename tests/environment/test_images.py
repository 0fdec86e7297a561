"""Finished images: sealed to their lock, whole or not there, and found again at once."""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from d4cbuild.base.progress import Silence
from d4cbuild.environment.describe import describe
from d4cbuild.environment.images import check_images, ensure_image, stored_image
from d4cbuild.environment.wholeness import fault_of, is_as_left
from d4cbuild.errors import HashMismatch, InputError, StaleLock
from d4cbuild.model.parse import record_from_json, record_to_json
from d4cbuild.store.store import Store
from tests.sources.conftest import Ear

from .tiny import TinyEnvironment


def test_a_lock_is_sealed_to_the_meaning_of_its_definition(
    tiny: TinyEnvironment, store: Store
) -> None:
    path = tiny.folder.definition_path
    text = path.read_text()
    path.write_text(f"# only a comment\n{text}")
    ensure_image(tiny.folder, store, Silence())
    path.write_text(text.replace('"/lib" =', '"/lib64" ='))
    with pytest.raises(StaleLock) as caught:
        ensure_image(tiny.folder, store, Silence())
    assert caught.value.hint == "d4cbuild env lock tiny"


def test_an_environment_that_is_not_locked_says_what_to_type(
    tiny: TinyEnvironment, store: Store
) -> None:
    tiny.folder.lock_path.unlink()
    with pytest.raises(StaleLock, match="not locked") as caught:
        ensure_image(tiny.folder, store, Silence())
    assert caught.value.hint == "d4cbuild env lock tiny"


def test_an_environment_that_is_not_there_is_an_error(tiny: TinyEnvironment, store: Store) -> None:
    tiny.folder.definition_path.unlink()
    with pytest.raises(InputError, match="no environment 'tiny'"):
        ensure_image(tiny.folder, store, Silence())


def test_an_environment_is_named_as_its_folder(tiny: TinyEnvironment, store: Store) -> None:
    path = tiny.folder.definition_path
    path.write_text(path.read_text().replace('name = "tiny"', 'name = "other"'))
    with pytest.raises(InputError, match="as its folder"):
        ensure_image(tiny.folder, store, Silence())


def test_an_image_that_came_out_otherwise_is_refused(tiny: TinyEnvironment, store: Store) -> None:
    lock = tiny.folder.lock()
    other = lock.model_copy(
        update={"config": lock.manifest, "layers": (lock.layers[0], lock.layers[0])}
    )
    tiny.folder.lock_path.write_bytes(record_to_json(other))
    with pytest.raises(HashMismatch) as caught:
        ensure_image(tiny.folder, store, Silence())
    assert str(lock.config) in str(caught.value.found)
    assert "layers that differ: wheels" in str(caught.value.found)
    assert list(store.images.iterdir()) == list(store.temporary.iterdir()) == []


def test_a_finished_image_needs_no_packages(tiny: TinyEnvironment, store: Store) -> None:
    first = ensure_image(tiny.folder, store, Silence())
    for package in tiny.packages:
        found = store.find(package.sha256)
        assert found is not None
        found.unlink()
    second = ensure_image(tiny.folder, store, Silence())
    assert (first.root, first.config, first.manifest) == (
        second.root,
        second.config,
        second.manifest,
    )


def test_an_unfinished_image_is_assembled_again(tiny: TinyEnvironment, store: Store) -> None:
    image = ensure_image(tiny.folder, store, Silence())
    (image.root.parent / "complete").unlink()
    (image.root / "etc/motd").write_text("half")
    assert stored_image("tiny", tiny.folder.lock(), store) is None
    again = ensure_image(tiny.folder, store, Silence())
    assert (again.root / "etc/motd").read_text() == "Bonjour"
    assert fault_of(again.root.parent) is None


def write_to(root: Path) -> None:
    (root / "etc/motd").write_text("Bonsoir")


def write_as_long_ago(root: Path) -> None:
    state = (root / "etc/motd").stat()
    (root / "etc/motd").write_text("Bonsoir")
    os.utime(root / "etc/motd", ns=(state.st_atime_ns, state.st_mtime_ns))


def cut_a_file(root: Path) -> None:
    os.truncate(root / "etc/motd", 3)


def remove_a_file(root: Path) -> None:
    (root / "etc/motd").unlink()


def add_a_file(root: Path) -> None:
    (root / "etc/other").write_text("x")


def change_a_mode(root: Path) -> None:
    (root / "etc/motd").chmod(0o755)


def change_a_link(root: Path) -> None:
    (root / "usr/lib/libbeta.so.1").unlink()
    (root / "usr/lib/libbeta.so.1").symlink_to("/dev/null")


def spoil_the_index(root: Path) -> None:
    (root.parent / "index.json").write_text("[]")


def cut_the_index(root: Path) -> None:
    os.truncate(root.parent / "index.json", 100)


def remove_the_configuration(root: Path) -> None:
    (root.parent / "config.json").unlink()


def spoil_the_manifest(root: Path) -> None:
    (root.parent / "manifest.json").write_text("{}")


@pytest.mark.parametrize(
    "damage",
    [
        *(
            write_to,
            write_as_long_ago,
            cut_a_file,
            remove_a_file,
            add_a_file,
            change_a_mode,
            change_a_link,
        ),
        *(spoil_the_index, cut_the_index, remove_the_configuration, spoil_the_manifest),
    ],
)
def test_an_image_that_was_changed_is_found_on_use_and_assembled_again(
    tiny: TinyEnvironment, store: Store, damage: Callable[[Path], None]
) -> None:
    folder = ensure_image(tiny.folder, store, Silence()).root.parent
    assert fault_of(folder) is None
    assert check_images(store, Silence()) == []
    damage(folder / "root")
    ear = Ear()
    again = ensure_image(tiny.folder, store, ear)
    assert fault_of(again.root.parent) is None
    assert (again.root / "etc/motd").read_text() == "Bonjour"
    assert len(ear.warnings) == 1
    damage(folder / "root")
    (fault,) = check_images(store, Silence())
    assert folder.name in fault
    assert list(store.images.iterdir()) == []


def test_an_image_whose_files_were_only_touched_stays(tiny: TinyEnvironment, store: Store) -> None:
    folder = ensure_image(tiny.folder, store, Silence()).root.parent
    (folder / "root/etc/motd").chmod(0o644)
    assert not is_as_left(folder)
    ear = Ear()
    ensure_image(tiny.folder, store, ear)
    assert is_as_left(folder)
    assert ear.warnings == ear.lines == []


def test_two_processes_at_once_both_get_the_image(tiny: TinyEnvironment, store: Store) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from d4cbuild.environment.definition import EnvironmentFolder\n"
        "from d4cbuild.environment.images import ensure_image\n"
        "from d4cbuild.base.progress import Silence\n"
        "from d4cbuild.store.store import Store\n"
        "image = ensure_image(EnvironmentFolder(Path(sys.argv[1])), Store(Path(sys.argv[2])),"
        " Silence())\n"
        "assert (image.root / 'etc/motd').read_text() == 'Bonjour'\n"
    )
    command = [sys.executable, "-c", program, str(tiny.folder.path), str(store.root)]
    running = [
        subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for process in running:
        _out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err.decode()
    assert len(list(store.images.iterdir())) == 1
    assert list(store.temporary.iterdir()) == []


def test_the_archive_is_an_oci_layout_and_a_docker_archive(
    tiny: TinyEnvironment, store: Store
) -> None:
    image = ensure_image(tiny.folder, store, Silence())
    data = b"".join(image.archive())
    assert data == b"".join(image.archive())
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        names = archive.getnames()
        assert names == sorted(names, key=str.encode)
        blobs = {
            name: archive.extractfile(name).read()  # type: ignore[union-attr]
            for name in names
            if archive.getmember(name).isreg()
        }
    for name, content in blobs.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{sha256(content).hexdigest()}"
    lock = tiny.folder.lock()
    assert json.loads(blobs["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (described,) = json.loads(blobs["index.json"])["manifests"]
    assert described["digest"] == str(lock.manifest)
    manifest = json.loads(blobs[f"blobs/sha256/{lock.manifest.hex}"])
    assert manifest["config"]["digest"] == str(lock.config)
    layers = [(each["digest"], each["size"]) for each in manifest["layers"]]
    assert layers == [(str(each.sha256), each.size) for each in lock.layers]
    config = json.loads(blobs[f"blobs/sha256/{lock.config.hex}"])
    assert config["rootfs"]["diff_ids"] == [str(each.sha256) for each in lock.layers]
    (docker,) = json.loads(blobs["manifest.json"])
    assert docker["RepoTags"] == [f"d4cbuild/tiny:{lock.config.hex[:12]}"]
    assert [blobs[path] for path in docker["Layers"]] == [
        blobs[f"blobs/sha256/{each.sha256.hex}"] for each in lock.layers
    ]


def test_an_environment_is_described(tiny: TinyEnvironment, store: Store) -> None:
    before = describe(tiny.folder, store)
    assert [(each.kind, each.name, each.version) for each in before.packages] == [
        ("deb", "alpha", "1"),
        ("deb", "beta", "1"),
        ("wheel", "gamma", "1.0"),
    ]
    assert (before.built, before.packages[0].fetched) == (False, True)
    ensure_image(tiny.folder, store, Silence())
    after = describe(tiny.folder, store)
    assert after.built
    assert json.loads(json.dumps(after.as_json()))["config"] == str(tiny.folder.lock().config)


def test_a_lock_reads_back_as_it_was_written(tiny: TinyEnvironment) -> None:
    data = tiny.folder.lock_path.read_bytes()
    lock = record_from_json(type(tiny.folder.lock()), data, "environment.lock")
    assert record_to_json(lock) == data
