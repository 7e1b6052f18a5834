"""Which positions of an epoch a rank and its workers read: arithmetic that needs neither a server nor torch.

Batch g of an epoch holds the positions from `start + g * batch_size` on. Of R ranks rank r takes the batches with
g % R == r, and of its W workers worker w every W-th of these, in the order in which a DataLoader asks its workers: so
that the rows come in one order, however many ranks and workers there are.
"""

from __future__ import annotations

from dataclasses import dataclass

from featherflight.errors import InvalidArgumentError

LAST = ("drop", "pad", "uneven")


@dataclass(frozen=True)
class Shard:
    """One rank's share of an epoch of `rows` rows that goes on at position `start`.

    `last` says what becomes of a last round of batches that is not full: "drop" leaves it out, "pad" fills it with the
    first rows of the epoch, "uneven" reads it as it is, so that ranks may have one batch more or less than others.
    """

    rows: int
    batch_size: int
    start: int = 0
    rank: int = 0
    world_size: int = 1
    last: str = "uneven"

    def __post_init__(self) -> None:
        if self.last not in LAST:
            raise InvalidArgumentError(f"last={self.last!r}: it is one of {', '.join(map(repr, LAST))}")
        if not 0 <= self.rank < self.world_size:
            raise InvalidArgumentError(f"rank {self.rank} is none of {self.world_size} ranks, which begin at 0")
        if self.batch_size < 1:
            raise InvalidArgumentError(f"batch_size is at least 1, not {self.batch_size}")
        if self.world_size > max(1, self.rows):
            raise InvalidArgumentError(f"{self.world_size} ranks are more than the {self.rows} rows; use fewer")
        if self.last == "drop" and self.rows < self.round_rows:
            raise InvalidArgumentError(
                f"{self.rows} rows make no full round of {self.world_size} batches of {self.batch_size}, and "
                'last="drop" leaves out what is not full; use smaller batches, or last="pad"'
            )

    @property
    def round_rows(self) -> int:
        """Rows of one batch of every rank."""
        return self.world_size * self.batch_size

    @property
    def end(self) -> int:
        """The position after the last that some rank reads, without what fills up."""
        if self.last != "drop":
            return self.rows
        return self.start + (self.rows - self.start) // self.round_rows * self.round_rows

    @property
    def batches(self) -> int:
        """How many batches this rank has."""
        of_all = -(-(self.end - self.start) // self.batch_size)
        if self.last == "pad":
            return -(-of_all // self.world_size)
        return max(0, -(-(of_all - self.rank) // self.world_size))

    def begin(self, batch: int) -> int:
        """The first position of this rank's batch of that number; past `end` where it consists of filling alone."""
        return self.start + (batch * self.world_size + self.rank) * self.batch_size

    def consumed(self, batches: int) -> int:
        """The position up to which all is read when every rank has read so many batches: where any number goes on."""
        return min(self.rows, self.start + batches * self.round_rows)
