"""Documents that are kept as JSON files with a digest of everything in them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Self

from ops.errors import WrongInput
from ops.review.fingerprint import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedDocument:
    """A document about a stack.

    Attributes:
        FORMAT: the version of the format that this version writes.
        KIND: the kind of the errors about the document.
        NAME: what it is, with an article.
        READ_OPTION, WRITE_OPTION: the options that name a file to read, and one to write.
        MADE_BY: the command that writes one.
        AGAIN: what to do about a document that cannot be used.
    """

    FORMAT: ClassVar[int]
    KIND: ClassVar[str]
    NAME: ClassVar[str]
    READ_OPTION: ClassVar[str]
    WRITE_OPTION: ClassVar[str]
    MADE_BY: ClassVar[str]
    AGAIN: ClassVar[str]

    format: int
    stack: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """The document in a file.

        Raises:
            WrongInput: the file cannot be read, or is not a document that this version wrote.
        """
        try:
            text = path.read_text("utf-8")
            fields = json.loads(text)
            del fields["digest"]
            document = cls(**fields)
            document.check_values()
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            why = error.strerror if isinstance(error, OSError) else type(error).__name__
            raise WrongInput(
                cls.KIND,
                f"{cls.READ_OPTION} {path} is not {cls.NAME} ({why}). `{cls.MADE_BY}` writes one.",
            ) from None
        # Compare the text: of a key that occurs twice, a person may read the other value.
        if document.format != cls.FORMAT or text != document._text():
            raise WrongInput(
                cls.KIND,
                f"{cls.READ_OPTION} {path} was edited since, or written by another version. "
                f"{cls.AGAIN}",
            )
        return document

    def check_values(self) -> None:
        """Find values that cannot be used.

        Raises:
            ValueError, TypeError: there is one.
        """

    @property
    def digest(self) -> str:
        """The digest of the whole document."""
        return digest(asdict(self))

    def _text(self) -> str:
        document = {"digest": self.digest, **asdict(self)}
        return f"{json.dumps(document, indent=1)}\n"

    def write(self, path: Path) -> None:
        """Write the document as JSON.

        Raises:
            WrongInput: the file cannot be written.
        """
        try:
            path.write_text(self._text(), "utf-8")
        except OSError as error:
            raise WrongInput(self.KIND, f"{self.WRITE_OPTION} {path}: {error.strerror}.") from None
