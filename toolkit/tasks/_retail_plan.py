"""What the retailer plans and announces: promotions by store and week, and coupon campaigns."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

from toolkit.tasks._retail_arrays import Floats, Ints, fetch, positions
from toolkit.tasks._retail_calendar import DAYS_A_WEEK, FIRST_DAY, N_WEEKS, week_of

__all__ = ["Campaigns", "Promotions"]

KINDS = ("mailer", "mailer_front", "display")
USUAL_WEEKS = 13

# Codes of the publisher's data guide. D and H are the front of the mailer: its first page and its wrap.
FRONT_OF_MAILER = ("D", "H")
NOT_PROMOTED = "0"

# Rolling up products first counts a product once, however often it is listed.
PROMOTION_SQL = """
with listed as (
    select store_id, week, product_id,
           max(mailer_location <> $none)::int as mailer,
           max(mailer_location in (select unnest($front)))::int as mailer_front,
           max(display_location <> $none)::int as display
    from (select store_id, week, product_id,
                 coalesce(nullif(mailer_location, 'NaN'), $none) as mailer_location,
                 coalesce(nullif(display_location, 'NaN'), $none) as display_location
          from read_parquet($promotions))
    group by all)
select store_id, week, category, sum(mailer)::int as mailer,
       sum(mailer_front)::int as mailer_front, sum(display)::int as display
from listed join product using (product_id) where week between 1 and $n_weeks group by all
"""

CAMPAIGN_SQL = """
select campaign_id, ascii(replace(campaign_type, 'Type ', '')) as kind,
       date_diff('day', $first_day, start_date::date) as start_day,
       date_diff('day', $first_day, end_date::date) as end_day
from read_parquet($campaign_descriptions) order by campaign_id
"""

COVERED_SQL = """
select distinct campaign_id, category from read_parquet($coupons) join product using (product_id)
"""

SENT_SQL = "select distinct campaign_id, household_id from read_parquet($campaigns)"


@dataclass(frozen=True)
class Promotions:
    """Promoted products by store, week and category.

    Parameters
    ----------
    stores : ndarray of shape (n_stores,), int64
        Ids, sorted.
    counts : ndarray of shape (n_stores, N_WEEKS + 1, n_categories, 3), int16
        Products in the mailer, on its front, and on display; week 0 is unused.
    reported : ndarray of shape (n_stores, N_WEEKS + 1), bool
        Whether the store has any promotion record in the week.
    """

    stores: Ints
    counts: NDArray[np.int16]
    reported: NDArray[np.bool_]

    @classmethod
    def read(
        cls, connection: duckdb.DuckDBPyConnection, file: str, *, visited: Ints, n_categories: int
    ) -> Promotions:
        """Roll up the promotion file, with a table ``product`` in the connection.

        Parameters
        ----------
        connection : DuckDBPyConnection
        file : str
        visited : ndarray of int64
            Ids of stores to number, besides those that have promotions.
        n_categories : int
        """
        promoted = fetch(
            connection, PROMOTION_SQL,
            promotions=file, none=NOT_PROMOTED, front=list(FRONT_OF_MAILER), n_weeks=N_WEEKS,
        )  # fmt: skip
        stores = np.unique(np.concatenate([visited, promoted["store_id"]]))
        store, week = np.searchsorted(stores, promoted["store_id"]), promoted["week"]
        counts = np.zeros((len(stores), N_WEEKS + 1, n_categories, len(KINDS)), np.int16)
        for number, kind in enumerate(KINDS):
            counts[store, week, promoted["category"], number] = promoted[kind]
        reported = np.zeros((len(stores), N_WEEKS + 1), np.bool_)
        reported[store, week] = True
        return cls(stores, counts, reported)

    def columns(self, store: Ints, category: Ints, day: int, horizon_days: int) -> dict[str, Floats]:
        """Return the promotion columns of rows at a cut-off.

        Parameters
        ----------
        store, category : ndarray of shape (n_rows,), int64
            Number of the household's main store, and of the category.
        day : int
            The cut-off.
        horizon_days : int
            With more than one week, the mean of its weeks.
        """
        week = week_of(day)
        last = min(week + horizon_days // DAYS_A_WEEK, N_WEEKS + 1)
        planned = self.counts[:, week:last].mean(axis=1)
        usual = self.counts[:, week - USUAL_WEEKS : week].mean(axis=1)
        planned[~self.reported[:, week - USUAL_WEEKS : last].any(axis=1)] = np.nan
        columns: dict[str, Floats] = {}
        for number, kind in enumerate(KINDS):
            columns[kind] = planned[store, category, number]
            columns[f"{kind}_vs_usual"] = columns[kind] - usual[store, category, number]
        return columns


@dataclass(frozen=True)
class Campaigns:
    """Coupon campaigns.

    Parameters
    ----------
    kind : ndarray of shape (n_campaigns,), int64
        Character code of the type's letter: A, B or C.
    start_day, end_day : ndarray of shape (n_campaigns,), int64
        First and last day, counted from `FIRST_DAY`; may lie outside the year.
    sent : ndarray of shape (n_campaigns, n_households), bool
    covers : ndarray of shape (n_campaigns, n_categories), bool
        Whether a coupon of the campaign holds for a product of the category.
    """

    kind: Ints
    start_day: Ints
    end_day: Ints
    sent: NDArray[np.bool_]
    covers: NDArray[np.bool_]

    @classmethod
    def read(
        cls,
        connection: duckdb.DuckDBPyConnection,
        files: dict[str, str],
        *,
        household_ids: Ints,
        n_categories: int,
    ) -> Campaigns:
        """Read campaigns, coupons and recipients, with a table ``product`` in the connection."""
        campaigns = fetch(
            connection,
            CAMPAIGN_SQL,
            first_day=FIRST_DAY,
            campaign_descriptions=files["campaign_descriptions"],
        )
        ids = campaigns["campaign_id"]
        covered = fetch(connection, COVERED_SQL, coupons=files["coupons"])
        covers = np.zeros((len(ids), n_categories), np.bool_)
        known = np.isin(covered["campaign_id"], ids)
        covers[positions(covered["campaign_id"][known], ids), covered["category"][known]] = True
        mailed = fetch(connection, SENT_SQL, campaigns=files["campaigns"])
        known = np.isin(mailed["campaign_id"], ids) & np.isin(mailed["household_id"], household_ids)
        sent = np.zeros((len(ids), len(household_ids)), np.bool_)
        recipients = positions(mailed["household_id"][known], household_ids)
        sent[positions(mailed["campaign_id"][known], ids), recipients] = True
        return cls(campaigns["kind"], campaigns["start_day"], campaigns["end_day"], sent, covers)

    def columns(self, household: Ints, category: Ints, day: int) -> dict[str, Floats]:
        """Return the campaign columns of rows at a cut-off: campaigns that have begun and not ended."""
        live = (self.start_day <= day) & (self.end_day >= day)
        columns: dict[str, Floats] = {}
        for letter in "BC":
            chosen = live & (self.kind == ord(letter))
            coupons = self.sent[chosen].T.astype(np.int64) @ self.covers[chosen].astype(np.int64)
            columns[f"campaign_{letter.lower()}"] = (coupons[household, category] > 0).astype(np.float64)
        return columns
