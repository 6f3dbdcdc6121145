"""Where tokens lie: keyring, file, environment, and the places of an older program."""

import json
import os
import stat
import threading
import time
from pathlib import Path
from typing import Any

import keyring
import pytest

from chatgpt_codex.llm.errors import ConfigurationError
from chatgpt_codex.login import keyring_place
from chatgpt_codex.login.accounts import Accounts
from chatgpt_codex.login.errors import NotSignedInError, StoreUnreadableError, StoreUnwritableError
from chatgpt_codex.login.file_place import FilePlace
from chatgpt_codex.login.lease import lease, lease_path
from chatgpt_codex.login.private_file import write_private
from chatgpt_codex.login.renewal import AccountTokens
from chatgpt_codex.login.store import TokenStore
from chatgpt_codex.login.tokens import Tokens, tokens_to_json

MARK = "not-to-be-shown"


def tokens(number: int = 1, **more: Any) -> Tokens:
    return Tokens(
        access_token=f"access-{number}-{MARK}",
        refresh_token=f"refresh-{number}-{MARK}",
        **{"received_at": float(number), "expires_at": time.time() + 3600, **more},
    )


@pytest.fixture
def store() -> TokenStore:
    return TokenStore({})


def folder() -> Path:
    return Path.home() / ".oauth_codex"


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that is run as some number: tokens of the environment serve all the same."""

    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", none)
    accounts = Accounts({"CODEX_OAUTH_ACCESS_TOKEN": MARK})
    assert accounts.store.folder == Path("/.oauth_codex")
    assert AccountTokens(accounts.settings, accounts.store, "default").renewed().access_token == MARK


async def test_nothing_need_be_writable_to_say_that_nobody_is_signed_in(tmp_path: Path) -> None:
    # A file where the folder of the locks should be: root may write to any folder.
    (tmp_path / "locks").write_text("")
    with pytest.raises(NotSignedInError):
        await Accounts({}, folder=tmp_path).sign_out("work")


# Files


def test_without_a_keyring_a_private_file_holds_them(store: TokenStore) -> None:
    stored = store.write("default", tokens())

    path = folder() / "auth.json"
    assert (stored.place, stored.where) == ("file", str(path))
    assert store.read("default") == stored
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder().stat().st_mode) == 0o700
    assert [entry.name for entry in folder().iterdir()] == ["auth.json"]


def test_a_file_is_private_from_its_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with a umask that hides nothing, and also the draft that is renamed in the end."""
    modes = []
    replace = Path.replace

    def look(draft: Path, target: Path) -> Path:
        modes.append(stat.S_IMODE(draft.stat().st_mode))
        return replace(draft, target)

    monkeypatch.setattr(Path, "replace", look)
    before = os.umask(0)
    try:
        write_private(tmp_path / "folder" / "file", b"content")
    finally:
        os.umask(before)
    assert modes == [0o600]


def test_folders_are_private_all_the_way(tmp_path: Path) -> None:
    """Others could put a link or a lock of theirs into one that the umask left open."""
    before = os.umask(0)
    try:
        with lease(lease_path(tmp_path / "store", "default")):
            FilePlace(tmp_path / "store").write("work", tokens())
    finally:
        os.umask(before)
    made = [path for path in (tmp_path / "store", *(tmp_path / "store").rglob("*")) if path.is_dir()]
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in made} == dict.fromkeys(
        ("store", "locks", "accounts"), 0o700
    )


def test_a_place_is_looked_for_without_touching_what_is_there(store: TokenStore, tmp_path: Path) -> None:
    folder().mkdir()
    (tmp_path / "elsewhere").write_text("kept")
    (folder() / "auth.probe").symlink_to(tmp_path / "elsewhere")
    store.check_writable("default")
    assert (tmp_path / "elsewhere").read_text() == "kept"
    assert [entry.name for entry in folder().iterdir()] == ["auth.probe"]


def test_a_keyring_needs_a_folder_beside_it(dictionary_keyring: Any, tmp_path: Path) -> None:
    """For the lock: found before anybody signs in for nothing."""
    closed = tmp_path / "a file"
    closed.write_text("")
    with pytest.raises(StoreUnwritableError, match="Make the folder writable"):
        TokenStore({}, closed / "folder").check_writable("default")
    TokenStore({}).check_writable("default")
    assert not [path for path in folder().rglob("*") if path.is_file()]


def test_a_file_that_others_may_read_becomes_private_when_it_is_written(store: TokenStore) -> None:
    store.write("default", tokens())
    (folder() / "auth.json").chmod(0o644)
    store.write("default", tokens(2))
    assert stat.S_IMODE((folder() / "auth.json").stat().st_mode) == 0o600


def test_a_failed_write_leaves_the_old_file(store: TokenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("default", tokens())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnwritableError, match=r"auth\.json: No space left on device"):
        store.write("default", tokens(2))
    assert store.read("default").tokens == tokens(expires_at=store.read("default").tokens.expires_at)
    assert len(list(folder().iterdir())) == 1


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"access_token": ""}', b'{"access_token": "a b"}']
)
def test_a_damaged_file_is_reported_and_never_overwritten(store: TokenStore, content: bytes) -> None:
    write_private(folder() / "auth.json", content)
    with pytest.raises(StoreUnreadableError, match="is damaged"):
        store.read("default")
    with pytest.raises(StoreUnreadableError, match="Move it away"):
        store.write("default", tokens())
    with pytest.raises(StoreUnreadableError):
        store.check_writable("default")
    assert store.delete("default")
    assert (folder() / "auth.json").read_bytes() == content


def test_a_folder_in_the_way_is_reported(store: TokenStore) -> None:
    (folder() / "auth.json").mkdir(parents=True)
    with pytest.raises(StoreUnreadableError, match="Is a directory"):
        store.read("default")


def test_accounts_have_names_and_files_of_their_own(store: TokenStore) -> None:
    for number, name in enumerate(("work", "default", "a-b_C"), 1):
        store.write(name, tokens(number))
    assert store.accounts() == ("default", "a-b_C", "work")
    assert store.read("work").tokens.access_token == f"access-1-{MARK}"
    assert store.delete("work") == ()
    assert store.accounts() == ("default", "a-b_C")
    with pytest.raises(NotSignedInError):
        store.read("work")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b", "x" * 65, "a\n"])
def test_names_that_no_account_can_have(store: TokenStore, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be an account's name"):
        store.read(name)
    with pytest.raises(ConfigurationError):
        store.write(name, tokens())


def test_a_link_to_another_place_stays_a_link(store: TokenStore, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    FilePlace(tmp_path).write("default", tokens())
    (tmp_path / "auth.json").rename(elsewhere)
    folder().mkdir()
    (folder() / "auth.json").symlink_to(elsewhere)
    store.write("default", tokens(2))
    assert (folder() / "auth.json").is_symlink()
    assert json.loads(elsewhere.read_bytes())["refresh_token"] == f"refresh-2-{MARK}"


# Keyring


def test_a_keyring_is_preferred(dictionary_keyring: Any, store: TokenStore) -> None:
    FilePlace(folder()).write("work", tokens())
    stored = store.write("work", tokens(2))
    assert stored.place == "keyring"
    assert "service oauth-codex, entry work" in stored.where
    assert list(dictionary_keyring.entries) == [("oauth-codex", "work")]
    assert store.read("work") == stored
    assert not (folder() / "accounts" / "work.json").exists(), "only one place may have them"
    assert store.accounts() == ("work",)
    assert store.delete("work") == ()
    assert dictionary_keyring.entries == {}
    assert store.accounts() == ()


def test_tokens_that_a_keyring_does_not_take_go_to_the_file(dictionary_keyring: Any, store: TokenStore) -> None:
    """As those that are too long for the Windows Credential Manager."""
    store.write("default", tokens())
    dictionary_keyring.longest = 100
    stored = store.write("default", tokens(2), beside="keyring")
    assert stored.place == "file"
    assert store.read("default") == stored
    assert dictionary_keyring.entries == {}, "an old refresh token left behind would end the sign-in"


def test_the_newer_tokens_count_where_two_places_have_some(dictionary_keyring: Any, store: TokenStore) -> None:
    store.write("default", tokens(1))
    FilePlace(folder()).write("default", tokens(2))
    assert store.read("default").tokens.access_token == f"access-2-{MARK}"


def test_tokens_stay_where_they_are_when_they_are_renewed(dictionary_keyring: Any, store: TokenStore) -> None:
    assert store.write("default", tokens(), beside="file").place == "file"
    assert dictionary_keyring.entries == {}


def test_a_locked_keyring_is_reported_unless_the_file_has_tokens(dictionary_keyring: Any, store: TokenStore) -> None:
    dictionary_keyring.is_locked = True
    with pytest.raises(StoreUnreadableError, match=r"could not be read \(KeyringLocked\).*Unlock it"):
        store.read("default")
    left = store.delete("default")
    assert len(left) == 1
    assert "unlock the keyring" in left[0]
    assert store.write("default", tokens()).place == "file"
    assert store.read("default").place == "file"


def test_an_entry_of_something_else_is_reported_and_stays(dictionary_keyring: Any, store: TokenStore) -> None:
    dictionary_keyring.entries["oauth-codex", "default"] = "something else"
    with pytest.raises(StoreUnreadableError, match="holds is no sign-in"):
        store.read("default")
    assert dictionary_keyring.entries["oauth-codex", "default"] == "something else"


@pytest.mark.parametrize("name", ["keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"])
def test_backends_that_keep_nothing_are_no_keyring(
    name: str, store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "get_keyring", lambda: keyring.core.load_keyring(name))
    assert store.write("default", tokens()).place == "file"
    assert store.read("default").place == "file"


def test_a_keyring_set_up_that_is_broken_is_reported(store: TokenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ModuleNotFoundError(MARK)

    monkeypatch.setattr(keyring, "get_keyring", broken)
    with pytest.raises(StoreUnreadableError, match="The keyring could not be read"):
        store.read("default")


def test_a_keyring_that_does_not_answer_is_not_waited_for_for_ever(
    dictionary_keyring: Any, store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()
    monkeypatch.setattr(keyring_place, "_ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(dictionary_keyring, "get_password", lambda *_: asked.wait(5))
    with pytest.raises(StoreUnreadableError, match="no answer within"):
        store.read("default")
    asked.set()


# Environment


def test_the_environment_is_the_last_place(store: TokenStore) -> None:
    environ = {"CODEX_OAUTH_ACCESS_TOKEN": f" access-9-{MARK}\n", "CODEX_OAUTH_ACCOUNT_ID": "account-9"}
    given = TokenStore(environ)
    found = given.read("default")
    assert (found.place, found.tokens.access_token, found.tokens.account_id) == (
        "environment",
        f"access-9-{MARK}",
        "account-9",
    )
    assert given.accounts() == ("default",)
    assert given.delete("default") == (
        "The tokens in the environment (CODEX_OAUTH_ACCESS_TOKEN) stay; unset the variables.",
    )
    with pytest.raises(NotSignedInError):
        given.read("work")
    store.write("default", tokens())
    assert given.read("default").place == "file"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"CODEX_OAUTH_REFRESH_TOKEN": MARK}, "CODEX_OAUTH_REFRESH_TOKEN is set, but not CODEX_OAUTH_ACCESS_TOKEN"),
        ({"CODEX_OAUTH_ACCESS_TOKEN": f"{MARK}\n{MARK}"}, "CODEX_OAUTH_ACCESS_TOKEN holds characters"),
        ({"CODEX_OAUTH_ACCESS_TOKEN": "é"}, "CODEX_OAUTH_ACCESS_TOKEN holds characters"),
    ],
)
def test_an_environment_that_is_no_good(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        TokenStore(environ).read("default")


# What was there before


def legacy_entry(**more: object) -> dict[str, object]:
    """As the older program writes it."""
    return {
        "access_token": f"old-{MARK}",
        "refresh_token": f"old-refresh-{MARK}",
        "api_key": None,
        "expires_at": time.time() + 3600,
        "account_id": "account-1",
        "last_refresh": 5.0,
        **more,
    }


async def test_a_sign_in_of_an_older_program_is_moved_here_once() -> None:
    old = Path.home() / ".codex_oauth_llm" / "auth.json"
    write_private(old, json.dumps(legacy_entry()).encode())
    accounts = Accounts({})

    headers = await accounts.credential().headers()

    assert headers["Authorization"] == f"Bearer old-{MARK}"
    assert headers["chatgpt-account-id"] == "account-1"
    assert not old.exists()
    assert (await accounts.status()).where == str(folder() / "auth.json")


async def test_one_in_its_keyring_is_moved_too(dictionary_keyring: Any) -> None:
    dictionary_keyring.entries["codex-oauth-llm", "default"] = json.dumps(legacy_entry())
    assert (await Accounts({}).status()).place == "keyring"
    assert list(dictionary_keyring.entries) == [("oauth-codex", "default")]


async def test_what_is_here_already_is_not_replaced() -> None:
    old = Path.home() / ".codex_oauth_llm" / "auth.json"
    write_private(old, json.dumps(legacy_entry()).encode())
    accounts = Accounts({})
    accounts.store.write("default", tokens())
    assert (await accounts.credential().headers())["Authorization"] == f"Bearer access-1-{MARK}"
    assert old.exists()


async def test_an_older_file_that_is_damaged_is_left_alone() -> None:
    old = Path.home() / ".codex_oauth_llm" / "auth.json"
    write_private(old, b"{")
    with pytest.raises(NotSignedInError):
        await Accounts({}).status()
    assert old.read_bytes() == b"{"


def test_the_stored_form_is_the_one_of_that_program() -> None:
    """Its successor reads and writes the same places."""
    assert legacy_entry().keys() - tokens_to_json(tokens()).keys() == {"api_key"}
    write_private(folder() / "auth.json", json.dumps(legacy_entry(account_id=None)).encode())
    assert TokenStore({}).read("default").tokens.refresh_token == f"old-refresh-{MARK}"


def test_a_journal_of_other_tokens_is_forgotten() -> None:
    accounts = Accounts({})
    accounts.store.write("default", tokens())
    journal = folder() / "journal" / "default.json"
    other = {"refreshed": "0" * 64, "received_at": 1.0, "response": {"access_token": f"wrong-{MARK}"}}
    for content in (json.dumps(other).encode(), b"{", b"[]"):
        write_private(journal, content)
        with AccountTokens(accounts.settings, accounts.store, "default").held():
            assert accounts.store.read("default").tokens.access_token == f"access-1-{MARK}"
        assert not journal.exists()
