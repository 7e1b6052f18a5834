"""StreamRec's second incident: the hour of the day as the notebook and as the back end computed it."""

import os

import featherflight as ff
import pandas as pd

store = ff.connect(os.environ["FEATHERFLIGHT_URL"])
ZONES = {1: "America/New_York", 2: "Europe/Paris", 3: "Asia/Kolkata", 4: "America/Los_Angeles"}


def rows():
    """Four users over the days on which the clocks of two of their countries go forward."""
    times = pd.date_range("2026-03-05", "2026-04-02", freq="7h", tz="UTC")
    frame = pd.DataFrame([(user, time) for time in times for user in ZONES], columns=["user_id", "event_timestamp"])
    return frame.assign(user_timezone=frame["user_id"].map(ZONES))


def notebook(frame):
    return frame["event_timestamp"].dt.hour


def back_end(frame):
    """Row by row, as a server meets them."""
    return pd.Series([row.event_timestamp.tz_convert(row.user_timezone).hour for row in frame.itertuples()])
