"""StreamRec's third incident as it was written in a notebook, and what the store says of it."""

import os

import featherflight as ff
import numpy as np
import pandas as pd

store = ff.connect(os.environ["FEATHERFLIGHT_URL"])
data = os.environ["STREAMREC_DATA"]
frame = pd.read_parquet(f"{data}/frame.parquet")[["user_id", "item_id", "event_timestamp"]]
clicks = pd.read_parquet(f"{data}/clicks")[["user_id", "event_timestamp", "category"]]


def entropies(events):
    """The notebook's feature: entropy of a user's categories, over all events that it is given."""
    counts = events.groupby(["user_id", "category"]).size()
    share = counts / counts.groupby("user_id").transform("sum")
    return (-(share * np.log(share))).groupby("user_id").sum().rename("user_category_entropy") + 0.0


def backfill(rows):
    """The notebook's training table: joined by the user alone, whatever the row's time."""
    return rows.merge(entropies(clicks).reset_index(), on="user_id", how="left")


def midnight(rows):
    """What could be known: the same entropy over the events before the last midnight that had run by then."""
    known = rows["event_timestamp"].sub(pd.Timedelta("3h")).dt.floor("D")
    out = pd.Series(np.nan, index=rows.index)
    for day, group in rows.groupby(known):
        past = entropies(clicks[clicks["event_timestamp"] < day])
        out[group.index] = group["user_id"].map(past).to_numpy()
    return out


def explores(rows):
    """What the model is to learn: whether a user is about to click on a category never clicked on before."""
    first = clicks.groupby(["user_id", "category"])["event_timestamp"].min().reset_index()
    joined = rows[["user_id", "event_timestamp"]].reset_index().merge(first, on="user_id", suffixes=("", "_first"))
    new = joined["event_timestamp_first"].gt(joined["event_timestamp"])
    soon = joined["event_timestamp_first"].lt(joined["event_timestamp"] + pd.Timedelta("14d"))
    return (new & soon).groupby(joined["index"]).any().reindex(rows.index, fill_value=False)


def auc(score, label):
    ranks = score.rank()
    positives = int(label.sum())
    area = (ranks[label].sum() - positives * (positives + 1) / 2) / (positives * (len(label) - positives))
    return max(area, 1 - area)
