"""Objects that are gone are named by every command that needs them."""

import pytest
from tests.store.forms import submodule_inside
from tests.support import git, write_files
from tests.support.doctors import drop_object, loosen
from tests.support.projects import make_run, open_here
from tests.support.restores import everything

from repro.core.beside import check_out_beside
from repro.core.query import resolve_run
from repro.core.restore import check_out
from repro.errors import DamagedRecordError


@pytest.mark.parametrize("gone", ["lib/new.py", "lib", ""])
@pytest.mark.parametrize("way", ["in place", "beside"])
def test_what_is_gone_is_named_and_nothing_changes(repository, tmp_path, gone, way):
    write_files(repository, {"train.py": "print('changed')\n", "lib/new.py": "x = 1\n"})
    project = open_here(repository)
    record = resolve_run(project, make_run(project).id)
    git(repository, "checkout", "-q", "--", "train.py")
    (repository / "lib/new.py").unlink()
    loosen(repository)
    drop_object(repository, f"{record.run.snapshot}:{gone}")
    before = everything(repository)

    folders = [tmp_path / "beside"] if way == "beside" else []
    restore = check_out_beside if folders else check_out
    with pytest.raises(DamagedRecordError) as raised:
        restore(project, record, *folders)

    if gone:
        assert f"`{gone}`" in raised.value.message
        assert record.run.id in raised.value.message
        assert record.run.id in str(raised.value.hint)
    assert everything(repository) == before
    assert not (tmp_path / "beside").exists()


def test_recorded_content_of_a_submodule_that_is_gone_leaves_no_worktree(tmp_path):
    root = submodule_inside(tmp_path)
    write_files(root / "lib", {"new.py": "only in the record\n"})
    project = open_here(root)
    record = resolve_run(project, make_run(project).id)
    loosen(root)
    drop_object(root, f"{record.commit}:submodules/lib/new.py")

    with pytest.raises(DamagedRecordError, match=r"`lib/new\.py`"):
        check_out_beside(project, record, tmp_path / "beside")

    assert not (tmp_path / "beside").exists()
    assert len(git(root, "worktree", "list").splitlines()) == 1
