"""The container around a process, by its files and variables."""

import json
from pathlib import Path

import pytest
from tests.support import write_files

from repro.model.canonical import Json
from repro.store.container import read_container

ID = "a" * 64


def told(root: Path, **environ: str) -> dict[str, Json] | None:
    return read_container(environ=environ, root=root)


def test_outside_of_a_container_there_is_none(tmp_path):
    write_files(tmp_path, {"proc/self/mountinfo": "1 1 0:1 / / rw - ext4 /dev/sda rw\n"})

    assert told(tmp_path, CI_JOB_IMAGE="python:3.11") is None


def test_podman_leaves_image_and_digest(tmp_path):
    text = f'engine="podman-4.9"\nname="x"\nid="{"b" * 64}"\nimage="docker.io/python:3.11"\n'
    write_files(tmp_path, {"run/.containerenv": f'{text}imageid="{ID}"\n'})

    assert told(tmp_path) == {
        "engine": "podman",
        "image": "docker.io/python:3.11",
        "digest": f"sha256:{ID}",
    }


def test_docker_tells_nothing_of_its_image(tmp_path):
    write_files(tmp_path, {".dockerenv": ""})

    assert told(tmp_path) == {"engine": "docker", "image": None, "digest": None}


def test_a_name_with_a_digest_is_enough(tmp_path):
    write_files(tmp_path, {".dockerenv": ""})
    image = f"registry.example.org/a/b@sha256:{ID}"

    assert told(tmp_path, CI_JOB_IMAGE=image) == {
        "engine": "docker",
        "image": image,
        "digest": f"sha256:{ID}",
    }


@pytest.mark.parametrize(
    ("said", "image", "digest"),
    [
        ({"ImageName": "a/b:1", "ImageID": f"sha256:{ID}"}, "a/b:1", f"sha256:{ID}"),
        ({"ImageName": 3, "ImageID": "x"}, None, None),
        ([], None, None),
    ],
)
def test_ecs_leaves_a_file(tmp_path, said, image, digest):
    write_files(tmp_path, {".dockerenv": "", "meta.json": json.dumps(said)})

    found = told(tmp_path, ECS_CONTAINER_METADATA_FILE=str(tmp_path / "meta.json"))

    assert found == {"engine": "docker", "image": image, "digest": digest}


@pytest.mark.parametrize(
    ("environ", "engine"),
    [
        ({"APPTAINER_CONTAINER": "/images/x.sif"}, "apptainer"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ({"container": "lxc"}, "lxc"),
    ],
)
def test_engines_tell_by_variables(tmp_path, environ, engine):
    assert (told(tmp_path, **environ) or {})["engine"] == engine


@pytest.mark.parametrize(
    ("line", "engine"),
    [
        (f"/var/lib/docker/containers/{ID}/hostname /etc/hostname", "docker"),
        ("12:cpu:/kubepods/burstable/podx", "kubernetes"),
    ],
)
def test_mounts_tell_the_engine_and_never_the_container(tmp_path, line, engine):
    write_files(tmp_path, {"proc/self/mountinfo": f"1 1 0:1 {line} rw\n"})

    assert told(tmp_path) == {"engine": engine, "image": None, "digest": None}


def test_no_credentials_of_a_registry_get_in(tmp_path):
    write_files(tmp_path, {".dockerenv": ""})

    found = told(tmp_path, CI_JOB_IMAGE="https://ada:hunter2@example.org/image")

    assert "hunter2" not in str(found)
