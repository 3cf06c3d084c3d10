import threading

from repro.store.manyfiles import do_at_once, remove_folder


def test_each_file_is_worked_on_once(tmp_path):
    paths = [tmp_path / str(number) for number in range(300)]
    seen = []

    do_at_once(seen.append, paths)

    assert sorted(seen) == sorted(paths)


def test_without_threads_each_file_is_worked_on_all_the_same(tmp_path, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    paths = [tmp_path / str(number) for number in range(40)]
    seen = []

    do_at_once(seen.append, paths)

    assert seen == paths


def test_a_folder_goes_with_all_in_it_and_nothing_that_it_links_to(tmp_path):
    folder, beside = tmp_path / "gone", tmp_path / "beside"
    (folder / "media").mkdir(parents=True)
    beside.mkdir()
    (beside / "kept").write_bytes(b"1")
    for number in range(50):
        (folder / "media" / str(number)).write_bytes(b"2")
    (folder / "link").symlink_to(beside)

    remove_folder(folder)
    remove_folder(folder)

    assert not folder.exists()
    assert (beside / "kept").read_bytes() == b"1"
