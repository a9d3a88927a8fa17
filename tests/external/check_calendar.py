#!/usr/bin/env python3
"""Checks the calendar of src/calendar against the PyPI package `holidays`, year by year. Exit code 1 on any difference.

usage: pip install holidays && python3 tests/external/check_calendar.py

- Türkiye: both bayrams (every day and both eves) of every year whose dates are official, and that the package has them as
  confirmed too; all public holidays of those years.
- Ramazan's first day is no holiday, so the package has no Turkish date of it: it is compared with the package's table for
  all countries, which may differ by a day, and must leave 29 or 30 days until the bayram.
- Computed years: the distance from the package's own estimates is printed, not judged.
- United States: federal holidays and Easter, 1990 to 2060, from the rules written down once more here.
"""

import calendar
import re
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import holidays
from dateutil.easter import easter

SOURCE = (Path(__file__).resolve().parents[2] / "src/calendar/turkiye.rs").read_text(encoding="utf-8")


def table(name):
    body = re.search(rf"const {name}: &\[Day\] = &\[(.*?)\];", SOURCE, re.S).group(1)
    return [date(*map(int, row)) for row in re.findall(r"\((\d+), (\d+), (\d+)\)", body)]


first, last = map(int, re.search(r"OFFICIAL: RangeInclusive<i32> = (\d+)\.\.=(\d+)", SOURCE).groups())
years = range(first, last + 1)
wrong = []

# Bayrams, day by day.
package = holidays.country_holidays("TR", years=years, categories=("public", "half_day"), language="tr")
for name, title, days in (("RAMAZAN_BAYRAMI", "Ramazan Bayramı", 3), ("KURBAN_BAYRAMI", "Kurban Bayramı", 4)):
    full, half = set(), set()
    for day in table(name):
        half.add(day - timedelta(1))
        full.update(day + timedelta(k) for k in range(days))
    theirs_full, theirs_half = set(), set()
    for day in package:
        for part in package[day].split("; "):
            if not part.startswith(title):
                continue
            if "tahmini" in part:
                wrong.append(f"{day}: the package only estimates {title}")
            (theirs_half if "13.00" in part else theirs_full).add(day)
    # A feast at the turn of the last year belongs to a year that is not asked for.
    ours_full = {day for day in full if day.year in years}
    ours_half = {day for day in half if day.year in years}
    wrong += [f"{day}: {title} here, not there" for day in sorted((ours_full - theirs_full) | (ours_half - theirs_half))]
    wrong += [f"{day}: {title} there, not here" for day in sorted((theirs_full - ours_full) | (theirs_half - ours_half))]
    print(f"{title}: {len(table(name))} feasts, {len(ours_full)} days and {len(ours_half)} eves of {first} to {last}")

# Fixed holidays of Türkiye: month, day, since, half.
fixed = re.findall(r'\((\d+), (\d+), (\d+), (true|false), "', SOURCE)
for year in years:
    ours = {date(year, int(m), int(d)) for since, m, d, _ in fixed if int(since) <= year}
    theirs = {
        day
        for day in package
        if day.year == year
        and any(not part.startswith(("Ramazan", "Kurban", "Genel")) for part in package[day].split("; "))
    }
    wrong += [f"{day}: fixed holiday differs" for day in sorted(ours ^ theirs)]
print(f"fixed holidays: {len(fixed)} rules over {len(years)} years")

# Ramazan.
from holidays.calendars.islamic import _IslamicLunar  # noqa: E402

gaps, lengths, bayrams = Counter(), Counter(), table("RAMAZAN_BAYRAMI")
for day in table("RAMAZAN"):
    found = _IslamicLunar.RAMADAN_BEGINNING_DATES[day.year]
    found = found if isinstance(found[0], tuple) else (found,)
    gap = min(((day - date(day.year, *other)).days for other in found), key=abs)
    gaps[gap] += 1
    if abs(gap) > 1:
        wrong.append(f"{day}: Ramazan begins {gap} days from the package's date")
    after = [bayram for bayram in bayrams if bayram > day]
    if after:
        lengths[(after[0] - day).days] += 1
        if (after[0] - day).days not in (29, 30):
            wrong.append(f"{day}: Ramazan of {(after[0] - day).days} days")
print(f"Ramazan: days from the package's table for all countries {dict(gaps)}, lengths {dict(lengths)}")

# Years without official dates.
def tabular(year, month, day):
    number = day - 1 + 29 * (month - 1) + month // 2 + 354 * (year - 1) + (11 * year + 3) // 30 + 227_014
    return date.fromordinal(number)


later = holidays.country_holidays("TR", years=range(last + 1, last + 31), language="tr")
off = Counter()
for title, month, day in (("Ramazan", 10, 1), ("Kurban", 12, 10)):
    starts = [d for d in sorted(later) if title in later[d] and title not in later.get(d - timedelta(1), "")]
    for start in starts:
        off[min(((tabular(y, month, day) - start).days for y in range(1440, 1500)), key=abs)] += 1
print(f"computed bayrams of {last + 1} to {last + 30}, days from the package's estimates: {dict(off)}")

# United States, from the rules.
def nth(year, month, weekday, n):
    days = [d for d in calendar.Calendar().itermonthdates(year, month) if d.month == month and d.weekday() == weekday]
    return days[n]


states = holidays.country_holidays("US", years=range(1990, 2061), observed=True)
for year in range(1990, 2061):
    ours = {
        nth(year, 1, 0, 2), nth(year, 2, 0, 2), nth(year, 5, 0, -1), nth(year, 9, 0, 0), nth(year, 10, 0, 1), nth(year, 11, 3, 3)
    }
    for month, day, since in ((1, 1, 0), (6, 19, 2021), (7, 4, 0), (11, 11, 0), (12, 25, 0)):
        for of in (year, year + 1):
            if of < since:
                continue
            kept = date(of, month, day)
            kept += timedelta({5: -1, 6: 1}.get(kept.weekday(), 0))
            if kept.year == year:
                ours.add(kept)
    # The package names a fixed day and the day on which it is kept; public offices keep the second.
    theirs = set()
    for day in [d for d in states if d.year == year]:
        for name in states[day].split("; "):
            if "(observed)" in name or day.weekday() < 5:
                theirs.add(day)
    wrong += [f"{day}: federal holiday differs ({states.get(day)})" for day in sorted(ours ^ theirs)]

    a, b, c = year % 19, year // 100, year % 100
    g = (b - (b + 8) // 25 + 1) // 3
    h = (19 * a + b - b // 4 - g + 15) % 30
    l = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    n = h + l - 7 * ((a + 11 * h + 22 * l) // 451) + 114
    if date(year, n // 31, n % 31 + 1) != easter(year):
        wrong.append(f"{year}: Easter differs")
print("United States: federal holidays and Easter of 1990 to 2060")

print(f"holidays {holidays.__version__}: {'no difference' if not wrong else f'{len(wrong)} differences'}")
print("\n".join(wrong))
sys.exit(bool(wrong))
