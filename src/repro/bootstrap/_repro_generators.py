"""Unseeded generators of random numbers get seeds that all derive from one.

Each process and each generator has a seed of its own, so that no two of them share a sequence:
sha256 over the seed of the run, the key of the process and the name of the generator
(FORMAT.md section "Randomness").
"""

import os
import sys
from itertools import count

MOST = 1 << 63  # seeds are below
RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK")  # the first one set counts


def _sha256(data: bytes) -> bytes:
    # hashlib takes 2 ms to load OpenSSL, at every start of Python.
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256  # noqa: PLC0415
        else:
            from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    except ImportError:
        from hashlib import sha256  # noqa: PLC0415
    digest: bytes = sha256(data).digest()
    return digest


def short_digest(text: str) -> str:
    """The first 16 hex digits of the sha256 of a text."""
    return _sha256(text.encode("utf-8", "surrogateescape")).hex()[:16]


def derive(seed: int, key: str, name: str, bits: int) -> int:
    """The seed of one generator in one process.

    Args:
        seed: Of the run.
        key: Of the process, `0` for the main one.
        name: Of the generator.
        bits: How many; any number.
    """
    number = 0
    for block in range((bits + 255) // 256):
        text = "repro\0%d\0%s\0%s\0%d" % (seed, key, name, block)
        data = _sha256(text.encode("utf-8", "surrogateescape"))
        number |= int.from_bytes(data, "big") << (256 * block)
    return number & ((1 << bits) - 1)


_finders: "list[object]" = sys.meta_path  # type: ignore[assignment]


class AfterImport:
    """A finder that calls back when a module has been loaded for the first time.

    It finds nothing itself: the loader that the other finders give keeps its class, and its
    `exec_module` is wrapped for as long as it has not run.
    """

    def __init__(self) -> None:
        self.waiting: "dict[str, object]" = {}  # by name of the module

    def start(self) -> None:
        """Be asked first."""
        if self not in _finders:
            _finders.insert(0, self)

    def stop(self) -> None:
        """Be asked no more."""
        self.waiting.clear()
        if self in _finders:
            _finders.remove(self)

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        """What the other finders give."""
        if name not in self.waiting:
            return None
        for finder in list(_finders):
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find is not None else None
            if spec is not None:
                self._wrap(spec.loader, name)
                return spec
        return None

    def _wrap(self, loader: object, name: str) -> None:
        original = getattr(loader, "exec_module", None)
        # The loaders of frozen and built-in modules are classes, which all modules share.
        if original is None or isinstance(loader, type):
            return

        def exec_module(module: object) -> None:
            if getattr(module, "__name__", None) != name:  # one loader for all of a zip file
                original(module)
                return
            vars(loader).pop("exec_module", None)
            original(module)
            callback = self.waiting.pop(name, None)
            if callback is not None:
                try:
                    callback(module)  # type: ignore[operator]
                except Exception:  # an import must work as it does without us
                    pass

        try:
            loader.exec_module = exec_module  # type: ignore[attr-defined]
        except (AttributeError, TypeError):
            pass


def _seed_python(module: object, seed: int) -> None:
    module.seed(seed)  # type: ignore[attr-defined]


def _seed_numpy(module: object, seed: int) -> None:
    module.seed(seed % (1 << 32))  # type: ignore[attr-defined]


def _seed_torch(module: object, seed: int) -> None:
    module.manual_seed(seed)  # type: ignore[attr-defined]


def _seed_tensorflow(module: object, seed: int) -> None:
    module.random.set_seed(seed)  # type: ignore[attr-defined]


# By module: the name of its generator, the bits of a derived seed, how it is seeded.
SEEDERS = {
    "random": ("python", 63, _seed_python),
    "numpy.random": ("numpy", 32, _seed_numpy),
    "torch": ("torch", 63, _seed_torch),
    "tensorflow": ("tensorflow", 32, _seed_tensorflow),
}
_ENTROPY = "numpy.entropy"
_BITS = "numpy.random.bit_generator"


class Generators:
    """The global generators of this process, and the unseeded ones that NumPy makes.

    Args:
        seed: Of the run.
        key: Of this process.
        tell: Is called with the name of each generator and the seed that it got.

    Attributes:
        chosen: What `repro.seed()` was given; it takes the place of derived seeds.
    """

    def __init__(self, seed: int, key: str, tell: object = None) -> None:
        self.seed = seed
        self.key = key
        self.chosen: "int | None" = None
        self._tell = tell
        self._hook = AfterImport()
        self._draws = count(1)  # its next() is one step, whatever other threads do
        self._forks = 0
        self._randbits: object = None
        self._default_rng: object = None

    @property
    def is_installed(self) -> bool:
        """Whether it seeds what is loaded."""
        return self in _installed

    def install(self, *, seed_loaded: bool) -> None:
        """Seed each generator when its module is first loaded.

        Args:
            seed_loaded: Whether those that are loaded already are seeded now.
        """
        _installed.append(self)
        for name in SEEDERS:
            module = sys.modules.get(name)
            if module is None:
                self._hook.waiting[name] = lambda module, name=name: self._loaded(name, module)
            else:
                self._take_over(name, module)
                if seed_loaded:
                    self._seed(name, module)
        self._hook.start()

    def remove(self) -> None:
        """Leave everything as it is, and seed nothing more."""
        self._hook.stop()
        if self in _installed:
            _installed.remove(self)
        bits, module = sys.modules.get(_BITS), sys.modules.get("numpy.random")
        if self._randbits is not None and bits is not None:
            bits.randbits = self._randbits  # type: ignore[attr-defined]
        if self._default_rng is not None and module is not None:
            module.default_rng = self._default_rng  # type: ignore[attr-defined]
        self._randbits = self._default_rng = None

    def restart(self, key: "str | None" = None) -> None:
        """Begin all sequences of new generators anew, as process `key`."""
        self.key = self.key if key is None else key
        self._draws = count(1)
        self._forks = 0

    def choose(self, seed: int) -> None:
        """Give every generator this seed: the loaded ones now, others when they are loaded."""
        self.chosen = seed
        self._draws = count(1)
        for name in SEEDERS:
            module = sys.modules.get(name)
            if module is not None:
                self._seed(name, module)

    def reseed_python(self) -> None:
        """Give Python's generator the seed that this process derives for it."""
        module = sys.modules.get("random")
        if module is not None:
            self._seed("random", module)

    def _loaded(self, name: str, module: object) -> None:
        self._take_over(name, module)
        self._seed(name, module)

    def _take_over(self, name: str, module: object) -> None:
        if name == "random":
            _watch_forks()
        elif name == "numpy.random":
            self._replace_entropy(module)

    def _seed(self, name: str, module: object) -> None:
        label, bits, give = SEEDERS[name]
        seed = self.chosen
        if seed is None:
            seed = derive(self.seed, self.key, label, bits)
        elif name == "random" and "+" in self.key:
            seed = derive(seed, self.key, label, bits)  # a fork must not repeat its parent
        try:
            give(module, seed)
        except Exception:  # half a package, or another one of that name
            return
        if self._tell is not None:
            self._tell(label, seed)  # type: ignore[operator]

    def _replace_entropy(self, module: object) -> None:
        """Let NumPy draw what seeds an unseeded generator from our sequence.

        `default_rng()`, `RandomState()`, `PCG64()` and `SeedSequence()` all call the function
        `randbits` of one module; where there is none, `default_rng` itself is wrapped.
        """
        bits = sys.modules.get(_BITS)
        if bits is not None and hasattr(bits, "randbits"):
            self._randbits = bits.randbits
            bits.randbits = self.draw  # type: ignore[attr-defined]
        elif hasattr(module, "default_rng"):
            original = self._default_rng = module.default_rng

            def default_rng(seed: object = None) -> object:
                return original(self.draw(128) if seed is None else seed)

            default_rng.__doc__ = original.__doc__
            module.default_rng = default_rng

    def draw(self, bits: int) -> int:
        """The next so many bits for a generator that is made without a seed."""
        seed = self.seed if self.chosen is None else self.chosen
        return derive(seed, self.key, "%s.%d" % (_ENTROPY, next(self._draws)), bits)

    def before_fork(self) -> None:
        """Count the children."""
        self._forks += 1

    def after_fork(self) -> None:
        """In the child: no sequence of the parent again.

        Python gives its own generator a new seed in every forked child; that one derives, too.
        """
        self._tell = None  # a loader of data forks in every epoch
        self.restart("%s+%d" % (self.key, self._forks))
        self.reseed_python()


_installed: "list[Generators]" = []
_is_watching = False


def _watch_forks() -> None:
    """Be told of forks; after `random`, whose own reseeding in the child must come first."""
    global _is_watching
    if not _is_watching and hasattr(os, "register_at_fork"):
        _is_watching = True
        os.register_at_fork(before=_before_fork, after_in_child=_after_fork)


def _before_fork() -> None:
    for one in _installed:
        one.before_fork()


def _after_fork() -> None:
    for one in _installed:
        one.after_fork()
