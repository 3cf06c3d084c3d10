"""A terminal of the child's own, inside ours, so that progress bars and colours stay."""

import fcntl
import os
import signal
import termios
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

Attributes = list[Any]  # as termios gives and takes them


class Terminal:
    """A pseudo terminal with the size and the settings of the one that we write to.

    Attributes:
        master: Our end, not blocking: the child's output is read here, typed keys go in.
        keyboard: Our stdin while its keys are the child's, else None.
        pending: Keys that the child has not taken yet.
    """

    def __init__(self, stdin: int, screen: int) -> None:
        self.master, self._slave = os.openpty()
        self._screen = screen
        self._typed_on = stdin if os.isatty(stdin) else None
        self._saved: Attributes | None = None
        self._group: int | None = None
        self._is_stop_wanted = False
        self.keyboard: int | None = None
        self.pending = bytearray()
        os.set_blocking(self.master, False)
        os.set_inheritable(self.master, False)
        termios.tcsetattr(self._slave, termios.TCSANOW, termios.tcgetattr(screen))
        self.resize()

    @property
    def child_end(self) -> int:
        """What the child gets as its output, and as its stdin when ours is a terminal."""
        return self._slave

    @property
    def has_keyboard(self) -> bool:
        """Whether our stdin is a terminal."""
        return self._typed_on is not None

    def controller(self) -> Callable[[], None]:
        """Give the function that makes this the controlling terminal of a new session's leader."""
        slave = self._slave

        def control() -> None:
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        return control

    def close_child_end(self) -> None:
        """Let go of the child's end, so that reading ends when the child lets go too."""
        os.close(self._slave)

    def resize(self) -> None:
        """Give the child the present size of our window."""
        with suppress(OSError, termios.error):  # a terminal that is gone has no size
            termios.tcsetwinsize(self.master, termios.tcgetwinsize(self._screen))

    def take_keyboard(self, group: int) -> None:
        """Hand every key to the child unread, ^C too, when we are the job in the foreground.

        Args:
            group: The child's process group.

        A job in the background must not touch the terminal's settings: that stops it.
        """
        self._group = group
        if self._is_stop_wanted:
            self.stop_child()
        if self._typed_on is None or self.keyboard is not None:
            return
        try:
            if os.tcgetpgrp(self._typed_on) != os.getpgrp():
                return
            self._saved = termios.tcgetattr(self._typed_on)
            tty.setraw(self._typed_on, termios.TCSADRAIN)
        except (OSError, termios.error):
            self._saved = None
            return
        self.keyboard = self._typed_on

    def give_back_keyboard(self) -> None:
        """Put our terminal back as it was."""
        if self.keyboard is None or self._saved is None:
            return
        fd, self.keyboard = self.keyboard, None
        # If we were moved to the background meanwhile, setting it would stop us for ever.
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        try:
            termios.tcsetattr(fd, termios.TCSADRAIN, self._saved)
        except (OSError, termios.error):
            pass  # hung up: there is nothing left to put back
        finally:
            signal.signal(signal.SIGTTOU, before)

    def suspend(self, group: int) -> None:
        """Stop with a child that was stopped by ^Z; go on with it after `fg` or `bg`."""
        self.give_back_keyboard()
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(0, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, before)
        self.resize()
        self.take_keyboard(group)
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGCONT)

    def read_keys(self) -> None:
        """Take what was typed; a keyboard that is gone is let go of."""
        if self.keyboard is None:
            return
        try:
            keys = os.read(self.keyboard, 4096)
        except OSError:
            keys = b""
        if not keys:
            self._typed_on = self.keyboard = None
        elif self._asks_to_stop(keys):
            self.stop_child()
        else:
            self.pending += keys

    def stop_child(self) -> None:
        """Stop the child as ^Z does; on hearing of it, `suspend`.

        SIGTSTP would not do: the kernel keeps it from the leader of a session that has nobody
        in it to wake the leader.
        """
        self._is_stop_wanted = self._group is None  # it was not started yet
        if self._group is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._group, signal.SIGSTOP)

    def _asks_to_stop(self, keys: bytes) -> bool:
        """Whether ^Z is among the keys, and means what it says to the child itself."""
        try:
            settings = termios.tcgetattr(self.master)
            is_ours = os.tcgetpgrp(self.master) == self._group
        except (OSError, termios.error):
            return False
        return is_ours and bool(settings[3] & termios.ISIG) and settings[6][termios.VSUSP] in keys

    def send_keys(self) -> None:
        """Pass typed keys to the child, as many as it takes now."""
        try:
            sent = os.write(self.master, self.pending)
        except BlockingIOError:
            return
        except OSError:
            sent = len(self.pending)
        del self.pending[:sent]

    def close(self) -> None:
        """Put our terminal back as it was, and end the child's."""
        self.give_back_keyboard()
        os.close(self.master)


def is_foreground() -> bool:
    """Whether ^C on the controlling terminal reaches this process."""
    try:
        fd = os.open(Path("/dev/tty"), os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(fd)
