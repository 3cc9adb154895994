"""The columns of the retail task, in order, with their units."""

from __future__ import annotations

from toolkit.tasks.base import Column, Schema

__all__ = ["CHANNELS", "NUMBERS", "PROMOTION_NUMBERS", "WINDOWS", "schema_of"]

WINDOWS = (7, 14, 28, 56, 91, 182)
"""Look-backs of purchase counts, in days; the longest is the whole look-back."""

UNITS: dict[str, str] = {
    **{f"n{days}": f"purchase days of the pair in {days} days" for days in WINDOWS},
    "recency": "days since the pair's last purchase, 1 = the day before the cut-off",
    "tenure": "days since the pair's first purchase in the look-back",
    "gap_mean": "mean days between purchase days; NaN below 2 of them",
    "gap_sd": "standard deviation of the gaps, in days; NaN below 3 purchase days",
    "gap_last": "the last gap, in days; NaN below 2 purchase days",
    "gap_cv": "gap_sd / gap_mean; NaN below 3 purchase days",
    "due": "recency / gap_mean, in cycles; NaN below 2 purchase days",
    "ewma28": "purchase days, halved per 28 days of age",
    "ewma91": "purchase days, halved per 91 days of age",
    "spend_per_day": "USD a purchase day",
    "quantity_per_day": "units a purchase day",
    "discount_share": "discounts and coupons as a share of the regular price; NaN where that is 0",
    "trips7": "shopping days of the household in 7 days",
    "trips28": "shopping days of the household in 28 days",
    "trips182": "shopping days of the household in 182 days",
    "trip_recency": "days since the household's last shopping day, 1 = the day before the cut-off",
    "household_spend28": "USD of the household in 28 days",
    "household_lines28": "receipt lines of the household in 28 days",
    "rate_per_trip": "n182 / trips182",
    "category_buyers": "households that bought the category in 182 days",
    "category_purchases_per_buyer": "mean purchase days of these households in 182 days",
    "category_volume7": "purchase days of all households in 7 days",
    "category_volume28": "purchase days of all households in 28 days",
    "category_trend": "rate of 28 days / rate of 182 days",
    "category_cycle": "mean gap between purchase days over all households, in days",
    "mailer": "products of the category in the target week's mailer of the main store",
    "mailer_front": "products on the front page or wrap of that mailer",
    "display": "products of the category on display in the main store in the target week",
    "mailer_vs_usual": "mailer minus its mean of the 13 weeks before",
    "mailer_front_vs_usual": "mailer_front minus its mean of the 13 weeks before",
    "display_vs_usual": "display minus its mean of the 13 weeks before",
    "campaign_b": "1 when the household holds a live coupon of a type B campaign for the category",
    "campaign_c": "1 when the household holds a live coupon of a type C campaign for the category",
    "week_of_month": "week of the month of the cut-off, 1 to 5",
    "holiday_week": "1 when a US holiday that changes grocery shopping lies in the target period",
    "month": "month of the cut-off, 1 to 12",
    "has_demographics": "1 when the household's demographics are known",
    "habit_probability": "probability of a purchase from habit alone, computed without labels",
}

NUMBERS = tuple(UNITS)
"""All numeric columns, in the order of the cached matrices."""

PROMOTION_NUMBERS = tuple(name for name in NUMBERS if name.startswith(("mailer", "display")))
"""The columns that need the retailer's plan for the target week."""

CHANNELS = ("receipt lines of the pair", "shopping days of the household")
"""The raw signal, day by day."""


def schema_of(categories: tuple[str, ...], *, promotions: bool, sequence: bool = False) -> Schema:
    """Return the columns that tracks are given.

    Parameters
    ----------
    categories : tuple of str
        Names of the product categories, in order of code.
    promotions : bool
        Whether the promotions of the target week are among the columns.
    sequence : bool
        Whether rows have a raw signal.
    """
    numbers = [
        Column(name, unit=unit) for name, unit in UNITS.items() if promotions or name not in PROMOTION_NUMBERS
    ]
    category = Column("category", kind="category", levels=categories, unit="product category")
    return Schema((*numbers, category), channels=CHANNELS if sequence else ())
